import type { Facts, KubernetesObject, Progress } from "../../engine";
import { apiVersion } from "./names";

/** The fields of a Cluster that are read here. */
interface Cluster extends KubernetesObject {
  spec?: {
    instances?: number;
    imageName?: string;
    enablePDB?: boolean;
    enableSuperuserAccess?: boolean;
    affinity?: { enablePodAntiAffinity?: boolean; podAntiAffinityType?: string; topologyKey?: string };
    topologySpreadConstraints?: { topologyKey?: string }[];
    bootstrap?: { initdb?: { dataChecksums?: boolean } };
    postgresql?: {
      pg_hba?: string[];
      synchronous?: { number?: number; dataDurability?: string; failoverQuorum?: boolean };
    };
  };
  status?: {
    phase?: string;
    phaseReason?: string;
    readyInstances?: number;
    conditions?: { type: string; status: string; message?: string }[];
  };
}

const isCluster = (object: KubernetesObject): object is Cluster =>
  object.apiVersion === apiVersion && object.kind === "Cluster";

/** Fields that are left out count with the operator's own defaults. */
export function facts(object: KubernetesObject): Facts | undefined {
  if (!isCluster(object)) return undefined;
  const spec = object.spec ?? {};
  const { synchronous } = spec.postgresql ?? {};
  return {
    name: object.metadata.name,
    namespace: object.metadata.namespace ?? "default",
    instances: spec.instances ?? 1,
    synchronous: {
      number: synchronous?.number ?? 0,
      blocks: synchronous !== undefined && (synchronous.dataDurability ?? "required") === "required",
      quorum: synchronous?.failoverQuorum ?? false,
    },
    disruptionBudget: spec.enablePDB ?? true,
    requiredHostSpread:
      (spec.affinity?.enablePodAntiAffinity ?? true) &&
      spec.affinity?.podAntiAffinityType === "required" &&
      (spec.affinity.topologyKey ?? "kubernetes.io/hostname") === "kubernetes.io/hostname",
    zoneSpread: (spec.topologySpreadConstraints ?? []).some(
      ({ topologyKey }) => topologyKey === "topology.kubernetes.io/zone",
    ),
    dataChecksums: spec.bootstrap?.initdb?.dataChecksums ?? false,
    superuserAccess: spec.enableSuperuserAccess ?? false,
    hostBasedAccess: spec.postgresql?.pg_hba ?? [],
    image: spec.imageName ?? "",
  };
}

const healthy = "Cluster in healthy state";

const isDatabase = (
  object: KubernetesObject,
): object is KubernetesObject & { status?: { applied?: boolean; message?: string } } =>
  object.apiVersion === apiVersion && object.kind === "Database";

export function progress(object: KubernetesObject): Progress {
  if (isDatabase(object)) {
    const { applied = false, message } = object.status ?? {};
    return applied ? { done: true, why: "applied" } : { done: false, why: message ?? "not applied yet" };
  }
  if (!isCluster(object)) return { done: true, why: "nothing to wait for" };
  const wanted = object.spec?.instances ?? 1;
  const ready = object.status?.readyInstances ?? 0;
  const { phase, phaseReason, conditions } = object.status ?? {};
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
  return { done: true, why: `${ready} of ${wanted} instances ready` };
}
