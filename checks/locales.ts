import type { DatabaseSettings } from "../settings/schema";
import { hasLocale } from "../plan/postgres/locale";
import { type Rule } from "./rule";

/** Locales of the provider builtin, with the major that each came with. */
const builtin: Readonly<Record<string, number>> = { C: 17, "C.UTF-8": 17, PG_UNICODE_FAST: 18 };

/** Encodings that ICU doesn't know. */
const withoutIcu = ["SQL_ASCII", "MULE_INTERNAL", "EUC_JIS_2004"];

type Say = (key: keyof DatabaseSettings, value: unknown, allowed: string, fix: string) => void;

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
  if (localeProvider !== "builtin") return;
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
