import { type KubernetesObject, namespaceOf } from "../../objects";
import type { EngineReader, Facts, LoadBalancer, PoolerFacts } from "../reader";
import { durabilityAnnotation, topologyKeys } from "../../names";
import { secondsOf } from "../../../settings/catalogue/values";
import { apart } from "../../pooler/spread";
import { archiveFacts, baseBackupFacts, storeFacts } from "./backupFacts";
import {
  instanceLabels,
  operatorNamespace,
  operatorPodLabels,
  ports,
  services,
  spreadAnnotation,
} from "./names";
import { askOperator, isOn, type OperatorFacts, saidOf, textOf, textsOf } from "./operatorFacts";
import { isPostgresql, type Postgresql } from "./resources";

/** What Spilo writes where the object says nothing; the rules for people's logins by PAM are left out. */
const spiloRules = [
  "local all all trust",
  "local replication standby trust",
  "hostssl replication standby all md5",
  "hostnossl all all all reject",
  "hostssl all all all md5",
];

const superusers = ({ spec }: Postgresql): string[] =>
  Object.entries(spec?.users ?? {})
    .filter(([, flags]) => Array.isArray(flags) && flags.some((flag) => /^superuser$/i.test(flag)))
    .map(([name]) => name);

/** What the operator lets in where the cluster's object lists no ranges. */
const nobodyElse = ["127.0.0.1/32"];

type Objects = readonly KubernetesObject[] | undefined;

/** Whether the operator opens a Service: what the cluster's object says, else its own configuration. */
function isOpened(said: boolean | undefined, key: string, objects: Objects): boolean {
  if (said !== undefined) return said;
  const operator = askOperator(key, objects);
  return operator !== undefined && isOn(operator, key, false);
}

/** A Service that the operator opens, for the ranges that the cluster's object lists. */
function opened(
  { spec = {} }: Postgresql,
  service: string,
  { more, objects }: { more: Record<string, string> | undefined; objects: Objects },
): LoadBalancer {
  const { allowedSourceRanges: ranges = [] } = spec;
  return {
    service,
    sourceRanges: ranges.length > 0 ? ranges : nobodyElse,
    get annotations() {
      const operator = askOperator("custom_service_annotations", objects);
      return {
        ...(operator && textsOf(operator, "custom_service_annotations")),
        ...spec.serviceAnnotations,
        ...more,
      };
    },
  };
}

/** Fields that are left out count with the operator's or Spilo's own defaults, parameters with PostgreSQL's. */
function facts(object: KubernetesObject, objects?: readonly KubernetesObject[]): Facts | undefined {
  if (!isPostgresql(object)) return undefined;
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
      return spec.numberOfInstances ?? 1;
    },
    get synchronous() {
      const {
        synchronous_mode: on = false,
        synchronous_mode_strict: strict = false,
        synchronous_node_count: count = 1,
      } = spec.patroni ?? {};
      // Only a standby that was synchronous may take over; with strict, none is left out of that.
      return { number: on ? count : 0, blocks: on && strict, quorum: on && strict };
    },
    get durability() {
      return metadata.annotations?.[durabilityAnnotation];
    },
    // The operator moves a single instance off a cordoned node, so that its budget keeps no drain waiting.
    get disruptionBudget() {
      if ((spec.numberOfInstances ?? 1) === 1) return false;
      const operator = askOperator("enable_pod_disruption_budget", objects);
      return operator === undefined || isOn(operator, "enable_pod_disruption_budget", true);
    },
    get requiredHostSpread() {
      const said = metadata.annotations?.[spreadAnnotation];
      if (said !== undefined) return said === "required";
      const operator = askOperator("enable_pod_antiaffinity", objects);
      return (
        operator &&
        isOn(operator, "enable_pod_antiaffinity", false) &&
        !isOn(operator, "pod_antiaffinity_preferred_during_scheduling", false) &&
        apart.includes(textOf(operator, "pod_antiaffinity_topology_key") ?? topologyKeys.host)
      );
    },
    get failsafe() {
      const said = spec.patroni?.failsafe_mode;
      if (said !== undefined) return said;
      const operator = askOperator("enable_patroni_failsafe_mode", objects);
      return operator && isOn(operator, "enable_patroni_failsafe_mode", false);
    },
    get follows() {
      return spec.standby === undefined ? undefined : "";
    },
    // The object has no field for it.
    zoneSpread: undefined,
    get dataChecksums() {
      return (spec.patroni?.initdb?.["data-checksums"] ?? "true") === "true";
    },
    // Its operator writes no seccomp profile and drops no capability.
    podSecurity: "baseline",
    get storageClasses() {
      return spec.volume?.storageClass === undefined ? [] : [spec.volume.storageClass];
    },
    superuserAccess: false,
    get superusers() {
      return superusers(object);
    },
    parameter: own,
    get hostBasedAccess() {
      const { pg_hba: own = [] } = spec.patroni ?? {};
      // The operator hands no empty list on.
      return own.length > 0 ? own : spiloRules;
    },
    get passwordEncryption() {
      return parameter("password_encryption", "md5");
    },
    get lowestTls() {
      return parameter("ssl_min_protocol_version", "TLSv1.2");
    },
    get image() {
      return spec.dockerImage ?? "";
    },
    get imageFromCatalog() {
      return spec.dockerImage === undefined;
    },
    get furtherImages() {
      const { sidecars = [], initContainers = [], connectionPooler: { dockerImage } = {} } = spec;
      const named = (path: string, image: string | undefined) =>
        image === undefined ? [] : [{ path, image }];
      return [
        ...sidecars.flatMap(({ image }, index) => named(`sidecars[${index}].image`, image)),
        ...initContainers.flatMap(({ image }, index) => named(`initContainers[${index}].image`, image)),
        ...named("connectionPooler.dockerImage", dockerImage),
      ];
    },
    get resources() {
      const { requests = {}, limits = {} } = spec.resources ?? {};
      const parts = [requests.cpu, requests.memory, limits.cpu, limits.memory];
      const operator = parts.includes(undefined) ? askOperator("default_memory_limit", objects) : undefined;
      const part = (kind: "requests" | "limits", resource: "cpu" | "memory") => {
        const amount =
          spec.resources?.[kind]?.[resource] ?? textOf(operator, `default_${resource}_${kind.slice(0, -1)}`);
        return amount === undefined ? {} : { [resource]: amount };
      };
      return {
        requests: { ...requests, ...part("requests", "cpu"), ...part("requests", "memory") },
        limits: { ...limits, ...part("limits", "cpu"), ...part("limits", "memory") },
      };
    },
    get sharedBuffers() {
      return parameter("shared_buffers", "128MB");
    },
    get maxConnections() {
      return Number(parameter("max_connections", "100"));
    },
    get archiveTimeoutSeconds() {
      return secondsOf(parameter("archive_timeout", "1800s")) ?? 0;
    },
    get archive() {
      return archiveFacts(object, objects);
    },
    get loadBalancers() {
      const { enableMasterLoadBalancer: master, enableReplicaLoadBalancer: replica } = spec;
      const isNew = master !== undefined || replica !== undefined;
      const { primary, standbys } = services;
      return [
        ...(isOpened(isNew ? master : spec.useLoadBalancer, "enable_master_load_balancer", objects)
          ? [opened(object, primary(metadata.name), { more: spec.masterServiceAnnotations, objects })]
          : []),
        ...(isOpened(isNew ? replica : spec.replicaLoadBalancer, "enable_replica_load_balancer", objects)
          ? [opened(object, standbys(metadata.name), { more: spec.replicaServiceAnnotations, objects })]
          : []),
      ];
    },
    get services() {
      return {
        primary: services.primary(metadata.name),
        standbys: services.standbys(metadata.name),
        any: services.any(metadata.name),
      };
    },
    get network() {
      return {
        pods: instanceLabels(metadata.name),
        operator: { namespace: operatorNamespace, labels: operatorPodLabels, statusPort: ports.status },
        ports: { postgres: ports.postgres, metrics: ports.metrics },
      };
    },
  };
}

/** What the operator has where neither the cluster nor its configuration says it. */
const poolerDefaults = { instances: 2, maxConnections: 60 };

/** What says whether a pooler's Service is open, and what is written on it. */
interface PoolerOpening {
  readonly said: boolean | undefined;
  readonly key: string;
  readonly more: Record<string, string> | undefined;
}

/** The operator's own poolers are fields of its cluster object; the platform makes none. */
function poolerFacts(object: KubernetesObject, objects?: readonly KubernetesObject[]): PoolerFacts[] {
  if (!isPostgresql(object)) return [];
  const { metadata, spec = {} } = object;
  const operator = (): OperatorFacts => askOperator("connection_pooler", objects) ?? {};
  const number = (said: number | undefined, key: string, otherwise: number): number =>
    said ?? (Number(saidOf(operator(), key) ?? otherwise) || otherwise);
  const one = (suffix: string, service: string, open: PoolerOpening): PoolerFacts => ({
    kind: "postgresql",
    get name() {
      return `${metadata.name}${suffix}`;
    },
    get namespace() {
      return namespaceOf(object);
    },
    get pods() {
      const pods = number(
        spec.connectionPooler?.numberOfInstances,
        "connection_pooler_number_of_instances",
        poolerDefaults.instances,
      );
      return { least: pods, most: pods };
    },
    get podLabels() {
      return { application: "db-connection-pooler", "connection-pooler": `${metadata.name}${suffix}` };
    },
    // Its Deployment gets an anti-affinity where the instances have one.
    get hostSpread() {
      const said = operator();
      return isOn(said, "enable_pod_antiaffinity", Object.keys(said).length === 0);
    },
    get loadBalancers() {
      const { said, key, more } = open;
      return isOpened(said, key, objects)
        ? [opened(object, `${metadata.name}${suffix}`, { more, objects })]
        : [];
    },
    get pools() {
      // It shares the limit among its pods.
      const most = number(
        spec.connectionPooler?.maxDBConnections,
        "connection_pooler_max_db_connections",
        poolerDefaults.maxConnections,
      );
      const { most: pods } = this.pods;
      const inAll = Math.max(1, Math.floor(most / Math.max(1, pods)));
      return [{ database: "*", service, perRole: inAll, inAll }];
    },
  });
  const isPooled = spec.enableConnectionPooler ?? spec.connectionPooler !== undefined;
  return [
    ...(isPooled
      ? [
          one("-pooler", services.primary(metadata.name), {
            said: spec.enableMasterPoolerLoadBalancer,
            key: "enable_master_pooler_load_balancer",
            more: spec.masterServiceAnnotations,
          }),
        ]
      : []),
    ...(spec.enableReplicaConnectionPooler === true
      ? [
          one("-pooler-repl", services.standbys(metadata.name), {
            said: spec.enableReplicaPoolerLoadBalancer,
            key: "enable_replica_pooler_load_balancer",
            more: spec.replicaServiceAnnotations,
          }),
        ]
      : []),
  ];
}

export const reader: EngineReader = { facts, storeFacts, baseBackupFacts, poolerFacts };
