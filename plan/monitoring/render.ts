import type { Settings } from "../../settings/schema";
import {
  cacheSeconds,
  type Group,
  groupName,
  groups,
  type Major,
  majors,
  type QueryContext,
} from "./catalogue";
import { readable, userGroup } from "./catalogue/queries";
import { contextOf } from "./facts";

/** The catalogue as queries for one platform, before any exporter's own form. */

/** No query takes longer, so that one that is slow doesn't use up the 10 s that Prometheus gives a scrape; a lock is hardly waited for. */
export const limits = { statement_timeout: "3s", lock_timeout: "200ms" } as const;

/** Database of what is asked once of a server. */
export const serverDatabase = "postgres";

export interface Query {
  readonly group: Group;
  /** What its metrics' names begin with. */
  readonly name: string;
  /** By the version from which a text holds, oldest first; all versions from there to the next. */
  readonly texts: readonly { readonly from: Major; readonly sql: string }[];
  /** Columns in their order, as exporters take them. */
  readonly columns: readonly {
    readonly name: string;
    readonly usage: "LABEL" | "GAUGE" | "COUNTER";
    readonly help: string;
  }[];
  /** Databases that it runs in. */
  readonly databases: readonly string[];
  /** Condition without which there are no rows. @default - none */
  readonly when?: string;
  readonly cacheSeconds: number;
}

export const allGroups = ({ cluster, monitoring }: Settings): readonly Group[] => [
  ...groups,
  ...monitoring.queries.map((query) => userGroup(query, cluster)),
];

/** What the instance itself says that it is, on every row: a pod's label may be behind, and an exporter's pod has none. */
const roleLabel = { name: "role", help: "primary, or standby" } as const;

const withRole = (sql: string): string =>
  `SELECT CASE WHEN pg_is_in_recovery() THEN 'standby' ELSE 'primary' END AS ${roleLabel.name}, sample.*\nFROM (\n${sql}\n) sample`;

function textsOf(group: Group, context: Omit<QueryContext, "major">): Query["texts"] {
  const texts: { from: Major; sql: string }[] = [];
  for (const major of majors) {
    const text = group.sql({ ...context, major })?.trim();
    const sql = text === undefined ? undefined : withRole(text);
    if (sql !== undefined && sql !== texts.at(-1)?.sql) texts.push({ from: major, sql });
  }
  return texts;
}

/** Conditions of a group in SQL. */
function conditionOf({ needs = [], when }: Group): string | undefined {
  const conditions = [...(needs.length > 0 ? [readable(needs)] : []), ...(when === undefined ? [] : [when])];
  return conditions.length === 0 ? undefined : conditions.join(" AND ");
}

export const perDatabase = ({ databases }: Settings["cluster"]): string[] => [
  serverDatabase,
  ...databases.map(({ name }) => name),
];

export function queriesOf(settings: Settings): Query[] {
  const context = contextOf(settings);
  return allGroups(settings).flatMap((group) => {
    const texts = textsOf(group, context);
    const when = conditionOf(group);
    if (texts.length === 0) return [];
    return [
      {
        group,
        name: groupName(group),
        texts,
        columns: [
          ...[roleLabel, ...group.labels].map(({ name, help }) => ({ name, usage: "LABEL" as const, help })),
          ...group.columns.map(({ name, help, type }) => ({
            name,
            usage: type === "counter" ? ("COUNTER" as const) : ("GAUGE" as const),
            help,
          })),
        ],
        databases:
          group.databases ?? (group.where === "server" ? [serverDatabase] : perDatabase(settings.cluster)),
        ...(when !== undefined && { when }),
        cacheSeconds: cacheSeconds[group.cost],
      },
    ];
  });
}

/** The text for one version of PostgreSQL. */
export const textFor = ({ texts }: Query, major: number): string | undefined =>
  texts.findLast(({ from }) => from <= major)?.sql;

/** A text as YAML writes it in lines; it begins with no space. */
const block = (text: string): string =>
  `|-\n${text
    .trim()
    .split("\n")
    .map((line) => (line === "" ? "" : `    ${line}`))
    .join("\n")}`;

/** What both exporters' files of queries have of one. */
export const yamlOf = (
  key: string,
  {
    query,
    ...fields
  }: Readonly<Record<string, string | number | boolean | readonly string[]>> & { query: string },
  columns: Query["columns"],
): string =>
  [
    `${key}:`,
    `  query: ${block(query)}`,
    ...Object.entries(fields).map(([field, value]) => `  ${field}: ${JSON.stringify(value)}`),
    "  metrics:",
    ...columns.map(
      ({ name, usage, help }) =>
        `    - ${JSON.stringify(name)}: { usage: ${usage}, description: ${JSON.stringify(help)} }`,
    ),
    "",
  ].join("\n");
