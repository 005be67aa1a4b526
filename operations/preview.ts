import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import * as builtIn from "../local/cluster/cluster";
import { UserError } from "../shell/userError";
import { announcements } from "./announce";
import { chooseCluster, inspectMachine } from "./choice";
import { keepEngine, settingsOfTree, subjectWith } from "./context";
import { reviewOfSteps } from "./diff";
import { judgedPlan, toldAllowances } from "./guard";
import { Kubectl } from "./kubectl";
import { engineAsked, type Layers, layersOver } from "./layers";
import { checkLive } from "./liveCheck";
import { lineOf } from "./plannedSteps";
import { type Progress } from "../shell/progress";
import { type Overlay, type PlannedStep, type PreviewOptions, readStackFile, Stack } from "./pulumi";
import { firstStepOf, secondUpdate } from "./steps";
import { KEPT, readRestored, withRestored } from "./restored";
import { findCluster, type Target } from "./target";
import { compared } from "../plan/reliability/compare";
import { lineText } from "../plan/changes/render";
import { differenceLines, reportLines } from "../plan/reliability/render";
import { reportIn, reportOf } from "./report";
import { manifestsOf } from "../releases/manifest";
import { prepareTools } from "./up";

type Policies = Pick<PreviewOptions, "policies" | "onAdvice">;

/** What a preview without a cluster can't know. */
const NOT_CHECKED =
  "not checked without the stack's cluster: storage classes, versions, volumes that would shrink, free nodes, and what is there already";

/** The cluster that a preview may ask; undefined when none runs. One that the user names must answer. */
async function runningCluster(
  toolFolders: readonly string[],
  signal: AbortSignal,
): Promise<{ target: Target; kind: "context" | "k3d" | "built-in" } | undefined> {
  const choice = chooseCluster(await inspectMachine());
  if (choice.kind === "none") return undefined;
  if (choice.kind === "built-in" && ["absent", "stopped"].includes((await builtIn.status()).state))
    return undefined;
  const target = findCluster(choice);
  const { kind } = choice;
  if (await new Kubectl(target, toolFolders, signal).answers()) return { target, kind };
  if (kind === "context")
    throw new UserError([`The Kubernetes cluster of context "${target.context}" does not answer.`]);
  return undefined;
}

export interface Previewed {
  /** The closing line. */
  readonly line: string;
  /** What differs from what is really there, a line each. @default - there is nothing to compare with */
  readonly changes?: readonly string[];
}

/**
 * Shows what `make up` would do and changes nothing. With a running cluster and a stack that has been made: compared with what
 * is really there, after the preflight. Else the plan of the stack from nothing, by Pulumi's own engine on a scratch state and
 * without asking any cluster.
 */
export async function preview(
  stackName: string,
  progress: Progress,
  options: { readonly policies: boolean },
  signal: AbortSignal,
): Promise<Previewed> {
  // A wrong stack file is refused within the first second, as it stands.
  const file = await readStackFile(stackName);
  const engine = engineAsked();
  const asWritten = layersOver(file, { engine, builtIn: false, withoutKeys: true });
  const fromFile = await settingsOfTree(stackName, asWritten.overlay);
  toldAllowances(fromFile, (line) => progress.line(`  ${line}`));
  const held: Policies = options.policies
    ? { policies: true, onAdvice: (advice) => progress.line(`  advice: ${advice}`) }
    : {};
  const tell = (said: readonly string[]) =>
    said.forEach((line) => progress.line(`  laid over Pulumi.${stackName}.yaml: ${line}`));
  const toolFolders = await prepareTools(progress, manifestsOf(fromFile), signal);
  const found = await runningCluster(toolFolders, signal);
  const fromNothing = async ({ overlay, said }: Layers) => {
    tell(said);
    const steps = await fromScratch(stackName, overlay, toolFolders, progress, held, signal);
    steps.forEach((step) => progress.line(`  ${lineOf(step)}`));
    progress.line(`  ${NOT_CHECKED}`);
    reportLines(reportOf(fromFile)).forEach((line) => progress.line(`  ${line}`));
    return { line: `${steps.length} resources from nothing; \`make up\` makes them.` };
  };
  if (found === undefined) return fromNothing(asWritten);

  const { target, kind } = found;
  const stack = new Stack(stackName, toolFolders, signal);
  const made = await stack.exists();
  if (!made && kind !== "context") return fromNothing(asWritten);

  const layers = layersOver(file, { engine, builtIn: kind === "built-in" });
  const written = { ...target.overlay, ...layers.overlay };
  const asWrittenHere = await settingsOfTree(stackName, written);
  await keepEngine(stack, asWrittenHere.cluster.engine);
  const { overlay, settings } = await withRestored(stackName, written, asWrittenHere, (one) =>
    readRestored(subjectWith(one, target, toolFolders, signal)),
  );
  const subject = subjectWith(settings, target, toolFolders, signal);
  const { facts, shape, verdict } = await progress.step("preflight", (context) =>
    checkLive(subject, stack, context),
  );
  if (!made) return fromNothing(asWritten);

  tell([...layers.said, ...(settings === asWrittenHere ? [] : [KEPT])]);
  const first = await firstStepOf(stackName, overlay, subject.engine, facts.cluster, shape);
  const next = { ...overlay, ...first?.overlay };
  await stack.prepare(next);
  const { steps, losses } = await progress.step("preview", (context) =>
    judgedPlan(stack, subject, () => stack.preview({ refresh: true, context, judged: true, ...held })),
  );
  const lines = steps.map(lineOf);
  lines.forEach((line) => progress.line(`  ${line}`));
  reviewOfSteps(settings, steps).lines.forEach((one) => progress.line(`  ${one.effect}: ${lineText(one)}`));
  if (first !== undefined) {
    // The second update can't be previewed before the first: policies check the stack from nothing.
    if (options.policies) await fromScratch(stackName, overlay, toolFolders, progress, held, signal);
    const { plan } = subjectWith(await settingsOfTree(stackName, next), target, toolFolders, signal);
    const more = secondUpdate(settings.cluster.name, plan, subject.plan);
    progress.line("  and in a second update:");
    more.forEach((line) => progress.line(`  ${line}`));
    lines.push(...more);
  }
  const notes = [
    ...announcements(subject, facts.cluster, shape, first),
    ...losses.map(
      ({ op, thing }) => `it ${op} ${thing}, as pgplatform:allow lets it; \`make up\` asks first`,
    ),
    ...verdict.questions,
  ];
  notes.forEach((note) => progress.line(`  note: ${note}`));
  const running = reportIn(await stack.resources());
  if (running !== undefined)
    differenceLines(compared(running, reportOf(settings))).forEach((line) => progress.line(`  ${line}`));
  const line =
    lines.length === 0
      ? "No changes."
      : lines.length === 1
        ? "1 change; `make up` makes it."
        : `${lines.length} changes; \`make up\` makes them.`;
  return { line, changes: lines };
}

/** The plan of the stack from nothing, on a scratch state and without asking any cluster. */
async function fromScratch(
  stackName: string,
  overlay: Overlay,
  toolFolders: readonly string[],
  progress: Progress,
  policies: Policies,
  signal: AbortSignal,
): Promise<PlannedStep[]> {
  const scratch = await mkdtemp(join(tmpdir(), "pgp-preview-"));
  try {
    const stack = new Stack(stackName, toolFolders, signal, scratch);
    return await progress.step("preview from nothing", async (context) => {
      // A kubeconfig that isn't there: the provider plans from the program alone, and no cluster is asked by accident.
      await stack.prepare({
        ...overlay,
        "pgplatform:kubernetes": { kubeconfig: join(scratch, "none"), context: "none" },
      });
      return stack.preview({ refresh: false, context, ...policies });
    });
  } finally {
    await rm(scratch, { recursive: true, force: true });
  }
}
