import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { cpus, loadavg, release, totalmem, tmpdir, type } from "node:os";
import { join } from "node:path";
import { run } from "../../shell/process";
import { startExporter, unpackExporter } from "../sql/exporter";
import { prepare, settingsOf, user } from "../sql/fixture";
import { pairOf } from "../sql/servers";
import { table } from "../e2e/kit/statistics";
import { exporterGoals, exporterTables, measureExporter, type Bed } from "./exporter";
import { goalLine, shown } from "./results";
import { parsePgbench } from "./throughput";

/**
 * The bench of the exporter without Kubernetes: PostgreSQL and postgres_exporter on this machine, over Unix sockets and loopback. `unshare -n` with loopback up
 * suffices. Arguments: rounds, seconds of each run, a file for the raw samples.
 */
const [rounds = "5", seconds = "10", file = "exporter-alone.json"] = process.argv.slice(2);
const MAJOR = 17;
const say = (text: string): void => void process.stdout.write(`${text}\n`);
/** Of a second, as /proc counts. */
const TICKS = 100;

const processorOf = (pid: number): number => {
  const fields = readFileSync(`/proc/${pid}/stat`, "utf8").split(") ")[1]?.split(" ") ?? [];
  return (Number(fields[11]) + Number(fields[12])) / TICKS;
};

async function main(): Promise<void> {
  const folder = mkdtempSync(join(tmpdir(), "pgp-bench-exporter-"));
  if (!(await unpackExporter(folder))) throw new Error("the image of postgres_exporter was never built here");
  const pair = pairOf(MAJOR, ["max_connections = 260", "pg_stat_statements.max = 5000"]);
  const settings = settingsOf(MAJOR);
  const { primary } = pair;
  prepare(primary);
  const exporter = await startExporter(folder, primary, settings);
  const sessions: ReturnType<typeof primary.hold>[] = [];
  const at = ["-h", primary.folder, "-p", String(primary.port), "-U", "postgres"];
  const bed: Bed = {
    sql: (statements) => Promise.resolve(void primary.psql(statements, { database: "app" })),
    load: async (length) => {
      const { stdout, stderr, exitCode } = await run(
        "pgbench",
        [...at, "-n", "-N", "-c", "10", "-j", "2", "-T", String(length), "app"],
        { allowFailure: true },
      );
      return parsePgbench(`${stdout}\n${stderr}`, exitCode);
    },
    scrape: exporter.scrape,
    hold: async (count) => {
      for (let one = 0; one < count; one++) sessions.push(primary.hold("select pg_sleep(3600)", "app"));
      const there = "select count(*) from pg_stat_activity where query like '%pg_sleep(3600)%'";
      while (Number(primary.psql(there)) < count) await new Promise((resolve) => setTimeout(resolve, 200));
    },
    processor: () => {
      const pids = primary.psql(`select pid from pg_stat_activity where usename = '${user}'`).trim();
      const all = [...pids.split("\n").filter(Boolean).map(Number), exporter.process.pid ?? 0];
      return Promise.resolve(all.reduce((sum, pid) => sum + processorOf(pid), 0));
    },
  };
  try {
    await run("pgbench", [...at, "-i", "-q", "-s", "10", "app"]);
    const top = settings.monitoring.statements.top;
    const cost = await measureExporter(bed, { rounds: Number(rounds), seconds: Number(seconds), top }, say);
    const machine = {
      cpus: cpus().length,
      model: cpus()[0]?.model,
      memoryGiB: totalmem() / 2 ** 30,
      system: `${type()} ${release()}`,
      load: loadavg()[0],
    };
    writeFileSync(
      file,
      JSON.stringify({ at: new Date().toISOString(), machine, major: MAJOR, cost }, undefined, 1),
    );
    for (const { caption, head, rows: cells } of exporterTables(cost))
      say(
        `\n${caption}\n${table(
          head,
          cells.map((row) => row.map(shown)),
        )}`,
      );
    const goals = exporterGoals(cost);
    say("");
    goals.forEach((goal) => say(goalLine(goal)));
    say(`raw samples: ${file}`);
    if (goals.some(({ met }) => !met)) process.exitCode = 1;
  } finally {
    for (const session of sessions) session.kill();
    exporter.process.kill();
    pair.end();
    rmSync(folder, { recursive: true });
  }
}

main().catch((error: unknown) => {
  say(`error: ${(error as Error).message}`);
  process.exitCode = 1;
});
