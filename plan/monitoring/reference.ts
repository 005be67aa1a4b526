import { filled } from "../../settings/schema/reference";
import { cacheSeconds, type Column, type Group, groupName, groups, metricName, metrics } from "./catalogue";
import { limits } from "./render";

/** The reference of metrics in Markdown. */

const units: Readonly<Record<Column["unit"], string>> = {
  seconds: "seconds",
  bytes: "bytes",
  ratio: "0 to 1",
  timestamp: "Unix time",
  count: "number",
  flag: "0 or 1",
  any: "its own unit",
};

const places = {
  server: "once a server",
  database: "in postgres and each database of the settings",
} as const;
const instances = { all: "every instance", primary: "the primary", standby: "standbys" } as const;

function section(group: Group): string {
  const labels = group.labels.map(({ name, help }) =>
    name === help ? `\`${name}\`` : `\`${name}\` (${help})`,
  );
  const needs = group.needs === undefined ? "" : ` Without ${group.needs.join(", ")} there are none.`;
  return [
    `### \`${groupName(group)}\``,
    "",
    filled(
      `${group.about}. Asked ${places[group.where]}; ${instances[group.on]} ${group.on === "primary" ? "has" : group.on === "all" ? "has" : "have"} rows. Cost: ${group.cost}.${needs}`,
    ),
    ...(labels.length === 0 ? [] : ["", filled(`Labels: ${labels.join("; ")}.`)]),
    "",
    ...group.columns.map((column) =>
      filled(
        `- \`${metricName(group, column)}\` (${column.type}, ${units[column.unit]}): ${column.help}`,
        "  ",
      ),
    ),
  ].join("\n");
}

export const metricsReference = (): string =>
  [
    "# Metrics",
    "",
    "Every metric of PostgreSQL that the platform has, under one name on every engine. This page is generated from the",
    "catalogue (`npm run docs:metrics`); do not edit it.",
    "",
    filled(
      `There are ${metrics.length} metrics in ${groups.length} groups. Besides the labels below, each sample has \`namespace\`, \`cluster\`, \`instance\` (the pod's name) and \`role\` (\`primary\` or \`standby\`).`,
    ),
    "",
    filled(
      "A group is one query. With CloudNativePG the instances run them themselves, as `cnpg_metrics_exporter`; with the other engines postgres_exporter does, as `pgp_metrics`. " +
        `Both roles are members of \`pg_monitor\` and have no other right. A query ends after ${limits.statement_timeout}, and waits for a lock for ${limits.lock_timeout} at most.`,
    ),
    "",
    filled(
      `postgres_exporter keeps the rows of moderate groups for ${cacheSeconds.moderate} s and those of expensive ones for ${cacheSeconds.expensive} s. ` +
        "CloudNativePG has one time for all queries, 30 s. Tables and indexes have series for the 20 largest of each database; with more than ten databases there are 200 in all, and at least 3 of each.",
    ),
    "",
    "## Metrics of your own",
    "",
    filled(
      "A query in `monitoring.queries` makes the metrics `pgplatform_user_<query>_<value>`. This one counts a shop's orders for each tenant:",
    ),
    "",
    "```yaml",
    "pgplatform:monitoring:",
    "  queries:",
    "    - name: orders",
    "      sql: SELECT tenant, count(*) AS open FROM orders WHERE done IS NULL GROUP BY tenant",
    "      tables: [orders]",
    "      labels: [tenant]",
    "      values: [{ name: open, help: orders that are not done }]",
    "      limit: 50",
    "```",
    "",
    "- The owner of the table lets it be read: `GRANT SELECT ON orders TO pg_monitor`. The migration that makes the table",
    "  is the place for it. `GRANT SELECT (tenant, done) ON …` is enough.",
    "- While a table in `tables` isn't there or can't be read, the query doesn't run, and",
    "  `pgplatform_queries_ready` is 0. Nothing else changes.",
    "- `make up` and `make preview` have the live database plan the query as `pg_monitor`. An error is refused with",
    "  PostgreSQL's words.",
    "- A query that fails later makes `pgplatform_exporter_last_error` 1. With CloudNativePG the label of",
    "  `cnpg_errors_total` names it; the exporter's log does on the other engines.",
    "- It runs on the primary alone, so that a sum over instances counts nothing twice.",
    "",
    "## Groups",
    ...groups.flatMap((group) => ["", section(group)]),
    "",
  ].join("\n");
