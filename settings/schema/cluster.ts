import * as z from "zod";
import { documented, atOnce, boolean, oneOf, cores, label, quantity, rolls, integer } from "./types";
import { access, databases, preloadLibraries, roles, slots } from "./databases";
import { scheduling } from "./scheduling";

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
    "Size of a separate volume for the WAL, in bytes. Default: none, the WAL is on the data volume.",
    "Can be added (a restart of each instance) but not removed.",
    "5Gi",
  ).optional(),
  archiveSize: quantity(
    "Size of the volume for the WAL archive, in bytes; only with the engine standalone, which keeps seven days there, " +
      "compressed. Default: as size.",
    "A larger size grows the volume where the class can.",
    "50Gi",
  ).optional(),
  writeMiBPerSecond: documented(z.number().min(0.001).max(10000), {
    means:
      "Rate at which WAL is written at busy hours, in MiB a second. Together with toleratedOutageHours it sizes the WAL volume. " +
      "Default: not known.",
    change: "As walSize, which follows from it.",
    allowed: "a number of MiB a second from 0.001 to 10000",
  }).optional(),
  toleratedOutageHours: documented(z.number().min(0.1).max(720), {
    means:
      "How long WAL may accumulate while an archive or a standby is away, in hours. walSize is then writeMiBPerSecond for that time, " +
      "max_wal_size, wal_keep_size and a tenth more, or these two alone and a quarter more, in whole GiB; a given walSize must be that large. Default: not asked for.",
    change: "As walSize, which follows from it.",
    allowed: "a number of hours from 0.1 to 720",
  }).optional(),
});

export const cluster = z.strictObject({
  name: label("Name of the database cluster; every object's name begins with it.", 50),
  namespace: label(
    "Namespace of the cluster. Everything in it is cut off from the network but for what the settings open.",
  ),
  makeNamespace: boolean(
    "Whether the platform makes the namespace; `make up` refuses to take over one that is there. false: it is there already, also for a second cluster in it; " +
      "`make up` asks before it closes the network of pods that are there. Default: true.",
    "From true to false deletes the namespace with all in it: decide before there is data. From false to true takes it over.",
  ).default(true),
  engine: oneOf(
    ["cnpg", "zalando", "standalone"],
    "What runs PostgreSQL. cnpg: CloudNativePG; zalando: the Zalando operator; standalone: one server without an " +
      "operator. Default: cnpg.",
    "A change makes another cluster; move the data first.",
  ).default("cnpg"),
  postgresVersion: oneOf(
    ["15", "16", "17", "18"],
    "PostgreSQL's major version; with the engine zalando 15 to 17. Default: 17.",
    "With cnpg a newer one is a major upgrade, which stops the database meanwhile; `make up` refuses a change with the other engines.",
  ).default("17"),
  instances: integer(
    "Number of PostgreSQL instances: one primary, the others standbys, each on a node of its own. Default: 3.",
    1,
    9,
    "A change adds or removes standbys.",
  ).default(3),
  spread: oneOf(
    ["required", "preferred"],
    "Whether instances keep to nodes of their own. required: an instance waits for a node without one; preferred: it shares a node when " +
      "there is no other, so that a small cluster of the tier dev holds more instances than it has nodes. Poolers follow. Default: required.",
    "A change restarts the instances one after another, the primary last, and rolls the poolers' pods.",
  ).default("required"),
  drains: oneOf(
    ["wait", "allow"],
    "Whether a drain may take the node of a single instance. wait: the drain waits until the setting is allow; allow: the instance stops, and the " +
      "database is down until its pod runs elsewhere, which a volume that is on that node keeps it from. Only with one instance: with more, a drain takes " +
      "one at a time, the primary after a switchover. Default: wait; allow with the engines zalando, whose operator moves it anyway, and standalone.",
    atOnce,
  ).optional(),
  durability: oneOf(
    ["zero-loss", "balanced", "async"],
    "What an acknowledged commit is worth. zero-loss: it is on a standby too, and writes block when none is there; " +
      "balanced: the same while a standby lives; async: it is on the primary, a failover may lose the last ones. Default: zero-loss.",
    atOnce,
  ).default("zero-loss"),
  synchronousStandbys: integer(
    "Number of standbys that must hold a commit before it is acknowledged; not used with async. Default: 1.",
    1,
    4,
    atOnce,
  ).default(1),
  failover: oneOf(
    ["fast", "standard", "patient"],
    "How soon a silent primary is noticed, and how long its successor waits for it to stop. fast: asked every second, waited for 3 s; " +
      "standard: every 2 s, 3 s; patient: every 10 s, 15 s, for nodes and networks with hiccups. Default: standard.",
    rolls,
  ).default("standard"),
  watchdogSeconds: integer(
    "How long the primary may answer nothing, in seconds, before a watchdog beside the cluster deletes its pod, so that the operator replaces it: its processes hang, or its node " +
      "is gone or cut off. The watchdog leaves a primary alone that refuses, starts or stops, whose last commit waited for no standby, or from which a standby still " +
      "receives WAL, and acts once a minute at most: see [failover](failover.md#the-watchdog). Only with cnpg, several instances and another durability than async. Default: there is none.",
    5,
    120,
    "Adds, changes or removes the watchdog's two pods; restarts nothing.",
  ).optional(),
  scheduling: scheduling(
    "Which nodes the instances go to, in place of scheduling.",
    "as scheduling",
  ).optional(),
  storage,
  resources: z
    .strictObject({
      requests: z
        .strictObject({
          cpu: cores("Cores reserved for each instance. Default: 500m; 200m on local.", rolls).optional(),
          memory: quantity(
            "Memory of each instance. Default: 1Gi; 512Mi on local. A quarter goes to shared_buffers, three quarters are what the " +
              "planner expects to find cached, and maintenance_work_mem, autovacuum_work_mem and work_mem follow from it too.",
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
      hugePages: z
        .strictObject({
          size: oneOf(
            ["2Mi", "1Gi"],
            "Size of a huge page; the nodes must have pages of that size set aside. Default: 2Mi.",
            rolls,
          ).default("2Mi"),
          amount: quantity(
            "Memory of each instance in huge pages, beside its other memory: shared_buffers and a tenth more must fit. PostgreSQL then doesn't start without them " +
              "(`huge_pages` is on).",
            rolls,
            "1Gi",
          ),
        })
        .optional(),
    })
    .default({}),
  maxConnections: integer(
    "PostgreSQL's max_connections: what poolers, direct clients and the platform share. Default: 100.",
    20,
    5000,
    rolls,
  ).default(100),
  parameters: documented(
    z.record(
      z.string().regex(/^[a-z_][a-z0-9_]*(\.[a-z_][a-z0-9_]*)?$/),
      // A line break ends a text in postgresql.conf, and what follows it would be read as more of the file.
      z.union([z.string().regex(/^\P{Cc}*$/u), z.number(), z.boolean()]),
    ),
    {
      means:
        "Further server parameters, as in postgresql.conf; they win over the derived ones. Default: none.",
      change: "A change reloads the servers, or restarts them where the parameter needs it.",
      allowed: "names of server parameters with a text without line breaks, a number, true or false",
      fix: "write the name in lower case and one plain value",
    },
  ).default({}),
  preloadLibraries,
  databases,
  roles,
  slots,
  access,
});
