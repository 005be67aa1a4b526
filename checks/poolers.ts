import { bytesOf } from "../settings/quantity";
import { alwaysTracked } from "../settings/schema/poolers";
import { mostPods, poolerMemory, poolerShares } from "../settings/sums/poolers";
import { connectionBudget } from "../settings/sums/connections";
import { type Rule, twice } from "./rule";

export const poolers: Rule = (settings, report, engine) => {
  const { cluster, poolers, tier } = settings;
  const failover = engine.pauses(settings).pod.seconds;
  const doubled = twice(poolers.map(({ name }) => name));
  const known = cluster.databases.map(({ name }) => name);
  poolers.forEach((pooler, index) => {
    const at = (key: string) => `poolers[${index}].${key}`;
    const pods = mostPods(pooler);
    if (doubled.has(pooler.name))
      report(at("name"), pooler.name, "a name that no other pooler has", "rename it");
    if (!known.includes(pooler.database))
      report(
        at("database"),
        pooler.database,
        `one of pgplatform:cluster.databases (${known.join(", ")})`,
        "correct it, or add the database",
      );
    if (pooler.autoscaling && pooler.instances < 2)
      report(
        at("instances"),
        pooler.instances,
        "at least 2 with autoscaling, so that one pod may go at any time",
        "set 2 or more",
      );
    else if (tier === "prod" && pooler.instances < 2)
      report(
        at("instances"),
        pooler.instances,
        "at least 2 in the tier prod",
        "set 2, or pgplatform:tier to dev",
      );
    if (pooler.autoscaling && pooler.autoscaling.maxInstances <= pooler.instances)
      report(
        at("autoscaling.maxInstances"),
        pooler.autoscaling.maxInstances,
        `more than instances, ${pooler.instances}`,
        "raise it, or leave autoscaling out",
      );
    if (pooler.reads === "standbys" && cluster.instances === 1)
      report(
        at("reads"),
        pooler.reads,
        "primary with one instance, which has no standby",
        "set primary, or more instances",
      );
    const tracked = pooler.tuning.trackStartupParameters.indexOf("search_path");
    if (tracked >= 0 && Number(cluster.postgresVersion) < 18)
      report(
        at(`tuning.trackStartupParameters[${tracked}]`),
        "search_path",
        "IntervalStyle or default_transaction_read_only: PostgreSQL reports search_path from version 18 on, and PgBouncer can't track it before",
        "give the role its search_path by ALTER ROLE … SET, or raise cluster.postgresVersion to 18",
      );
    const { queryWaitTimeoutSeconds, serverLoginRetrySeconds, ignoreStartupParameters } = pooler.tuning;
    if (failover !== undefined && queryWaitTimeoutSeconds <= failover + serverLoginRetrySeconds)
      report(
        at("tuning.queryWaitTimeoutSeconds"),
        queryWaitTimeoutSeconds,
        `more than ${failover + serverLoginRetrySeconds}: a failover may take ${failover} s, and serverLoginRetrySeconds is ${serverLoginRetrySeconds}`,
        "raise it, or lower the other",
      );
    // A name that is tracked is never ignored.
    const trackedNames = [...alwaysTracked, ...pooler.tuning.trackStartupParameters].map((one) =>
      one.toLowerCase(),
    );
    ignoreStartupParameters.forEach((name, place) => {
      if (trackedNames.includes(name.toLowerCase()))
        report(
          at(`tuning.ignoreStartupParameters[${place}]`),
          name,
          "a parameter that PgBouncer doesn't track: this one it takes and gives to the server connection",
          "leave it out",
        );
    });
    if (pooler.serverConnections < pods)
      report(
        at("serverConnections"),
        pooler.serverConnections,
        `at least ${pods}, one for each pod`,
        "raise it",
      );
    if (pooler.poolSize < pods || pooler.poolSize > pooler.serverConnections)
      report(
        at("poolSize"),
        pooler.poolSize,
        `from ${pods} (one for each pod) to serverConnections, ${pooler.serverConnections}`,
        "change one of the two",
      );
    const needed = Math.ceil(poolerMemory(pooler) / 2 ** 20);
    if (pooler.memory !== undefined && (bytesOf(pooler.memory) ?? 0) < needed * 2 ** 20) {
      const { maxClients, serverConnections } = poolerShares(pooler);
      report(
        at("memory"),
        pooler.memory,
        `at least ${needed}Mi: 64Mi, 32Ki for each of ${maxClients} clients and 128Ki for each of ${serverConnections} server connections of a pod, and never less than 128Mi`,
        "raise it, lower maxClients, or ask for more instances",
      );
    }
    if (pooler.maxClients < pooler.serverConnections)
      report(
        at("maxClients"),
        pooler.maxClients,
        `at least serverConnections, ${pooler.serverConnections}`,
        "raise it, or lower serverConnections",
      );
  });
};

export const connectionSum: Rule = (settings, report) => {
  const { maxConnections } = settings.cluster;
  const { parts, needed } = connectionBudget(settings);
  if (needed > maxConnections)
    report(
      "cluster.maxConnections",
      maxConnections,
      `at least ${needed}: ${parts.map(({ name, connections }) => `${connections} for ${name}`).join(", ")}`,
      "raise it, or lower the poolers' serverConnections or the clients' connections",
    );
};
