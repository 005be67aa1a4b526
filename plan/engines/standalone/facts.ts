import type { Progress, Shape } from "../live";
import { type KubernetesObject, namespaceOf } from "../../objects";
import type { Facts } from "../reader";
import { durabilityAnnotation } from "../../names";
import { secondsOf } from "../../../settings/catalogue/index";
import { archiveFacts } from "./backupFacts";
import { podLabels, ports } from "./names";
import { isServer, serverContainer, serverOf } from "./server";

/** Parameters that are left out count with PostgreSQL's defaults. */
export function facts(object: KubernetesObject): Facts | undefined {
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
    claimsZeroLoss: metadata.annotations?.[durabilityAnnotation] === "zero-loss",
    disruptionBudget: false,
    requiredHostSpread: false,
    zoneSpread: false,
    dataChecksums: true,
    superuserAccess: false,
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

export function shape(object: KubernetesObject): Shape | undefined {
  if (!isServer(object)) return undefined;
  const { version, parameters, data, log, restored } = serverOf(object);
  const container = serverContainer(object);
  const beside = object.spec?.template?.spec?.initContainers;
  return {
    image: container?.image ?? "",
    major: Number(version),
    instances: object.spec?.replicas ?? 1,
    parameters,
    pods: {
      resources: container?.resources,
      // What they are told besides may be known only when the archive's ID is.
      ...(beside && { backup: beside.map(({ name, image }) => ({ name, image })) }),
    },
    data,
    ...(restored !== undefined && { restored }),
    ...(log && { log }),
    ...(object.status?.readyReplicas !== undefined && { primary: `${object.metadata.name}-0` }),
  };
}

export function progress(object: KubernetesObject): Progress {
  if (!isServer(object)) return { done: true, why: "nothing to wait for" };
  const { metadata, spec, status = {} } = object;
  const wanted = spec?.replicas ?? 1;
  const { readyReplicas: ready = 0, observedGeneration = 0, currentRevision, updateRevision } = status;
  if (observedGeneration < (metadata.generation ?? 0))
    return { done: false, why: "not looked at since its last change" };
  if (currentRevision !== updateRevision) return { done: false, why: "its pod is being recreated" };
  return {
    done: ready === wanted,
    why:
      ready === wanted
        ? `${ready} of ${wanted} instances ready`
        : `${ready} of ${wanted} instances ready; the log of the container config-reloader says what is missing`,
  };
}
