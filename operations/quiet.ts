import { PassThrough } from "node:stream";
import { serverContainer } from "../plan/names";
import { asset } from "../shell/asset";
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
}

interface Held {
  readonly pod: string;
  readonly word: PassThrough;
  /** Whether it held until it was told; else why not. */
  readonly end: Promise<string | undefined>;
}

/** Has a pod's PgBouncer hold its clients; resolves when it does. */
async function hold({ kubectl, namespace }: Poolers, pod: string, seconds: number): Promise<Held> {
  const word = new PassThrough();
  let paused: () => void = () => undefined;
  const holds = new Promise<void>((resolve) => (paused = resolve));
  const exec = inContainer(namespace, pod, "pgbouncer", "-i");
  const ended = kubectl.run([...exec, "bash", "-c", script, "pause", String(seconds)], {
    input: word,
    onLine: (line) => {
      if (line === "paused") paused();
      // It continues, told or not; kubectl ends when its input has.
      if (line === "resumed") word.end();
    },
    allowFailure: true,
    timeoutMs: (2 * seconds + 20) * 1000,
  });
  const end = ended.then(
    ({ exitCode, stderr }) =>
      exitCode === 0
        ? undefined
        : exitCode === 3
          ? `held for ${seconds} s, the longest; then its clients waited until the server was there`
          : exitCode === 4
            ? "its clients still wait for the server"
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

/** Reads addresses, by commas, from standard input: ends when no session of theirs is left; else prints the oldest transaction. */
const drained = (() => {
  const theirs = "from pg_stat_activity where client_addr = any('{$addresses}')";
  return [
    "read -r addresses || exit 5",
    `for ((look = 0; look < ${DRAIN_SECONDS * 10}; look++)); do`,
    `  [ "$(psql -XAtqU postgres -c "select count(*) ${theirs}")" != 0 ] || exit 0`,
    "  sleep 0.1",
    "done",
    `psql -XAtqU postgres -c "select 'process ' || pid || ', for ' || extract(epoch from now() - xact_start)::int || ' s' ${theirs} and xact_start is not null order by xact_start limit 1"`,
    "exit 4",
  ].join("\n");
})();

/** Nothing was done: a transaction lasts too long to be waited for. */
export class BusyError extends Error {}

/** What a held change came to. */
export interface Quiet<T> {
  readonly value: T;
  /** Seconds that clients were held. */
  readonly seconds: number;
  /** What did not go as it should, a sentence each. */
  readonly warnings: readonly string[];
}

/**
 * Does `work` while the poolers hold their clients: new transactions wait, those under way end first. Whatever comes of it the poolers continue once the
 * server is there, by themselves after 10 s. A pod that can't hold its clients is named in the warnings; its clients get errors.
 *
 * Throws a BusyError before `work` when a transaction doesn't end within 3 s.
 */
export async function quietly<T>(
  poolers: Poolers,
  primary: string,
  work: () => Promise<T>,
  seconds = PAUSE_SECONDS,
): Promise<Quiet<T>> {
  const { kubectl, namespace, pods } = poolers;
  // What takes time to begin begins before clients are held.
  const addresses = new PassThrough();
  const exec = [...inContainer(namespace, primary, serverContainer, "-i"), "bash", "-c", drained];
  const idle =
    pods.length === 0
      ? undefined
      : kubectl.run(exec, { input: addresses, allowFailure: true, timeoutMs: (seconds + 20) * 1000 });
  // It may fail while the poolers are still asked, and is looked at after that.
  idle?.catch(() => undefined);
  const tries = await Promise.allSettled(pods.map(({ metadata }) => hold(poolers, metadata.name, seconds)));
  const begun = Date.now();
  const held = tries.flatMap((one) => (one.status === "fulfilled" ? [one.value] : []));
  const unheld = tries.flatMap((one) => (one.status === "rejected" ? [(one.reason as Error).message] : []));
  try {
    if (idle !== undefined && held.length > 0) {
      const names = new Set(held.map(({ pod }) => pod));
      const theirs = pods.filter(({ metadata }) => names.has(metadata.name)).flatMap(addressesOf);
      addresses.end(`${theirs.join(",")}\n`);
      const { exitCode, stdout } = await idle;
      if (exitCode !== 0)
        throw new BusyError(
          `a transaction through a pooler did not end within ${DRAIN_SECONDS} s (${stdout.trim() || "which, is not known"})`,
        );
    }
    const value = await work();
    const warnings = await letGo(held);
    return { value, seconds: (Date.now() - begun) / 1000, warnings: [...unheld, ...warnings] };
  } catch (error) {
    await letGo(held);
    throw error;
  } finally {
    addresses.end();
    await idle?.catch(() => undefined);
  }
}

const addressesOf = ({ status }: KubeObject): string[] =>
  ((status?.podIPs ?? []) as { ip: string }[]).map(({ ip }) => ip);
