import assert from "node:assert/strict";
import { createServer, type Server } from "node:http";
import type { AddressInfo } from "node:net";
import { drawingOf, rateInterval, seriesOf, stepOf } from "../../local/pictures/ask";
import { momentOf } from "../../local/pictures/cli";
import { dashboardsOf, importable } from "../../plan/monitoring/dashboards/index";
import { rowsIn } from "../../local/pictures/page/rows";

describe("pictures", () => {
  const now = new Date("2026-05-01T12:00:00Z");

  it("are of moments, or of so long ago", () => {
    const cases: [string, string][] = [
      ["now", "2026-05-01T12:00:00.000Z"],
      ["90m", "2026-05-01T10:30:00.000Z"],
      ["6h", "2026-05-01T06:00:00.000Z"],
      ["2d", "2026-04-29T12:00:00.000Z"],
      ["2026-05-01T10:00:00Z", "2026-05-01T10:00:00.000Z"],
    ];
    for (const [text, moment] of cases) assert.equal(momentOf(text, now).toISOString(), moment);
    for (const text of ["soon", "6", "h", "6 h", "-1h", ""])
      assert.throws(() => momentOf(text, now), /Allowed: now, a time such as/, text);
  });

  it("have a few hundred points, and no more than there are samples", () => {
    const of = (hours: number) => stepOf({ from: new Date(0), to: new Date(hours * 3_600_000) });
    assert.deepEqual([of(0.1), of(1), of(6), of(24)], [15, 15, 90, 360]);
    assert.deepEqual([rateInterval(15), rateInterval(90), rateInterval(360)], ["120s", "120s", "390s"]);
  });

  it("show a gap where there was no sample, or no number", () => {
    const range = { from: new Date(1_000_000), to: new Date(1_045_000) };
    const metric = { instance: "main-1" };
    const values = [
      [1000, "1"],
      [1030, "NaN"],
      [1045, "4.5"],
    ] as const;
    assert.deepEqual(seriesOf({ metric, values }, range, 15), {
      labels: metric,
      times: [1_000_000, 1_015_000, 1_030_000, 1_045_000],
      values: [1, null, null, 4.5],
    });
  });
});

describe("what a picture shows, by a stand-in of Prometheus that knows one cluster", () => {
  let server: Server;
  let prometheus: string;
  let asked: { path: string; query: string }[];
  before(async () => {
    server = createServer((request, response) => {
      let body = "";
      request.on("data", (part: Buffer) => (body += part.toString()));
      request.on("end", () => {
        const path = request.url ?? "";
        const query = new URLSearchParams(body).get("query") ?? "";
        asked.push({ path, query });
        const refused = query.includes('namespace="none"');
        const metric = { namespace: "shop", cluster: "main", instance: "main-1" };
        const result = path.endsWith("query_range")
          ? [{ metric, values: [[0, "2"]] }]
          : [{ metric, value: [0, "3"] }];
        response.statusCode = refused ? 400 : 200;
        response.end(
          JSON.stringify(
            refused ? { status: "error", error: "bad" } : { status: "success", data: { result } },
          ),
        );
      });
    });
    await new Promise<void>((done) => server.listen(0, "127.0.0.1", done));
    prometheus = `http://127.0.0.1:${(server.address() as AddressInfo).port}/`;
  });
  beforeEach(() => (asked = []));
  after(() => server.close());

  const [, overview] = dashboardsOf();
  const rendered = importable().get("overview");
  assert.ok(overview && rendered);
  const range = { from: new Date(0), to: new Date(3_600_000) };

  it("is of the cluster that there is, and answers every query once", async () => {
    const drawing = await drawingOf(overview, rendered, { prometheus, ...range, chosen: {} });
    assert.equal(drawing.caption, "namespace shop · cluster main · 1970-01-01 00:00 to 1970-01-01 01:00 UTC");
    const targets = overview.rows.flatMap(({ panels }) => panels.flatMap(({ queries }) => queries));
    assert.equal(Object.values(drawing.answers).flat().length, targets.length);
    assert.equal(asked.length, 2 + targets.length + (overview.marks?.length ?? 0));
    for (const { query } of asked) assert.doesNotMatch(query, /\$/);
    assert.ok(asked.some(({ query }) => query.includes('instance=~".*"')));
    assert.deepEqual(
      drawing.marks.map(({ time, colour }) => [time, colour]),
      [
        [0, "purple"],
        [0, "blue"],
      ],
    );
  });

  it("is of the cluster that is asked for", async () => {
    const chosen = { namespace: "other", cluster: "second" };
    const drawing = await drawingOf(overview, rendered, { prometheus, ...range, chosen });
    assert.ok(drawing.caption.startsWith("namespace other · cluster second · "));
    assert.ok(asked.every(({ query }) => !query.includes('"shop"')));
  });

  it("fails with a sentence where Prometheus refuses, or isn't there", async () => {
    await assert.rejects(
      drawingOf(overview, rendered, { prometheus, ...range, chosen: { namespace: "none" } }),
      /^UserError: Prometheus at http:\/\/127\.0\.0\.1:\d+\/ refuses .*: bad\.$/,
    );
    await assert.rejects(
      drawingOf(overview, rendered, { prometheus: "http://127.0.0.1:9", ...range, chosen: {} }),
      /Prometheus at http:\/\/127\.0\.0\.1:9 doesn't answer/,
    );
  });
});

describe("lines of names in a picture", () => {
  it("never overlap, and say how many have no place", () => {
    for (const height of [20, 100, 260])
      for (const count of [1, 2, 5, 12, 40, 100]) {
        const { shown, hidden, height: row, fontSize } = rowsIn(count, height);
        assert.equal(shown + hidden, count);
        assert.ok((shown + (hidden > 0 ? 1 : 0)) * row <= height, `${count} in ${height}`);
        assert.ok(fontSize < row && fontSize >= 10, `${count} in ${height}: ${fontSize} in ${row}`);
      }
  });

  it("are as before where there is room", () => {
    assert.deepEqual(rowsIn(3, 260), { shown: 3, hidden: 0, height: 44, fontSize: 12 });
    assert.deepEqual(rowsIn(30, 240), { shown: 19, hidden: 11, height: 12, fontSize: 10 });
  });
});
