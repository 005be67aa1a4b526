import { parameterBytes } from "../catalogue";
import { bytesInKubernetes, bytesOf, postgresMemory } from "../quantity";
import type { Amounts, Settings } from "../schema";

const kB = 2 ** 10;
const MiB = 2 ** 20;

/**
 * What a session takes beside its work_mem: caches of the catalogue, buffers, page tables. Measured on PostgreSQL 17 with pgaudit,
 * pg_stat_statements and TimescaleDB preloaded and shared_buffers of 128 MB: sessions that had done a little work had 1.5 to 1.9 MiB for
 * themselves and 0.2 MiB of page tables. It grows with shared_buffers and with the number of tables that a session meets.
 */
export const sessionOverhead = 2 * MiB;

/** Parts of an instance's memory limit, in bytes. */
export interface Memory {
  readonly sharedBuffers: number;
  readonly effectiveCacheSize: number;
  readonly maintenance: number;
  /** Of each autovacuum worker. */
  readonly autovacuum: number;
  readonly autovacuumWorkers: number;
  readonly work: number;
  readonly connections: number;
  /** What others than PostgreSQL take of it. */
  readonly beside: number;
  /** All that may be taken at once, when each session uses its work_mem once. */
  readonly total: number;
}

/** Huge pages of an instance; undefined where none are asked for. */
export function hugePages({
  resources: { requests },
}: {
  resources: { requests: Partial<Amounts> };
}): { pageBytes: number; bytes: number } | undefined {
  for (const size of ["2Mi", "1Gi"] as const) {
    const amount = requests[`hugepages-${size}`];
    if (amount !== undefined) return { pageBytes: bytesOf(size) ?? 0, bytes: bytesInKubernetes(amount) ?? 0 };
  }
  return undefined;
}

/** What PostgreSQL's shared memory takes beside shared_buffers: a tenth, and a part that doesn't grow with them. */
export const sharedMemory = (sharedBuffers: number): number => (sharedBuffers * 11) / 10 + 64 * MiB;

/** The largest shared_buffers whose memory is that much. */
export const buffersWithin = (memory: number): number => ((memory - 64 * MiB) * 10) / 11;

/**
 * How the memory of an instance is divided; parameters of the user's win, and what is derived makes room for them.
 *
 * - shared_buffers: a quarter, the start that PostgreSQL's documentation gives for a server of its own.
 * - effective_cache_size: three quarters, the rule of pgtune; it reserves nothing.
 * - maintenance_work_mem: a sixteenth, at most 1 GiB, the rule of pgtune (which goes to 2 GiB; vacuum before PostgreSQL 17 uses no more than 1).
 * - autovacuum_work_mem: the autovacuum workers together get as much as one maintenance command.
 * - work_mem: half of what is left, over all connections; the other half is for queries that need it several times, and for the cache of files.
 *
 * @param beside what others than PostgreSQL take of it, in bytes: an archiver in the same container
 */
export function memoryOf(
  cluster: Pick<Settings["cluster"], "resources" | "maxConnections" | "postgresVersion" | "parameters">,
  beside = 0,
): Memory {
  const { resources, maxConnections: connections, parameters } = cluster;
  const limit = bytesOf(resources.limits.memory) ?? 0;
  const own = (name: string) => parameterBytes(cluster, name);

  const sharedBuffers = own("shared_buffers") ?? limit / 4;
  const effectiveCacheSize = own("effective_cache_size") ?? (limit * 3) / 4;
  const maintenance = own("maintenance_work_mem") ?? Math.min(limit / 16, 1024 * MiB);
  const autovacuumWorkers = Number(parameters.autovacuum_max_workers ?? 3);
  const autovacuum =
    Number(parameters.autovacuum_work_mem) === -1
      ? maintenance
      : (own("autovacuum_work_mem") ?? Math.max(MiB, maintenance / autovacuumWorkers));
  // Huge pages have a limit of their own.
  const shared = hugePages(cluster) === undefined ? sharedBuffers : 0;
  const fixed =
    shared + maintenance + autovacuum * autovacuumWorkers + connections * sessionOverhead + beside;
  const work = own("work_mem") ?? Math.max(64 * kB, (limit - fixed) / 2 / connections);
  return {
    sharedBuffers,
    effectiveCacheSize,
    maintenance,
    autovacuum,
    autovacuumWorkers,
    work,
    connections,
    beside,
    total: fixed + connections * work,
  };
}

/** One part of what an instance may take at once: in words, and in bytes. */
export interface MemoryPart {
  readonly text: string;
  readonly bytes: number;
}

/** The sum behind `total`, part by part; `beside`: who else is in PostgreSQL's container. */
export const memoryParts = (parts: Memory, huge: boolean, beside = ""): MemoryPart[] => [
  // Huge pages have a limit of their own.
  ...(huge
    ? []
    : [{ text: `shared_buffers ${postgresMemory(parts.sharedBuffers)}`, bytes: parts.sharedBuffers }]),
  { text: `maintenance_work_mem ${postgresMemory(parts.maintenance)}`, bytes: parts.maintenance },
  {
    text: `${parts.autovacuumWorkers} times autovacuum_work_mem ${postgresMemory(parts.autovacuum)}`,
    bytes: parts.autovacuumWorkers * parts.autovacuum,
  },
  {
    text: `${parts.connections} connections with work_mem ${postgresMemory(parts.work)} and ${postgresMemory(sessionOverhead)} of their own`,
    bytes: parts.connections * (parts.work + sessionOverhead),
  },
  ...(parts.beside > 0
    ? [{ text: `${postgresMemory(parts.beside)} for ${beside}`, bytes: parts.beside }]
    : []),
];
