import type { Shape } from "../../plan/engines/live";
import { alerts, pageOf } from "../../plan/monitoring/alerts";
import { type Found } from "../platform";
import { type Answer } from "./ask";
import { type Seen } from "./gather";
import { unreadiness } from "./pods";
import type { Limits } from "./limits";
import type { Problem, Report } from "./report";

/** What a rule of the status takes and gives. */

export interface Facts {
  readonly found: Found;
  readonly seen: Seen;
  readonly facts: Omit<Report, "problems">;
  readonly shape: Shape | undefined;
  readonly primary: Answer | undefined;
  readonly limits: Limits;
  readonly now: number;
}

/** Page of an alert, by its name. */
export const page = (alert: string): { runbook: string } => {
  if (!alerts.some(({ name }) => name === alert)) throw new Error(`there is no alert ${alert}`);
  return { runbook: `runbooks/${pageOf({ name: alert })}` };
};

export type Rule = (facts: Facts) => Problem[];

export const critical = (what: string, next: string, more: { runbook?: string } = {}): Problem => ({
  severity: "critical",
  what,
  next,
  ...more,
});
export const warning = (what: string, next: string, more: { runbook?: string } = {}): Problem => ({
  ...critical(what, next, more),
  severity: "warning",
});

/** Who led, where nobody is called the primary now: its pod is there and isn't ready. An operator waits for its end before another one leads. */
export function formerPrimary({ platform }: Found, seen: Seen): string | undefined {
  const primary = seen.cluster && platform.live.shape(seen.cluster)?.primary;
  const pod = seen.pods?.find(({ metadata }) => metadata.name === primary);
  return pod !== undefined && unreadiness(pod) !== undefined ? primary : undefined;
}

/** kubectl's command in the platform's namespace, for a person to copy. */
export const kubectl = ({ platform }: Found, rest: string): string =>
  platform.kubectl.line(`-n ${platform.settings.cluster.namespace} ${rest}`);
