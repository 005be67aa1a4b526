import { PassThrough } from "node:stream";
import { setTimeout as delay } from "node:timers/promises";
import { serverContainer } from "../plan/names";
import { asset } from "../shell/asset";
import { UserError } from "../shell/userError";
import { inContainer } from "./inContainer";
import type { Kubectl, KubeObject } from "./kubectl";

/** Planned changes of the primary: clients of the poolers wait through them in place of an error. */

/** Longest that a pooler holds its clients, in seconds; its own pod counts, whatever becomes of the command that holds it. */
export const PAUSE_SECONDS = 10;
/** Longest that a transaction which is under way may take to end once nothing new begins, in seconds. */
const DRAIN_SECONDS = 3;

const script = asset(__dirname, "pause.sh");

/** Where the poolers' pods are. */
export interface Poolers {
  readonly kubectl: Kubectl;
  readonly namespace: string;
  /** Pods of poolers whose clients write; those of session pools aren't among them: a session lasts as long as its client wants. */
  readonly pods: readonly KubeObject[];
  /** What PgBouncer's process is called. @default - pgbouncer */
  readonly process?: string;
}

interface Held {
  readonly pod: string;
  readonly word: PassThrough;
  /** Whether it held until it was told; else why not. */
  readonly end: Promise<string | undefined>;
}

/** Has a pod's PgBouncer hold its clients; resolves when it does. */
async function hold(
  { kubectl, namespace, process = "pgbouncer" }: Poolers,
  pod: string,
  seconds: number,
): Promise<Held> {
  const word = new PassThrough();
  let paused: () => void = () => undefined;
  const holds = new Promise<void>((resolve) => (paused = resolve));
  const exec = inContainer(namespace, pod, "pgbouncer", "-i");
  const ended = kubectl.run([...exec, "bash", "-c", script, "pause", String(seconds), process], {
    input: word,
    onLine: (line) => {
      if (line === "paused") paused();
      // It continues, told or not; kubectl ends when its input has.
      if (line === "resumed") word.end();
    },
    allowFailure: true,
    timeoutMs: (seconds + 20) * 1000,
  });
  const end = ended.then(
    ({ exitCode, stderr }) =>
      exitCode === 0
        ? undefined
        : exitCode === 3
          ? `continued by itself after ${seconds} s`
          : stderr.trim().split("\n").at(-1) || `exit code ${exitCode}`,
    (error: unknown) => (error as Error).message,
  );
  const why = await Promise.race([holds.then(() => undefined), end.then((said) => said ?? "ended at once")]);
  if (why === undefined) return { pod, word, end };
  word.end();
  throw new Error(`${pod}: its clients can't be held: ${why}`);
}

/** Lets them continue; the pods that did so before, and why. */
async function letGo(held: readonly Held[]): Promise<string[]> {
  for (const { word } of held) word.end("continue\n");
  const ends = await Promise.all(held.map(async ({ pod, end }) => ({ pod, why: await end })));
  return ends.flatMap(({ pod, why }) => (why === undefined ? [] : [`${pod}: ${why}`]));
}

/** Ends when no session of these addresses is left; else prints the oldest transaction. */
const drained = (addresses: readonly string[]): string => {
  const theirs = `from pg_stat_activity where client_addr = any('{${addresses.join(",")}}')`;
  return [
    `for ((look = 0; look < ${DRAIN_SECONDS * 10}; look++)); do`,
    `  [ "$(psql -XAtqU postgres -c "select count(*) ${theirs}")" != 0 ] || exit 0`,
    "  sleep 0.1",
    "done",
    `psql -XAtqU postgres -c "select 'process ' || pid || ', for ' || extract(epoch from now() - xact_start)::int || ' s' ${theirs} and xact_start is not null order by xact_start limit 1"`,
    "exit 4",
  ].join("\n");
};

/** What a held change came to. */
export interface Quiet<T> {
  readonly value: T;
  /** Seconds that clients were held. */
  readonly seconds: number;
  /** What did not go as it should, a sentence each. */
  readonly warnings: readonly string[];
}

/**
 * Does `work` while the poolers hold their clients: new transactions wait, those under way end first. Whatever comes of it the poolers continue, by
 * themselves after 10 s.
 *
 * Throws before `work` when a pod can't hold its clients, or a transaction doesn't end within 3 s.
 */
export async function quietly<T>(
  poolers: Poolers,
  primary: string,
  work: () => Promise<T>,
  seconds = PAUSE_SECONDS,
): Promise<Quiet<T>> {
  const { kubectl, namespace, pods } = poolers;
  const begun = Date.now();
  const tries = await Promise.allSettled(pods.map(({ metadata }) => hold(poolers, metadata.name, seconds)));
  const held = tries.flatMap((one) => (one.status === "fulfilled" ? [one.value] : []));
  let warnings: string[] = [];
  const release = async () => {
    warnings = await letGo(held);
  };
  try {
    for (const one of tries) if (one.status === "rejected") throw one.reason as Error;
    const addresses = pods.flatMap(({ status }) => {
      const ips = (status?.podIPs ?? []) as { ip: string }[];
      return ips.map(({ ip }) => ip);
    });
    if (addresses.length > 0) {
      const exec = [...inContainer(namespace, primary, serverContainer), "bash", "-c"];
      const { exitCode, stdout } = await kubectl.run([...exec, drained(addresses)], {
        allowFailure: true,
        timeoutMs: seconds * 1000,
      });
      if (exitCode !== 0)
        throw new UserError([
          `Nothing was changed: a transaction through a pooler did not end within ${DRAIN_SECONDS} s (${stdout.trim() || "which, is not known"}). ` +
            "Fix: wait until it has ended, or end it: `pgp blockers` shows it.",
        ]);
    }
    const value = await work();
    await release();
    return { value, seconds: (Date.now() - begun) / 1000, warnings };
  } catch (error) {
    await release();
    throw error;
  }
}

/** Waits until a Service leads to this pod and to no other; at the longest for so many seconds. */
export async function leadsTo(
  { kubectl, namespace }: Pick<Poolers, "kubectl" | "namespace">,
  service: string,
  address: string,
  seconds: number,
): Promise<boolean> {
  const ready = "{.items[*].endpoints[?(@.conditions.ready==true)].addresses[*]}";
  const slices = ["get", "endpointslices", "-l", `kubernetes.io/service-name=${service}`];
  for (const end = Date.now() + seconds * 1000; Date.now() < end; await delay(50)) {
    const { stdout } = await kubectl.run(["-n", namespace, ...slices, "-o", `jsonpath=${ready}`], {
      allowFailure: true,
    });
    if (stdout.trim() === address) return true;
  }
  return false;
}
