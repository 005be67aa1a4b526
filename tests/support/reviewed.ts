import type { SettingsInput } from "../../settings/schema";
import { bucket, changed, inCloud } from "./settings";

/** Changes of a stack, each with what a reviewer must read of it. */

type Engine = "cnpg" | "zalando" | "standalone";

/** A shop in a cloud: a pooler, a client, backups to one store. */
export const shop = (engine: Engine): SettingsInput => ({
  ...inCloud(engine),
  cluster: { ...inCloud(engine).cluster, resources: { requests: { memory: "1Gi" } } },
  poolers: [{ name: "app", database: "app" }],
  clients: [{ name: "web", namespace: "web", labels: { app: "web" }, pooler: "app" }],
  backup: { memory: "2Gi", targets: [{ ...bucket(), name: "far" }] },
});

const clientsOfPoolers =
  "**yes**, for clients of poolers: Deployment postgres/main-pooler-app: its pods are replaced one after another, sessions are drained";

export interface Case {
  readonly what: string;
  readonly engine: Engine;
  readonly change: (input: SettingsInput) => unknown;
  readonly headline: string;
  readonly restart: string | RegExp;
  readonly pause: string | RegExp;
  readonly replaced: string | RegExp;
  /** What the comment has besides. */
  readonly has?: readonly RegExp[];
}

const set = (path: string, to: unknown) => (input: SettingsInput) => changed(input, path, to);
const quiet = { restart: "no", pause: "no", replaced: "no" };
export const notices = "the running database notices nothing";

export const cases: readonly Case[] = [
  {
    what: "instances",
    engine: "cnpg",
    change: set("cluster.instances", 5),
    headline: notices,
    ...quiet,
    has: [/5 instances instead of 3: copies of the data are made, nothing restarts/],
  },
  {
    what: "durability",
    engine: "cnpg",
    change: set("cluster.durability", "async"),
    headline: notices,
    ...quiet,
    has: [/WORSE \| The primary's pod ends: lost \| nothing \| the last commits/],
  },
  {
    what: "durability, which restarts Zalando's pods",
    engine: "zalando",
    change: set("cluster.durability", "async"),
    headline: "PostgreSQL restarts",
    restart: /^\*\*yes\*\*: env: the instances restart one after another/,
    pause: /^\*\*yes\*\*: writes pause at most 4 s \(measured\)/,
    replaced: "no",
    has: [/\*\*2 worse\*\*/],
  },
  {
    what: "a parameter without a restart",
    engine: "cnpg",
    change: set("cluster.parameters", { log_statement: "ddl" }),
    headline: "read while it runs",
    ...quiet,
    has: [/parameters log\\_statement: reloaded, nothing restarts/, /log\\_statement: none -\\> ddl/],
  },
  {
    what: "a parameter with a restart",
    engine: "cnpg",
    change: set("cluster.maxConnections", 120),
    headline: "PostgreSQL restarts",
    restart:
      "**yes**: parameters max_connections: the instances restart one after another, the primary last, in its place; clients of poolers wait meanwhile",
    pause: /^\*\*yes\*\*: writes pause at most 14 s \(measured\)/,
    replaced: "no",
    has: [/max\\_connections: 100 -\\> 120/],
  },
  {
    what: "an image",
    engine: "cnpg",
    change: set("images", { postgresql: "registry.example.com/postgresql:17.99" }),
    headline: "PostgreSQL restarts",
    restart: /^\*\*yes\*\*: image registry\.example\.com\/postgresql:17\.99 instead of .*by a switchover/,
    pause: /^\*\*yes\*\*: writes pause at most 14 s/,
    replaced: "no",
    has: [/advice, new: `image-digests`/],
  },
  {
    what: "storage",
    engine: "cnpg",
    change: set("cluster.storage.size", "40Gi"),
    // What slots may keep follows from the volume.
    headline: "read while it runs",
    ...quiet,
    has: [
      /data volumes of 40Gi instead of 20Gi: they grow in use where the class can/,
      /\| What does it cost\? \| not known; 4\.8 of what is -\\> not known; 9\.6 of what is/,
    ],
  },
  {
    what: "another storage class of a standalone server, whose volume stays on the one that it has",
    engine: "standalone",
    change: set("cluster.storage.class", "io2"),
    headline: "the running database notices nothing",
    restart: "no",
    pause: "no",
    replaced: "no",
  },
  {
    what: "a pooler",
    engine: "cnpg",
    change: set("poolers.0.maxClients", 200),
    headline: "clients of poolers connect again",
    restart: "no",
    pause: clientsOfPoolers,
    replaced: "no",
  },
  {
    what: "a pooler that goes",
    engine: "cnpg",
    change: (input) => changed(changed(input, "poolers", []), "clients", []),
    headline: "clients of poolers connect again",
    restart: "no",
    pause:
      "**yes**, for clients of poolers: Deployment postgres/main-pooler-app: its clients are refused from then on",
    replaced: "no",
  },
  {
    what: "another target",
    engine: "cnpg",
    change: set("backup.targets.0.bucket", "elsewhere"),
    headline: notices,
    ...quiet,
    has: [
      /\| Do backups change place\? \| BucketInUse far: backups so far stay in the former one \|/,
      /store-bucket"\\\]: jewelry-shop-backups -\\> elsewhere/,
    ],
  },
  {
    what: "a bucket that the stack makes",
    engine: "cnpg",
    change: (input) =>
      changed(input, "backup.targets", [{ name: "far", kind: "aws", bucket: "ours", region: "eu-west-1" }]),
    headline: notices,
    ...quiet,
    has: [/new: Bucket far/],
  },
  {
    what: "a client that is added",
    engine: "cnpg",
    change: (input) =>
      changed(input, "clients.1", { name: "jobs", namespace: "web", labels: { app: "jobs" }, pooler: "app" }),
    headline: notices,
    ...quiet,
    has: [/the client jobs uses the pooler app/],
  },
  {
    what: "new passwords",
    engine: "cnpg",
    change: set("rotation", { credentialVersion: 2 }),
    headline: "clients of poolers connect again",
    restart: "no",
    pause: clientsOfPoolers,
    replaced: "no",
    has: [/Secret postgres\/main-app: login\.version: \(not set\) -\\> 2/],
  },
  {
    what: "the tier",
    engine: "cnpg",
    change: set("tier", "prod"),
    headline: notices,
    ...quiet,
    has: [
      /^## Refused: stack `shop`/m,
      /> The tier becomes prod instead of dev: policies are held to the levels of prod\./,
      /\*\*refused\*\*, new: `two-targets`/,
    ],
  },
  {
    what: "the engine",
    engine: "cnpg",
    change: set("cluster.engine", "zalando"),
    headline: "data is lost",
    restart: "it is deleted or made again",
    pause: /^\*\*yes\*\*: what is deleted or made again/,
    replaced: /^\*\*YES\*\*: deleted: Cluster postgres\/main\. What they hold is lost/,
    has: [/> The engine becomes zalando instead of cnpg: \\`make up\\` refuses that/],
  },
  {
    what: "another name, which deletes the cluster",
    engine: "cnpg",
    change: set("cluster.name", "other"),
    headline: "data is lost",
    restart: "it is deleted or made again",
    pause: /^\*\*yes\*\*/,
    replaced: /^\*\*YES\*\*: deleted: Cluster postgres\/main\./,
  },
  {
    what: "a new major version",
    engine: "cnpg",
    change: set("cluster.postgresVersion", "18"),
    headline: "PostgreSQL stops",
    restart: /^\*\*yes\*\*: PostgreSQL 18 instead of 17, .*: all instances stop, pg_upgrade works/,
    pause: /^\*\*yes\*\*: writes pause until the upgrade is done; no bound is known/,
    replaced: "no",
  },
];
