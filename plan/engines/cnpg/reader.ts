import { joined } from "../../lists";
import { type KubernetesObject, namespaceOf } from "../../objects";
import { goBooleanOf } from "../../../settings/goBoolean";
import type { EngineReader, Facts, LoadBalancer, PoolerFacts } from "../reader";
import { durabilityAnnotation, outageAnnotations, topologyKeys } from "../../names";
import type { Labels } from "../../network";
import { openingOf } from "../../opening";
import { secondsOf } from "../../../settings/catalogue/values";
import { apart, spreadsBy, spreadsOverHosts, type SpreadTerm } from "../../pooler/spread";
import { sizesOf } from "../../pooler/facts";
import { archiveFacts, baseBackupFacts, storeFacts } from "./backupFacts";
import {
  clusterPodLabels,
  instanceLabels,
  instancePodLabels,
  operatorNamespace,
  operatorPodLabels,
  poolerPodLabels,
  ports,
} from "./names";
import { type Cluster, isCluster, isPooler, type ServiceTemplate } from "./resources";

/** How quorum failover was switched on before it was a field; it still counts. */
const quorumAnnotation = "alpha.cnpg.io/failoverQuorum";
/** What the operator puts behind the rules of the object. */
const closingRule = "host all all all scram-sha-256";

/** The Service that a template makes, where it is open beyond the Kubernetes cluster. */
function openedBy(template: ServiceTemplate | undefined, otherwise: string): LoadBalancer[] {
  const { name = otherwise, annotations } = template?.metadata ?? {};
  const opening = openingOf(name, template?.spec, annotations);
  return opening === undefined ? [] : [opening];
}

/** Labels of the instances; the operator may be told to hand on those of the Cluster. */
const podLabelsOf = ({ metadata, spec }: Cluster): Labels => ({
  ...metadata.labels,
  ...spec?.inheritedMetadata?.labels,
  ...instancePodLabels(metadata.name),
});

/** What keeps instances apart whatever else is: the operator's own term, and those beside it. */
function requiredTerms({ metadata, spec }: Cluster): readonly SpreadTerm[] {
  const { enablePodAntiAffinity = true, podAntiAffinityType, topologyKey = "" } = spec?.affinity ?? {};
  const more = spec?.affinity?.additionalPodAntiAffinity;
  return [
    ...(enablePodAntiAffinity && podAntiAffinityType === "required"
      ? [
          {
            topologyKey: topologyKey === "" ? topologyKeys.host : topologyKey,
            labelSelector: { matchLabels: instanceLabels(metadata.name) },
          },
        ]
      : []),
    ...(more?.requiredDuringSchedulingIgnoredDuringExecution ?? []),
  ];
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
          goBooleanOf(metadata.annotations?.[quorumAnnotation]) === true,
      };
    },
    get durability() {
      return metadata.annotations?.[durabilityAnnotation];
    },
    get disruptionBudget() {
      return spec.enablePDB ?? true;
    },
    get requiredHostSpread() {
      return spreadsBy(apart, requiredTerms(object), podLabelsOf(object));
    },
    get zoneSpread() {
      const terms = [...requiredTerms(object), ...(spec.topologySpreadConstraints ?? [])];
      return spreadsBy([topologyKeys.zone], terms, podLabelsOf(object));
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
      const tablespaces = (spec.tablespaces ?? []).map(({ storage }) => storage);
      return [spec.storage, spec.walStorage, ...tablespaces].flatMap(
        (storage) => storage?.storageClass ?? storage?.pvcTemplate?.storageClassName ?? [],
      );
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
      return joined(spec.postgresql?.pg_hba ?? [], [closingRule]);
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
    get furtherImages() {
      return (spec.postgresql?.extensions ?? []).flatMap(({ image }, index) =>
        image?.reference === undefined
          ? []
          : [{ path: `postgresql.extensions[${index}].image.reference`, image: image.reference }],
      );
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
      const { metadata: own, spec: pod } = spec.template ?? {};
      return spreadsOverHosts(pod, {
        ...own?.labels,
        ...poolerPodLabels(metadata.name, spec.cluster?.name ?? ""),
      });
    },
    get logins() {
      const { auth_type: type, client_tls_sslmode: tls } = spec.pgbouncer?.parameters ?? {};
      return { type, tls, hostBasedAccess: spec.pgbouncer?.pg_hba ?? [] };
    },
    get bareContainer() {
      const listed = spec.template?.spec?.containers ?? [];
      return listed.some(({ name }) => name === "pgbouncer") ? undefined : "pgbouncer";
    },
    get loadBalancers() {
      return openedBy(spec.serviceTemplate, metadata.name);
    },
    get pools() {
      const {
        default_pool_size: size,
        reserve_pool_size: reserve,
        max_db_connections: most,
      } = spec.pgbouncer?.parameters ?? {};
      return [
        {
          database: "*",
          service: `${spec.cluster?.name}-${spec.type ?? "rw"}`,
          ...sizesOf(size, reserve, most),
        },
      ];
    },
  };
  return [facts];
}

export const reader: EngineReader = { facts, storeFacts, baseBackupFacts, poolerFacts };
