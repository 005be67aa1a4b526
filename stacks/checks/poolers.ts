import { poolerShares } from "../../components/pgbouncer/sums";
import { reservedConnections } from "../defaults";
import { type Rule, twice } from "./rule";

export const poolers: Rule = ({ cluster, poolers }, report) => {
  const doubled = twice(poolers.map(({ name }) => name));
  const known = cluster.databases.map(({ name }) => name);
  poolers.forEach((pooler, index) => {
    const at = (key: string) => `poolers[${index}].${key}`;
    if (doubled.has(pooler.name))
      report(at("name"), pooler.name, "a name that no other pooler has", "rename it");
    if (!known.includes(pooler.database))
      report(
        at("database"),
        pooler.database,
        `one of pgplatform:cluster.databases (${known.join(", ")})`,
        "correct it, or add the database",
      );
    if (pooler.serverConnections < pooler.instances)
      report(
        at("serverConnections"),
        pooler.serverConnections,
        `at least ${pooler.instances}, one for each pod`,
        "raise it",
      );
    if (pooler.poolSize < pooler.instances || pooler.poolSize > pooler.serverConnections)
      report(
        at("poolSize"),
        pooler.poolSize,
        `from ${pooler.instances} (one for each pod) to serverConnections, ${pooler.serverConnections}`,
        "change one of the two",
      );
    if (pooler.maxClients < pooler.serverConnections)
      report(
        at("maxClients"),
        pooler.maxClients,
        `at least serverConnections, ${pooler.serverConnections}`,
        "raise it, or lower serverConnections",
      );
  });
};

export const connectionSum: Rule = ({ cluster, poolers }, report) => {
  const pooled = poolers.reduce((sum, pooler) => sum + poolerShares(pooler).serverConnectionsInAll, 0);
  const needed = pooled + reservedConnections;
  if (poolers.length > 0 && needed > cluster.maxConnections)
    report(
      "cluster.maxConnections",
      cluster.maxConnections,
      `at least ${needed}: ${pooled} for the poolers (one login look-up for each pod included) and ${reservedConnections} in reserve`,
      "raise it, or lower the poolers' serverConnections",
    );
};
