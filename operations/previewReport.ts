import type { KubernetesObject } from "../plan/objects";
import type { RunResult } from "../shell/process";

/** What Pulumi's CLI reports of a preview. */

/** One planned change of a resource, as `pulumi preview --json` reports it. */
export interface PlannedStep {
  op: string;
  urn: string;
  /** What the state says of the resource so far. */
  oldState?: { protect?: boolean; retainOnDelete?: boolean; inputs?: KubernetesObject };
  newState?: { inputs?: KubernetesObject };
}

/** Pulumi refuses a plan, since it deletes or replaces what is protected. */
export class ProtectedPlan extends Error {
  constructor(
    message: string,
    /** What the plan would do. */
    readonly steps: readonly PlannedStep[],
  ) {
    super(message);
  }
}

/** The steps in the report of a preview, that of a refused one too. */
export function stepsIn({ stdout }: RunResult): PlannedStep[] {
  const from = stdout.indexOf("{");
  return from < 0 ? [] : ((JSON.parse(stdout.slice(from)) as { steps?: PlannedStep[] }).steps ?? []);
}

export const changing = (steps: readonly PlannedStep[]): PlannedStep[] =>
  steps.filter(({ op }) => !["same", "read", "refresh"].includes(op));

/** Whether a preview failed by what is protected and by nothing else. `byPolicy`: whether the policy has found it. */
export function isProtection(errors: string, byPolicy: boolean): boolean {
  const each = errors
    .split(/^error: /m)
    .map((one) => one.trim())
    .filter((one) => one !== "");
  const words = /because it is protected|marked for protection/;
  return (
    (byPolicy || each.some((one) => words.test(one))) &&
    each.every((one) => words.test(one) || one === "preview failed")
  );
}

/** Violations of policies in Pulumi's event log, each as a sentence and once. */
export function violationsIn(log: string): { policy: string; mandatory: boolean; sentence: string }[] {
  const found = log.split("\n").flatMap((line) => {
    if (!line.includes('"policyEvent"')) return [];
    const { policyEvent } = JSON.parse(line) as {
      policyEvent?: { policyName: string; message: string; enforcementLevel: string };
    };
    if (policyEvent === undefined) return [];
    const { policyName, message, enforcementLevel } = policyEvent;
    // The first line describes the policy, and the rest says what is wrong.
    const [description = "", ...rest] = message.trim().split("\n");
    const what = rest.length > 0 ? rest.join(" ") : description;
    return [
      {
        policy: policyName,
        mandatory: enforcementLevel === "mandatory",
        sentence: `policy ${policyName}: ${what}`,
      },
    ];
  });
  return [...new Map(found.map((violation) => [violation.sentence, violation])).values()];
}

/** The program's own error sentences out of a failed `preview --json`. */
export function previewErrors(result: RunResult): string {
  try {
    const report = JSON.parse(result.stdout.slice(result.stdout.indexOf("{"))) as {
      diagnostics?: { severity: string; message: string }[];
    };
    const errors = (report.diagnostics ?? [])
      .filter(({ severity }) => severity === "error")
      .map(({ message }) => message.trim());
    if (errors.length > 0) return [...new Set(errors)].join("\n");
  } catch {
    // Not JSON: show what was printed.
  }
  return (result.stderr || result.stdout).trim().split("\n").slice(-25).join("\n");
}
