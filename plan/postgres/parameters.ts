import { bytesOf, postgresMemory } from "../../settings/quantity";
import type { Settings } from "../../settings/schema";
import { hugePages, memoryOf } from "../../settings/sums/memory";
import { slotReserve, walReserves } from "../../settings/sums/wal";
import { parameterText } from "../../settings/catalogue";

/** Server parameters that follow from the settings, on every engine. */

const LEAST_ARCHIVE_SECONDS = 30;

/** From connections, memory without what others take of it (`beside`), and the volume that holds the WAL. */
export function derivedParameters(cluster: Settings["cluster"], beside?: number): Record<string, string> {
  const memory = memoryOf(cluster, beside);
  const huge = hugePages(cluster);
  const wal = walReserves(bytesOf(cluster.storage.walSize ?? cluster.storage.size) ?? 0);
  return {
    max_connections: String(cluster.maxConnections),
    shared_buffers: postgresMemory(memory.sharedBuffers),
    effective_cache_size: postgresMemory(memory.effectiveCacheSize),
    maintenance_work_mem: postgresMemory(memory.maintenance),
    autovacuum_work_mem: postgresMemory(memory.autovacuum),
    work_mem: postgresMemory(memory.work),
    max_wal_size: postgresMemory(wal.maxWalSize),
    wal_keep_size: postgresMemory(wal.walKeepSize),
    max_slot_wal_keep_size: postgresMemory(slotReserve(cluster)),
    // A server that goes without what was set aside for it would waste it. One that tries pages of its node's that its container may not
    // have is killed by SIGBUS, which is no error that it could go on from.
    ...(huge ? { huge_pages: "on", huge_page_size: postgresMemory(huge.pageBytes) } : { huge_pages: "off" }),
  };
}

/** The user's own, as text; they win over all others. */
export const ownParameters = ({ parameters }: Settings["cluster"]): Record<string, string> =>
  Object.fromEntries(Object.entries(parameters).map(([name, value]) => [name, parameterText(value)]));

/** For standbys that follow over a network; a failover is as short as they allow. */
export const replicationParameters: Readonly<Record<string, string>> = {
  // A standby that lost its primary asks again this soon; the default of 5 s is the tail of one failover in four.
  wal_retrieve_retry_interval: "200ms",
  // How soon either end notices a replication connection that has gone silent.
  wal_sender_timeout: "5s",
  wal_receiver_timeout: "5s",
};

/** Parameters that users can't set, all for one reason; their names are one text. */
export const owned = (reason: string, names: string): Record<string, string> =>
  Object.fromEntries(names.split(/\s+/).map((name) => [name, reason]));
/** Those that are other settings', on every engine. */
export const ownedEverywhere: Readonly<Record<string, string>> = {
  max_connections: "pgplatform:cluster.maxConnections is its setting",
  ...owned("pgplatform:cluster.resources.hugePages decides it", "huge_pages huge_page_size"),
  log_min_duration_statement: "pgplatform:monitoring.logs.slowQuery is its setting",
  ...owned("pgplatform:monitoring.logs.connections decides it", "log_connections log_disconnections"),
  log_timezone: "the platform sets it to UTC, in which lines of all instances compare",
};

/** Half of the recovery point objective: a segment that has just been begun waits that long, and its upload takes time too. */
export const archiveSeconds = ({ rpoMinutes }: Pick<NonNullable<Settings["backup"]>, "rpoMinutes">): number =>
  Math.max(LEAST_ARCHIVE_SECONDS, rpoMinutes * 30);
export const archiveParameters = ({ backup }: Settings): Record<string, string> =>
  backup === undefined ? {} : { archive_timeout: `${archiveSeconds(backup)}s` };
