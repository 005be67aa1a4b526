import assert from "node:assert/strict";
import * as z from "zod";
import { pins } from "../../releases/pins";
import { rawSettings } from "../../stacks/program";
import { bytesOf, milliCoresOf, postgresMemory } from "../../settings/quantity";
import { schema } from "../../settings/schema";
import { changed, checked, smallest, stackConfig } from "../support/settings";

/** Every setting that holds a value, with what it says about itself. */
function leaves(node: unknown, path: string): { path: string; description: string | undefined }[] {
  const described = node instanceof z.ZodType ? node.description : undefined;
  // Another kind's setting, which only says so.
  if (node instanceof z.ZodType && node.meta()?.foreign === true) return [];
  if (described !== undefined && !(node instanceof z.ZodArray)) return [{ path, description: described }];
  if (node instanceof z.ZodOptional || node instanceof z.ZodDefault || node instanceof z.ZodPrefault)
    return leaves(node.unwrap(), path);
  if (node instanceof z.ZodArray)
    return [
      ...(described === undefined ? [] : [{ path, description: described }]),
      ...leaves(node.element, `${path}[]`),
    ];
  if (node instanceof z.ZodDiscriminatedUnion)
    return (node.options as unknown[]).flatMap((option) => leaves(option, path));
  if (node instanceof z.ZodObject)
    return Object.entries(node.shape as Record<string, unknown>).flatMap(([key, inner]) =>
      leaves(inner, path === "" ? key : `${path}.${key}`),
    );
  return [{ path, description: described }];
}

describe("schema", () => {
  it("documents each setting: meaning, what is allowed, what a change does", () => {
    const all = leaves(schema, "");
    assert.ok(all.length > 45, `found ${all.length}`);
    for (const { path, description } of all)
      assert.match(description ?? "", /^.{15,} Allowed: .+\. .{15,}\.$/s, `the setting ${path}`);
  });

  it("finds a setting without words", () => {
    assert.deepEqual(leaves(z.strictObject({ a: z.string().optional() }), ""), [
      { path: "a", description: undefined },
    ]);
  });

  it("fills the defaults of the platform local in", () => {
    const anywhere = { nodeSelector: {}, tolerations: [], topologySpread: [] };
    assert.deepEqual(checked(smallest()), {
      platform: "local",
      tier: "dev",
      kubernetes: {},
      operator: { install: true, scheduling: anywhere },
      scheduling: anywhere,
      rotation: { credentialVersion: 1, overlapMinutes: 10, stage: "only" },
      secrets: { source: "generated" },
      cluster: {
        name: "main",
        namespace: "postgres",
        makeNamespace: true,
        engine: "cnpg",
        postgresVersion: "17",
        instances: 3,
        spread: "required",
        durability: "zero-loss",
        synchronousStandbys: 1,
        failover: "standard",
        scheduling: anywhere,
        storage: { class: "local-path", size: "2Gi" },
        resources: { requests: { cpu: "200m", memory: "512Mi" }, limits: { cpu: "2", memory: "512Mi" } },
        maxConnections: 100,
        parameters: {},
        databases: [{ name: "app", owner: "app", schemas: [], extensions: [] }],
        preloadLibraries: [],
        roles: [],
        slots: [],
        access: [],
      },
      audit: { profile: "none", roles: [], objects: [] },
      poolers: [],
      clients: [],
      network: { apiServer: [{ cidr: "198.18.250.1/32", port: 6443 }], dns: [], cilium: false },
      monitoring: {
        prometheus: "none",
        labels: {},
        rules: true,
        runbooks: "docs/runbooks",
        queries: [],
        statements: { top: 20 },
        thresholds: {},
        dashboards: true,
        logs: { slowQuery: "1s", connections: false },
      },
      labels: {},
      registries: [],
      tls: { issuer: "engine" },
      transform: {},
      protection: { enabled: false, verifiedWithinHours: 24 },
      allow: [],
      waivers: [],
      images: {
        operator: pins.images.cnpgOperator,
        postgresql: pins.images.postgresql,
        pgbouncer: pins.images.pgbouncer,
        postgresExporter: pins.images.postgresExporter,
        pgbouncerExporter: pins.images.pgbouncerExporter,
        objectStore: pins.images.versitygw,
        backupPlugin: pins.images.barmanPlugin,
        backupSidecar: pins.images.barmanSidecar,
        backupTools: pins.images.backupTools,
        backupRestore: pins.images.barmanSidecar,
        prometheusOperator: pins.images.prometheusOperator,
        prometheusConfigReloader: pins.images.prometheusConfigReloader,
        prometheus: pins.images.prometheus,
        alertmanager: pins.images.alertmanager,
        kubeStateMetrics: pins.images.kubeStateMetrics,
      },
    });
  });

  it("fills a pooler's defaults in", () => {
    const [pooler] = checked({ ...smallest(), poolers: [{ name: "app", database: "app" }] }).poolers;
    assert.deepEqual(pooler, {
      name: "app",
      database: "app",
      reads: "primary",
      mode: "transaction",
      instances: 2,
      serverConnections: 40,
      poolSize: 30,
      maxClients: 1000,
      tuning: {
        serverLoginRetrySeconds: 1,
        serverConnectTimeoutSeconds: 2,
        queryWaitTimeoutSeconds: 120,
        serverLifetimeSeconds: 300,
        serverIdleTimeoutSeconds: 300,
        serverCheckDelaySeconds: 5,
        tcpUserTimeoutMilliseconds: 20000,
        tcpKeepaliveIdleSeconds: 2,
        dnsMaxTtlSeconds: 5,
        maxPreparedStatements: 200,
        ignoreStartupParameters: [],
        trackStartupParameters: ["IntervalStyle"],
        resetSessions: "session-end",
        drainSeconds: 30,
      },
    });
  });

  it("knows the other platforms' defaults", () => {
    const k3d = checked({ ...smallest(), platform: "k3d" });
    assert.equal(k3d.tier, "dev");
    assert.equal(k3d.cluster.storage.class, "local-path");
    assert.deepEqual(
      k3d.network.apiServer.map(({ cidr, port }) => `${cidr}:${port}`),
      ["0.0.0.0/0:443", "0.0.0.0/0:6443"],
    );
    const cloud = checked({ ...changed(smallest(), "cluster.storage.class", "fast"), platform: "cloud" });
    assert.equal(cloud.tier, "prod");
    assert.equal(cloud.images.operator, `ghcr.io/cloudnative-pg/cloudnative-pg:${pins.operators.cnpg}`);
    for (const image of Object.values(cloud.images)) assert.doesNotMatch(image, /latest|pgplatform\.local/);
  });

  it("lets a setting override one image and keeps the others", () => {
    const { images } = checked({
      ...smallest(),
      images: { pgbouncer: "registry.example:5000/pgb:2@sha256:" + "0".repeat(64) },
    });
    assert.match(images.pgbouncer, /^registry\.example/);
    assert.equal(images.operator, pins.images.cnpgOperator);
  });

  it("takes the memory limit for the request when that alone is given", () => {
    const { resources } = checked(
      changed(smallest(), "cluster.resources", { limits: { memory: "3Gi" } }),
    ).cluster;
    assert.deepEqual(resources, {
      requests: { cpu: "200m", memory: "3Gi" },
      limits: { cpu: "2", memory: "3Gi" },
    });
  });

  it("reads Pulumi's flat configuration, and refuses broken JSON in one sentence", () => {
    assert.deepEqual(
      rawSettings({ "pgplatform:platform": "local", "pgplatform:poolers": "[]", "other:key": "x" }),
      { platform: "local", poolers: [] },
    );
    assert.throws(() => rawSettings({ "pgplatform:cluster": "{ name: main }" }), {
      name: "UserError",
      message: /^pgplatform:cluster begins like an object or a list and isn't one/,
    });
  });

  it("passes the stack file of the built-in cluster", () => {
    assert.equal(checked(rawSettings(stackConfig("local"))).cluster.name, "main");
  });
});

describe("quantities", () => {
  it("are read as Kubernetes and PostgreSQL read them", () => {
    assert.deepEqual(["1Ki", "512Mi", "1.5Gi", "2G", "7", "x", "1 Gi", "-1Gi"].map(bytesOf), [
      1024,
      536870912,
      1610612736,
      2e9,
      7,
      undefined,
      undefined,
      undefined,
    ]);
    assert.deepEqual(["200m", "2", "0.5", "2cores"].map(milliCoresOf), [200, 2000, 500, undefined]);
    assert.deepEqual([134217728, 2.5 * 2 ** 20, 1].map(postgresMemory), ["128MB", "2560kB", "1kB"]);
  });
});
