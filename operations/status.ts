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
import { refuseGone } from "./gone";
import { readStackFile, Stack } from "./pulumi";
import { findCluster } from "./target";
import { prepareTools } from "./up";
import { podsOf } from "./watch";
import { UserError } from "../shell/userError";

/** What follows where nothing runs, and a stack file has targets: backups outlive what they are of. */
async function orRestore(stackName: string): Promise<string> {
  const { config } = await readStackFile(stackName).catch(() => ({ config: undefined }));
  const { targets } = (config?.["pgplatform:backup"] ?? {}) as { targets?: { name?: unknown }[] };
  const name = Array.isArray(targets) ? targets[0]?.name : undefined;
  return typeof name === "string"
    ? `, with an empty database. If there are backups of it, \`make restore TARGET=${name}\` lists them and makes nothing`
    : "";
}

/** The subject of a command that looks at a running stack and changes nothing; a sentence when there is none. */
export async function runningSubject(stackName: string, progress: Progress, signal?: AbortSignal) {
  const choice = chooseCluster(await inspectMachine());
  if (choice.kind === "none") throw new UserError([choice.why]);
  if (choice.kind === "built-in") {
    const { state } = await builtIn.status();
    if (state === "absent")
      throw new UserError([
        `Nothing runs: there is no built-in cluster; \`make up\` makes one${await orRestore(stackName)}.`,
      ]);
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
    throw new UserError([
      `Stack ${stackName} has not been made; \`make up\` makes it${await orRestore(stackName)}.`,
    ]);
  await keepEngine(stack, engineAsked());
  const subject = await subjectOf(stack, target, toolFolders, signal);
  await refuseGone(subject, stack);
  return { stack, target, subject };
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
