import type { DatabaseSettings } from "../settings/schema";
import { hasLocale } from "../plan/postgres/locale";
import { type Rule } from "./rule";

/** Locales of the provider builtin, with the major that each came with. */
const builtin: Readonly<Record<string, number>> = { C: 17, "C.UTF-8": 17, PG_UNICODE_FAST: 18 };

/** Encodings that ICU doesn't know. */
const withoutIcu = ["SQL_ASCII", "MULE_INTERNAL", "EUC_JIS_2004"];

/** How glibc's locales call what PostgreSQL calls otherwise. */
const called: Readonly<Record<string, string>> = {
  iso88591: "latin1",
  iso88592: "latin2",
  iso88593: "latin3",
  iso88594: "latin4",
  iso88599: "latin5",
  iso885910: "latin6",
  iso885913: "latin7",
  iso885914: "latin8",
  iso885915: "latin9",
  iso885916: "latin10",
  cp1251: "win1251",
  cp1252: "win1252",
};
const plain = (text: string): string => text.toLowerCase().replace(/[^a-z0-9]/g, "");

/** The encoding of a libc locale: that behind its dot; empty where a language alone leaves it to glibc; undefined for C and POSIX, and for what isn't known. */
function encodingOf(locale: string): string | undefined {
  const [, codeset] = /\.([\w-]+)(@|$)/.exec(locale) ?? [];
  if (codeset !== undefined) return called[plain(codeset)] ?? plain(codeset);
  return /^[a-z]{2,3}_[A-Z]{2}(@|$)/.test(locale) ? "" : undefined;
}

type Say = (key: keyof DatabaseSettings, value: unknown, allowed: string, fix: string) => void;

function sameEncoding(locale: string, encoding: string, say: Say): void {
  const own = encodingOf(locale);
  if (own !== undefined && encoding !== "SQL_ASCII" && own !== plain(encoding))
    say(
      "locale",
      locale,
      `a locale of the encoding ${encoding}${own === "" ? ": without its name glibc takes an older encoding" : ""}`,
      `write the encoding behind a dot, such as ${locale.replace(/[.@].*/, "")}.UTF-8 with UTF8, or correct encoding`,
    );
}

function provider(database: DatabaseSettings, major: number, say: Say): void {
  const { encoding = "UTF8", locale, localeProvider, icuLocale } = database;
  if (icuLocale !== undefined && localeProvider !== undefined && localeProvider !== "icu")
    say(
      "icuLocale",
      icuLocale,
      `must not be set: the localeProvider is ${localeProvider}`,
      "leave out one of them",
    );
  if (localeProvider === "icu" && icuLocale === undefined)
    say("icuLocale", undefined, "a language tag with the localeProvider icu", "set it, such as de-AT");
  if (icuLocale !== undefined && withoutIcu.includes(encoding))
    say(
      "encoding",
      encoding,
      "an encoding that ICU knows, such as UTF8",
      "choose UTF8, or leave icuLocale out",
    );
  if (localeProvider !== "builtin") {
    sameEncoding(locale ?? "", encoding, say);
    return;
  }
  if (major < 17) {
    say("localeProvider", localeProvider, `libc or icu with PostgreSQL ${major}`, "choose one of them");
    return;
  }
  const known = Object.keys(builtin).filter((name) => (builtin[name] ?? 0) <= major);
  if (locale !== undefined && !known.includes(locale))
    say(
      "locale",
      locale,
      `one of ${known.join(", ")} with the localeProvider builtin`,
      "choose one of them, or libc",
    );
  else if (locale !== "C" && encoding !== "UTF8")
    say(
      "encoding",
      encoding,
      "UTF8 with the localeProvider builtin, but for the locale C",
      "choose UTF8, or the locale C",
    );
}

export const locales: Rule = ({ cluster }, report) => {
  const major = Number(cluster.postgresVersion);
  cluster.databases.forEach((database, index) => {
    const say: Say = (key, value, allowed, fix) =>
      report(`cluster.databases[${index}].${key}`, value, allowed, fix);
    provider(database, major, say);
    const { template } = database;
    if (template === undefined) return;
    const earlier = cluster.databases.slice(0, index).map(({ name }) => name);
    if (index === 0)
      say(
        "template",
        template,
        "must not be set: the first database is made with the cluster",
        "leave it out",
      );
    else if (hasLocale(database) && template !== "template0")
      say(
        "template",
        template,
        "template0 with an encoding or a locale, which another template has already",
        "leave it out, or leave out encoding and locale",
      );
    else if (!["template0", "template1", ...earlier].includes(template))
      say(
        "template",
        template,
        `one of ${["template0", "template1", ...earlier].join(", ")}`,
        "correct it, or list that database before this one",
      );
  });
};
