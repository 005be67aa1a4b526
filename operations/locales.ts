import type { DatabaseSettings, Settings } from "../settings/schema";
import { hasLocale, type Locale, localeOf } from "../plan/postgres/locale";
import { type Problem, namespace } from "../settings/problem";

/** Encoding and locale of the databases that are there, against those that are asked for: they hold at creation only. */

export interface LiveLocale extends Omit<Locale, "locale"> {
  readonly collate: string;
  readonly ctype: string;
}

/** Asks for all databases at once; columns differ by major version, so that rows come whole. */
export const localeQuery =
  "select coalesce(json_agg(to_jsonb(d) || jsonb_build_object('encoding_name', pg_encoding_to_char(d.encoding))), '[]') from pg_database d";

interface Row {
  readonly datname: string;
  readonly encoding_name: string;
  readonly datlocprovider: "c" | "i" | "b";
  readonly datcollate: string;
  readonly datctype: string;
  /** Of 15 and 16, and its name from 17 on. */
  readonly daticulocale?: string | null;
  readonly datlocale?: string | null;
}

const providers = { c: "libc", i: "icu", b: "builtin" } as const;

/** By the databases' names; undefined where the answer isn't one. */
export function localesOf(answer: string): Readonly<Record<string, LiveLocale>> | undefined {
  if (!answer.trim().startsWith("[")) return undefined;
  const rows = JSON.parse(answer) as Row[];
  return Object.fromEntries(
    rows.map((row) => {
      const own = row.datlocale ?? row.daticulocale ?? undefined;
      return [
        row.datname,
        {
          encoding: row.encoding_name,
          provider: providers[row.datlocprovider],
          collate: row.datcollate,
          ctype: row.datctype,
          ...(own !== undefined && { own }),
        },
      ];
    }),
  );
}

/** One name for the spellings of an encoding in libc's names: C.UTF-8 and C.utf8 are one locale. */
const spelled = (locale: string): string => locale.replace(/utf-?8$/i, "UTF-8");

/** What differs of one database, by the setting that asks for it. */
function differing(wanted: Locale, live: LiveLocale): [key: keyof DatabaseSettings, found: string][] {
  const found: [keyof DatabaseSettings, string][] = [];
  if (wanted.encoding !== live.encoding) found.push(["encoding", live.encoding]);
  if (wanted.provider !== live.provider) found.push(["localeProvider", live.provider]);
  else if (wanted.provider === "icu" && wanted.own !== live.own) found.push(["icuLocale", live.own ?? ""]);
  else if (wanted.provider === "builtin" && wanted.own !== live.own) found.push(["locale", live.own ?? ""]);
  else if (wanted.provider === "libc" && spelled(wanted.locale) !== spelled(live.collate))
    found.push(["locale", live.collate]);
  return found;
}

export function localeProblems(
  { cluster }: Settings,
  live: Readonly<Record<string, LiveLocale>> = {},
): Problem[] {
  return cluster.databases.flatMap((database, index) => {
    const there = live[database.name];
    if (there === undefined || !hasLocale(database)) return [];
    return differing(localeOf(cluster, database), there).map(([key, found]) => ({
      path: `${namespace}:cluster.databases[${index}].${key}`,
      value: database[key],
      allowed: `${found}, which the database has since it was made`,
      fix: "keep that, or load a dump into another database with the new locale",
    }));
  });
}
