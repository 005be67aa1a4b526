import { setTimeout as delay } from "node:timers/promises";
import type { Settings, SettingsInput } from "../../settings/schema";
import { checked, smallest } from "../support/settings";
import type { Pair, Server } from "./servers";

/** Settings, databases and a role for the suites that ask real servers. */

const monitoring: SettingsInput["monitoring"] = {
  queries: [
    {
      name: "sales",
      sql: "SELECT tenant, amount AS revenue_euros, 1 AS orders FROM sales",
      tables: ["sales"],
      labels: ["tenant"],
      values: [
        { name: "revenue_euros", unit: "other", help: "sales of a tenant" },
        { name: "orders", help: "orders of a tenant" },
      ],
      limit: 2,
    },
    {
      name: "empty",
      sql: "SELECT * FROM (VALUES (NULL, 1), ('', 2), ('one', 3)) AS v (tenant, orders)",
      labels: ["tenant"],
      values: [{ name: "orders", help: "a label that is NULL in one row and empty in another" }],
    },
    {
      name: "later",
      sql: "SELECT count(*) AS rows FROM not_there_yet;",
      tables: ["not_there_yet"],
      values: [{ name: "rows", help: "rows of a table that nobody has made" }],
    },
    {
      name: "hidden",
      sql: "SELECT count(*) AS rows FROM hidden -- a comment at its end",
      tables: ["shop.hidden"],
      values: [{ name: "rows", help: "rows of a table that pg_monitor may not read" }],
    },
    {
      name: "customers",
      databases: ["reports"],
      sql: "SELECT count(*) AS count FROM (VALUES (1), (2)) AS v",
      values: [{ name: "count", help: "a query of one row, without tables" }],
    },
  ],
};

export const settingsOf = (major: number): Settings =>
  checked({
    ...smallest(),
    cluster: {
      ...smallest().cluster,
      postgresVersion: String(major) as "17",
      databases: [
        { name: "app", owner: "app" },
        { name: "reports", owner: "app" },
      ],
    },
    monitoring,
  });

export const user = "metrics";
export const databases = ["postgres", "app", "reports"];

export function prepare(primary: Server): void {
  primary.psql(`CREATE ROLE ${user} LOGIN CONNECTION LIMIT 20; GRANT pg_monitor TO ${user};
CREATE EXTENSION pg_stat_statements;`);
  for (const name of ["app", "reports"]) primary.psql(`CREATE DATABASE ${name}`);
  primary.psql(
    `CREATE TABLE sales (tenant text, amount numeric, note text DEFAULT repeat('x', 200));
INSERT INTO sales SELECT 'tenant ' || i % 4, i FROM generate_series(1, 5000) i;
CREATE INDEX sales_amount ON sales (amount); CREATE UNIQUE INDEX sales_one ON sales (tenant, amount);
ANALYZE sales; UPDATE sales SET amount = amount + 10000 WHERE amount < 1000; VACUUM; DELETE FROM sales WHERE amount > 14000;
CREATE TABLE locked (id int PRIMARY KEY); CREATE TABLE rebuilt (id int PRIMARY KEY); CREATE TABLE toasted (document text); CREATE SCHEMA shop; CREATE TABLE shop.hidden (id int); CREATE TABLE "Odd ""Name" (id int);
GRANT SELECT ON sales TO pg_monitor; CREATE TABLE a AS SELECT i FROM generate_series(1, 10) i;
SELECT * FROM pg_create_logical_replication_slot('decoder', 'pgoutput');
BEGIN; INSERT INTO a VALUES (0); PREPARE TRANSACTION 'first';`,
    { database: "app" },
  );
}

/** Waits until the standby has all that the primary wrote. */
export async function caughtUp({ primary }: Pair): Promise<void> {
  const all =
    "SELECT count(*) FROM pg_stat_replication WHERE state = 'streaming' AND replay_lsn >= pg_current_wal_lsn()";
  while (primary.psql(all).trim() !== "1") await delay(100);
}
