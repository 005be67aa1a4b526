import { serviceHost } from "../../components/names";
import { type KubeObject } from "../../operations/kubectl";
import { ClientPod, prepareNamespace, secretValue } from "../e2e/kit/clients";
import { Cluster } from "../e2e/kit/cluster";
import { type Environment } from "../e2e/kit/environment";
import { type Clients } from "../e2e/kit/fixture";
import { makeNamespace } from "./namespaces";

/** What a user gets who writes the shortest sensible `Cluster` and `Pooler`: the operator's defaults, beside the product. */

export const namespace = "pgp-bench-defaults";
const name = "defaults";
const poolerName = "defaults-pooler";

export const notes = [
  "operator's defaults: a raw Cluster of three instances and the operator's own Pooler (two pods, session mode) with nothing tuned. " +
    "Replication is asynchronous, as the operator leaves it: its writers wait for no standby, and nothing promises that none of their rows is lost",
  "both clusters run at the same time, on the same image, storage class and resources, and on the same operator, which is ours: a limit of one core (the released one " +
    "is a tenth) and a short TCP timeout of the standbys, for both",
];

/** A cluster whose standbys acknowledge nothing. */
class Asynchronous extends Cluster {
  override waitHealthy(seconds?: number, expected = { instances: 3, synchronous: false }): Promise<void> {
    return super.waitHealthy(seconds, expected);
  }
}

interface ProductSpec {
  imageName?: string;
  imageCatalogRef?: object;
  storage: { size?: string; storageClass?: string };
  resources?: object;
}

/** The two objects; image, volume and resources are the product's, so that only the tuning differs. */
export function defaultsObjects(product: KubeObject, pgbouncerImage: string): object[] {
  const { imageName, imageCatalogRef, storage, resources } = product.spec as unknown as ProductSpec;
  const host = serviceHost(poolerName, namespace);
  const { size, storageClass } = storage;
  return [
    {
      apiVersion: product.apiVersion,
      kind: "Cluster",
      metadata: { name, namespace },
      spec: {
        instances: 3,
        ...(imageName !== undefined && { imageName }),
        ...(imageCatalogRef !== undefined && { imageCatalogRef }),
        storage: { size, ...(storageClass !== undefined && { storageClass }) },
        ...(resources !== undefined && { resources }),
        // The measuring client checks the server's name; the operator's certificate doesn't carry its pooler's.
        certificates: { serverAltDNSNames: [host] },
      },
    },
    {
      apiVersion: product.apiVersion,
      kind: "Pooler",
      metadata: { name: poolerName, namespace },
      spec: {
        cluster: { name },
        instances: 2,
        type: "rw",
        pgbouncer: { poolMode: "session", image: pgbouncerImage },
      },
    },
  ];
}

/** Makes the cluster and its clients; what comes back stands in for the running stack's environment. */
export async function startDefaults(env: Environment): Promise<{ env: Environment; clients: Clients }> {
  const { kubectl } = env;
  await makeNamespace(env, namespace);
  for (const object of defaultsObjects(await env.cluster.object(), env.settings.images.pgbouncer)) {
    await kubectl.apply(object);
  }
  const cluster = new Asynchronous(kubectl, namespace, name);
  await cluster.waitHealthy(600);
  const at = ["-n", namespace, "rollout", "status", `deployment/${poolerName}`, "--timeout=180s"];
  await kubectl.run(at);
  const login = {
    database: "app",
    user: "app",
    password: await secretValue(kubectl, namespace, `${name}-app`, "password"),
    authority: await secretValue(kubectl, namespace, `${name}-ca`, "ca.crt"),
  };
  await prepareNamespace(kubectl, namespace, login, { make: false });
  const start = (pod: string) => ClientPod.start(kubectl, namespace, pod, {});
  const [pooled, direct] = await Promise.all([start("pooled"), start("direct")]);
  const host = serviceHost(`${name}-rw`, namespace);
  const { endpoints } = env.plan;
  return {
    env: {
      ...env,
      cluster,
      settings: { ...env.settings, cluster: { ...env.settings.cluster, durability: "async", instances: 3 } },
      plan: { ...env.plan, endpoints: { ...endpoints, primary: { ...endpoints.primary, host } } },
      pooler: { name: poolerName, host: serviceHost(poolerName, namespace) },
    },
    clients: { pooled, direct, login, namespaces: [namespace] },
  };
}
