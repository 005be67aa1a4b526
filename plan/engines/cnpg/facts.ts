import type { Progress } from "../live";
import { type KubernetesObject, namespaceOf } from "../../objects";
import type { Facts, PoolerFacts, Resources } from "../reader";
import { durabilityAnnotation, outageAnnotations } from "../../names";
import { secondsOf } from "../../../settings/catalogue/values";
import { type Spreading, spreadsOverHosts } from "../../pgbouncer/spread";
import { archiveFacts, type Archived } from "./backupFacts";
import { apiVersion, clusterPodLabels, operatorNamespace, operatorPodLabels, ports } from "./names";

interface ServiceTemplate {
  metadata?: { name?: string };
  spec?: { type?: string; loadBalancerSourceRanges?: string[] };
}

/** The fields of a Cluster that are read here. */
interface Cluster extends KubernetesObject {
  spec?: {
    instances?: number;
    imageName?: string;
    imageCatalogRef?: object;
    plugins?: NonNullable<Archived["spec"]>["plugins"];
    walStorage?: { size?: string };
    resources?: Partial<Resources>;
    managed?: { services?: { additional?: { serviceTemplate?: ServiceTemplate }[] } };
    enablePDB?: boolean;
    enableSuperuserAccess?: boolean;
    affinity?: { enablePodAntiAffinity?: boolean; podAntiAffinityType?: string; topologyKey?: string };
    topologySpreadConstraints?: { topologyKey?: string }[];
    bootstrap?: { initdb?: { dataChecksums?: boolean } };
    postgresql?: {
      pg_hba?: string[];
      parameters?: Record<string, string>;
      synchronous?: { number?: number; dataDurability?: string; failoverQuorum?: boolean };
    };
  };
  status?: {
    phase?: string;
    phaseReason?: string;
    readyInstances?: number;
    conditions?: { type: string; status: string; message?: string }[];
    managedRolesStatus?: { cannotReconcile?: Record<string, string[]> };
  };
}

const isCluster = (object: KubernetesObject): object is Cluster =>
  object.apiVersion === apiVersion && object.kind === "Cluster";

/** How quorum failover was switched on before it was a field; it still counts. */
const quorumAnnotation = "alpha.cnpg.io/failoverQuorum";
/** What the operator puts behind the rules of the object. */
const closingRule = "host all all all scram-sha-256";

/** Fields that are left out count with the operator's own defaults, parameters with PostgreSQL's. */
export function facts(object: KubernetesObject): Facts | undefined {
  if (!isCluster(object)) return undefined;
  const { metadata } = object;
  const spec = object.spec ?? {};
  const parameter = (name: string, otherwise: string): string =>
    String(spec.postgresql?.parameters?.[name] ?? otherwise);
  return {
    get name() {
      return metadata.name;
    },
    get namespace() {
      return namespaceOf(object);
    },
    get instances() {
      return spec.instances ?? 1;
    },
    get synchronous() {
      const synchronous = spec.postgresql?.synchronous;
      return {
        number: synchronous?.number ?? 0,
        blocks: synchronous !== undefined && (synchronous.dataDurability ?? "required") === "required",
        quorum: (synchronous?.failoverQuorum ?? false) || metadata.annotations?.[quorumAnnotation] === "true",
      };
    },
    get claimsZeroLoss() {
      return metadata.annotations?.[durabilityAnnotation] === "zero-loss";
    },
    get disruptionBudget() {
      return spec.enablePDB ?? true;
    },
    get requiredHostSpread() {
      const { enablePodAntiAffinity = true, podAntiAffinityType, topologyKey } = spec.affinity ?? {};
      return (
        enablePodAntiAffinity &&
        podAntiAffinityType === "required" &&
        (topologyKey ?? "kubernetes.io/hostname") === "kubernetes.io/hostname"
      );
    },
    get zoneSpread() {
      return (spec.topologySpreadConstraints ?? []).some(
        ({ topologyKey }) => topologyKey === "topology.kubernetes.io/zone",
      );
    },
    get dataChecksums() {
      return spec.bootstrap?.initdb?.dataChecksums ?? false;
    },
    get superuserAccess() {
      return spec.enableSuperuserAccess ?? false;
    },
    get hostBasedAccess() {
      return [...(spec.postgresql?.pg_hba ?? []), closingRule];
    },
    get passwordEncryption() {
      return parameter("password_encryption", "scram-sha-256");
    },
    get lowestTls() {
      return parameter("ssl_min_protocol_version", "TLSv1.3");
    },
    get image() {
      return spec.imageName ?? "";
    },
    get imageFromCatalog() {
      return spec.imageCatalogRef !== undefined;
    },
    get resources() {
      const { requests = {}, limits = {} } = spec.resources ?? {};
      return { requests, limits };
    },
    get sharedBuffers() {
      return parameter("shared_buffers", "128MB");
    },
    get maxConnections() {
      return Number(parameter("max_connections", "100"));
    },
    get archiveTimeoutSeconds() {
      return secondsOf(parameter("archive_timeout", "5min")) ?? 0;
    },
    get archive() {
      return archiveFacts(object as Archived);
    },
    get walVolume() {
      return spec.walStorage?.size;
    },
    get claimsOutage() {
      const { [outageAnnotations.writeMiBPerSecond]: rate, [outageAnnotations.hours]: hours } =
        metadata.annotations ?? {};
      return rate === undefined || hours === undefined
        ? undefined
        : { writeMiBPerSecond: Number(rate), hours: Number(hours) };
    },
    get loadBalancers() {
      return (spec.managed?.services?.additional ?? [])
        .filter(({ serviceTemplate }) => serviceTemplate?.spec?.type === "LoadBalancer")
        .map(({ serviceTemplate }) => ({
          service: serviceTemplate?.metadata?.name ?? "",
          sourceRanges: serviceTemplate?.spec?.loadBalancerSourceRanges ?? [],
        }));
    },
    get services() {
      return { primary: `${metadata.name}-rw`, standbys: `${metadata.name}-ro`, any: `${metadata.name}-r` };
    },
    get network() {
      return {
        pods: clusterPodLabels(metadata.name),
        operator: { namespace: operatorNamespace, labels: operatorPodLabels, statusPort: ports.status },
        ports: { postgres: ports.postgres, metrics: ports.metrics },
      };
    },
  };
}

/** The fields of a Pooler that are read here. */
interface Pooler extends KubernetesObject {
  spec?: {
    cluster?: { name?: string };
    instances?: number;
    type?: string;
    template?: { spec?: Spreading };
    pgbouncer?: { parameters?: Record<string, string> };
  };
}

const isPooler = (object: KubernetesObject): object is Pooler =>
  object.apiVersion === apiVersion && object.kind === "Pooler";

export function poolerFacts(object: KubernetesObject): PoolerFacts | undefined {
  if (!isPooler(object)) return undefined;
  const { metadata, spec = {} } = object;
  return {
    kind: "Pooler",
    get name() {
      return metadata.name;
    },
    get namespace() {
      return namespaceOf(object);
    },
    get pods() {
      const pods = spec.instances ?? 1;
      return { least: pods, most: pods };
    },
    get podLabels() {
      return { "cnpg.io/poolerName": metadata.name };
    },
    get hostSpread() {
      return spreadsOverHosts(spec.template?.spec);
    },
    get pools() {
      const { default_pool_size: size, max_db_connections: most = "0" } = spec.pgbouncer?.parameters ?? {};
      return [
        {
          database: "*",
          service: `${spec.cluster?.name}-${spec.type ?? "rw"}`,
          perRole: Number(size ?? 20),
          ...(Number(most) > 0 && { inAll: Number(most) }),
        },
      ];
    },
  };
}

const healthy = "Cluster in healthy state";

interface Database extends KubernetesObject {
  metadata: KubernetesObject["metadata"] & { generation?: number };
  status?: {
    applied?: boolean;
    message?: string;
    observedGeneration?: number;
    schemas?: DatabasePart[];
    extensions?: DatabasePart[];
  };
}

interface DatabasePart {
  name: string;
  applied?: boolean;
  message?: string;
}

const isDatabase = (object: KubernetesObject): object is Database =>
  object.apiVersion === apiVersion && object.kind === "Database";

export function progress(object: KubernetesObject): Progress {
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
