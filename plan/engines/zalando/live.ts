import { archiveIdToken } from "../../backup/store";
import type { Change, LiveReader, Progress, RestoreReader, Shape } from "../live";
import type { KubernetesObject, Variable } from "../../objects";
import { serverContainer } from "../../names";
import { acts } from "./acts";
import { logs } from "./logs";
import { onCall } from "./onCall";
import { instanceLabels } from "./names";
import { isPostgresql, type Postgresql } from "./resources";

/** Fields of the specification that are part of the instances' pods. */
const inPods = ["resources", "tls", "additionalVolumes", "sidecars"] as const;

/** Without what is drawn when the cluster is made. */
const timeless = (variable: Variable): Variable =>
  variable.name === "WALG_S3_PREFIX" && variable.value !== undefined
    ? { ...variable, value: variable.value.replace(/[^/]*$/, archiveIdToken) }
    : variable;

/** What a cluster object, planned or live, says of itself. */
function shape(object: KubernetesObject): Shape | undefined {
  if (!isPostgresql(object)) return undefined;
  const { spec = {} } = object;
  const { size = "", storageClass } = spec.volume ?? {};
  const version = spec.postgresql?.version;
  return {
    image: spec.dockerImage ?? "",
    ...(version !== undefined && { major: Number(version) }),
    instances: spec.numberOfInstances ?? 1,
    parameters: spec.postgresql?.parameters ?? {},
    pods: {
      ...Object.fromEntries(inPods.map((field) => [field, spec[field]])),
      // The image writes it out of the pod's environment.
      pg_hba: spec.patroni?.pg_hba,
      env: spec.env?.map(timeless),
    },
    data: { size, ...(storageClass !== undefined && { class: storageClass }) },
    // The operator is told to delete no claim.
    keepsVolumes: true,
  };
}

/** What of Kubernetes' own kinds is waited for. */
interface Live extends KubernetesObject {
  spec?: { minAvailable?: number };
  status?: {
    currentHealthy?: number;
    conditions?: { type: string; status: string; message?: string }[];
  };
}

function clusterProgress({ status = {} }: Postgresql): Progress {
  const { PostgresClusterStatus: said } = status;
  if (said === undefined) return { done: false, why: "the operator has not seen the cluster yet" };
  return said === "Running"
    ? { done: true, why: "the operator calls it running" }
    : { done: false, why: `the operator calls it ${said}` };
}

/** The budget that leaves one standby go counts the standbys that are ready. */
function standbyProgress({ spec = {}, status = {} }: Live): Progress {
  const wanted = (spec.minAvailable ?? 0) + 1;
  const ready = status.currentHealthy ?? 0;
  return { done: ready >= wanted, why: `${ready} of ${wanted} standbys ready` };
}

function jobProgress({ status = {} }: Live): Progress {
  const complete = status.conditions?.find(({ type }) => type === "Complete");
  if (complete?.status === "True") return { done: true, why: "applied" };
  const failed = status.conditions?.find(({ type, status: is }) => type === "Failed" && is === "True");
  return { done: false, why: failed?.message ?? "not applied yet" };
}

/** The operator's mark on an instance that its roll has not reached, which stays when it misses the end of the one before. */
const toBeMadeAnew = "zalando-postgres-operator-rolling-update-required";

const podProgress = ({ metadata }: Live): Progress =>
  metadata.annotations?.[toBeMadeAnew] === "true"
    ? { done: false, why: "the operator has yet to recreate it" }
    : { done: true, why: "nothing to wait for" };

function progress(object: KubernetesObject): Progress {
  if (isPostgresql(object)) return clusterProgress(object);
  const live: Live = object;
  if (live.kind === "PodDisruptionBudget") return standbyProgress(live);
  if (live.kind === "Job") return jobProgress(live);
  if (live.kind === "Pod") return podProgress(live);
  return { done: true, why: "nothing to wait for" };
}

/** Patroni writes the database's identifier there once it has begun. */
const restore: RestoreReader = {
  questions: [
    {
      ask: (cluster) => [
        ...["get", "endpoints", `${cluster}-config`, "--ignore-not-found"],
        ...["-o", "jsonpath={.metadata.annotations.initialize}"],
      ],
      begun: ({ exitCode, stdout }) => (exitCode === 0 ? stdout.trim() !== "" : undefined),
    },
  ],
  pods: { labels: instanceLabels, container: serverContainer },
  halfMade: (cluster) => [
    ["postgresqls.acid.zalan.do", cluster],
    // The operator is told to delete no claim.
    ["pods,persistentvolumeclaims", "-l", `cluster-name=${cluster}`],
    ["endpoints", `${cluster}-config`, `${cluster}-failover`, `${cluster}-sync`],
  ],
};

/** Patroni restarts PostgreSQL in the pods; only other pods need a switchover. */
function restarts({ of, planned }: Change): string | undefined {
  return of === "parameters" && planned.instances > 1
    ? "PostgreSQL restarts in the standbys one after another, then in the primary, without a switchover"
    : undefined;
}

// A base backup is asked for by a command, which tells by itself.
export const live: LiveReader = {
  shape,
  progress,
  baseBackup: () => undefined,
  restore,
  restarts,
  logs,
  onCall,
  acts,
};
