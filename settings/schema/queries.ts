import * as z from "zod";
import { atOnce, documented, integer, oneOf, sqlName } from "./types";

/** Metrics of a user's own data. */

const name = (means: string, change: string, longest = 40) =>
  documented(z.string().regex(new RegExp(`^[a-z](?!.*__)[a-z0-9_]{0,${longest - 1}}(?<!_)$`)), {
    means,
    change,
    allowed: `lower-case letters, digits and single underscores between them, first a letter, at most ${longest} characters`,
    fix: "rename it",
  });

const help = (means: string) =>
  documented(z.string().regex(/^[^\x00-\x1f\x7f]{1,200}$/), {
    means,
    change: atOnce,
    allowed: "one line of at most 200 characters",
    fix: "say it in one line",
  });

const value = z.strictObject({
  name: name(
    "Column of the query with the value, and the end of the metric's name. It ends with its unit: _seconds, _bytes or _ratio, and _total of a counter behind that.",
    "A change begins another metric.",
  ),
  type: oneOf(
    ["gauge", "counter"],
    "gauge: it goes up and down; counter: it only grows, from 0 at a restart of the data. Default: gauge.",
    atOnce,
  ).default("gauge"),
  unit: oneOf(
    ["count", "seconds", "bytes", "ratio", "other"],
    "What is measured; seconds, bytes and ratio (0 to 1) are the end of the name, too. other: the name says it, such as revenue_euros. Default: count.",
    atOnce,
  ).default("count"),
  help: help("What it tells, for the reader of a chart."),
});

const query = z.strictObject({
  name: name(
    "Name of the query: its metrics are pgplatform_user_<name>_<value>.",
    "A change begins other metrics.",
  ),
  databases: documented(z.array(sqlName("Database of the settings.", atOnce)).min(1), {
    means:
      "Databases that it runs in; the label database of each sample says which. Default: the first of cluster.databases.",
    change: atOnce,
    allowed: "at least one name of a database of cluster.databases",
  }).optional(),
  sql: documented(z.string().regex(/^[^\x00-\x08\x0b\x0c\x0e-\x1f\x7f]{1,4000}$/), {
    means:
      "One SELECT, whose columns are named as labels and values. Rows with equal labels become one, with the largest values. It runs at each scrape on the primary, for at most 3 " +
      "seconds, and can read only what pg_monitor can: have the tables' owner GRANT SELECT ON … TO pg_monitor.",
    change: "A change takes effect within two minutes and restarts nothing of PostgreSQL.",
    allowed: "one SELECT of at most 4000 characters",
  }),
  tables: documented(
    z.array(
      documented(z.string().regex(/^[a-z_][a-z0-9_]{0,62}(\.[a-z_][a-z0-9_]{0,62})?$/), {
        means: "Table or view, with or without its schema.",
        change: atOnce,
        allowed: "a name such as sales or shop.sales",
      }),
    ),
    {
      means:
        "Tables that it reads. While one of them isn't there, or pg_monitor may not read it, the query doesn't run, and pgplatform_queries_ready is 0. Default: none, and a table that is missing counts as an error.",
      change: atOnce,
      allowed: "a list of tables such as sales or shop.sales",
    },
  ).default([]),
  labels: documented(
    z.array(name("Column of the query with the label's value.", "A change begins other metrics.")).max(5),
    {
      means:
        "Labels of the metrics beside database; each value makes series of its own. Default: none, for a query of one row.",
      change: "A change begins other metrics.",
      allowed: "at most 5 names of columns",
    },
  ).default([]),
  values: documented(z.array(value).min(1).max(10), {
    means: "Values that the query gives, each a metric.",
    change: atOnce,
    allowed: "1 to 10 of { name, type, unit, help }",
  }),
  limit: integer(
    "Most rows that are taken, those with the largest first value; each is a series of each value. Default: 100.",
    1,
    1000,
    atOnce,
    "rows",
  ).default(100),
});

export const queries = documented(z.array(query).max(50), {
  means: "Metrics of the applications' own data, by SQL, such as the sales of each tenant. Default: none.",
  change: "A change takes effect within two minutes and restarts nothing of PostgreSQL.",
  allowed:
    "at most 50 of { name, databases, sql, tables, labels, values, limit } of which name, sql and values must be there",
}).default([]);

export type QuerySettings = z.output<typeof query>;
