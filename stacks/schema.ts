import * as z from "zod";
import {
  about,
  atOnce,
  choice,
  cidr,
  cores,
  image,
  label,
  labels,
  quantity,
  rolls,
  rollsPooler,
  sqlName,
  whole,
} from "./settingTypes";

/**
 * Every setting of a stack file, below `pgplatform:`.
 *
 * Each carries its meaning, unit, default, limits and what a change does in its description, and what is allowed and how
 * to mend a wrong value in `allowed` and `fix`: the settings check builds its sentences from them.
 */

const storage = z.strictObject({
  class: label(
    "Storage class of the volumes. Default: local-path on the platforms local and k3d; must be given on cloud.",
    63,
    "A change is for new instances only: existing volumes stay where they are.",
  ).optional(),
  size: quantity(
    "Size of each instance's data volume, in bytes.",
    "A larger size grows the volumes where the class can; a smaller one is refused by the operator.",
    "20Gi",
  ),
  walSize: quantity(
    "Size of a volume of its own for the write-ahead log, in bytes. Default: none, the log shares the data volume.",
    "Can be added (a restart of each instance) but not removed.",
    "5Gi",
  ).optional(),
});

const cluster = z.strictObject({
  name: label("Name of the database cluster; every object's name begins with it.", 50),
  namespace: label("Namespace of the cluster. The platform makes it, and nothing else should live in it."),
  engine: choice(
    ["cnpg"],
    "What runs PostgreSQL: cnpg is CloudNativePG. Default: cnpg.",
    "A change makes another cluster; move the data first.",
  ).default("cnpg"),
  postgresVersion: choice(
    ["15", "16", "17", "18"],
    "PostgreSQL's major version. Default: 17.",
    "A change asks the operator for a major upgrade, which stops the database meanwhile.",
  ).default("17"),
  instances: whole(
    "Number of PostgreSQL instances: one primary, the others standbys, each on a node of its own. Default: 3.",
    1,
    9,
    "A change adds or removes standbys.",
  ).default(3),
  durability: choice(
    ["zero-loss", "balanced", "async"],
    "What an acknowledged commit is worth. zero-loss: it is on a standby too, and writes block when none is there; " +
      "balanced: the same while a standby lives; async: it is on the primary, a failover may lose the last ones. Default: zero-loss.",
    atOnce,
  ).default("zero-loss"),
  synchronousStandbys: whole(
    "Number of standbys that must hold a commit before it is acknowledged; not used with async. Default: 1.",
    1,
    4,
    atOnce,
  ).default(1),
  failover: choice(
    ["fast", "standard", "patient"],
    "How soon a silent primary is given up. fast and standard: a primary that can't reach the API server for 3 s stops itself, and its " +
      "lease is free after 5 s; fast also probes more often. patient: 10 s and 15 s, for API servers with hiccups. Default: standard.",
    rolls,
  ).default("standard"),
  storage,
  resources: z
    .strictObject({
      requests: z
        .strictObject({
          cpu: cores("Cores reserved for each instance. Default: 500m; 200m on local.", rolls).optional(),
          memory: quantity(
            "Memory of each instance. Default: 1Gi; 512Mi on local. A quarter goes to shared_buffers, and three quarters are what " +
              "the planner expects to find cached.",
            rolls,
            "2Gi",
          ).optional(),
        })
        .optional(),
      limits: z
        .strictObject({
          cpu: cores("Most cores that an instance may use. Default: 2.", rolls).optional(),
          memory: quantity(
            "Memory limit of each instance; the same as the request, so that PostgreSQL is never killed for memory that " +
              "another pod took. Default: the request.",
            rolls,
            "2Gi",
          ).optional(),
        })
        .optional(),
    })
    .default({}),
  maxConnections: whole(
    "PostgreSQL's max_connections: what poolers, direct clients and the platform share. Default: 100.",
    20,
    5000,
    rolls,
  ).default(100),
  parameters: about(
    z.record(
      z.string().regex(/^[a-z_][a-z0-9_]*(\.[a-z_][a-z0-9_]*)?$/),
      z.union([z.string(), z.number(), z.boolean()]),
    ),
    {
      means:
        "Further server parameters, as in postgresql.conf; they win over the derived ones. Default: none.",
      change: "A change reloads the servers, or restarts them where the parameter needs it.",
      allowed: "names of server parameters with a text, a number, true or false",
      fix: "write the name in lower case and one plain value",
    },
  ).default({}),
  databases: about(
    z
      .array(
        z.strictObject({
          name: sqlName(
            "Name of the database.",
            "A change makes another database and leaves the data behind.",
          ),
          owner: sqlName(
            "Role that owns the database and everything in its public schema.",
            "A change makes another role.",
          ),
        }),
      )
      .min(1),
    {
      means:
        "Databases and their owners. The first is made with the cluster, and its owner is the application's role.",
      change: "A change of the first one makes nothing: it holds at creation only. Others are added at once.",
      allowed: "at least one database with name and owner",
      fix: "list the application's database",
    },
  ),
});

const tuning = z.strictObject({
  serverLoginRetrySeconds: whole(
    "After a failed login at the server, for how long clients are made to wait before the next try. Default: 1. " +
      "It is added to every failover.",
    1,
    60,
    rollsPooler,
    "seconds",
  ).default(1),
  serverConnectTimeoutSeconds: whole(
    "How long connecting to the server may take before the next try. Default: 2.",
    1,
    60,
    rollsPooler,
    "seconds",
  ).default(2),
  queryWaitTimeoutSeconds: whole(
    "How long a client waits for a server connection before it gets an error; must outlast a failover. Default: 60.",
    5,
    600,
    rollsPooler,
    "seconds",
  ).default(60),
  serverLifetimeSeconds: whole(
    "Age at which an idle server connection is replaced. Default: 600.",
    60,
    86400,
    rollsPooler,
    "seconds",
  ).default(600),
  serverIdleTimeoutSeconds: whole(
    "How long an unused server connection is kept. Default: 300.",
    10,
    86400,
    rollsPooler,
    "seconds",
  ).default(300),
  serverCheckDelaySeconds: whole(
    "A server connection unused for longer is asked whether its server still takes writes before a client gets it. Default: 5.",
    0,
    60,
    rollsPooler,
    "seconds",
  ).default(5),
  tcpUserTimeoutMilliseconds: whole(
    "How long sent data may stay unacknowledged before the connection is given up; how soon a vanished node is noticed. Default: 1500.",
    500,
    60000,
    rollsPooler,
    "milliseconds",
  ).default(1500),
  tcpKeepaliveIdleSeconds: whole(
    "Silence after which a connection is probed, every second, twice. Default: 2.",
    1,
    600,
    rollsPooler,
    "seconds",
  ).default(2),
  dnsMaxTtlSeconds: whole(
    "How long a resolved address is used. Default: 5.",
    1,
    60,
    rollsPooler,
    "seconds",
  ).default(5),
  maxPreparedStatements: whole(
    "Prepared statements that are tracked for each server connection in transaction mode; 0 turns tracking off. Default: 200.",
    0,
    10000,
    rollsPooler,
  ).default(200),
  drainSeconds: whole(
    "How long a pod that is to stop lets running transactions go on. Default: 30.",
    1,
    300,
    rollsPooler,
    "seconds",
  ).default(30),
});

const pooler = z.strictObject({
  name: label("Name of the pooler, unique in the stack; its Service is `<cluster>-pooler-<name>`.", 40),
  database: sqlName("Database that is reached through it; one of the cluster's databases.", rollsPooler),
  mode: choice(
    ["transaction", "session"],
    "When a server connection goes back to the pool: at the end of the transaction or of the session. Default: transaction.",
    rollsPooler,
  ).default("transaction"),
  instances: whole(
    "Number of PgBouncer pods, each on a node of its own. Default: 2.",
    1,
    9,
    "A change rolls the pods, since the totals below are divided by it.",
  ).default(2),
  serverConnections: whole(
    "Most connections to PostgreSQL, of all pods together. Default: 40.",
    1,
    5000,
    rollsPooler,
  ).default(40),
  poolSize: whole(
    "Most connections to PostgreSQL for each role, of all pods together. Default: 30.",
    1,
    5000,
    rollsPooler,
  ).default(30),
  maxClients: whole(
    "Most client connections, of all pods together. Default: 1000.",
    1,
    100000,
    rollsPooler,
  ).default(1000),
  tuning: tuning.prefault({}),
});

const client = z.strictObject({
  name: label("Name of the client, unique in the stack; it appears in the network policy.", 40, atOnce),
  namespace: label("Namespace of the client's pods. The platform doesn't make it.", 63, atOnce),
  labels: labels("Labels that select the client's pods."),
  pooler: label("Pooler that the client may connect to. Default: none.", 40, atOnce).optional(),
  direct: about(z.boolean(), {
    means:
      "Whether the client may connect to the PostgreSQL instances themselves, past any pooler. Default: false.",
    change: atOnce,
    allowed: "true or false",
  }).default(false),
});

export const schema = z.strictObject({
  platform: choice(
    ["local", "k3d", "cloud"],
    "What Kubernetes this is. local: the built-in cluster with its own images; k3d: k3s in Docker; cloud: anything else. " +
      "It decides the defaults for images, storage class and the API server's addresses.",
    "A change of platform is a move to another cluster.",
  ),
  tier: choice(
    ["dev", "prod"],
    "How much is mandatory. prod: at least three instances, and deleting the cluster is refused until it is unprotected. " +
      "Default: dev on local and k3d, prod on cloud.",
    atOnce,
  ).optional(),
  kubernetes: z
    .strictObject({
      kubeconfig: about(z.string().min(1), {
        means: "Path of the kubeconfig file. Default: as kubectl finds it.",
        change: "A change that names another Kubernetes cluster makes everything anew there.",
        allowed: "a path",
      }).optional(),
      context: about(z.string().min(1), {
        means: "Context of the kubeconfig file. Default: its current context.",
        change: "A change that names another Kubernetes cluster makes everything anew there.",
        allowed: "the name of a context",
      }).optional(),
    })
    .default({}),
  operator: z
    .strictObject({
      install: about(z.boolean(), {
        means:
          "Whether this stack installs the engine's operator. One stack of each Kubernetes cluster does. Default: true.",
        change:
          "From true to false removes the operator from this stack's care and from the cluster; its CRDs stay.",
        allowed: "true or false",
      }).default(true),
    })
    .prefault({}),
  cluster,
  poolers: about(z.array(pooler), {
    means: "PgBouncer poolers in front of the cluster. Default: none.",
    change: "A new or removed pooler's name goes into or out of the servers' certificate, which is reloaded.",
    allowed: "a list of poolers",
  }).default([]),
  clients: about(z.array(client), {
    means: "Who may connect; all others are cut off. Default: nobody.",
    change: atOnce,
    allowed: "a list of clients",
  }).default([]),
  network: z
    .strictObject({
      apiServer: about(
        z
          .array(
            z.strictObject({
              cidr,
              port: whole("TCP port of the API server behind its Service.", 1, 65535, atOnce),
            }),
          )
          .min(1),
        {
          means:
            "Where the Kubernetes API server listens behind its Service; instances talk to it. Default: 198.18.250.1/32 port 6443 on " +
            "local; any address on ports 443 and 6443 on k3d and cloud, which also lets instances reach such ports elsewhere: narrow it.",
          change: atOnce,
          allowed: "at least one { cidr, port }",
          fix: "list the API server's addresses",
        },
      ).optional(),
    })
    .default({}),
  monitoring: z
    .strictObject({
      namespace: label(
        "Namespace whose pods may read the metrics ports. Default: none, nobody may.",
        63,
        atOnce,
      ).optional(),
    })
    .default({}),
  images: z
    .strictObject({
      operator: image(
        "Image of the engine's operator. Default: by platform.",
        "A change rolls the operator, which then rolls the instances.",
      ),
      postgresql: image(
        "Image of PostgreSQL; its tag begins with the major version. Default: by platform and version.",
        rolls,
      ),
      pgbouncer: image("Image of PgBouncer, with bash in it. Default: by platform.", rollsPooler),
      pgbouncerExporter: image("Image of PgBouncer's metrics exporter. Default: by platform.", rollsPooler),
    })
    .default({}),
});

/** What a stack file may hold. */
export type SettingsInput = z.input<typeof schema>;
type Parsed = z.output<typeof schema>;
type ParsedCluster = Parsed["cluster"];

export type Platform = Parsed["platform"];
export type Tier = NonNullable<Parsed["tier"]>;
export type PoolerSettings = Parsed["poolers"][number];
export type ClientSettings = Parsed["clients"][number];
export type Images = { readonly [name in keyof Parsed["images"]]-?: string };

export interface Resources {
  readonly requests: { readonly cpu: string; readonly memory: string };
  readonly limits: { readonly cpu: string; readonly memory: string };
}

/** Settings after the defaults of platform and tier: nothing that has a default is missing. */
export interface Settings extends Omit<Parsed, "tier" | "cluster" | "network" | "images"> {
  readonly tier: Tier;
  readonly cluster: Omit<ParsedCluster, "resources" | "storage"> & {
    readonly resources: Resources;
    readonly storage: { readonly class?: string; readonly size: string; readonly walSize?: string };
  };
  readonly network: { readonly apiServer: readonly { readonly cidr: string; readonly port: number }[] };
  readonly images: Images;
}

/** Settings that hold their form, before the defaults of platform and tier. */
export type ParsedSettings = Parsed;
