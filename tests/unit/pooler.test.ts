import assert from "node:assert/strict";
import { spawn, type ChildProcess } from "node:child_process";
import { chmodSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { planner as cnpg } from "../../plan/engines/cnpg/planner";
import { pgbouncerHba, pgbouncerIni } from "../../plan/pooler/configuration";
import { poolerCredentials, poolerPlan } from "../../plan/pooler/plan";
import { run } from "../../shell/process";
import { changed, checked, everything, smallest } from "../support/settings";

const withPooler = { ...smallest(), poolers: [{ name: "app", database: "app" }] };
const plans = (input: unknown) => {
  const settings = checked(input);
  const plan = cnpg.plan(settings);
  return { settings, plan, poolers: settings.poolers.map((pooler) => poolerPlan(settings, pooler, plan)) };
};
/** The settings of an ini text, by section. */
const parsed = (ini: string): Record<string, Record<string, string>> => {
  const sections: Record<string, Record<string, string>> = {};
  let section = "";
  for (const line of ini.split("\n")) {
    const title = /^\[(.+)\]$/.exec(line);
    if (title) sections[(section = title[1]!)] = {};
    const pair = /^(\S+) = (.*)$/.exec(line);
    if (pair) sections[section]![pair[1]!] = pair[2]!;
  }
  return sections;
};
const ini = (input: unknown, index = 0) => {
  const { settings, plan } = plans(input);
  return parsed(pgbouncerIni(settings.poolers[index]!, plan, settings.monitoring.logs));
};
interface Pod {
  containers: { name: string; resources: unknown; securityContext: unknown }[];
  [field: string]: unknown;
}
const object = (input: unknown, id: string, index = 0) =>
  plans(input).poolers[index]!.objects.find((one) => one.id === id)!.object as unknown as {
    metadata: { name: string; namespace: string; labels: Record<string, string> };
    data: Record<string, string>;
    spec: Record<string, never> & {
      template: { metadata: { labels: object; annotations: Record<string, string> }; spec: Pod };
    };
  };

describe("pooler", () => {
  it("is configured exactly like this by default", () => {
    assert.deepEqual(ini(withPooler), {
      databases: {
        app:
          "host=main-rw port=5432 dbname=app pool_size=15 max_db_connections=20 " +
          "connect_query='SELECT pg_terminate_backend(pg_backend_pid()) WHERE pg_is_in_recovery()'",
        pgplatform_auth:
          "host=main-rw port=5432 dbname=postgres pool_size=1 max_db_connections=1 server_lifetime=5",
      },
      users: { pgp_pooler: "query_timeout=5" },
      pgbouncer: {
        listen_addr: "*",
        listen_port: "6432",
        unix_socket_dir: "/run/pgbouncer",
        unix_socket_mode: "0770",
        pool_mode: "transaction",
        max_client_conn: "1000",
        default_pool_size: "15",
        max_db_connections: "20",
        max_prepared_statements: "200",
        auth_type: "hba",
        auth_hba_file: "/etc/pgbouncer/pg_hba.conf",
        auth_file: "/etc/pgbouncer-users/userlist.txt",
        auth_user: "pgp_pooler",
        auth_dbname: "pgplatform_auth",
        auth_query: "SELECT role, verifier FROM pgplatform.pooler_lookup($1)",
        stats_users: "pgp_stats",
        client_tls_sslmode: "require",
        client_tls_cert_file: "/etc/pgbouncer-tls/tls.crt",
        client_tls_key_file: "/etc/pgbouncer-tls/tls.key",
        client_tls_protocols: "secure",
        server_tls_sslmode: "verify-full",
        server_tls_ca_file: "/etc/pgbouncer-ca/ca.crt",
        server_tls_protocols: "secure",
        server_login_retry: "1",
        server_connect_timeout: "2",
        server_lifetime: "300",
        server_idle_timeout: "300",
        server_check_delay: "5",
        server_check_query: "SELECT 1 / CASE WHEN pg_is_in_recovery() THEN 0 ELSE 1 END",
        server_fast_close: "1",
        query_wait_timeout: "120",
        client_login_timeout: "125",
        listen_backlog: "4096",
        dns_max_ttl: "5",
        tcp_keepalive: "1",
        tcp_keepidle: "2",
        tcp_keepintvl: "1",
        tcp_keepcnt: "2",
        tcp_user_timeout: "20000",
        ignore_startup_parameters: "extra_float_digits",
        track_extra_parameters: "IntervalStyle",
        log_connections: "0",
        log_disconnections: "1",
      },
    });
  });

  it("divides the totals by its pods", () => {
    assert.match(ini(everything()).databases!.jewelry_shop!, /pool_size=12 max_db_connections=50 /);
    assert.equal(ini(everything()).pgbouncer!.max_client_conn, "1000", "each pod takes all clients");
    const batch = ini(everything(), 1);
    assert.match(batch.databases!.reports!, /pool_size=10 max_db_connections=10 /);
    assert.equal(batch.pgbouncer!.pool_mode, "session");
    assert.equal(batch.databases!.jewelry_shop, undefined, "a pooler reaches its own database alone");
  });

  it("lets clients in with TLS and scram, to its own database; the exporter alone comes by the socket", () => {
    assert.equal(
      pgbouncerHba(plans(withPooler).settings.poolers[0]!),
      [
        "local pgbouncer pgp_stats scram-sha-256",
        "hostssl app all 0.0.0.0/0 scram-sha-256",
        "hostssl app all ::/0 scram-sha-256",
        "",
      ].join("\n"),
    );
  });

  it("consists of a ConfigMap, a disruption budget, a Deployment and two Services", () => {
    const [pooler] = plans(withPooler).poolers;
    assert.deepEqual(
      pooler!.objects.map(({ id, stage, object: { kind, metadata } }) => [id, stage, kind, metadata.name]),
      [
        ["config", 0, "ConfigMap", "main-pooler-app"],
        ["disruption-budget", 0, "PodDisruptionBudget", "main-pooler-app"],
        ["peers", 0, "Service", "main-pooler-app-peers"],
        ["deployment", 1, "Deployment", "main-pooler-app"],
        ["service", 1, "Service", "main-pooler-app"],
      ],
    );
    assert.deepEqual(pooler!.endpoint, {
      service: "main-pooler-app",
      host: "main-pooler-app.postgres.svc",
      port: 5432,
    });
    const labels = {
      "app.kubernetes.io/name": "pgbouncer",
      "app.kubernetes.io/instance": "main-pooler-app",
      "pgplatform.io/cluster": "main",
    };
    assert.deepEqual(object(withPooler, "disruption-budget").spec, {
      maxUnavailable: 1,
      selector: { matchLabels: labels },
      unhealthyPodEvictionPolicy: "AlwaysAllow",
    });
    assert.deepEqual(object(withPooler, "service").spec, {
      type: "ClusterIP",
      selector: labels,
      ports: [
        { name: "postgres", port: 5432, targetPort: "postgres", protocol: "TCP" },
        { name: "metrics", port: 9127, targetPort: "metrics", protocol: "TCP" },
      ],
    });
    assert.deepEqual(object(withPooler, "deployment").spec.template.metadata.labels, labels);
  });

  it("keeps its pods on different nodes and gives no service away while it rolls", () => {
    const { spec } = object(withPooler, "deployment");
    assert.equal(spec.replicas, 2);
    assert.deepEqual(spec.strategy, {
      type: "RollingUpdate",
      rollingUpdate: { maxUnavailable: 0, maxSurge: 1 },
    });
    const { affinity } = spec.template.spec as unknown as {
      affinity: { podAntiAffinity: { requiredDuringSchedulingIgnoredDuringExecution: object[] } };
    };
    const [rule] = affinity.podAntiAffinity.requiredDuringSchedulingIgnoredDuringExecution as {
      topologyKey: string;
      matchLabelKeys: string[];
    }[];
    assert.equal(rule!.topologyKey, "kubernetes.io/hostname");
    assert.deepEqual(rule!.matchLabelKeys, ["pod-template-hash"]);
  });

  it("is as restricted as Pod Security wants it, and has requests and limits everywhere", () => {
    const pod = object(withPooler, "deployment").spec.template.spec;
    assert.equal(pod.automountServiceAccountToken, false);
    assert.deepEqual(pod.securityContext, {
      runAsNonRoot: true,
      runAsUser: 998,
      runAsGroup: 996,
      fsGroup: 996,
      seccompProfile: { type: "RuntimeDefault" },
    });
    assert.deepEqual(
      pod.containers.map(({ name }) => name),
      ["pgbouncer", "exporter"],
    );
    for (const { name, securityContext, resources } of pod.containers) {
      assert.deepEqual(
        securityContext,
        {
          allowPrivilegeEscalation: false,
          readOnlyRootFilesystem: true,
          capabilities: { drop: ["ALL"] },
        },
        name,
      );
      const { requests, limits } = resources as { requests: object; limits: object };
      assert.deepEqual(
        [Object.keys(requests), Object.keys(limits)],
        [
          ["cpu", "memory"],
          ["cpu", "memory"],
        ],
      );
    }
  });

  it("mounts the CA's certificate and not its key", () => {
    const volumes = object(withPooler, "deployment").spec.template.spec.volumes as { name: string }[];
    assert.deepEqual(volumes, [
      { name: "config", configMap: { name: "main-pooler-app", defaultMode: 0o444 } },
      {
        name: "certificate",
        secret: {
          secretName: "main-server",
          items: [
            { key: "tls.crt", path: "tls.crt" },
            { key: "tls.key", path: "tls.key" },
          ],
          defaultMode: 0o440,
        },
      },
      {
        name: "ca",
        secret: { secretName: "main-ca", items: [{ key: "ca.crt", path: "ca.crt" }], defaultMode: 0o440 },
      },
      {
        name: "users",
        secret: {
          secretName: "main-pooler-auth",
          items: [{ key: "userlist.txt", path: "userlist.txt" }],
          defaultMode: 0o440,
        },
      },
      { name: "socket", emptyDir: { sizeLimit: "1Mi" } },
    ]);
  });

  it("gives a pod the time to drain, and then some", () => {
    const seconds = (input: unknown) =>
      object(input, "deployment").spec.template.spec.terminationGracePeriodSeconds as number;
    assert.equal(seconds(withPooler), 41);
    assert.equal(
      seconds(changed(withPooler, "poolers", [{ ...withPooler.poolers[0], tuning: { drainSeconds: 100 } }])),
      111,
    );
  });

  it("rolls its pods when the configuration changes, and only then", () => {
    const digest = (input: unknown) =>
      object(input, "deployment").spec.template.metadata.annotations["pgplatform.io/configuration"];
    const tuned = {
      ...withPooler,
      poolers: [{ ...withPooler.poolers[0]!, tuning: { queryWaitTimeoutSeconds: 30 } }],
    };
    assert.match(digest(withPooler)!, /^[0-9a-f]{64}$/);
    assert.equal(digest(withPooler), digest(changed(withPooler, "cluster.failover", "fast")));
    assert.notEqual(digest(withPooler), digest(tuned));
  });

  it("wants one statistics password for all poolers, and none without poolers", () => {
    assert.deepEqual(
      poolerCredentials(plans(everything()).settings).map(({ id }) => id),
      ["pooler-stats"],
    );
    assert.deepEqual(poolerCredentials(plans(smallest()).settings), []);
    const [auth] = cnpg.plan(checked(smallest())).credentials.filter(({ id }) => id === "pooler-auth");
    assert.deepEqual(auth!.extraKeys, {}, "without poolers there is no user list");
  });
});

/** Against a stand-in that notes its signals; PgBouncer's own answer to them is for end-to-end tests. */
describe("the pooler's script", function () {
  this.timeout(20_000);
  let folder: string;
  const script = join(__dirname, "..", "..", "plan", "pooler", "run.sh");
  const log = () => readFileSync(join(folder, "log"), "utf8").split("\n").filter(Boolean);
  const sentAway = "console SET client_idle_timeout = '0.1'";
  /** The fake's log without its process id. */
  const events = () => log().map((line) => line.replace(/^start \d+ /, "start "));
  const until = async (condition: () => boolean, what: string) => {
    for (let tries = 0; tries < 100; tries++) {
      if (condition()) return;
      await new Promise((resolve) => setTimeout(resolve, 50));
    }
    assert.fail(`${what} did not happen; the log is ${log().join(", ")}`);
  };

  beforeEach(() => {
    folder = mkdtempSync(join(tmpdir(), "pooler-"));
    writeFileSync(
      join(folder, "pgbouncer"),
      `#!/bin/bash
echo "start $$ $1" >> "${folder}/log"
trap 'echo HUP >> "${folder}/log"' HUP
trap 'echo INT >> "${folder}/log"; [ -e "${folder}/stubborn" ] || exit 0' INT
trap 'echo USR1 >> "${folder}/log"' USR1
trap 'echo USR2 >> "${folder}/log"' USR2
trap 'echo QUIT >> "${folder}/log"; exit 3' QUIT
trap 'echo TERM >> "${folder}/log"' TERM
while :; do sleep 0.05; done
`,
    );
    writeFileSync(join(folder, "psql"), `#!/bin/bash\necho "console \${*: -1}" >> "${folder}/log"\n`);
    for (const program of ["pgbouncer", "psql"]) chmodSync(join(folder, program), 0o755);
    writeFileSync(join(folder, "log"), "");
    for (const file of ["a", "b"]) writeFileSync(join(folder, file), file);
  });
  let started: ChildProcess[] = [];
  afterEach(async () => {
    // Whatever a test left running goes, with the stand-in, whose id is in its log.
    const [, id] = /^start (\d+)/.exec(log()[0] ?? "") ?? [];
    for (const child of started) if (child.exitCode === null) child.kill("SIGKILL");
    started = [];
    if (id !== undefined)
      try {
        process.kill(Number(id), "SIGKILL");
      } catch {
        // It has ended, as it should.
      }
    await new Promise((resolve) => setTimeout(resolve, 20));
    rmSync(folder, { recursive: true, force: true });
  });

  const start = () => {
    const child = spawn("bash", [script], {
      env: {
        PATH: `${folder}:${process.env.PATH}`,
        POOLER_CONFIG: "/some.ini",
        POOLER_FILES: "100",
        POOLER_FILES_SUM: "a sum",
        POOLER_WATCH: `${folder}/a ${folder}/b`,
        POOLER_WATCH_SECONDS: "0.1",
        POOLER_LEAVE_SECONDS: "0.3",
        POOLER_IDLE_SECONDS: "0.1",
        POOLER_RUN: folder,
        POOLER_PORT: "6432",
        POOLER_PEERS: "nobody.invalid",
        POOLER_ADDRESS: "198.18.0.7",
        POOLER_LOG_ENDS: "false",
        POOLER_DRAIN_SECONDS: "1",
      },
      stdio: "ignore",
    });
    started.push(child);
    const ended = new Promise<number | null>((resolve) => child.on("exit", (code) => resolve(code)));
    return { child, ended };
  };

  it("passes a syntax check", async () => {
    await run("bash", ["-n", script]);
  });

  it("reloads when a watched file changes, once for each change", async () => {
    const { child, ended } = start();
    await until(() => log().length === 1, "the start");
    assert.deepEqual(events(), ["start /some.ini"]);
    await new Promise((resolve) => setTimeout(resolve, 400));
    assert.deepEqual(events(), ["start /some.ini"], "no reload without a change");
    writeFileSync(join(folder, "b"), "new");
    await until(() => log().includes("HUP"), "the reload");
    await new Promise((resolve) => setTimeout(resolve, 400));
    assert.deepEqual(events(), ["start /some.ini", "HUP"]);
    child.kill("SIGTERM");
    await ended;
  });

  it("answers SIGTERM with a moment's wait, sends idle clients away, and then the others by SIGINT", async () => {
    const { child, ended } = start();
    await until(() => log().length === 1, "the start");
    const asked = Date.now();
    child.kill("SIGTERM");
    await until(() => log().includes("INT"), "the drain");
    assert.ok(Date.now() - asked >= 290, "clients may still come while the Service forgets the pod");
    await ended;
    assert.deepEqual(events(), ["start /some.ini", sentAway, "INT"]);
  });

  it("ends a drain that takes too long", async () => {
    writeFileSync(join(folder, "stubborn"), "");
    const { child, ended } = start();
    await until(() => log().length === 1, "the start");
    child.kill("SIGTERM");
    assert.equal(await ended, 3);
    assert.deepEqual(events(), ["start /some.ini", sentAway, "INT", "QUIT"]);
  });

  it("ends with the pooler, and with its code", async () => {
    const { ended } = start();
    await until(() => log().length === 1, "the start");
    process.kill(Number(log()[0]!.split(" ")[1]), "SIGQUIT");
    assert.equal(await ended, 3);
  });
});
