import { type Settings } from "../../settings/schema";
import { ClientPod } from "../e2e/kit/clients";
import { type Environment } from "../e2e/kit/environment";
import { median } from "../e2e/kit/statistics";
import { interleave, roundName, type Rounds } from "./interleave";
import { roomy, startCopy } from "./product";
import { type Table } from "./results";

/** Transactions a second through the pooler against direct connections, by pgbench, in turn. */

export const namespace = "pgp-bench-load";
/** So many connections that a thousand direct clients find room; the running stack's are fewer. */
const MAX_CONNECTIONS = 1100;
/** Of all pods; each takes half, and the Service deals clients out unevenly. */
const MAX_CLIENTS = 2400;
const SCALE = 10;
/** A TLS handshake and a login on a busy machine. */
const CONNECT_SECONDS = 0.02;

export interface Case {
  name: string;
  clients: number;
  /** What pgbench is told beside the number of clients. */
  flags: readonly string[];
}

export const cases: readonly Case[] = [
  { name: "reads, 10 clients", clients: 10, flags: ["-S"] },
  { name: "reads, 100 clients", clients: 100, flags: ["-S"] },
  { name: "reads, 1000 clients", clients: 1000, flags: ["-S"] },
  { name: "writes, 10 clients", clients: 10, flags: ["-N"] },
  { name: "writes, 100 clients", clients: 100, flags: ["-N"] },
  { name: "reads, 20 clients, a new connection for each transaction", clients: 20, flags: ["-S", "-C"] },
];

/** What pgbench said of one run. */
export interface Load {
  /** Transactions a second, without the time in which clients connect for the first time. */
  tps: number;
  latencyMs: number;
  failedTransactions: number;
  /** The first error, when a run was ended by one: its figures don't count. */
  refused?: string;
}

/** Reads pgbench's report; a report without a rate is an error, not a zero. */
export function parsePgbench(output: string, exitCode: number): Load {
  const number = (pattern: RegExp) => {
    const text = pattern.exec(output)?.[1];
    return text === undefined ? undefined : Number(text);
  };
  const tps = number(/^tps = ([\d.]+)/m);
  const latencyMs = number(/^latency average = ([\d.]+) ms/m);
  const failedTransactions = number(/^number of failed transactions: (\d+)/m) ?? 0;
  if (exitCode !== 0) {
    const error = /^(?:pgbench: )?error: (.*)$/m.exec(output)?.[1] ?? `exit code ${exitCode}`;
    return { tps: 0, latencyMs: 0, failedTransactions, refused: error };
  }
  if (number(/^number of transactions actually processed: (\d+)/m) === 0) {
    const refused = "no transaction: connecting took all of the time";
    return { tps: 0, latencyMs: 0, failedTransactions, refused };
  }
  if (tps === undefined || latencyMs === undefined)
    throw new Error(`pgbench's report has no rate: ${output.slice(0, 300)}`);
  return { tps, latencyMs, failedTransactions };
}

/** The running stack's settings with room for a thousand direct clients. */
export const loadSettings = (settings: Settings): Settings => ({
  ...roomy(settings, { namespace, maxConnections: MAX_CONNECTIONS, memory: "3Gi" }),
  poolers: settings.poolers.slice(0, 1).map((pooler) => ({ ...pooler, maxClients: MAX_CLIENTS })),
});

export type LoadRounds = Record<string, Rounds<Record<"direct" | "pooled", Load>>>;

export async function measureLoad(
  env: Environment,
  options: { seconds: number; rounds: number },
  say: (text: string) => void,
): Promise<LoadRounds> {
  const { plan, poolers } = await startCopy(env, loadSettings(env.settings));
  const image = env.settings.images.postgresql;
  const client = await ClientPod.start(env.kubectl, namespace, "pgbench", {}, { image, memory: "1Gi" });
  const hosts = { direct: plan.endpoints.primary.host, pooled: poolers[0]?.endpoint.host ?? "" };
  const made = await client.exec(
    ["env", `PGHOST=${hosts.direct}`, "pgbench", "-i", "-q", "-s", String(SCALE)],
    {
      allowFailure: true,
    },
  );
  if (made.exitCode !== 0) throw new Error(`pgbench -i: ${made.stderr}`);

  const result: LoadRounds = {};
  for (const { name, clients, flags } of cases) {
    const arm = (host: string) => async (): Promise<Load> => {
      const { stdout, stderr, exitCode } = await client.exec(
        [
          "env",
          `PGHOST=${host}`,
          "PGCONNECT_TIMEOUT=30",
          "pgbench",
          "-n",
          "-j",
          "2",
          ...flags,
          // Its clock runs while the clients connect; the rate that it reports leaves that time out.
          ...["-c", String(clients), "-T", String(options.seconds + Math.ceil(clients * CONNECT_SECONDS))],
        ],
        { allowFailure: true },
      );
      return parsePgbench(`${stdout}\n${stderr}`, exitCode);
    };
    result[name] = await interleave(
      { direct: arm(hosts.direct), pooled: arm(hosts.pooled) },
      options.rounds,
      (round, { direct, pooled }) =>
        say(`${name}, ${roundName(round, options.rounds)}: ${told(direct)} direct, ${told(pooled)} pooled`),
    );
  }
  return result;
}

const told = ({ tps, refused }: Load): string =>
  refused === undefined ? `${tps.toFixed(0)} tps` : `refused (${refused})`;

export function loadTable(rounds: LoadRounds): Table {
  return {
    caption: "Transactions a second (medians) and the median of the rounds' ratios",
    head: ["load", "n", "direct", "pooled", "pooled / direct"],
    rows: Object.entries(rounds).map(([name, { counted }]) => {
      const refusals = counted.flatMap(({ direct, pooled }) => direct.refused ?? pooled.refused ?? []);
      const good = counted.filter(
        ({ direct, pooled }) => direct.refused === undefined && pooled.refused === undefined,
      );
      if (good.length === 0) return [name, 0, "refused", refusals[0]?.slice(0, 60) ?? "–", "–"];
      return [
        name,
        good.length,
        median(good.map(({ direct }) => direct.tps)),
        median(good.map(({ pooled }) => pooled.tps)),
        median(good.map(({ direct, pooled }) => pooled.tps / direct.tps)),
      ];
    }),
  };
}

export const loadNotes = [
  `measured on a copy of the stack with max_connections ${MAX_CONNECTIONS} and ${MAX_CLIENTS} pooled clients, so that a thousand clients of either kind find room; ` +
    "the running stack refuses direct clients beyond its own limit",
  `pgbench at scale ${SCALE}, two threads, TLS with verify-full on both ways; reads are \`-S\`, writes \`-N\`; client, poolers and servers share the machine's cores`,
];
