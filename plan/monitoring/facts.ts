import { createHash } from "node:crypto";
import type { Settings } from "../../settings/schema";
import { isRecord } from "../../settings/record";
import { sourcedRoles } from "../secrets/source";
import { platformVersion } from "../version";
import type { Facts, QueryContext } from "./catalogue";
import { databasesOf } from "./catalogue/queries";

const secret = /password|secret|token|credentials|privateKey/i;

/** Fields in one order, without secrets and without how far a command of the platform's is. */
function plain(value: unknown): unknown {
  if (Array.isArray(value)) return value.map(plain);
  if (!isRecord(value)) return value;
  const entries = Object.entries(value).filter(([key]) => !secret.test(key) && key !== "stage");
  return Object.fromEntries(
    entries.sort(([a], [b]) => (a < b ? -1 : 1)).map(([key, inner]) => [key, plain(inner)]),
  );
}

/** A restore is what a cluster began with, and what may be deleted is no setting of what it is. */
const digest = (settings: Settings): string =>
  createHash("sha256")
    .update(
      JSON.stringify(plain({ ...settings, restore: undefined, protection: undefined, allow: undefined })),
    )
    .digest("hex")
    .slice(0, 10);

export function factsOf(settings: Settings): Facts {
  const { cluster, backup, poolers, rotation, tier } = settings;
  return {
    engine: cluster.engine,
    version: platformVersion,
    tier,
    settings: digest(settings),
    instances: cluster.instances,
    synchronousStandbys: cluster.durability === "async" ? 0 : cluster.synchronousStandbys,
    rpoSeconds: (backup?.rpoMinutes ?? 0) * 60,
    backups: (backup?.targets.length ?? 0) > 0,
    poolers: poolers.length,
    credentialVersion: rotation.credentialVersion,
    sourcedRoles: sourcedRoles(settings).map(({ role }) => role),
  };
}

/** Tables with series of their own: so many of each database, and no more than this in all. */
const LARGEST = 20;
const LARGEST_IN_ALL = 200;

/** All that queries depend on, but for the server's version. */
export function contextOf(settings: Settings): Omit<QueryContext, "major"> {
  const { cluster, monitoring } = settings;
  return {
    largest: Math.min(LARGEST, Math.max(3, Math.floor(LARGEST_IN_ALL / cluster.databases.length))),
    statements: monitoring.statements.top,
    queries: monitoring.queries.map((query) => ({
      name: query.name,
      databases: databasesOf(query, cluster),
      tables: query.tables,
    })),
    facts: factsOf(settings),
  };
}
