import { registeredOf } from "../plan/changes/objects";
import { protectedNotes, type Side } from "../plan/changes/protected";
import { reviewLines, reviewMarkdown } from "../plan/changes/render";
import { review, type Review, type Reviewer } from "../plan/changes/review";
import { liveReaderOf, plannerOf } from "../plan/engines/select";
import { planPlatform } from "../plan/platform";
import { pauseText } from "../plan/reliability/compare";
import { manifestsOf, monitoringManifest, operatorManifest } from "../releases/manifest";
import type { KubernetesObject } from "../plan/objects";
import type { Settings } from "../settings/schema";
import { UserError } from "../shell/userError";
import type { PlannedStep } from "./pulumi";
import { settingsAt } from "./trees";

/** What differs between the plans of two settings: without a cluster, and without credentials. */

export const reviewerOf = (settings: Settings): Reviewer => ({
  engine: plannerOf(settings),
  live: liveReaderOf(settings),
  poolers: settings.poolers,
});

/** Everything that settings make. The operator's released objects are those of this program's pins, in both plans. */
export function sideOf(settings: Settings): Side {
  const plan = planPlatform(
    settings,
    () => operatorManifest(settings.cluster.engine),
    plannerOf(settings),
    monitoringManifest,
  );
  const { protection, allow, cluster } = settings;
  const registered = registeredOf(plan, settings);
  return { protection, allow, cluster: cluster.name, registered, signs: plan.certificates !== undefined };
}

/** Gets what a plan needs of the operators' released manifests, where it isn't in the cache yet. */
export async function prepareManifests(...all: readonly Settings[]): Promise<void> {
  const { manifestFiles } = await import("../local/manifests");
  await manifestFiles([...new Set(all.flatMap(manifestsOf))]);
}

/** What differs, and what of it is refused since it is protected. */
export function reviewOf(base: Settings, head: Settings): Review {
  const [before, after] = [sideOf(base), sideOf(head)];
  const found = review(reviewerOf(head), before.registered, after.registered);
  return { ...found, notes: [...protectedNotes(before, after), ...found.notes] };
}

/** How long a restart pauses writes, in words. */
export function restartPause(settings: Settings): string {
  const { seconds, basis, note } = plannerOf(settings).pauses(settings).restart;
  return `${pauseText({ seconds: seconds ?? null, basis, note })}: ${note}`;
}

export async function showDiff(
  stackName: string,
  { against, markdown }: { readonly against: string | undefined; readonly markdown: boolean },
): Promise<{ readonly line: string; readonly data: object }> {
  if (against === undefined)
    throw new UserError([
      "--against: it isn't given. Allowed: a folder with stack files, or a stack file. Fix: name the checkout to compare with.",
    ]);
  const [base, head] = await Promise.all([settingsAt(stackName, against), settingsAt(stackName)]);
  await prepareManifests(base, head);
  const found = reviewOf(base, head);
  const lines = (markdown ? reviewMarkdown : reviewLines)(found, restartPause(head));
  return { line: lines.join("\n"), data: found };
}

/** The component of a URN, as plans name them: `pooler main-pooler-app` of a pooler's. */
const componentOf = (urn: string): string => {
  const [, type = ""] = /\$?pgplatform:\w+:(\w+)\$[^$]*$/.exec(urn.split("::")[2] ?? "") ?? [];
  return type === "Pooler" ? `pooler ${urn.split("::").at(-1) ?? ""}` : type.toLowerCase();
};

/** The same of what Pulumi plans: each field that it changes in an object of Kubernetes. */
export function reviewOfSteps(settings: Settings, steps: readonly PlannedStep[]): Review {
  const registeredAt = (urn: string, object: KubernetesObject | undefined) =>
    object?.apiVersion === undefined ? [] : [{ component: componentOf(urn), object }];
  const both = steps.flatMap(({ urn, oldState, newState }) =>
    oldState?.inputs === undefined || newState?.inputs === undefined
      ? []
      : [{ before: registeredAt(urn, oldState.inputs), after: registeredAt(urn, newState.inputs) }],
  );
  return review(
    reviewerOf(settings),
    both.flatMap(({ before }) => before),
    both.flatMap(({ after }) => after),
  );
}
