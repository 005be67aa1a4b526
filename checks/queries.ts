import { groups, prefix } from "../plan/monitoring/catalogue";
import type { QuerySettings } from "../settings/schema/queries";
import { type Rule, twice } from "./rule";

/** Queries of the settings: what names they make, how many series, and whether the SQL is one SELECT. */

/** Labels that every sample has, or that Prometheus gives. */
const reservedLabels =
  "database namespace cluster instance role job pod container endpoint server service le quantile".split(" ");

/** Columns that every query gets beside its own. */
const reservedColumns = ["database", "role"];

const suffixes = { seconds: "_seconds", bytes: "_bytes", ratio: "_ratio" } as const;

/** Most series of one query, in all of its databases. */
const MOST_SERIES = 5000;

/** What a value's name must end with; undefined where it does. */
function wantedEnding({ name, type, unit }: QuerySettings["values"][number]): string | undefined {
  const counter = type === "counter" ? "_total" : "";
  if (unit in suffixes) {
    const ending = `${suffixes[unit as keyof typeof suffixes]}${counter}`;
    // The name may be the unit alone, as of `{ name: bytes }`.
    return `_${name}`.endsWith(ending) ? undefined : ending;
  }
  if (counter !== "") return `_${name}`.endsWith(counter) ? undefined : counter;
  return undefined;
}

/** The end of a name that says another unit or type than the value has. */
function wrongEnding({ name, type, unit }: QuerySettings["values"][number]): string | undefined {
  const ends = (ending: string) => `_${name}`.endsWith(ending);
  if (type === "gauge" && ends("_total")) return "_total";
  return Object.entries(suffixes).find(
    ([of, ending]) => of !== unit && (ends(ending) || ends(`${ending}_total`)),
  )?.[1];
}

/** The statement without what is quoted and without comments; undefined where one of them has no end. */
function bare(sql: string): string | undefined {
  const quoted =
    /--[^\n]*|\/\*(?:[^*]|\*(?!\/))*\*\/|\b[eE]'(?:[^'\\]|''|\\.)*'|'(?:[^']|'')*'|"(?:[^"]|"")*"|\$([A-Za-z_]*)\$[\s\S]*?\$\1\$/g;
  const rest = sql.replace(quoted, " ");
  return /['"]|\/\*|\*\/|\$[A-Za-z_]*\$/.test(rest) ? undefined : rest;
}

/** Why it is not one SELECT that can stand inside another one; undefined where it is. */
function objectionTo(sql: string): string | undefined {
  const code = bare(sql)?.trim();
  const rest = code?.replace(/;$/, "").trim();
  if (code === undefined || rest === undefined) return "has a quotation or a comment without end";
  if (rest.includes(";")) return "is more than one statement";
  if (code.endsWith(";") && !sql.trim().endsWith(";")) return "has a comment behind its semicolon";
  if (!/^(select|with)\b/i.test(rest)) return "is no SELECT";
  const writing =
    /\(\s*(insert|update|delete|merge)\b|^with\b[\s\S]*\)\s*(insert|update|delete|merge)\b/i.exec(rest);
  if (writing) return `writes (${(writing[1] ?? writing[2] ?? "").toUpperCase()})`;
  if (/\binto\b/i.test(rest)) return "writes (INTO)";
  const locking = /\bfor\s+(?:no\s+key\s+update|update|key\s+share|share)\b/i.exec(rest);
  if (locking) return `locks rows (${locking[0].toUpperCase().replace(/\s+/g, " ")})`;
  let depth = 0;
  for (const character of rest) {
    if (character === "(") depth += 1;
    if (character === ")") depth -= 1;
    if (depth < 0) break;
  }
  return depth === 0 ? undefined : "has parentheses that don't match";
}

export const queries: Rule = ({ cluster, monitoring }, report) => {
  const known = cluster.databases.map(({ name }) => name);
  const doubled = twice(monitoring.queries.map(({ name }) => name));
  const owners = new Map<string, string>();
  monitoring.queries.forEach((query, index) => {
    const at = (key: string) => `monitoring.queries[${index}].${key}`;
    const { name, sql, databases = [], labels, values, limit } = query;
    if (doubled.has(name)) report(at("name"), name, "a name that no other query has", "rename it");
    if (groups.some((group) => group.name === name))
      report(
        at("name"),
        name,
        `a name that no group of the platform's own metrics has: ${prefix}_${name}_… are there`,
        "rename it",
      );
    databases.forEach((database, place) => {
      if (!known.includes(database))
        report(
          at(`databases[${place}]`),
          database,
          `one of ${known.join(", ")}`,
          "name a database of cluster.databases",
        );
    });
    const objection = objectionTo(sql);
    if (objection !== undefined)
      report(
        at("sql"),
        sql,
        `one SELECT that reads; this ${objection}`,
        "write one SELECT, with or without WITH before it",
      );
    const columns = twice([...labels, ...values.map((value) => value.name)]);
    labels.forEach((label, place) => {
      if (columns.has(label))
        report(
          at(`labels[${place}]`),
          label,
          "a column that no other label or value names",
          "name each column once",
        );
      if (reservedLabels.includes(label))
        report(
          at(`labels[${place}]`),
          label,
          `any name but ${reservedLabels.join(", ")}, which samples have anyway`,
          "give the column another name by AS",
        );
    });
    values.forEach((value, place) => {
      const where = at(`values[${place}].name`);
      const ending = wantedEnding(value);
      const wrong = wrongEnding(value);
      if (ending !== undefined)
        report(
          where,
          value.name,
          `a name that ends with ${ending}, since it is a ${value.type} of ${value.unit}`,
          "rename it and the query's column, or correct unit and type",
        );
      else if (wrong !== undefined)
        report(
          where,
          value.name,
          `a name without ${wrong} at its end, since it is a ${value.type} of ${value.unit}`,
          "rename it and the query's column, or correct unit and type",
        );
      if (columns.has(value.name) && !labels.includes(value.name))
        report(where, value.name, "a column that no other label or value names", "name each column once");
      if (reservedColumns.includes(value.name))
        report(
          where,
          value.name,
          `any name but ${reservedColumns.join(", ")}, columns that every query gets as labels`,
          "give the column another name by AS",
        );
      const metric = `${prefix}_user_${name}_${value.name}`;
      const owner = owners.get(metric);
      if (owner !== undefined && owner !== name)
        report(
          where,
          value.name,
          `a name with which no two metrics are ${metric}, as with the query ${owner}`,
          "rename it",
        );
      owners.set(metric, name);
    });
    const series = (labels.length === 0 ? 1 : limit) * values.length * Math.max(1, databases.length);
    if (series > MOST_SERIES)
      report(
        at("limit"),
        limit,
        `at most ${Math.floor(MOST_SERIES / (values.length * Math.max(1, databases.length)))}, so that the query has no more than ${MOST_SERIES} series`,
        "lower it, or leave out values or databases",
      );
  });
};
