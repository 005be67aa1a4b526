import type { Facts } from "../../plan/engines/reader";
import { type KubeObject } from "../kubectl";
import { type Found } from "../platform";
import type { Report } from "../status/report";

/** What is read for the checks, beside the status. */
export interface Seen {
  readonly found: Found;
  readonly report: Report;
  readonly cluster: KubeObject | undefined;
  /** What the cluster's object claims. */
  readonly facts: Facts | undefined;
  readonly instances: readonly KubeObject[];
  readonly poolerPods: readonly KubeObject[];
  readonly services: readonly KubeObject[];
  readonly slices: readonly KubeObject[];
  readonly claims: readonly KubeObject[];
  readonly budgets: readonly KubeObject[];
  readonly policies: readonly KubeObject[];
  /** Of each instance: whether its metrics could be read, or why not. @default - it wasn't asked */
  readonly metrics?: ReadonlyMap<string, string | undefined>;
  /** What the client in the cluster said: nothing where all went well. @default - it wasn't asked */
  readonly client?: { readonly problem?: string };
  /** What the stranger could reach. @default - it wasn't asked */
  readonly stranger?: { readonly problem?: string };
  /** Lines of the engine's log that could be read. */
  readonly logLines: number;
}

export type Outcome =
  | { readonly passed: true; readonly says: string }
  | { readonly passed: false; readonly says: string }
  /** It doesn't apply, or wasn't done. */
  | { readonly passed: undefined; readonly says: string };

export interface Check {
  readonly id: string;
  readonly title: string;
  /** Number in the seed's list. @default - it isn't there */
  readonly seed?: number;
  /** The next command where it fails. */
  readonly next: string;
  readonly look: (seen: Seen) => Outcome;
}

export const passed = (says: string): Outcome => ({ passed: true, says });
export const failed = (says: string): Outcome => ({ passed: false, says });
export const left = (says: string): Outcome => ({ passed: undefined, says });
export const judged = (problems: readonly string[], says: string): Outcome =>
  problems.length > 0 ? failed(problems.join("; ")) : passed(says);
