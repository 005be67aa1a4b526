import { rolePrefix, roles as own } from "../plan/names";
import type { EngineTraits } from "../plan/engines/planner";
import type { PoolerSettings } from "../settings/schema";
import { listed, matches, type Report, type Rule, twice } from "./rule";

/** Words that mean something else where PostgreSQL reads names of roles and databases. */
export const keywords = ["all", "replication", "sameuser", "samerole", "samegroup"];

const taken = ["public", "none", ...keywords];

/** The server's roles, the engine's, and the platform's. */
const reserved = ({ systemRoles }: EngineTraits): string[] => [
  "postgres",
  "pg_*",
  ...systemRoles,
  `${rolePrefix}*`,
];

export const reservedRole = (name: string, engine: EngineTraits): boolean =>
  taken.includes(name) || reserved(engine).some((pattern) => matches(pattern, name));

export const freeRole = (engine: EngineTraits): string =>
  `a role that isn't the server's, the engine's or the platform's (${listed(reserved(engine))}) ` +
  `nor a keyword (${taken.join(", ")})`;

/** With these a role could become the operating system's user that runs the server, and so a superuser. */
const dangerous = ["pg_execute_server_program", "pg_read_server_files", "pg_write_server_files"];

/** PostgreSQL's own roles, with the major that each came with. */
const predefined: Readonly<Record<string, number>> = {
  pg_checkpoint: 15,
  pg_create_subscription: 16,
  pg_maintain: 17,
  pg_monitor: 10,
  pg_read_all_data: 14,
  pg_read_all_settings: 10,
  pg_read_all_stats: 10,
  pg_signal_autovacuum_worker: 18,
  pg_signal_backend: 10,
  pg_stat_scan_tables: 10,
  pg_use_reserved_connections: 16,
  pg_write_all_data: 14,
};

/** Whether a role is, over others, a member of itself. */
function circular(name: string, memberships: ReadonlyMap<string, readonly string[]>): boolean {
  const seen = new Set<string>();
  const reaches = (role: string): boolean =>
    (memberships.get(role) ?? []).some((group) => {
      if (group === name) return true;
      if (seen.has(group)) return false;
      seen.add(group);
      return reaches(group);
    });
  return reaches(name);
}

/** A role's own limit, where these poolers open sessions for it. */
export function pooledLimit(
  path: string,
  limit: number | undefined,
  poolers: readonly PoolerSettings[],
  report: Report,
): void {
  const pool = Math.max(0, ...poolers.map(({ poolSize }) => poolSize));
  if (limit !== undefined && limit < pool)
    report(
      path,
      limit,
      `at least ${pool}, the poolSize of its pooler, which opens as many for one role`,
      "raise it, or lower poolSize",
    );
}

export const roles: Rule = ({ cluster, clients, poolers }, report, engine) => {
  const owners = cluster.databases.map(({ owner }) => owner);
  const doubled = twice(cluster.roles.map(({ name }) => name));
  const memberships = new Map(cluster.roles.map(({ name, memberOf }) => [name, memberOf]));
  const major = Number(cluster.postgresVersion);
  const groups = [
    ...new Set([...owners, ...memberships.keys()]),
    ...Object.keys(predefined).filter((name) => (predefined[name] ?? 0) <= major),
  ];
  cluster.roles.forEach(({ name, memberOf, connectionLimit }, index) => {
    const at = (key: string) => `cluster.roles[${index}].${key}`;
    const its = clients
      .filter(({ binding }) => typeof binding === "object" && binding.role === name)
      .map(({ pooler }) => pooler);
    const theirs = poolers.filter((pooler) => its.includes(pooler.name));
    pooledLimit(at("connectionLimit"), connectionLimit, theirs, report);
    if (reservedRole(name, engine)) report(at("name"), name, freeRole(engine), "rename it");
    if (owners.includes(name))
      report(
        at("name"),
        name,
        "a role that owns none of cluster.databases",
        "remove it: owners are made anyway",
      );
    if (doubled.has(name)) report(at("name"), name, "a name that no other role has", "rename it");
    if (circular(name, memberships))
      report(at("memberOf"), memberOf, "roles that are no members of this one", "break the circle");
    memberOf.forEach((group, place) => {
      const path = `${at("memberOf")}[${place}]`;
      if (dangerous.includes(group))
        report(
          path,
          group,
          "a role that can't become a superuser by files or programs of the server",
          "remove it",
        );
      else if (Object.values(own).some((role) => role === group))
        report(path, group, "a role that isn't the platform's", "remove it");
      else if (!groups.includes(group))
        report(path, group, `one of ${groups.join(", ")}`, "correct it, or add the role");
    });
  });
};
