import { asset } from "../shell/asset";
import type { Settings } from "../settings/schema";
import { clientPodSpec, loginsVolume } from "./client";
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
  const { cluster, rotation, labels } = settings;
  if (rotation.credentialVersion === 1) return undefined;
  const logins = plan.credentials.filter(({ internal }) => internal);
  const arguments_ = logins.map((credential) => {
    const { database, hosts } = placesOf(settings, credential, poolers);
    const { host } = plan.endpoints.primary;
    return [credential.id, credential.actsAs, database, host, hosts.join(",")].join("|");
  });
  const files = loginsVolume(logins.map((login) => ({ ...login, keys: ["username", "password"] })));
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
        spec: clientPodSpec(settings, plan, {
          name: "client",
          command: ["bash", "-c", script, "loginCheck", ...arguments_],
          variables: { LOGINS: files.mount.mountPath, WAIT_SECONDS: String(WAIT_SECONDS) },
          mounts: [files.mount],
          volumes: [files.volume],
        }),
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
