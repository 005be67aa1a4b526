import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { join } from "node:path";
import type { KubernetesObject } from "../../plan/objects";
import { readers } from "../../plan/engines/readers";
import { liveReaders } from "../../plan/engines/select";
import { planner as zalando } from "../../plan/engines/zalando/planner";
import { pins } from "../../releases/pins";
import type { SettingsInput } from "../../settings/schema";
import { type CrdValidator, validatorOf } from "../support/crd";
import { releasedObjects } from "../support/manifest";
import { loggedByDefault } from "../support/logging";
import { changed, checked, everything, smallest } from "../support/settings";

const on = (input: SettingsInput): SettingsInput => changed(input, "cluster.engine", "zalando");
const small = (): SettingsInput => on(smallest());
const all = (): SettingsInput =>
  changed(changed(on(everything()), "cluster.storage.walSize", undefined), "backup", undefined);
const planned = (input: unknown) => zalando.plan(checked(input));
const objectOf = (input: unknown, id: string): KubernetesObject =>
  planned(input).objects.find((one) => one.id === id)!.object;
const specOf = (input: unknown) => objectOf(input, "cluster").spec as Record<string, unknown>;

interface PodSpec {
  containers: { command: string[]; env: { name: string; value?: string }[] }[];
}

describe("the plan for the Zalando operator", () => {
  it("is exactly this cluster for the smallest settings", () => {
    const { apiVersion, kind, metadata, spec } = objectOf(small(), "cluster");
    assert.deepEqual([apiVersion, kind], ["acid.zalan.do/v1", "postgresql"]);
    assert.deepEqual(metadata, {
      name: "main",
      namespace: "postgres",
      labels: { "pgplatform.io/cluster": "main" },
      annotations: { "pgplatform.io/durability": "zero-loss", "pgplatform.io/spread": "required" },
    });
    assert.deepEqual(spec, {
      teamId: "pgplatform",
      numberOfInstances: 3,
      dockerImage: pins.images.patroniForZalando,
      spiloRunAsUser: 101,
      spiloRunAsGroup: 103,
      spiloFSGroup: 103,
      postgresql: {
        version: "17",
        parameters: {
          max_connections: "100",
          "pg_stat_statements.max": "5000",
          "pg_stat_statements.track_utility": "off",
          shared_buffers: "128MB",
          effective_cache_size: "384MB",
          huge_pages: "off",
          maintenance_work_mem: "32MB",
          autovacuum_max_workers: "3",
          autovacuum_work_mem: "10MB",
          work_mem: "614kB",
          max_wal_size: "512MB",
          wal_keep_size: "256MB",
          max_slot_wal_keep_size: "512MB",
          password_encryption: "scram-sha-256",
          ssl_min_protocol_version: "TLSv1.3",
          archive_timeout: "5min",
          wal_retrieve_retry_interval: "200ms",
          wal_sender_timeout: "5s",
          wal_receiver_timeout: "5s",
          tcp_keepalives_idle: "5",
          tcp_keepalives_interval: "1",
          tcp_keepalives_count: "3",
          ...loggedByDefault,
          logging_collector: "on",
          log_destination: "jsonlog",
          log_directory: "/run/postgresql-log",
          log_filename: "postgresql-%Y%m%d%H%M%S.log",
          log_rotation_size: "10MB",
          log_rotation_age: "0",
          log_truncate_on_rotation: "off",
        },
      },
      patroni: {
        ttl: 20,
        loop_wait: 1,
        retry_timeout: 5,
        maximum_lag_on_failover: 33554432,
        failsafe_mode: true,
        synchronous_mode: true,
        synchronous_mode_strict: true,
        synchronous_node_count: 1,
        initdb: {
          "auth-host": "scram-sha-256",
          "auth-local": "peer",
          encoding: "UTF8",
          locale: "C.UTF-8",
          "data-checksums": "true",
          "locale-provider": "builtin",
          "builtin-locale": "C.UTF-8",
        },
        pg_hba: [
          "local all all peer",
          "local replication standby scram-sha-256",
          "hostssl replication standby all scram-sha-256",
          "hostssl all postgres all scram-sha-256",
          "hostssl all pgp_metrics all scram-sha-256",
          "hostssl all all all scram-sha-256",
          "hostnossl all all all reject",
        ],
      },
      volume: { size: "2Gi", storageClass: "local-path" },
      resources: { requests: { cpu: "200m", memory: "512Mi" }, limits: { cpu: "2", memory: "512Mi" } },
      tls: { secretName: "main-server" },
      sidecars: [
        {
          name: "logs",
          image: pins.images.patroniForZalando,
          command: [
            "env",
            "-i",
            "PATH=/usr/local/bin:/usr/bin:/bin",
            "LOG=/run/postgresql-log",
            "python3",
            "-c",
            readFileSync(join(__dirname, "../../plan/engines/zalando/follow.py"), "utf8"),
          ],
          resources: { requests: { cpu: "10m", memory: "32Mi" }, limits: { cpu: "100m", memory: "32Mi" } },
        },
      ],
      additionalVolumes: [
        {
          name: "log",
          mountPath: "/run/postgresql-log",
          targetContainers: ["postgres", "logs"],
          volumeSource: { emptyDir: {} },
        },
      ],
      enableMasterLoadBalancer: false,
      enableReplicaLoadBalancer: false,
    });
  });

  it("times Patroni so that a primary gives up before the others elect one", () => {
    for (const failover of ["fast", "standard", "patient"]) {
      const { ttl, loop_wait, retry_timeout } = specOf(changed(small(), "cluster.failover", failover))
        .patroni as Record<string, number>;
      assert.ok(loop_wait! + 2 * retry_timeout! <= ttl!, failover);
      assert.ok(ttl! >= 20, `${failover}: below 20 s a healthy primary is given up`);
    }
  });

  it("times the default profile for a cut-off primary replaced within 25 s and a dead server within 5 s", () => {
    const { ttl, loop_wait } = specOf(small()).patroni as Record<string, number>;
    const election = 2;
    assert.ok(ttl! + loop_wait! + election <= 25);
    assert.ok(loop_wait! + election <= 5);
  });

  it("blocks writes without a standby only where nothing may be lost", () => {
    const modes = ["zero-loss", "balanced", "async"].map((durability) => {
      const { synchronous_mode, synchronous_mode_strict, synchronous_node_count } = specOf(
        changed(small(), "cluster.durability", durability),
      ).patroni as Record<string, unknown>;
      return [durability, synchronous_mode, synchronous_mode_strict, synchronous_node_count];
    });
    assert.deepEqual(modes, [
      ["zero-loss", true, true, 1],
      ["balanced", true, false, 1],
      ["async", false, false, undefined],
    ]);
  });

  it("names every library to preload when an extension needs one more", () => {
    const parametersFor = (extensions: string[], parameters = {}) =>
      (
        specOf(
          changed(
            changed(small(), "cluster.databases.0.extensions", extensions),
            "cluster.parameters",
            parameters,
          ),
        ).postgresql as { parameters: Record<string, string> }
      ).parameters;
    assert.equal(parametersFor(["pg_trgm"]).shared_preload_libraries, undefined);
    const spilo =
      "bg_mon,pg_stat_statements,pgextwlist,pg_auth_mon,set_user,timescaledb,pg_cron,pg_stat_kcache";
    const audited = parametersFor(["pgaudit"]);
    assert.deepEqual(
      [audited.shared_preload_libraries, audited["pgaudit.log"]],
      [`${spilo},pgaudit`, "ddl, role"],
    );
    const series = parametersFor(["timescaledb"]);
    assert.deepEqual(
      [series.shared_preload_libraries, series["timescaledb.telemetry_level"]],
      [spilo, "off"],
    );
    assert.equal(parametersFor(["pgaudit"], { "pgaudit.log": "all" })["pgaudit.log"], "all");
  });

  it("registers what the operator would make up before the cluster, and the SQL behind it", () => {
    const plan = planned(all());
    assert.deepEqual(
      plan.objects.map(({ id, stage, waitFor }) => [id, stage, waitFor]),
      [
        ["account", 0, undefined],
        ["account-role", 0, undefined],
        ["cluster", 1, "jsonpath={.status.PostgresClusterStatus}=Running"],
        ["service-any", 2, undefined],
        ["service-metrics", 2, undefined],
        ["standby-budget", 2, "jsonpath={.status.currentHealthy}=4"],
        ["sql", 3, undefined],
        ["sql-job", 3, "condition=Complete"],
        ["upkeep", 3, undefined],
        ["exporter-queries", 3, undefined],
        ...[0, 1, 2, 3, 4].flatMap((index) =>
          [`instance-${index}`, `exporter-${index}-service`, `exporter-${index}`].map((id) => [
            id,
            3,
            undefined,
          ]),
        ),
      ],
    );
    assert.deepEqual(
      plan.credentials.map(({ id, role, secretName, type }) => [id, role, secretName, type]),
      [
        ["superuser", "postgres", "postgres.jewelry-shop-db.credentials.postgresql.acid.zalan.do", "Opaque"],
        ["replication", "standby", "standby.jewelry-shop-db.credentials.postgresql.acid.zalan.do", "Opaque"],
        ["app", "jewelry_app", "jewelry-shop-db-app", "kubernetes.io/basic-auth"],
        ["owner-analyst", "analyst", "jewelry-shop-db-owner-analyst", "kubernetes.io/basic-auth"],
        ["role-debezium", "debezium", "jewelry-shop-db-role-debezium", "kubernetes.io/basic-auth"],
        ["admin", "pgp_admin", "jewelry-shop-db-login-admin", "kubernetes.io/basic-auth"],
        ["pooler-auth", "pgp_pooler", "jewelry-shop-db-pooler-auth", "kubernetes.io/basic-auth"],
        ["health", "pgp_health", "jewelry-shop-db-health", "kubernetes.io/basic-auth"],
        ["login-reloader", "pgp_logins", "jewelry-shop-db-login-reloader", "kubernetes.io/basic-auth"],
        ["metrics", "pgp_metrics", "jewelry-shop-db-metrics", "kubernetes.io/basic-auth"],
      ],
    );
  });

  it("lets a drain take one standby at a time, and has no budget for an instance alone", () => {
    const least = (instances: number) => {
      const input = changed(changed(small(), "cluster.instances", instances), "cluster.durability", "async");
      return planned(input).objects.find(({ id }) => id === "standby-budget")?.object.spec;
    };
    const selector = {
      matchLabels: { application: "spilo", "cluster-name": "main", "spilo-role": "replica" },
    };
    assert.deepEqual(least(3), { minAvailable: 1, selector, unhealthyPodEvictionPolicy: "AlwaysAllow" });
    assert.equal((least(2) as { minAvailable: number }).minAvailable, 0);
    assert.equal(least(1), undefined);
  });

  it("makes another Job of other SQL, and the same of the same", () => {
    const jobOf = (input: unknown) => objectOf(input, "sql-job").metadata.name;
    assert.match(jobOf(small()), /^main-sql-[0-9a-f]{10}$/);
    assert.equal(jobOf(small()), jobOf(small()));
    assert.notEqual(jobOf(small()), jobOf(changed(small(), "cluster.databases.0.extensions", ["pg_trgm"])));
    assert.equal(jobOf(small()), jobOf(changed(small(), "cluster.failover", "fast")));
  });

  it("gives the Job's pods no label of an instance, which Patroni and the operator would take them for", () => {
    const { template } = objectOf(small(), "sql-job").spec as {
      template: { metadata: { labels: Record<string, string> } };
    };
    const instance = zalando.instancePods.labels("main");
    assert.ok(Object.keys(instance).every((label) => template.metadata.labels[label] === undefined));
  });

  it("sets in Patroni what the custom resource has no field for", () => {
    const { template } = objectOf(small(), "sql-job").spec as {
      template: { spec: { containers: { env: { name: string; value: string }[] }[] } };
    };
    const { env } = template.spec.containers[0]!;
    const value = (name: string) => env.find((one) => one.name === name)?.value;
    assert.deepEqual(JSON.parse(value("PATRONI_CONFIGURATION") ?? ""), {
      primary_start_timeout: 0,
      postgresql: {
        remove_data_directory_on_rewind_failure: true,
        remove_data_directory_on_diverged_timelines: true,
      },
    });
    assert.equal(value("PATRONI_URL"), "http://main-any.postgres.svc:8008");
  });

  it("keeps that so by a CronJob, which knows no password", () => {
    const job = objectOf(small(), "sql-job").spec as { template: { spec: PodSpec } };
    const cron = objectOf(small(), "upkeep").spec as { jobTemplate: { spec: typeof job } };
    const valueIn = ({ containers }: PodSpec) =>
      containers[0]!.env.find(({ name }) => name === "PATRONI_CONFIGURATION")?.value;
    const kept = cron.jobTemplate.spec.template.spec;
    assert.equal(valueIn(kept), valueIn(job.template.spec));
    assert.deepEqual(kept.containers[0]!.command, ["/bin/bash", "-c", "python3 /settings/patroni.py"]);
    assert.doesNotMatch(JSON.stringify(kept), /secret/i);
    assert.match(JSON.stringify(job), /secret/i);
  });

  it("puts every name by which a server or pooler is reached into the certificate", () => {
    const { issuer, names } = planned(all()).tls;
    assert.equal(issuer, "platform");
    for (const service of ["", "-repl", "-any", "-pooler-app", "-pooler-batch"])
      for (const suffix of ["", ".jewelry-shop", ".jewelry-shop.svc", ".jewelry-shop.svc.cluster.local"])
        assert.ok(names.includes(`jewelry-shop-db${service}${suffix}`), `${service} ${suffix}`);
  });

  it("claims what its settings say", () => {
    const { parameter, archive, ...claims } = readers.zalando.facts(objectOf(small(), "cluster"), [])!;
    assert.equal(parameter("shared_buffers"), "128MB");
    assert.deepEqual({ ...archive }, { archivers: 0, store: undefined, archiveId: "", outdated: undefined });
    assert.deepEqual(
      { ...claims },
      {
        name: "main",
        namespace: "postgres",
        instances: 3,
        synchronous: { number: 1, blocks: true, quorum: true },
        durability: "zero-loss",
        disruptionBudget: true,
        podSecurity: "baseline",
        storageClasses: ["local-path"],
        requiredHostSpread: true,
        zoneSpread: undefined,
        dataChecksums: true,
        superuserAccess: false,
        superusers: [],
        failsafe: true,
        follows: undefined,
        furtherImages: [{ path: "sidecars[0].image", image: pins.images.patroniForZalando }],
        hostBasedAccess: [
          "local all all peer",
          "local replication standby scram-sha-256",
          "hostssl replication standby all scram-sha-256",
          "hostssl all postgres all scram-sha-256",
          "hostssl all pgp_metrics all scram-sha-256",
          "hostssl all all all scram-sha-256",
          "hostnossl all all all reject",
        ],
        passwordEncryption: "scram-sha-256",
        lowestTls: "TLSv1.3",
        image: pins.images.patroniForZalando,
        imageFromCatalog: false,
        resources: { requests: { cpu: "200m", memory: "512Mi" }, limits: { cpu: "2", memory: "512Mi" } },
        sharedBuffers: "128MB",
        maxConnections: 100,
        archiveTimeoutSeconds: 300,
        loadBalancers: [],
        services: { primary: "main", standbys: "main-repl", any: "main-any" },
        network: {
          pods: { application: "spilo", "cluster-name": "main" },
          operator: {
            namespace: "postgres-operator",
            labels: { name: "postgres-operator" },
            statusPort: 8008,
          },
          ports: { postgres: 5432, metrics: 9187 },
        },
      },
    );
  });

  it("takes the operator's and its image's defaults for what a foreign object leaves out", () => {
    const bare = { apiVersion: "acid.zalan.do/v1", kind: "postgresql", metadata: { name: "x" } };
    const claimed = readers.zalando.facts(bare)!;
    assert.deepEqual(
      [
        claimed.instances,
        claimed.synchronous.number,
        claimed.passwordEncryption,
        claimed.archiveTimeoutSeconds,
      ],
      [1, 0, "md5", 1800],
    );
    assert.ok(claimed.hostBasedAccess?.includes("local all all trust") === true);
    assert.equal(claimed.imageFromCatalog, true);
    const open = { ...bare, spec: { enableMasterLoadBalancer: true, users: { root: ["superuser"] } } };
    assert.deepEqual(readers.zalando.facts(open, [])!.loadBalancers, [
      { service: "x", sourceRanges: ["127.0.0.1/32"], annotations: {} },
    ]);
    assert.deepEqual(readers.zalando.facts(open)!.superusers, ["root"]);
    assert.equal(readers.zalando.facts({ ...bare, kind: "OperatorConfiguration" }), undefined);
  });

  it("says when its objects are done, and why not", () => {
    const live = (id: string, status?: object) =>
      liveReaders.zalando.progress({ ...objectOf(small(), id), ...(status && { status }) });
    assert.deepEqual(live("cluster"), { done: false, why: "the operator has not seen the cluster yet" });
    assert.deepEqual(live("cluster", { PostgresClusterStatus: "UpdateFailed" }), {
      done: false,
      why: "the operator calls it UpdateFailed",
    });
    assert.equal(live("cluster", { PostgresClusterStatus: "Running" }).done, true);
    assert.deepEqual(live("standby-budget", { currentHealthy: 1 }), {
      done: false,
      why: "1 of 2 standbys ready",
    });
    assert.equal(live("standby-budget", { currentHealthy: 2 }).done, true);
    assert.deepEqual(live("sql-job", { failed: 1 }), { done: false, why: "not applied yet" });
    const message = "Job has reached the specified backoff limit";
    const failed = [{ type: "Failed", status: "True", message }];
    assert.deepEqual(live("sql-job", { conditions: failed }), { done: false, why: message });
    assert.equal(live("sql-job", { conditions: [{ type: "Complete", status: "True" }] }).done, true);
    const pod = (annotations?: Record<string, string>) =>
      liveReaders.zalando.progress({
        apiVersion: "v1",
        kind: "Pod",
        metadata: { name: "main-0", ...(annotations && { annotations }) },
      });
    const mark = "zalando-postgres-operator-rolling-update-required";
    assert.deepEqual(pod({ [mark]: "true" }), { done: false, why: "the operator has yet to recreate it" });
    assert.equal(pod({ [mark]: "false" }).done, true);
    assert.equal(pod().done, true);
  });

  it("says what its cluster is made of", () => {
    const { parameters, pods, ...rest } = liveReaders.zalando.shape(objectOf(small(), "cluster"))!;
    assert.deepEqual(rest, {
      image: pins.images.patroniForZalando,
      major: 17,
      instances: 3,
      data: { size: "2Gi", class: "local-path" },
      keepsVolumes: true,
    });
    assert.equal(parameters.work_mem, "614kB");
    assert.deepEqual(Object.keys(pods), [
      ..."resources tls additionalVolumes sidecars".split(" "),
      ..."pg_hba env".split(" "),
    ]);
    assert.equal(liveReaders.zalando.shape(objectOf(small(), "sql-job")), undefined);
  });
});

describe("the Zalando operator's plan", () => {
  let released: KubernetesObject[];
  let validator: CrdValidator;
  before(async function () {
    this.timeout(120_000);
    released = await releasedObjects("zalando");
    validator = await validatorOf("zalando");
  });
  const operator = (input: unknown = small()) => zalando.operator!(checked(input), released);
  const one = (id: string, input?: unknown): KubernetesObject =>
    operator(input).objects.find((planned) => planned.id === id)!.object;

  const variants: [string, () => unknown][] = [
    ["the smallest settings", small],
    ["everything in use", all],
    ["one instance", () => changed(changed(small(), "cluster.instances", 1), "cluster.durability", "async")],
    ["PostgreSQL 15", () => changed(small(), "cluster.postgresVersion", "15")],
  ];
  for (const [name, input] of variants)
    it(`and the cluster have no field that the pinned CRDs don't know: ${name}`, () => {
      assert.deepEqual(validator.problems(objectOf(input(), "cluster")), []);
      assert.deepEqual(
        validator.problems(one("configuration-postgresql-operator-default-configuration", input())),
        [],
      );
    });

  const planted: [string, unknown][] = [
    ["spec.patroni.primary_start_timeout", 0],
    ["spec.enableWalArchiving", true],
    ["spec.numberOfInstances", "three"],
    ["spec.connectionPooler.parameters", { max_client_conn: 1000 }],
  ];
  for (const [path, value] of planted)
    it(`would be refused with ${path} = ${JSON.stringify(value)}`, () => {
      assert.notDeepEqual(validator.problems(changed(objectOf(small(), "cluster"), path, value)), []);
    });

  it("is the released manifest in a namespace of its own, in three stages", () => {
    const kinds = [0, 1, 2].map((stage) => [
      ...new Set(
        operator().objects.flatMap((planned) => (planned.stage === stage ? [planned.object.kind] : [])),
      ),
    ]);
    assert.deepEqual(kinds, [
      ["Namespace", "CustomResourceDefinition"],
      ["ServiceAccount", "ClusterRole", "ClusterRoleBinding", "OperatorConfiguration"],
      ["Deployment"],
    ]);
    const ids = operator().objects.map(({ id }) => id);
    assert.equal(new Set(ids).size, ids.length, "ids are unique");
    assert.doesNotMatch(JSON.stringify(operator().objects), /"namespace":"default"/);
  });

  it("deletes no volume and no Secret, opens no load balancer, and never logs in to a database", () => {
    const { configuration } = one("configuration-postgresql-operator-default-configuration") as unknown as {
      configuration: Record<string, Record<string, unknown>>;
    };
    const { kubernetes, load_balancer, debug, patroni } = configuration;
    assert.deepEqual(
      [
        kubernetes!.enable_persistent_volume_claim_deletion,
        kubernetes!.enable_secrets_deletion,
        kubernetes!.enable_pod_antiaffinity,
        kubernetes!.pod_antiaffinity_preferred_during_scheduling,
        kubernetes!.enable_readiness_probe,
        kubernetes!.spilo_allow_privilege_escalation,
        kubernetes!.watched_namespace,
        load_balancer!.enable_master_load_balancer,
        debug!.enable_database_access,
        patroni!.enable_patroni_failsafe_mode,
      ],
      [false, false, true, false, true, false, "*", false, false, true],
    );
    const preferred = changed(small(), "cluster.spread", "preferred");
    const other = one("configuration-postgresql-operator-default-configuration", preferred);
    assert.match(JSON.stringify(other), /"pod_antiaffinity_preferred_during_scheduling":true/);
  });

  it("lets the operator give up soon what it waits for, and look again every minute", () => {
    const { configuration } = one("configuration-postgresql-operator-default-configuration") as unknown as {
      configuration: { resync_period: string } & Record<string, Record<string, unknown>>;
    };
    const { kubernetes, timeouts, resync_period } = configuration;
    assert.deepEqual(
      [kubernetes!.pod_terminate_grace_period, timeouts!.pod_deletion_wait_timeout, resync_period],
      ["2m", "1m", "1m"],
    );
  });

  it("restarts the operator when its configuration changes, and passes Pod Security restricted", () => {
    interface Deployment {
      spec: {
        template: {
          metadata: { annotations: Record<string, string> };
          spec: { securityContext: object; containers: { image: string; securityContext: object }[] };
        };
      };
    }
    const templateOf = (input?: unknown) =>
      (one("deployment-postgres-operator", input) as unknown as Deployment).spec.template;
    const digest = (input?: unknown) => templateOf(input).metadata.annotations["pgplatform.io/configuration"];
    assert.equal(digest(), digest());
    assert.notEqual(digest(), digest(changed(small(), "cluster.spread", "preferred")));
    const { spec } = templateOf();
    assert.equal(spec.containers[0]!.image, pins.images.zalandoOperator);
    assert.deepEqual(spec.securityContext, {
      runAsNonRoot: true,
      seccompProfile: { type: "RuntimeDefault" },
    });
    assert.deepEqual(spec.containers[0]!.securityContext, {
      runAsUser: 1000,
      runAsNonRoot: true,
      readOnlyRootFilesystem: true,
      allowPrivilegeEscalation: false,
      capabilities: { drop: ["ALL"] },
    });
  });

  it("keeps CRDs, with the reason, and takes over those that it finds", () => {
    for (const { object, retain } of operator().objects) {
      assert.equal(retain !== undefined, object.kind === "CustomResourceDefinition", object.metadata.name);
      if (retain !== undefined) assert.equal(object.metadata.annotations?.["pulumi.com/patchForce"], "true");
    }
  });

  it("refuses a manifest that it doesn't know", () => {
    const without = (kind: string) => released.filter((object) => object.kind !== kind);
    assert.throws(
      () => zalando.operator!(checked(small()), without("OperatorConfiguration")),
      /no OperatorConfiguration/,
    );
    const odd = JSON.parse(
      JSON.stringify(released).replace(
        '"containers":[{"name":"postgres-operator"',
        '"containers":[{"name":"x"',
      ),
    ) as KubernetesObject[];
    assert.throws(
      () => zalando.operator!(checked(small()), odd),
      /the operator's released Deployment has no container "postgres-operator"/,
    );
  });
});
