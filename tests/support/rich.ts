import { planner as cnpg } from "../../plan/engines/cnpg/planner";
import { poolerPlan } from "../../plan/pooler/plan";
import { check, sentence } from "../../checks/index";
import { changed, checked, smallest } from "./settings";

export const sentences = (input: unknown): string[] => {
  const result = check(input);
  return "problems" in result ? result.problems.map(sentence) : [];
};
export const specOf = (input: unknown) =>
  cnpg.plan(checked(input)).objects[0]!.object.spec as Record<string, unknown> & {
    affinity: Record<string, unknown>;
    managed: { roles: Record<string, unknown>[] };
    postgresql: { parameters: Record<string, string>; pg_hba: string[]; shared_preload_libraries?: string[] };
  };
export const databaseSpec = (input: unknown, name: string) =>
  cnpg.plan(checked(input)).objects.find(({ id }) => id === `database-${name}`)!.object.spec as Record<
    string,
    unknown
  >;
export const database = (more: object) =>
  changed(smallest(), "cluster.databases", [{ name: "app", owner: "app", ...more }]);
export const withPooler = (more: object) => ({
  ...smallest(),
  poolers: [{ name: "p", database: "app", ...more }],
});
export const poolerObjects = (input: unknown) => {
  const settings = checked(input);
  return poolerPlan(settings, settings.poolers[0]!, cnpg.plan(settings)).objects;
};
export const prod = <T>(input: T): T => changed(input, "tier", "prod");

/** Everything of these settings at once, as far as it goes together. */
export const rich = () => ({
  ...smallest(),
  // Nodes of the built-in cluster pull nothing from a mirror.
  platform: "k3d",
  labels: { team: "shop", "example.com/cost-centre": "42" },
  images: { registry: "registry.example.com/mirror" },
  registries: [{ server: "registry.example.com", username: "puller", password: "hunter2" }],
  cluster: {
    ...smallest().cluster,
    spread: "preferred",
    storage: { size: "2Gi", writeMiBPerSecond: 1, toleratedOutageHours: 2 },
    resources: { limits: { memory: "4Gi" } },
    maxConnections: 200,
    databases: [
      {
        name: "app",
        owner: "app",
        ownerConnectionLimit: 80,
        schemas: [{ name: "audit", owner: "reader" }, { name: "shop" }],
        extensions: ["pg_stat_statements", "pgaudit", { name: "pg_trgm", schema: "shop", version: "1.6" }],
      },
      { name: "reports", owner: "analyst", connectionLimit: 60 },
    ],
    roles: [
      { name: "reader", connectionLimit: 5, memberOf: ["pg_read_all_data"] },
      { name: "writers", login: false, memberOf: ["app"], createDatabases: true },
    ],
    access: [
      { database: "app", role: "app", from: "10.0.0.0/8" },
      { role: "reader", from: "2001:db8::/32" },
      { database: "reports", tls: false },
    ],
  },
  poolers: [
    { name: "p", database: "app", autoscaling: { maxInstances: 4 } },
    { name: "reads", database: "reports", reads: "standbys" },
  ],
  clients: [{ name: "c", namespace: "x", labels: { app: "c" }, direct: true, connections: 7 }],
});
