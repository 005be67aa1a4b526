import { asset } from "../shell/asset";
import type { Settings } from "../settings/schema";
import { environment, hardened, clientOwner, restrictedPod } from "./containers";
import type { KubernetesObject, PlannedObject } from "./objects";
import type { Credential, Plan } from "./plan";
import { clusterLabel, healthCheckLabels, roles } from "./names";
import type { PoolerPlan } from "./pooler/plan";
import { mayPool } from "./postgres/roles";

/** How long one login may take until it works: the engine makes it a moment after it was told. */
const WAIT_SECONDS = 180;
const DEADLINE_SECONDS = 900;

const script = asset(__dirname, "loginCheck.sh");

/** Where one login must work: its database, and the hosts beside the primary. */
function placesOf(
  { cluster, poolers }: Settings,
  { actsAs = "" }: Credential,
  planned: readonly PoolerPlan[],
): { database: string; hosts: string[] } {
  const [first] = cluster.databases;
  if (actsAs === roles.pooler) return { database: "postgres", hosts: [] };
  const own = cluster.databases.find(({ owner }) => owner === actsAs) ?? first;
  const database = own?.name ?? "postgres";
  if (!mayPool(cluster, actsAs)) return { database, hosts: [] };
  const before = poolers.filter((pooler) => pooler.database === database).map(({ name }) => name);
  const hosts = planned.filter(({ name }) => before.includes(name)).map(({ endpoint }) => endpoint.host);
  return { database, hosts };
}

/**
 * A Job that ends well when every login of the present credential version works, directly and through the poolers of its database; none before
 * the first rotation. Whatever follows waits for it.
 */
export function loginCheck(
  settings: Settings,
  plan: Plan,
  poolers: readonly PoolerPlan[],
): PlannedObject | undefined {
  const { cluster, rotation, images, labels } = settings;
  if (rotation.credentialVersion === 1) return undefined;
  const logins = plan.credentials.filter(({ internal }) => internal);
  const arguments_ = logins.map((credential) => {
    const { database, hosts } = placesOf(settings, credential, poolers);
    const { host } = plan.endpoints.primary;
    return [credential.id, credential.actsAs, database, host, hosts.join(",")].join("|");
  });
  const item = (key: string, id: string) => ({ key, path: `${id}/${key}` });
  const { ca } = plan.tls;
  const own = { ...healthCheckLabels, [clusterLabel]: cluster.name };
  const object: KubernetesObject = {
    apiVersion: "batch/v1",
    kind: "Job",
    metadata: {
      name: `${cluster.name}-logins-${rotation.credentialVersion}`,
      namespace: cluster.namespace,
      labels: { [clusterLabel]: cluster.name },
    },
    spec: {
      backoffLimit: 2,
      activeDeadlineSeconds: DEADLINE_SECONDS,
      template: {
        metadata: { labels: { ...labels, ...own } },
        spec: {
          restartPolicy: "Never",
          ...restrictedPod(settings, clientOwner, 1),
          containers: [
            {
              name: "client",
              image: images.postgresql,
              imagePullPolicy: "IfNotPresent",
              command: ["bash", "-c", script, "loginCheck", ...arguments_],
              env: environment({
                PGPORT: String(plan.endpoints.primary.port),
                PGSSLMODE: "verify-full",
                PGSSLROOTCERT: "/tls/ca.crt",
                PGCONNECT_TIMEOUT: "5",
                // psql looks into its user's home, which in some images is closed to this one.
                HOME: "/tmp",
                LOGINS: "/logins",
                WAIT_SECONDS: String(WAIT_SECONDS),
              }),
              securityContext: hardened,
              resources: {
                requests: { cpu: "10m", memory: "32Mi" },
                limits: { cpu: "500m", memory: "128Mi" },
              },
              volumeMounts: [
                { name: "tls", mountPath: "/tls", readOnly: true },
                { name: "logins", mountPath: "/logins", readOnly: true },
              ],
            },
          ],
          volumes: [
            {
              name: "tls",
              secret: {
                secretName: ca.secretName,
                items: [{ key: ca.key, path: "ca.crt" }],
                defaultMode: 0o440,
              },
            },
            {
              name: "logins",
              projected: {
                defaultMode: 0o440,
                sources: logins.map(({ id, secretName }) => ({
                  secret: { name: secretName, items: ["username", "password"].map((key) => item(key, id)) },
                })),
              },
            },
          ],
        },
      },
    },
  };
  return {
    id: String(rotation.credentialVersion),
    stage: 0,
    object,
    timeoutMinutes: DEADLINE_SECONDS / 60 + 1,
  };
}
