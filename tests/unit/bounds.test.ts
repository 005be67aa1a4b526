import assert from "node:assert/strict";
import type { SettingsInput } from "../../settings/schema";
import { database, prod, sentences, withPooler } from "../support/rich";
import { bucket, certificate, changed, smallest } from "../support/settings";

const near = { name: "near", kind: "local" } as const;
const withBackup = (backup: object, of: object = smallest()) => ({
  ...of,
  backup: { targets: [near], ...backup },
});
const set = (path: string, value: unknown, of: object = smallest()): SettingsInput =>
  changed(of, path, value) as SettingsInput;
const setAll = (changes: Record<string, unknown>, of: object = smallest()) =>
  Object.entries(changes).reduce((input, [path, value]) => set(path, value, input), of);
const alone = (): object =>
  setAll({ "cluster.engine": "standalone", "cluster.instances": 1, "cluster.durability": "async" });
const zalando = (): object => set("cluster.engine", "zalando");
const twoDatabases = (first: object, second: object) =>
  set("cluster.databases", [
    { name: "app", owner: "app", ...first },
    { name: "shop", owner: "app", ...second },
  ]);
const target = (more: object) => withBackup({ targets: [near, { ...bucket(), ...more }] });
const client = (binding: unknown, more: object = {}): object => ({
  ...smallest(),
  poolers: [{ name: "p", database: "app" }],
  clients: [
    { name: "web", namespace: "web", labels: { app: "web" }, pooler: "p", binding, ...more } as NonNullable<
      SettingsInput["clients"]
    >[number],
  ],
});
const roles = (...list: object[]) => set("cluster.roles", list);
const restore = (more: object, backup: object = { targets: [bucket()] }) => ({
  ...withBackup(backup),
  restore: { target: "far", archiveId: "3f2a90b1c4", ...more },
});
const eks = (more: object) => ({
  ...withBackup({ targets: [{ ...bucket(), credentials: undefined, roleArn: arn, ...more }] }),
  platform: "cloud",
  cluster: set("cluster.storage.class", "gp3").cluster,
});
const arn = "arn:aws:iam::123456789012:role/backups";
const twoClients = (wired: boolean): object => {
  const one = client({ name: "shared" }) as SettingsInput;
  const [first] = one.clients ?? [];
  return {
    ...one,
    clients: [first, { ...first, name: "cron", binding: wired ? { name: "shared" } : false }],
  };
};
const volume = (more: object) => withBackup({ volume: more }, alone());

/** Where the checks draw a line: what is just allowed, and what is just not, with its sentences. */
const bounds: { what: string; allowed: unknown; refused: unknown; sentences: string[] }[] = [
  {
    what: "an archive's name, by the one way or the other",
    allowed: restore({ archiveId: undefined, serverName: "main", from: "shop/main" }),
    refused: restore({ serverName: "main" }),
    sentences: [
      'pgplatform:restore: {"target":"far","archiveId":"3f2a90b1c4","serverName":"main"} is not allowed. Allowed: one of archiveId and serverName. Fix: name the archive that `make backups` lists by archiveId, or one that another program made by serverName.',
    ],
  },
  {
    what: "the place of an archive that another program made",
    allowed: restore({ archiveId: undefined, serverName: "main", path: "old/backups" }),
    refused: restore({ path: "old/backups" }),
    sentences: [
      'pgplatform:restore.path: must not be set without serverName ("old/backups"). Fix: name an archive of this platform by `from`, the namespace and name of its cluster.',
    ],
  },
  {
    what: "the number of archives",
    allowed: withBackup({ targets: [near], archiveNumber: 9999 }),
    refused: withBackup({ targets: [near], archiveNumber: 0 }),
    sentences: [
      "pgplatform:backup.archiveNumber: 0 is not allowed. Allowed: a whole number from 1 to 9999. Fix: choose an allowed value.",
    ],
  },
  {
    what: "a verification six hours before the copy that it waits for",
    allowed: withBackup({
      targets: [near, { ...near, name: "far" }],
      copy: { schedule: "0 3 * * *" },
      verify: { schedule: "0 21 * * 0" },
    }),
    refused: withBackup({
      targets: [near, { ...near, name: "far" }],
      copy: { schedule: "0 3 * * *" },
      verify: { schedule: "59 20 * * 0" },
    }),
    sentences: [
      'pgplatform:backup.verify.schedule: "59 20 * * 0" is not allowed. Allowed: at most 6 hours before the next copy, which it waits for (backup.copy.schedule is 0 3 * * *). Fix: verify shortly before the copy, or copy more often.',
    ],
  },
  {
    what: "a query of the database postgres",
    allowed: withBackup({ verify: { queries: [{ name: "x", database: "postgres", sql: "select true" }] } }),
    refused: withBackup({ verify: { queries: [{ name: "x", database: "template1", sql: "select true" }] } }),
    sentences: [
      'pgplatform:backup.verify.queries[0].database: "template1" is not allowed. Allowed: one of pgplatform:cluster.databases (app), or postgres. Fix: correct it, or add the database.',
    ],
  },
  {
    what: "base backups as seldom as the recovery window is long",
    allowed: withBackup({ schedule: "0 2 * * 0", recoveryWindowDays: 7 }),
    refused: withBackup({ schedule: "0 2 * * 0", recoveryWindowDays: 6 }),
    sentences: [
      'pgplatform:backup.schedule: "0 2 * * 0" is not allowed. Allowed: at least every 6 days, the recovery window. Fix: make base backups more often, or lengthen backup.recoveryWindowDays.',
    ],
  },
  {
    what: "base backups in prod",
    allowed: prod(set("cluster.instances", 3)),
    refused: prod(withBackup({ targets: [{ ...bucket() }], schedule: "0 2 * * 1-6" })),
    sentences: [
      'pgplatform:backup.schedule: "0 2 * * 1-6" is not allowed. Allowed: in the tier prod at least daily: a restore replays all WAL since the last base backup. Fix: write a schedule that fires more often, such as 0 2 * * *.',
    ],
  },
  {
    what: "the compression of an engine",
    allowed: withBackup({ targets: [bucket()], compression: "brotli" }, zalando()),
    refused: withBackup({ targets: [bucket()], compression: "brotli" }),
    sentences: [
      'pgplatform:backup.compression: "brotli" is not allowed. Allowed: one of gzip, lz4, zstd, none with the engine cnpg, which archives with Barman\'s cloud tools. Fix: choose one of them, or leave it out.',
    ],
  },
  {
    what: "a store of a gibibyte",
    allowed: withBackup({ targets: [{ ...near, size: "1Gi" }] }),
    refused: withBackup({ targets: [{ ...near, size: "1023Mi" }] }),
    sentences: [
      'pgplatform:backup.targets[0].size: "1023Mi" is not allowed. Allowed: at least 1Gi. Fix: set 1Gi or more, or leave it out.',
    ],
  },
  {
    what: "the size of a store that is no volume",
    allowed: target({}),
    refused: target({ size: "1Gi" }),
    sentences: [
      'pgplatform:backup.targets[1].size: must not be set with the kind s3 ("1Gi"). Fix: leave it out, or use the kind local.',
    ],
  },
  {
    what: "an application key of B2, whose master key has twelve digits",
    allowed: target({
      kind: "b2",
      region: "eu-central-003",
      credentials: { accessKeyId: "0123456789ab1", secretAccessKey: "a secret key" },
    }),
    refused: target({
      kind: "b2",
      region: "eu-central-003",
      credentials: { accessKeyId: "0123456789ab", secretAccessKey: "a secret key" },
    }),
    sentences: [
      'pgplatform:backup.targets[1].credentials.accessKeyId: "0123456789ab" is not allowed. Allowed: an application key: this is the account\'s master key, which may do everything in every bucket. Fix: make an application key for this bucket alone.',
    ],
  },
  {
    what: "twelve digits as a key of another kind",
    allowed: target({ credentials: { accessKeyId: "0123456789ab", secretAccessKey: "a secret key" } }),
    refused: target({ credentials: undefined }),
    sentences: [
      "pgplatform:backup.targets[1].credentials: not set. Allowed: an access key with the kind s3. Fix: set it.",
    ],
  },
  {
    what: "two targets, of which each has its name",
    allowed: target({ name: "other" }),
    refused: target({ name: "near" }),
    sentences: [
      'pgplatform:backup.targets[1].name: "near" is not allowed. Allowed: a name that the first target doesn\'t have. Fix: rename one of them.',
    ],
  },
  {
    what: "two targets, of which each has its bucket",
    allowed: withBackup({ targets: [bucket(), { ...bucket(), name: "copy", bucket: "more" }] }),
    refused: withBackup({ targets: [bucket(), { ...bucket(), name: "copy" }] }),
    sentences: [
      'pgplatform:backup.targets[1].bucket: "jewelry-shop-backups" is not allowed. Allowed: another bucket than that of the target far, or another endpoint. Fix: name a bucket of its own for the copy.',
    ],
  },
  {
    what: "a lock of the copy, as long as it is kept",
    allowed: withBackup({
      recoveryWindowDays: 9,
      targets: [
        near,
        {
          name: "r2",
          kind: "r2",
          bucket: "copies",
          account: "0123456789abcdef0123456789abcdef",
          lockDays: 9,
        },
      ],
    }),
    refused: withBackup({
      recoveryWindowDays: 9,
      targets: [
        near,
        {
          name: "r2",
          kind: "r2",
          bucket: "copies",
          account: "0123456789abcdef0123456789abcdef",
          lockDays: 10,
        },
      ],
    }),
    sentences: [
      "pgplatform:backup.targets[1].lockDays: 10 is not allowed. Allowed: at most 9, as long as backups are kept (backup.recoveryWindowDays). Fix: shorten it, or lengthen the window.",
    ],
  },
  {
    what: "a lock of the copy alone",
    allowed: withBackup({
      targets: [{ name: "r2", kind: "r2", bucket: "copies", account: "0123456789abcdef0123456789abcdef" }],
    }),
    refused: withBackup({
      targets: [
        {
          name: "r2",
          kind: "r2",
          bucket: "copies",
          account: "0123456789abcdef0123456789abcdef",
          lockDays: 1,
        },
      ],
    }),
    sentences: [
      "pgplatform:backup.targets[0].lockDays: 1 is not allowed. Allowed: 0 at the first target: files of a base backup are written twice there, and what a lock holds can't expire. Fix: lock the second target, which is the copy.",
    ],
  },
  {
    what: "a lock of a bucket that the platform makes",
    allowed: withBackup({
      targets: [
        near,
        {
          name: "r2",
          kind: "r2",
          bucket: "copies",
          account: "0123456789abcdef0123456789abcdef",
          adopt: true,
        },
      ],
    }),
    refused: withBackup({
      targets: [
        near,
        {
          name: "r2",
          kind: "r2",
          bucket: "copies",
          account: "0123456789abcdef0123456789abcdef",
          adopt: true,
          lockDays: 1,
        },
      ],
    }),
    sentences: [
      "pgplatform:backup.targets[1].lockDays: 1 is not allowed. Allowed: 0 with a bucket that was there: its locks stay as they are. Fix: lock it at the provider.",
    ],
  },
  {
    what: "an authority of an endpoint",
    allowed: target({ endpoint: "https://store.example.com", caCertificate: certificate }),
    refused: target({ caCertificate: certificate }),
    sentences: [
      'pgplatform:backup.targets[1].caCertificate: must not be set without an endpoint ("given"): a public CA signs for AWS. Fix: set endpoint, or leave it out.',
    ],
  },
  {
    what: "a role in place of a key, in the cloud",
    allowed: eks({}),
    refused: { ...eks({}), platform: "local" },
    sentences: [
      'pgplatform:backup.targets[0].roleArn: must not be set with the platform local ("arn:aws:iam::123456789012:role/backups"): EKS alone gives its pods a role. Fix: give credentials in its place, or set pgplatform:platform to cloud.',
    ],
  },
  {
    what: "a role without a key beside it",
    allowed: eks({}),
    refused: eks({ credentials: bucket().credentials }),
    sentences: [
      'pgplatform:backup.targets[0].roleArn: must not be set beside credentials ("arn:aws:iam::123456789012:role/backups"): it takes their place. Fix: leave out one of them.',
    ],
  },
  {
    what: "a role at AWS",
    allowed: eks({}),
    refused: eks({ endpoint: "https://store.example.com" }),
    sentences: [
      'pgplatform:backup.targets[0].roleArn: must not be set with an endpoint ("arn:aws:iam::123456789012:role/backups"): only AWS knows its roles. Fix: leave out the endpoint, or give credentials in its place.',
    ],
  },
  {
    what: "base backups as old as the log on their volume",
    allowed: volume({ baseBackupDays: 5, walRetentionDays: 5 }),
    refused: volume({ baseBackupDays: 4, walRetentionDays: 5 }),
    sentences: [
      "pgplatform:backup.volume.baseBackupDays: 4 is not allowed. Allowed: at least 5, as backup.volume.walRetentionDays: WAL without an older base backup restores nothing. Fix: keep base backups as long as the WAL, or longer.",
    ],
  },
  {
    what: "connections for a base backup on a volume",
    allowed: set("cluster.parameters", { max_wal_senders: 2 }, withBackup({ targets: [] }, alone())),
    refused: set("cluster.parameters", { max_wal_senders: 1 }, withBackup({ targets: [] }, alone())),
    sentences: [
      "pgplatform:cluster.parameters.max_wal_senders: 1 is not allowed. Allowed: at least 2 with backup: one for a base backup, one for its WAL. Fix: raise it, or leave it out.",
    ],
  },
  {
    what: "a volume of base backups where the engine has one",
    allowed: volume({ baseBackupDays: 9 }),
    refused: withBackup({ volume: { baseBackupDays: 9 } }),
    sentences: [
      'pgplatform:backup.volume: {"baseBackupDays":9,"walRetentionDays":7} is not allowed. Allowed: what the engine cnpg can do: its operator archives to an object store. Fix: leave it out.',
    ],
  },
  {
    what: "a backup without targets where the engine has a volume",
    allowed: withBackup({ targets: [] }, alone()),
    refused: withBackup({ targets: [] }),
    sentences: [
      "pgplatform:backup.targets: [] is not allowed. Allowed: a list of one or two targets with the engine cnpg. Fix: list one target, or two, or leave out backup.",
    ],
  },
  {
    what: "a version of PostgreSQL that the engine has",
    allowed: set("cluster.postgresVersion", "17", zalando()),
    refused: set("cluster.postgresVersion", "18", zalando()),
    sentences: [
      'pgplatform:cluster.postgresVersion: "18" is not allowed. Allowed: one of 15, 16, 17 with the engine zalando. Fix: choose one of them, or another engine.',
    ],
  },
  {
    what: "a volume for the log where the engine has one",
    allowed: set("cluster.storage.walSize", "1Gi"),
    refused: set("cluster.storage.walSize", "1Gi", zalando()),
    sentences: [
      'pgplatform:cluster.storage.walSize: "1Gi" is not allowed. Allowed: what the engine zalando can do: its custom resource has one volume for each instance. Fix: leave walSize out, and make size larger by as much.',
    ],
  },
  {
    what: "a volume for the archive where the engine has one",
    allowed: set("cluster.storage.archiveSize", "1Gi", alone()),
    refused: set("cluster.storage.archiveSize", "1Gi"),
    sentences: [
      'pgplatform:cluster.storage.archiveSize: "1Gi" is not allowed. Allowed: what the engine cnpg can do: its operator archives to an object store. Fix: leave archiveSize out.',
    ],
  },
  {
    what: "a time zone of the schedules where the engine has one",
    allowed: withBackup({ timeZone: "UTC" }, zalando()),
    refused: withBackup({ timeZone: "Europe/Berlin" }, zalando()),
    sentences: [
      'pgplatform:backup.timeZone: "Europe/Berlin" is not allowed. Allowed: what the engine zalando can do: its image starts cron with an empty environment, which leaves it UTC. Fix: leave timeZone out, and write schedule in UTC.',
    ],
  },
  {
    what: "a gibibyte for the data",
    allowed: set("cluster.storage.size", "1Gi"),
    refused: set("cluster.storage.size", "1023Mi"),
    sentences: [
      'pgplatform:cluster.storage.size: "1023Mi" is not allowed. Allowed: at least 1Gi. Fix: set 1Gi or more.',
    ],
  },
  {
    what: "a gibibyte for the log",
    allowed: set("cluster.storage.walSize", "1Gi"),
    refused: set("cluster.storage.walSize", "1023Mi"),
    sentences: [
      'pgplatform:cluster.storage.walSize: "1023Mi" is not allowed. Allowed: at least 1Gi. Fix: set 1Gi or more, or leave it out.',
    ],
  },
  {
    what: "a gibibyte for the archive",
    allowed: set("cluster.storage.archiveSize", "1Gi", alone()),
    refused: set("cluster.storage.archiveSize", "1023Mi", alone()),
    sentences: [
      'pgplatform:cluster.storage.archiveSize: "1023Mi" is not allowed. Allowed: at least 1Gi. Fix: set 1Gi or more, or leave it out.',
    ],
  },
  {
    what: "a claimed outage with both of its numbers",
    allowed: setAll({ "cluster.storage.writeMiBPerSecond": 1, "cluster.storage.toleratedOutageHours": 1 }),
    refused: set("cluster.storage.toleratedOutageHours", 1),
    sentences: [
      "pgplatform:cluster.storage.writeMiBPerSecond: not set. Allowed: a number whenever the other of writeMiBPerSecond and toleratedOutageHours is given. Fix: set both, or none.",
    ],
  },
  {
    what: "a hundredth of a core",
    allowed: set("cluster.resources", { requests: { cpu: "10m" } }),
    refused: set("cluster.resources", { requests: { cpu: "9m" } }),
    sentences: [
      'pgplatform:cluster.resources.requests.cpu: "9m" is not allowed. Allowed: at least 10m. Fix: set 10m or more.',
    ],
  },
  {
    what: "a limit of the CPU as high as the request",
    allowed: set("cluster.resources", { requests: { cpu: "2" }, limits: { cpu: "2" } }),
    refused: set("cluster.resources", { requests: { cpu: "2" }, limits: { cpu: "1999m" } }),
    sentences: [
      'pgplatform:cluster.resources.limits.cpu: "1999m" is not allowed. Allowed: at least the request of 2. Fix: raise the limit or lower the request.',
    ],
  },
  {
    what: "the longest name with an engine",
    allowed: set("cluster.name", "a".repeat(47), alone()),
    refused: set("cluster.name", "a".repeat(48), alone()),
    sentences: [
      'pgplatform:cluster.name: "aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa" is not allowed. Allowed: at most 47 characters with the engine standalone. Fix: shorten it.',
    ],
  },
  {
    what: "the longest name with a CronJob that verifies",
    allowed: withBackup({}, set("cluster.name", "a".repeat(43))),
    refused: withBackup({}, set("cluster.name", "a".repeat(44))),
    sentences: [
      'pgplatform:cluster.name: "aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa" is not allowed. Allowed: short enough for the CronJob\'s name aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa-verify-1, which has 53 of at most 52 characters. Fix: shorten it.',
    ],
  },
  {
    what: "the longest name of a pooler's Service",
    allowed: { ...set("cluster.name", "a".repeat(40)), poolers: [{ name: "b".repeat(9), database: "app" }] },
    refused: { ...set("cluster.name", "a".repeat(40)), poolers: [{ name: "b".repeat(10), database: "app" }] },
    sentences: [
      'pgplatform:poolers[0].name: "bbbbbbbbbb" is not allowed. Allowed: short enough for the Service\'s name aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa-pooler-bbbbbbbbbb-peers, which has 64 of at most 63 characters. Fix: shorten it or cluster.name.',
    ],
  },
  {
    what: "a server connection for each pooler's pod",
    allowed: withPooler({ instances: 3, serverConnections: 3, poolSize: 3 }),
    refused: withPooler({ instances: 3, serverConnections: 2, poolSize: 2 }),
    sentences: [
      "pgplatform:poolers[0].serverConnections: 2 is not allowed. Allowed: at least 3, one for each pod. Fix: raise it.",
      "pgplatform:poolers[0].poolSize: 2 is not allowed. Allowed: from 3 (one for each pod) to serverConnections, 2. Fix: change one of the two.",
    ],
  },
  {
    what: "a pool with a connection for each pod",
    allowed: withPooler({ instances: 3, serverConnections: 9, poolSize: 3 }),
    refused: withPooler({ instances: 3, serverConnections: 9, poolSize: 2 }),
    sentences: [
      "pgplatform:poolers[0].poolSize: 2 is not allowed. Allowed: from 3 (one for each pod) to serverConnections, 9. Fix: change one of the two.",
    ],
  },
  {
    what: "a pool as large as its server connections",
    allowed: withPooler({ serverConnections: 9, poolSize: 9 }),
    refused: withPooler({ serverConnections: 9, poolSize: 10 }),
    sentences: [
      "pgplatform:poolers[0].poolSize: 10 is not allowed. Allowed: from 2 (one for each pod) to serverConnections, 9. Fix: change one of the two.",
    ],
  },
  {
    what: "as many clients as server connections",
    allowed: withPooler({ serverConnections: 30, maxClients: 30 }),
    refused: withPooler({ serverConnections: 30, maxClients: 29 }),
    sentences: [
      "pgplatform:poolers[0].maxClients: 29 is not allowed. Allowed: at least serverConnections, 30. Fix: raise it, or lower serverConnections.",
    ],
  },
  {
    what: "two poolers, of which each has its name",
    allowed: {
      ...withPooler({}),
      poolers: [
        { name: "p", database: "app" },
        { name: "q", database: "app" },
      ],
    },
    refused: {
      ...withPooler({}),
      poolers: [
        { name: "p", database: "app" },
        { name: "p", database: "app" },
      ],
    },
    sentences: [
      'pgplatform:poolers[0].name: "p" is not allowed. Allowed: a name that no other pooler has. Fix: rename it.',
      'pgplatform:poolers[1].name: "p" is not allowed. Allowed: a name that no other pooler has. Fix: rename it.',
    ],
  },
  {
    what: "a database's connections, as many as its poolers open",
    allowed: {
      ...database({ connectionLimit: 32 }),
      poolers: [{ name: "p", database: "app", serverConnections: 30, instances: 2 }],
    },
    refused: {
      ...database({ connectionLimit: 31 }),
      poolers: [{ name: "p", database: "app", serverConnections: 30, instances: 2 }],
    },
    sentences: [
      "pgplatform:cluster.databases[0].connectionLimit: 31 is not allowed. Allowed: at least 32, which the database's poolers may open. Fix: raise it, or lower the poolers' serverConnections.",
    ],
  },
  {
    what: "an owner's limit that two databases give alike",
    allowed: twoDatabases({ ownerConnectionLimit: 5 }, { ownerConnectionLimit: 5 }),
    refused: twoDatabases({ ownerConnectionLimit: 5 }, { ownerConnectionLimit: 6 }),
    sentences: [
      "pgplatform:cluster.databases[1].ownerConnectionLimit: 6 is not allowed. Allowed: 5, which another database gives the same owner. Fix: give it once.",
    ],
  },
  {
    what: "the limits of two owners",
    allowed: twoDatabases({ ownerConnectionLimit: 5 }, { owner: "other", ownerConnectionLimit: 6 }),
    refused: twoDatabases({ ownerConnectionLimit: 5 }, { ownerConnectionLimit: 7 }),
    sentences: [
      "pgplatform:cluster.databases[1].ownerConnectionLimit: 7 is not allowed. Allowed: 5, which another database gives the same owner. Fix: give it once.",
    ],
  },
  {
    what: "an owner's limit that one of its databases gives",
    allowed: twoDatabases({}, { ownerConnectionLimit: 6 }),
    refused: set("cluster.databases", [
      { name: "a", owner: "x" },
      { name: "b", owner: "x", ownerConnectionLimit: 5 },
      { name: "c", owner: "x", ownerConnectionLimit: 6 },
    ]),
    sentences: [
      "pgplatform:cluster.databases[2].ownerConnectionLimit: 6 is not allowed. Allowed: 5, which another database gives the same owner. Fix: give it once.",
    ],
  },
  {
    what: "a schema whose name isn't PostgreSQL's",
    allowed: database({ schemas: [{ name: "my_pg_x" }, { name: "my_information_schema" }] }),
    refused: database({ schemas: [{ name: "pg_my" }, { name: "information_schema" }] }),
    sentences: [
      'pgplatform:cluster.databases[0].schemas[0].name: "pg_my" is not allowed. Allowed: any name but public, which is there anyway, information_schema, pgplatform and pg_…. Fix: rename or remove it.',
      'pgplatform:cluster.databases[0].schemas[1].name: "information_schema" is not allowed. Allowed: any name but public, which is there anyway, information_schema, pgplatform and pg_…. Fix: rename or remove it.',
    ],
  },
  {
    what: "two schemas, of which each has its name",
    allowed: database({ schemas: [{ name: "a" }, { name: "b" }] }),
    refused: database({ schemas: [{ name: "a" }, { name: "a" }] }),
    sentences: [
      'pgplatform:cluster.databases[0].schemas[0].name: "a" is not allowed. Allowed: a name that no other schema has. Fix: rename it.',
      'pgplatform:cluster.databases[0].schemas[1].name: "a" is not allowed. Allowed: a name that no other schema has. Fix: rename it.',
    ],
  },
  {
    what: "an extension that is listed once",
    allowed: database({ extensions: ["hstore", "citext"] }),
    refused: database({ extensions: ["hstore", "hstore"] }),
    sentences: [
      'pgplatform:cluster.databases[0].extensions[0]: "hstore" is not allowed. Allowed: an extension that is listed once. Fix: remove one.',
      'pgplatform:cluster.databases[0].extensions[1]: "hstore" is not allowed. Allowed: an extension that is listed once. Fix: remove one.',
    ],
  },
  {
    what: "an extension behind the one that it needs",
    allowed: database({ extensions: ["cube", "earthdistance"] }),
    refused: database({ extensions: ["earthdistance", "cube"] }),
    sentences: [
      'pgplatform:cluster.databases[0].extensions[0]: "earthdistance" is not allowed. Allowed: a place after cube, which it needs. Fix: list cube before it.',
    ],
  },
  {
    what: "a predefined role since its version",
    allowed: setAll({
      "cluster.postgresVersion": "16",
      "cluster.roles": [{ name: "reader", memberOf: ["pg_use_reserved_connections"] }],
    }),
    refused: setAll({
      "cluster.postgresVersion": "15",
      "cluster.roles": [{ name: "reader", memberOf: ["pg_use_reserved_connections"] }],
    }),
    sentences: [
      'pgplatform:cluster.roles[0].memberOf[0]: "pg_use_reserved_connections" is not allowed. Allowed: one of app, reader, pg_checkpoint, pg_monitor, pg_read_all_data, pg_read_all_settings, pg_read_all_stats, pg_signal_backend, pg_stat_scan_tables, pg_write_all_data. Fix: correct it, or add the role.',
    ],
  },
  {
    what: "two roles, of which each has its name",
    allowed: roles({ name: "a" }, { name: "b" }),
    refused: roles({ name: "a" }, { name: "a" }),
    sentences: [
      'pgplatform:cluster.roles[0].name: "a" is not allowed. Allowed: a name that no other role has. Fix: rename it.',
      'pgplatform:cluster.roles[1].name: "a" is not allowed. Allowed: a name that no other role has. Fix: rename it.',
    ],
  },
  {
    what: "a role that may read, and no files of the server",
    allowed: roles({ name: "a", memberOf: ["pg_read_all_data"] }),
    refused: roles({ name: "a", memberOf: ["pg_read_server_files"] }),
    sentences: [
      'pgplatform:cluster.roles[0].memberOf[0]: "pg_read_server_files" is not allowed. Allowed: a role that can\'t become a superuser by files or programs of the server. Fix: remove it.',
    ],
  },
  {
    what: "a group that isn't the platform's",
    allowed: roles({ name: "a", memberOf: ["app"] }),
    refused: roles({ name: "a", memberOf: ["pgp_health"] }),
    sentences: [
      "pgplatform:cluster.roles[0].memberOf[0]: \"pgp_health\" is not allowed. Allowed: a role that isn't the platform's. Fix: remove it.",
    ],
  },
  {
    what: "the longest name of a role whose password is rotated",
    allowed: {
      ...set("cluster.databases", [{ name: "app", owner: "a".repeat(61) }]),
      rotation: { credentialVersion: 2 },
    },
    refused: {
      ...set("cluster.databases", [{ name: "app", owner: "a".repeat(62) }]),
      rotation: { credentialVersion: 2 },
    },
    sentences: [
      'pgplatform:cluster.databases[0].owner: "aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa" is not allowed. Allowed: at most 61 characters once passwords are rotated. Fix: shorten it.',
    ],
  },
  {
    what: "a label of one's own",
    allowed: { ...zalando(), labels: { "example.com/team": "x" } },
    refused: { ...zalando(), labels: { team: "x" } },
    sentences: [
      'pgplatform:labels.team: "x" is not allowed. Allowed: any key but those that the engine zalando or Kubernetes writes itself (application, cluster-name, spilo-role, team, acid.zalan.do/…, pod-template-hash, controller-revision-hash, controller-uid, job-name). Fix: choose another key, such as one with a prefix of your own.',
    ],
  },
  {
    what: "a restore from a target that is there",
    allowed: restore({}),
    refused: restore({ target: "away" }),
    sentences: [
      'pgplatform:restore.target: "away" is not allowed. Allowed: one of the backup targets (far). Fix: name one of them, or add the target to backup.targets.',
    ],
  },
  {
    what: "a restore to one moment or place",
    allowed: restore({ to: { lsn: "0/3000148" } }),
    refused: restore({ to: { lsn: "0/3000148", name: "x" } }),
    sentences: [
      'pgplatform:restore.to: {"lsn":"0/3000148","name":"x"} is not allowed. Allowed: one of time, lsn and name, or nothing for the newest that was archived. Fix: keep one of them.',
    ],
  },
  {
    what: "a restore to a place where the engine can",
    allowed: {
      ...restore({ to: { time: "2026-01-31T23:59:00Z" } }),
      cluster: set("cluster.engine", "zalando").cluster,
    },
    refused: { ...restore({ to: { lsn: "0/3000148" } }), cluster: set("cluster.engine", "zalando").cluster },
    sentences: [
      'pgplatform:restore.to.lsn: "0/3000148" is not allowed. Allowed: what the engine zalando can do: its image restores to a moment only. Fix: set restore.to.time, or leave restore.to out for the newest that was archived.',
    ],
  },
  {
    what: "a restore out of a store beside the cluster, in its namespace",
    allowed: restore({ target: "near", from: "postgres/other" }, { targets: [near, bucket()] }),
    refused: restore({ target: "near", from: "shop/other" }, { targets: [near, bucket()] }),
    sentences: [
      'pgplatform:restore.from: "shop/other" is not allowed. Allowed: a cluster of the namespace postgres, where the store near is. Fix: restore in that namespace, or from a bucket.',
    ],
  },
  {
    what: "a restore out of a bucket, from any namespace",
    allowed: restore({ from: "shop/postgres" }, { targets: [near, bucket()] }),
    refused: restore({ target: "near", from: "shop/postgres" }, { targets: [near, bucket()] }),
    sentences: [
      'pgplatform:restore.from: "shop/postgres" is not allowed. Allowed: a cluster of the namespace postgres, where the store near is. Fix: restore in that namespace, or from a bucket.',
    ],
  },
  {
    what: "a binding's name in the cluster's own namespace",
    allowed: client({ name: "web-main" }, { namespace: "postgres" }),
    refused: client({ name: "main-web" }, { namespace: "postgres" }),
    sentences: [
      "pgplatform:clients[0].binding.name: \"main-web\" is not allowed. Allowed: a name that doesn't begin with main-, as the platform's own objects in that namespace do. Fix: rename it, or leave it out.",
    ],
  },
  {
    what: "a binding's name elsewhere",
    allowed: client({ name: "main-web" }),
    refused: client({ name: "main-web", database: "shop" }),
    sentences: [
      'pgplatform:clients[0].binding.database: "shop" is not allowed. Allowed: one of pgplatform:cluster.databases (app). Fix: correct it, or add the database.',
    ],
  },
  {
    what: "a binding's role that logs in",
    allowed: { ...client({ role: "reader" }), cluster: roles({ name: "reader" }).cluster },
    refused: { ...client({ role: "reader" }), cluster: roles({ name: "reader", login: false }).cluster },
    sentences: [
      'pgplatform:clients[0].binding.role: "reader" is not allowed. Allowed: a role that logs in (app). Fix: correct it, or add the role to cluster.roles.',
    ],
  },
  {
    what: "two bindings of one name, of which one isn't made",
    allowed: twoClients(false),
    refused: twoClients(true),
    sentences: [
      'pgplatform:clients[0].binding.name: "shared" is not allowed. Allowed: a name that no other client\'s binding has in the namespace web. Fix: rename it.',
      'pgplatform:clients[1].binding.name: "shared" is not allowed. Allowed: a name that no other client\'s binding has in the namespace web. Fix: rename it.',
    ],
  },
];

describe("on the last value that is allowed and the first that isn't:", () => {
  for (const { what, allowed, refused, sentences: expected } of bounds)
    it(what, () => {
      assert.deepEqual(sentences(allowed), []);
      assert.deepEqual(sentences(refused), expected);
    });
});
