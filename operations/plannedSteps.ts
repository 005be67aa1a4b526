import { kindsWithData } from "../plan/changes/data";
import { keptByGuardOnly, type Loss } from "../plan/guarded";
import { type StepContext } from "../shell/progress";
import { confirm } from "./confirm";
import { type PlannedStep } from "./pulumi";

/** A resource's own type, out of its URN: `kubernetes:apps/v1:Deployment`. */
export const typeOf = (urn: string): string => urn.split("::")[2]?.split("$").at(-1) ?? "";

/** One step as a line: what is done, to a resource of which type and name. */
export const lineOf = ({ op, urn }: PlannedStep): string => `${op} ${typeOf(urn)} ${urn.split("::").at(-1)}`;

/** Pulumi's types of what holds data. */
const typesWithData = new Set(
  kindsWithData.map(
    ({ apiVersion, kind }) => `kubernetes:${apiVersion === "v1" ? "core/v1" : apiVersion}:${kind}`,
  ),
);

/** Operations by which a resource is lost, and how sentences call them. */
export const lossOf: Readonly<Record<string, Loss["op"]>> = {
  delete: "deletes",
  replace: "replaces",
  "create-replacement": "replaces",
  "delete-replaced": "replaces",
};

/** The steps of a plan that lose data. */
export function destructive(steps: readonly PlannedStep[]): PlannedStep[] {
  return steps.filter(
    ({ op, urn, oldState }) =>
      op in lossOf &&
      typesWithData.has(typeOf(urn)) &&
      // What the guard alone keeps goes, once it is allowed.
      (oldState?.retainOnDelete !== true ||
        (oldState.protect === true && keptByGuardOnly({ urn, inputs: oldState.inputs }))),
  );
}

/** Names what a plan loses, and asks. */
export async function allowDestructive(steps: readonly PlannedStep[], context: StepContext): Promise<void> {
  const losing = destructive(steps);
  if (losing.length === 0) return;
  losing.forEach((step) => context.say(`the plan has: ${lineOf(step)}`));
  await confirm("This update deletes data. Continue?");
}

/** Pulumi's own count of what it did, as one line. */
export function changesIn(summary: string): string {
  const counts = summary
    .split("\n")
    .flatMap(
      (line) => /^\s+[+~\-]*\s*(\d+ (?:created|updated|deleted|replaced|unchanged))/.exec(line)?.[1] ?? [],
    );
  return counts.length === 0 ? "no changes" : counts.join(", ");
}
