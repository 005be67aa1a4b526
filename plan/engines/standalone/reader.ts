import { type KubernetesObject, namespaceOf } from "../../objects";
import type { EngineReader, Facts } from "../reader";
import { drainsAnnotation, durabilityAnnotation } from "../../names";
import { secondsOf } from "../../../settings/catalogue/index";
import { archiveFacts, baseBackupFacts, storeFacts } from "./backupFacts";
import { podLabels, ports } from "./names";
import { isServer, serverContainer, serverOf } from "./resources";

/** Parameters that are left out count with PostgreSQL's defaults. */
function facts(object: KubernetesObject): Facts | undefined {
  if (!isServer(object)) return undefined;
  const { metadata, spec = {} } = object;
  const server = serverOf(object);
  const parameter = (name: string, otherwise: string): string => server.parameters[name] ?? otherwise;
  return {
    name: metadata.name,
    get namespace() {
      return namespaceOf(object);
    },
    get instances() {
      return spec.replicas ?? 1;
    },
    synchronous: { number: 0, blocks: false, quorum: false },
    durability: metadata.annotations?.[durabilityAnnotation],
    // The budget is an object of its own.
    disruptionBudget: metadata.annotations?.[drainsAnnotation] === "wait",
    requiredHostSpread: false,
    zoneSpread: false,
    dataChecksums: true,
    podSecurity: "restricted",
    // Its claims are objects of their own.
    storageClasses: [],
    superuserAccess: false,
    superusers: [],
    parameter: (name) => server.parameters[name],
    hostBasedAccess: server.hostBasedAccess,
    passwordEncryption: parameter("password_encryption", "scram-sha-256"),
    lowestTls: parameter("ssl_min_protocol_version", "TLSv1.2"),
    get image() {
      return serverContainer(object)?.image ?? "";
    },
    imageFromCatalog: false,
    get resources() {
      const { requests = {}, limits = {} } = serverContainer(object)?.resources ?? {};
      return { requests, limits };
    },
    sharedBuffers: parameter("shared_buffers", "128MB"),
    maxConnections: Number(parameter("max_connections", "100")),
    archiveTimeoutSeconds: secondsOf(parameter("archive_timeout", "0")) ?? 0,
    get archive() {
      return archiveFacts(object);
    },
    loadBalancers: [],
    services: { primary: metadata.name, standbys: metadata.name, any: metadata.name },
    network: { pods: podLabels(metadata.name), ports },
  };
}

export const reader: EngineReader = { facts, storeFacts, baseBackupFacts, poolerFacts: () => [] };
