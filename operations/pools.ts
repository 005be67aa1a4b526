import * as z from "zod";
import { UserError } from "../shell/userError";
import { type Platform, placeOf } from "./platform";
import { askPoolers } from "./status/poolers";
import { table } from "./status/screen";
import { age } from "./status/words";

/** Every pool of every pod of the poolers. */

export const poolsReport = z
  .object({
    pools: z.array(
      z.object({
        pooler: z.string(),
        pod: z.string(),
        database: z.string(),
        role: z.string(),
        clients: z.number().describe("clients that are connected, those that wait included"),
        waiting: z.number().describe("clients that wait for a server connection"),
        waitSeconds: z.number().describe("how long the first of them has waited"),
        active: z.number().describe("server connections that a client has"),
        idle: z.number().describe("server connections that can be given to a client at once"),
        others: z.number().describe("server connections that are tested, reset, or logging in"),
      }),
    ),
  })
  .meta({ title: "Pools" });

export type PoolRow = z.infer<typeof poolsReport>["pools"][number];

export async function poolsOf(platform: Platform, only?: string): Promise<PoolRow[]> {
  const names = platform.settings.poolers.map(({ name }) => name);
  if (names.length === 0) throw new UserError([`${placeOf(platform)} has no pooler.`]);
  if (only !== undefined && !names.includes(only))
    throw new UserError([
      `--pooler: "${only}" is no pooler of ${placeOf(platform)}. Allowed: ${names.join(", ")}. Fix: name one, or leave it out.`,
    ]);
  const seen = await askPoolers(platform);
  const silent = seen.filter(({ name, pools }) => pools === undefined && (only ?? name) === name);
  if (silent.length === seen.length)
    throw new UserError([
      `No pod of a pooler answers (${silent.map(({ name }) => name).join(", ")}): \`pgp status\` says why.`,
    ]);
  return seen
    .filter(({ name }) => (only ?? name) === name)
    .flatMap(({ name: pooler, pools = [] }) => pools.map((pool) => ({ pooler, ...pool })));
}

export const poolsLines = (pools: readonly PoolRow[], width: number): string[] =>
  pools.length === 0
    ? ["The poolers answer, and no client has connected yet."]
    : table(
        [
          { title: "Pooler" },
          { title: "Pod", gives: 2 },
          { title: "Database" },
          { title: "Role" },
          { title: "Clients", right: true },
          { title: "Waiting", right: true },
          { title: "For", right: true },
          { title: "Active", right: true },
          { title: "Idle", right: true },
          { title: "Others", right: true, gives: 1 },
        ],
        pools.map((pool) => [
          pool.pooler,
          pool.pod,
          pool.database,
          pool.role,
          String(pool.clients),
          String(pool.waiting),
          pool.waiting > 0 ? age(pool.waitSeconds) : "",
          String(pool.active),
          String(pool.idle),
          String(pool.others),
        ]),
        { width },
      );
