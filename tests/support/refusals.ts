import { refusedParameters } from "./refusedParameters";
import { changed, smallest } from "./settings";

/** Settings that are refused: what is changed in the smallest ones that pass, and every sentence that must come of it. */
export interface Refusal {
  readonly change: Readonly<Record<string, unknown>>;
  readonly sentences: readonly string[];
}

/** One setting that is wrong, and its sentence. */
const single: [path: string, value: unknown, sentence: string][] = [
  [
    "platform",
    "gke",
    'pgplatform:platform: "gke" is not allowed. Allowed: local, k3d, cloud, openshift. Fix: choose an allowed value.',
  ],
  [
    "platform",
    undefined,
    "pgplatform:platform: not set. Allowed: local, k3d, cloud, openshift. Fix: set it.",
  ],
  [
    "cluster",
    undefined,
    "pgplatform:cluster: not set. Allowed: an object with name, namespace, makeNamespace, engine, postgresVersion, instances, spread, drains, durability, synchronousStandbys, failover, watchdogSeconds, scheduling, storage, resources, maxConnections, parameters, preloadLibraries, databases, roles, slots, access. Fix: set it.",
  ],
  [
    "cluster.instanses",
    3,
    "pgplatform:cluster.instanses: no such setting (3). Allowed: name, namespace, makeNamespace, engine, postgresVersion, instances, spread, drains, durability, synchronousStandbys, failover, watchdogSeconds, scheduling, storage, resources, maxConnections, parameters, preloadLibraries, databases, roles, slots, access. Fix: did you mean instances? Correct it, or remove it.",
  ],
  [
    "backups",
    {},
    "pgplatform:backups: no such setting ({}). Allowed: platform, tier, kubernetes, operator, scheduling, cluster, poolers, clients, rotation, secrets, tls, backup, restore, maintenance, network, monitoring, audit, labels, images, registries, protection, allow, waivers, transform. Fix: did you mean backup? Correct it, or remove it.",
  ],
  [
    "waivers",
    [{ policy: "alerts", resource: "Cluster a/b", reason: "x", until: "soon", who: "Ada" }],
    'pgplatform:waivers[0].until: "soon" is not allowed. Allowed: a day such as 2026-01-31. Fix: write year, month and day.',
  ],
  [
    "waivers",
    [{ policy: "alerts", resource: "*", reason: "x", until: "2026-01-31", who: "Ada" }],
    'pgplatform:waivers[0].resource: "*" is not allowed. Allowed: a kind and a name, such as Cluster shop/orders. Fix: copy it from the message.',
  ],
  [
    "cluster.name",
    "Main_1",
    'pgplatform:cluster.name: "Main_1" is not allowed. Allowed: a DNS label: lower-case letters, digits and hyphens, first a letter, not ending in a hyphen, at most 50 characters. Fix: rename it.',
  ],
  [
    "cluster.name",
    "a".repeat(51),
    `pgplatform:cluster.name: "${"a".repeat(51)}" is not allowed. Allowed: a DNS label: lower-case letters, digits and hyphens, first a letter, not ending in a hyphen, at most 50 characters. Fix: rename it.`,
  ],
  ...(
    [
      ["1", "a number without its unit"],
      ["0s", "nothing"],
      ["1h", "another unit"],
      ["soon", "a word"],
    ] as const
  ).map(([value]): [string, unknown, string] => [
    "monitoring.logs.slowQuery",
    value,
    `pgplatform:monitoring.logs.slowQuery: "${value}" is not allowed. Allowed: a duration such as 250ms, 1s or 5min, at most 60min, or off. Fix: write a number and a unit, such as 1s, or off.`,
  ]),
  [
    "monitoring.logs.slowQuery",
    "61min",
    'pgplatform:monitoring.logs.slowQuery: "61min" is not allowed. Allowed: a duration of at most 60min, or off. Fix: lower it, or write off.',
  ],
  [
    "monitoring.logs.slowQuerry",
    "1s",
    'pgplatform:monitoring.logs.slowQuerry: no such setting ("1s"). Allowed: slowQuery, connections. Fix: did you mean slowQuery? Correct it, or remove it.',
  ],
  [
    "cluster.instances",
    0,
    "pgplatform:cluster.instances: 0 is not allowed. Allowed: a whole number from 1 to 9. Fix: choose an allowed value.",
  ],
  [
    "cluster.instances",
    "three",
    'pgplatform:cluster.instances: "three" is not allowed. Allowed: a whole number from 1 to 9. Fix: choose an allowed value.',
  ],
  [
    "cluster.instances",
    1,
    'pgplatform:cluster.durability: "zero-loss" is not allowed. Allowed: async with one instance, since no standby could confirm a commit. Fix: set async, or cluster.instances to 3.',
  ],
  [
    "cluster.instances",
    2,
    'pgplatform:cluster.durability: "zero-loss" is not allowed. Allowed: balanced or async with two instances, since writes would stop whenever the only standby restarts. Fix: set cluster.instances to 3, or choose balanced.',
  ],
  [
    "cluster.instances",
    4,
    "pgplatform:cluster.instances: 4 is not allowed. Allowed: an odd number with zero-loss, since one more instance adds nothing to an even quorum. Fix: set 3 or 5.",
  ],
  [
    "cluster.synchronousStandbys",
    2,
    "pgplatform:cluster.synchronousStandbys: 2 is not allowed. Allowed: at most 1 with 3 instances, so that one standby may be down. Fix: set 1, or more instances.",
  ],
  [
    "cluster.durability",
    "paranoid",
    'pgplatform:cluster.durability: "paranoid" is not allowed. Allowed: zero-loss, balanced, async. Fix: choose an allowed value.',
  ],
  [
    "cluster.postgresVersion",
    17.5,
    "pgplatform:cluster.postgresVersion: 17.5 is not allowed. Allowed: 15, 16, 17, 18. Fix: choose an allowed value.",
  ],
  [
    "cluster.storage.size",
    "2 GB",
    'pgplatform:cluster.storage.size: "2 GB" is not allowed. Allowed: a Kubernetes quantity of bytes such as 20Gi. Fix: write a number and a unit, such as 20Gi.',
  ],
  [
    "cluster.storage.size",
    "512Mi",
    'pgplatform:cluster.storage.size: "512Mi" is not allowed. Allowed: at least 1Gi. Fix: set 1Gi or more.',
  ],
  [
    "cluster.storage.walSize",
    "100Mi",
    'pgplatform:cluster.storage.walSize: "100Mi" is not allowed. Allowed: at least 1Gi. Fix: set 1Gi or more, or leave it out.',
  ],
  [
    "cluster.resources",
    { requests: { memory: "128Mi" } },
    'pgplatform:cluster.resources.requests.memory: "128Mi" is not allowed. Allowed: at least 256Mi. Fix: set 256Mi or more.',
  ],
  [
    "cluster.resources",
    { requests: { memory: "1Gi" }, limits: { memory: "2Gi" } },
    'pgplatform:cluster.resources.limits.memory: "2Gi" is not allowed. Allowed: the same as the request of 1Gi, so that PostgreSQL is never killed for memory that another pod took. Fix: leave the limit out.',
  ],
  [
    "cluster.resources",
    { requests: { cpu: "2" }, limits: { cpu: "500m" } },
    'pgplatform:cluster.resources.limits.cpu: "500m" is not allowed. Allowed: at least the request of 2. Fix: raise the limit or lower the request.',
  ],
  [
    "cluster.databases",
    [],
    "pgplatform:cluster.databases: [] is not allowed. Allowed: at least one database with name and owner. Fix: list the application's database.",
  ],
  [
    "cluster.databases",
    [{ name: "app", owner: "postgres" }],
    "pgplatform:cluster.databases[0].owner: \"postgres\" is not allowed. Allowed: a role that isn't the server's, the engine's or the platform's (postgres, pg_…, streaming_replica, cnpg_…, pgp_…) nor a keyword (public, none, all, replication, sameuser, samerole, samegroup). Fix: rename it.",
  ],
  [
    "cluster.databases",
    [{ name: "template1", owner: "app" }],
    'pgplatform:cluster.databases[0].name: "template1" is not allowed. Allowed: any name but postgres, template0, template1, pgbouncer, pgplatform_auth, all, replication, sameuser, samerole, samegroup. Fix: rename it.',
  ],
  [
    "cluster.databases",
    [{ name: "my-app", owner: "app" }],
    'pgplatform:cluster.databases[0].name: "my-app" is not allowed. Allowed: a PostgreSQL name: lower-case letters, digits and underscores, first no digit, last no underscore, at most 63 characters. Fix: rename it.',
  ],
  [
    "poolers",
    [{ name: "p", database: "shop" }],
    'pgplatform:poolers[0].database: "shop" is not allowed. Allowed: one of pgplatform:cluster.databases (app). Fix: correct it, or add the database.',
  ],
  [
    "poolers",
    [{ name: "p", database: "app", serverConnections: 100 }],
    "pgplatform:cluster.maxConnections: 100 is not allowed. Allowed: at least 112: 102 for the pooler p, 10 for the reserve. Fix: raise it, or lower the poolers' serverConnections or the clients' connections.",
  ],
  [
    "scheduling",
    { tolerations: [{ key: "dedicated", operator: "Equal" }] },
    "pgplatform:scheduling.tolerations[0].value: not set. Allowed: a value with the operator Equal. Fix: set it, or leave operator out.",
  ],
  [
    "network",
    { dns: [{ cidr: "169.254.20.10", port: 53 }] },
    'pgplatform:network.dns[0].cidr: "169.254.20.10" is not allowed. Allowed: an address range such as 192.0.2.10/32. Fix: write the address, a slash and the prefix length.',
  ],
  [
    "operator",
    { memory: "64Mi" },
    'pgplatform:operator.memory: "64Mi" is not allowed. Allowed: at least 128Mi. Fix: set 128Mi or more, or leave it out.',
  ],
  [
    "cluster.databases",
    [{ name: "app", owner: "app", localeProvider: "icu" }],
    "pgplatform:cluster.databases[0].icuLocale: not set. Allowed: a language tag with the localeProvider icu. Fix: set it, such as de-AT.",
  ],
  [
    "cluster.roles",
    [{ name: "debezium", login: false, replication: true }],
    "pgplatform:cluster.roles[0].replication: true is not allowed. Allowed: false for debezium, which may not log in. Fix: leave it out, or let the role log in.",
  ],
  [
    "poolers",
    [{ name: "p", database: "app", maxClients: 20000, memory: "256Mi" }],
    'pgplatform:poolers[0].memory: "256Mi" is not allowed. Allowed: at least 692Mi: 64Mi, 32Ki for each of 20000 clients and 128Ki for each of 20 server connections of a pod, and never less than 128Mi. Fix: raise it, lower maxClients, or ask for more instances.',
  ],
  [
    "poolers",
    [{ name: "p", database: "app", tuning: { trackStartupParameters: ["search_path"] } }],
    'pgplatform:poolers[0].tuning.trackStartupParameters[0]: "search_path" is not allowed. Allowed: IntervalStyle or default_transaction_read_only: PostgreSQL reports search_path from version 18 on, and PgBouncer can\'t track it before. Fix: give the role its search_path by ALTER ROLE … SET, or raise cluster.postgresVersion to 18.',
  ],
  [
    "poolers",
    [{ name: "p", database: "app", poolSize: 41 }],
    "pgplatform:poolers[0].poolSize: 41 is not allowed. Allowed: from 2 (one for each pod) to serverConnections, 40. Fix: change one of the two.",
  ],
  [
    "poolers",
    [{ name: "p", database: "app", maxClients: 10 }],
    "pgplatform:poolers[0].maxClients: 10 is not allowed. Allowed: at least serverConnections, 40. Fix: raise it, or lower serverConnections.",
  ],
  [
    "poolers",
    [{ name: "p", database: "app", tuning: { serverLoginRetrySeconds: 0 } }],
    "pgplatform:poolers[0].tuning.serverLoginRetrySeconds: 0 is not allowed. Allowed: a whole number of seconds from 1 to 60. Fix: choose an allowed value.",
  ],
  [
    "clients",
    [{ name: "c", namespace: "x", labels: { app: "c" } }],
    "pgplatform:clients[0].pooler: not set. Allowed: the name of a pooler, unless direct is true. Fix: name the pooler that the client uses, or set direct to true.",
  ],
  [
    "clients",
    [{ name: "c", namespace: "x", labels: { app: "c" }, pooler: "p" }],
    'pgplatform:clients[0].pooler: must not be set ("p"): pgplatform:poolers is empty. Fix: correct it, or add the pooler.',
  ],
  [
    "clients",
    [{ name: "c", namespace: "x", labels: {}, direct: true }],
    "pgplatform:clients[0].labels: {} is not allowed. Allowed: at least one label, as `key: value`. Fix: name the labels that the pods carry.",
  ],
  [
    "network",
    { apiServer: [{ cidr: "10.0.0.1", port: 6443 }] },
    'pgplatform:network.apiServer[0].cidr: "10.0.0.1" is not allowed. Allowed: an address range such as 192.0.2.10/32. Fix: write the address, a slash and the prefix length.',
  ],
  [
    "monitoring",
    { prometheus: "operator", thresholds: { volumeFull: 24 } },
    "pgplatform:monitoring.thresholds.volumeFull: 24 is not allowed. Allowed: a duration from 1h to 30d, such as 24h. Fix: write a whole number and its unit, s, m, h or d, such as 24h.",
  ],
  ...(
    [
      [
        {},
        "pgplatform:monitoring.install.grafana.image: not set. Allowed: the name of an image with tag or digest. Fix: set it.",
      ],
      [
        { image: "docker.io/grafana/grafana" },
        "pgplatform:monitoring.install.grafana.image: \"docker.io/grafana/grafana\" is not allowed. Allowed: an image whose name doesn't stand for another one tomorrow: with a tag, which isn't latest, or a digest. Fix: add the version that is meant as a tag, or the digest.",
      ],
      [
        { image: "docker.io/grafana/grafana:latest" },
        "pgplatform:monitoring.install.grafana.image: \"docker.io/grafana/grafana:latest\" is not allowed. Allowed: an image whose name doesn't stand for another one tomorrow: with a tag, which isn't latest, or a digest. Fix: add the version that is meant as a tag, or the digest.",
      ],
      [
        true,
        "pgplatform:monitoring.install.grafana: true is not allowed. Allowed: { image, memory, cpu }. Fix: choose an allowed value.",
      ],
      [
        { image: "docker.io/grafana/grafana:12.3.0" },
        'pgplatform:monitoring.install.grafana: must not be set ({"image":"docker.io/grafana/grafana:12.3.0","memory":"512Mi","cpu":"1"}): platform is local, whose nodes pull no image, and none of Grafana is built here. Fix: leave it out, and use make dashboards and a Grafana of your own.',
      ],
    ] as const
  ).map(([grafana, sentence]): [string, unknown, string] => [
    "monitoring",
    { prometheus: "install", install: { grafana } },
    sentence,
  ]),
  [
    "images",
    { pgbouncer: "not an image" },
    'pgplatform:images.pgbouncer: "not an image" is not allowed. Allowed: the name of an image with tag or digest. Fix: write it as registry/name:tag.',
  ],
  ...refusedParameters,
];

/** Several settings that are wrong, alone or only together. */
const several: [change: Record<string, unknown>, sentences: string[]][] = [
  [
    { tier: "prod", "cluster.access": [{ tls: false }] },
    [
      "pgplatform:cluster.access[0].tls: false is not allowed. Allowed: true in the tier prod, since passwords and data would cross the network as plain text. Fix: remove it.",
    ],
  ],
  [
    { tier: "prod", "cluster.instances": 1, "cluster.durability": "async" },
    [
      "pgplatform:cluster.instances: 1 is not allowed. Allowed: at least 3 in the tier prod. Fix: set 3, or pgplatform:tier to dev.",
    ],
  ],
  [
    { tier: "prod", poolers: [{ name: "p", database: "app", instances: 1 }] },
    [
      "pgplatform:poolers[0].instances: 1 is not allowed. Allowed: at least 2 in the tier prod. Fix: set 2, or pgplatform:tier to dev.",
    ],
  ],
  [
    { "cluster.instances": 2, "cluster.durability": "balanced", "cluster.synchronousStandbys": 2 },
    [
      "pgplatform:cluster.synchronousStandbys: 2 is not allowed. Allowed: at most 1 with 2 instances. Fix: set 1.",
    ],
  ],
  [
    { "cluster.engine": "standalone" },
    [
      "pgplatform:cluster.instances: 3 is not allowed. Allowed: what the engine standalone can do: it is one PostgreSQL server in a StatefulSet, which nothing replicates. Fix: set cluster.instances to 1 and cluster.durability to async, or choose cnpg.",
    ],
  ],
  [
    { "cluster.maxConnections": 1000 },
    [
      'pgplatform:cluster.resources.limits.memory: "512Mi" is not allowed. Allowed: at least 2255Mi: shared_buffers 128MB, maintenance_work_mem 32MB, 3 times autovacuum_work_mem 10MB, 1000 connections with work_mem 64kB and 2048kB of their own. Fix: raise the memory, or lower cluster.maxConnections or the parameters.',
    ],
  ],
  [
    { "cluster.databases": [{ name: "app", owner: "app", schemas: [{ name: "public" }] }] },
    [
      'pgplatform:cluster.databases[0].schemas[0].name: "public" is not allowed. Allowed: any name but public, which is there anyway, information_schema, pgplatform and pg_…. Fix: rename or remove it.',
    ],
  ],
  [
    { "cluster.databases": [{ name: "app", owner: "app", extensions: ["earthdistance"] }] },
    [
      'pgplatform:cluster.databases[0].extensions[0]: "earthdistance" is not allowed. Allowed: a place after cube, which it needs. Fix: list cube before it.',
    ],
  ],
  [
    { "cluster.roles": [{ name: "app" }] },
    [
      'pgplatform:cluster.roles[0].name: "app" is not allowed. Allowed: a role that owns none of cluster.databases. Fix: remove it: owners are made anyway.',
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
      'pgplatform:registries[0].server: "registry.example.com" is not allowed. Allowed: a registry that is listed once. Fix: remove one.',
      'pgplatform:registries[1].server: "registry.example.com" is not allowed. Allowed: a registry that is listed once. Fix: remove one.',
    ],
  ],
  [
    { poolers: [{ name: "p", database: "app", instances: 1, autoscaling: { maxInstances: 4 } }] },
    [
      "pgplatform:poolers[0].instances: 1 is not allowed. Allowed: at least 2 with autoscaling, so that one pod may go at any time. Fix: set 2 or more.",
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
      "cluster.resources": { requests: { cpu: "two", memory: "1 Gi" } },
      poolers: [{ database: "App", mode: "statement" }],
      clients: [{ name: "c", namespace: "x", labels: { app: "c" }, direct: "yes" }],
      registries: [{ server: "https://registry.example.com", username: "puller", pasword: "hunter2" }],
      unknown: true,
    },
    [
      'pgplatform:tier: "test" is not allowed. Allowed: dev, prod. Fix: choose an allowed value.',
      'pgplatform:cluster.namespace: "Postgres" is not allowed. Allowed: a DNS label: lower-case letters, digits and hyphens, first a letter, not ending in a hyphen, at most 63 characters. Fix: rename it.',
      'pgplatform:cluster.failover: "now" is not allowed. Allowed: fast, standard, patient. Fix: choose an allowed value.',
      'pgplatform:cluster.storage.size: "big" is not allowed. Allowed: a Kubernetes quantity of bytes such as 20Gi. Fix: write a number and a unit, such as 20Gi.',
      'pgplatform:cluster.resources.requests.cpu: "two" is not allowed. Allowed: a quantity of cores such as 200m or 2. Fix: write thousandths with an m, or whole cores, such as 200m or 2.',
      'pgplatform:cluster.resources.requests.memory: "1 Gi" is not allowed. Allowed: a Kubernetes quantity of bytes such as 2Gi. Fix: write a number and a unit, such as 2Gi.',
      'pgplatform:cluster.maxConnections: "many" is not allowed. Allowed: a whole number from 20 to 5000. Fix: choose an allowed value.',
      "pgplatform:poolers[0].name: not set. Allowed: a DNS label: lower-case letters, digits and hyphens, first a letter, not ending in a hyphen, at most 40 characters. Fix: set it.",
      'pgplatform:poolers[0].database: "App" is not allowed. Allowed: a PostgreSQL name: lower-case letters, digits and underscores, first no digit, last no underscore, at most 63 characters. Fix: rename it.',
      'pgplatform:poolers[0].mode: "statement" is not allowed. Allowed: transaction, session. Fix: choose an allowed value.',
      'pgplatform:clients[0].direct: "yes" is not allowed. Allowed: true or false. Fix: choose an allowed value.',
      'pgplatform:registries[0].server: "https://registry.example.com" is not allowed. Allowed: the host of a registry, such as registry.example.com. Fix: write it without https:// and without a slash at the end.',
      "pgplatform:registries[0].password: not set. Allowed: a text of at least one character that Pulumi has encrypted. Fix: set it.",
      "pgplatform:registries[0].pasword: no such setting (hidden). Allowed: server, username, password. Fix: did you mean password? Correct it, or remove it.",
      "pgplatform:unknown: no such setting (true). Allowed: platform, tier, kubernetes, operator, scheduling, cluster, poolers, clients, rotation, secrets, tls, backup, restore, maintenance, network, monitoring, audit, labels, images, registries, protection, allow, waivers, transform. Fix: remove it, or correct its spelling.",
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
      "pgplatform:clients[0].binding.name: \"main-config\" is not allowed. Allowed: a name that doesn't begin with main-, as the platform's own objects in that namespace do. Fix: rename it, or leave it out.",
      "pgplatform:clients[0].binding.copySecret: true is not allowed. Allowed: false in the cluster's own namespace, which the platform makes and where the role's Secret is. Fix: leave it out.",
      "pgplatform:clients[0].binding.makeNamespace: true is not allowed. Allowed: false in the cluster's own namespace, which the platform makes and where the role's Secret is. Fix: leave it out.",
      'pgplatform:clients[1].binding.name: "db" is not allowed. Allowed: a name that no other client\'s binding has in the namespace x. Fix: rename it.',
      'pgplatform:clients[1].binding.database: "shop" is not allowed. Allowed: one of pgplatform:cluster.databases (app). Fix: correct it, or add the database.',
      'pgplatform:clients[1].binding.role: "nobody" is not allowed. Allowed: a role that logs in (app). Fix: correct it, or add the role to cluster.roles.',
      'pgplatform:clients[2].binding.name: "db" is not allowed. Allowed: a name that no other client\'s binding has in the namespace x. Fix: rename it.',
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
      'pgplatform:clients[0].binding.database: "shop" is not allowed. Allowed: app, which is what the pooler p leads to. Fix: leave it out, or name another pooler.',
    ],
  ],
  [
    {
      "cluster.roles": [{ name: "cdc", login: true, replication: true }],
      poolers: [{ name: "p", database: "app" }],
      clients: [{ name: "a", namespace: "x", labels: { app: "a" }, pooler: "p", binding: { role: "cdc" } }],
    },
    [
      'pgplatform:clients[0].binding.role: "cdc" is not allowed. Allowed: a role without replication, since poolers let none in that may replicate. Fix: set clients[0].direct to true, or name another role.',
    ],
  ],
  [
    {
      clients: [{ name: "a", namespace: "x", labels: { app: "a" }, direct: true, binding: "yes" }],
    },
    [
      'pgplatform:clients[0].binding: "yes" is not allowed. Allowed: true, false, or { name, database, role, copySecret, makeNamespace }. Fix: write true, or only what differs from the defaults.',
    ],
  ],
  [
    {
      "backup.compression": "lz4",
      "backup.targets": [
        { name: "live", kind: "r2", bucket: "shop-live", account: "0123456789abcdef0123456789abcdef" },
      ],
    },
    [
      'pgplatform:backup.compression: "lz4" is not allowed. Allowed: gzip, zstd, none with the kind r2, which takes only parts of one size. Fix: choose one of them, or leave it out.',
    ],
  ],
  [
    {
      "backup.targets": [
        {
          name: "minio",
          kind: "s3",
          bucket: "pg-backups",
          endpoint: "https://minio.minio-tenant.svc",
          credentials: { accessKeyId: "abc", secretAccessKey: "abcdefgh" },
        },
      ],
    },
    [
      "pgplatform:backup.targets[0].pods: not set. Allowed: namespace, labels and port of the pods behind https://minio.minio-tenant.svc, since network policies see the pods and not the Service. Fix: set pods: { namespace, labels, port }, with the target port of the Service.",
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
      "pgplatform:cluster.instances: 4 is not allowed. Allowed: an odd number with zero-loss, since one more instance adds nothing to an even quorum. Fix: set 3 or 5.",
      'pgplatform:cluster.storage.size: "512Mi" is not allowed. Allowed: at least 1Gi. Fix: set 1Gi or more.',
      'pgplatform:cluster.parameters.jit: "perhaps" is not allowed. Allowed: on or off. Fix: set true or false.',
      "pgplatform:cluster.parameters.work_memory: 1 is not allowed. Allowed: a parameter of PostgreSQL 17. Fix: did you mean work_mem? Correct it or remove it.",
      'pgplatform:cluster.databases[0].name: "app" is not allowed. Allowed: a name that no other database has. Fix: rename it.',
      'pgplatform:cluster.databases[1].name: "app" is not allowed. Allowed: a name that no other database has. Fix: rename it.',
      "pgplatform:cluster.databases[1].owner: \"postgres\" is not allowed. Allowed: a role that isn't the server's, the engine's or the platform's (postgres, pg_…, streaming_replica, cnpg_…, pgp_…) nor a keyword (public, none, all, replication, sameuser, samerole, samegroup). Fix: rename it.",
      'pgplatform:poolers[0].database: "shop" is not allowed. Allowed: one of pgplatform:cluster.databases (app, app). Fix: correct it, or add the database.',
      "pgplatform:poolers[0].poolSize: 41 is not allowed. Allowed: from 2 (one for each pod) to serverConnections, 40. Fix: change one of the two.",
      'pgplatform:clients[0].pooler: "q" is not allowed. Allowed: one of pgplatform:poolers (p). Fix: correct it, or add the pooler.',
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
