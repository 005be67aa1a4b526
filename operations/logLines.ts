import { type Level, type LogFields } from "../plan/logs/record";
import { type KubeObject } from "./kubectl";

export interface WatchEvent {
  readonly type: string;
  readonly object: KubeObject;
}

/** A line with where it comes from. */
export interface LogRecord extends LogFields {
  readonly time: string;
  readonly namespace: string;
  readonly cluster: string;
  /** Name of the pod. */
  readonly instance: string;
  /** What the pod was when the line was read. */
  readonly role: string;
}

/** Control characters, which would move a terminal's cursor, as their numbers; lines of a text stay. */
const controls = /[\x00-\x08\x0b-\x1f\x7f-\x9f]/g;
const visible = (text: string): string =>
  text.replace(controls, (one) => `\\x${one.charCodeAt(0).toString(16).padStart(2, "0")}`);

const colours: Readonly<Partial<Record<Level, number>>> = {
  debug: 90,
  notice: 36,
  warning: 33,
  error: 31,
  fatal: 35,
  panic: 35,
};

/** Colours a level's word, or doesn't. */
const painted = (level: Level, colour: boolean): string => {
  const word = level.toUpperCase().padEnd(7);
  const code = colours[level];
  return colour && code !== undefined ? `\u001b[${code}m${word}\u001b[0m` : word;
};

/** Who was connected, in brackets: `[app@shop psql 10.1.2.3:4711]`. */
function session({ user, database, application, client }: LogFields): string | undefined {
  const words = [
    user === undefined && database === undefined ? undefined : `${user ?? ""}@${database ?? ""}`,
    application,
    client,
  ].filter((word) => word !== undefined);
  return words.length === 0 ? undefined : `[${words.join(" ")}]`;
}

const further = ["statement", "detail", "hint", "context"] as const;

/** As a person reads it: one line, and indented what belongs to it. */
export function shownLine(record: LogRecord, colour: boolean, widths: { instance: number }): string {
  const level = painted(record.level, colour);
  const head = [
    record.time,
    record.instance.padEnd(widths.instance),
    record.role.padEnd("primary".length),
    level,
    ...[record.sqlstate, session(record), record.source === "postgresql" ? undefined : `${record.source}:`],
    record.message,
  ].flatMap((word) => (word === undefined ? [] : [word === level ? word : visible(word)]));
  const rest = further.flatMap((key) => (record[key] === undefined ? [] : [`${key}: ${record[key]}`]));
  return [head.join(" "), ...rest.map(visible)].join("\n").replaceAll("\n", "\n    ");
}

export const fieldOrder = (
  "time level namespace cluster instance role source message database user application client pid session " +
  "sessionLine backend queryId sqlstate durationMs statement auditType auditClass auditCommand objectType object detail hint context"
).split(" ");

/** As a program reads it: one object in one line, its fields always in the same order. */
export const jsonLine = (record: LogRecord): string => JSON.stringify(record, fieldOrder);

/** A container runtime's moment, whose zeros at the end are missing, in a form in which texts compare as moments do. */
export const comparable = (stamp: string): string =>
  stamp.replace(
    /(?:\.(\d+))?Z$/,
    (_all, fraction: string | undefined) => `.${(fraction ?? "").padEnd(9, "0")}Z`,
  );

/** A line of `kubectl logs --timestamps`; undefined for what kubectl says itself. */
export function stamped(line: string): { stamp: string; text: string } | undefined {
  const [, stamp, text] = /^(\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(?:\.\d+)?Z) ?([^]*)$/.exec(line) ?? [];
  return stamp === undefined || text === undefined ? undefined : { stamp: comparable(stamp), text };
}

/** A watch's event, which kubectl prints in one line; undefined for what it says itself. */
export const eventIn = (line: string): WatchEvent | undefined =>
  line.startsWith("{") ? (JSON.parse(line) as WatchEvent) : undefined;
