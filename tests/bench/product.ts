import { randomBytes } from "node:crypto";
import { fillIn } from "../../components/credentials";
import type { Plan } from "../../plan/plan";
import type { KubernetesObject, PlannedObject } from "../../plan/objects";
import { secretNames } from "../../plan/names";
import { issue } from "../../components/issuing";
import { poolerCredentials, poolerPlan, type PoolerPlan } from "../../plan/pooler/plan";
import { liveReaderOf } from "../../plan/engines/select";
import { waitUntilDone } from "../../operations/health";
import { type Settings } from "../../settings/schema";
import { prepareNamespace, secretValue, type Login } from "../e2e/kit/clients";
import { Cluster, expectedOf } from "../e2e/kit/cluster";
import { type Environment } from "../e2e/kit/environment";
import { until } from "../e2e/kit/wait";
import { makeNamespace } from "./namespaces";

/**
 * The product once more, in a namespace of the bench and with other settings: its own plan, applied with kubectl. What
 * the plan doesn't hold is left out: network policies, and Pulumi.
 */
export interface Copy {
  cluster: Cluster;
  plan: Plan;
  poolers: PoolerPlan[];
  login: Login;
}

/** A stack's settings for a copy in a namespace of the bench, with room for many connections. */
export const roomy = (
  settings: Settings,
  { namespace, maxConnections, memory }: { namespace: string; maxConnections: number; memory: string },
): Settings => ({
  ...settings,
  cluster: {
    ...settings.cluster,
    namespace,
    maxConnections,
    resources: {
      ...settings.cluster.resources,
      limits: { ...settings.cluster.resources.limits, memory },
    },
    // The limit on memory is for the backends; the caches stay those of the running stack.
    parameters: { ...settings.cluster.parameters, shared_buffers: "128MB" },
  },
});

/** The Secrets of a plan with passwords made up here. */
export function secretsOf(settings: Settings, plan: Plan): KubernetesObject[] {
  const credentials = [...plan.credentials, ...poolerCredentials(settings)];
  const passwords = Object.fromEntries(credentials.map(({ id }) => [id, randomBytes(16).toString("hex")]));
  const secret = (
    name: string,
    labels: Record<string, string>,
    texts: Record<string, string>,
    type = "Opaque",
  ) => ({
    apiVersion: "v1",
    kind: "Secret",
    metadata: { name, namespace: settings.cluster.namespace, labels },
    type,
    stringData: Object.fromEntries(
      Object.entries(texts).map(([key, template]) => [key, fillIn(template, passwords)]),
    ),
  });
  const { passwords: together } = plan;
  return [
    ...credentials.map(({ id, role, secretName, type, labels, extraKeys }) =>
      secret(secretName, labels, { username: role, password: `{password:${id}}`, ...extraKeys }, type),
    ),
    ...(together ? [secret(together.secretName, together.labels, together.keys)] : []),
  ];
}

/** The Secrets with the servers' certificate, where the engine makes none. */
async function certificatesOf(settings: Settings, { tls }: Plan): Promise<KubernetesObject[]> {
  if (tls.issuer === "engine") return [];
  const { ca, certificate, privateKey } = await issue(tls.names);
  const secret = (name: string, stringData: Record<string, string>) => ({
    apiVersion: "v1",
    kind: "Secret",
    metadata: { name, namespace: settings.cluster.namespace },
    stringData,
  });
  return [
    secret(tls.ca.secretName, { [tls.ca.key]: ca }),
    secret(tls.server.secretName, {
      [tls.server.certificateKey]: certificate,
      [tls.server.privateKeyKey]: privateKey,
      "ca.crt": ca,
    }),
  ];
}

const inStages = (objects: readonly PlannedObject[]): KubernetesObject[] =>
  [...objects].sort((one, other) => one.stage - other.stage).map(({ object }) => object);

/** Makes the copy and waits until it is whole, its poolers included. `change` is done to the plan's objects before. */
export async function startCopy(
  env: Environment,
  settings: Settings,
  change: (planned: readonly PlannedObject[]) => readonly PlannedObject[] = (planned) => planned,
): Promise<Copy> {
  const { kubectl, engine } = env;
  const { namespace, name, databases } = settings.cluster;
  const made = engine.plan(settings);
  const plan = { ...made, objects: change(made.objects) };
  const poolers = settings.poolers.map((pooler) => poolerPlan(settings, pooler, plan));
  await makeNamespace(env, namespace);
  const secrets = [...secretsOf(settings, plan), ...(await certificatesOf(settings, plan))];
  for (const object of [...secrets, ...inStages(plan.objects)]) await kubectl.apply(object);
  const cluster = new Cluster(kubectl, engine, namespace, name, expectedOf(settings.cluster));
  await cluster.waitHealthy(600);
  const live = liveReaderOf(settings);
  await waitUntilDone(
    { kubectl, settings, engine, live, plan },
    { detail: () => undefined, say: () => undefined },
  );
  for (const pooler of poolers) {
    for (const object of inStages(pooler.objects)) await kubectl.apply(object);
    await until(`the pooler ${pooler.name} in ${namespace} runs`, 120, async () => {
      const deployment = await kubectl.get("deployment", namespace, pooler.endpoint.service);
      const { readyReplicas = 0 } = (deployment?.status ?? {}) as { readyReplicas?: number };
      return readyReplicas > 0 ? { done: undefined } : { why: "no pod is ready" };
    });
  }
  const { secretName, key } = plan.tls.ca;
  const application = secretNames.application(name);
  const login = {
    database: databases[0]?.name ?? "postgres",
    user: await secretValue(kubectl, namespace, application, "username"),
    password: await secretValue(kubectl, namespace, application, "password"),
    ca: await secretValue(kubectl, namespace, secretName, key),
  };
  await prepareNamespace(kubectl, namespace, login, { make: false });
  return { cluster, plan, poolers, login };
}
