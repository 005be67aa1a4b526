import { mkdir, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { Writer } from "./clients";
import { podStatus, type Cluster, type Expected } from "./cluster";
import { resultsDir, type Environment } from "./environment";
import { type Clients } from "./fixture";
import {
  acksDuringFault,
  judge,
  lateReadOnlyErrors,
  latestRate,
  longestGap,
  overlappingPrimaries,
  parseSamplerLog,
  rateBeforeMark,
  resumedAfter,
  rowsOf,
  writableAgainAt,
  type Verdict,
  type WriterLog,
} from "./oracle";
import { until } from "./wait";

/** A figure of the client that connects directly, and of the one that goes through the pooler. */
export interface Arms<T> {
  direct: T;
  pooled: T;
}

/** Lowest rate, in acknowledgements a second, at which a client's pause says anything. */
export const LEAST_RATE = 30;
/** Longest wait for that rate. */
const RATE_PATIENCE_SECONDS = 120;
/** Seconds in which a lasting fault takes hold: acknowledgements on their way may still arrive. */
export const SETTLE_SECONDS = 3;
/** Seconds after the return of writes from which a pooler must not hand out sessions with a standby any more. */
const READ_ONLY_SECONDS = 5;

/** What the oracle says about one disturbance. */
export interface Observation {
  run: string;
  /** When the disturbance began. */
  at: string;
  /** Acknowledgements a second before the disturbance. */
  rate: Arms<number>;
  /** Seconds without an acknowledgement. */
  gap: Arms<number>;
  errors: Arms<number>;
  /** For disturbances that last: acknowledgements meanwhile, and seconds from its end to the next one. */
  lasting?: { acknowledged: Arms<number>; resumed: Arms<number> };
  /** Errors of a read-only session later than 5 s after the direct client's pause. */
  lateReadOnlyErrors: number;
  /** Instances that there are. */
  instances: number;
  /** What each instance holds. */
  verdicts: Record<string, Verdict>;
  /** Pairs of instances that took commits in the same stretch of time, and acknowledged them. */
  splitBrain: [string, string][];
  /** What the oracle said of each instance after damage was planted in the table. */
  control: Record<string, Verdict>;
}

/** An observation with the writers' whole logs. */
export interface Seen extends Observation {
  logs: Arms<WriterLog>;
}

/** Reads every instance after it has caught up with the primary, and judges it. */
export async function verify(
  cluster: Cluster,
  database: string,
  tableName: string,
  logs: Parameters<typeof judge>[0],
): Promise<Record<string, Verdict>> {
  const pods = await cluster.waitCaughtUp();
  const judged = pods.map(async (pod): Promise<[string, Verdict]> => {
    const rows = await cluster.sql(pod, `select id from ${tableName}`, database);
    return [pod, judge(logs, rows.map(Number))];
  });
  return Object.fromEntries(await Promise.all(judged));
}

/** Removes one acknowledged row, doubles another, adds one that no client sent; returns what the oracle then says. */
async function plantDamage(
  cluster: Cluster,
  database: string,
  tableName: string,
  logs: Parameters<typeof judge>[0],
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

/** Everything that speaks against the product or against the oracle itself, whatever was done; empty is right. */
export function damage(seen: Observation): string[] {
  const found: string[] = [];
  const read = Object.entries(seen.verdicts);
  if (read.length !== seen.instances) found.push(`${read.length} of ${seen.instances} instances were read`);
  for (const [pod, { acknowledged, lost, duplicated, neverTried }] of read) {
    if (acknowledged === 0) found.push(`${pod}: nothing was acknowledged`);
    if (lost.length > 0) found.push(`${pod}: ${lost.length} acknowledged rows are lost (${some(lost)})`);
    if (duplicated.length > 0)
      found.push(`${pod}: ${duplicated.length} rows are doubled (${some(duplicated)})`);
    if (neverTried.length > 0)
      found.push(`${pod}: ${neverTried.length} rows were never sent (${some(neverTried)})`);
  }
  for (const [one, other] of seen.splitBrain) found.push(`${one} and ${other} acknowledged at the same time`);
  for (const [arm, gap] of Object.entries(seen.gap)) {
    if (!Number.isFinite(gap)) found.push(`the ${arm} client never wrote again`);
  }
  for (const [pod, { lost, duplicated, neverTried }] of Object.entries(seen.control)) {
    if (lost.length !== 1 || duplicated.length !== 1 || neverTried.length !== 1)
      found.push(`the oracle is blind on ${pod}: it doesn't see the planted damage`);
  }
  return found;
}

const some = (ids: readonly number[]): string => ids.slice(0, 5).join(", ") + (ids.length > 5 ? ", …" : "");

/**
 * A direct and a pooled client that write all the time, and a sampler that asks every instance who leads. Start it, disturb
 * the database, and finish it once the database is whole again:
 *
 *     const watch = await Watch.start(env, clients);
 *     await watch.mark();
 *     … any disturbance …
 *     const seen = await watch.finish(); // a string: why the run doesn't count
 *
 * `disturbance` does all of it.
 */
export class Watch {
  private markedAt = new Date();

  private constructor(
    private readonly env: Environment,
    private readonly clients: Clients,
    readonly run: string,
    readonly writers: Arms<Writer>,
    private readonly sampler: string | undefined,
  ) {}

  /** Starts all and waits until both clients write. */
  static async start(
    env: Environment,
    clients: Clients,
    options: {
      /** The clients' own nodes lose their power: the writers resume afterwards, the sampler isn't started. @default false */
      revive?: boolean;
      /** Seconds that the pooled client waits for the answer to a row before it gives its connection up. @default 3 */
      patience?: number;
    } = {},
  ): Promise<Watch> {
    const run = `run_${Date.now().toString(36)}`;
    const direct = env.plan.endpoints.primary.host;
    const rows = tableOf(run);
    await clients.direct.query(
      direct,
      `create schema if not exists oracle; create table ${rows} (id bigint not null)`,
    );
    const sampler = options.revive === true ? undefined : `/data/${run}-sampler`;
    if (sampler !== undefined) {
      const addresses = (await env.cluster.instances()).map(
        (pod) => `${pod.metadata.name}=${podStatus(pod).podIP}`,
      );
      const args = ["--table", rows, "--host", direct, ...addresses];
      await clients.direct.background(direct, "sampler.py", sampler, args);
    }
    const common = { run, table: rows, revive: options.revive === true };
    const [first, second] = await Promise.all([
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
        host: env.pooler.host,
        firstId: 2_000_000,
        readWrite: false,
        ...(options.patience !== undefined && { patience: options.patience }),
      }),
    ]);
    const watch = new Watch(env, clients, run, { direct: first, pooled: second }, sampler);
    await watch.waitForMore(100);
    return watch;
  }

  private get both(): Writer[] {
    return [this.writers.direct, this.writers.pooled];
  }

  /** Waits until each client has so many more rows acknowledged. */
  async waitForMore(rows: number, seconds = 120): Promise<void> {
    await Promise.all(this.both.map((writer) => writer.waitForMore(rows, seconds)));
  }

  /** Waits until both clients write fast enough for a run to count: a busy machine has quieter moments. */
  private async waitForRate(): Promise<void> {
    await until("clients fast enough", RATE_PATIENCE_SECONDS, async () => {
      const logs = await Promise.all(this.both.map((writer) => writer.logSoFar()));
      const rates = logs.map((log) => latestRate(log));
      return Math.min(...rates) >= LEAST_RATE
        ? { done: undefined }
        : { why: `${rates.join(" and ")} acknowledgements a second` };
    });
  }

  /** The disturbance begins now. */
  async mark(): Promise<void> {
    await this.waitForRate();
    await Promise.all(this.both.map((writer) => writer.mark()));
    this.markedAt = new Date();
  }

  /** A lasting disturbance ends now. */
  async heal(): Promise<void> {
    await Promise.all(this.both.map((writer) => writer.heal()));
  }

  /** Waits until no client has got an acknowledgement for so many seconds: writes are blocked. */
  async waitBlocked(quietSeconds = 2, seconds = 60): Promise<void> {
    const count = async () => (await Promise.all(this.both.map((each) => each.acknowledged()))).join(" ");
    let last = "";
    let since = Date.now();
    await until("no more acknowledgements", seconds, async () => {
      const now = await count();
      if (now !== last) [last, since] = [now, Date.now()];
      const quiet = Date.now() - since;
      return quiet >= quietSeconds * 1000 ? { done: undefined } : { why: `quiet for ${quiet} ms` };
    });
  }

  /**
   * Waits until both clients write, ends them, and judges. All instances must be whole.
   *
   * @returns the observation with the writers' logs, or why this run doesn't count
   */
  async finish(): Promise<Seen | string> {
    const { clients, env, run, sampler } = this;
    await this.waitForMore(60);
    if (sampler !== undefined) await clients.direct.tell(sampler, "stop");
    const [direct, pooled] = await Promise.all([this.writers.direct.stop(), this.writers.pooled.stop()]);
    const samples = sampler === undefined ? "" : await this.samples(sampler);
    await keep(run, { "direct.log": direct.text, "pooled.log": pooled.text, "sampler.log": samples });

    const logs = { direct: direct.log, pooled: pooled.log };
    const both = (measure: (log: WriterLog) => number): Arms<number> => ({
      direct: measure(logs.direct),
      pooled: measure(logs.pooled),
    });
    const rate = both(rateBeforeMark);
    if (Math.min(rate.direct, rate.pooled) < LEAST_RATE) {
      await this.dropTables();
      return `only ${rate.direct} and ${rate.pooled} acknowledgements a second before the disturbance`;
    }
    const rows = tableOf(run);
    const sampled = parseSamplerLog(samples);
    const all = [logs.direct, logs.pooled, ...sampled.map(rowsOf)];
    const { database } = clients.login;
    const writableAt = writableAgainAt(logs.direct);
    const result = {
      run,
      at: this.markedAt.toISOString(),
      rate,
      gap: both(longestGap),
      errors: both(({ unknown, failedConnections }) => unknown.length + failedConnections.length),
      ...(logs.direct.healedAt !== undefined &&
        logs.pooled.healedAt !== undefined && {
          lasting: {
            acknowledged: both((log) => acksDuringFault(log, SETTLE_SECONDS)),
            resumed: both(resumedAfter),
          },
        }),
      lateReadOnlyErrors: lateReadOnlyErrors(logs.pooled, writableAt, READ_ONLY_SECONDS),
      instances: env.cluster.expected.instances,
      verdicts: await verify(env.cluster, database, rows, all),
      splitBrain: overlappingPrimaries(sampled),
      control: await plantDamage(env.cluster, database, rows, all),
      logs,
    };
    await this.dropTables();
    return result;
  }

  /** Ends the clients of a run that came to no end. Never throws. */
  async abandon(): Promise<void> {
    const { direct } = this.clients;
    const ends = [
      ...this.both.map((writer) => writer.abandon()),
      ...(this.sampler === undefined ? [] : [direct.tell(this.sampler, "stop")]),
    ];
    await Promise.allSettled(ends);
    await this.dropTables().catch(() => undefined);
  }

  private samples(sampler: string): Promise<string> {
    return until("the sampler ended", 30, async () => {
      const text = await this.clients.direct.file(sampler);
      return /^end /m.test(text) ? { done: text } : { why: "its log has no end yet" };
    });
  }

  private async dropTables(): Promise<void> {
    const host = this.env.plan.endpoints.primary.host;
    await this.clients.direct.query(host, `drop table if exists ${tableOf(this.run)}`);
  }
}

const tableOf = (run: string) => `oracle.${run}`;

/**
 * Whatever `work` does to the running stack, seen by the two clients: nothing acknowledged may be lost. Waits until the
 * database is whole before and after. Throws when the clients are too slow for the run to say anything.
 */
export async function disturbance(
  env: Environment,
  clients: Clients,
  work: (watch: Watch) => Promise<void>,
  expected?: Expected,
  options: { readonly patience?: number } = {},
): Promise<Seen> {
  await env.cluster.waitHealthy(300);
  const watch = await Watch.start(env, clients, options);
  try {
    await watch.mark();
    await work(watch);
    await env.cluster.waitHealthy(300, expected);
    const seen = await watch.finish();
    if (typeof seen === "string") throw new Error(`the run doesn't count: ${seen}`);
    return seen;
  } catch (error) {
    await watch.abandon();
    throw error;
  }
}

/** Keeps raw samples of a run. */
export async function keep(run: string, files: Record<string, string>): Promise<void> {
  const folder = join(resultsDir, "runs", run);
  await mkdir(folder, { recursive: true });
  await Promise.all(Object.entries(files).map(([name, text]) => writeFile(join(folder, name), text)));
}
