import { setTimeout as delay } from "node:timers/promises";
import { type Act, type ActScene, type Command, primaryOf } from "../plan/engines/acts";
import { poolerLabels } from "../plan/names";
import type { StepContext } from "../shell/progress";
import { isHeld } from "../plan/changes/cluster";
import { inServer } from "./inContainer";
import { isReady, selectorOf } from "./kubectl";
import type { Found, Platform } from "./platform";
import { PAUSE_SECONDS, type Poolers, quietly } from "./quiet";

/** Runs one command of an act. */
export async function runStep(
  platform: Platform,
  step: Command,
  context: Pick<StepContext, "detail">,
  signal: AbortSignal,
): Promise<void> {
  const { kubectl, settings } = platform;
  const onLine = (line: string) => context.detail(line);
  if ("kubectl" in step)
    await kubectl.run(["-n", settings.cluster.namespace, ...step.kubectl], {
      onLine,
      signal,
      timeoutMs: 60_000,
    });
  else
    await kubectl.run([...inServer(platform, step.pod), ...step.command], {
      onLine,
      signal,
      timeoutMs: 300_000,
    });
}

/** The pods of the poolers whose clients write, and leave a server connection after each transaction. */
export async function writingPoolers({
  platform,
  subject,
}: Pick<Found, "platform" | "subject">): Promise<Poolers> {
  const { kubectl, settings } = platform;
  const { name, namespace } = settings.cluster;
  const poolers = subject?.settings.poolers.filter(isHeld) ?? settings.poolers;
  const lists = await Promise.all(
    poolers.map((pooler) => kubectl.list("pods", namespace, selectorOf(poolerLabels(name, pooler.name)))),
  );
  return { kubectl, namespace, pods: lists.flat().filter(isReady) };
}

/** Runs bash in a server's container; what becomes of it, is for the caller to see. */
function bashIn(platform: Platform, pod: string, command: string, signal: AbortSignal, seconds: number) {
  let first: () => void = () => undefined;
  const begun = new Promise<void>((resolve) => (first = resolve));
  const ended = platform.kubectl
    .run([...inServer(platform, pod), "bash", "-c", command], {
      signal,
      timeoutMs: seconds * 1000,
      allowFailure: true,
      onLine: () => first(),
    })
    .then(
      ({ exitCode }) => exitCode === 0,
      () => false,
    );
  return { ended, begun: Promise.race([begun, ended]) };
}

const WRITES =
  'until [ "$(psql -XAtqU postgres -c "select pg_is_in_recovery()" 2>/dev/null)" = f ]; do sleep 0.05; done';

/**
 * Has another instance lead, or the primary restart, while clients of poolers wait. `leader`: the instance that leads afterwards; `steps` does it. What is
 * written before clients are held needn't be while they are.
 *
 * Throws quiet.ts's BusyError, with nothing changed, where a transaction lasts too long.
 */
export async function handOver(
  found: Pick<Found, "platform" | "subject">,
  scene: ActScene,
  { told = [], dropsSessions = false }: Act,
  leader: string,
  steps: () => Promise<void>,
  step: Pick<StepContext, "say" | "detail">,
  signal: AbortSignal,
): Promise<void> {
  const { platform } = found;
  const primary = primaryOf(scene);
  const over = new AbortController();
  const either = AbortSignal.any([signal, over.signal]);
  try {
    await bashIn(platform, primary, "psql -XqU postgres -c checkpoint", either, 60).ended;
    const poolers = await writingPoolers(found);
    // A session that ends when all do: the sign that clients' sessions, which begin after that, stay.
    const session = `echo begun; psql -XqU postgres -c 'select pg_sleep(${3 * PAUSE_SECONDS})'`;
    const sessions =
      dropsSessions || leader === primary
        ? bashIn(platform, leader, session, either, 3 * PAUSE_SECONDS)
        : undefined;
    await sessions?.begun;
    const { seconds, warnings } = await quietly(poolers, primary, async () => {
      await steps();
      await sessions?.ended;
      // The server itself is asked: what others say of it comes later.
      for (const end = Date.now() + PAUSE_SECONDS * 1000; Date.now() < end; await delay(100))
        if (await bashIn(platform, leader, WRITES, either, PAUSE_SECONDS).ended) break;
      await Promise.all(told.map((one) => runStep(platform, one, step, signal)));
    });
    warnings.forEach((warning) => step.say(`warning: ${warning}`));
    if (poolers.pods.length > 0) step.say(`clients of the poolers waited for ${seconds.toFixed(1)} s`);
  } finally {
    over.abort();
  }
}
