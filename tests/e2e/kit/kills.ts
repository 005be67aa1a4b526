import { mkdir, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { Writer } from "./clients";
import { podStatus, type Cluster, type Leadership } from "./cluster";
import { resultsDir, type Environment } from "./environment";
import { type Clients } from "./fixture";
import {
  judge,
  longestGap,
  overlappingPrimaries,
  parseSamplerLog,
  rateBeforeMark,
  type Verdict,
  type WriterLog,
} from "./oracle";
import { median, summarise, table } from "./statistics";
import { say, until } from "./wait";

/** What is done to the primary. */
export interface Fault {
  name: string;
  break(cluster: Cluster, primary: string): Promise<void>;
  /** Whether the fault had its own effect: a fault without one proves nothing. */
  happened(before: Leadership, after: Leadership): boolean;
}

export const faults = {
  deletePod: {
    name: "primary's pod deleted, grace 0",
    break: (cluster, primary) => cluster.deletePod(primary),
    happened: (before, after) => after.primary !== before.primary || after.timeline !== before.timeline,
  },
  killPostmaster: {
    name: "postmaster killed with -9",
    break: (cluster, primary) => cluster.killPostmaster(primary),
    happened: (before, after) => after.startedAt !== before.startedAt,
  },
} satisfies Record<string, Fault>;

/** Lowest rate, in acknowledgements a second, at which a client's pause says anything. */
const LEAST_RATE = 30;
/** How often a run that doesn't count is repeated before the test gives up. */
const REPEATS = 2;
/** From the fault to the moment when every instance is whole again. */
const RECOVERY_SECONDS = 300;

export interface KillRun {
  fault: string;
  run: string;
  at: string;
  before: Leadership;
  after: Leadership;
  rate: { direct: number; pooled: number };
  /** Seconds without an acknowledgement. */
  gap: { direct: number; pooled: number };
  errors: { direct: number; pooled: number };
  /** From the fault to full health. */
  recoverySeconds: number;
  /** What each instance holds. */
  verdicts: Record<string, Verdict>;
  splitBrain: [string, string][];
  /** What the oracle said of each instance after damage was planted in the table. */
  control: Record<string, Verdict>;
}

/** Reads every instance after it has caught up with the primary, and judges it. */
export async function verify(
  cluster: Cluster,
  database: string,
  tableName: string,
  logs: readonly WriterLog[],
): Promise<Record<string, Verdict>> {
  const verdicts: Record<string, Verdict> = {};
  for (const pod of await cluster.waitCaughtUp()) {
    const rows = await cluster.sql(pod, `select id from ${tableName}`, database);
    verdicts[pod] = judge(logs, rows.map(Number));
  }
  return verdicts;
}

/** Takes one acknowledged row away, doubles another, adds one that nobody sent; returns what the oracle then says. */
async function plantDamage(
  cluster: Cluster,
  database: string,
  tableName: string,
  logs: readonly WriterLog[],
): Promise<Record<string, Verdict>> {
  const [lost, doubled] = logs.flatMap(({ acks }) => acks.map(({ id }) => id));
  const primary = await cluster.primary();
  await cluster.sql(
    primary,
    `delete from ${tableName} where id = ${lost}; insert into ${tableName} (id) values (${doubled}), (-1)`,
    database,
  );
  return verify(cluster, database, tableName, logs);
}

/** One kill while a direct and a pooled client write. Throws when the run proves nothing or finds damage. */
async function attempt(
  env: Environment,
  clients: Clients,
  fault: Fault,
  run: string,
): Promise<KillRun | string> {
  const { cluster, plan, pooler } = env;
  const { database } = clients.login;
  const direct = plan.endpoints.primary.host;
  await cluster.waitHealthy();
  await cluster.freshPods();

  const rows = `oracle.${run}`;
  const pins = `oracle.${run}_pinned`;
  await clients.direct.query(
    direct,
    `create schema if not exists oracle; create table ${rows} (id bigint not null); create table ${pins} (pod text)`,
  );
  const sampler = `/data/${run}-sampler`;
  const addresses = (await cluster.instances()).map((pod) => `${pod.metadata.name}=${podStatus(pod).podIP}`);
  await clients.direct.background(direct, "sampler.py", sampler, [
    "--table",
    pins,
    "--host",
    direct,
    ...addresses,
  ]);
  const common = { run, table: rows };
  const writers = await Promise.all([
    Writer.start({
      ...common,
      pod: clients.direct,
      arm: "direct",
      host: direct,
      firstId: 1_000_000,
      readWrite: true,
    }),
    Writer.start({
      ...common,
      pod: clients.pooled,
      arm: "pooled",
      host: pooler.host,
      firstId: 2_000_000,
      readWrite: false,
    }),
  ]);
  await Promise.all(writers.map((writer) => writer.waitForMore(100, 60)));

  const before = await cluster.leadership();
  await Promise.all(writers.map((writer) => writer.mark()));
  const started = Date.now();
  await fault.break(cluster, before.primary);
  const after = await until(`${fault.name}: its effect`, RECOVERY_SECONDS, async () => {
    const now = await cluster.leadership();
    return fault.happened(before, now) ? { done: now } : { why: `${now.primary} leads as before` };
  });
  await cluster.waitHealthy(RECOVERY_SECONDS);
  const recoverySeconds = (Date.now() - started) / 1000;
  await Promise.all(writers.map((writer) => writer.waitForMore(60, 60)));

  await clients.direct.tell(sampler, "stop");
  const [directEnd, pooledEnd] = await Promise.all(writers.map((writer) => writer.stop()));
  if (directEnd === undefined || pooledEnd === undefined) throw new Error("a writer has no log");
  const samples = await until("the sampler ended", 30, async () => {
    const text = await clients.direct.file(sampler);
    return /^end /m.test(text) ? { done: text } : { why: "its log goes on" };
  });
  await keep(run, { "direct.log": directEnd.text, "pooled.log": pooledEnd.text, "sampler.log": samples });

  const logs = [directEnd.log, pooledEnd.log];
  const both = (measure: (log: WriterLog) => number) => ({
    direct: measure(directEnd.log),
    pooled: measure(pooledEnd.log),
  });
  const rate = both(rateBeforeMark);
  if (Math.min(rate.direct, rate.pooled) < LEAST_RATE) {
    await clients.direct.query(direct, `drop table ${rows}, ${pins}`);
    return `only ${rate.direct} and ${rate.pooled} acknowledgements a second before the fault`;
  }
  const result: KillRun = {
    fault: fault.name,
    run,
    at: new Date(started).toISOString(),
    before,
    after,
    rate,
    gap: both(longestGap),
    errors: both(({ unknown, failedConnections }) => unknown.length + failedConnections.length),
    recoverySeconds,
    verdicts: await verify(cluster, database, rows, logs),
    splitBrain: overlappingPrimaries(parseSamplerLog(samples)),
    control: await plantDamage(cluster, database, rows, logs),
  };
  await clients.direct.query(direct, `drop table ${rows}, ${pins}`);
  return result;
}

/** One kill that counts: repeated when the writers were too slow for it to prove anything. */
export async function kill(
  env: Environment,
  clients: Clients,
  fault: Fault,
  index: number,
): Promise<KillRun> {
  const reasons: string[] = [];
  for (let repeat = 0; repeat <= REPEATS; repeat++) {
    const run = `run_${Date.now().toString(36)}`;
    const result = await attempt(env, clients, fault, run);
    if (typeof result !== "string") {
      await keep(run, { "result.json": JSON.stringify(result, undefined, 2) });
      const { gap, before, after } = result;
      say(
        `${fault.name} ${index}: ${before.primary} -> ${after.primary}, gap ${gap.direct.toFixed(2)} s direct, ${gap.pooled.toFixed(2)} s pooled, ` +
          `whole after ${result.recoverySeconds.toFixed(0)} s, ${Object.values(result.verdicts)[0]?.acknowledged} rows acknowledged`,
      );
      return result;
    }
    reasons.push(result);
    say(`${fault.name} ${index} doesn't count: ${result}`);
  }
  throw new Error(`${fault.name}: no run counts: ${reasons.join("; ")}`);
}

async function keep(run: string, files: Record<string, string>): Promise<void> {
  const folder = join(resultsDir, "kills", run);
  await mkdir(folder, { recursive: true });
  await Promise.all(Object.entries(files).map(([name, text]) => writeFile(join(folder, name), text)));
}

/** Gaps in seconds: a line for each arm and one for the paired difference, for each fault. */
export function report(runs: readonly KillRun[]): string {
  const names = [...new Set(runs.map(({ fault }) => fault))];
  const rows = names.flatMap((name) => {
    const gaps = runs.filter(({ fault }) => fault === name).map(({ gap }) => gap);
    const line = (what: string, values: number[]) => {
      const { n, p95, max } = summarise(values);
      return [`${name}: ${what}`, String(n), median(values).toFixed(2), p95.toFixed(2), max.toFixed(2)];
    };
    return [
      line(
        "direct",
        gaps.map(({ direct }) => direct),
      ),
      line(
        "pooled",
        gaps.map(({ pooled }) => pooled),
      ),
      line(
        "pooled - direct",
        gaps.map(({ direct, pooled }) => pooled - direct),
      ),
    ];
  });
  return table(["gap in seconds", "n", "median", "p95", "max"], rows);
}

/** Writes all runs with their raw samples to one file; returns its path. */
export async function keepReport(name: string, runs: readonly KillRun[]): Promise<string> {
  await mkdir(resultsDir, { recursive: true });
  const file = join(resultsDir, name);
  await writeFile(file, JSON.stringify(runs, undefined, 2));
  return file;
}
