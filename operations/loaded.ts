import { setTimeout as delay } from "node:timers/promises";
import { type Subject } from "./health";
import { selectorOf } from "./kubectl";
import { type StepContext } from "../shell/progress";

/** How long a change may take from the API server into a running pod. */
const LOADED_MINUTES = 5;
/** Annotation of a pod that changes nothing but makes the kubelet look at the pod, and mount its changed files. */
const nudge = "pgplatform.io/files";

/**
 * Waits until the pods have loaded the files of this update, where they load them by themselves. The kubelet would mount changed files
 * within a minute or so; a changed annotation of the pod has it do so at once.
 */
export async function waitUntilLoaded(
  { kubectl, settings, engine, plan }: Subject,
  context: StepContext,
  signal?: AbortSignal,
  pauseMs = 1000,
): Promise<void> {
  const { loaded } = plan;
  if (loaded === undefined) return;
  const { name, namespace } = settings.cluster;
  const deadline = Date.now() + LOADED_MINUTES * 60_000;
  const pods = await kubectl.list("pods", namespace, selectorOf(engine.instancePods.labels(name)));
  for (const { metadata } of pods) {
    const version = async () => {
      const args = ["exec", metadata.name, "-c", loaded.container, "--", "cat", loaded.file];
      return (await kubectl.run(["-n", namespace, ...args], { allowFailure: true })).stdout.trim();
    };
    for (let tries = 0; (await version()) !== loaded.version; tries++) {
      if (signal?.aborted === true) throw new Error("interrupted");
      if (Date.now() > deadline)
        throw new Error(
          `Pod ${namespace}/${metadata.name} has not loaded its changed files after ${LOADED_MINUTES} minutes: ` +
            `the log of the container ${loaded.container} says why`,
        );
      context.detail(`Pod ${metadata.name} loads its changed files`);
      // What it finds may be older than the change: it is asked again.
      if (tries % 5 === 0)
        await kubectl.run([
          ...["-n", namespace, "annotate", "--overwrite", "pod", metadata.name],
          `${nudge}=${loaded.version}.${tries}`,
        ]);
      await delay(pauseMs);
    }
  }
}
