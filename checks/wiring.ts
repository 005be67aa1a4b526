import { wiringOf } from "../plan/wiringPlan";
import { type Rule, twice } from "./rule";

export const wiring: Rule = (settings, report) => {
  const { cluster, clients, poolers } = settings;
  const databases = cluster.databases.map(({ name }) => name);
  const logins = [
    ...new Set(cluster.databases.map(({ owner }) => owner)),
    ...cluster.roles.filter(({ login }) => login).map(({ name }) => name),
  ];
  const nameOf = (client: (typeof clients)[number]) =>
    `${client.namespace}/${wiringOf(settings, client)?.name}`;
  const doubled = twice(clients.filter(({ wiring }) => wiring !== false).map(nameOf));

  clients.forEach((client, index) => {
    const { wiring, namespace, pooler } = client;
    if (wiring === false) return;
    const at = (key: string) => `clients[${index}].wiring${key === "" ? "" : `.${key}`}`;
    if (doubled.has(nameOf(client)))
      report(
        at("name"),
        wiringOf(settings, client)?.name,
        `a name that no other client's wiring has in the namespace ${namespace}`,
        "rename it",
      );
    if (wiring === true) return;
    const isHome = namespace === cluster.namespace;
    const pooled = poolers.find(({ name }) => name === pooler)?.database;
    if (isHome && wiring.name?.startsWith(`${cluster.name}-`) === true)
      report(
        at("name"),
        wiring.name,
        `a name that doesn't begin with ${cluster.name}-, as the platform's own objects in that namespace do`,
        "rename it, or leave it out",
      );
    if (wiring.database !== undefined && !databases.includes(wiring.database))
      report(
        at("database"),
        wiring.database,
        `one of pgplatform:cluster.databases (${databases.join(", ")})`,
        "correct it, or add the database",
      );
    else if (wiring.database !== undefined && pooled !== undefined && wiring.database !== pooled)
      report(
        at("database"),
        wiring.database,
        `${pooled}, which is what the pooler ${pooler} leads to`,
        "leave it out, or name another pooler",
      );
    if (wiring.role !== undefined && !logins.includes(wiring.role))
      report(
        at("role"),
        wiring.role,
        `a role that logs in (${logins.join(", ")})`,
        "correct it, or add the role to cluster.roles",
      );
    for (const key of ["copySecret", "makeNamespace"] as const)
      if (isHome && wiring[key])
        report(
          at(key),
          true,
          "false in the cluster's own namespace, which the platform makes and where the role's Secret is",
          "leave it out",
        );
  });
};
