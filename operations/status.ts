import { type EngineTraits } from "../plan/engines/planner";
import * as builtIn from "../local/cluster/cluster";
import { seenOf } from "./backup";
import { chooseCluster, inspectMachine } from "./choice";
import { keepEngine, subjectOf } from "./context";
import { fullClaims, fullLines } from "./fullVolumes";
import { judge, judged } from "./health";
import { Kubectl, type KubeObject } from "./kubectl";
import { engineAsked } from "./layers";
import { type Progress } from "../shell/progress";
import { Stack } from "./pulumi";
import { findCluster } from "./target";
import { prepareTools } from "./up";
import { podsOf } from "./watch";
import { UserError } from "../shell/userError";

/** The subject of a command that looks at a running stack and changes nothing; a sentence when there is none. */
export async function runningSubject(stackName: string, progress: Progress, signal?: AbortSignal) {
  const choice = chooseCluster(await inspectMachine());
  if (choice.kind === "none") throw new UserError([choice.why]);
  if (choice.kind === "built-in") {
    const { state } = await builtIn.status();
    if (state === "absent")
      throw new UserError(["Nothing runs: there is no built-in cluster; `make up` makes one."]);
    if (state === "stopped")
      throw new UserError(["Nothing runs: the built-in cluster is stopped; `make up` starts it."]);
  }
  const toolFolders = await prepareTools(progress, [], signal);
  const target = findCluster(choice);
  if (!(await new Kubectl(target, toolFolders, signal).answers()))
    throw new UserError([
      `The cluster of context ${target.context} does not answer; \`make up\` repairs the local one.`,
    ]);
  const stack = new Stack(stackName, toolFolders, signal);
  if (!(await stack.exists()))
    throw new UserError([`Stack ${stackName} has not been made; \`make up\` makes it.`]);
  await keepEngine(stack, engineAsked());
  return { stack, target, subject: await subjectOf(stack, target, toolFolders, signal) };
}

/** One line for each pod: name, node, role, readiness. */
export function podLines(pods: readonly KubeObject[], { instancePods }: EngineTraits): string[] {
  const roleLabel = instancePods.role?.label ?? "";
  return pods
    .map((pod) => {
      const status = pod.status as { phase?: string; containerStatuses?: { ready: boolean }[] } | undefined;
      const containers = status?.containerStatuses ?? [];
      const ready = containers.filter((container) => container.ready).length;
      const role = pod.metadata.labels?.[roleLabel] ?? pod.metadata.labels?.["app.kubernetes.io/name"] ?? "";
      const node = String((pod.spec as { nodeName?: string } | undefined)?.nodeName ?? "no node");
      return `  ${pod.metadata.name}  ${node}  ${role}  ${status?.phase ?? "unknown"} ${ready}/${containers.length}`;
    })
    .sort();
}

/** Prints what runs; returns the closing line. */
export async function status(stackName: string, progress: Progress): Promise<string> {
  const { subject } = await runningSubject(stackName, progress);
  podLines(await podsOf(subject), subject.engine).forEach((line) => progress.line(line));
  const full = await fullClaims(subject);
  if (full !== undefined) fullLines(subject, full).forEach((line) => progress.line(line));
  const verdicts: string[] = [];
  for (const object of judged(subject)) {
    const { done, why } = await judge(subject, object);
    verdicts.push(
      `${object.kind} ${object.metadata.name} is ${done ? `healthy (${why})` : `not healthy: ${why}`}`,
    );
  }
  verdicts.push(...(await seenOf(subject)));
  return `${verdicts.join("; ")}.`;
}
