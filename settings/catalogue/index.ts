import { distance } from "fastest-levenshtein";
import type { Settings } from "../schema";
import { majorsOf, namesOf, parameterOf } from "./table";
import { amountOf, bytesOf, parameterText, secondsOf } from "./values";

export { type Parameter, parameterOf } from "./table";
export { amountOf, booleanOf, parameterText, secondsOf, wrong } from "./values";

/** Bytes of a parameter that is an amount of memory, as the settings have it; undefined where they don't, or have no amount there. */
export function parameterBytes(
  { postgresVersion, parameters }: Pick<Settings["cluster"], "postgresVersion" | "parameters">,
  name: string,
): number | undefined {
  const parameter = parameterOf(postgresVersion, name);
  const value = parameters[name];
  return parameter && value !== undefined ? bytesOf(parameter, parameterText(value)) : undefined;
}

/** Seconds of a parameter that is a time; undefined where the settings don't have it, or have no time there. */
export function parameterSeconds(
  { postgresVersion, parameters }: Pick<Settings["cluster"], "postgresVersion" | "parameters">,
  name: string,
): number | undefined {
  const parameter = parameterOf(postgresVersion, name);
  const value = parameters[name];
  if (parameter?.unit === undefined || value === undefined) return undefined;
  const amount = amountOf(parameter, parameterText(value));
  const unit = secondsOf(`1000000${parameter.unit}`);
  return amount === undefined || unit === undefined ? undefined : (amount * unit) / 1e6;
}

/** What took the place of a parameter that is gone. */
const successors: Readonly<Record<string, string>> = {
  checkpoint_segments: "max_wal_size",
  force_parallel_mode: "debug_parallel_query",
  ssl_ecdh_curve: "ssl_groups",
  vacuum_cleanup_index_scale_factor: "vacuum_index_cleanup of each table",
  wal_keep_segments: "wal_keep_size",
};

/** Gone before the oldest server that was asked, and still met in old files. */
const ancient: Readonly<Record<string, string>> = {
  checkpoint_segments: "9.5",
  custom_variable_classes: "9.2",
  max_fsm_pages: "8.4",
  max_fsm_relations: "8.4",
  ssl_renegotiation_limit: "9.5",
  unix_socket_directory: "9.3",
};

/** What a transaction has of its own, and no file may set. */
export const ofTransaction = (name: string): boolean =>
  ["transaction_deferrable", "transaction_isolation", "transaction_read_only"].includes(name);

/** Extensions whose parameters aren't in the catalogue, since PostgreSQL doesn't come with them. */
const foreign = ["cron", "hnsw", "ivfflat", "pg_failover_slots", "pg_stat_kcache", "pgaudit", "timescaledb"];

const prefixOf = (name: string): string | undefined => (name.includes(".") ? name.split(".")[0] : undefined);

/** Extensions that may have parameters, by the part before the dot. */
export const extensionPrefixes = (major: string): string[] =>
  [...new Set([...namesOf(major).flatMap((name) => prefixOf(name) ?? []), ...foreign])].sort();

/** Whether the parameter belongs to an extension that may be there, and whose parameters aren't in the catalogue. */
export const isForeign = (name: string): boolean => foreign.includes(prefixOf(name) ?? "");

/** Why the major version doesn't know a parameter that another one does; undefined when none does. */
export function whyMissing(major: string, name: string): string | undefined {
  const key = name.toLowerCase();
  const successor = key in successors ? `; ${successors[key]} replaces it` : "";
  if (key in ancient) return `PostgreSQL removed it in version ${ancient[key]}${successor}`;
  const majors = majorsOf(key);
  if (!majors) return undefined;
  if (majors.last < Number(major)) return `PostgreSQL removed it in version ${majors.last + 1}${successor}`;
  return majors.first > Number(major) ? `PostgreSQL has it from version ${majors.first} on` : undefined;
}

/** The names that are nearest to one that the major version doesn't know; none when none is near. */
export const nearest = (major: string, name: string): string[] =>
  namesOf(major)
    .map((known) => ({ known, steps: distance(known, name) }))
    .filter(({ steps }) => steps <= Math.max(2, name.length / 3))
    .sort((a, b) => a.steps - b.steps || (a.known < b.known ? -1 : 1))
    .slice(0, 3)
    .map(({ known }) => known);

/**
 * Whether a change of the parameter takes effect only when the server restarts; otherwise a reload does, or a new session.
 * A parameter that isn't in the catalogue is taken to need a restart, the safe assumption.
 */
export const needsRestart = (major: string, name: string): boolean =>
  (parameterOf(major, name)?.context ?? "postmaster") === "postmaster";
