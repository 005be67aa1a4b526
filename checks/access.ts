import { roles } from "../plan/names";
import type { Rule } from "./rule";

/** Rules of access name what is there: a misspelt one would lock its role out. */
export const access: Rule = ({ cluster, tier }, report) => {
  const replicates = cluster.roles.some(({ replication }) => replication);
  const databases = [
    "all",
    ...(replicates ? ["replication"] : []),
    ...cluster.databases.map(({ name }) => name),
  ];
  const known = [
    "all",
    ...new Set(cluster.databases.map(({ owner }) => owner)),
    ...cluster.roles.map(({ name }) => name),
    roles.admin,
  ];
  cluster.access.forEach(({ database, role, tls }, index) => {
    const at = (key: string) => `cluster.access[${index}].${key}`;
    if (!databases.includes(database))
      report(at("database"), database, `one of ${databases.join(", ")}`, "correct it, or add the database");
    if (!known.includes(role))
      report(at("role"), role, `one of ${known.join(", ")}`, "correct it, or add the role to cluster.roles");
    if (!tls && tier === "prod")
      report(
        at("tls"),
        false,
        "true in the tier prod, since passwords and data would cross the network as plain text",
        "remove it",
      );
  });
};
