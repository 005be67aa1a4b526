import assert from "node:assert/strict";
import { alertmanagerConfiguration } from "../../plan/monitoring/install/alertmanager";
import { cloud as anywhere, refused } from "../support/cases";
import { bucket, changed, checked, smallest } from "../support/settings";
import { sentences } from "../support/rich";

/** What was taken and then had no effect, kept something from starting, or locked its users out: each beside what is right. */

const cloud = (cluster: object = {}, rest: object = {}) =>
  sentences(anywhere(cluster, { tier: "dev", ...rest }));
const roles = [
  { name: "readers", login: false },
  { name: "ada", memberOf: ["readers"] },
];

const backupOf = (cluster: object, more: object) =>
  cloud(cluster, { backup: { targets: [bucket()], ...more } });

describe("a rule of access", () => {
  it("names a role that logs in: members of a group need rules of their own", () => {
    refused(
      cloud({ roles, access: [{ role: "readers" }] }),
      /access\[0\]\.role: "readers" .* a role that logs in: all, app, ada, pgp_admin\. Fix: name its members, each in a rule of its own\./,
    );
    assert.deepEqual(cloud({ roles, access: [{ role: "ada" }] }), []);
  });
  it("lets owners in whose databases maintenance works on, and someone in through each pooler", () => {
    const maintenance = { schedule: "0 3 * * *" };
    refused(
      cloud({ roles, access: [{ role: "ada" }] }, { maintenance }),
      /cluster\.access: .* lets app into the database app/,
    );
    assert.deepEqual(
      cloud({ roles, access: [{ role: "ada" }, { role: "app", database: "app" }] }, { maintenance }),
      [],
    );
    const databases = [
      { name: "app", owner: "app" },
      { name: "rep", owner: "app" },
    ];
    const poolers = [{ name: "p", database: "rep" }];
    refused(
      cloud({ databases, access: [{ database: "app" }] }, { poolers }),
      /poolers\[0\]\.database: "rep"/,
    );
    assert.deepEqual(cloud({ databases, access: [{ database: "rep" }] }, { poolers }), []);
  });
});

describe("what only a verification does", () => {
  const backup = (verify: object, targets: object[] = [bucket()]) =>
    cloud({}, { backup: { targets, verify } });
  it("isn't asked for where none runs", () => {
    for (const [key, value] of Object.entries({
      dump: true,
      size: "20Gi",
      queries: [{ name: "q", sql: "select true" }],
    })) {
      refused(
        backup({ enabled: false, [key]: value }),
        new RegExp(`verify\\.${key}: .*set backup\\.verify\\.enabled to true`),
      );
      assert.deepEqual(backup({ [key]: value }), []);
    }
    refused(
      cloud(
        { engine: "standalone", instances: 1, durability: "async" },
        { backup: { verify: { dump: true } } },
      ),
      /verify\.dump: .*list a target, or leave it out/,
    );
  });
  it("has room for more than nothing", () => {
    for (const size of ["0", "100", "1023Mi"]) refused(backup({ size }), /verify\.size: .*at least 1Gi/);
    assert.deepEqual(backup({ size: "1Gi" }), []);
  });
});

describe("a locale", () => {
  const database = (more: object) => cloud({ databases: [{ name: "app", owner: "app", ...more }] });
  it("is of the database's encoding", () => {
    refused(
      database({ locale: "de_AT.UTF-8", encoding: "LATIN1" }),
      /databases\[0\]\.locale: "de_AT\.UTF-8" .*of the encoding LATIN1/,
    );
    refused(database({ locale: "C.UTF-8", encoding: "LATIN1" }), /databases\[0\]\.locale/);
    refused(database({ locale: "en_US" }), /without its name glibc takes an older encoding.*en_US\.UTF-8/);
    refused(database({ icuLocale: "de", locale: "C.UTF-8", encoding: "LATIN1" }), /databases\[0\]\.locale/);
    for (const good of [
      { locale: "de_AT.ISO-8859-15", encoding: "LATIN9" },
      { locale: "de_AT.ISO8859-1", encoding: "LATIN1" },
      { locale: "de_DE.utf8@euro" },
      { locale: "C" },
      { locale: "C", encoding: "LATIN1" },
      { locale: "en_US.UTF-8" },
    ])
      assert.deepEqual(database(good), [], JSON.stringify(good));
  });
});

describe("a time zone", () => {
  const zone = (timeZone: string) => cloud({}, { maintenance: { schedule: "0 3 * * *", timeZone } });
  it("is written as its list writes it, since Kubernetes tells the cases apart", () => {
    for (const name of ["Europe/berlin", "EUROPE/BERLIN", "europe/Berlin", "UtC"])
      refused(zone(name), /timeZone: /);
    for (const name of [
      "Europe/Berlin",
      "UTC",
      "Etc/UTC",
      "US/Eastern",
      "America/Port_of_Spain",
      "America/Argentina/Buenos_Aires",
    ])
      assert.deepEqual(zone(name), [], name);
  });
});

describe("slots", () => {
  it("have a role that may read them", () => {
    const slots = [{ name: "cdc" }];
    refused(
      cloud({ engine: "zalando", slots }),
      /cluster\.slots: .*a role of cluster\.roles has replication/,
    );
    assert.deepEqual(cloud({ engine: "zalando", slots, roles: [{ name: "cdc", replication: true }] }), []);
  });
});

describe("addresses", () => {
  const install = (receiver: object) =>
    cloud({}, { monitoring: { prometheus: "install", install: { receivers: [receiver] } } });
  const mail = (smtp: string) => ({
    name: "m",
    kind: "email",
    to: "a@example.com",
    from: "b@example.com",
    smtp,
  });
  const slack = (webhookUrl: string) => ({ name: "s", kind: "slack", webhookUrl });
  const store = (more: object) =>
    cloud(
      {},
      {
        backup: {
          targets: [
            {
              name: "a",
              kind: "s3",
              bucket: "shop-backups",
              credentials: { accessKeyId: "AKIAEXAMPLE000001", secretAccessKey: "x".repeat(40) },
              ...more,
            },
          ],
        },
      },
    );

  it("have a port that there is", () => {
    for (const port of ["0", "65536", "90000"]) {
      refused(
        cloud({}, { images: { registry: `registry.example.com:${port}/mirror` } }),
        /images\.registry: /,
      );
      refused(
        cloud({}, { registries: [{ server: `registry.example.com:${port}`, username: "u", password: "p" }] }),
        /registries\[0\]\.server: /,
      );
      refused(install(mail(`smtp.example.com:${port}`)), /smtp: /);
      refused(store({ endpoint: `https://minio.example.com:${port}` }), /endpoint: /);
    }
    for (const port of ["1", "9000", "65535"]) {
      assert.deepEqual(install(mail(`smtp.example.com:${port}`)), []);
      assert.deepEqual(store({ endpoint: `https://minio.example.com:${port}` }), []);
    }
  });
  it("of a chat are an address", () => {
    refused(install(slack("hooks.slack.com/services/x")), /webhookUrl: .*begins with https:/);
    assert.deepEqual(install(slack("https://hooks.slack.com/services/x")), []);
  });
  it("of a store have no bucket in them, are AWS's by its regions, and no numbers where the bucket stands before them", () => {
    refused(store({ region: "frankfurt" }), /targets\[0\]\.region: "frankfurt"/);
    refused(
      store({ endpoint: "https://shop-backups.fra1.example.com" }),
      /endpoint: .*write https:\/\/fra1\.example\.com/,
    );
    assert.deepEqual(store({ region: "eu-central-1" }), []);
    assert.deepEqual(store({ endpoint: "https://fra1.example.com", region: "frankfurt" }), []);
    const zalando = (endpoint: string) =>
      cloud(
        { engine: "zalando" },
        {
          backup: {
            targets: [
              {
                name: "a",
                kind: "s3",
                bucket: "shop-backups",
                endpoint,
                pathStyle: false,
                credentials: { accessKeyId: "AKIAEXAMPLE000001", secretAccessKey: "x".repeat(40) },
              },
            ],
          },
        },
      );
    refused(zalando("https://10.0.0.5:9000"), /pathStyle: false .*address of numbers/);
    assert.deepEqual(zalando("https://minio.example.com:9000"), []);
  });
  it("of mail with TLS from the beginning aren't asked for STARTTLS, which Alertmanager would wait for", () => {
    const asked = (smtp: string) =>
      JSON.stringify(
        alertmanagerConfiguration(
          checked({
            ...smallest(),
            monitoring: { prometheus: "install", install: { receivers: [mail(smtp)] } },
          }).monitoring.install!,
          [],
        ),
      );
    assert.match(asked("smtp.example.com:465"), /"require_tls":false/);
    assert.match(asked("smtp.example.com:587"), /"require_tls":true/);
  });
});

describe("an issuer", () => {
  const issuer = (issuerRef: object) => cloud({}, { tls: { issuer: "cert-manager", issuerRef } });
  it("of another group has that group's kind", () => {
    assert.deepEqual(issuer({ name: "x", kind: "AWSPCAClusterIssuer", group: "awspca.cert-manager.io" }), []);
    refused(
      issuer({ name: "x", kind: "AWSPCAClusterIssuer" }),
      /issuerRef\.kind: .*Issuer or ClusterIssuer in the group/,
    );
  });
});

describe("a pooler", () => {
  const pooler = (more: object, cluster: object = {}) =>
    cloud(cluster, { poolers: [{ name: "p", database: "app", ...more }] });
  it("lets clients wait for longer than a failover takes", () => {
    const tuning = { queryWaitTimeoutSeconds: 5, serverLoginRetrySeconds: 60 };
    refused(
      pooler({ tuning }),
      /queryWaitTimeoutSeconds: 5 .*a failover may take \d+ s, and serverLoginRetrySeconds is 60/,
    );
    assert.deepEqual(pooler({ tuning: { queryWaitTimeoutSeconds: 120 } }), []);
  });
  it("doesn't ignore what it tracks", () => {
    refused(
      pooler({ tuning: { ignoreStartupParameters: ["search_path", "application_name"] } }),
      /ignoreStartupParameters\[1\]: "application_name"/,
    );
    assert.deepEqual(pooler({ tuning: { ignoreStartupParameters: ["search_path"] } }), []);
  });
  it("opens no more connections for an owner than the owner may have", () => {
    const databases = (ownerConnectionLimit: number) => ({
      databases: [{ name: "app", owner: "app", ownerConnectionLimit }],
    });
    refused(pooler({ poolSize: 20 }, databases(5)), /ownerConnectionLimit: 5 .*at least 20/);
    assert.deepEqual(pooler({ poolSize: 20 }, databases(20)), []);
  });
  it("nor for another role that a client is told to log in as", () => {
    const role = (connectionLimit: number) => ({ roles: [{ name: "api", connectionLimit }] });
    const through = (name: string) => ({
      poolers: [{ name, database: "app", poolSize: 20 }],
      clients: [{ name: "web", labels: { app: "web" }, pooler: name, binding: { role: "api" } }],
    });
    refused(cloud(role(5), through("p")), /cluster\.roles\[0\]\.connectionLimit: 5 .*at least 20/);
    assert.deepEqual(cloud(role(20), through("p")), []);
  });
});

describe("a schedule of base backups", () => {
  it("has a time zone only where what reads it knows one", () => {
    const zone = (engine: string, timeZone: string) =>
      backupOf({ engine, ...(engine === "cnpg" ? {} : { instances: 1, durability: "async" }) }, { timeZone });
    refused(zone("cnpg", "Europe/Berlin"), /backup\.timeZone: "Europe\/Berlin" .*knows no time zone/);
    assert.deepEqual(zone("cnpg", "UTC"), []);
    assert.deepEqual(zone("standalone", "Europe/Berlin"), []);
  });
});

describe("a watchdog", () => {
  it("has a standby that holds every commit, and an engine that waits for one", () => {
    const watchdog = (cluster: object) => cloud({ watchdogSeconds: 8, ...cluster });
    refused(watchdog({ durability: "async" }), /watchdogSeconds: must not be set with the durability async/);
    refused(
      watchdog({ instances: 1, durability: "async" }),
      /watchdogSeconds: must not be set with one instance/,
    );
    refused(watchdog({ engine: "zalando" }), /watchdogSeconds: 8 .*Patroni itself replaces/);
    refused(watchdog({ watchdogSeconds: 4 }), /watchdogSeconds: 4 .*from 5 to 120/);
    assert.deepEqual(watchdog({}), []);
    assert.deepEqual(watchdog({ durability: "balanced" }), []);
  });
});

describe("the rest", () => {
  it("of images: no mirror for a cluster that pulls nothing, and names as a registry has them", () => {
    refused(
      sentences({ ...smallest(), images: { registry: "registry.example.com/mirror" } }),
      /images\.registry: .*platform local/,
    );
    for (const pgbouncer of [
      "registry.example.com/Team/pgbouncer:1",
      "registry.example.com//pgbouncer:1",
      "r.example:99999/p:1",
    ])
      refused(cloud({}, { images: { pgbouncer } }), /images\.pgbouncer: /);
    for (const pgbouncer of [
      "registry.example.com:5000/team/pg_bouncer:1",
      "pgbouncer:1",
      "R.example.com/a/b--c:1",
    ])
      assert.deepEqual(cloud({}, { images: { pgbouncer } }), [], pgbouncer);
  });
  it("of metrics' queries: no comment behind the semicolon", () => {
    const query = (sql: string) =>
      cloud(
        {},
        {
          monitoring: {
            queries: [
              { name: "things", sql, values: [{ name: "n", unit: "count", type: "gauge", help: "Things." }] },
            ],
          },
        },
      );
    refused(query("select count(*) as n from t; -- all rows"), /sql: .*comment behind its semicolon/);
    assert.deepEqual(query("select count(*) as n from t -- all rows"), []);
    assert.deepEqual(query("select count(*) as n from t;"), []);
  });
  it("of monitoring: windows and repeats that are long enough, and one maker of its namespace", () => {
    const monitoring = (install: object, more: object = {}) =>
      cloud({}, { monitoring: { prometheus: "install", install, ...more } });
    refused(
      monitoring({ scrapeSeconds: 60 }, { thresholds: { eventWindow: "2m" } }),
      /eventWindow: .*at least 4m/,
    );
    assert.deepEqual(monitoring({ scrapeSeconds: 60 }, { thresholds: { eventWindow: "4m" } }), []);
    refused(
      monitoring({ groupIntervalSeconds: 7200, repeatHours: 1 }),
      /repeatHours: 1 .*at least groupIntervalSeconds/,
    );
    const clients = [
      {
        name: "a",
        namespace: "monitoring",
        labels: { app: "a" },
        direct: true,
        binding: { makeNamespace: true },
      },
    ];
    refused(
      cloud({}, { monitoring: { prometheus: "install", namespace: "monitoring" }, clients }),
      /makeNamespace: true .*monitoring/,
    );
  });
  it("of maintenance: windows as far apart as the shortest takes", () =>
    refused(
      cloud({}, { maintenance: { schedule: "*/2 * * * *", minutes: 5 } }),
      /maintenance\.schedule: .*at least 5 minutes between two windows/,
    ));
});

it("a change of one thing is told as one problem", () =>
  assert.equal(sentences(changed(smallest(), "maintenance", { schedule: "* * * * *" })).length, 1));
