import type { EngineTraits } from "../plan/engines/planner";
import type { Settings } from "../settings/schema";
import { knownLibraries } from "./extensions";

/**
 * Parameters that are texts to the server's catalogue, and of which a wrong one keeps the server from starting, or every session from beginning: found by
 * starting PostgreSQL 17 with one wrong value after the other.
 */

type Refusal = { readonly allowed: string; readonly fix: string };
type Judge = (text: string, settings: Settings, engine: EngineTraits) => string | undefined;

/** Words of a list, without the blanks around them. */
const words = (text: string, separator: RegExp = /,/): string[] =>
  text.split(separator).map((one) => one.trim());

const oneOf =
  (...known: readonly string[]): Judge =>
  (text) =>
    known.some((one) => one.toLowerCase() === text.trim().toLowerCase()) ? undefined : known.join(", ");

const listOf =
  (...known: readonly string[]): Judge =>
  (text) =>
    text.trim() === "" || words(text).every((word) => known.includes(word.toLowerCase()))
      ? undefined
      : `nothing, or a list of ${known.join(" and ")}`;

/** A zone by its name, which the runtime knows as well as PostgreSQL does, or by an offset as POSIX writes it, which has digits. */
const zone: Judge = (text) => {
  const name = text.trim().replace(/^(posix|right)\//, "");
  if (/\d|</.test(name) && !name.startsWith("Etc/")) return undefined;
  try {
    new Intl.DateTimeFormat("en", { timeZone: name });
    return undefined;
  } catch {
    return "a time zone such as UTC or Europe/Berlin";
  }
};

const dateStyle: Judge = (text) => {
  const known = "iso postgres sql german ymd dmy mdy us euro european noneuro noneuropean default".split(" ");
  return words(text, /[,\s]+/).every((word) => known.includes(word.toLowerCase()))
    ? undefined
    : "ISO, Postgres, SQL or German, and after a comma YMD, DMY or MDY";
};

/** Which locales an image has isn't known here; how one is written is. */
const locale: Judge = (text) =>
  /^(C|POSIX|C\.utf-?8|[a-z]{2,3}_[A-Z]{2}(\.[A-Za-z0-9-]+)?(@[a-z]+)?)?$/i.test(text.trim())
    ? undefined
    : "C, C.UTF-8, or a locale that the image has, such as en_US.UTF-8";

/** Names with commas between them, in double quotes or without. */
const names: Judge = (text) =>
  /^\s*(?:("([^"]|"")+"|[^\s,"]+)\s*(,(?!\s*$)\s*|$))*$/.test(text)
    ? undefined
    : "names of schemas with a comma between each two";

const preloaded: Judge = (text, settings, engine) => {
  const known = knownLibraries(settings, engine);
  if (known === undefined || text.trim() === "" || words(text).every((word) => known.includes(word)))
    return undefined;
  return `libraries of the image ${settings.images.postgresql}: ${[...known].sort().join(", ")}`;
};

/** The encodings of clients: those of servers, and six more. */
const encodings = (
  "UTF8 UNICODE UTF-8 SQL_ASCII LATIN1 LATIN2 LATIN3 LATIN4 LATIN5 LATIN6 LATIN7 LATIN8 LATIN9 LATIN10 ISO_8859_5 ISO_8859_6 ISO_8859_7 ISO_8859_8 " +
  "WIN866 WIN874 WIN1250 WIN1251 WIN1252 WIN1253 WIN1254 WIN1255 WIN1256 WIN1257 WIN1258 KOI8R KOI8U EUC_JP EUC_CN EUC_KR EUC_TW EUC_JIS_2004 MULE_INTERNAL " +
  "SJIS BIG5 GBK UHC GB18030 JOHAB SHIFT_JIS_2004"
).split(" ");
const encoding: Judge = (text) => {
  const plain = (name: string) => name.toLowerCase().replace(/[^a-z0-9]/g, "");
  return encodings.some((one) => plain(one) === plain(text)) ? undefined : "an encoding such as UTF8";
};

const judges: Readonly<Record<string, Judge>> = {
  timezone: zone,
  timezone_abbreviations: oneOf("Default", "Australia", "India"),
  datestyle: dateStyle,
  lc_messages: locale,
  lc_monetary: locale,
  lc_numeric: locale,
  lc_time: locale,
  client_encoding: encoding,
  search_path: names,
  session_preload_libraries: preloaded,
  local_preload_libraries: (text) =>
    text.trim() === "" ? undefined : "nothing: the images have no folder of libraries that anyone may load",
  createrole_self_grant: listOf("set", "inherit"),
  restrict_nonsystem_relation_kind: listOf("view", "foreign-table"),
  default_table_access_method: oneOf("heap"),
  wal_consistency_checking: (text) =>
    text.trim() === "" ? undefined : "nothing: it is for developers of PostgreSQL",
};

/** Why no server would start, or no session begin, with the text as the parameter's value. */
export function textRefusal(
  settings: Settings,
  name: string,
  text: string,
  engine: EngineTraits,
): Refusal | undefined {
  const allowed = judges[name]?.(text, settings, engine);
  return allowed === undefined ? undefined : { allowed, fix: "correct it, or remove it" };
}
