import * as z from "zod";

/** What the scripts beside this file say to the operations: lines of JSON, whose `kind` says what the rest is. */

/** A moment as rclone's listings have it: `2026-01-31 23:59:00`, in UTC. */
const moment = z.string();

const segment = z.object({
  /** The segment's name, 24 digits. */
  segment: z.string(),
  /** When it was stored. */
  at: moment,
});

const ofArchive = {
  /** Name of the target. */
  target: z.string(),
  /** The archive's folder in it. */
  archiveId: z.string(),
};

/** A store that can't be read: watch.sh and list.sh. */
const refused = z.object({
  kind: z.literal("refused"),
  target: z.string(),
  /** The archive there that can't be read whole: list.sh. @default - the target itself can't be */
  archiveId: z.string().optional(),
  /** The store's own words. */
  why: z.string(),
});

/** A store that can be read, and what the present archive has there: watch.sh. */
const answers = z.object({
  kind: z.literal("answers"),
  ...ofArchive,
  /** The newest finished base backup. @default - there is none */
  base: z.object({ id: z.string(), at: moment }).optional(),
  /** The newest archived segment. @default - there is none */
  wal: segment.optional(),
  /** Why that base backup doesn't restore up to there. @default - it does, as far as the timelines say */
  problem: z.string().optional(),
});

/** What the primary has that isn't archived: watch.sh, by what database.sh hears. */
const writes = z.object({
  kind: z.literal("writes"),
  /** Identifier of the database cluster. */
  system: z.string(),
  /** Age of the oldest write that isn't archived; 0 when there is none. */
  unarchivedSeconds: z.number(),
  /** How old it may be. */
  rpoSeconds: z.number(),
});

/** An archive in a target, with its newest segment if it has any: list.sh. */
const wal = z.object({
  kind: z.literal("wal"),
  ...ofArchive,
  ...segment.partial().shape,
  /** Why its newest base backup doesn't restore up to there. @default - it does, as far as the timelines say */
  problem: z.string().optional(),
});

/** A base backup in an archive: list.sh. */
const base = z.object({
  kind: z.literal("base"),
  ...ofArchive,
  id: z.string(),
  /** As the tool that makes it writes it: DONE once it is whole. */
  status: z.string(),
  begin: z.string(),
  /** Empty before it has ended. */
  end: z.string(),
  /** Null where the store didn't say. */
  bytes: z.number().nullable(),
  /** What its last restore came to. @default - it was never tried */
  verdict: z.enum(["passed", "late", "failed"]).optional(),
});

/** A logical dump in an archive: list.sh. */
const dump = z.object({
  kind: z.literal("dump"),
  ...ofArchive,
  /** When it was made: `20260131T235900`, in UTC. */
  id: z.string(),
  /** Null when it isn't whole. */
  bytes: z.number().nullable(),
});

/** What a restore from a finished base backup takes: look.sh. */
const replay = z.object({
  kind: z.literal("replay"),
  archiveId: z.string(),
  id: z.string(),
  /** Major version of PostgreSQL; null where the store didn't say. */
  major: z.number().nullable(),
  /** How many archived segments there are from its beginning on. */
  segments: z.number(),
  /** How long its verification took until queries were answered; null without one. */
  rtoSeconds: z.number().nullable(),
});

/** When the last transaction of an archive was, in UTC: last.sh. PostgreSQL ends at no moment from there on. */
const last = z.object({ kind: z.literal("last"), archiveId: z.string(), at: z.string() });

/** The last line of look.sh: without it not all that was seen has been heard. */
const looked = z.object({ kind: z.literal("looked"), target: z.string() });

/** There is no finished base backup to restore from: source.sh. */
const absent = z.object({
  kind: z.literal("absent"),
  /** The archives that are there, at most 200. */
  archiveIds: z.array(z.string()),
});

/** The base backup to restore from came to the store after the moment, as in a copy, and the engine takes that for its time: source.sh. */
const late = z.object({ kind: z.literal("late"), base: z.string(), at: moment });

/** The store to restore from can't be read: source.sh. */
const unreadable = z.object({ kind: z.literal("unreadable"), why: z.string() });

/** An archive, or a part of it, that isn't deleted: forget.sh. */
const kept = z.object({ kind: z.literal("kept"), why: z.string() });

/** What a verification found: report.sh, which keeps it beside the backup too. */
const report = z.object({
  kind: z.literal("report"),
  ...ofArchive,
  /** The base backup that was restored; empty when none was. */
  backup: z.string(),
  /** The moment that was restored to, else empty. */
  to: z.string(),
  /** `late`: it restores, and yet WAL was archived later than backup.rpoMinutes says. */
  result: z.enum(["passed", "late", "failed"]),
  /** Why it isn't passed, else empty. */
  why: z.string(),
  /** What was odd on the way, else empty. */
  note: z.string(),
  /** When it ended, as ISO 8601 has it. */
  at: z.string(),
  /** Age of the newest transaction; null when there was none. */
  rpoSeconds: z.number().nullable(),
  /** How long it took until queries were answered. */
  rtoSeconds: z.number().nullable(),
  /** Size of the databases. */
  bytes: z.number().nullable(),
  /** How many pages were read; null without page checksums. */
  pages: z.number().nullable(),
  /** The newest segment that was replayed. */
  segment: z.string(),
  /** `<database> <sum of its schema>` each. */
  schemas: z.array(z.string()),
  /** Names of the queries that were answered with true. */
  queries: z.array(z.string()),
  /** Id of the logical dump that was stored, else empty. */
  dump: z.string(),
  dumpBytes: z.number().nullable(),
  /** Why there is no dump though one is wanted, or why older ones are still there. */
  dumpNote: z.string(),
  /** `done`, or why what lies outside of the recovery window wasn't deleted. */
  expiry: z.string(),
});

/** WAL segments that the primary has finished and not archived yet: its own answer to operations/primary.ts. */
const waiting = z.object({
  kind: z.literal("waiting"),
  segments: z.number(),
  /** How long the oldest of them has waited. */
  seconds: z.number(),
});

const result = z.discriminatedUnion("kind", [
  refused,
  answers,
  writes,
  wal,
  base,
  dump,
  replay,
  last,
  looked,
  absent,
  late,
  unreadable,
  kept,
  report,
  waiting,
]);

export type Result = z.infer<typeof result>;
export type ResultKind = Result["kind"];

/** A result of one of these kinds. */
export type ResultOf<Kind extends ResultKind> = Extract<Result, { kind: Kind }>;

/** A line that is none of the results which were expected: of an older script, or of a program that failed. */
export interface Unknown {
  readonly kind: "unknown";
  /** The line as it is. */
  readonly line: string;
}

function parsed(line: string): unknown {
  try {
    return JSON.parse(line);
  } catch {
    return undefined;
  }
}

/** A line as a result of one of these kinds, else the line itself. */
export function parseResult<Kind extends ResultKind>(
  line: string,
  ...kinds: readonly Kind[]
): ResultOf<Kind> | Unknown {
  const { data } = result.safeParse(parsed(line));
  return data !== undefined && (kinds as readonly string[]).includes(data.kind)
    ? (data as ResultOf<Kind>)
    : { kind: "unknown", line };
}

/** Every line of a text that isn't empty. */
export const parseResults = <Kind extends ResultKind>(
  text: string,
  ...kinds: readonly Kind[]
): (ResultOf<Kind> | Unknown)[] =>
  text
    .split("\n")
    .filter((line) => line.trim() !== "")
    .map((line) => parseResult(line, ...kinds));
