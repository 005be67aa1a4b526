import * as builtIn from "../local/cluster/cluster";
import { clusterLabel } from "../components/names";
import { chooseCluster, inspectMachine } from "./choice";
import { subjectOf, UsageError } from "./context";
import { type Subject } from "./health";
import { type KubeObject } from "./kubectl";
import { type Progress } from "./progress";
import { Stack } from "./pulumi";
import { provideCluster } from "./target";
import { prepareTools } from "./up";

/** The subject of a command that looks at a running stack; a sentence when there is none. */
export async function runningSubject(stackName: string, progress: Progress, signal?: AbortSignal) {
  const choice = chooseCluster(await inspectMachine());
  if (choice.kind === "none") throw new UsageError(choice.why);
  if (choice.kind === "built-in" && (await builtIn.status()).state === "absent") {
    throw new UsageError("Nothing runs: there is no built-in cluster; `make up` makes one.");
  }
  if (choice.kind === "built-in" && (await builtIn.status()).state === "stopped") {
    throw new UsageError("Nothing runs: the built-in cluster is stopped; `make up` starts it.");
  }
  const toolFolders = await prepareTools(progress, signal);
  const stack = new Stack(stackName, toolFolders, signal);
  if (!(await stack.exists()))
    throw new UsageError(`Nothing runs: stack ${stackName} has not been made; \`make up\` makes it.`);
  const target = await progress.step("Kubernetes", (context) => provideCluster(choice, context, signal));
  return { stack, target, subject: await subjectOf(stack, target, toolFolders, signal) };
}

/** One line for each pod: name, node, role, readiness. */
export function podLines(pods: readonly KubeObject[]): string[] {
  return pods
    .map((pod) => {
      const status = pod.status as { phase?: string; containerStatuses?: { ready: boolean }[] } | undefined;
      const containers = status?.containerStatuses ?? [];
      const ready = containers.filter((container) => container.ready).length;
      const role =
        pod.metadata.labels?.["cnpg.io/instanceRole"] ??
        pod.metadata.labels?.["app.kubernetes.io/name"] ??
        "";
      const node = String((pod.spec as { nodeName?: string } | undefined)?.nodeName ?? "no node");
      return `  ${pod.metadata.name}  ${node}  ${role}  ${status?.phase ?? "unknown"} ${ready}/${containers.length}`;
    })
    .sort();
}

async function pods({ kubectl, settings, plan }: Subject): Promise<KubeObject[]> {
  const selector = (labels: Record<string, string>) =>
    Object.entries(labels)
      .map(([key, value]) => `${key}=${value}`)
      .join(",");
  const { namespace, name } = settings.cluster;
  const lists = await Promise.all([
    kubectl.list("pods", namespace, selector(plan.podLabels)),
    kubectl.list("pods", namespace, `${clusterLabel}=${name}`),
  ]);
  return [...new Map(lists.flat().map((pod) => [pod.metadata.name, pod])).values()];
}

/** Prints what runs; returns the closing line. */
export async function status(stackName: string, progress: Progress): Promise<string> {
  const { subject } = await runningSubject(stackName, progress);
  podLines(await pods(subject)).forEach((line) => progress.line(line));
  const verdicts: string[] = [];
  for (const { object, waitFor } of subject.plan.objects) {
    if (waitFor === undefined) continue;
    const { name, namespace = "" } = object.metadata;
    const live = await subject.kubectl.get(object.kind, namespace, name);
    const { done, why } = live
      ? subject.engine.progress(live as never)
      : { done: false, why: "it is not there" };
    verdicts.push(`${object.kind} ${name} is ${done ? "healthy" : `not healthy: ${why}`}`);
  }
  return `${verdicts.join("; ")}.`;
}
