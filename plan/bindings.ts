import type { ClientSettings, Settings } from "../settings/schema";
import { credentialOf } from "./postgres/roles";
import type { Endpoint } from "./network";
import type { Credential, Plan } from "./plan";
import { clientName } from "./names";
import type { PoolerPlan } from "./pooler/plan";

/** How one client reaches the database: what its namespace gets. */
export interface ClientBinding {
  readonly client: string;
  readonly namespace: string;
  /** Name of the ConfigMap, and of the Secret where it is a copy. */
  readonly name: string;
  /** Content of the ConfigMap, but for the CA's certificate, which the cluster makes. */
  readonly data: Readonly<Record<string, string>>;
  /** Login that the client uses. */
  readonly credential: Credential;
  /** Secret in the client's namespace that holds its login. @default - none: the client's namespace has no access to it */
  readonly secret?: { readonly name: string; readonly copied: boolean };
  readonly makeNamespace: boolean;
}

/** Key of the CA's certificate, and where the recipes mount the ConfigMap. */
export const caKey = "ca.crt";
const mountPath = "/etc/pgplatform";

/** What a client's setting says, with its defaults; undefined where it asks for nothing. */
export function bindingOf(
  { cluster, poolers }: Pick<Settings, "cluster" | "poolers">,
  { name, pooler, binding }: ClientSettings,
): { name: string; database: string; role: string; copySecret: boolean; makeNamespace: boolean } | undefined {
  if (binding === false) return undefined;
  const asked = binding === true ? { copySecret: false, makeNamespace: false } : binding;
  const [first] = cluster.databases;
  const database =
    asked.database ?? poolers.find((one) => one.name === pooler)?.database ?? first?.name ?? "postgres";
  const owner = cluster.databases.find((one) => one.name === database)?.owner ?? "";
  return {
    ...asked,
    name: asked.name ?? clientName(cluster.name, name),
    database,
    role: asked.role ?? owner,
  };
}

/** Where a client finds the primary, the standbys and a pooler, of those that it may reach. */
interface Reach {
  readonly primary?: Endpoint;
  readonly standbys?: Endpoint;
  readonly pooler?: Endpoint;
}

/** The network lets a client reach its pooler, and the instances where it is direct: the binding names no other host. */
function reachOf(
  { cluster, poolers }: Settings,
  client: ClientSettings,
  plan: Plan,
  planned: readonly PoolerPlan[],
): Reach {
  const settings = poolers.find(({ name }) => name === client.pooler);
  const pooler = planned.find(({ name }) => name === client.pooler)?.endpoint;
  const pooled = pooler && {
    pooler,
    standbys: pooler,
    ...(settings?.reads === "primary" && { primary: pooler }),
  };
  if (!client.direct) return { ...pooled };
  return { ...pooled, primary: plan.endpoints.primary, standbys: forReading({ cluster }, plan) };
}

/** Where to read from; a single instance is the one to read from, too. */
export const forReading = (
  { cluster }: Pick<Settings, "cluster">,
  { endpoints: { primary, standbys } }: Pick<Plan, "endpoints">,
): Endpoint => (cluster.instances > 1 ? standbys : primary);

/** Every key is always there, so that one pod template fits all clients; one that has nothing to name is empty. */
function dataOf(
  { primary, standbys, pooler }: Reach,
  database: string,
  role: string,
): Record<string, string> {
  const preferred = pooler ?? primary;
  const port = (endpoint: Endpoint | undefined) => (endpoint === undefined ? "" : String(endpoint.port));
  return {
    POSTGRES_HOST: preferred?.host ?? "",
    POSTGRES_PORT: port(preferred),
    POSTGRES_DB: database,
    DB_USER: role,
    POSTGRES_PRIMARY_HOST: primary?.host ?? "",
    // The same, by the name that applications had before.
    POSTGRES_MASTER_HOST: primary?.host ?? "",
    POSTGRES_REPLICA_HOST: standbys?.host ?? "",
    USE_PGBOUNCER: pooler ? "True" : "False",
    PGBOUNCER_HOST: pooler?.host ?? "",
    PGBOUNCER_PORT: port(pooler),
    PGSSLMODE: "verify-full",
    PGSSLROOTCERT: `${mountPath}/${caKey}`,
  };
}

/** What the clients that ask for binding get, by the endpoints that were planned. */
export function clientBindings(
  settings: Settings,
  plan: Plan,
  poolers: readonly PoolerPlan[],
): ClientBinding[] {
  return settings.clients.flatMap((client) => {
    const asked = bindingOf(settings, client);
    if (asked === undefined) return [];
    const credential = credentialOf(plan.credentials, asked.role);
    const { name, copySecret, makeNamespace } = asked;
    const inClusterNamespace = client.namespace === settings.cluster.namespace;
    return [
      {
        client: client.name,
        namespace: client.namespace,
        name,
        data: dataOf(reachOf(settings, client, plan, poolers), asked.database, credential.role),
        credential,
        ...(inClusterNamespace && { secret: { name: credential.secretName, copied: false } }),
        ...(copySecret && { secret: { name, copied: true } }),
        makeNamespace,
      },
    ];
  });
}
