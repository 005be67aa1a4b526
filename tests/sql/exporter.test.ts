import assert from "node:assert/strict";
import { type ChildProcess, spawn, spawnSync } from "node:child_process";
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { type AddressInfo, createServer } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { setTimeout as delay } from "node:timers/promises";
import { metrics } from "../../plan/monitoring/catalogue";
import { exporterArguments, exporterQueries } from "../../plan/monitoring/exporterQueries";
import { builtImage } from "../support/builtImages";
import { caughtUp, prepare, settingsOf, user } from "./fixture";
import { hasPsql, type Pair, pairOf, type Server } from "./servers";

/** postgres_exporter, the program of the image that is built here, over the catalogue and real servers. Only where that image was built before. */

const PROGRAM = "usr/bin/prometheus-postgres-exporter";

const freePort = () =>
  new Promise<number>((resolve) => {
    const server = createServer().listen(0, "127.0.0.1", () => {
      const { port } = server.address() as AddressInfo;
      server.close(() => resolve(port));
    });
  });

/** Samples by their names, with their labels as the exporter writes them. */
function samplesIn(text: string): Map<string, { labels: string; value: number }[]> {
  const samples = new Map<string, { labels: string; value: number }[]>();
  for (const line of text.split("\n")) {
    const [, name = "", labels = "", value = ""] = /^(\w+)(?:\{(.*)\})? (\S+)$/.exec(line) ?? [];
    if (name === "") continue;
    samples.set(name, [...(samples.get(name) ?? []), { labels, value: Number(value) }]);
  }
  return samples;
}

for (const major of [15, 16, 17, 18])
  describe(`postgres_exporter with the catalogue, PostgreSQL ${major}`, function () {
    const settings = settingsOf(major);
    let folder = "";
    let pair: Pair | undefined;
    const running: ChildProcess[] = [];

    const scraped = async (server: Server) => {
      const port = await freePort();
      const queries = join(folder, "queries.yaml");
      writeFileSync(queries, exporterQueries(settings));
      const args = exporterArguments(settings, port, queries).map((one) =>
        one.replace("address=:", "address=127.0.0.1:"),
      );
      const env = {
        PATH: process.env.PATH,
        DATA_SOURCE_NAME: `host=${server.folder} port=${server.port} user=${user} dbname=postgres sslmode=disable`,
      };
      const child = spawn(join(folder, PROGRAM), args, { env, stdio: ["ignore", "ignore", "pipe"] });
      running.push(child);
      let said = "";
      child.stderr?.on("data", (data: Buffer) => (said += data.toString()));
      for (;;) {
        const answer = await fetch(`http://127.0.0.1:${port}/metrics`).catch(() => undefined);
        if (answer === undefined) {
          assert.equal(child.exitCode, null, said);
          await delay(100);
          continue;
        }
        const text = await answer.text();
        assert.equal(answer.status, 200, text);
        return { samples: samplesIn(text), said };
      }
    };

    before(async function () {
      const image = await builtImage("postgresExporter");
      if (!hasPsql || image === undefined) return this.skip();
      folder = mkdtempSync(join(tmpdir(), "pgp-exporter-"));
      mkdirSync(folder, { recursive: true });
      spawnSync("sh", [
        "-c",
        'tar -xOf "$1" "$2" | tar -C "$3" -xf - "./$4" 2>/dev/null || tar -xOf "$1" "$2" | tar -C "$3" -xf - "$4"',
        "unpack",
        image.tar,
        image.layer,
        folder,
        PROGRAM,
      ]);
      pair = pairOf(major);
      prepare(pair.primary);
      await caughtUp(pair);
    });
    after(() => {
      for (const child of running) child.kill();
      pair?.end();
      if (folder !== "") rmSync(folder, { recursive: true });
    });

    it("gives every metric of a primary, and nothing of its own but whether it works", async () => {
      const { samples, said } = await scraped(pair?.primary ?? assert.fail());
      assert.equal(samples.get("pg_exporter_last_scrape_error")?.[0]?.value, 0, said);
      assert.equal(
        samples.get("pg_exporter_user_queries_load_error")?.every(({ value }) => value === 0),
        true,
      );
      for (const { name, group } of metrics) {
        if (group.on === "standby" || (group.name === "io" && major === 15)) continue;
        assert.ok(samples.has(name), `${name} has no sample`);
      }
      for (const name of samples.keys())
        assert.match(name, /^(pgplatform_|pg_up$|pg_exporter_|postgres_exporter_|go_|process_|promhttp_)/);
      assert.equal(samples.get("pgplatform_user_sales_orders")?.length, 2);
      assert.equal(samples.get("pgplatform_queries_ready")?.length, 4);
      assert.equal(samples.get("pgplatform_tables_count")?.length, 3);
    });

    it("gives what a standby has, without an error", async () => {
      const { samples, said } = await scraped(pair?.standby ?? assert.fail());
      assert.equal(samples.get("pg_exporter_last_scrape_error")?.[0]?.value, 0, said);
      assert.equal(samples.get("pgplatform_standby_receiving")?.[0]?.value, 1);
      assert.equal(samples.get("pgplatform_server_in_recovery")?.[0]?.value, 1);
      for (const { name, group } of metrics) if (group.on === "primary") assert.ok(!samples.has(name), name);
    });
  });
