import type { DatabaseSettings, Settings } from "../../settings/schema";

/** Encoding and locale of databases: what is asked for, and what PostgreSQL is told. */

type Cluster = Settings["cluster"];

/** A database's encoding and locale, complete. */
export interface Locale {
  readonly encoding: string;
  readonly provider: "libc" | "icu" | "builtin";
  /** Of libc: collation and ctype. */
  readonly locale: string;
  /** Of the provider, where that isn't libc. */
  readonly own?: string;
}

/** What is in use where nothing is said: a sort order that belongs to PostgreSQL, where it can, so that another C library can't corrupt indexes. */
const byDefault = ({ postgresVersion }: Pick<Cluster, "postgresVersion">): Omit<Locale, "encoding"> =>
  Number(postgresVersion) >= 17
    ? { provider: "builtin", locale: "C.UTF-8", own: "C.UTF-8" }
    : { provider: "libc", locale: "C.UTF-8" };

/** Whether the settings of a database say anything of it. */
export const hasLocale = ({ encoding, locale, localeProvider, icuLocale }: DatabaseSettings): boolean =>
  [encoding, locale, localeProvider, icuLocale].some((one) => one !== undefined);

/** What C's own locale is called in an encoding. */
const plain = (encoding: string): string => (encoding === "UTF8" ? "C.UTF-8" : "C");

export function localeOf(cluster: Pick<Cluster, "postgresVersion">, database: DatabaseSettings): Locale {
  const { encoding = "UTF8", locale, icuLocale } = database;
  const provider =
    database.localeProvider ?? (icuLocale !== undefined ? "icu" : locale === undefined ? undefined : "libc");
  if (provider === "icu")
    return { encoding, provider, locale: locale ?? plain(encoding), own: icuLocale ?? "und" };
  if (provider === "builtin") {
    const own = locale ?? "C.UTF-8";
    return { encoding, provider, locale: plain(encoding), own };
  }
  if (provider === "libc") return { encoding, provider, locale: locale ?? plain(encoding) };
  return encoding === "UTF8"
    ? { encoding, ...byDefault(cluster) }
    : { encoding, provider: "libc", locale: "C" };
}
