import type { KubernetesObject } from "../../../plan/objects";
import {
  configuration,
  operatorConfiguration,
  pgbouncer,
  postgresql,
  service,
  statefulSet,
} from "../unit/objectsOfOthers";
import { passing } from "./passing";

/** Ten small programs by others' habits, each in a namespace of its own, which no mandatory policy may refuse. */

type Objects = Record<string, KubernetesObject>;

const digest = `@sha256:${"0".repeat(64)}`;

/** Objects of one program in its namespace; the keys become the resources' names. */
function within(name: string, objects: Objects): Objects {
  const text = JSON.stringify(objects)
    .replaceAll('"namespace":"shop"', `"namespace":"${name}"`)
    .replaceAll('"name":"shop"', `"name":"${name}"`)
    // Each archives to a place of its own.
    .replaceAll("s3://orders-backups/live", `s3://orders-backups/${name}`);
  return Object.fromEntries(
    Object.entries(JSON.parse(text) as Objects).map(([key, object]) => [`${name}-${key}`, object]),
  );
}

const good = (...names: readonly string[]): Objects =>
  Object.fromEntries(
    Object.entries(structuredClone(passing) as Objects).filter(
      ([key]) => names.length === 0 || names.includes(key),
    ),
  );
const cluster = (change: object): KubernetesObject => {
  const { spec, ...rest } = good("cluster").cluster!;
  return {
    ...rest,
    metadata: { name: "orders", namespace: "shop" },
    spec: { ...(spec as object), ...change },
  };
};
/** The passing program without what only some have. */
const without = (objects: Objects, ...names: readonly string[]): Objects =>
  Object.fromEntries(Object.entries(objects).filter(([key]) => !names.includes(key)));
const small = (): Objects => {
  return without(good(), "gateway", "application", "secret");
};
const withoutPooler = (objects: Objects): Objects =>
  Object.fromEntries(Object.entries(objects).filter(([key]) => !key.startsWith("pooler")));

/** What every database of a namespace has beside it. */
const around = (): Objects => good("deny-all", "everyone-dns", "rules");
const named = (name: string) => ({ matchLabels: { "kubernetes.io/metadata.name": name } });
const flows = (
  name: string,
  pods: Record<string, string>,
  ingress: object[],
  egress: object[] = [],
): KubernetesObject => ({
  apiVersion: "networking.k8s.io/v1",
  kind: "NetworkPolicy",
  metadata: { name, namespace: "shop" },
  spec: { podSelector: { matchLabels: pods }, policyTypes: ["Ingress", "Egress"], ingress, egress },
});
const budget = (name: string, matchLabels: Record<string, string>): KubernetesObject => ({
  apiVersion: "policy/v1",
  kind: "PodDisruptionBudget",
  metadata: { name, namespace: "shop" },
  spec: { maxUnavailable: 1, selector: { matchLabels } },
});
const verification = (name: string): KubernetesObject => {
  const { verification: job } = good("verification");
  return {
    ...job!,
    metadata: {
      name: `${name}-verification`,
      namespace: "shop",
      labels: { "pgplatform.io/cluster": name, "pgplatform.io/role": "verification" },
    },
  };
};
const namespace = (level: string): KubernetesObject => ({
  apiVersion: "v1",
  kind: "Namespace",
  metadata: { name: "shop", labels: { "pod-security.kubernetes.io/enforce": level } },
});

const spilo = { application: "spilo", "cluster-name": "acid-orders" };
const zalando: Objects = {
  ...around(),
  namespace: namespace("baseline"),
  cluster: postgresql(),
  operator: operatorConfiguration(),
  verification: verification("acid-orders"),
  copy: {
    ...good("second-target")["second-target"]!,
    metadata: {
      name: "copy",
      namespace: "shop",
      labels: { "pgplatform.io/cluster": "acid-orders", "pgplatform.io/role": "backup-target" },
      annotations: {
        "pgplatform.io/store-endpoint": "https://s3.eu-central-003.backblazeb2.com",
        "pgplatform.io/store-bucket": "orders-copies",
      },
    },
  },
  network: flows(
    "instances",
    spilo,
    [
      // The operator is in a namespace of its own, with labels of its chart.
      {
        from: [
          {
            namespaceSelector: named("operators"),
            podSelector: { matchLabels: { "app.kubernetes.io/name": "postgres-operator" } },
          },
        ],
        ports: [{ port: 8008 }, { port: 5432 }],
      },
      { from: [{ podSelector: { matchLabels: spilo } }], ports: [{ port: 5432 }, { port: 8008 }] },
    ],
    [{ to: [{ podSelector: { matchLabels: spilo } }], ports: [{ port: 5432 }, { port: 8008 }] }],
  ),
};

const db = { app: "db" };
const withoutOperator: Objects = {
  ...around(),
  namespace: namespace("restricted"),
  server: statefulSet(),
  configuration: configuration(),
  service: service("db", { clusterIP: "None" }),
  budget: budget("db", db),
  pool: pgbouncer({ AUTH_TYPE: "scram-sha-256", DEFAULT_POOL_SIZE: "10", MAX_DB_CONNECTIONS: "20" }),
  "pool-budget": budget("pool", { app: "pool" }),
  nightly: {
    apiVersion: "batch/v1",
    kind: "CronJob",
    metadata: { name: "backup", namespace: "shop" },
    spec: {
      schedule: "0 2 * * *",
      jobTemplate: {
        spec: {
          template: {
            spec: {
              restartPolicy: "Never",
              containers: [
                {
                  name: "backup",
                  image: `ghcr.io/example/wal-g:3${digest}`,
                  command: ["wal-g", "backup-push", "/var/lib/postgresql/data"],
                  resources: { requests: { cpu: "100m", memory: "256Mi" }, limits: { memory: "256Mi" } },
                },
              ],
            },
          },
        },
      },
    },
  },
  verification: verification("db"),
  network: flows("db", db, [
    { from: [{ podSelector: { matchLabels: { app: "pool" } } }], ports: [{ port: 5432 }] },
  ]),
  "pool-network": flows(
    "pool",
    { app: "pool" },
    [{ from: [{ namespaceSelector: named("web") }], ports: [{ port: 5432 }] }],
    [{ to: [{ podSelector: { matchLabels: db } }], ports: [{ port: 5432 }] }],
  ),
};

const web: Objects = {
  ...small(),
  "ingress-service": service("ingress", {
    type: "LoadBalancer",
    ports: [{ port: 443, targetPort: "https" }],
    selector: { "app.kubernetes.io/name": "ingress-nginx" },
  }),
  internal: service(
    "internal",
    { type: "LoadBalancer", selector: { "cnpg.io/cluster": "orders" } },
    { "service.beta.kubernetes.io/aws-load-balancer-scheme": "internal" },
  ),
  frontend: {
    apiVersion: "apps/v1",
    kind: "Deployment",
    metadata: { name: "frontend", namespace: "shop" },
    spec: {
      selector: { matchLabels: { app: "frontend" } },
      template: {
        metadata: { labels: { app: "frontend" } },
        spec: {
          containers: [
            {
              name: "frontend",
              image: `ghcr.io/example/frontend:1${digest}`,
              env: [{ name: "FORGOT_PASSWORD", value: "enabled" }],
              resources: { requests: { cpu: "100m", memory: "128Mi" }, limits: { memory: "256Mi" } },
            },
          ],
        },
      },
    },
  },
};

const operatorOnly: Objects = {
  operator: {
    apiVersion: "apps/v1",
    kind: "Deployment",
    metadata: {
      name: "cnpg-controller-manager",
      namespace: "shop",
      labels: { "app.kubernetes.io/name": "cloudnative-pg" },
    },
    spec: {
      selector: { matchLabels: { "app.kubernetes.io/name": "cloudnative-pg" } },
      template: {
        metadata: { labels: { "app.kubernetes.io/name": "cloudnative-pg" } },
        spec: {
          containers: [
            {
              name: "manager",
              image: `ghcr.io/cloudnative-pg/cloudnative-pg:1.30.1${digest}`,
              args: ["controller", "--leader-elect", "--secret-name=cnpg-controller-manager-config"],
              env: [{ name: "CLUSTERS_ROLLOUT_DELAY", value: "600" }],
              resources: {
                requests: { cpu: "100m", memory: "100Mi" },
                limits: { cpu: "100m", memory: "200Mi" },
              },
            },
          ],
        },
      },
    },
  },
};

const deny = (direction: string): KubernetesObject => {
  const { "deny-all": policy } = good("deny-all");
  return {
    ...policy!,
    metadata: { name: `deny-${direction.toLowerCase()}`, namespace: "shop" },
    spec: { podSelector: {}, policyTypes: [direction] },
  };
};
const open = without(small(), "deny-all");

export const programs: Readonly<Record<string, Objects>> = {
  raw: within("raw", small()),
  pooler: within("pooled", good("pooler", "pooler-budget")),
  catalog: within("catalog", {
    ...withoutPooler(small()),
    cluster: cluster({
      imageName: undefined,
      imageCatalogRef: {
        apiGroup: "postgresql.cnpg.io",
        kind: "ImageCatalog",
        name: "postgresql",
        major: 17,
      },
    }),
    images: {
      apiVersion: "postgresql.cnpg.io/v1",
      kind: "ImageCatalog",
      metadata: { name: "postgresql", namespace: "shop" },
      spec: {
        images: [{ major: 17, image: `ghcr.io/cloudnative-pg/postgresql:17.6-system-trixie${digest}` }],
      },
    },
  }),
  recovery: within("recovery", {
    ...withoutPooler(small()),
    cluster: cluster({
      bootstrap: { recovery: { source: "origin" } },
      externalClusters: [
        {
          name: "origin",
          plugin: {
            name: "barman-cloud.cloudnative-pg.io",
            parameters: { barmanObjectName: "orders-archive", serverName: "orders-1" },
          },
        },
      ],
    }),
  }),
  replica: within("replica", {
    ...withoutPooler(small()),
    cluster: cluster({
      instances: 1,
      plugins: [],
      postgresql: {
        parameters: { shared_buffers: "512MB", archive_timeout: "2min" },
        pg_hba: ["hostssl all all all scram-sha-256", "hostnossl all all all reject"],
      },
      replica: { enabled: true, source: "origin" },
      bootstrap: { pg_basebackup: { source: "origin" } },
      externalClusters: [
        {
          name: "origin",
          connectionParameters: {
            host: "orders-rw.elsewhere",
            user: "streaming_replica",
            sslmode: "verify-full",
          },
        },
      ],
    }),
  }),
  directions: within("directions", { ...open, in: deny("Ingress"), out: deny("Egress") }),
  web: within("front", web),
  zalando: within("acid", zalando),
  withoutOperator: within("plain", withoutOperator),
  operator: within("cnpg-system", operatorOnly),
};
