import { appended, type KubernetesObject, namespaceOf } from "../../objects";
import { booleanOf } from "../../../settings/boolean";
import type { EngineReader, Facts, LoadBalancer, PoolerFacts } from "../reader";
import { durabilityAnnotation, outageAnnotations } from "../../names";
import { secondsOf } from "../../../settings/catalogue/values";
import { spreadsOverHosts } from "../../pooler/spread";
import { archiveFacts, baseBackupFacts, storeFacts } from "./backupFacts";
import { clusterPodLabels, operatorNamespace, operatorPodLabels, ports } from "./names";
import { isCluster, isPooler, type ServiceTemplate } from "./resources";

/** How quorum failover was switched on before it was a field; it still counts. */
const quorumAnnotation = "alpha.cnpg.io/failoverQuorum";
/** What the operator puts behind the rules of the object. */
const closingRule = "host all all all scram-sha-256";

/** The Service that a template makes, where it is open beyond the Kubernetes cluster. */
function openedBy(template: ServiceTemplate | undefined, otherwise: string): LoadBalancer[] {
  const { type, loadBalancerSourceRanges: sourceRanges = [] } = template?.spec ?? {};
  const { name: service = otherwise, annotations = {} } = template?.metadata ?? {};
  return type === "LoadBalancer" || type === "NodePort" ? [{ service, type, sourceRanges, annotations }] : [];
}

/** Fields that are left out count with the operator's own defaults, parameters with PostgreSQL's. */
function facts(object: KubernetesObject): Facts | undefined {
  if (!isCluster(object)) return undefined;
  const { metadata } = object;
  const spec = object.spec ?? {};
  const own = (name: string): string | undefined => spec.postgresql?.parameters?.[name];
  const parameter = (name: string, otherwise: string): string => own(name) ?? otherwise;
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
        quorum:
          (synchronous?.failoverQuorum ?? false) ||
          booleanOf(metadata.annotations?.[quorumAnnotation]) === true,
      };
    },
    get durability() {
      return metadata.annotations?.[durabilityAnnotation];
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
    get follows() {
      const { enabled, primary, source } = spec.replica ?? {};
      return enabled === true || (primary !== undefined && primary !== (spec.replica?.self ?? metadata.name))
        ? (source ?? primary ?? "")
        : undefined;
    },
    get dataChecksums() {
      return spec.bootstrap?.initdb?.dataChecksums ?? false;
    },
    podSecurity: "restricted",
    get storageClasses() {
      return [spec.storage?.storageClass, spec.walStorage?.storageClass].flatMap((name) => name ?? []);
    },
    get superuserAccess() {
      return spec.enableSuperuserAccess ?? false;
    },
    get superusers() {
      return (spec.managed?.roles ?? [])
        .filter(({ superuser, ensure }) => superuser === true && ensure !== "absent")
        .map(({ name }) => name);
    },
    get passwords() {
      const { initdb, recovery, pg_basebackup: copy } = spec.bootstrap ?? {};
      return [
        ...[initdb, recovery, copy].map((from) => ({
          role: from?.owner ?? from?.database ?? "app",
          secret: from?.secret?.name ?? "",
        })),
        ...(spec.managed?.roles ?? []).map(({ name, passwordSecret }) => ({
          role: name,
          secret: passwordSecret?.name ?? "",
        })),
      ].filter(({ secret }) => secret !== "");
    },
    get hostBasedAccess() {
      return appended(spec.postgresql?.pg_hba ?? [], closingRule);
    },
    parameter: own,
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
      return archiveFacts(object);
    },
    get walVolume() {
      return spec.walStorage?.size;
    },
    get claimsOutage() {
      const { [outageAnnotations.writeMiBPerSecond]: writeMiBPerSecond, [outageAnnotations.hours]: hours } =
        metadata.annotations ?? {};
      return writeMiBPerSecond === undefined && hours === undefined
        ? undefined
        : { writeMiBPerSecond, hours };
    },
    get loadBalancers() {
      return (spec.managed?.services?.additional ?? []).flatMap(({ serviceTemplate }) =>
        openedBy(serviceTemplate, ""),
      );
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

function poolerFacts(object: KubernetesObject): PoolerFacts[] {
  if (!isPooler(object)) return [];
  const { metadata, spec = {} } = object;
  const facts: PoolerFacts = {
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
    get logins() {
      const { auth_type: type, client_tls_sslmode: tls } = spec.pgbouncer?.parameters ?? {};
      return { type, tls, hostBasedAccess: spec.pgbouncer?.pg_hba ?? [] };
    },
    get loadBalancers() {
      return openedBy(spec.serviceTemplate, metadata.name);
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
  return [facts];
}

export const reader: EngineReader = { facts, storeFacts, baseBackupFacts, poolerFacts };
