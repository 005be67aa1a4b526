import { setTimeout as delay } from "node:timers/promises";
import { poolerLabels, poolerPorts } from "../plan/names";
import { loginOf } from "../plan/postgres/rotation";
import { UserError } from "../shell/userError";
import { type Subject } from "./health";
import { inContainer, inServer, metricsCommand } from "./inContainer";
import { isReady, type KubeObject, selectorOf } from "./kubectl";
import { type StepContext } from "../shell/progress";

const LOOK_EVERY_MS = 3000;

/** Sessions with one login from one place. */
interface Use {
  readonly login: string;
  /** An address, or a pooler's pod. */
  readonly from: string;
  readonly sessions: number;
}

/** The logins of the credential version before. */
export const oldLogins = ({ plan, settings }: Pick<Subject, "plan" | "settings">): string[] => [
  ...new Set(
    // Logins of another owner go when their Secrets say so, and not with a credential version.
    plan.credentials.flatMap(({ actsAs, internal, elsewhere }) =>
      actsAs === undefined || internal === true || elsewhere === "given"
        ? []
        : [loginOf(actsAs, settings.rotation.credentialVersion - 1)],
    ),
  ),
];

const addressOf = ({ status }: KubeObject): string => (status as { podIP?: string } | undefined)?.podIP ?? "";

/** Pods that were evicted, say, stay behind as objects without processes. */
const hasEnded = ({ status }: KubeObject): boolean =>
  ["Succeeded", "Failed"].includes((status as { phase?: string } | undefined)?.phase ?? "");

/** Sessions at one instance, but for those of poolers, whose clients are asked for at the poolers. */
async function sessionsAt(
  { kubectl, settings }: Subject,
  pod: string,
  logins: readonly string[],
  poolers: ReadonlySet<string>,
): Promise<Use[]> {
  const names = logins.map((login) => `'${login}'`).join(", ");
  const query =
    "SELECT usename, coalesce(host(client_addr), 'the instance itself'), count(*) FROM pg_stat_activity " +
    `WHERE usename IN (${names}) GROUP BY 1, 2`;
  const psql = ["psql", "-XAtqw", "-U", "postgres", "-d", "postgres", "-c", query];
  const at = inServer({ settings }, pod);
  const { stdout } = await kubectl.run([...at, "env", "PGCONNECT_TIMEOUT=5", ...psql], { timeoutMs: 20_000 });
  return stdout
    .split("\n")
    .filter((line) => line !== "")
    .map((line) => line.split("|"))
    .filter(([, address = ""]) => !poolers.has(address))
    .map(([login = "", from = "", sessions]) => ({ login, from, sessions: Number(sessions) }));
}

/** Clients of a pooler by their logins, out of its metrics; one that waits for nothing counts too. */
export function clientsIn(metrics: string, logins: readonly string[], pod: string): Use[] {
  const counted = /^pgbouncer_pools_client_(?:active|waiting)_connections\{([^}]*)\} (\S+)/;
  const sums = new Map<string, number>();
  for (const line of metrics.split("\n")) {
    const [, labels = "", value] = counted.exec(line) ?? [];
    const login = /user="([^"]*)"/.exec(labels)?.[1] ?? "";
    if (logins.includes(login)) sums.set(login, (sums.get(login) ?? 0) + Number(value));
  }
  return [...sums]
    .filter(([, sessions]) => sessions > 0)
    .map(([login, sessions]) => ({ login, from: `the pooler's pod ${pod}`, sessions }));
}

/** Who is connected by an old login, at any instance or pooler. */
async function uses(subject: Subject, logins: readonly string[]): Promise<Use[]> {
  const { kubectl, settings, engine } = subject;
  const { name, namespace } = settings.cluster;
  const poolers = (
    await Promise.all(
      settings.poolers.map((pooler) =>
        kubectl.list("pods", namespace, selectorOf(poolerLabels(name, pooler.name))),
      ),
    )
  ).flat();
  const addresses = new Set(poolers.map(addressOf));
  const instances = await kubectl.list("pods", namespace, selectorOf(engine.instancePods.labels(name)));
  // Sessions outlive a missed probe: a pod that can't be asked is no pod without sessions.
  const silent = [...instances, ...poolers].find((pod) => !isReady(pod) && !hasEnded(pod));
  if (silent !== undefined) throw new Error(`${silent.metadata.name} is not ready`);
  const asked = instances.filter(isReady);
  if (asked.length === 0) throw new Error("there is no instance");
  const found = await Promise.all([
    ...asked.map(({ metadata }) => sessionsAt(subject, metadata.name, logins, addresses)),
    ...poolers.filter(isReady).map(async ({ metadata }) => {
      const at = inContainer(namespace, metadata.name, "pgbouncer");
      const { stdout } = await kubectl.run([...at, ...metricsCommand(poolerPorts.metrics)], {
        timeoutMs: 20_000,
      });
      return clientsIn(stdout, logins, metadata.name);
    }),
  ]);
  return found.flat();
}

/** Names of pods in the place of their addresses, where they are known. */
async function named({ kubectl }: Subject, found: readonly Use[]): Promise<Use[]> {
  const { stdout } = await kubectl.run(["get", "pods", "--all-namespaces", "-o", "json"]);
  const pods = (JSON.parse(stdout) as { items: KubeObject[] }).items;
  const names = new Map(
    pods.map((pod) => [addressOf(pod), `the pod ${pod.metadata.namespace}/${pod.metadata.name}`]),
  );
  return found.map((use) => ({ ...use, from: names.get(use.from) ?? use.from }));
}

export const inUse = (found: readonly Use[]): string =>
  found.map(({ login, from, sessions }) => `${login}: ${sessions} from ${from}`).join("; ");

/**
 * Waits until no session uses a login of the previous credential version. Applications that were restarted have the new logins by then.
 * Throws with the sessions that are left at the end: both logins work then, and the same command continues from there.
 */
export async function waitUntilUnused(
  subject: Subject,
  context: StepContext,
  signal: AbortSignal,
): Promise<void> {
  const { credentialVersion, overlapMinutes } = subject.settings.rotation;
  const logins = oldLogins(subject);
  const deadline = Date.now() + overlapMinutes * 60_000;
  context.say(
    `waiting for sessions of ${logins.join(", ")} to end, for at most ${overlapMinutes} minutes: restart applications that read their password only once`,
  );
  for (;;) {
    const found = await uses(subject, logins).catch((error: unknown) => error as Error);
    if (!(found instanceof Error) && found.length === 0) return;
    const why = found instanceof Error ? `they can't be counted: ${found.message}` : inUse(found);
    context.detail(`old logins in use: ${why}`);
    if (signal.aborted) throw new Error("interrupted");
    if (Date.now() > deadline) {
      const who = found instanceof Error ? why : inUse(await named(subject, found));
      throw new UserError([
        `The passwords of credential version ${credentialVersion} work and are handed out, and the old logins are still in use (${who}); ` +
          "both work: restart those applications, then run the same command again.",
      ]);
    }
    await delay(LOOK_EVERY_MS);
  }
}
