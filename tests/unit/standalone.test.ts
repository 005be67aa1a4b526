import assert from "node:assert/strict";
import type { KubernetesObject } from "../../plan/objects";
import { readers } from "../../plan/engines/readers";
import { liveReaders } from "../../plan/engines/select";
import { planner as standalone } from "../../plan/engines/standalone/planner";
import { configurationFiles } from "../../plan/engines/standalone/configuration";
import { parametersOf } from "../../plan/engines/standalone/parameters";
import { containersOf } from "../../policy/kubernetes";
import type { SettingsInput } from "../../settings/schema";
import { changed, checked, smallest } from "../support/settings";

const alone = (): SettingsInput => {
  const input = changed(smallest(), "cluster.engine", "standalone");
  return changed(changed(input, "cluster.instances", 1), "cluster.durability", "async");
};
const objectOf = (id: string, input: unknown = alone()): KubernetesObject => {
  const found = standalone.plan(checked(input)).objects.find((one) => one.id === id);
  if (!found) throw new Error(`no object ${id}`);
  return found.object;
};
interface Template {
  metadata: { annotations: Record<string, string>; labels: Record<string, string> };
  spec: Record<string, unknown> & {
    securityContext: object;
    containers: { name: string; securityContext: object; volumeMounts: { name: string }[] }[];
    volumes: { name: string }[];
  };
}
const templateOf = (input?: unknown): Template =>
  (objectOf("server", input).spec as { template: Template }).template;
const withParameters = (parameters: object) => changed(alone(), "cluster.parameters", parameters);

describe("the plan of a standalone server", () => {
  it("has these objects: volumes and configuration first, then the server with its Services", () => {
    const { objects } = standalone.plan(checked(changed(alone(), "cluster.storage.walSize", "3Gi")));
    assert.deepEqual(
      objects.map(({ stage, object }) => `${stage} ${object.kind} ${object.metadata.name}`),
      [
        "0 PersistentVolumeClaim main-data",
        "0 PersistentVolumeClaim main-wal",
        "0 PersistentVolumeClaim main-archive",
        "0 ConfigMap main-config",
        "0 ConfigMap main-sql",
        "0 ConfigMap main-exporter-queries",
        "0 Service main-pods",
        "1 StatefulSet main",
        "1 Service main",
        "1 Service main-metrics",
      ],
    );
  });

  it("sizes the volumes by the settings, the archive as the data where nothing is said", () => {
    const size = (id: string, input?: unknown) =>
      (objectOf(id, input).spec as { resources: { requests: { storage: string } } }).resources.requests
        .storage;
    assert.deepEqual([size("data"), size("archive")], ["2Gi", "2Gi"]);
    assert.equal(size("archive", changed(alone(), "cluster.storage.archiveSize", "50Gi")), "50Gi");
    assert.equal(size("wal", changed(alone(), "cluster.storage.walSize", "3Gi")), "3Gi");
  });

  it("leaves the volumes' class to the volumes, which can't change it", () => {
    const claim = standalone.plan(checked(alone())).objects.find(({ id }) => id === "data")!;
    assert.deepEqual(claim.leave?.fields, ["spec.storageClassName"]);
  });

  it("restarts the server for parameters that need it, and for nothing that a reload does", () => {
    const digest = (input?: unknown) => templateOf(input).metadata.annotations["pgplatform.io/restarts-with"];
    const before = templateOf();
    assert.notEqual(digest(withParameters({ wal_buffers: "16MB" })), digest());
    assert.notEqual(digest(changed(alone(), "cluster.maxConnections", 50)), digest());
    for (const same of [
      withParameters({ work_mem: "128kB", archive_timeout: "30s" }),
      changed(alone(), "cluster.roles", [{ name: "reader" }]),
      changed(alone(), "cluster.access", [{ role: "app" }]),
      changed(alone(), "cluster.databases", [
        { name: "app", owner: "app" },
        { name: "other", owner: "other", schemas: [{ name: "x" }] },
      ]),
      changed(alone(), "cluster.storage.size", "9Gi"),
      changed(alone(), "monitoring", {
        queries: [{ name: "one", sql: "SELECT 1 AS rows", values: [{ name: "rows", help: "rows" }] }],
        statements: { top: 5 },
      }),
      { ...alone(), poolers: [{ name: "app", database: "app" }] },
    ])
      assert.deepEqual(templateOf(same), before);
  });

  it("writes what the user sets, quoted, and its own names of files behind it", () => {
    const input = withParameters({ log_line_prefix: "it's %m \\ ", wal_keep_size: "1GB" });
    const settings = checked(input);
    const conf = configurationFiles(settings, parametersOf(settings))["postgresql.conf"]!;
    assert.match(conf, /^log_line_prefix = 'it''s %m \\\\ '$/m);
    assert.match(conf, /^wal_keep_size = '1GB'$/m);
    assert.match(conf, /^ssl_min_protocol_version = 'TLSv1\.3'$/m);
    assert.match(conf, /^archive_timeout = '60s'$/m);
    assert.match(conf, /^archive_command = '\/bin\/bash \/etc\/pgplatform\/config\/archive\.sh "%p" "%f"'$/m);
    const names = conf.split("\n").map((line) => line.split(" = ")[0]);
    assert.equal(new Set(names).size, names.length);
  });

  it("forbids ALTER SYSTEM where PostgreSQL can", () => {
    const of = (postgresVersion: string) =>
      parametersOf(checked(changed(alone(), "cluster.postgresVersion", postgresVersion)));
    assert.equal(of("17").allow_alter_system, "off");
    assert.equal(of("16").allow_alter_system, undefined);
  });

  it("preloads the libraries of the extensions", () => {
    const input = changed(alone(), "cluster.databases", [
      { name: "app", owner: "app", extensions: ["pg_trgm", "pg_stat_statements", "pgaudit"] },
    ]);
    const parameters = parametersOf(checked(input));
    assert.equal(parameters.shared_preload_libraries, "pg_stat_statements,pgaudit");
    assert.equal(parameters["pgaudit.log"], "ddl, role");
    assert.equal(parametersOf(checked(alone())).shared_preload_libraries, "pg_stat_statements");
    const none = changed(alone(), "monitoring", { statements: { top: 0 } });
    assert.equal(parametersOf(checked(none)).shared_preload_libraries, undefined);
  });

  it("lets in over the network by TLS and password alone, and only the pod's own users without a password", () => {
    const settings = checked(alone());
    const files = configurationFiles(settings, parametersOf(settings));
    assert.deepEqual(files["pg_hba.conf"]!.trim().split("\n"), [
      "local all postgres peer map=platform",
      "local all pgp_metrics peer map=platform",
      "hostssl postgres all 127.0.0.1/32 scram-sha-256",
      "hostssl all all all scram-sha-256",
      "hostnossl all all all reject",
    ]);
    assert.deepEqual(files["pg_ident.conf"]!.trim().split("\n"), [
      "platform postgres postgres",
      "platform nobody pgp_metrics",
    ]);
  });

  it("hardens every container: no root, no capabilities, nothing written to the image", () => {
    const { spec } = templateOf();
    assert.deepEqual(spec.securityContext, {
      runAsNonRoot: true,
      runAsUser: 999,
      runAsGroup: 999,
      fsGroup: 999,
      fsGroupChangePolicy: "OnRootMismatch",
      seccompProfile: { type: "RuntimeDefault" },
    });
    const hardened = {
      allowPrivilegeEscalation: false,
      readOnlyRootFilesystem: true,
      capabilities: { drop: ["ALL"] },
    };
    assert.deepEqual(
      spec.containers.map(({ name, securityContext }) => [name, securityContext]),
      [
        ["postgres", hardened],
        ["config-reloader", hardened],
        ["exporter", { ...hardened, runAsUser: 65534, runAsGroup: 65534 }],
      ],
    );
    assert.equal(spec.automountServiceAccountToken, false);
    for (const { resources } of containersOf(objectOf("server")))
      assert.ok(resources?.requests?.memory !== undefined && resources.limits?.memory !== undefined);
  });

  it("mounts volumes that are there, and gives the exporter nothing but the socket and its queries", () => {
    const { spec } = templateOf(changed(alone(), "cluster.storage.walSize", "3Gi"));
    const there = spec.volumes.map(({ name }) => name);
    const mounted = spec.containers.flatMap(({ volumeMounts }) => volumeMounts.map(({ name }) => name));
    assert.deepEqual([...new Set(mounted)].sort(), there.sort());
    const exporter = spec.containers.find(({ name }) => name === "exporter")!;
    assert.deepEqual(
      exporter.volumeMounts.map(({ name }) => name),
      ["queries", "socket"],
    );
  });

  it("puts each role's password into one Secret, under the role's name", () => {
    const { passwords, credentials } = standalone.plan(checked(alone()));
    assert.deepEqual(passwords?.keys, {
      app: "{password:app}",
      pgp_admin: "{password:admin}",
      pgp_pooler: "{password:pooler-auth}",
      pgp_health: "{password:health}",
    });
    assert.deepEqual(credentials.map(({ secretName }) => secretName).sort(), [
      "main-admin",
      "main-app",
      "main-health",
      "main-pooler-auth",
    ]);
  });

  it("leads every client to the one server, under names that its certificate carries", () => {
    const { endpoints, tls } = standalone.plan(
      checked({ ...alone(), poolers: [{ name: "app", database: "app" }] }),
    );
    for (const { host } of Object.values(endpoints)) assert.equal(host, "main.postgres.svc");
    assert.equal(tls.issuer, "platform");
    assert.deepEqual(tls.names, [
      "main",
      "main.postgres",
      "main.postgres.svc",
      "main.postgres.svc.cluster.local",
      "main-pooler-app",
      "main-pooler-app.postgres",
      "main-pooler-app.postgres.svc",
      "main-pooler-app.postgres.svc.cluster.local",
    ]);
  });

  it("gives its files a version, the same in both ConfigMaps, which any change of them changes", () => {
    const versionOf = (input: unknown) => {
      const { objects, loaded } = standalone.plan(checked(input));
      const versions = objects.flatMap(({ object }) =>
        ["main-config", "main-sql"].includes(object.metadata.name)
          ? [(object.data as Record<string, string>).version]
          : [],
      );
      assert.deepEqual(versions, [loaded?.version, loaded?.version]);
      return loaded?.version;
    };
    const all = [
      alone(),
      withParameters({ work_mem: "128kB" }),
      changed(alone(), "cluster.roles", [{ name: "reader" }]),
      changed(alone(), "cluster.access", [{ role: "app" }]),
    ].map(versionOf);
    assert.equal(new Set(all).size, all.length);
  });

  it("shows clients the server whether its pod is ready or not, and Prometheus where the metrics are", () => {
    for (const id of ["service", "pods", "metrics"])
      assert.equal(
        (objectOf(id).spec as { publishNotReadyAddresses: boolean }).publishNotReadyAddresses,
        true,
      );
    assert.deepEqual(objectOf("metrics").metadata.annotations, {
      "prometheus.io/scrape": "true",
      "prometheus.io/port": "9187",
      "prometheus.io/path": "/metrics",
    });
  });
});

describe("what a standalone server claims", () => {
  it("is what its settings say", () => {
    const { parameter, ...facts } = readers.standalone.facts(
      objectOf("server", changed(alone(), "cluster.maxConnections", 110)),
    )!;
    assert.equal(parameter("max_connections"), "110");
    assert.deepEqual(
      { ...facts },
      {
        name: "main",
        namespace: "postgres",
        instances: 1,
        synchronous: { number: 0, blocks: false, quorum: false },
        durability: "async",
        disruptionBudget: false,
        podSecurity: "restricted",
        storageClasses: [],
        requiredHostSpread: false,
        zoneSpread: false,
        dataChecksums: true,
        superuserAccess: false,
        superusers: [],
        hostBasedAccess: [
          "local all postgres peer map=platform",
          "local all pgp_metrics peer map=platform",
          "hostssl postgres all 127.0.0.1/32 scram-sha-256",
          "hostssl all all all scram-sha-256",
          "hostnossl all all all reject",
        ],
        passwordEncryption: "scram-sha-256",
        lowestTls: "TLSv1.3",
        image: "pgplatform.local/postgresql-standalone:17-1",
        imageFromCatalog: false,
        resources: {
          requests: { cpu: "200m", memory: "512Mi" },
          limits: { cpu: "2", memory: "512Mi" },
        },
        sharedBuffers: "128MB",
        maxConnections: 110,
        archiveTimeoutSeconds: 60,
        archive: {
          archivers: 0,
          volume: "main-archive",
          store: undefined,
          archiveId: "",
          outdated: undefined,
        },
        loadBalancers: [],
        services: { primary: "main", standbys: "main", any: "main" },
        network: {
          pods: {
            "app.kubernetes.io/name": "postgresql",
            "app.kubernetes.io/instance": "main",
            "pgplatform.io/cluster": "main",
          },
          ports: { postgres: 5432, metrics: 9187 },
        },
      },
    );
  });

  it("is nothing for objects that aren't this engine's", () => {
    const foreign = structuredClone(objectOf("server"));
    delete foreign.metadata.annotations;
    for (const object of [foreign, objectOf("config"), objectOf("data")]) {
      assert.equal(readers.standalone.facts(object), undefined);
      assert.equal(liveReaders.standalone.shape(object), undefined);
      assert.deepEqual(liveReaders.standalone.progress(object), { done: true, why: "nothing to wait for" });
    }
  });

  it("shows an update what differs", () => {
    const input = changed(alone(), "cluster.storage", { class: "fast", size: "2Gi", walSize: "3Gi" });
    const { parameters, ...shape } = liveReaders.standalone.shape(objectOf("server", input))!;
    assert.deepEqual(shape, {
      image: "pgplatform.local/postgresql-standalone:17-1",
      major: 17,
      instances: 1,
      pods: {
        resources: { requests: { cpu: "200m", memory: "512Mi" }, limits: { cpu: "2", memory: "512Mi" } },
      },
      data: { size: "2Gi", class: "fast" },
      log: { size: "3Gi", class: "fast" },
    });
    assert.deepEqual(parameters, parametersOf(checked(input)));
  });

  it("is done when the pod of the last change is ready", () => {
    const live = (status: object, generation = 2): KubernetesObject => {
      const object = structuredClone(objectOf("server"));
      (object.metadata as { generation?: number }).generation = generation;
      return { ...object, status };
    };
    const status = { observedGeneration: 2, readyReplicas: 1, currentRevision: "a", updateRevision: "a" };
    const why = (object: KubernetesObject) => liveReaders.standalone.progress(object);
    assert.deepEqual(why(live(status)), { done: true, why: "1 of 1 instances ready" });
    assert.deepEqual(why(live(status, 3)), { done: false, why: "not looked at since its last change" });
    assert.deepEqual(why(live({ ...status, updateRevision: "b" })), {
      done: false,
      why: "its pod is being recreated",
    });
    assert.deepEqual(why(live({ ...status, readyReplicas: 0 })), {
      done: false,
      why: "0 of 1 instances ready; the log of the container config-reloader says what is missing",
    });
  });
});
