import { type Progress } from "../shell/progress";
import { UserError } from "../shell/userError";
import { idsOfFormer } from "./archive";
import { confirm } from "./confirm";
import { plannedUpdate, staysAnyway } from "./guard";
import { type Subject } from "./health";
import { operatorOf } from "./liveCheck";
import { type LiveFacts } from "./liveFacts";
import { type Verdict } from "./verdict";
import { type Overlay, type Stack } from "./pulumi";
import { removeHalfMade } from "./restored";
import { planOf } from "./restorePlan";
import { canLook, judgeSource, lookIntoSource } from "./source";
import { removeUnanswered } from "./webhooks";

interface Start {
  readonly stack: Stack;
  readonly subject: Subject;
  readonly overlay: Overlay;
  readonly facts: Pick<LiveFacts, "cluster">;
  readonly verdict: Verdict;
  /** Whether it is asked before the cluster is made. */
  readonly asks: boolean;
}

/**
 * What comes before a cluster is made out of a backup: makes what its source is looked into with, looks, says what would come back and how long that may
 * take, and asks. Refuses what the source can't give; then, and when the answer is no, what was made for the look is deleted again.
 */
export async function beginRestore(start: Start, progress: Progress, signal: AbortSignal): Promise<void> {
  const { subject, stack, facts, verdict, asks } = start;
  const { settings } = subject;
  if (settings.restore === undefined || (facts.cluster !== undefined && verdict.remakes !== true)) {
    if (settings.restore !== undefined && asks)
      progress.line("  the cluster is there already, and was made out of this: continuing");
    for (const question of verdict.questions) await confirm(`${question} Continue?`);
    return;
  }
  const madeNothing = !(await stack.exists()) || (await stack.resources()).length <= 1;
  const remake = () => progress.step("half-made cluster", (context) => removeHalfMade(subject, context));
  const ready = await canLook(subject);
  let asked = false;
  const ask = async () => {
    if (asked) return;
    asked = true;
    for (const question of verdict.questions) await confirm(`${question} Continue?`);
  };
  if (!ready) {
    await ask();
    if (facts.cluster !== undefined) await remake();
    await makeSource(start, progress, signal);
  }
  try {
    const lines = await progress.step("source of the restore", (context) =>
      lookIntoSource(subject, context, signal),
    );
    const judged = judgeSource(settings, lines);
    const [source, ...rest] = planOf(settings);
    if ("refused" in judged) throw new UserError([judged.refused]);
    [source, ...judged.lines, ...rest].forEach((line) => line !== undefined && progress.line(`  ${line}`));
    await ask();
    if (asks) await confirm("This makes a cluster out of a backup. Continue?");
  } catch (error) {
    // An interrupted command is continued by the same one.
    if (madeNothing && !ready && error instanceof UserError && !signal.aborted)
      await progress
        .step("what was made to look is deleted", async (context) => {
          // All of it was made a moment ago, and holds nothing yet.
          await stack.lift(
            (await stack.resources()).map(({ urn }) => urn),
            staysAnyway,
          );
          await stack.destroy(context);
        })
        // A protected namespace or bucket stays; why nothing is restored must be read all the same.
        .catch(() => progress.line("what was made to look into the source stays: `make destroy` deletes it"));
    throw error;
  }
  if (ready && facts.cluster !== undefined) await remake();
}

/** Namespace, network, and the stores' keys, without a cluster. An archive that an earlier cluster wrote is never written by a restored one. */
async function makeSource(
  { stack, subject, overlay }: Start,
  progress: Progress,
  signal: AbortSignal,
): Promise<void> {
  const { restore } = subject.settings;
  await progress.step("what the source is looked into with", async (context) => {
    await stack.prepare({ ...overlay, "pgplatform:restore": { ...restore, stage: "source" } });
    await stack.recover(context);
    await removeUnanswered(subject, operatorOf(subject.settings), context);
    await stack.refresh(context);
    const before = idsOfFormer(await stack.resources());
    await plannedUpdate(stack, subject, context);
    await stack.lift(before, staysAnyway);
    await stack.up(context, signal, before);
  });
}
