import { serviceHost } from "../../components/names";
import { ClientPod, prepareNamespace, secretValue } from "../e2e/kit/clients";
import { Cluster, expectedOf } from "../e2e/kit/cluster";
import { type Environment } from "../e2e/kit/environment";
import { type Clients } from "../e2e/kit/fixture";
import { makeNamespace } from "./namespaces";

/** What a user gets who writes the shortest sensible objects: the operator's defaults, beside the product. */

export const namespace = "pgp-bench-defaults";
const name = "defaults";
const poolerName = "defaults-pooler";

/** Where the objects of the defaults are. */
export const place = { namespace, name, pooler: poolerName };

/** Makes the cluster and its clients; what comes back stands in for the running stack's environment. */
export async function startDefaults(env: Environment): Promise<{ env: Environment; clients: Clients }> {
  const { kubectl, engine } = env;
  const { plain } = env.cluster.kit;
  if (plain === undefined) throw new Error(`the engine ${engine.name} has no defaults of an operator`);
  await makeNamespace(env, namespace);
  const product = await env.cluster.object();
  for (const object of plain.defaults(product, place, env.settings.images)) await kubectl.apply(object);
  const settings: Environment["settings"] = {
    ...env.settings,
    // A cluster whose standbys acknowledge nothing.
    cluster: { ...env.settings.cluster, durability: "async", instances: 3 },
  };
  const cluster = new Cluster(kubectl, engine, namespace, name, expectedOf(settings.cluster));
  await cluster.waitHealthy(600);
  const at = ["-n", namespace, "rollout", "status", `deployment/${poolerName}`, "--timeout=180s"];
  await kubectl.run(at);
  const { service, application, authority } = plain.access(name);
  const login = {
    database: "app",
    user: "app",
    password: await secretValue(kubectl, namespace, application, "password"),
    authority: await secretValue(kubectl, namespace, authority, "ca.crt"),
  };
  await prepareNamespace(kubectl, namespace, login, { make: false });
  const start = (pod: string) => ClientPod.start(kubectl, namespace, pod, {});
  const [pooled, direct] = await Promise.all([start("pooled"), start("direct")]);
  const host = serviceHost(service, namespace);
  const { endpoints } = env.plan;
  return {
    env: {
      ...env,
      cluster,
      settings,
      plan: { ...env.plan, endpoints: { ...endpoints, primary: { ...endpoints.primary, host } } },
      pooler: { name: poolerName, host: serviceHost(poolerName, namespace) },
    },
    clients: { pooled, direct, login, namespaces: [namespace] },
  };
}
