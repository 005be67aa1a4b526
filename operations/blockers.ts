import * as z from "zod";
import { UserError } from "../shell/userError";
import { type Platform } from "./platform";
import { askPrimary } from "./primary";
import { table } from "./status/screen";
import { age } from "./status/words";

/** Who waits for whom, on the primary. */

const session = z.object({
  pid: z.number(),
  user: z.string(),
  database: z.string(),
  application: z.string(),
  client: z.string(),
  state: z.string().describe("pg_stat_activity.state"),
  waitsFor: z.string().describe("pg_stat_activity.wait_event_type and wait_event; empty where it works"),
  transactionSeconds: z.number().describe("since when its transaction is open"),
  stateSeconds: z.number().describe("since when it is in this state"),
  blockedBy: z.array(z.number()).describe("processes that it waits for"),
  blocks: z.number().describe("how many sessions wait for it, directly or not"),
  query: z.string().describe("its statement, or its last one"),
});

export const blockersReport = z
  .object({
    sessions: z.array(session).describe("those that wait for a lock, and those that they wait for"),
    ended: z.array(z.number()).describe("processes that were cancelled or terminated by this call"),
  })
  .meta({ title: "Blockers" });

export type Session = z.infer<typeof session>;

/** One JSON array in one line. */
export const BLOCKERS = String.raw`
with recursive waits as (
  select pid, unnest(pg_blocking_pids(pid)) as by from pg_stat_activity where wait_event_type = 'Lock'
), chains as (
  select pid as waiter, by from waits
  union select chains.waiter, waits.by from chains join waits on waits.pid = chains.by
)
select coalesce(jsonb_agg(jsonb_build_object(
  'pid', pid, 'user', coalesce(usename, ''), 'database', coalesce(datname, ''), 'application', coalesce(application_name, ''),
  'client', coalesce(host(client_addr) || ':' || client_port, 'its own host'),
  'state', coalesce(state, ''),
  'waitsFor', case when state = 'active' then coalesce(wait_event_type || '/' || wait_event, '') else '' end,
  'transactionSeconds', coalesce(extract(epoch from clock_timestamp() - xact_start)::int, 0),
  'stateSeconds', coalesce(extract(epoch from clock_timestamp() - state_change)::int, 0),
  'blockedBy', (select coalesce(jsonb_agg(distinct by), '[]') from waits where waits.pid = a.pid and by <> 0),
  'blocks', (select count(distinct waiter) from chains where chains.by = a.pid),
  'query', left(regexp_replace(query, '\s+', ' ', 'g'), 500)) order by xact_start), '[]')
from pg_stat_activity as a
where pid in (select pid from waits union select by from waits)`;

/** What the primary answers; a sentence where it doesn't. */
export async function blockersOf(platform: Platform): Promise<Session[]> {
  const answer = await askPrimary(platform, [BLOCKERS], 5_000).catch(() => undefined);
  if (answer === undefined) throw new UserError(["The primary does not answer: `pgp status` says why."]);
  return z.array(session).parse(JSON.parse(answer));
}

/** Those that hold up others and wait for none: when they end, the others continue. */
export const roots = (sessions: readonly Session[]): Session[] =>
  sessions.filter(({ blocks, blockedBy }) => blocks > 0 && blockedBy.length === 0);

const who = ({ user, database, application, client }: Session): string =>
  `${user}@${database}${application === "" ? "" : ` ${application}`} ${client}`;

/** The sessions as a tree: below each what waits for it. A circle, which the server ends by itself, is begun anywhere. */
export function blockersLines(sessions: readonly Session[], width: number): string[] {
  if (sessions.length === 0) return ["No session waits for a lock."];
  const rows: string[][] = [];
  const seen = new Set<number>();
  const add = (one: Session, depth: number) => {
    if (seen.has(one.pid)) return;
    seen.add(one.pid);
    rows.push([
      `${"  ".repeat(depth)}${one.pid}`,
      one.blockedBy.length > 0 ? `waits ${age(one.stateSeconds)}` : `${one.state}, ${age(one.stateSeconds)}`,
      age(one.transactionSeconds),
      String(one.blocks),
      who(one),
      one.query,
    ]);
    sessions
      .filter(({ blockedBy }) => blockedBy.includes(one.pid))
      .forEach((waiter) => add(waiter, depth + 1));
  };
  roots(sessions).forEach((one) => add(one, 0));
  sessions.forEach((one) => add(one, 0));
  return table(
    [
      { title: "PID" },
      { title: "State" },
      { title: "Transaction", right: true, gives: 2 },
      { title: "Blocks", right: true, gives: 1 },
      { title: "Who", gives: 3 },
      { title: "Statement" },
    ],
    rows,
    { width: Infinity },
  ).map((line) => (line.length > width ? `${line.slice(0, width - 1)}…` : line));
}

/** Ends statements, or sessions; gives the processes that were told. */
export async function endSessions(
  platform: Platform,
  how: "cancel" | "terminate",
  sessions: readonly Session[],
): Promise<number[]> {
  if (sessions.length === 0) return [];
  const list = sessions.map(({ pid }) => pid).join(", ");
  const answer = await askPrimary(
    platform,
    [`select pid from unnest(array[${list}]) as pid where pg_${how}_backend(pid)`],
    5_000,
  );
  if (answer === undefined) throw new UserError(["The primary does not answer: no session was ended."]);
  return answer
    .split("\n")
    .filter((line) => line !== "")
    .map(Number);
}
