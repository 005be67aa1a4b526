import { literal } from "../../postgres/sql/text";
import { flag, gauge, type Group, seconds } from "./types";

/** What the platform is, and what it was asked for. */

export const platformGroups: readonly Group[] = [
  {
    name: "",
    about: "The platform itself",
    labels: [
      { name: "engine", help: "cnpg, zalando or standalone" },
      { name: "version", help: "version of Postgres Platform" },
      { name: "postgres_version", help: "version of the running server" },
      { name: "tier", help: "dev or prod" },
      { name: "settings", help: "digest of the settings, which changes with them" },
    ],
    columns: [flag("info", "1; the labels say what runs")],
    where: "server",
    on: "all",
    cost: "cheap",
    limit: () => 1,
    sql: ({ facts: { engine, version, tier, settings } }) => `
SELECT ${literal(engine)} AS engine, ${literal(version)} AS version,
  split_part(current_setting('server_version'), ' ', 1) AS postgres_version,
  ${literal(tier)} AS tier, ${literal(settings)} AS settings, 1 AS info`,
  },
  {
    name: "wanted",
    about: "What the settings ask for",
    labels: [],
    columns: [
      gauge("instances", "instances that the settings ask for"),
      gauge("synchronous_standbys", "standbys that acknowledge each commit, 0 with durability async"),
      seconds("rpo_seconds", "recovery point objective, 0 without backups"),
      flag("backups", "1 if the settings have a target of backups"),
      gauge("poolers", "poolers that the settings ask for"),
    ],
    where: "server",
    on: "all",
    cost: "cheap",
    limit: () => 1,
    sql: ({ facts }) => `
SELECT ${facts.instances} AS instances, ${facts.synchronousStandbys} AS synchronous_standbys,
  ${facts.rpoSeconds} AS rpo_seconds, ${Number(facts.backups)} AS backups, ${facts.poolers} AS poolers`,
  },
  {
    name: "rotation",
    about: "Rotation of passwords",
    labels: [],
    columns: [
      gauge("old_sessions", "sessions of a login that a rotation has replaced or is replacing"),
      gauge("logins_of_two", "roles of which both logins may log in, as while a rotation is under way"),
      gauge("version", "credential version that the settings ask for"),
    ],
    where: "server",
    on: "all",
    cost: "cheap",
    limit: () => 1,
    // Odd versions log in as the role, even ones as its second login.
    // Both logins of a role whose password another owner has may always log in; the owner says which has a password.
    sql: ({ facts: { credentialVersion, sourcedRoles } }) => `
WITH pairs AS (
  SELECT one.rolname AS odd, two.rolname AS even, one.rolcanlogin AND two.rolcanlogin AS both_log_in
  FROM pg_roles one JOIN pg_roles two ON two.rolname = one.rolname || '_b'${
    sourcedRoles.length === 0
      ? ""
      : `\n  WHERE one.rolname <> ALL (ARRAY[${sourcedRoles.map(literal).join(", ")}]::name[])`
  }
)
SELECT (SELECT count(*) FROM pg_stat_activity a JOIN pairs p ON a.usename = p.${credentialVersion % 2 === 1 ? "even" : "odd"}) AS old_sessions,
  (SELECT count(*) FROM pairs WHERE both_log_in) AS logins_of_two, ${credentialVersion} AS version`,
  },
];
