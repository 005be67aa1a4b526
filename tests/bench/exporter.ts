import { setTimeout as delay } from "node:timers/promises";
import { median, summarise } from "../e2e/kit/statistics";
import { interleave, roundName, type Rounds } from "./interleave";
import type { Goal, Table } from "./results";
import type { Load } from "./throughput";

/** What reading the metrics costs: transactions a second with and without, how long a read takes, and how many series it gives. */

export const limits = {
  loss: 0.02,
  scrapeSeconds: 0.5,
  series: 3000,
  tables: 500,
  connections: 200,
} as const;
const EVERY_SECONDS = 5;
const SCRAPES = 20;
/** More different statements than any setting of monitoring.statements.top. */
const STATEMENTS = 600;

/** A server with its exporter, wherever both run. */
export interface Bed {
  sql(statements: string): Promise<void>;
  /** pgbench for so many seconds. */
  load(seconds: number): Promise<Load>;
  /** All that the exporter says. */
  scrape(): Promise<string>;
  /** Opens sessions that stay. */
  hold(sessions: number): Promise<void>;
  /** Seconds of processor time of the exporter and of its sessions until now. @default - not known */
  readonly processor?: () => Promise<number>;
}

export interface Scrape {
  readonly seconds: number;
  readonly series: number;
  readonly statements: number;
}

export interface Arm extends Load {
  readonly scrapes: number;
}

export interface Cost {
  readonly rounds: Rounds<{ scraped: Arm; silent: Arm }>;
  readonly scrapes: readonly Scrape[];
  /** Series of the groups with the most of them. */
  readonly largest: readonly (readonly [group: string, series: number])[];
  /** Statements that may be told. */
  readonly top: number;
  /** Of one scrape. */
  readonly processorSeconds?: number;
}

/** Names of the samples that a Prometheus keeps; the exporters' prefix isn't looked at. */
export const samplesIn = (text: string): string[] =>
  text.split("\n").flatMap((line) => /^(?:cnpg_)?(pgplatform_\w+)/.exec(line)?.[1] ?? []);

const read = (text: string, seconds: number): Scrape => {
  const names = samplesIn(text);
  return {
    seconds,
    series: names.length,
    statements: names.filter((name) => name === "pgplatform_statements_calls_total").length,
  };
};

function largestOf(text: string): [string, number][] {
  const counts = new Map<string, number>();
  for (const name of samplesIn(text)) {
    const [, group = name] = /^pgplatform_([a-z]+)_/.exec(name) ?? [];
    counts.set(group, (counts.get(group) ?? 0) + 1);
  }
  return [...counts].sort((one, other) => other[1] - one[1]).slice(0, 8);
}

/** Tables, each with an index and some dead rows, and statements that differ. */
export const crowd = (): string => `
do $$ begin
  for one in 1..${limits.tables} loop
    execute format('create table if not exists crowd_%s (id int primary key, note text)', one);
    execute format('insert into crowd_%s select x, repeat(%L, x) from generate_series(1, 20) x on conflict do nothing', one, 'x');
    execute format('delete from crowd_%s where id > 15', one);
  end loop;
end $$;
${Array.from(
  { length: STATEMENTS },
  (_, index) =>
    `select 1 as statement_${index}, ${
      Array(index % 40)
        .fill("2")
        .join(", ") || "3"
    } from crowd_${(index % limits.tables) + 1} where id = 1;`,
).join("\n")}
`;

export async function measureExporter(
  bed: Bed,
  { rounds, seconds, top }: { rounds: number; seconds: number; top: number },
  say: (text: string) => void,
): Promise<Cost> {
  await bed.sql(crowd());
  const silent = async (): Promise<Arm> => ({ ...(await bed.load(seconds)), scrapes: 0 });
  const scraped = async (): Promise<Arm> => {
    const ended = new AbortController();
    let scrapes = 0;
    const reading = (async () => {
      while (!ended.signal.aborted) {
        const next = delay(EVERY_SECONDS * 1000, undefined, { signal: ended.signal }).catch(() => undefined);
        await bed.scrape();
        scrapes += 1;
        await next;
      }
    })();
    try {
      return { ...(await bed.load(seconds)), scrapes };
    } finally {
      ended.abort();
      await reading;
    }
  };
  const measured = await interleave({ scraped, silent }, rounds, (round, samples) =>
    say(
      `${roundName(round, rounds)}: ${samples.scraped.tps.toFixed(0)} tps read ${samples.scraped.scrapes} times, ${samples.silent.tps.toFixed(0)} tps not read`,
    ),
  );
  await bed.hold(limits.connections);
  const scrapes: Scrape[] = [];
  let text = await bed.scrape();
  const before = await bed.processor?.();
  for (let count = 0; count < SCRAPES; count++) {
    const started = performance.now();
    text = await bed.scrape();
    scrapes.push(read(text, (performance.now() - started) / 1000));
    await delay(EVERY_SECONDS * 1000);
  }
  const after = await bed.processor?.();
  return {
    rounds: measured,
    scrapes,
    largest: largestOf(text),
    top,
    ...(before !== undefined && after !== undefined && { processorSeconds: (after - before) / SCRAPES }),
  };
}

const good = ({ rounds }: Cost) =>
  rounds.counted.filter(
    ({ scraped, silent }) => scraped.refused === undefined && silent.refused === undefined,
  );
const ratio = (cost: Cost): number =>
  median(good(cost).map(({ scraped, silent }) => scraped.tps / silent.tps));
const most = (cost: Cost, of: (scrape: Scrape) => number): number => Math.max(...cost.scrapes.map(of));

export function exporterTables(cost: Cost): Table[] {
  const runs = good(cost);
  const { n, median: middle, p95, max } = summarise(cost.scrapes.map(({ seconds }) => seconds));
  return [
    {
      caption: `Transactions a second (medians), read every ${EVERY_SECONDS} s and not, and the median of the rounds' ratios`,
      head: ["", "n", "read", "not read", "read / not read"],
      rows: [
        runs.length === 0
          ? ["pgbench -N, 10 clients", 0, "refused", "refused", "–"]
          : [
              "pgbench -N, 10 clients",
              runs.length,
              median(runs.map(({ scraped }) => scraped.tps)),
              median(runs.map(({ silent }) => silent.tps)),
              ratio(cost).toFixed(3),
            ],
      ],
    },
    {
      caption: `One read with ${limits.tables} tables and ${limits.connections} connections, in seconds`,
      head: ["", "n", "median", "p95", "max", ...(cost.processorSeconds === undefined ? [] : ["processor"])],
      rows: [
        [
          "scrape",
          n,
          middle,
          p95,
          max,
          ...(cost.processorSeconds === undefined ? [] : [cost.processorSeconds.toFixed(3)]),
        ],
      ],
    },
    {
      caption: `Series: ${most(cost, ({ series }) => series)} of one instance; the largest groups`,
      head: ["group", "series"],
      rows: cost.largest,
    },
  ];
}

export function exporterGoals(cost: Cost): Goal[] {
  const runs = good(cost);
  const left = runs.length === 0 ? 0 : ratio(cost);
  const { p95 } = summarise(cost.scrapes.map(({ seconds }) => seconds));
  const series = most(cost, (scrape) => scrape.series);
  const statements = most(cost, (scrape) => scrape.statements);
  return [
    {
      met: left >= 1 - limits.loss,
      text: `at most ${limits.loss * 100} % fewer transactions a second: ${((1 - left) * 100).toFixed(1)} %`,
    },
    {
      met: p95 <= limits.scrapeSeconds,
      text: `a scrape takes at most ${limits.scrapeSeconds} s (p95): ${p95.toFixed(2)} s`,
    },
    { met: series > 0 && series <= limits.series, text: `at most ${limits.series} series: ${series}` },
    { met: statements > 0 && statements <= cost.top, text: `at most ${cost.top} statements: ${statements}` },
  ];
}
