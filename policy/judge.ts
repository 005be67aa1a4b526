import type { KubernetesObject } from "../plan/objects";
import { sentence } from "../settings/problem";
import { invariants, valuesOf } from "./invariants";
import { titleOf } from "./kubernetes";
import { levelsOf } from "./levels";
import { objectOf } from "./objects";
import { problemsOfObject, problemsOfWaiting } from "./policies";
import { Run } from "./run";
import { stackFacts } from "./stackFacts";
import { told, waiversIn } from "./waivers";

/** What the pack says of a plan's objects, without Pulumi's engine: by the same invariants, levels and waivers. */

export interface Violation {
  readonly policy: string;
  /** Whether it refuses an update. */
  readonly mandatory: boolean;
  readonly sentence: string;
}

export interface Judgement {
  readonly violations: readonly Violation[];
  /** Each waiver, and what it lets pass. */
  readonly waived: readonly string[];
}

/** What a level of the pack's configuration says: by itself, or beside options. */
function levelIn(given: unknown): { readonly level: string; readonly options: object } {
  if (typeof given === "string") return { level: given, options: {} };
  const { enforcementLevel = "mandatory", ...options } = (given ?? {}) as { enforcementLevel?: string };
  return { level: enforcementLevel, options };
}

/**
 * `config`: the stack's, as Pulumi hands it to the pack. `today`: `YYYY-MM-DD`. Buckets at a cloud's provider are no objects of Kubernetes: what the
 * pack says of them isn't here.
 */
export function judge(
  given: readonly KubernetesObject[],
  config: Readonly<Record<string, string>>,
  today: string,
): Judgement {
  const run = new Run();
  const levels = levelsOf(config);
  const { waivers, problems } = waiversIn(
    config,
    invariants.map(({ name }) => name),
    today,
  );
  const objects = given.flatMap(
    (object) =>
      objectOf(`kubernetes:${object.apiVersion}:${object.kind}`, object.metadata.name, { ...object }) ?? [],
  );
  const facts = stackFacts(objects);
  const violations = invariants.flatMap((invariant): Violation[] => {
    const { name, mandatory } = invariant;
    const { level, options } = levelIn(mandatory === "nowhere" ? "advisory" : levels[name]);
    if (level === "disabled") return [];
    const found =
      invariant.on === "stack"
        ? run.judged(name, "Stack", () => invariant.check(facts, valuesOf(invariant, options)))
        : [
            ...objects.flatMap((one) =>
              run.judged(name, titleOf(one), () => problemsOfObject(invariant, one, options)),
            ),
            ...problemsOfWaiting(invariant, objects, options, run),
          ];
    return run.standing(name, found, waivers).map((problem) => ({
      policy: name,
      mandatory: level !== "advisory",
      sentence: sentence(problem),
    }));
  });
  return {
    violations: [
      ...problems.map((problem) => ({ policy: "waivers", mandatory: true, sentence: sentence(problem) })),
      ...violations,
    ],
    waived: run.waivedBy(waivers).map(({ waiver, count }) => told(waiver, count)),
  };
}
