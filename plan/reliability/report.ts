import { bytesOf } from "../../settings/quantity";
import type { Settings } from "../../settings/schema";
import { volumeDefaults } from "../../settings/schema/backup";
import { connectionBudget } from "../../settings/sums/connections";
import { hugePages, memoryOf, memoryParts } from "../../settings/sums/memory";
import { outageHours, walReservesOf } from "../../settings/sums/wal";
import type { EngineTraits } from "../engines/planner";
import { costsOf } from "./costs";
import { type Case, failuresOf } from "./failures";
import type { Budget, Reliability } from "./model";

const GiB = 2 ** 30;

function connections(settings: Settings): Budget {
  const { parts, needed } = connectionBudget(settings);
  return {
    unit: "connections",
    parts: parts.map(({ name, connections: amount }) => ({ text: name, amount })),
    needed,
    limit: settings.cluster.maxConnections,
  };
}

function memory(settings: Settings, engine: EngineTraits): Budget {
  const { cluster } = settings;
  const parts = memoryOf(cluster, engine.besideServer?.bytes(settings));
  return {
    unit: "bytes",
    parts: memoryParts(parts, hugePages(cluster) !== undefined, engine.besideServer?.who).map(
      ({ text, bytes }) => ({ text, amount: Math.round(bytes) }),
    ),
    needed: Math.round(parts.total),
    limit: bytesOf(cluster.resources.limits.memory) ?? 0,
  };
}

function wal({ cluster }: Settings): Reliability["wal"] {
  const { volume, maxWalSize, walKeepSize } = walReservesOf(cluster);
  const { walSize, size, writeMiBPerSecond, toleratedOutageHours } = cluster.storage;
  const hours = outageHours(cluster);
  const reserved = maxWalSize + walKeepSize;
  const sum = `${walSize ?? size} less ${(reserved / GiB).toFixed(1)}Gi that max_wal_size and wal_keep_size may take`;
  const wanted = toleratedOutageHours === undefined ? "" : `, asked for are ${toleratedOutageHours} h`;
  return {
    volumeBytes: volume,
    own: walSize !== undefined,
    reservedBytes: Math.round(reserved),
    writeMiBPerSecond: writeMiBPerSecond ?? null,
    lastsHours: hours === undefined ? null : Math.floor(hours * 10) / 10,
    text:
      hours !== undefined
        ? `${sum}, at ${writeMiBPerSecond} MiB a second: ${(Math.floor(hours * 10) / 10).toString()} h${wanted}`
        : walSize === undefined
          ? `WAL is on the data volume (${size}): how long it lasts depends on how full that is`
          : `${sum}; the rate isn't known (cluster.storage.writeMiBPerSecond)`,
  };
}

/** Without a store it is an archive volume that has base backups and WAL. */
function recovery({ backup }: Settings, { can }: EngineTraits): Reliability["recovery"] {
  if (backup === undefined) return { targets: 0, windowDays: 0, rpoMinutes: null };
  const { targets, rpoMinutes, recoveryWindowDays, volume } = backup;
  const onVolume = targets.length === 0 && can.archiveVolume === true;
  return {
    targets: targets.length,
    windowDays: onVolume ? (volume ?? volumeDefaults).walRetentionDays : recoveryWindowDays,
    rpoMinutes,
  };
}

/** What a platform of these settings promises, has room for and costs: a pure function, without the Kubernetes cluster. */
export function reliabilityOf(of: Case): Reliability {
  const { settings, engine } = of;
  const { cluster } = settings;
  return {
    version: 1,
    cluster: `${cluster.namespace}/${cluster.name}`,
    engine: engine.name,
    failures: failuresOf(of),
    connections: connections(settings),
    memory: memory(settings, engine),
    wal: wal(settings),
    recovery: recovery(settings, engine),
    costs: costsOf(settings, engine),
  };
}
