import assert from "node:assert/strict";
import type { KubernetesObject } from "../../../plan/objects";
import { changed } from "../../support/settings";
import { good, goodStack, judged, judgedStack, mutated, violationsInStack, violationsOf } from "./kit";
import {
  configMap,
  configuration,
  operatorConfiguration,
  pgbouncer,
  postgresql,
  service,
  statefulSet,
} from "./objectsOfOthers";

/** What programs by others have, which the platform's own objects don't. */

const having = (object: KubernetesObject, changes: Record<string, unknown>): KubernetesObject =>
  Object.entries(changes).reduce((one, [path, value]) => changed(one, path, value), structuredClone(object));
const count = (name: string, object: KubernetesObject): number => violationsOf(name, object).length;
const counts = (name: string, ...objects: readonly KubernetesObject[]): number =>
  violationsInStack(name, objects).length;

describe("parameters that trade what is stored for speed", () => {
  for (const [name, value] of [
    ["fsync", "off"],
    ["fsync", "FALSE"],
    ["full_page_writes", "no"],
    ["zero_damaged_pages", "on"],
    ["ignore_checksum_failure", "true"],
    ["wal_level", "minimal"],
  ] as const)
    it(`are refused on every engine: ${name} = ${value}`, () => {
      const parameters = { [name]: value };
      assert.equal(
        count("durable-writes", mutated("cluster", { "spec.postgresql.parameters": parameters })),
        1,
      );
      assert.equal(
        counts("durable-writes", having(postgresql(), { "spec.postgresql.parameters": parameters })),
        1,
      );
      const args = ["-c", `${name}=${value}`];
      const server = having(statefulSet(), { "spec.template.spec.containers.0.args": args });
      assert.equal(counts("durable-writes", server, configuration()), 1);
      const conf = having(configuration(), {});
      (conf.data as Record<string, string>)["postgresql.conf"] = `${name} = '${value}'\n`;
      assert.equal(counts("durable-writes", statefulSet(), conf), 1);
    });

  it("may wait less where no claim is made that nothing acknowledged is lost", () => {
    const commit = { "spec.postgresql.parameters": { synchronous_commit: "off" } };
    assert.equal(count("durable-writes", mutated("cluster", commit)), 1);
    const modest = mutated("cluster", {
      ...commit,
      "metadata.annotations": {},
      "spec.postgresql.synchronous": undefined,
    });
    assert.equal(count("durable-writes", modest), 0);
  });
});

describe("superusers", () => {
  const roles = (...list: object[]) =>
    count("no-superuser-access", mutated("cluster", { "spec.managed": { roles: list } }));
  it("are managed roles too, where they are there", () => {
    assert.equal(roles({ name: "root", superuser: true }), 1);
    assert.equal(roles({ name: "root", superuser: true, ensure: "absent" }, { name: "app" }), 0);
  });
  it("are users of Zalando's object, in any spelling", () => {
    assert.equal(
      count("no-superuser-access", having(postgresql(), { "spec.users": { root: ["SUPERUSER"] } })),
      1,
    );
    assert.equal(count("no-superuser-access", postgresql()), 0);
  });
  it("are found under any name, of a field too", () => {
    for (const name of ["backup", "owner", "data", "replicas", "__proto__"]) {
      const users = (flag: string) =>
        count(
          "no-superuser-access",
          having(postgresql(), { "spec.users": JSON.parse(`{"${name}": ["${flag}"]}`) as unknown }),
        );
      assert.deepEqual(["superuser", "createdb"].map(users), [1, 0], name);
    }
  });
});

describe("poolers", () => {
  const pooler = (changes: Record<string, unknown>) => goodStack({ pooler: mutated("pooler", changes) });
  it("of CloudNativePG take no trust, by parameter or rule", () => {
    const parameters = (auth_type: string) =>
      violationsInStack("pooler-logins", pooler({ "spec.pgbouncer.parameters": { auth_type } })).length;
    assert.deepEqual(["trust", "any", "md5", "scram-sha-256", "hba"].map(parameters), [1, 1, 1, 0, 0]);
    const rule = (line: string) =>
      violationsInStack("pooler-logins", pooler({ "spec.pgbouncer.pg_hba": [line] })).length;
    assert.deepEqual(["host all all all trust", "host all all all scram-sha-256"].map(rule), [1, 0]);
  });
  it("of CloudNativePG leave TLS to no client where they say so", () => {
    const tls = (client_tls_sslmode: string) =>
      violationsInStack("pooler-logins", pooler({ "spec.pgbouncer.parameters": { client_tls_sslmode } }))
        .length;
    assert.deepEqual(["disable", "allow", "prefer", "require", "verify-full"].map(tls), [1, 1, 1, 0, 0]);
  });
  it("have PgBouncer's own defaults where their configuration says nothing", () => {
    const logins = (...lines: string[]) =>
      violationsInStack("pooler-logins", [
        having(pgbouncer(), {
          "spec.template.spec.containers.0.env": [],
          "spec.template.spec.volumes": [{ configMap: { name: "ini" } }],
        }),
        configMap("ini", {
          "pgbouncer.ini": ["[databases]", "* = host=db", "[pgbouncer]", ...lines].join("\n"),
        }),
      ]).map((text) => text.split(" is not")[0]);
    const method = 'Deployment shop/pool: auth_type: "md5"';
    const tls = 'Deployment shop/pool: client_tls_sslmode: "disable"';
    assert.deepEqual(logins(), [method, tls]);
    assert.deepEqual(logins("auth_type = scram-sha-256"), [tls]);
    assert.deepEqual(logins("client_tls_sslmode = require"), [method]);
    assert.deepEqual(logins("auth_type = scram-sha-256", "client_tls_sslmode = require"), []);
    // The rest may say it.
    assert.deepEqual(logins("%include /etc/pgbouncer/more.ini"), []);
  });
  it("that images write have no certificates by default; their method is the image's", () => {
    const env = (...list: { name: string; value: string }[]) =>
      counts("pooler-logins", having(pgbouncer(), { "spec.template.spec.containers.0.env": list }));
    const host = { name: "DB_HOST", value: "db" };
    assert.equal(env(host), 1);
    assert.equal(env(host, { name: "CLIENT_TLS_SSLMODE", value: "verify-ca" }), 0);
    // Nothing in the stack says how it is configured.
    assert.equal(env(), 0);
  });
  it("of CloudNativePG are open by their Service's template", () => {
    const open = (spec: object) =>
      count("load-balancer-ranges", mutated("pooler", { "spec.serviceTemplate": { spec } }));
    assert.deepEqual(
      [
        open({ type: "LoadBalancer" }),
        open({ type: "NodePort" }),
        open({ type: "LoadBalancer", loadBalancerSourceRanges: ["192.0.2.0/24"] }),
        open({}),
      ],
      [1, 1, 0, 0],
    );
  });
  it("of Zalando's operator are seen: pods, limits, Services", () => {
    const pooled = (spec: object) =>
      having(postgresql(), { spec: { ...(postgresql().spec as object), ...spec } });
    const one = pooled({ enableConnectionPooler: true, connectionPooler: { numberOfInstances: 1 } });
    assert.match(
      violationsInStack("pooler-availability", [one, operatorConfiguration()]).join("\n"),
      /postgresql shop\/acid-orders-pooler: pods: 1/,
    );
    const many = pooled({ connectionPooler: { maxDBConnections: 200 } });
    assert.equal(counts("connection-budget", many, operatorConfiguration()), 1);
    assert.equal(counts("connection-budget", pooled({}), operatorConfiguration()), 0);
  });
  it("of Zalando's operator are open by the cluster's object, or else by the operator's configuration", () => {
    const open = (spec: object, load_balancer: object = {}) =>
      counts(
        "load-balancer-ranges",
        having(postgresql(), {
          spec: {
            ...(postgresql().spec as object),
            enableMasterLoadBalancer: false,
            enableConnectionPooler: true,
            allowedSourceRanges: ["0.0.0.0/0"],
            ...spec,
          },
        }),
        having(operatorConfiguration(), { "configuration.load_balancer": load_balancer }),
      );
    const master = { enable_master_pooler_load_balancer: true };
    const replica = { enable_replica_pooler_load_balancer: true };
    assert.equal(open({}), 0);
    assert.equal(open({ enableMasterPoolerLoadBalancer: true }), 1);
    assert.equal(open({}, master), 1);
    assert.equal(open({ enableMasterPoolerLoadBalancer: false }, master), 0);
    assert.equal(open({ enableConnectionPooler: false }, master), 0);
    assert.equal(open({ enableReplicaConnectionPooler: true }, replica), 1);
    assert.equal(open({}, replica), 0);
    assert.equal(open({ allowedSourceRanges: ["192.0.2.0/24"] }, master), 0);
    const internal = { "service.beta.kubernetes.io/aws-load-balancer-internal": "true" };
    assert.equal(open({ masterServiceAnnotations: internal }, master), 0);
    assert.equal(open({}, { ...master, custom_service_annotations: internal }), 0);
  });
  it("of images that variables configure are seen", () => {
    assert.equal(counts("pooler-logins", pgbouncer({ AUTH_TYPE: "trust" })), 1);
    assert.equal(counts("pooler-logins", pgbouncer({ PGBOUNCER_AUTH_TYPE: "any" })), 1);
    assert.equal(counts("pooler-logins", pgbouncer({ AUTH_TYPE: "scram-sha-256" })), 0);
    const [from, methods] = [
      having(pgbouncer(), {
        "spec.template.spec.containers.0.env": [{ name: "CLIENT_TLS_SSLMODE", value: "require" }],
        "spec.template.spec.containers.0.envFrom": [{ configMapRef: { name: "pool-env" } }],
      }),
      (AUTH_TYPE: string) => configMap("pool-env", { AUTH_TYPE }),
    ];
    assert.equal(counts("pooler-logins", from, methods("any")), 1);
    assert.equal(counts("pooler-logins", from, methods("scram-sha-256")), 0);
    assert.equal(counts("pooler-availability", having(pgbouncer(), { "spec.replicas": 1 })), 2);
    const big = pgbouncer({ MAX_DB_CONNECTIONS: "80" });
    assert.equal(counts("connection-budget", statefulSet(), configuration(), service("db", {}), big), 1);
  });
});

describe("Services of a database", () => {
  const open = (spec: object, annotations: Record<string, string> = {}) =>
    counts("load-balancer-ranges", service("open", { type: "LoadBalancer", ...spec }, annotations));
  it("let in no ranges that are wide alone or together", () => {
    const ranges = (...loadBalancerSourceRanges: string[]) => open({ loadBalancerSourceRanges });
    assert.equal(ranges("0.0.0.0/1", "128.0.0.0/1"), 1);
    assert.equal(ranges("0.0.0.0/2", "64.0.0.0/2", "128.0.0.0/2", "192.0.0.0/2"), 1);
    assert.equal(ranges("::/1", "8000::/1"), 1);
    assert.equal(ranges("2000::/3"), 1);
    assert.equal(ranges(...Array.from({ length: 128 }, (_, index) => `${index}.0.0.0/8`)), 1);
    assert.equal(ranges("10.0.0.0/8", "fd00::/8", "172.16.0.0/12"), 0);
  });
  it("are no NodePorts, and have no external addresses", () => {
    assert.equal(open({ type: "NodePort" }), 1);
    assert.equal(open({ type: "ClusterIP", externalIPs: ["192.0.2.1"] }), 1);
    assert.equal(open({ type: "ClusterIP" }), 0);
  });
  for (const [key, value] of [
    ["service.beta.kubernetes.io/aws-load-balancer-internal", "true"],
    ["service.beta.kubernetes.io/aws-load-balancer-scheme", "internal"],
    ["service.beta.kubernetes.io/azure-load-balancer-internal", "true"],
    ["networking.gke.io/load-balancer-type", "Internal"],
    ["service.beta.kubernetes.io/openstack-internal-load-balancer", "true"],
    ["service.beta.kubernetes.io/oci-load-balancer-internal", "true"],
    ["load-balancer.hetzner.cloud/disable-public-network", "true"],
  ] as const)
    it(`may stay in the provider's network: ${key}`, () => {
      assert.equal(open({}, { [key]: value }), 0);
      assert.equal(open({}, { [key]: "false" }), 1);
    });
  it("may have their ranges in an annotation", () =>
    assert.equal(open({}, { "service.beta.kubernetes.io/load-balancer-source-ranges": "192.0.2.0/24" }), 0));
  it("are told from an ingress' public Service", () => {
    const ingress = (selector: object) =>
      service("ingress", { type: "LoadBalancer", ports: [{ port: 443, targetPort: "https" }], selector });
    const app = { "app.kubernetes.io/name": "ingress-nginx" };
    assert.equal(violationsInStack("load-balancer-ranges", goodStack({ ingress: ingress(app) })).length, 0);
    // By its selector, which takes the instances.
    const sly = ingress({ "cnpg.io/cluster": "orders" });
    assert.equal(violationsInStack("load-balancer-ranges", goodStack({ sly })).length, 1);
    assert.equal(counts("load-balancer-ranges", statefulSet(), configuration(), ingress({ app: "db" })), 1);
  });
  it("select pods by labels of any name, of a field too", () => {
    for (const label of ["cluster", "backup", "env", "replicas"]) {
      const server = having(statefulSet(), { "spec.template.metadata.labels": { [label]: "orders" } });
      const open = (selector: object) =>
        counts(
          "load-balancer-ranges",
          server,
          configuration(),
          service("open", { type: "LoadBalancer", ports: [{ port: 15432, targetPort: "tcp-db" }], selector }),
        );
      assert.deepEqual([open({ [label]: "orders" }), open({ [label]: "web" })], [1, 0], label);
    }
  });
  it("that a template makes are open by the same fields", () => {
    const template = (spec: object) => ({ metadata: { name: "open" }, spec });
    const templates = (spec: object) => [
      count("load-balancer-ranges", mutated("pooler", { "spec.serviceTemplate": template(spec) })),
      count(
        "load-balancer-ranges",
        mutated("cluster", {
          "spec.managed": { services: { additional: [{ serviceTemplate: template(spec) }] } },
        }),
      ),
      open(spec),
    ];
    assert.deepEqual(templates({ type: "ClusterIP", externalIPs: ["192.0.2.1"] }), [1, 1, 1]);
    assert.deepEqual(templates({ type: "NodePort", externalIPs: ["192.0.2.1"] }), [2, 2, 2]);
    assert.deepEqual(templates({ type: "LoadBalancer", loadBalancerClass: "tailscale" }), [0, 0, 0]);
    assert.deepEqual(templates({ type: "LoadBalancer", loadBalancerClass: "public" }), [1, 1, 1]);
  });
});

describe("network policies of others", () => {
  const find = (changes: Record<string, KubernetesObject | undefined>, options: object = {}) =>
    violationsInStack("closed-network", goodStack(changes), options);
  const denying = (name: string, ...policyTypes: string[]) =>
    mutated("deny-all", { "metadata.name": name, "spec.policyTypes": policyTypes });
  const opening = (index: number, direction: string, change: object) => {
    const policy = good("instances-network");
    const list = (policy.spec as Record<string, object[]>)[direction]!;
    list[index] = { ...list[index], ...change };
    return policy;
  };
  const from = (namespace: string, labels: Record<string, string>) => ({
    from: [
      {
        namespaceSelector: { matchLabels: { "kubernetes.io/metadata.name": namespace } },
        podSelector: { matchLabels: labels },
      },
    ],
  });
  it("may close each direction by a policy of its own", () =>
    assert.deepEqual(find({ "deny-all": denying("in", "Ingress"), out: denying("out", "Egress") }), []));
  it("may let in an operator that is in another namespace, under labels of its own", () =>
    assert.deepEqual(
      find({
        "instances-network": opening(0, "ingress", from("operators", { "app.kubernetes.io/instance": "pg" })),
      }),
      [],
    ));
  it("may let in Prometheus by its pods' labels", () =>
    assert.deepEqual(
      find(
        {
          "instances-network": opening(
            3,
            "ingress",
            from("monitoring", { "app.kubernetes.io/name": "prometheus" }),
          ),
        },
        { metricsNamespace: "monitoring" },
      ),
      [],
    ));
  it("may have their DNS at an address of each node", () => {
    const nodeLocal = mutated("everyone-dns", {
      "spec.egress": [
        { to: [{ ipBlock: { cidr: "169.254.20.10/32" } }], ports: [{ port: 53, protocol: "UDP" }] },
      ],
    });
    assert.deepEqual(find({ "everyone-dns": nodeLocal }), []);
  });
  it("open no address by its halves", () => {
    const halves = ["0.0.0.0/1", "128.0.0.0/1"].map((cidr) => ({ ipBlock: { cidr } }));
    const open = opening(1, "egress", { to: halves, ports: [{ port: 5432 }] });
    assert.equal(
      find({ "instances-network": open }).filter((text) => text.includes("every address")).length,
      2,
    );
  });
});

describe("images beside the server's", () => {
  const bad = `docker.io/bitnami/pgbouncer:latest`;
  const right = `ghcr.io/example/tool:1@sha256:${"1".repeat(64)}`;
  const found = (object: (image: string) => KubernetesObject) =>
    [bad, right].map((image) => [
      count("supported-images", object(image)),
      count("image-digests", object(image)),
    ]);
  const twice = [
    [2, 1],
    [0, 0],
  ];
  it("of an extension are judged", () =>
    assert.deepEqual(
      found((reference) =>
        mutated("cluster", { "spec.postgresql.extensions": [{ name: "vector", image: { reference } }] }),
      ),
      twice,
    ));
  for (const list of ["sidecars", "initContainers"])
    it(`of Zalando's ${list} are judged`, () =>
      assert.deepEqual(
        found((image) => having(postgresql(), { [`spec.${list}`]: [{ name: "x", image }] })),
        twice,
      ));
  it("of Zalando's poolers are judged where a cluster names one", () =>
    assert.deepEqual(
      found((dockerImage) => having(postgresql(), { "spec.connectionPooler": { dockerImage } })),
      twice,
    ));
  it("are none where a catalog has the extension's", () => {
    const cluster = mutated("cluster", { "spec.postgresql.extensions": [{ name: "vector" }] });
    assert.equal(count("image-digests", cluster), 0);
  });
  it("come from Docker's registry by each of its names", () => {
    const digest = `@sha256:${"0".repeat(64)}`;
    for (const host of [
      "docker.io/",
      "index.docker.io/",
      "registry-1.docker.io/",
      "registry.hub.docker.com/",
      "",
    ])
      for (const [name, said] of [
        ["bitnami/postgresql", 1],
        ["library/postgres", 0],
      ] as const)
        assert.equal(
          counts(
            "supported-images",
            having(statefulSet(), {
              "spec.template.spec.containers.0.image": `${host}${name}:17${digest}`,
            }),
          ),
          said,
          host,
        );
  });
});

describe("storage classes", () => {
  const classes = (changes: Record<string, unknown>) => counts("storage-class", mutated("cluster", changes));
  for (const [field, storage] of [
    ["spec.storage", (claim: object) => claim],
    ["spec.walStorage", (claim: object) => claim],
    ["spec.tablespaces", (claim: object) => [{ name: "cold", storage: claim }]],
  ] as const)
    it(`are named in ${field}, beside its claim or in it`, () => {
      const find = (claim: object) => classes({ [field]: storage({ size: "1Gi", ...claim }) });
      assert.equal(find({ storageClass: "local-path" }), 1);
      assert.equal(find({ pvcTemplate: { storageClassName: "local-path" } }), 1);
      assert.equal(find({ storageClass: "ceph", pvcTemplate: { storageClassName: "local-path" } }), 0);
      assert.equal(find({}), 0);
    });
});

describe("a Pooler without PgBouncer's container, which its operator adds without resources,", () => {
  const find = (template: unknown) =>
    count("container-resources", mutated("pooler", { "spec.template": template }));
  it("has none, and with it has those that it lists", () => {
    assert.equal(find(undefined), 4);
    assert.equal(find({ spec: { containers: [] } }), 4);
    assert.equal(count("container-resources", good("pooler")), 0);
    assert.deepEqual(
      violationsOf("container-resources", mutated("pooler", { "spec.template": undefined }))[0],
      "Pooler shop/orders-pool: container pgbouncer.resources.requests.cpu: not set. Allowed: a quantity. Fix: set it.",
    );
  });
});

describe("containers that are no database", () => {
  it("need no limit of cores", () => {
    const web = good("application");
    const [container] = (web.spec as { template: { spec: { containers: Record<string, unknown>[] } } })
      .template.spec.containers;
    container!.resources = { requests: { cpu: "1", memory: "1Gi" }, limits: { memory: "1Gi" } };
    assert.equal(count("container-resources", web), 0);
    container!.resources = { requests: { cpu: "1", memory: "1Gi" } };
    assert.equal(count("container-resources", web), 1);
  });
});

describe("Zalando's operator", () => {
  const names = [
    "instances-apart",
    "disruption-budget",
    "failsafe-mode",
    "wal-archiving",
    "container-resources",
  ];
  const own = (configurationOf?: KubernetesObject, cluster = postgresql()) =>
    Object.fromEntries(
      names.map((name) => [
        name,
        violationsInStack(name, [cluster, ...(configurationOf ? [configurationOf] : [])]).length,
      ]),
    );
  it("says by its configuration what its clusters' objects leave to it", () => {
    assert.deepEqual(own(operatorConfiguration()), Object.fromEntries(names.map((name) => [name, 0])));
    const poor = having(operatorConfiguration(), {
      "configuration.kubernetes": { enable_pod_disruption_budget: false },
      "configuration.patroni": {},
      "configuration.aws_or_gcp": {},
      "configuration.postgres_pod_resources": {},
    });
    const bare = having(postgresql(), { "spec.resources": undefined });
    assert.deepEqual(own(poor, bare), {
      "instances-apart": 1,
      "disruption-budget": 1,
      "failsafe-mode": 1,
      "wal-archiving": 1,
      "container-resources": 4,
    });
  });
  it("may be configured by a ConfigMap", () =>
    assert.deepEqual(
      own({
        apiVersion: "v1",
        kind: "ConfigMap",
        metadata: { name: "postgres-operator", namespace: "operators" },
        data: {
          enable_pod_antiaffinity: "true",
          docker_image: "ghcr.io/zalando/spilo-17:4.0-p3",
          enable_patroni_failsafe_mode: "true",
          wal_s3_bucket: "orders-wal",
        },
      }),
      Object.fromEntries(names.map((name) => [name, 0])),
    ));
  it("isn't judged for what nothing in the stack says", () =>
    assert.deepEqual(own(), {
      "instances-apart": 0,
      "disruption-budget": 0,
      "failsafe-mode": 0,
      "wal-archiving": 1,
      "container-resources": 0,
    }));
  it("is refused where failsafe mode is off in the cluster's own object", () =>
    assert.equal(count("failsafe-mode", having(postgresql(), { "spec.patroni.failsafe_mode": false })), 1));
  it("is judged by the other policies as CloudNativePG is", () => {
    const bad = (path: string, value: unknown) => having(postgresql(), { [path]: value });
    assert.equal(count("enough-instances", bad("spec.numberOfInstances", 1)), 1);
    assert.equal(count("encrypted-logins", bad("spec.patroni.pg_hba", ["host all all all trust"])), 1);
    assert.equal(counts("storage-class", bad("spec.volume.storageClass", "local-path")), 1);
    assert.equal(
      count("supported-images", bad("spec.dockerImage", "registry.opensource.zalan.do/acid/spilo-17:4.0-p3")),
      1,
    );
    assert.equal(
      count(
        "supported-images",
        having(operatorConfiguration(), { "configuration.docker_image": "ghcr.io/zalando/spilo-17" }),
      ),
      1,
    );
    assert.equal(count("known-fields", bad("spec.numberOfInstancs", 3)), 1);
  });
  it("may keep its clusters' instances in different zones", () => {
    const key = (name: string) =>
      counts(
        "instances-apart",
        postgresql(),
        having(operatorConfiguration(), { "configuration.kubernetes.pod_antiaffinity_topology_key": name }),
      );
    assert.deepEqual(["topology.kubernetes.io/zone", "example.com/rack"].map(key), [0, 1]);
  });
  it("adds variables of its ConfigMap, then of its own fields, to those of each cluster", () => {
    const env = (...list: object[]) => having(postgresql(), { "spec.env": list });
    const bucket = { name: "WAL_S3_BUCKET", value: "own" };
    const byMap = having(operatorConfiguration(), {
      "configuration.kubernetes.pod_environment_configmap": "operators/pod-env",
    });
    const map = (data: Record<string, string>) => ({
      ...configMap("pod-env", data),
      metadata: { name: "pod-env", namespace: "operators" },
    });
    const walG = map({ USE_WALG_BACKUP: "true" });
    assert.equal(counts("current-archiver", env(bucket), byMap, walG), 0);
    assert.equal(counts("current-archiver", env(bucket), byMap, map({ USE_WALG_BACKUP: "false" })), 1);
    assert.equal(counts("current-archiver", env(bucket), operatorConfiguration()), 1);
    // The cluster's own one counts.
    const off = { name: "USE_WALG_BACKUP", value: "false" };
    assert.equal(counts("current-archiver", env(bucket, off), byMap, walG), 1);
    // In another stack: nothing says it.
    assert.equal(counts("current-archiver", env(bucket), byMap), 0);
    for (const own of [[bucket], []])
      for (const [schedule, said] of [
        ["0 2 * * 0", 1],
        ["0 2 * * *", 0],
      ] as const)
        assert.equal(
          counts("daily-base-backups", env(...own), byMap, map({ BACKUP_SCHEDULE: schedule })),
          said,
          schedule,
        );
    const daily = { name: "BACKUP_SCHEDULE", value: "0 3 * * *" };
    assert.equal(counts("daily-base-backups", env(daily), byMap, map({ BACKUP_SCHEDULE: "0 2 * * 0" })), 0);
  });
  it("tells clusters of one name apart in the bucket that it names itself", () => {
    const twins = (...objects: KubernetesObject[]) =>
      counts(
        "archive-of-its-own",
        postgresql(),
        having(postgresql(), { "metadata.namespace": "web" }),
        ...objects,
      );
    assert.equal(twins(operatorConfiguration()), 0);
    const byMap = having(operatorConfiguration(), {
      "configuration.kubernetes.pod_environment_configmap": "operators/pod-env",
    });
    const named = {
      ...configMap("pod-env", { WAL_S3_BUCKET: "shared", WAL_BUCKET_SCOPE_SUFFIX: "" }),
      metadata: { name: "pod-env", namespace: "operators" },
    };
    assert.equal(twins(byMap, named), 1);
  });
  it("has one key for both targets where its clusters name it so", () => {
    const target = (name: string): KubernetesObject => ({
      apiVersion: "v1",
      kind: "Secret",
      metadata: {
        name,
        namespace: "shop",
        labels: { "pgplatform.io/cluster": "acid-orders", "pgplatform.io/role": "backup-target" },
        annotations: {
          "pgplatform.io/store-endpoint": "https://s3.eu-central-003.backblazeb2.com",
          "pgplatform.io/store-bucket": "copies",
        },
      },
    });
    const key = having(postgresql(), {
      "spec.env": [
        { name: "AWS_ACCESS_KEY_ID", valueFrom: { secretKeyRef: { name: "wal-key", key: "id" } } },
      ],
    });
    assert.equal(counts("two-targets", key, operatorConfiguration(), target("wal-key")), 1);
    assert.equal(counts("two-targets", key, operatorConfiguration(), target("copy-key")), 0);
  });
  it("hands no empty list of rules on, so that the image's count", () => {
    const rules = (pg_hba: unknown) =>
      violationsOf("encrypted-logins", having(postgresql(), { "spec.patroni.pg_hba": pg_hba }));
    assert.ok(rules(undefined).length > 0);
    assert.deepEqual(rules([]), rules(undefined));
  });
  it("deletes neither volumes nor passwords with a cluster", () => {
    assert.equal(count("kept-data", operatorConfiguration()), 0);
    assert.equal(count("kept-data", having(operatorConfiguration(), { "configuration.kubernetes": {} })), 2);
    assert.equal(
      count(
        "kept-data",
        having(operatorConfiguration(), {
          "configuration.kubernetes.persistent_volume_claim_retention_policy": { when_deleted: "delete" },
        }),
      ),
      1,
    );
  });
  /** A ConfigMap of the operator, with some of its keys. */
  const operatorMap = (data: Record<string, string>): KubernetesObject => ({
    apiVersion: "v1",
    kind: "ConfigMap",
    metadata: { name: "postgres-operator", namespace: "operators" },
    data: {
      docker_image: "ghcr.io/zalando/spilo-17:4.0-p3",
      resync_period: "30m",
      enable_persistent_volume_claim_deletion: "false",
      enable_secrets_deletion: "false",
      ...data,
    },
  });
  it("deletes by any word of its ConfigMap for true, and by the policy of volumes there", () => {
    const found = (data: Record<string, string>) => count("kept-data", operatorMap(data));
    assert.equal(found({}), 0);
    const both = (word: string) =>
      found({ enable_persistent_volume_claim_deletion: word, enable_secrets_deletion: word });
    for (const word of ["1", "t", "T", "TRUE", "true", "True"]) assert.equal(both(word), 2, word);
    for (const word of ["0", "f", "F", "FALSE", "false", "False"]) assert.equal(both(word), 0, word);
    // The operator doesn't start with it: what counts is its default, which deletes.
    assert.equal(both("yes"), 2);
    const kept = (policy: string) => found({ persistent_volume_claim_retention_policy: policy });
    assert.equal(kept("when_deleted:delete,when_scaled:delete"), 2);
    assert.equal(kept("when_deleted:retain, when_scaled:delete"), 1);
    assert.equal(kept("when_deleted:retain,when_scaled:retain"), 0);
  });
  it("deletes no volume of an instance that is taken away, nor by a group that isn't known yet", () => {
    const policy = (when_scaled: string) =>
      having(operatorConfiguration(), {
        "configuration.kubernetes.persistent_volume_claim_retention_policy": {
          when_deleted: "retain",
          when_scaled,
        },
      });
    assert.deepEqual(violationsOf("kept-data", policy("delete")), [
      'OperatorConfiguration operators/postgres-operator: persistent_volume_claim_retention_policy.when_scaled: "delete" is not allowed. Allowed: retain, since the data would go with the object, or with an instance. Fix: set it, or leave it out.',
    ]);
    assert.equal(count("kept-data", policy("retain")), 0);
    const later = operatorConfiguration();
    Object.defineProperty(later.configuration, "kubernetes", {
      enumerable: true,
      get() {
        throw new Error("not known");
      },
    });
    assert.deepEqual(
      [judged("kept-data", later).said.length, judged("kept-data", later).later.length],
      [0, 1],
    );
  });
  it("opens the primary where its configuration doesn't say no, to nobody where no ranges are listed", () => {
    const open = (spec: object, operator: KubernetesObject) =>
      counts(
        "load-balancer-ranges",
        having(postgresql(), { spec: { ...(postgresql().spec as object), ...spec } }),
        operator,
      );
    const anybody = { allowedSourceRanges: ["0.0.0.0/0"] };
    const group = (load_balancer: object) =>
      having(operatorConfiguration(), { "configuration.load_balancer": load_balancer });
    assert.equal(open(anybody, operatorMap({})), 1);
    assert.equal(open(anybody, operatorMap({ enable_master_load_balancer: "0" })), 0);
    assert.equal(open(anybody, group({ db_hosted_zone: "example.com" })), 1);
    assert.equal(open(anybody, group({ enable_master_load_balancer: false })), 0);
    // The API fills nothing into a group that isn't there.
    assert.equal(open(anybody, operatorConfiguration()), 0);
    assert.equal(open({ ...anybody, enableMasterLoadBalancer: false }, operatorMap({})), 0);
    assert.equal(open({ enableMasterLoadBalancer: true }, operatorConfiguration()), 0);
    assert.equal(open({ ...anybody, enableMasterLoadBalancer: true }, operatorConfiguration()), 1);
    assert.equal(open({ ...anybody, useLoadBalancer: true }, operatorConfiguration()), 1);
    assert.equal(
      open({ ...anybody, useLoadBalancer: true, enableReplicaLoadBalancer: false }, operatorConfiguration()),
      0,
    );
    const internal = { custom_service_annotations: "networking.gke.io/load-balancer-type:Internal" };
    assert.equal(open(anybody, operatorMap(internal)), 0);
  });
  it("rolls no two clusters at once", () => {
    const second = having(postgresql(), { "metadata.name": "acid-second" });
    const lazy = having(operatorConfiguration(), { "configuration.enable_lazy_spilo_upgrade": true });
    assert.equal(counts("staged-operator-rollout", postgresql(), second, operatorConfiguration()), 1);
    assert.equal(counts("staged-operator-rollout", postgresql(), second, lazy), 0);
    assert.equal(counts("staged-operator-rollout", postgresql(), operatorConfiguration()), 0);
  });
});

describe("a StatefulSet of PostgreSQL", () => {
  const env = (name: string, value: string) =>
    having(statefulSet(), { "spec.template.spec.containers.0.env": [{ name, value }] });
  const bad: [policy: string, objects: KubernetesObject[]][] = [
    ["encrypted-logins", [env("POSTGRES_HOST_AUTH_METHOD", "trust")]],
    ["encrypted-logins", [env("POSTGRES_HOST_AUTH_METHOD", "md5")]],
    ["encrypted-logins", [env("ALLOW_EMPTY_PASSWORD", "yes")]],
    ["enough-instances", [having(statefulSet(), { "spec.replicas": 1 })]],
    ["instances-apart", [having(statefulSet(), { "spec.template.spec.affinity": {} })]],
    ["disruption-budget", [statefulSet()]],
    [
      "guaranteed-memory",
      [having(statefulSet(), { "spec.template.spec.containers.0.resources.limits.memory": "9Gi" })],
    ],
    ["wal-archiving", [having(statefulSet(), { "spec.template.spec.containers.0.args": [] })]],
    ["base-backups", [statefulSet()]],
    [
      "storage-class",
      [having(statefulSet(), { "spec.volumeClaimTemplates.0.spec.storageClassName": "local-path" })],
    ],
    [
      "shared-buffers",
      [having(statefulSet(), { "spec.template.spec.containers.0.args": ["-c", "shared_buffers=900MB"] })],
    ],
    [
      "kept-data",
      [having(statefulSet(), { "spec.persistentVolumeClaimRetentionPolicy": { whenDeleted: "Delete" } })],
    ],
  ];
  for (const [policy, objects] of bad)
    it(`is judged by ${policy}`, () =>
      assert.ok(violationsInStack(policy, [...objects, configuration()]).length > 0));

  it("that is right has nothing said about it", () => {
    const budget: KubernetesObject = {
      apiVersion: "policy/v1",
      kind: "PodDisruptionBudget",
      metadata: { name: "db", namespace: "shop" },
      spec: { maxUnavailable: 1, selector: { matchLabels: { app: "db" } } },
    };
    const nightly: KubernetesObject = {
      apiVersion: "batch/v1",
      kind: "CronJob",
      metadata: { name: "backup", namespace: "shop" },
      spec: {
        schedule: "0 2 * * *",
        jobTemplate: {
          spec: { template: { spec: { containers: [{ name: "b", command: ["wal-g", "backup-push"] }] } } },
        },
      },
    };
    for (const policy of new Set([...bad.map(([name]) => name), "daily-base-backups", "no-superuser-access"]))
      assert.deepEqual(
        judgedStack(policy, [statefulSet(), configuration(), budget, nightly]),
        { said: [], later: [] },
        policy,
      );
    const weekly = having(nightly, { "spec.schedule": "0 2 * * 0" });
    assert.equal(counts("daily-base-backups", statefulSet(), configuration(), weekly), 1);
  });
  it("archives by a command or a library that sends something", () => {
    const archives = (...parameters: string[]) =>
      counts(
        "wal-archiving",
        having(statefulSet(), {
          "spec.template.spec.containers.0.args": parameters.flatMap((one) => ["-c", one]),
        }),
        configuration(),
      ) === 0;
    assert.ok(!archives("archive_mode=on"));
    for (const command of ["", "true", ":", "/bin/true", "/usr/bin/true # later", "exit 0"])
      assert.ok(!archives("archive_mode=on", `archive_command=${command}`), command);
    for (const command of ["wal-g wal-push %p", "true && cp %p /archive/%f", "cp '%p' /archive/%f"])
      assert.ok(archives("archive_mode=on", `archive_command=${command}`), command);
    assert.ok(archives("archive_mode=always", "archive_library=basic_archive"));
    assert.ok(!archives("archive_mode=on", "archive_library="));
    assert.ok(!archives("archive_mode=off", "archive_library=basic_archive"));
    const text = (command: string) =>
      counts(
        "wal-archiving",
        having(statefulSet(), { "spec.template.spec.containers.0.args": [] }),
        configMap("db-conf", { "postgresql.conf": `archive_mode = on\narchive_command = '${command}'\n` }),
      );
    assert.deepEqual(["wal-g wal-push %p", "/bin/true", ""].map(text), [0, 1, 1]);
  });
  it("has its parameters in a shell's command, too", () => {
    const risky = (...args: string[]) =>
      counts(
        "durable-writes",
        having(statefulSet(), { "spec.template.spec.containers.0.args": args }),
        configuration(),
      );
    for (const args of [
      ["-F"],
      ["postgres", "-F"],
      ["-c", "fsync=off"],
      ["-cfsync=off"],
      ["--fsync=off"],
      ["sh", "-c", "exec postgres -F"],
      ["sh", "-c", "exec postgres -c fsync=off"],
      ["sh", "-c", "LANG=C exec postgres -c 'fsync=off' --full-page-writes=on"],
    ])
      assert.equal(risky(...args), 1, args.join(" "));
    for (const args of [
      ["-F", "-c", "fsync=on"],
      ["sh", "-c", "grep -F x /y; exec postgres"],
      ["-c", "log_line_prefix=-F"],
    ])
      assert.equal(risky(...args), 0, args.join(" "));
  });
  const job = (name: string, ...command: string[]): KubernetesObject => ({
    apiVersion: "batch/v1",
    kind: "CronJob",
    metadata: { name, namespace: "shop" },
    spec: {
      schedule: "0 2 * * *",
      jobTemplate: { spec: { template: { spec: { containers: [{ name: "b", image: "x", command }] } } } },
    },
  });
  it("has base backups by what makes them, not by what cleans up", () => {
    const made = (...command: string[]) =>
      counts("base-backups", statefulSet(), configuration(), job("backup", ...command)) === 0;
    for (const command of [
      ["wal-g", "backup-push"],
      ["wal-g", "--config", "/x", "backup-push", "/data"],
      ["pg_basebackup", "-h", "db", "-D", "/backup"],
      ["pgbackrest", "--stanza=db", "--type=full", "backup"],
      ["sh", "-c", "pgbackrest \\\n  --stanza=db \\\n  backup"],
      ["barman", "backup", "db"],
      ["barman-cloud-backup", "s3://x", "db"],
    ])
      assert.ok(made(...command), command.join(" "));
    for (const command of [
      ["wal-g", "delete", "retain", "FULL", "7", "--confirm"],
      ["wal-g", "backup-list"],
      ["pgbackrest", "--stanza=db", "--repo1-path=/backup", "expire"],
      ["sh", "-c", "pgbackrest info; echo backup"],
      ["barman", "list-backups", "db"],
      ["barman-cloud-backup-delete", "s3://x", "db"],
    ])
      assert.ok(!made(...command), command.join(" "));
    const silent = job("backup");
    assert.ok(
      counts(
        "base-backups",
        statefulSet(),
        configuration(),
        having(silent, {
          "spec.jobTemplate.spec.template.spec.containers.0.image": "ghcr.io/example/wal-g:3",
        }),
      ) === 0,
    );
    const weekly = having(job("cleanup", "wal-g", "delete", "retain", "7"), { "spec.schedule": "0 2 * * 0" });
    const both = [job("backup", "wal-g", "backup-push"), weekly];
    assert.equal(counts("daily-base-backups", statefulSet(), configuration(), ...both), 0);
    const sunday = having(job("backup", "wal-g", "backup-push"), { "spec.schedule": "0 2 * * 1-7" });
    assert.equal(counts("base-backup-schedule", statefulSet(), configuration(), sunday), 1);
  });
  it("has base backups of its own where there are several", () => {
    const second = having(statefulSet(), {
      "metadata.name": "db2",
      "spec.serviceName": "db2",
      "spec.template.metadata.labels": { app: "db2" },
    });
    const find = (...jobs: KubernetesObject[]) =>
      violationsInStack("base-backups", [
        statefulSet(),
        second,
        configuration(),
        service("db", {}),
        service("second", { selector: { app: "db2" } }),
        ...jobs,
      ]).map((text) => text.split(":")[0]);
    const first = job("first", "pg_basebackup", "-h", "db", "-D", "/x");
    assert.deepEqual(find(first), ["Cluster shop/db2"]);
    for (const one of [
      job("b", "pg_basebackup", "-h", "db2"),
      job("b", "pg_basebackup", "--host=second.shop.svc"),
      job("b", "pg_basebackup", "-d", "host=db2-0.db2.shop.svc.cluster.local user=x"),
      job("b", "pg_basebackup", "-d", "postgresql://x@second/x"),
      having(job("b", "pg_basebackup"), { "metadata.labels": { "pgplatform.io/cluster": "db2" } }),
      having(job("b", "wal-g", "backup-push"), {
        "spec.jobTemplate.spec.template.spec.containers.0.env": [{ name: "PGHOST", value: "db2" }],
      }),
    ]) {
      assert.deepEqual(find(first, one), []);
      assert.deepEqual(find(one), ["Cluster shop/db"]);
    }
    // Whose it is isn't said.
    const any = job("b", "pg_basebackup", "-h", "elsewhere.example.com");
    assert.deepEqual(find(any), ["Cluster shop/db", "Cluster shop/db2"]);
    assert.equal(counts("base-backups", statefulSet(), configuration(), any), 0);
  });
  const container = "spec.template.spec.containers.0";
  const volumes = "spec.template.spec.volumes";
  it("has variables of ConfigMaps, too", () => {
    const invited = (change: Record<string, unknown>, data: Record<string, string>) =>
      counts("encrypted-logins", having(statefulSet(), change), configuration(), configMap("db-env", data));
    const from = (more: object = {}) => ({
      [`${container}.envFrom`]: [{ configMapRef: { name: "db-env" }, ...more }],
    });
    const method = (value: string) => ({ POSTGRES_HOST_AUTH_METHOD: value });
    assert.equal(invited(from(), method("trust")), 1);
    assert.equal(invited(from(), method("scram-sha-256")), 0);
    assert.equal(invited(from({ prefix: "POSTGRES_" }), { HOST_AUTH_METHOD: "trust" }), 1);
    assert.equal(invited(from({ prefix: "MY_" }), method("trust")), 0);
    const key = (name: string) => ({
      [`${container}.env`]: [
        { name: "POSTGRES_HOST_AUTH_METHOD", valueFrom: { configMapKeyRef: { name, key: "method" } } },
      ],
    });
    assert.equal(invited(key("db-env"), { method: "trust" }), 1);
    assert.equal(invited(key("db-env"), { method: "scram-sha-256" }), 0);
    // In another stack.
    assert.equal(invited(key("elsewhere"), { method: "trust" }), 0);
    // Its own variable wins.
    const own = { name: "POSTGRES_HOST_AUTH_METHOD", value: "scram-sha-256" };
    assert.equal(invited({ ...from(), [`${container}.env`]: [own] }, method("trust")), 0);
  });
  it("has files of other names than their keys, and of several sources", () => {
    const rules = (list: object[], mounts: object[] = [], data: Record<string, string> = {}) =>
      counts(
        "encrypted-logins",
        having(statefulSet(), { [volumes]: list, [`${container}.volumeMounts`]: mounts }),
        configMap("hba", {
          hba: "host all all all trust\n",
          tls: "hostssl all all all scram-sha-256\n",
          ...data,
        }),
      );
    const map = (key: string, path = "pg_hba.conf") => ({ name: "hba", items: [{ key, path }] });
    assert.deepEqual(
      ["hba", "tls"].map((key) => rules([{ configMap: map(key) }])),
      [1, 0],
    );
    assert.equal(rules([{ configMap: map("hba", "conf/pg_hba.conf") }]), 1);
    assert.equal(rules([{ configMap: map("hba", "unused.txt") }]), 0);
    assert.deepEqual(
      ["hba", "tls"].map((key) =>
        rules([{ projected: { sources: [{ secret: {} }, { configMap: map(key) }] } }]),
      ),
      [1, 0],
    );
    const mounted = (subPath: string) =>
      rules(
        [{ name: "conf", configMap: { name: "hba" } }],
        [{ name: "conf", subPath, mountPath: "/etc/postgresql/pg_hba.conf" }],
      );
    assert.deepEqual(["hba", "tls"].map(mounted), [1, 0]);
    // What isn't among the items isn't there.
    assert.equal(
      rules([{ configMap: map("tls", "x.conf") }], [], { "pg_hba.conf": "host all all all trust\n" }),
      0,
    );
  });
  it("is kept apart by terms about its own pods alone", () => {
    const terms = (labelSelector: object | undefined, ...keys: string[]) =>
      counts(
        "instances-apart",
        having(statefulSet(), {
          "spec.template.spec.affinity.podAntiAffinity.requiredDuringSchedulingIgnoredDuringExecution":
            keys.map((topologyKey) => ({ topologyKey, labelSelector })),
        }),
        configuration(),
      );
    const both = ["kubernetes.io/hostname", "topology.kubernetes.io/zone"];
    assert.equal(terms({ matchLabels: { app: "db" } }, ...both), 0);
    assert.equal(terms({ matchLabels: { app: "db" } }, "topology.kubernetes.io/zone"), 0);
    assert.equal(terms({ matchLabels: { app: "web" } }, ...both), 2);
    assert.equal(terms(undefined, ...both), 2);
  });
  it("has a budget that is for its pods, and keeps one of them", () => {
    const budget = (spec: object): KubernetesObject => ({
      apiVersion: "policy/v1",
      kind: "PodDisruptionBudget",
      metadata: { name: "db", namespace: "shop" },
      spec,
    });
    const selector = { matchLabels: { app: "db" } };
    const find = (spec: object) => counts("disruption-budget", statefulSet(), configuration(), budget(spec));
    for (const spec of [{ maxUnavailable: 2 }, { maxUnavailable: "66%" }, { minAvailable: 1 }])
      assert.equal(find({ selector, ...spec }), 0, JSON.stringify(spec));
    for (const spec of [{ selector }, { maxUnavailable: 1 }, { selector, maxUnavailable: "67%" }])
      assert.equal(find(spec), 1, JSON.stringify(spec));
  });
  it("is told by its image, and any other isn't judged", () => {
    for (const image of [
      "docker.io/bitnami/postgresql:17",
      "postgis/postgis:17",
      "timescale/timescaledb-ha:pg17",
      "quay.io/sclorg/postgresql-16-c9s:1",
      "registry.redhat.io/rhel9/postgresql-16:1",
      "citusdata/citus:13.0",
      "registry.developers.crunchydata.com/crunchydata/crunchy-postgres:ubi9-17.6",
      "percona/percona-distribution-postgresql:17",
    ])
      assert.equal(
        count(
          "enough-instances",
          having(statefulSet(), { "spec.replicas": 1, "spec.template.spec.containers.0.image": image }),
        ),
        1,
        image,
      );
    for (const image of [
      "redis:8",
      "prometheuscommunity/postgres-exporter:1",
      "ghcr.io/x/postgresql-backup:1",
    ])
      assert.equal(
        count(
          "enough-instances",
          having(statefulSet(), { "spec.replicas": 1, "spec.template.spec.containers.0.image": image }),
        ),
        0,
        image,
      );
  });
});

describe("passwords", () => {
  const secret = (name: string, kind = "Secret"): KubernetesObject => ({
    apiVersion: kind === "Secret" ? "v1" : "external-secrets.io/v1",
    kind,
    metadata: { name, namespace: "shop" },
  });
  it("have one Secret for each role", () => {
    const cluster = (owner: string, managed: string) =>
      mutated("cluster", {
        "spec.bootstrap": { initdb: { owner: "app", secret: { name: owner } } },
        "spec.managed": { roles: [{ name: "app", passwordSecret: { name: managed } }] },
      });
    assert.equal(counts("one-password-owner", cluster("a", "b")), 1);
    assert.equal(counts("one-password-owner", cluster("a", "a")), 0);
  });
  it("have one object that writes that Secret", () => {
    assert.equal(counts("one-password-owner", secret("a"), secret("a", "ExternalSecret")), 1);
    assert.equal(counts("one-password-owner", secret("a"), secret("b", "ExternalSecret")), 0);
  });
});

describe("an operator that has several clusters", () => {
  const second = () => mutated("cluster", { "metadata.name": "second" });
  const operator = (env: object[]): KubernetesObject => ({
    apiVersion: "apps/v1",
    kind: "Deployment",
    metadata: { name: "cnpg-controller-manager", namespace: "cnpg-system" },
    spec: {
      template: {
        spec: {
          containers: [{ name: "manager", image: "ghcr.io/cloudnative-pg/cloudnative-pg:1.30.1", env }],
        },
      },
    },
  });
  const config = (data: Record<string, string>): KubernetesObject => ({
    apiVersion: "v1",
    kind: "ConfigMap",
    metadata: { name: "cnpg-controller-manager-config", namespace: "cnpg-system" },
    data,
  });
  it("restarts them one after the other, by variable or ConfigMap", () => {
    const both = [good("cluster"), second()];
    assert.equal(counts("staged-operator-rollout", ...both, operator([])), 1);
    const delay = { name: "CLUSTERS_ROLLOUT_DELAY", value: "600" };
    assert.equal(counts("staged-operator-rollout", ...both, operator([delay])), 0);
    const inPlace = config({ ENABLE_INSTANCE_MANAGER_INPLACE_UPDATES: "true" });
    assert.equal(counts("staged-operator-rollout", ...both, operator([]), inPlace), 0);
    const oddly = (word: string) => config({ ENABLE_INSTANCE_MANAGER_INPLACE_UPDATES: word });
    assert.equal(counts("staged-operator-rollout", ...both, operator([]), oddly("1")), 0);
    assert.equal(counts("staged-operator-rollout", ...both, operator([]), oddly("yes")), 1);
    // The ConfigMap's counts.
    const none = config({ CLUSTERS_ROLLOUT_DELAY: "0" });
    assert.equal(counts("staged-operator-rollout", ...both, operator([delay]), none), 1);
    assert.equal(counts("staged-operator-rollout", good("cluster"), operator([])), 0);
  });
});

describe("fields that an operator's API doesn't know", () => {
  const find = (changes: Record<string, unknown>, options: object = {}) =>
    violationsOf("known-fields", mutated("cluster", changes), options);
  it("are named, with what may be meant", () => {
    assert.deepEqual(find({ "spec.enableSuperuserAcess": true }), [
      "Cluster shop/orders: spec.enableSuperuserAcess: no such field. Allowed: enableSuperuserAccess. Fix: did you mean enableSuperuserAccess? Correct it, or remove it.",
    ]);
    assert.equal(find({ "spec.postgresql.pgHba": [] }).length, 1);
    assert.equal(find({ "spec.plugins.0.nme": "x" }).length, 1);
  });
  it("are wrong in their form, too", () => {
    assert.deepEqual(find({ "spec.instances": "three" }), [
      'Cluster shop/orders: spec.instances: "three" is not allowed. Allowed: a whole number. Fix: write it so.',
    ]);
    assert.equal(find({ "spec.postgresql": "on" }).length, 1);
    assert.equal(find({ "spec.plugins": {} }).length, 1);
  });
  it("of a newer release are allowed by option", () =>
    assert.deepEqual(find({ "spec.newField": 1 }, { known: ["Cluster spec.newField"] }), []));
  it("are none where the API takes any, nor of kinds that aren't an operator's", () => {
    assert.deepEqual(find({ "spec.postgresql.parameters": { anything: "1" }, "metadata.whatever": 1 }), []);
    assert.deepEqual(violationsOf("known-fields", good("application")), []);
  });
});

describe("a replica of another cluster", () => {
  it("may have one instance, and no archive of its own", () => {
    const replica = mutated("cluster", {
      "spec.instances": 1,
      "spec.replica": { enabled: true, source: "orders" },
      "spec.plugins": [],
    });
    assert.equal(count("enough-instances", replica), 0);
    assert.equal(count("wal-archiving", replica), 0);
    const former = having(replica, { "spec.replica.enabled": false });
    assert.equal(count("enough-instances", former), 1);
  });
});
