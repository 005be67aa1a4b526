import { secretNames } from "../../../plan/names";
import { type Environment } from "./environment";
import { ClientPod, prepareNamespace, secretValue, type Login } from "./clients";

/** The listed clients of the stack, as pods: one may reach the pooler alone, one may reach PostgreSQL directly. */
export interface Clients {
  pooled: ClientPod;
  direct: ClientPod;
  login: Login;
  namespaces: string[];
}

export async function loginOf(env: Environment): Promise<Login> {
  const { kubectl, plan, settings } = env;
  const { name, namespace, databases } = settings.cluster;
  const secret = secretNames.application(name);
  const { secretName, key } = plan.tls.ca;
  return {
    database: databases[0]?.name ?? "postgres",
    user: await secretValue(kubectl, namespace, secret, "username"),
    password: await secretValue(kubectl, namespace, secret, "password"),
    ca: await secretValue(kubectl, namespace, secretName, key),
  };
}

export async function startClients(env: Environment): Promise<Clients> {
  const pooled = env.settings.clients.find((client) => client.pooler !== undefined && !client.direct);
  const direct = env.settings.clients.find((client) => client.direct);
  if (pooled === undefined || direct === undefined) {
    throw new Error("the stack must list a client of the pooler and a direct client");
  }
  const login = await loginOf(env);
  const namespaces = [...new Set([pooled.namespace, direct.namespace])];
  for (const namespace of namespaces) await prepareNamespace(env.kubectl, namespace, login);
  const start = (client: typeof pooled, name: string) =>
    ClientPod.start(env.kubectl, client.namespace, name, client.labels);
  const pods = await Promise.all([start(pooled, "e2e-pooled"), start(direct, "e2e-direct")]);
  return { pooled: pods[0], direct: pods[1], login, namespaces };
}

/** Deletes namespaces that the tests made, and waits until they are gone. */
export async function deleteNamespaces(env: Environment, namespaces: readonly string[]): Promise<void> {
  await env.kubectl.run(["delete", "namespace", "--ignore-not-found", "--timeout=180s", ...namespaces]);
}
