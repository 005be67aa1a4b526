import { type Bounds } from "../../../faults/fault";
import { timings } from "../../../../plan/engines/cnpg/timing";
import { serviceHost } from "../../../../plan/names";
import { pins } from "../../../../releases/pins";
import { type KubeObject, resourceOf } from "../../../../operations/kubectl";
import { type Settings } from "../../../../settings/schema";
import { type EngineKit, type PlainCluster } from "./kit";

interface Status {
  phase?: string;
  readyInstances?: number;
  currentPrimary?: string;
  targetPrimary?: string;
  timelineID?: number;
}

/** Why the operator doesn't call the cluster well. */
function illnessOf({ spec, status = {} }: KubeObject): string | undefined {
  const { phase, readyInstances, currentPrimary, targetPrimary }: Status = status;
  if (phase !== "Cluster in healthy state") return `phase: ${phase}`;
  if (readyInstances !== spec?.instances) return `${readyInstances} instances ready`;
  if (currentPrimary !== targetPrimary) return `switching from ${currentPrimary} to ${targetPrimary}`;
  return undefined;
}

interface ProductSpec {
  imageName?: string;
  imageCatalogRef?: object;
  primaryLease?: object;
  storage: { size?: string; storageClass?: string };
  resources?: object;
}

const specOf = ({ spec }: KubeObject): ProductSpec => spec as unknown as ProductSpec;

const imageOf = ({ imageName, imageCatalogRef }: ProductSpec): object => ({
  ...(imageName !== undefined && { imageName }),
  ...(imageCatalogRef !== undefined && { imageCatalogRef }),
});

const storageOf = (size: string | undefined, { storage: { storageClass } }: ProductSpec): object => ({
  size,
  ...(storageClass !== undefined && { storageClass }),
});

const plain: PlainCluster = {
  asynchronous(product, namespace, name) {
    const spec = specOf(product);
    return [
      {
        apiVersion: product.apiVersion,
        kind: "Cluster",
        metadata: { name, namespace },
        spec: {
          instances: 2,
          ...imageOf(spec),
          ...(spec.primaryLease !== undefined && { primaryLease: spec.primaryLease }),
          storage: storageOf("1Gi", spec),
          resources: { requests: { cpu: "50m", memory: "128Mi" }, limits: { memory: "512Mi" } },
          postgresql: { parameters: { shared_buffers: "32MB" } },
        },
      },
    ];
  },
  defaults(product, { namespace, name, pooler }, images) {
    const spec = specOf(product);
    const { size } = spec.storage;
    return [
      {
        apiVersion: product.apiVersion,
        kind: "Cluster",
        metadata: { name, namespace },
        spec: {
          instances: 3,
          ...imageOf(spec),
          storage: storageOf(size, spec),
          ...(spec.resources !== undefined && { resources: spec.resources }),
          // The measuring client checks the server's name; the operator's certificate doesn't carry its pooler's.
          certificates: { serverAltDNSNames: [serviceHost(pooler, namespace)] },
        },
      },
      {
        apiVersion: product.apiVersion,
        kind: "Pooler",
        metadata: { name: pooler, namespace },
        spec: {
          cluster: { name },
          instances: 2,
          type: "rw",
          pgbouncer: { poolMode: "session", image: images.pgbouncer },
        },
      },
    ];
  },
  notes: [
    "operator's defaults: a raw Cluster of three instances and the operator's own Pooler (two pods, session mode) with nothing tuned. " +
      "Replication is asynchronous, as the operator leaves it: its writers wait for no standby, and nothing promises that none of their rows is lost",
    "both clusters run at the same time, on the same image, storage class and resources, and on the same operator, which is ours: a limit of one core (the released one " +
      "is a tenth) and a short TCP timeout of the standbys, for both",
  ],
  access: (name) => ({ service: `${name}-rw`, application: `${name}-app`, ca: `${name}-ca` }),
};

/** Longest pauses of the profiles that differ from `standard`, in seconds: what was measured, and about a fifth more. */
const profileBounds: Readonly<Record<Settings["cluster"]["failover"], Readonly<Record<string, Bounds>>>> = {
  fast: { "11": { gap: { direct: 30 } } },
  standard: {},
  patient: {
    "1": { gap: { direct: 20 } },
    "11": { gap: { direct: 110 } },
  },
};

/** CloudNativePG: the operator writes down who leads, and a lease of the cluster's name says so too. */
export const cnpg: EngineKit = {
  versions: { CloudNativePG: pins.builtOperators.cnpg },
  async view(cluster) {
    const object = await cluster.object();
    const { currentPrimary, targetPrimary, timelineID = 0 }: Status = object.status ?? {};
    return {
      primary: currentPrimary,
      successor: targetPrimary,
      term: timelineID,
      illness: illnessOf(object),
    };
  },
  async renewal({ kubectl, namespace, name }) {
    const lease = await kubectl.get("leases.coordination.k8s.io", namespace, name);
    return String(lease?.spec?.renewTime);
  },
  // The fencing annotation keeps an instance's PostgreSQL from being started.
  async fence({ kubectl, namespace, name, engine }, pods) {
    const { apiVersion, kind } = engine.clusterKind;
    const value =
      pods.length === 0 ? "cnpg.io/fencedInstances-" : `cnpg.io/fencedInstances=${JSON.stringify(pods)}`;
    const at = ["-n", namespace, "annotate", "--overwrite"];
    await kubectl.run([...at, resourceOf(apiVersion, kind), name, value]);
  },
  patches: {
    parameter: (name, value) => ({ spec: { postgresql: { parameters: { [name]: value } } } }),
    formerParameter: (name) => ({ spec: { postgresql: { parameters: { [name]: null } } } }),
    image: (name) => ({ spec: { imageName: name } }),
  },
  drift: {
    patch: { spec: { postgresql: { synchronous: { dataDurability: "preferred", failoverQuorum: false } } } },
    path: "{.spec.postgresql.synchronous.dataDurability}",
  },
  synchronousNames: /^ANY 1 \(/,
  plain,
  bounds: (failover) => profileBounds[failover],
  watches: (name) => ({
    pod: {
      what: ["pods", "-l", `cnpg.io/cluster=${name},cnpg.io/podRole=instance`],
      print: "{.type} {.object.metadata.name} {.object.metadata.deletionTimestamp}",
    },
    cluster: { what: ["clusters.postgresql.cnpg.io", name], print: "{.object.status.targetPrimary}" },
    lease: {
      what: ["leases.coordination.k8s.io", name],
      print: "{.object.spec.holderIdentity} {.object.spec.acquireTime}",
    },
    endpoints: {
      what: ["endpointslices", "-l", `kubernetes.io/service-name=${name}-rw`],
      // As JSON: kubectl's `range` prints nothing more once it has met an empty list.
      print: "{.object.endpoints}",
    },
  }),
  profileNotes: [
    ...Object.entries(timings).map(([profile, { primaryLease }]) => {
      const { leaseDurationSeconds, renewDeadlineSeconds, retryPeriodSeconds } = primaryLease;
      return `${profile}: lease ${leaseDurationSeconds}/${renewDeadlineSeconds}/${retryPeriodSeconds} s (duration, renewal deadline, retry)`;
    }),
    "operator's defaults: lease 15/10/2 s, asynchronous replication",
  ],
};
