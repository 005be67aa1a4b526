import type {
  BaseBackup,
  Change,
  FullVolumes,
  LiveReader,
  Progress,
  RestoreReader,
  Shape,
  UpgradeReader,
  VolumeShape,
} from "../live";
import type { KubernetesObject } from "../../objects";
import { objectIn, said } from "../../logs/record";
import { acts } from "./acts";
import { logs } from "./logs";
import { onCall } from "./onCall";
import { clusterPodLabels } from "./names";
import { addsPlugin, rolling } from "./rolling";
import { isBackup, isCluster, isDatabase, type Storage } from "./resources";

const resource = "clusters.postgresql.cnpg.io";

/** Fields of the specification that are part of the instances' pods. */
const inPods = [
  "resources",
  "affinity",
  "priorityClassName",
  "topologySpreadConstraints",
  "probes",
  "stopDelay",
] as const;

const volumeOf = ({ size, storageClass }: Storage): VolumeShape => ({
  size: size ?? "",
  ...(storageClass !== undefined && { class: storageClass }),
});

/** The major version that an image's tag begins with. */
const majorOf = (image: string): number | undefined => {
  const found = /:(\d+)[^/]*$/.exec(image)?.[1];
  return found === undefined ? undefined : Number(found);
};

/** What a Cluster, planned or live, says of itself; for a live one the data's own major version counts. */
function shape(object: KubernetesObject): Shape | undefined {
  if (!isCluster(object)) return undefined;
  const { spec = {}, status = {} } = object;
  const image = spec.imageName ?? status.image ?? "";
  const major = status.pgDataImageInfo?.majorVersion ?? majorOf(image);
  return {
    image,
    ...(major !== undefined && { major }),
    instances: spec.instances ?? 1,
    parameters: spec.postgresql?.parameters ?? {},
    pods: {
      ...Object.fromEntries(inPods.map((field) => [field, spec[field]])),
      // Each has a sidecar in the pods; what it is told besides is read while it runs.
      plugins: spec.plugins?.map(({ name }) => name),
      // The plugin mounts the CA of a restore's source, too.
      restore: spec.externalClusters?.map(({ name }) => name),
    },
    ...(spec.certificates && {
      certificates: `${spec.certificates.serverTLSSecret} ${spec.certificates.serverCASecret}`,
    }),
    data: volumeOf(spec.storage ?? {}),
    ...(status.currentPrimary !== undefined && { primary: status.currentPrimary }),
    ...(spec.walStorage && { log: volumeOf(spec.walStorage) }),
  };
}

/**
 * An instance whose Cluster names a plugin that its pod doesn't have yet loads no other certificate, and the operator, which recreates the pods, first wants to read
 * each instance's state by the new CA: both wait for ever.
 */
function certificatesApart(from: Shape, to: Shape): ReturnType<NonNullable<LiveReader["certificatesApart"]>> {
  const plugins = ({ pods }: Shape) => (pods.plugins ?? []) as readonly string[];
  const added = plugins(to).some((name) => !plugins(from).includes(name));
  return added && from.certificates !== to.certificates
    ? {
        beside: "backup is added",
        because:
          "an instance takes the other certificate only with its new sidecar, and the operator gives it the sidecar only once it trusts that certificate",
      }
    : undefined;
}

const healthy = "Cluster in healthy state";

function progress(object: KubernetesObject): Progress {
  if (isDatabase(object)) {
    const {
      applied = false,
      message,
      observedGeneration,
      schemas = [],
      extensions = [],
    } = object.status ?? {};
    if (!applied) {
      const part = [...schemas, ...extensions].find((one) => one.applied === false);
      const why = part?.message === undefined ? message : `${part.name}: ${part.message}`;
      return { done: false, why: why ?? "not applied yet" };
    }
    // What was applied may be what the object said before.
    return observedGeneration === object.metadata.generation
      ? { done: true, why: "applied" }
      : { done: false, why: "not looked at since its last change" };
  }
  if (!isCluster(object)) return { done: true, why: "nothing to wait for" };
  const wanted = object.spec?.instances ?? 1;
  const ready = object.status?.readyInstances ?? 0;
  const { phase, phaseReason, conditions, managedRolesStatus } = object.status ?? {};
  if (phase === undefined) return { done: false, why: "the operator has not seen the cluster yet" };
  if (phase !== healthy)
    return {
      done: false,
      why: `${phase}${phaseReason === undefined || phaseReason === "" ? "" : ` (${phaseReason})`}, ${ready} of ${wanted} instances ready`,
    };
  if (ready !== wanted) return { done: false, why: `${ready} of ${wanted} instances ready` };
  const condition = conditions?.find(({ type }) => type === "Ready");
  if (condition?.status !== "True")
    return { done: false, why: condition?.message ?? "the cluster does not call itself ready yet" };
  const archiving = conditions?.find(({ type }) => type === "ContinuousArchiving");
  if ((object.spec?.plugins?.length ?? 0) > 0 && archiving?.status !== "True")
    return {
      done: false,
      why: `WAL is not archived: ${archiving?.message ?? "no segment was tried yet"}`,
    };
  const [refused] = Object.entries(managedRolesStatus?.cannotReconcile ?? {});
  if (refused) return { done: false, why: `the role ${refused[0]} can't be made: ${refused[1].join(", ")}` };
  return { done: true, why: `${ready} of ${wanted} instances ready` };
}

function baseBackup(object: KubernetesObject): BaseBackup | undefined {
  if (!isBackup(object)) return undefined;
  const { phase = "asked for", error } = object.status ?? {};
  return {
    phase: phase === "completed" ? "done" : phase === "failed" ? "failed" : "running",
    why: error ?? phase,
  };
}

/** CloudNativePG waits with everything else, a larger size too, until the volume has room. */
const fullVolumes: FullVolumes = {
  stopped: (object) => isCluster(object) && object.status?.phase === "Not enough disk space",
  claims: clusterPodLabels,
  role: ({ metadata }) => {
    const role = metadata.labels?.["cnpg.io/pvcRole"];
    return role === "PG_WAL" ? "log" : role === "PG_DATA" ? "data" : undefined;
  },
};

/** The instance says so itself, once it has ended its recovery and leads. */
const restore: RestoreReader = {
  questions: [
    {
      ask: (cluster) => [
        "get",
        resource,
        cluster,
        "--ignore-not-found",
        "-o",
        "jsonpath={.status.currentPrimary}",
      ],
      begun: ({ exitCode, stdout }) => (exitCode === 0 ? stdout.trim() !== "" : undefined),
    },
  ],
  pods: {
    labels: (cluster) => ({ "cnpg.io/cluster": cluster, "cnpg.io/jobRole": "full-recovery" }),
    container: "full-recovery",
  },
  halfMade: (cluster) => [
    [resource, cluster],
    // They go with it; but the next one of this name must find none.
    ["jobs,pods,persistentvolumeclaims", "-l", `cnpg.io/cluster=${cluster}`],
  ],
};

/** Parameters that standbys must have no smaller than the primary. */
const HELD_BY_STANDBYS = new Set([
  "max_connections",
  "max_prepared_transactions",
  "max_wal_senders",
  "max_worker_processes",
  "max_locks_per_transaction",
]);

function restarts({ live, planned, of, parameters }: Change): string | undefined {
  if (planned.instances < 2) return undefined;
  // The operator can't demote a primary that lacks the container that archives.
  if (of === "pods" && addsPlugin(live, planned))
    return "the standbys are recreated one after another, then the primary in its place, without a switchover: writes pause until it is back";
  const smaller = parameters.filter(
    (name) => HELD_BY_STANDBYS.has(name) && Number(planned.parameters[name]) < Number(live.parameters[name]),
  );
  if (of === "parameters" && smaller.length > 0)
    return `the primary restarts first, in its place, since standbys may have no smaller ${smaller.join(", ")}; then the standbys`;
  return undefined;
}

const upgrade: UpgradeReader = {
  pods: {
    labels: (cluster) => ({ ...clusterPodLabels(cluster), "cnpg.io/jobRole": "major-upgrade" }),
    container: "major-upgrade",
  },
  words: (log) =>
    log
      .split("\n")
      .map(objectIn)
      .map((record) => (record?.logger === "pg_upgrade" ? said(record.msg).trim() : ""))
      .filter((message) => message !== "")
      .slice(-4)
      .join(" "),
};

export const live: LiveReader = {
  shape,
  progress,
  baseBackup,
  fullVolumes,
  restore,
  restarts,
  certificatesApart,
  operatorRestarts:
    "every instance of every cluster of this operator restarts, the primary last: its own program runs in them",
  logs,
  upgrade,
  onCall,
  acts,
  rolling,
};
