import type { KubernetesObject } from "../objects";

/** What an engine does when someone acts on a running cluster: which means are used, as plain data. */

export const actNames = [
  "switchover",
  "failover",
  "restart",
  "restartAll",
  "reload",
  "reinit",
  "fence",
  "unfence",
  "hibernate",
  "wake",
  "scale",
] as const;
export type ActName = (typeof actNames)[number];

export interface Member {
  readonly name: string;
  readonly primary: boolean;
}

/** What is acted on. */
export interface ActScene {
  readonly cluster: string;
  /** The live object of the cluster. */
  readonly object: KubernetesObject;
  readonly members: readonly Member[];
  /** The instance that the act is about: the new primary, or the one that is restarted, copied again or fenced. */
  readonly instance?: string;
  /** How many instances there are to be. */
  readonly instances?: number;
  /** ISO 8601. */
  readonly now: string;
}

/** One command, in the cluster's namespace. */
export type Command =
  /** kubectl's arguments behind the namespace. */
  | { readonly kubectl: readonly string[] }
  /** A command in the server's container of a pod. */
  | { readonly pod: string; readonly command: readonly string[] };

export type Step =
  | Command
  /** Waits until every instance is ready and answers, but those named. */
  | { readonly wait: "ready" };

export interface Act {
  /** What happens, and what programs notice: sentences of the plan. */
  readonly plan: readonly string[];
  readonly steps: readonly Step[];
  /** What tells Services who leads, once the new primary takes writes. @default - the engine itself does so at once */
  readonly told?: readonly Command[];
  /** Whether sessions end at the instance that leads afterwards, though it takes writes by then. @default false */
  readonly dropsSessions?: boolean;
}

export interface Refused {
  readonly because: string;
  readonly instead: string;
}

export type Acts = { readonly [name in ActName]: Refused | ((scene: ActScene) => Act) };

export const primaryOf = ({ members }: ActScene): string =>
  members.find(({ primary }) => primary)?.name ?? "";

/** Annotation with how many instances there were before a cluster was hibernated. */
export const instancesBefore = "pgplatform.io/instances-before";

export const mergePatch = (resource: string, name: string, patch: object, ...more: string[]): Command => ({
  kubectl: ["patch", resource, name, "--type=merge", ...more, "-p", JSON.stringify(patch)],
});
