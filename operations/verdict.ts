import type { Shape } from "../plan/engines/live";
import type { Facts } from "../plan/engines/reader";
import { type EnginePlanner } from "../plan/engines/planner";
import { namespace, type Problem } from "../settings/problem";
import { type Settings } from "../settings/schema";
import { type LiveFacts } from "./liveFacts";

/** What rules of the preflight take and give. */

/** What is planned, as far as the live facts bear on it. */
export interface Planned {
  readonly settings: Settings;
  readonly shape: Shape;
  /** Whether instances must each have a node of their own. */
  readonly requiredHostSpread: Facts["requiredHostSpread"];
  readonly engine: Pick<EnginePlanner, "name" | "can" | "kubernetes">;
  /** Image of the operator; undefined when this stack doesn't install one. */
  readonly operator?: { readonly image: string };
  /** Whether this stack's state holds the operator. */
  readonly ownsOperator: boolean;
  /** Names that the servers' certificate must have. */
  readonly tlsNames: readonly string[];
  /** Namespaces that this stack's state holds. */
  readonly ownNamespaces: readonly string[];
  /** The archive of a cluster that this stack's state holds, whether it is there or not. @default - the state holds none that archives */
  readonly lostArchive?: string;
  /** Another stack whose state holds the cluster that is there. @default - none does */
  readonly heldBy?: string;
}

/** What the live facts say about a plan. */
export interface Verdict {
  /** Each is refused: nothing may be applied. */
  readonly problems: readonly Problem[];
  /** Worth a line; nothing is refused. */
  readonly warnings: readonly string[];
  /** Each is asked about before anything is applied. */
  readonly questions: readonly string[];
  /** Whether what is there of a restore that has not ended goes, and is made again. @default - it doesn't */
  readonly remakes?: boolean;
}

export type Rule = (planned: Planned, facts: LiveFacts) => Partial<Verdict>;

export const problem = (path: string, value: unknown, allowed: string, fix: string): Partial<Verdict> => ({
  problems: [{ path: `${namespace}:${path}`, value, allowed, fix }],
});

export const listed = (names: readonly string[]): string => (names.length === 0 ? "none" : names.join(", "));

export function merged(verdicts: readonly Partial<Verdict>[]): Verdict {
  return {
    problems: verdicts.flatMap(({ problems = [] }) => problems),
    warnings: verdicts.flatMap(({ warnings = [] }) => warnings),
    questions: verdicts.flatMap(({ questions = [] }) => questions),
    ...(verdicts.some(({ remakes }) => remakes === true) && { remakes: true }),
  };
}
