import { refusedParameters } from "./refusedParameters";
import { changed, smallest } from "./settings";

/** Settings that are refused: what is changed in the smallest ones that pass, and every sentence that must come of it. */
export interface Refusal {
  readonly change: Readonly<Record<string, unknown>>;
  readonly sentences: readonly string[];
}

/** One setting that is wrong, and its sentence. */
const single: [path: string, value: unknown, sentence: string][] = [
  ["platform", "gke", 'pgplatform:platform is "gke", allowed is local, k3d, cloud: choose an allowed value.'],
  ["platform", undefined, "pgplatform:platform is not set, allowed is local, k3d, cloud: set it."],
  [
    "cluster",
    undefined,
    "pgplatform:cluster is not set, allowed is an object with name, namespace, makeNamespace, engine, postgresVersion, instances, spread, durability, synchronousStandbys, failover, storage, resources, maxConnections, parameters, databases, roles, access: set it.",
  ],
  [
    "cluster.instanses",
    3,
    "pgplatform:cluster.instanses is 3, allowed is one of name, namespace, makeNamespace, engine, postgresVersion, instances, spread, durability, synchronousStandbys, failover, storage, resources, maxConnections, parameters, databases, roles, access: remove it or correct its spelling.",
  ],
  [
    "backups",
    {},
    "pgplatform:backups is {}, allowed is one of platform, tier, kubernetes, operator, cluster, poolers, clients, rotation, backup, restore, network, monitoring, labels, images, registries, transform: remove it or correct its spelling.",
  ],
  [
    "cluster.name",
    "Main_1",
    'pgplatform:cluster.name is "Main_1", allowed is a DNS label: lower-case letters, digits and hyphens, first a letter, not ending in a hyphen, at most 50 characters: rename it.',
  ],
  [
    "cluster.name",
    "a".repeat(51),
    `pgplatform:cluster.name is "${"a".repeat(51)}", allowed is a DNS label: lower-case letters, digits and hyphens, first a letter, not ending in a hyphen, at most 50 characters: rename it.`,
  ],
  [
    "cluster.instances",
    0,
    "pgplatform:cluster.instances is 0, allowed is a whole number from 1 to 9: choose an allowed value.",
  ],
  [
    "cluster.instances",
    "3",
    'pgplatform:cluster.instances is "3", allowed is a whole number from 1 to 9: choose an allowed value.',
  ],
  [
    "cluster.instances",
    1,
    'pgplatform:cluster.durability is "zero-loss", allowed is async with one instance, since no standby could confirm a commit: set async, or cluster.instances to 3.',
  ],
  [
    "cluster.instances",
    2,
    'pgplatform:cluster.durability is "zero-loss", allowed is balanced or async with two instances, since writes would stop whenever the only standby restarts: set cluster.instances to 3, or choose balanced.',
  ],
  [
    "cluster.instances",
    4,
    "pgplatform:cluster.instances is 4, allowed is an odd number with zero-loss, since one more instance adds nothing to an even quorum: set 3 or 5.",
  ],
  [
    "cluster.synchronousStandbys",
    2,
    "pgplatform:cluster.synchronousStandbys is 2, allowed is at most 1 with 3 instances, so that one standby may be down: set 1, or more instances.",
  ],
  [
    "cluster.durability",
    "paranoid",
    'pgplatform:cluster.durability is "paranoid", allowed is zero-loss, balanced, async: choose an allowed value.',
  ],
  [
    "cluster.postgresVersion",
    17,
    "pgplatform:cluster.postgresVersion is 17, allowed is 15, 16, 17, 18: choose an allowed value.",
  ],
  [
    "cluster.storage.size",
    "2 GB",
    'pgplatform:cluster.storage.size is "2 GB", allowed is a Kubernetes quantity of bytes such as 20Gi: write a number and a unit, such as 20Gi.',
  ],
  [
    "cluster.storage.size",
    "512Mi",
    'pgplatform:cluster.storage.size is "512Mi", allowed is at least 1Gi: set 1Gi or more.',
  ],
  [
    "cluster.storage.walSize",
    "100Mi",
    'pgplatform:cluster.storage.walSize is "100Mi", allowed is at least 1Gi: set 1Gi or more, or leave it out.',
  ],
  [
    "cluster.resources",
    { requests: { memory: "128Mi" } },
    'pgplatform:cluster.resources.requests.memory is "128Mi", allowed is at least 256Mi: set 256Mi or more.',
  ],
  [
    "cluster.resources",
    { requests: { memory: "1Gi" }, limits: { memory: "2Gi" } },
    'pgplatform:cluster.resources.limits.memory is "2Gi", allowed is the same as the request of 1Gi, so that PostgreSQL is never killed for memory that another pod took: leave the limit out.',
  ],
  [
    "cluster.resources",
    { requests: { cpu: "2" }, limits: { cpu: "500m" } },
    'pgplatform:cluster.resources.limits.cpu is "500m", allowed is at least the request of 2: raise the limit or lower the request.',
  ],
  [
    "cluster.databases",
    [],
    "pgplatform:cluster.databases is [], allowed is at least one database with name and owner: list the application's database.",
  ],
  [
    "cluster.databases",
    [{ name: "app", owner: "postgres" }],
    "pgplatform:cluster.databases[0].owner is \"postgres\", allowed is a role that isn't the server's, the engine's or the platform's (postgres, pg_…, streaming_replica, cnpg_…, pgp_…) nor a keyword (public, none, all, replication, sameuser, samerole, samegroup): rename it.",
  ],
  [
    "cluster.databases",
    [{ name: "template1", owner: "app" }],
    'pgplatform:cluster.databases[0].name is "template1", allowed is any name but postgres, template0, template1, pgbouncer, pgplatform_auth, all, replication, sameuser, samerole, samegroup: rename it.',
  ],
  [
    "cluster.databases",
    [{ name: "my-app", owner: "app" }],
    'pgplatform:cluster.databases[0].name is "my-app", allowed is a PostgreSQL name: lower-case letters, digits and underscores, first no digit, last no underscore, at most 63 characters: rename it.',
  ],
  [
    "poolers",
    [{ name: "p", database: "shop" }],
    'pgplatform:poolers[0].database is "shop", allowed is one of pgplatform:cluster.databases (app): correct it, or add the database.',
  ],
  [
    "poolers",
    [{ name: "p", database: "app", serverConnections: 100 }],
    "pgplatform:cluster.maxConnections is 100, allowed is at least 112: 102 for the pooler p, 10 for the reserve: raise it, or lower the poolers' serverConnections or the clients' connections.",
  ],
  [
    "poolers",
    [{ name: "p", database: "app", poolSize: 41 }],
    "pgplatform:poolers[0].poolSize is 41, allowed is from 2 (one for each pod) to serverConnections, 40: change one of the two.",
  ],
  [
    "poolers",
    [{ name: "p", database: "app", maxClients: 10 }],
    "pgplatform:poolers[0].maxClients is 10, allowed is at least serverConnections, 40: raise it, or lower serverConnections.",
  ],
  [
    "poolers",
    [{ name: "p", database: "app", tuning: { serverLoginRetrySeconds: 0 } }],
    "pgplatform:poolers[0].tuning.serverLoginRetrySeconds is 0, allowed is a whole number of seconds from 1 to 60: choose an allowed value.",
  ],
  [
    "clients",
    [{ name: "c", namespace: "x", labels: { app: "c" } }],
    "pgplatform:clients[0].pooler is not set, allowed is the name of a pooler, unless direct is true: name the pooler that the client uses, or set direct to true.",
  ],
  [
    "clients",
    [{ name: "c", namespace: "x", labels: { app: "c" }, pooler: "p" }],
    'pgplatform:clients[0].pooler is "p", allowed is none, since pgplatform:poolers is empty: correct it, or add the pooler.',
  ],
  [
    "clients",
    [{ name: "c", namespace: "x", labels: {}, direct: true }],
    "pgplatform:clients[0].labels is {}, allowed is at least one label, as `key: value`: name the labels that the pods carry.",
  ],
  [
    "network",
    { apiServer: [{ cidr: "10.0.0.1", port: 6443 }] },
    'pgplatform:network.apiServer[0].cidr is "10.0.0.1", allowed is an address range such as 192.0.2.10/32: write the address, a slash and the prefix length.',
  ],
  [
    "images",
    { pgbouncer: "not an image" },
    'pgplatform:images.pgbouncer is "not an image", allowed is the name of an image with tag or digest: write it as registry/name:tag.',
  ],
  ...refusedParameters,
];

/** Several settings that are wrong, alone or only together. */
const several: [change: Record<string, unknown>, sentences: string[]][] = [
  [
    { tier: "prod", "cluster.access": [{ tls: false }] },
    [
      "pgplatform:cluster.access[0].tls is false, allowed is true in the tier prod, since passwords and data would cross the network as plain text: remove it.",
    ],
  ],
  [
    { tier: "prod", "cluster.instances": 1, "cluster.durability": "async" },
    [
      "pgplatform:cluster.instances is 1, allowed is at least 3 in the tier prod: set 3, or pgplatform:tier to dev.",
    ],
  ],
  [
    { tier: "prod", poolers: [{ name: "p", database: "app", instances: 1 }] },
    [
      "pgplatform:poolers[0].instances is 1, allowed is at least 2 in the tier prod: set 2, or pgplatform:tier to dev.",
    ],
  ],
  [
    { "cluster.instances": 2, "cluster.durability": "balanced", "cluster.synchronousStandbys": 2 },
    ["pgplatform:cluster.synchronousStandbys is 2, allowed is at most 1 with 2 instances: set 1."],
  ],
  [
    { "cluster.engine": "standalone" },
    [
      "pgplatform:cluster.instances is 3, allowed is what the engine standalone can do, and it is one PostgreSQL server in a StatefulSet, which nothing replicates: set cluster.instances to 1 and cluster.durability to async, or choose cnpg.",
    ],
  ],
  [
    { "cluster.maxConnections": 1000 },
    [
      'pgplatform:cluster.resources.limits.memory is "512Mi", allowed is at least 2255Mi: shared_buffers 128MB, maintenance_work_mem 32MB, 3 times autovacuum_work_mem 10MB, 1000 connections with work_mem 64kB and 2048kB of their own: raise the memory, or lower cluster.maxConnections or the parameters.',
    ],
  ],
  [
    { "cluster.databases": [{ name: "app", owner: "app", schemas: [{ name: "public" }] }] },
    [
      'pgplatform:cluster.databases[0].schemas[0].name is "public", allowed is any name but public, which is there anyway, information_schema, pgplatform and pg_…: rename or remove it.',
    ],
  ],
  [
    { "cluster.databases": [{ name: "app", owner: "app", extensions: ["earthdistance"] }] },
    [
      'pgplatform:cluster.databases[0].extensions[0] is "earthdistance", allowed is behind cube, which it needs: list cube before it.',
    ],
  ],
  [
    { "cluster.roles": [{ name: "app" }] },
    [
      'pgplatform:cluster.roles[0].name is "app", allowed is a role that owns none of cluster.databases: remove it: owners are made anyway.',
    ],
  ],
  [
    {
      registries: [
        { server: "registry.example.com", username: "one", password: "hunter2" },
        { server: "registry.example.com", username: "two", password: "hunter2" },
      ],
    },
    [
      'pgplatform:registries[0].server is "registry.example.com", allowed is a registry that is listed once: remove one.',
      'pgplatform:registries[1].server is "registry.example.com", allowed is a registry that is listed once: remove one.',
    ],
  ],
  [
    { poolers: [{ name: "p", database: "app", instances: 1, autoscaling: { maxInstances: 4 } }] },
    [
      "pgplatform:poolers[0].instances is 1, allowed is at least 2 with autoscaling, so that one pod may go at any time: set 2 or more.",
    ],
  ],
  [
    // Forms, all at once; relations between settings make no sense before each has its form.
    {
      tier: "test",
      "cluster.namespace": "Postgres",
      "cluster.failover": "now",
      "cluster.maxConnections": "many",
      "cluster.storage.size": "big",
      "cluster.resources": { requests: { cpu: 2, memory: "1 Gi" } },
      poolers: [{ database: "App", mode: "statement" }],
      clients: [{ name: "c", namespace: "x", labels: { app: "c" }, direct: "yes" }],
      registries: [{ server: "https://registry.example.com", username: "puller", pasword: "hunter2" }],
      unknown: true,
    },
    [
      'pgplatform:tier is "test", allowed is dev, prod: choose an allowed value.',
      'pgplatform:cluster.namespace is "Postgres", allowed is a DNS label: lower-case letters, digits and hyphens, first a letter, not ending in a hyphen, at most 63 characters: rename it.',
      'pgplatform:cluster.failover is "now", allowed is fast, standard, patient: choose an allowed value.',
      'pgplatform:cluster.storage.size is "big", allowed is a Kubernetes quantity of bytes such as 20Gi: write a number and a unit, such as 20Gi.',
      'pgplatform:cluster.resources.requests.cpu is 2, allowed is a quantity of cores such as 200m or "2": write thousandths with an m, or whole cores in quotes, such as 200m or "2".',
      'pgplatform:cluster.resources.requests.memory is "1 Gi", allowed is a Kubernetes quantity of bytes such as 2Gi: write a number and a unit, such as 2Gi.',
      'pgplatform:cluster.maxConnections is "many", allowed is a whole number from 20 to 5000: choose an allowed value.',
      "pgplatform:poolers[0].name is not set, allowed is a DNS label: lower-case letters, digits and hyphens, first a letter, not ending in a hyphen, at most 40 characters: set it.",
      'pgplatform:poolers[0].database is "App", allowed is a PostgreSQL name: lower-case letters, digits and underscores, first no digit, last no underscore, at most 63 characters: rename it.',
      'pgplatform:poolers[0].mode is "statement", allowed is transaction, session: choose an allowed value.',
      'pgplatform:clients[0].direct is "yes", allowed is true or false: choose an allowed value.',
      'pgplatform:registries[0].server is "https://registry.example.com", allowed is the host of a registry, such as registry.example.com: write it without https:// and without a slash at the end.',
      "pgplatform:registries[0].password is not set, allowed is a text that Pulumi has encrypted: set it.",
      "pgplatform:registries[0].pasword is (hidden), allowed is one of server, username, password: remove it or correct its spelling.",
      "pgplatform:unknown is true, allowed is one of platform, tier, kubernetes, operator, cluster, poolers, clients, rotation, backup, restore, network, monitoring, labels, images, registries, transform: remove it or correct its spelling.",
    ],
  ],
  [
    // Binding, in the cluster's namespace and in another.
    {
      clients: [
        {
          name: "a",
          namespace: "postgres",
          labels: { app: "a" },
          direct: true,
          binding: { name: "main-config", copySecret: true, makeNamespace: true },
        },
        {
          name: "b",
          namespace: "x",
          labels: { app: "b" },
          direct: true,
          binding: { name: "db", database: "shop", role: "nobody" },
        },
        { name: "c", namespace: "x", labels: { app: "c" }, direct: true, binding: { name: "db" } },
      ],
    },
    [
      "pgplatform:clients[0].binding.name is \"main-config\", allowed is a name that doesn't begin with main-, as the platform's own objects in that namespace do: rename it, or leave it out.",
      "pgplatform:clients[0].binding.copySecret is true, allowed is false in the cluster's own namespace, which the platform makes and where the role's Secret is: leave it out.",
      "pgplatform:clients[0].binding.makeNamespace is true, allowed is false in the cluster's own namespace, which the platform makes and where the role's Secret is: leave it out.",
      'pgplatform:clients[1].binding.name is "db", allowed is a name that no other client\'s binding has in the namespace x: rename it.',
      'pgplatform:clients[1].binding.database is "shop", allowed is one of pgplatform:cluster.databases (app): correct it, or add the database.',
      'pgplatform:clients[1].binding.role is "nobody", allowed is a role that logs in (app): correct it, or add the role to cluster.roles.',
      'pgplatform:clients[2].binding.name is "db", allowed is a name that no other client\'s binding has in the namespace x: rename it.',
    ],
  ],
  [
    {
      "cluster.databases": [
        { name: "app", owner: "app" },
        { name: "shop", owner: "shop" },
      ],
      poolers: [{ name: "p", database: "app" }],
      clients: [
        { name: "a", namespace: "x", labels: { app: "a" }, pooler: "p", binding: { database: "shop" } },
      ],
    },
    [
      'pgplatform:clients[0].binding.database is "shop", allowed is app, which is what the pooler p leads to: leave it out, or name another pooler.',
    ],
  ],
  [
    {
      clients: [{ name: "a", namespace: "x", labels: { app: "a" }, direct: true, binding: "yes" }],
    },
    [
      'pgplatform:clients[0].binding is "yes", allowed is true, false, or { name, database, role, copySecret, makeNamespace }: write true, or only what differs from the defaults.',
    ],
  ],
  [
    // Relations, all at once.
    {
      "cluster.instances": 4,
      "cluster.storage.size": "512Mi",
      "cluster.parameters": { jit: "perhaps", work_memory: 1 },
      "cluster.databases": [
        { name: "app", owner: "app" },
        { name: "app", owner: "postgres" },
      ],
      poolers: [{ name: "p", database: "shop", poolSize: 41 }],
      clients: [{ name: "c", namespace: "x", labels: { app: "c" }, pooler: "q" }],
    },
    [
      "pgplatform:cluster.instances is 4, allowed is an odd number with zero-loss, since one more instance adds nothing to an even quorum: set 3 or 5.",
      'pgplatform:cluster.storage.size is "512Mi", allowed is at least 1Gi: set 1Gi or more.',
      'pgplatform:cluster.parameters.jit is "perhaps", allowed is on or off: set true or false.',
      "pgplatform:cluster.parameters.work_memory is 1, allowed is a parameter of PostgreSQL 17: did you mean work_mem? Correct it or remove it.",
      'pgplatform:cluster.databases[0].name is "app", allowed is a name that no other database has: rename it.',
      'pgplatform:cluster.databases[1].name is "app", allowed is a name that no other database has: rename it.',
      "pgplatform:cluster.databases[1].owner is \"postgres\", allowed is a role that isn't the server's, the engine's or the platform's (postgres, pg_…, streaming_replica, cnpg_…, pgp_…) nor a keyword (public, none, all, replication, sameuser, samerole, samegroup): rename it.",
      'pgplatform:poolers[0].database is "shop", allowed is one of pgplatform:cluster.databases (app, app): correct it, or add the database.',
      "pgplatform:poolers[0].poolSize is 41, allowed is from 2 (one for each pod) to serverConnections, 40: change one of the two.",
      'pgplatform:clients[0].pooler is "q", allowed is one of pgplatform:poolers (p): correct it, or add the pooler.',
    ],
  ],
];

export const refusals: readonly Refusal[] = [
  ...single.map(([path, value, sentence]) => ({ change: { [path]: value }, sentences: [sentence] })),
  ...several.map(([change, sentences]) => ({ change, sentences })),
];

/** The refused settings. */
export const settingsOf = ({ change }: Refusal): unknown =>
  Object.entries(change).reduce<unknown>(
    (settings, [path, value]) => changed(settings, path, value),
    smallest(),
  );

export const shortly = ({ change }: Refusal): string =>
  Object.entries(change)
    .map(([path, value]) => `${path} = ${JSON.stringify(value) ?? "nothing"}`)
    .join(", ");
