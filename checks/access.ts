import { roles } from "../plan/names";
import type { Rule } from "./rule";

/** Rules of access name what is there: a misspelt one would lock its role out, and so does one for a role that others are members of. */
export const access: Rule = ({ cluster, tier, maintenance, poolers }, report) => {
  const replicates = cluster.roles.some(({ replication }) => replication);
  const databases = [
    "all",
    ...(replicates ? ["replication"] : []),
    ...cluster.databases.map(({ name }) => name),
  ];
  const known = [
    "all",
    ...new Set(cluster.databases.map(({ owner }) => owner)),
    ...cluster.roles.filter(({ login }) => login).map(({ name }) => name),
    roles.admin,
  ];
  cluster.access.forEach(({ database, role, tls }, index) => {
    const at = (key: string) => `cluster.access[${index}].${key}`;
    if (!databases.includes(database))
      report(at("database"), database, `one of ${databases.join(", ")}`, "correct it, or add the database");
    if (!known.includes(role))
      report(
        at("role"),
        role,
        `a role that logs in: ${known.join(", ")}`,
        cluster.roles.some(({ name }) => name === role)
          ? "name its members, each in a rule of its own"
          : "correct it, or add the role to cluster.roles",
      );
    if (!tls && tier === "prod")
      report(
        at("tls"),
        false,
        "true in the tier prod, since passwords and data would cross the network as plain text",
        "remove it",
      );
  });
  if (cluster.access.length === 0) return;
  const into = (database: string) =>
    cluster.access.filter((rule) => ["all", database].includes(rule.database));
  for (const { name, owner } of maintenance === undefined ? [] : cluster.databases)
    if (!into(name).some(({ role }) => ["all", owner].includes(role)))
      report(
        "cluster.access",
        cluster.access,
        `with maintenance, a rule that lets ${owner} into the database ${name}: its statements are run as the owner`,
        "add the rule, or leave maintenance out",
      );
  poolers.forEach(({ database }, index) => {
    if (into(database).length === 0)
      report(
        `poolers[${index}].database`,
        database,
        "a database that a rule of cluster.access opens",
        "add a rule, or remove the pooler",
      );
  });
};
