import type { LineReader, LogFields } from "../../plan/logs/record";
import { logs as poolerReaders } from "../../plan/pooler/logs";
import type { KubeObject } from "../kubectl";
import { type Platform } from "../platform";
import { QUESTION_MS } from "./ask";
import { begunContainers } from "./pods";
import type { Report } from "./report";

/** Logins that were refused: what a program with a wrong password, or a former one, feels, and what no view of PostgreSQL counts. */

/** How far back is looked. */
export const LOGINS_MINUTES = 10;
/** Newest lines of a container that are read. */
const LINES = 1000;

/** What was refused of one role for one reason at one pod. */
export interface RefusedLogins {
  readonly pod: string;
  readonly role: string;
  readonly why: string;
  readonly count: number;
  /** Addresses without ports, sorted. */
  readonly from: readonly string[];
}

/** PostgreSQL's codes for a refused login. */
const codes = new Set(["28000", "28P01"]);
/** PgBouncer has no codes. It says some of them twice for a connection. */
const saidByPooler =
  /^(?:pooler error: |closing because: )?(password authentication failed|SASL authentication failed|no such user(?:: \S+)?|no such database(?:: \S+)?|login rejected|TLS required|SSL required)\b/;

const reasonIn = ({ source, sqlstate = "", client, message }: LogFields): string | undefined =>
  source === "pgbouncer"
    ? client === undefined
      ? undefined
      : saidByPooler.exec(message)?.[1]
    : codes.has(sqlstate)
      ? message
      : undefined;

/** The same by role and reason, the most frequent first. */
export function acrossPods(all: readonly RefusedLogins[]): Report["refusedLogins"] {
  const merged = new Map<string, Report["refusedLogins"][number]>();
  for (const { pod, role, why, count, from } of all) {
    const key = `${role}\t${why}`;
    const one = merged.get(key) ?? { role, why, count: 0, from: [], at: [] };
    merged.set(key, {
      ...one,
      count: one.count + count,
      from: [...new Set([...one.from, ...from])].sort(),
      at: [...new Set([...one.at, pod])].sort(),
    });
  }
  return [...merged.values()].sort((one, other) => other.count - one.count);
}

const addressOf = (client: string): string => client.replace(/:\d+$/, "");

/** Refused logins among the lines of a container; one that is told twice for a connection counts once. */
export function refusedIn(pod: string, lines: readonly string[], reader: LineReader): RefusedLogins[] {
  const told = new Set<string>();
  const found = new Map<string, { role: string; why: string; count: number; from: Set<string> }>();
  for (const line of lines) {
    const fields = reader(line);
    const why = reasonIn(fields);
    if (why === undefined) continue;
    const { user = "", client = "", pid } = fields;
    const connection = `${pid} ${client}`;
    if (told.has(connection)) continue;
    told.add(connection);
    const key = `${user}\t${why}`;
    const one = found.get(key) ?? { role: user, why, count: 0, from: new Set<string>() };
    found.set(key, { ...one, count: one.count + 1, from: one.from.add(addressOf(client)) });
  }
  return [...found.values()].map(({ from, ...one }) => ({ pod, ...one, from: [...from].sort() }));
}

async function refusedAt(
  { kubectl, settings }: Platform,
  pod: KubeObject,
  readers: Readonly<Record<string, LineReader>>,
): Promise<RefusedLogins[]> {
  const { name } = pod.metadata;
  const all = await Promise.all(
    begunContainers(pod).map(async (container) => {
      const reader = readers[container];
      if (reader === undefined) return [];
      const text = await kubectl.logsOf(
        settings.cluster.namespace,
        name,
        container,
        { sinceSeconds: LOGINS_MINUTES * 60, lines: LINES },
        { timeoutMs: QUESTION_MS },
      );
      return refusedIn(name, text.split("\n"), reader);
    }),
  );
  return all.flat();
}

/** At an instance. */
export const refusedByServer = (platform: Platform, pod: KubeObject): Promise<RefusedLogins[]> =>
  refusedAt(platform, pod, platform.live.logs);

/** At a pod of a pooler. */
export const refusedByPooler = (platform: Platform, pod: KubeObject): Promise<RefusedLogins[]> =>
  refusedAt(platform, pod, poolerReaders);
