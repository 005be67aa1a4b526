import { bindingOf } from "../plan/bindings";
import { mayPool } from "../plan/postgres/roles";
import { type Rule, twice } from "./rule";

export const binding: Rule = (settings, report) => {
  const { cluster, clients, poolers } = settings;
  const databases = cluster.databases.map(({ name }) => name);
  const logins = [
    ...new Set(cluster.databases.map(({ owner }) => owner)),
    ...cluster.roles.filter(({ login }) => login).map(({ name }) => name),
  ];
  const nameOf = (client: (typeof clients)[number]) =>
    `${client.namespace}/${bindingOf(settings, client)?.name}`;
  const doubled = twice(clients.filter(({ binding }) => binding !== false).map(nameOf));

  clients.forEach((client, index) => {
    const { binding, namespace, pooler, direct } = client;
    if (binding === false) return;
    const at = (key: string) => `clients[${index}].binding${key === "" ? "" : `.${key}`}`;
    if (doubled.has(nameOf(client)))
      report(
        at("name"),
        bindingOf(settings, client)?.name,
        `a name that no other client's binding has in the namespace ${namespace}`,
        "rename it",
      );
    if (binding === true) return;
    const inClusterNamespace = namespace === cluster.namespace;
    const pooled = poolers.find(({ name }) => name === pooler)?.database;
    if (inClusterNamespace && binding.name?.startsWith(`${cluster.name}-`) === true)
      report(
        at("name"),
        binding.name,
        `a name that doesn't begin with ${cluster.name}-, as the platform's own objects in that namespace do`,
        "rename it, or leave it out",
      );
    if (binding.database !== undefined && !databases.includes(binding.database))
      report(
        at("database"),
        binding.database,
        `one of pgplatform:cluster.databases (${databases.join(", ")})`,
        "correct it, or add the database",
      );
    else if (binding.database !== undefined && pooled !== undefined && binding.database !== pooled)
      report(
        at("database"),
        binding.database,
        `${pooled}, which is what the pooler ${pooler} leads to`,
        "leave it out, or name another pooler",
      );
    if (binding.role !== undefined && !logins.includes(binding.role))
      report(
        at("role"),
        binding.role,
        `a role that logs in (${logins.join(", ")})`,
        "correct it, or add the role to cluster.roles",
      );
    else if (binding.role !== undefined && pooler !== undefined && !direct && !mayPool(cluster, binding.role))
      report(
        at("role"),
        binding.role,
        "a role without replication, since poolers let none in that may replicate",
        `set clients[${index}].direct to true, or name another role`,
      );
    const { prometheus, namespace: ofMonitoring } = settings.monitoring;
    if (binding.makeNamespace && prometheus === "install" && namespace === ofMonitoring)
      report(
        at("makeNamespace"),
        true,
        "false in the namespace of monitoring, which the platform makes",
        "leave it out",
      );
    for (const key of ["copySecret", "makeNamespace"] as const)
      if (inClusterNamespace && binding[key])
        report(
          at(key),
          true,
          "false in the cluster's own namespace, which the platform makes and where the role's Secret is",
          "leave it out",
        );
  });
};
