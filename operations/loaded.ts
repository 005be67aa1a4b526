import { setTimeout as delay } from "node:timers/promises";
import { archiveIdNow } from "./archive";
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
  subject: Subject,
  context: StepContext,
  signal?: AbortSignal,
  pauseMs = 1000,
): Promise<void> {
  const { kubectl, settings, engine, plan } = subject;
  const { loaded } = plan;
  if (loaded === undefined) return;
  const archiveId = loaded.archiveId === undefined ? undefined : await archiveIdNow(subject);
  const wanted: [file: string, content: string][] = [
    [loaded.file, loaded.version],
    ...(loaded.archiveId !== undefined && archiveId !== undefined
      ? [[loaded.archiveId, archiveId] as [string, string]]
      : []),
  ];
  const { name, namespace } = settings.cluster;
  const deadline = Date.now() + LOADED_MINUTES * 60_000;
  const pods = await kubectl.list("pods", namespace, selectorOf(engine.instancePods.labels(name)));
  for (const { metadata } of pods) {
    const loads = async () => {
      for (const [file, content] of wanted) {
        const args = ["exec", metadata.name, "-c", loaded.container, "--", "cat", file];
        const { stdout } = await kubectl.run(["-n", namespace, ...args], { allowFailure: true });
        if (stdout.trim() !== content) return false;
      }
      return true;
    };
    for (let tries = 0; !(await loads()); tries++) {
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
