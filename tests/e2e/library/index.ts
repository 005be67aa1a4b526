import * as kubernetes from "@pulumi/kubernetes";
import * as pulumi from "@pulumi/pulumi";
import { Operator, PostgresPlatform, type PostgresPlatformArgs } from "postgres-platform";

/**
 * The program of another project, which knows nothing but the package. The stack under test runs CloudNativePG's operator already,
 * so that this one installs Zalando's alone.
 */

const config = new pulumi.Config();
const image = config.require("image");

const provider = new kubernetes.Provider("cluster", {
  kubeconfig: config.require("kubeconfig"),
  context: config.require("context"),
  enableServerSideApply: true,
  enableConfigMapMutable: true,
  enableSecretMutable: true,
});
const providers = { kubernetes: provider };

const zalando = new Operator("zalando", { engine: "zalando", platform: "local" }, { providers });

const shop = new kubernetes.core.v1.Namespace("shop", {}, { provider });
const books = new kubernetes.core.v1.Namespace(
  "books",
  { metadata: { name: "library-books" } },
  { provider },
);

const small = (
  name: string,
  engine: "cnpg" | "zalando",
  namespace: pulumi.Input<string>,
): PostgresPlatformArgs<"app"> => ({
  platform: "local",
  cluster: {
    name,
    namespace,
    makeNamespace: false,
    engine,
    instances: 1,
    durability: "async",
    storage: { size: "1Gi" },
    resources: { requests: { cpu: "100m", memory: "384Mi" }, limits: { cpu: "2", memory: "384Mi" } },
    maxConnections: 60,
    databases: [{ name: "app", owner: "app" }],
  },
  operator: engine === "zalando" ? zalando : { install: false },
  poolers: [{ name: "app", database: "app", instances: 1, serverConnections: 10, poolSize: 5 }],
  clients: [{ name: "writer", labels: { app: `${name}-writer` }, pooler: "app" }],
  transform: { cluster: engine === "cnpg" ? { Cluster: { spec: { logLevel: "info" } } } : {} },
});

const platforms = {
  // Its namespace is named by Pulumi: nobody knows the name when the program begins.
  orders: new PostgresPlatform("orders", small("orders", "cnpg", shop.metadata.name), { providers }),
  // In the same namespace.
  carts: new PostgresPlatform("carts", small("carts", "cnpg", shop.metadata.name), { providers }),
  titles: new PostgresPlatform("titles", small("titles", "zalando", books.metadata.name), { providers }),
};
const namespaces = { orders: shop, carts: shop, titles: books };

/** Writes a row through the pooler, as any application would: with what `connection` says, and nothing else. */
const written = Object.entries(platforms).map(([name, platform]) => {
  const { host, port, database, role, secretName, caCertificate } = platform.connection("app");
  const at = { namespace: namespaces[name as keyof typeof namespaces].metadata.name };
  const ca = new kubernetes.core.v1.ConfigMap(
    `${name}-ca`,
    { metadata: at, data: { "ca.crt": caCertificate } },
    { provider },
  );
  const env = {
    PGHOST: host,
    PGPORT: String(port),
    PGDATABASE: database,
    PGUSER: role,
    PGSSLMODE: "verify-full",
    PGSSLROOTCERT: "/ca/ca.crt",
    HOME: "/tmp",
  };
  const job = new kubernetes.batch.v1.Job(
    `${name}-writer`,
    {
      metadata: at,
      spec: {
        backoffLimit: 3,
        template: {
          metadata: { labels: { app: `${name}-writer` } },
          spec: {
            restartPolicy: "Never",
            automountServiceAccountToken: false,
            securityContext: {
              runAsNonRoot: true,
              runAsUser: 1000,
              seccompProfile: { type: "RuntimeDefault" },
            },
            containers: [
              {
                name: "writer",
                image,
                command: [
                  "psql",
                  "--no-psqlrc",
                  "--set=ON_ERROR_STOP=1",
                  "--command=create table written (name text); insert into written values (current_database())",
                ],
                env: [
                  ...Object.entries(env).map(([key, value]) => ({ name: key, value })),
                  {
                    name: "PGPASSWORD",
                    valueFrom: { secretKeyRef: { name: secretName, key: "password" } },
                  },
                ],
                securityContext: { allowPrivilegeEscalation: false, capabilities: { drop: ["ALL"] } },
                volumeMounts: [{ name: "ca", mountPath: "/ca" }],
              },
            ],
            volumes: [{ name: "ca", configMap: { name: ca.metadata.name } }],
          },
        },
      },
    },
    { provider },
  );
  return [name, pulumi.all([job.metadata.namespace, job.metadata.name])] as const;
});

export const jobs = Object.fromEntries(written);
export const hosts = Object.fromEntries(
  Object.entries(platforms).map(([name, { poolers }]) => [name, poolers.app.host]),
);
