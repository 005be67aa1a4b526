import assert from "node:assert/strict";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { metrics } from "../../plan/monitoring/catalogue";
import { type Exporter, startExporter, unpackExporter } from "./exporter";
import { caughtUp, prepare, settingsOf } from "./fixture";
import { hasPsql, type Pair, pairOf, type Server } from "./servers";

/** postgres_exporter, the program of the image that is built here, over the catalogue and real servers. Only where that image was built before. */

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
    const running: Exporter[] = [];

    const scraped = async (server: Server) => {
      const exporter = await startExporter(folder, server, settings);
      running.push(exporter);
      return { samples: samplesIn(await exporter.scrape()), said: exporter.said() };
    };

    before(async function () {
      folder = mkdtempSync(join(tmpdir(), "pgp-exporter-"));
      if (!hasPsql || !(await unpackExporter(folder))) return this.skip();
      pair = pairOf(major);
      prepare(pair.primary);
      await caughtUp(pair);
    });
    after(() => {
      for (const { process } of running) process.kill();
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
      assert.equal(samples.get("pgplatform_user_empty_orders")?.length, 2);
      assert.equal(samples.get("pgplatform_queries_ready")?.length, 5);
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
