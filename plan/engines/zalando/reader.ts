import { type KubernetesObject, namespaceOf } from "../../objects";
import type { EngineReader, Facts } from "../reader";
import { durabilityAnnotation } from "../../names";
import { secondsOf } from "../../../settings/catalogue/values";
import { archiveFacts, baseBackupFacts, storeFacts } from "./backupFacts";
import {
  instanceLabels,
  operatorNamespace,
  operatorPodLabels,
  ports,
  services,
  spreadAnnotation,
} from "./names";
import { isPostgresql } from "./resources";

/** What Spilo writes where the object says nothing; the rules for people's logins by PAM are left out. */
const spiloRules = [
  "local all all trust",
  "local replication standby trust",
  "hostssl replication standby all md5",
  "hostnossl all all all reject",
  "hostssl all all all md5",
];

/** Fields that are left out count with the operator's or Spilo's own defaults, parameters with PostgreSQL's. */
function facts(object: KubernetesObject): Facts | undefined {
  if (!isPostgresql(object)) return undefined;
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
    get claimsZeroLoss() {
      return metadata.annotations?.[durabilityAnnotation] === "zero-loss";
    },
    // On unless the operator's configuration says otherwise.
    // The operator moves a single instance off a cordoned node, so that its budget keeps no drain waiting.
    get disruptionBudget() {
      return (spec.numberOfInstances ?? 1) > 1;
    },
    get requiredHostSpread() {
      return metadata.annotations?.[spreadAnnotation] === "required";
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
    get superuserAccess() {
      return Object.values(spec.users ?? {}).some((flags) => flags.includes("superuser"));
    },
    get hostBasedAccess() {
      return spec.patroni?.pg_hba ?? spiloRules;
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
      return secondsOf(parameter("archive_timeout", "1800s")) ?? 0;
    },
    get archive() {
      return archiveFacts(object);
    },
    get loadBalancers() {
      const sourceRanges = spec.allowedSourceRanges ?? [];
      return [
        ...(spec.enableMasterLoadBalancer === true ? [services.primary(metadata.name)] : []),
        ...(spec.enableReplicaLoadBalancer === true ? [services.standbys(metadata.name)] : []),
      ].map((service) => ({ service, sourceRanges }));
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

export const reader: EngineReader = {
  facts,
  storeFacts,
  baseBackupFacts,
  // The operator's own poolers are fields of its cluster object, and the platform makes none.
  poolerFacts: () => undefined,
};
