import type { Progress } from "../live";
import type { KubernetesObject } from "../../objects";
import { apiVersion } from "./names";

/** Whether live objects of a cluster have got where they should be. */

interface Live extends KubernetesObject {
  spec?: { minAvailable?: number };
  status?: {
    PostgresClusterStatus?: string;
    currentHealthy?: number;
    conditions?: { type: string; status: string; message?: string }[];
    failed?: number;
  };
}

function clusterProgress({ status = {} }: Live): Progress {
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

export function progress(object: KubernetesObject): Progress {
  const live: Live = object;
  if (live.apiVersion === apiVersion && live.kind === "postgresql") return clusterProgress(live);
  if (live.kind === "PodDisruptionBudget") return standbyProgress(live);
  if (live.kind === "Job") return jobProgress(live);
  if (live.kind === "Pod") return podProgress(live);
  return { done: true, why: "nothing to wait for" };
}
