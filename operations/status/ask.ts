import { asset } from "../../shell/asset";
import type { VolumeUse } from "../../plan/engines/onCall";
import { inServer } from "../inContainer";
import { type Platform } from "../platform";

/** What is asked of each instance, and of the primary. */

/** Longest that one question may take, the way to the pod included. */
export const QUESTION_MS = 3_600;

const askScript = asset(__dirname, "ask.sh");
const writeScript = asset(__dirname, "write.sh");

/** One row with one JSON object; PostgreSQL 13 and later. */
export const STATEMENT = String.raw`
select jsonb_build_object(
  'standby', pg_is_in_recovery(),
  'startedAt', extract(epoch from pg_postmaster_start_time()),
  'timeline', case when pg_is_in_recovery()
    then coalesce((select received_tli from pg_stat_wal_receiver), (select timeline_id from pg_control_checkpoint()))
    else ('x' || substr(pg_walfile_name(pg_current_wal_lsn()), 1, 8))::bit(32)::int end,
  'lsn', pg_wal_lsn_diff(case when pg_is_in_recovery() then pg_last_wal_replay_lsn() else pg_current_wal_lsn() end, '0/0'),
  'lastCommit', case when pg_is_in_recovery() then extract(epoch from pg_last_xact_replay_timestamp()) end,
  'now', extract(epoch from clock_timestamp()),
  'streams', exists (select from pg_stat_wal_receiver where status = 'streaming'),
  'readOnly', current_setting('default_transaction_read_only') = 'on',
  'synchronous', current_setting('synchronous_standby_names') <> '',
  'standbys', (select coalesce(jsonb_agg(jsonb_build_object('name', application_name, 'state', state, 'sync', sync_state,
      'lagSeconds', extract(epoch from replay_lag))), '[]') from pg_stat_replication where application_name !~ '^pg_'),
  'connections', (select count(*) from pg_stat_activity where backend_type = 'client backend'),
  'maxConnections', current_setting('max_connections')::int,
  'blocked', (select count(*) from pg_stat_activity where wait_event_type = 'Lock' and backend_type = 'client backend'),
  'blockedSeconds', (select coalesce(max(extract(epoch from clock_timestamp() - state_change)), 0) from pg_stat_activity
    where wait_event_type = 'Lock' and backend_type = 'client backend'),
  'longestTransaction', (select coalesce(max(extract(epoch from clock_timestamp() - xact_start)), 0) from pg_stat_activity
    where backend_type = 'client backend' and pid <> pg_backend_pid()),
  'pendingRestart', (select count(*) from pg_settings where pending_restart),
  'archived', (select extract(epoch from last_archived_time) from pg_stat_archiver),
  'archiveFailed', (select extract(epoch from last_failed_time) from pg_stat_archiver),
  'archiveMode', current_setting('archive_mode') <> 'off',
  'waitingSegments', (select count(*) from pg_ls_archive_statusdir() where name ~ '[.]ready$'),
  'slotBytes', (select coalesce(max(case when pg_is_in_recovery() then 0 else pg_wal_lsn_diff(pg_current_wal_lsn(), restart_lsn) end), 0) from pg_replication_slots),
  'histories', (select coalesce(jsonb_agg(jsonb_build_object('name', name, 'at', extract(epoch from modification),
      'text', pg_read_file('pg_wal/' || name)) order by name), '[]')
    from (select name, modification from pg_ls_waldir() where name ~ '^[0-9A-F]{8}[.]history$' order by name desc limit 20) as found)
)`;

/** What PostgreSQL says of itself. Times are seconds since 1970. */
export interface Answer {
  readonly standby: boolean;
  readonly startedAt: number;
  readonly timeline: number | null;
  readonly lsn: number | null;
  readonly lastCommit: number | null;
  readonly now: number;
  readonly streams: boolean;
  readonly readOnly: boolean;
  readonly synchronous: boolean;
  readonly standbys: readonly {
    readonly name: string;
    readonly state: string;
    readonly sync: string;
    readonly lagSeconds: number | null;
  }[];
  readonly connections: number;
  readonly maxConnections: number;
  readonly blocked: number;
  readonly blockedSeconds: number;
  readonly longestTransaction: number;
  readonly pendingRestart: number;
  readonly archived: number | null;
  readonly archiveFailed: number | null;
  readonly archiveMode: boolean;
  readonly waitingSegments: number;
  readonly slotBytes: number;
  readonly histories: readonly { readonly name: string; readonly at: number; readonly text: string }[];
}

export interface Fill {
  readonly holds: VolumeUse;
  readonly bytes: number;
  readonly usedBytes: number;
}

/** What came of asking an instance. */
export interface Heard {
  readonly fills: readonly Fill[];
  /** @default - it didn't answer */
  readonly answer?: Answer;
  /** Why it didn't, in one line. */
  readonly silence?: string;
  /** Whether it is there and says nothing, as a process does that is stopped; another silence has words. */
  readonly hangs: boolean;
  /** Whether its pod could not be reached at all from here. @default - it could */
  readonly unreached?: boolean;
}

/** Instances that take connections and don't answer. */
export const hangingIn = ({ heard }: { readonly heard: ReadonlyMap<string, Heard> }): string[] =>
  [...heard].flatMap(([name, { hangs }]) => (hangs ? [name] : []));

/** Exit codes of `timeout`. */
const timedOut = (code: number): boolean => code === 124 || code === 137;
/** What psql says first is what failed. */
const plainly = (words: string): string =>
  words
    .replace(/^psql:\s*/, "")
    .replace(/\s*Is the server running .*$/, "")
    .trim();

export function heardIn(text: string): Heard {
  const fills: Fill[] = [];
  let rest: Pick<Heard, "answer" | "silence" | "hangs"> = { silence: "it said nothing", hangs: false };
  for (const line of text.split("\n")) {
    const [, holds, bytes, used] = /^volume (data|wal|archive) (\d+) (\d+)$/.exec(line) ?? [];
    if (holds !== undefined)
      fills.push({ holds: holds as VolumeUse, bytes: Number(bytes), usedBytes: Number(used) });
    const [, json] = /^answer (\{.*)$/.exec(line) ?? [];
    if (json !== undefined) rest = { answer: JSON.parse(json) as Answer, hangs: false };
    const [, code, words = ""] = /^silent (\d+) ?(.*)$/.exec(line) ?? [];
    if (code !== undefined)
      rest = timedOut(Number(code))
        ? { silence: "PostgreSQL takes the connection and does not answer within 2 s", hangs: true }
        : { silence: plainly(words), hangs: false };
  }
  return { fills, ...rest };
}

/** One line of why a command in a pod could not be run. */
const whyNot = (stderr: string): string =>
  stderr
    .trim()
    .split("\n")
    .filter((line) => !line.startsWith("Defaulted container"))
    .at(-1)
    ?.replace(/^error: |^Error from server[^:]*: /, "") ?? "it could not be asked";

/** Runs a script in an instance's container; a pod on a node that is off answers nothing at all. */
async function inInstance(
  { kubectl, settings }: Platform,
  pod: string,
  script: string,
  args: readonly string[],
): Promise<{ readonly text: string } | { readonly silence: string; readonly unreached?: true }> {
  const at = inServer({ settings }, pod);
  try {
    const { stdout, stderr, exitCode } = await kubectl.run([...at, "sh", "-c", script, "pgp", ...args], {
      timeoutMs: QUESTION_MS,
      allowFailure: true,
    });
    return exitCode === 0 ? { text: stdout } : { silence: whyNot(stderr) };
  } catch {
    return { silence: `its pod can't be reached within ${QUESTION_MS / 1000} s`, unreached: true };
  }
}

export async function askInstance(platform: Platform, pod: string): Promise<Heard> {
  const folders = Object.entries(platform.live.onCall.volumes).map(([use, folder]) => `${use}=${folder}`);
  const said = await inInstance(platform, pod, askScript, [STATEMENT, ...folders]);
  return "text" in said ? heardIn(said.text) : { fills: [], ...said, hangs: false };
}

/** What came of writing a row. */
export interface Written {
  /** @default - it failed */
  readonly milliseconds?: number;
  /** Why it failed, in one line. */
  readonly why?: string;
  /** Whether commits wait for a standby that doesn't confirm. */
  readonly waitsForStandby: boolean;
  /** Whether the primary's pod could not be reached at all from here. @default - it could */
  readonly unreached?: boolean;
}

export function writtenIn(text: string): Written {
  const [, milliseconds] = /^written (\d+)$/m.exec(text) ?? [];
  if (milliseconds !== undefined) return { milliseconds: Number(milliseconds), waitsForStandby: false };
  const [, code, words = ""] = /^failed (\d+) ?(.*)$/m.exec(text) ?? [];
  // psql cancels at the end of its time; the server then says what it was waiting for.
  if (/waiting for synchronous replication|synchronous replication due to user request/.test(words))
    return {
      why: "a commit waits for a synchronous standby, and none confirms it",
      waitsForStandby: true,
    };
  if (code !== undefined && timedOut(Number(code)))
    return { why: "a row could not be written within 2 s", waitsForStandby: false };
  const [error] = /(?:ERROR|FATAL|PANIC): .*/.exec(words) ?? [words];
  return { why: plainly(error) || "a row could not be written", waitsForStandby: false };
}

export async function writeRow(platform: Platform, pod: string, database: string): Promise<Written> {
  const said = await inInstance(platform, pod, writeScript, [database]);
  return "text" in said
    ? writtenIn(said.text)
    : { why: said.silence, waitsForStandby: false, ...(said.unreached && { unreached: true }) };
}
