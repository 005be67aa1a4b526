import { bytesOf, postgresMemory } from "../../stacks/quantity";
import type { Settings } from "../../stacks/schema";
import { memoryOf } from "../../stacks/sums/memory";
import { walReserves } from "../../stacks/sums/wal";
import { parameterText } from "./catalogue";

/** Server parameters that follow from the settings, on every engine. */

/** From connections, memory, and the volume that holds the log. */
export function derivedParameters(cluster: Settings["cluster"]): Record<string, string> {
  const memory = memoryOf(cluster);
  const log = walReserves(bytesOf(cluster.storage.walSize ?? cluster.storage.size) ?? 0);
  return {
    max_connections: String(cluster.maxConnections),
    shared_buffers: postgresMemory(memory.sharedBuffers),
    effective_cache_size: postgresMemory(memory.effectiveCacheSize),
    maintenance_work_mem: postgresMemory(memory.maintenance),
    autovacuum_work_mem: postgresMemory(memory.autovacuum),
    work_mem: postgresMemory(memory.work),
    max_wal_size: postgresMemory(log.maxWalSize),
    wal_keep_size: postgresMemory(log.walKeepSize),
  };
}

/** The user's own, as text; they win over all others. */
export const ownParameters = ({ parameters }: Settings["cluster"]): Record<string, string> =>
  Object.fromEntries(Object.entries(parameters).map(([name, value]) => [name, parameterText(value)]));
