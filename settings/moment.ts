/** Moments as people write them: `2026-01-31T23:59:00Z`, with a blank for the T, without seconds, with `+00`, `+0100`, `+01:00` or `UTC` for the Z. */

const written =
  /^(\d{4})-(\d\d)-(\d\d)[Tt ](\d\d):(\d\d)(?::(\d\d)(?:\.(\d{1,6}))?)? ?(?:(Z|z|UTC)|([+-])(\d\d)(?::?(\d\d))?)$/;

export const momentAllowed = "a time with its zone, such as 2026-01-31T23:59:00Z or 2026-01-31 23:59:00+01";
export const momentFix =
  "write the date, the time and the zone: Z where the time is UTC, else your clock's offset such as +01:00";

/**
 * One spelling for a moment: date, T, seconds with what is behind them, and Z or an offset with a colon. Undefined for a text that is none, as without a zone:
 * which moment it is nobody knows.
 */
export function normalizeMoment(text: string): string | undefined {
  const found = written.exec(text.trim());
  if (!found) return undefined;
  const [, year, month, day, hour, minute, second = "00", digits = "", utc, sign, hours = "00", more = "00"] =
    found;
  const fraction = digits.replace(/0+$/, "");
  const zero = utc !== undefined || `${hours}${more}` === "0000";
  const local = `${year}-${month}-${day}T${hour}:${minute}:${second}`;
  // A 30th of February would be read as a day of March.
  const read = Date.parse(`${local}Z`);
  if (Number.isNaN(read) || new Date(read).toISOString().slice(0, 19) !== local) return undefined;
  if (Number(hours) > 15 || Number(more) > 59) return undefined;
  return `${local}${fraction === "" ? "" : `.${fraction}`}${zero ? "Z" : `${sign}${hours}:${more}`}`;
}

/** Whether a text is written as a moment, whatever the calendar and the clock say of it. */
export const hasMomentForm = (text: string): boolean => written.test(text.trim());

/** Milliseconds since 1970 of a moment; not a number for a text that is none. */
export const millisecondsAt = (text: string): number => Date.parse(normalizeMoment(text) ?? "");

/** The same moment in UTC. */
export function utcOf(text: string): string | undefined {
  const normalized = normalizeMoment(text);
  if (normalized === undefined) return undefined;
  const [, fraction = ""] = /(\.\d+)/.exec(normalized) ?? [];
  return `${new Date(normalized).toISOString().slice(0, 19)}${fraction}Z`;
}

/** Microseconds since 1970 of a moment, as PostgreSQL counts them; not a number for a text that is none. */
export function microsecondsAt(text: string): number {
  const utc = utcOf(text) ?? "";
  const [, fraction = ""] = /\.(\d+)/.exec(utc) ?? [];
  return Date.parse(`${utc.slice(0, 19)}Z`) * 1000 + Number(fraction.padEnd(6, "0"));
}

/** A moment for a person to read: `2026-01-31 23:59:00 UTC`. */
export const inUtc = (milliseconds: number): string =>
  `${new Date(milliseconds).toISOString().slice(0, 19).replace("T", " ")} UTC`;
