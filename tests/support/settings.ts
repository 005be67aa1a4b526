import { readFileSync } from "node:fs";
import { join } from "node:path";
import { parse } from "yaml";
import { check, sentence } from "../../checks/index";
import type { Settings, SettingsInput } from "../../settings/schema";

/** The smallest settings that pass; each call makes new ones. */
export const smallest = (): SettingsInput => ({
  platform: "local",
  cluster: {
    name: "main",
    namespace: "postgres",
    storage: { size: "2Gi" },
    databases: [{ name: "app", owner: "app" }],
  },
});

/** A stack of an engine in a cloud, without the operator, whose released objects are many, and aren't of interest. */
export const inCloud = (engine: NonNullable<SettingsInput["cluster"]["engine"]>): SettingsInput => ({
  ...smallest(),
  platform: "cloud",
  tier: "dev",
  operator: { install: false },
  cluster: {
    ...smallest().cluster,
    engine,
    storage: { class: "gp3", size: "20Gi" },
    ...(engine === "standalone" && { instances: 1, durability: "async" }),
  },
});

/** Settings with everything in use. */
export const everything = (): SettingsInput => ({
  platform: "cloud",
  tier: "prod",
  waivers: [
    {
      policy: "image-digests",
      resource: "Cluster jewelry/jewelry-shop-db",
      reason: "the mirror has no digests yet",
      until: "2026-12-31",
      who: "Ada",
    },
  ],
  kubernetes: { kubeconfig: "/home/someone/.kube/config", context: "west" },
  operator: { install: true, memory: "1Gi", cpu: "2", scheduling: { nodeSelector: { pool: "operators" } } },
  scheduling: {
    nodeSelector: { pool: "db" },
    tolerations: [{ key: "dedicated", value: "postgres", effect: "NoSchedule" }],
    priorityClassName: "database",
    topologySpread: [{ topologyKey: "example.com/rack", maxSkew: 1, whenUnsatisfiable: "ScheduleAnyway" }],
  },
  cluster: {
    name: "jewelry-shop-db",
    namespace: "jewelry-shop",
    engine: "cnpg",
    postgresVersion: "16",
    instances: 5,
    durability: "zero-loss",
    synchronousStandbys: 2,
    failover: "fast",
    storage: { class: "longhorn", size: "100Gi", walSize: "20Gi" },
    scheduling: {
      tolerations: [{ key: "dedicated", operator: "Exists", effect: "NoExecute", tolerationSeconds: 60 }],
    },
    resources: {
      requests: { cpu: "500m", memory: "3Gi" },
      limits: { cpu: "2", memory: "3Gi" },
      hugePages: { size: "2Mi", amount: "1Gi" },
    },
    maxConnections: 300,
    parameters: { work_mem: "2621kB", random_page_cost: 1.1, jit: false },
    databases: [
      { name: "jewelry_shop", owner: "jewelry_app" },
      {
        name: "reports",
        owner: "analyst",
        encoding: "UTF8",
        locale: "C.UTF-8",
        localeProvider: "icu",
        icuLocale: "de-AT",
        template: "template0",
      },
    ],
    roles: [{ name: "debezium", replication: true, memberOf: ["pg_read_all_data"] }],
    preloadLibraries: ["pg_prewarm"],
  },
  poolers: [
    {
      name: "app",
      database: "jewelry_shop",
      serverConnections: 100,
      poolSize: 25,
      maxClients: 1000,
      memory: "256Mi",
      tuning: {
        ignoreStartupParameters: ["search_path"],
        trackStartupParameters: ["IntervalStyle", "default_transaction_read_only"],
        resetSessions: "always",
      },
    },
    { name: "batch", database: "reports", mode: "session", instances: 3, serverConnections: 30 },
  ],
  clients: [
    { name: "django", namespace: "jewelry-shop", labels: { component: "django" }, pooler: "app" },
    { name: "celery", namespace: "workers", labels: { component: "celery" }, pooler: "batch", direct: true },
  ],
  network: {
    apiServer: [{ cidr: "203.0.113.7/32", port: 6443 }],
    dns: [{ cidr: "169.254.20.10/32", port: 53 }],
    cilium: false,
  },
  monitoring: {
    prometheus: "install",
    namespace: "monitoring",
    labels: { release: "prometheus" },
    runbooks: "https://wiki.example.com/runbooks",
    thresholds: {
      eventWindow: "30m",
      volumeFull: "48h",
      connectionsHigh: "70%",
      deadlocks: 20,
      slotWal: "8Gi",
    },
    memory: "96Mi",
    cpu: "200m",
    install: {
      storage: { size: "50Gi", class: "longhorn" },
      retentionDays: 30,
      scrapeSeconds: 60,
      memory: "2Gi",
      cpu: "2",
      namespaces: ["workers"],
      kubelet: "verified",
      tls: true,
      grafana: { image: "registry.example.com/grafana/grafana:12.3.0", memory: "1Gi", cpu: "2" },
      groupWaitSeconds: 10,
      groupIntervalSeconds: 60,
      repeatHours: 12,
      receivers: [
        { name: "pager", kind: "pagerduty", severities: ["critical"], routingKey: "a routing key" },
        { name: "chat", kind: "slack", webhookUrl: "https://hooks.example.com/x", channel: "#db" },
        {
          name: "mail",
          kind: "email",
          to: "dba@example.com",
          from: "alerts@example.com",
          smtp: "smtp.example.com:587",
          username: "alerts",
          password: "a password",
        },
        {
          name: "bridge",
          kind: "webhook",
          url: "http://bridge.tools.svc/alerts",
          bearerToken: "a bearer token",
          pods: { namespace: "tools", labels: { app: "bridge" }, port: 8080 },
        },
      ],
    },
    logs: { slowQuery: "250ms", connections: true },
    statements: { top: 50 },
    queries: [
      {
        name: "sales",
        databases: ["jewelry_shop"],
        sql: "SELECT tenant, count(*) AS orders_total FROM sales GROUP BY tenant",
        tables: ["sales"],
        labels: ["tenant"],
        values: [{ name: "orders_total", type: "counter", unit: "count", help: "orders of a tenant" }],
        limit: 50,
      },
    ],
  },
  audit: {
    profile: "write",
    roles: [{ role: "analyst", profile: "all" }],
    objects: [{ database: "reports", commands: ["select"] }],
  },
  secrets: {
    source: "aws-secrets-manager",
    overlapMinutes: 30,
    direction: "read",
    region: "eu-central-1",
    store: { kind: "ClusterSecretStore" },
    refreshSeconds: 30,
    credentials: { accessKeyId: "an identifier", secretAccessKey: "a secret key" },
    roles: [{ role: "pgp_admin", remoteKey: "postgres/admin", usernameKey: "user", passwordKey: "pass" }],
  },
  backup: { memory: "2Gi", cpu: "2", identity: "irsa", targets: [bucket()] },
});

/** A backup target in a bucket of AWS. */
export const bucket = (): Extract<
  NonNullable<NonNullable<SettingsInput["backup"]>["targets"]>[number],
  { kind: "s3" }
> => ({
  name: "far",
  kind: "s3",
  bucket: "jewelry-shop-backups",
  credentials: { accessKeyId: "an identifier", secretAccessKey: "a secret key" },
});

/** A certificate that signed nothing. */
export const certificate = `-----BEGIN CERTIFICATE-----
MIIBlDCCATqgAwIBAgITNrTMUmNGt1n/4ynuMN8SDLyo+jAKBggqhkjOPQQDAjAg
MR4wHAYDVQQDDBVBbiBhdXRob3JpdHkgb2YgdGVzdHMwHhcNMjYxMTIyMDk0MzQ0
WhcNNDYxMTE3MDk0MzQ0WjAgMR4wHAYDVQQDDBVBbiBhdXRob3JpdHkgb2YgdGVz
dHMwWTATBgcqhkjOPQIBBggqhkjOPQMBBwNCAAQzHfmZEWuwuE9m6+aYqgnR0yIT
dh/bpxArlSj6yIsKVdQp/OdgQiqi5+Wy8UXq5z/DU5Sps+m9b02SjkR+HLZvo1Mw
UTAdBgNVHQ4EFgQUyjTMzaJoqEximcgZiIy5XqZU1HAwHwYDVR0jBBgwFoAUyjTM
zaJoqEximcgZiIy5XqZU1HAwDwYDVR0TAQH/BAUwAwEB/zAKBggqhkjOPQQDAgNI
ADBFAiBYirSnzhjrGlPmfUAXsY8Jw4P+QRmRb26zE7U5e12MkAIhAK7Cej68pug/
RG+r/S9uF3kct67663Hx+1vLjncks1NU
-----END CERTIFICATE-----
`;

/** Checked settings; throws with every sentence when they don't pass. */
export function checked(input: unknown): Settings {
  const result = check(input);
  if ("problems" in result) throw new Error(result.problems.map(sentence).join("\n"));
  return result.settings;
}

/** A file's backups with the keys that its user must fill in, which no file of this repository can hold. */
function filledIn(key: string, value: unknown): unknown {
  if (key !== "pgplatform:backup") return value;
  const { targets = [], ...rest } = value as { targets?: { kind: string }[] };
  const credentials = { accessKeyId: "to-be-filled-in", secretAccessKey: "to-be-filled-in" };
  return { ...rest, targets: targets.map((one) => (one.kind === "b2" ? { ...one, credentials } : one)) };
}

/** What a stack file of this repository holds, as the program gets it from Pulumi: objects and lists as JSON. */
export function stackConfig(stack: string): Record<string, string> {
  const file = join(__dirname, "..", "..", `Pulumi.${stack}.yaml`);
  const { config } = parse(readFileSync(file, "utf8")) as { config: Record<string, unknown> };
  return Object.fromEntries(
    Object.entries(config).map(([key, value]) => [
      key,
      typeof value === "string" ? value : JSON.stringify(filledIn(key, value)),
    ]),
  );
}

/** A copy of `value` with the field at the path set, or removed when `to` is undefined. */
export function changed<T>(value: T, path: string, to: unknown): T {
  const copy = structuredClone(value);
  const keys = path.split(".");
  const last = keys.pop() ?? "";
  let at = copy as Record<string, unknown>;
  for (const key of keys) at = (at[key] ??= {}) as Record<string, unknown>;
  if (to === undefined) delete at[last];
  else at[last] = to;
  return copy;
}
