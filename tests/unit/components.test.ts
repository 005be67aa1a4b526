import { planners } from "../../plan/engines/select";
import assert from "node:assert/strict";
import * as pulumi from "@pulumi/pulumi";
import { fillIn } from "../../components/credentials";
import { merge, type KubernetesObject } from "../../plan/objects";
import { graphOf, mockCa, mockPassword, type Graph } from "../support/graph";
import { isCrd, releasedObjects, shortObjects } from "../support/manifest";
import { platformGraph } from "../support/platform";
import { changed, checked, everything, smallest, stackConfig } from "../support/settings";
import { Operator } from "../../components/operator";
import { PostgresPlatform } from "../../components/platform";
import { outputsOf } from "../../stacks/outputs";
import { rawSettings } from "../../stacks/program";

/** What these tests do not prove: that a Kubernetes API accepts any of it. End-to-end tests do. */
describe("components", () => {
  let manifest: KubernetesObject[];
  let local: Graph;
  let full: Graph;

  before(async function () {
    this.timeout(120_000);
    manifest = await shortObjects();
    // Fetched where it isn't there yet: the component reads it by itself.
    await releasedObjects("monitoring");
    local = await platformGraph(checked(rawSettings(stackConfig("local"))), manifest);
    full = await platformGraph(checked(everything()), manifest);
  });

  const one = (graph: Graph, name: string) => {
    const found = graph.resources.filter((resource) => resource.name === name);
    assert.equal(found.length, 1, `${found.length} resources are called ${name}`);
    return found[0]!;
  };
  const kinds = (graph: Graph) => {
    const counts: Record<string, number> = {};
    for (const { type } of graph.resources) counts[type] = (counts[type] ?? 0) + 1;
    return counts;
  };

  it("registers exactly these kinds for the stack local", () => {
    assert.deepEqual(kinds(local), {
      "pgplatform:components:PostgresPlatform": 1,
      "pgplatform:components:Operator": 1,
      "pgplatform:components:Network": 1,
      "pgplatform:components:Credentials": 1,
      "pgplatform:components:Cluster": 1,
      "pgplatform:components:Pooler": 1,
      "kubernetes:core/v1:Namespace": 2,
      "kubernetes:apiextensions.k8s.io/v1:CustomResourceDefinition": 11,
      "kubernetes:core/v1:ServiceAccount": 1,
      "kubernetes:rbac.authorization.k8s.io/v1:ClusterRole": 7,
      "kubernetes:rbac.authorization.k8s.io/v1:ClusterRoleBinding": 1,
      "kubernetes:core/v1:ConfigMap": 4,
      "kubernetes:core/v1:Service": 3,
      "kubernetes:apps/v1:Deployment": 2,
      "kubernetes:admissionregistration.k8s.io/v1:MutatingWebhookConfiguration": 1,
      "kubernetes:admissionregistration.k8s.io/v1:ValidatingWebhookConfiguration": 1,
      "kubernetes:networking.k8s.io/v1:NetworkPolicy": 5,
      "kubernetes:policy/v1:PodDisruptionBudget": 1,
      "random:index/randomPassword:RandomPassword": 5,
      // Five of our own, and the CA's, which is read.
      "kubernetes:core/v1:Secret": 6,
      "kubernetes:postgresql.cnpg.io/v1:Cluster": 1,
      "kubernetes:postgresql.cnpg.io/v1:Database": 1,
    });
  });

  const misnamed = (graph: Graph) =>
    graph.resources.filter(
      ({ name, parent }) => parent !== undefined && parent !== "" && !name.startsWith(`${parent}-`),
    );

  it("calls every child by its parent's name and a suffix", () => {
    for (const graph of [local, full]) {
      assert.deepEqual(misnamed(graph), []);
      const roots = graph.resources.filter(({ parent }) => parent === undefined || parent === "");
      assert.equal(roots.length, 1, "only the platform itself has no parent");
    }
  });

  it("finds a child with a foreign name", async () => {
    class Odd extends pulumi.ComponentResource {
      constructor(name: string, options: pulumi.ComponentResourceOptions) {
        super("pgplatform:test:Odd", name, {}, options);
        new pulumi.ComponentResource("pgplatform:test:Child", "foreign", {}, { parent: this });
        this.registerOutputs({});
      }
    }
    const graph = await graphOf((options) => {
      new Odd("odd", options);
      return {};
    });
    assert.deepEqual(
      misnamed(graph).map(({ name, parent }) => [name, parent]),
      [["foreign", "odd"]],
    );
  });

  it("orders: network, credentials and operator before the cluster, the cluster before its poolers", () => {
    assert.deepEqual(one(local, "main-cluster").dependsOn, [
      "main-credentials",
      "main-network",
      "main-operator",
    ]);
    assert.deepEqual(one(local, "main-pooler-app").dependsOn, ["main-cluster"]);
    assert.deepEqual(one(local, "main-network").dependsOn, ["main-namespace"]);
    assert.ok(
      !one(local, "main-operator-service-webhook-service").dependsOn.includes(
        "main-operator-deployment-controller-manager",
      ),
      "the Service waits for its pods, so that it must not come before them",
    );
    assert.ok(
      one(local, "main-operator-deployment-controller-manager").dependsOn.includes(
        "main-operator-role-manager",
      ),
    );
  });

  it("waits for the cluster to be ready, for longer than the provider would", () => {
    const cluster = one(local, "main-cluster-cluster");
    const { annotations } = cluster.inputs.metadata as { annotations: Record<string, string> };
    assert.equal(annotations["pulumi.com/waitFor"], "condition=Ready");
    assert.deepEqual(cluster.timeouts, { create: "20m", update: "20m" });
  });

  it("keeps CRDs when the stack goes, and nothing else", () => {
    const kept = local.resources.filter(({ retainOnDelete }) => retainOnDelete);
    assert.equal(kept.length, 11);
    assert.ok(kept.every(({ type }) => type.endsWith(":CustomResourceDefinition")));
  });

  it("deletes databases' objects, and the schedule of base backups, together with their cluster, which otherwise couldn't be deleted when it is broken", () => {
    const going = full.resources.filter(({ deletedWith }) => deletedWith !== undefined);
    assert.deepEqual(
      going.map(({ name, deletedWith }) => [name, deletedWith]),
      ["database-jewelry-shop", "database-reports", "base-backups"].map((name) => [
        `jewelry-shop-db-cluster-${name}`,
        "jewelry-shop-db-cluster-cluster",
      ]),
    );
  });

  it("protects the data in prod, and nothing in dev", () => {
    const protectedOnes = (graph: Graph) =>
      graph.resources.filter(({ protect }) => protect === true).map(({ name }) => name);
    assert.deepEqual(protectedOnes(local), []);
    const isCrd = (name: string) => name.includes("-crd-");
    assert.deepEqual(
      protectedOnes(full).filter((name) => !isCrd(name)),
      [
        "jewelry-shop-db-operator-namespace-system",
        "jewelry-shop-db-namespace",
        "jewelry-shop-db-monitoring-namespace",
        "jewelry-shop-db-backup-archive-id",
        "jewelry-shop-db-cluster-cluster",
      ],
    );
    assert.equal(protectedOnes(full).filter(isCrd).length, 19);
  });

  for (const engine of [planners.cnpg, planners.zalando])
    it(`registers the CRDs of the operator of ${engine.name} whole, as they were released`, async function () {
      this.timeout(120_000);
      const released = await releasedObjects(engine.name);
      const backup = { targets: [{ name: "near", kind: "local" }] };
      const plan = engine.operator!(checked({ ...smallest(), backup }), released);
      const { resources } = await graphOf((options) => {
        new Operator("main", { plan }, options);
        return {};
      });
      const specs = (objects: readonly object[]) =>
        (objects as KubernetesObject[])
          .filter(isCrd)
          .map(({ metadata, spec }) => ({ name: metadata.name, spec }))
          .sort((a, b) => (a.name < b.name ? -1 : 1));
      assert.ok(specs(released).length > 0);
      assert.deepEqual(specs(resources.map(({ inputs }) => inputs)), specs(released));
    });

  it("installs no operator when another stack does", async () => {
    const settings = checked(changed(smallest(), "operator", { install: false }));
    const graph = await platformGraph(settings, [], {
      released: () => assert.fail("the manifest is read although nothing is installed"),
    });
    assert.deepEqual(
      graph.resources.filter(({ type }) => /Operator|CustomResourceDefinition|ClusterRole/.test(type)),
      [],
    );
  });

  it("makes the namespace restricted in all three modes", () => {
    assert.deepEqual(one(local, "main-namespace").inputs.metadata, {
      name: "postgres",
      labels: {
        "pgplatform.io/cluster": "main",
        "pod-security.kubernetes.io/enforce": "restricted",
        "pod-security.kubernetes.io/audit": "restricted",
        "pod-security.kubernetes.io/warn": "restricted",
      },
    });
  });

  it("gives each role a password of its own, 32 letters and digits", () => {
    const passwords = local.resources.filter(({ type }) => type.startsWith("random:"));
    assert.deepEqual(passwords.map(({ name }) => name).sort(), [
      "main-credentials-admin-password",
      "main-credentials-app-password",
      "main-credentials-health-password",
      "main-credentials-pooler-auth-password",
      "main-credentials-pooler-stats-password",
    ]);
    for (const { inputs } of passwords) {
      assert.equal(inputs.length, 32);
      assert.equal(inputs.special, false);
    }
  });

  const dataOf = (graph: Graph, name: string): Record<string, string> => {
    const { data } = one(graph, name).inputs as { data: { secret: Record<string, string> } };
    return Object.fromEntries(
      Object.entries(data.secret).map(([key, text]) => [key, Buffer.from(text, "base64").toString()]),
    );
  };

  it("writes the pooler's user list and the exporter's connection into Secrets", () => {
    const auth = mockPassword("main-credentials-pooler-auth-password");
    const stats = mockPassword("main-credentials-pooler-stats-password");
    assert.deepEqual(dataOf(local, "main-credentials-pooler-auth-secret"), {
      username: "pgp_pooler",
      password: auth,
      "userlist.txt": `"pgp_pooler" "${auth}"\n"pgp_stats" "${stats}"\n`,
    });
    assert.equal(
      dataOf(local, "main-credentials-pooler-stats-secret").connection,
      `host=/run/pgbouncer port=6432 user=pgp_stats password=${stats} dbname=pgbouncer sslmode=disable`,
    );
    assert.deepEqual(dataOf(local, "main-credentials-app-secret"), {
      username: "app",
      password: mockPassword("main-credentials-app-password"),
    });
  });

  it("refuses a template that names no credential", () => {
    assert.equal(fillIn("a {password:x} b", { x: "1" }), "a 1 b");
    assert.throws(() => fillIn("{password:y}", { x: "1" }), /no credential "y"/);
  });

  /** Passwords anywhere but in the data of Secrets. */
  const leaks = (graph: Graph): string[] =>
    graph.resources.flatMap(({ name, type, inputs }) => {
      const shown = type === "kubernetes:core/v1:Secret" ? { ...inputs, data: undefined } : inputs;
      return JSON.stringify(shown).includes(mockPassword("")) ? [name] : [];
    });

  it("has no password outside the data of Secrets", () => {
    assert.deepEqual(leaks(local), []);
    assert.deepEqual(leaks(full), []);
  });

  it("finds a password that was put into a ConfigMap", () => {
    const planted = structuredClone(local) as Graph & { resources: { inputs: unknown }[] };
    const config = planted.resources.find(({ name }) => name === "main-pooler-app-config")!;
    config.inputs = {
      data: { "pgbouncer.ini": `password=${mockPassword("main-credentials-app-password")}` },
    };
    assert.deepEqual(leaks(planted), ["main-pooler-app-config"]);
  });

  it("marks all generated data as secret", () => {
    const secrets = local.resources.filter(
      ({ name, type }) => type === "kubernetes:core/v1:Secret" && name !== "main-cluster-ca",
    );
    assert.equal(secrets.length, 5);
    for (const { name, inputs } of secrets)
      assert.deepEqual(Object.keys(inputs.data as object), ["secret"], name);
  });

  it("outputs where to connect, and secrets in the URIs alone", () => {
    assert.equal(local.reads["main-cluster-ca"], "postgres/main-ca");
    const password = mockPassword("main-credentials-app-password");
    const tls = "sslmode=verify-full&sslrootcert=ca.crt";
    const { reliability, ...where } = local.outputs;
    assert.equal((reliability as { cluster: string }).cluster, "postgres/main");
    assert.deepEqual(where, {
      namespace: "postgres",
      cluster: "main",
      engine: "cnpg",
      instances: 3,
      database: "app",
      primary: { host: "main-rw.postgres.svc", port: 5432 },
      standbys: { host: "main-ro.postgres.svc", port: 5432 },
      poolers: { app: { host: "main-pooler-app.postgres.svc", port: 5432 } },
      roles: { app: "app", admin: "pgp_admin", "pooler-auth": "pgp_pooler", health: "pgp_health" },
      secrets: Object.fromEntries(
        ["app", "admin", "pooler-auth", "health"].map((id) => [
          id,
          { name: `main-${id}`, usernameKey: "username", passwordKey: "password" },
        ]),
      ),
      ca: { secretName: "main-ca", key: "ca.crt" },
      caCertificate: mockCa,
      psql: 'psql "host=main-pooler-app.postgres.svc port=5432 dbname=app user=app sslmode=verify-full sslrootcert=ca.crt"',
      uris: {
        pooler: `postgresql://app:${password}@main-pooler-app.postgres.svc:5432/app?${tls}`,
        direct: `postgresql://app:${password}@main-rw.postgres.svc:5432/app?${tls}&target_session_attrs=read-write`,
        readOnly: `postgresql://app:${password}@main-ro.postgres.svc:5432/app?${tls}`,
      },
    });
  });

  it("marks the URIs as secret, and not the CA's certificate", async () => {
    const secrecy: Promise<boolean>[] = [];
    await graphOf((options) => {
      const settings = checked(smallest());
      const platform = new PostgresPlatform("main", { checked: settings, released: () => manifest }, options);
      const { uris } = outputsOf(settings, platform) as { uris: Record<string, pulumi.Output<string>> };
      secrecy.push(...Object.values(uris).map((uri) => pulumi.isSecret(uri)));
      secrecy.push(pulumi.isSecret(platform.caCertificate));
      return {};
    });
    assert.deepEqual(await Promise.all(secrecy), [true, true, false]);
  });

  it("merges transformations into planned objects and replaces none", async () => {
    const settings = checked(rawSettings(stackConfig("local")));
    const transform = { cluster: { cluster: { spec: { logLevel: "debug", storage: { size: "3Gi" } } } } };
    const graph = await platformGraph({ ...settings, transform }, manifest);
    const before = one(local, "main-cluster-cluster").inputs.spec as Record<string, unknown>;
    const after = one(graph, "main-cluster-cluster").inputs.spec as Record<string, unknown>;
    assert.deepEqual(after, {
      ...before,
      logLevel: "debug",
      storage: { ...(before.storage as object), size: "3Gi" },
    });
    assert.deepEqual(merge({ a: { b: 1, c: [1, 2] } }, { a: { c: [3] } }), { a: { b: 1, c: [3] } });
  });

  it("installs monitoring beside the cluster: secrets as secrets, the network closed before anything runs", () => {
    const name = "jewelry-shop-db-monitoring";
    const { inputs } = one(full, `${name}-receivers`);
    const { secret } = inputs.data as { secret: Record<string, string> };
    assert.deepEqual(Object.keys(secret).sort(), ["bridge", "chat", "mail", "pager"]);
    assert.equal(secret.pager, Buffer.from("a routing key").toString("base64"));
    const tls = one(full, `${name}-tls-secret`).inputs.data as { secret: Record<string, string> };
    assert.deepEqual(Object.keys(tls.secret).sort(), ["ca.crt", "tls.crt", "tls.key"]);
    const grafana = one(full, `${name}-grafana-secret`).inputs.data as { secret: Record<string, string> };
    assert.deepEqual(Object.keys(grafana.secret).sort(), ["password", "secret-key"]);
    for (const key of ["password", "secret-key"])
      assert.deepEqual(one(full, `${name}-grafana-${key}`).inputs, { length: 32, special: false });
    assert.ok(one(full, `${name}-grafana`).dependsOn.includes(`${name}-grafana-provisioning`));
    assert.ok(one(full, `${name}-grafana-provisioning`).dependsOn.length > 0);
    assert.ok(one(full, `${name}-operator`).dependsOn.includes(`${name}-crd-prometheuses`));
    assert.ok(one(full, `${name}-prometheus`).dependsOn.includes(`${name}-operator`));
    assert.ok(one(full, `${name}-crd-prometheuses`).dependsOn.includes(`${name}-network`));
    // The cluster doesn't wait for it; objects of its kinds do.
    assert.deepEqual(
      full.resources
        .filter(({ dependsOn }) => dependsOn.some((other) => other === name))
        .map((resource) => resource.name),
      ["jewelry-shop-db-metrics"],
    );
    assert.deepEqual(one(full, name).dependsOn, ["jewelry-shop-db-namespace", "jewelry-shop-db-operator"]);
    assert.ok(!local.resources.some((resource) => resource.name.startsWith("main-monitoring")));
  });
});
