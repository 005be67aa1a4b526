import type { EngineTraits } from "../plan/engines/engine";
import type { Settings } from "../settings/schema";

/** Reports one problem; `path` is below the namespace. */
export type Report = (path: string, value: unknown, allowed: string, fix: string) => void;
/** Checks relations between settings that each hold their form. */
export type Rule = (settings: Settings, report: Report, engine: EngineTraits) => void;

/** Whether a name is the pattern, or begins with what stands before its `*`. */
export const matches = (pattern: string, name: string): boolean =>
  pattern.endsWith("*") ? name.startsWith(pattern.slice(0, -1)) : pattern === name;

/** Names that are there more than once. */
export const twice = (names: readonly string[]): Set<string> =>
  new Set(names.filter((name, index) => names.indexOf(name) !== index));
