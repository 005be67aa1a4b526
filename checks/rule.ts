import { type Schedule, shortestPause } from "../settings/cron";
import type { Ability, EngineTraits } from "../plan/engines/planner";
import type { Settings } from "../settings/schema";

/** Reports one problem; `path` is below the namespace. */
export type Report = (path: string, value: unknown, allowed: string, fix: string) => void;
/** Checks relations between settings that each hold their form. */
export type Rule = (settings: Settings, report: Report, engine: EngineTraits) => void;

/** Whether a name is the pattern, or begins with what stands before its `*`. */
export const matches = (pattern: string, name: string): boolean =>
  pattern.endsWith("*") ? name.startsWith(pattern.slice(0, -1)) : pattern === name;

/** Patterns as a sentence lists them. */
export const listed = (patterns: readonly string[]): string => patterns.join(", ").replaceAll("*", "…");

/** What is allowed in place of something that the engine can't do, as a message writes it after "Allowed:". */
export const within = ({ name }: EngineTraits, { because }: Exclude<Ability, true>): string =>
  `what the engine ${name} can do: ${because}`;

/** Names that are there more than once. */
export const twice = (names: readonly string[]): Set<string> =>
  new Set(names.filter((name, index) => names.indexOf(name) !== index));

/** Whether a schedule leaves so many minutes between two of `what`; reports it where it doesn't. */
export function apart(
  report: Report,
  path: string,
  schedule: Schedule,
  least: number,
  what: string,
): boolean {
  const minutes = shortestPause(schedule) / 60;
  if (minutes < least)
    report(
      path,
      schedule,
      `at least ${least} minutes between two ${what}, and this one has ${minutes}`,
      "write a schedule that fires less often, such as 0 2 * * *",
    );
  return minutes >= least;
}
