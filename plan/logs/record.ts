/** One set of fields for the lines that PostgreSQL, PgBouncer and what runs them write (docs/logs.md has the table). */

export const levels = ["debug", "info", "notice", "warning", "error", "fatal", "panic"] as const;
export type Level = (typeof levels)[number];

/** What one line says. */
export interface LogFields {
  /** ISO 8601 in UTC. @default - the moment at which the container runtime read the line */
  readonly time?: string;
  readonly level: Level;
  /** The program that wrote it. */
  readonly source: string;
  readonly message: string;
  readonly database?: string;
  readonly user?: string;
  readonly application?: string;
  /** Address and port, or `[local]`. */
  readonly client?: string;
  readonly pid?: number;
  readonly session?: string;
  /** Number of the record in its session: both together are no other record's. */
  readonly sessionLine?: number;
  /** Kind of process, such as `client backend` or `checkpointer`. */
  readonly backend?: string;
  /** A text: it has more digits than a number of JSON keeps. */
  readonly queryId?: string;
  readonly sqlstate?: string;
  readonly durationMs?: number;
  readonly statement?: string;
  /** Of pgAudit's records: `SESSION` or `OBJECT`, the class, the command, and what it was done to. */
  readonly auditType?: string;
  readonly auditClass?: string;
  readonly auditCommand?: string;
  readonly objectType?: string;
  readonly object?: string;
  readonly detail?: string;
  readonly hint?: string;
  readonly context?: string;
}

/** Reads a line of one container. */
export type LineReader = (line: string) => LogFields;

const words: Readonly<Record<string, Level>> = {
  trace: "debug",
  noise: "debug",
  debug: "debug",
  log: "info",
  info: "info",
  init: "info",
  notice: "notice",
  warn: "warning",
  warning: "warning",
  error: "error",
  critical: "fatal",
  fatal: "fatal",
  panic: "panic",
};

/** A program's own word for how bad it is. */
export const levelOf = (word: string): Level => words[word.toLowerCase().replace(/\d+$/, "")] ?? "info";

/** Whether a level is as bad as another, or worse. */
export const reaches = (level: Level, least: Level): boolean =>
  levels.indexOf(level) >= levels.indexOf(least);

/** `2026-11-29 16:30:20.994 UTC` as ISO 8601; undefined in any other zone, whose letters don't tell what it is. */
export function timeOf(text: string): string | undefined {
  const found = /^(\d{4}-\d\d-\d\d)[ T](\d\d:\d\d:\d\d)(?:[.,](\d{1,9}))? ?(?:UTC|GMT|Z)$/.exec(text);
  if (!found) return undefined;
  const [, day, clock, fraction = ""] = found;
  return `${day}T${clock}.${fraction.slice(0, 3).padEnd(3, "0")}Z`;
}

export type Json = Readonly<Record<string, unknown>>;

/** The object that a line is; undefined for any other line. */
export function objectIn(line: string): Json | undefined {
  if (!line.startsWith("{")) return undefined;
  try {
    return JSON.parse(line) as Json;
  } catch {
    return undefined;
  }
}

/** A field that says something: no empty text, and not the 0 that stands for none. */
export const textOf = (value: unknown): string | undefined =>
  (typeof value === "string" || typeof value === "number") && value !== "" && value !== "0" && value !== 0
    ? String(value)
    : undefined;

/** A text, or an empty one for anything else. */
export const said = (value: unknown): string => (typeof value === "string" ? value : "");

/** Without the fields that have no value. */
export const present = (
  fields: { readonly [key in keyof LogFields]: LogFields[key] | undefined } & Pick<
    LogFields,
    "level" | "source" | "message"
  >,
): LogFields =>
  Object.fromEntries(
    Object.entries(fields).filter(([, value]) => value !== undefined),
  ) as unknown as LogFields;

/** A line of no form. */
export const plain =
  (source: string): LineReader =>
  (line) => ({ level: "info", source, message: line });
