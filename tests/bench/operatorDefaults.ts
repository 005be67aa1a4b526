import { serviceHost } from "../../plan/names";
import { ClientPod, type Login, prepareNamespace, secretValue } from "../e2e/kit/clients";
import { Cluster, expectedOf } from "../e2e/kit/cluster";
import { type PlainCluster, type Untuned } from "../e2e/kit/engines";
import { type Environment } from "../e2e/kit/environment";
import { type Clients } from "../e2e/kit/fixture";
import { makeNamespace } from "./namespaces";
import { startCopy } from "./product";

/** What a user gets who writes the shortest sensible objects: the operator's defaults, beside the product. */

export const namespace = "pgp-bench-defaults";
const name = "defaults";
const poolerName = "defaults-pooler";

/** Where the objects of the defaults are. */
export const place = { namespace, name, pooler: poolerName };

interface Defaults {
  env: Environment;
  clients: Clients;
}

/** What is said of the defaults; nothing where there are none to compare with. */
export const defaultsNotes = ({ cluster: { kit } }: Environment): readonly string[] =>
  kit.plain?.notes ?? kit.untuned?.notes ?? [];

/** Whether there is an operator whose defaults can be had. */
export const hasDefaults = (env: Environment): boolean => defaultsNotes(env).length > 0;

/** A cluster whose standbys acknowledge nothing. */
const asynchronous = ({ settings }: Environment): Environment["settings"] => ({
  ...settings,
  cluster: { ...settings.cluster, durability: "async", instances: 3 },
});

async function startClients(env: Environment, login: Login, namespace: string): Promise<Clients> {
  const { kubectl } = env;
  await prepareNamespace(kubectl, namespace, login, { make: false });
  const start = (pod: string) => ClientPod.start(kubectl, namespace, pod, {});
  const [pooled, direct] = await Promise.all([start("pooled"), start("direct")]);
  return { pooled, direct, login, namespaces: [namespace] };
}

/** What the operator makes of its own short objects. */
async function startPlain(env: Environment, plain: PlainCluster): Promise<Defaults> {
  const { kubectl, engine } = env;
  await makeNamespace(env, namespace);
  const product = await env.cluster.object();
  for (const object of plain.defaults(product, place, env.settings.images)) await kubectl.apply(object);
  const settings = asynchronous(env);
  const cluster = new Cluster(kubectl, engine, namespace, name, expectedOf(settings.cluster));
  await cluster.waitHealthy(600);
  const at = ["-n", namespace, "rollout", "status", `deployment/${poolerName}`, "--timeout=180s"];
  await kubectl.run(at);
  const { service, application, ca } = plain.access(name);
  const login = {
    database: "app",
    user: "app",
    password: await secretValue(kubectl, namespace, application, "password"),
    ca: await secretValue(kubectl, namespace, ca, "ca.crt"),
  };
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
    clients: await startClients(env, login, namespace),
  };
}

/** The platform's plan without its tuning. */
function startUntuned(env: Environment, untuned: Untuned): Promise<Defaults> {
  const { cluster: running, poolers: all } = asynchronous(env);
  const settings = { ...env.settings, cluster: { ...running, namespace }, poolers: all.slice(0, 1) };
  return startBeside(env, settings, (planned) => untuned.objects(planned));
}

/** A copy of the product with clients of its own; the result replaces the running stack's environment. */
export async function startBeside(
  env: Environment,
  settings: Environment["settings"],
  change?: Parameters<typeof startCopy>[2],
): Promise<Defaults> {
  const { cluster, plan, poolers, login } = await startCopy(env, settings, change);
  const [pooler] = poolers;
  if (pooler === undefined) throw new Error("the stack has no pooler to compare with");
  const { service, host } = pooler.endpoint;
  return {
    env: { ...env, cluster, settings, plan, pooler: { name: service, host } },
    clients: await startClients(env, login, settings.cluster.namespace),
  };
}

/** Makes the cluster and its clients; the result replaces the running stack's environment. */
export async function startDefaults(env: Environment): Promise<Defaults> {
  const { plain, untuned } = env.cluster.kit;
  if (plain !== undefined) return startPlain(env, plain);
  if (untuned !== undefined) return startUntuned(env, untuned);
  throw new Error(`the engine ${env.engine.name} has no operator whose defaults could be compared with`);
}
