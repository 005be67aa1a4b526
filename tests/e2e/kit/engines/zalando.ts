import { timings } from "../../../../components/engines/zalando/timing";
import { pins } from "../../../../local/pins";
import { type Settings } from "../../../../stacks/schema";
import { type Cluster } from "../cluster";
import { type EngineKit } from "./kit";

/** Patroni's claim to lead: annotations of the Endpoints of the cluster's name. */
interface Leader {
  leader?: string;
  renewTime?: string;
  transitions?: string;
}

async function leaderOf({ kubectl, namespace, name }: Cluster): Promise<Leader> {
  const endpoints = await kubectl.get("endpoints", namespace, name);
  return endpoints?.metadata.annotations ?? {};
}

/** Stops, or lets go on, the Patroni of an instance: a PostgreSQL that it doesn't see to isn't started again. */
const signalPatroni = (signal: "STOP" | "CONT") =>
  `for folder in /proc/[0-9]*; do case "$(tr '\\0' ' ' <"$folder/cmdline" 2>/dev/null)" in *"/bin/patroni "*) ` +
  `kill -${signal} "\${folder#/proc/}" ;; esac; done`;

/** Longest pause after a primary is dead or cut off without a word, by profile: ttl, and what follows its end. */
const cutOffSeconds: Readonly<Record<Settings["cluster"]["failover"], number>> = {
  fast: 23,
  standard: 27,
  patient: 42,
};

/** The Zalando operator: Patroni in the pods decides who leads, and writes it into Kubernetes. */
export const zalando: EngineKit = {
  versions: { "Zalando operator": pins.operators.zalando },
  async view(cluster) {
    const { leader, transitions = "0" } = await leaderOf(cluster);
    const { PostgresClusterStatus: state } = ((await cluster.object()).status ?? {}) as {
      PostgresClusterStatus?: string;
    };
    const [labelled] = (await cluster.instances()).filter((pod) => cluster.calledPrimary(pod));
    const illness =
      state !== "Running"
        ? `status: ${state}`
        : labelled?.metadata.name !== leader
          ? `${leader} leads, and the primary's label is at ${labelled?.metadata.name}`
          : undefined;
    return { primary: leader, successor: leader, term: Number(transitions), illness };
  },
  renewal: async (cluster) => String((await leaderOf(cluster)).renewTime),
  async fence(cluster, pods) {
    for (const pod of await cluster.names())
      await cluster.exec(pod, ["bash", "-c", signalPatroni(pods.includes(pod) ? "STOP" : "CONT")]);
  },
  patches: {
    parameter: (name, value) => ({ spec: { postgresql: { parameters: { [name]: value } } } }),
    // The operator takes nothing back that its object doesn't name any more.
    formerParameter: (name, value) => ({ spec: { postgresql: { parameters: { [name]: value } } } }),
    image: (name) => ({ spec: { dockerImage: name } }),
    size: {
      patch: (size) => ({ spec: { volume: { size } } }),
      of: (object) => (object as { spec: { volume: { size: string } } }).spec.volume.size,
    },
  },
  drift: {
    patch: { spec: { patroni: { synchronous_mode_strict: false } } },
    path: "{.spec.patroni.synchronous_mode_strict}",
  },
  synchronousNames: /\S/,
  watches: (name) => ({
    pod: {
      what: ["pods", "-l", `application=spilo,cluster-name=${name}`],
      print: "{.type} {.object.metadata.name} {.object.metadata.deletionTimestamp}",
    },
    // Patroni's claim stands where its Service finds the primary.
    lease: {
      what: ["endpoints", name],
      print: "{.object.metadata.annotations.leader} {.object.metadata.annotations.acquireTime}",
    },
    endpoints: {
      what: ["endpointslices", "-l", `kubernetes.io/service-name=${name}`],
      print: "{.object.endpoints}",
    },
  }),
  profileNotes: Object.entries(timings).map(
    ([profile, { ttl, loop_wait: loop, retry_timeout: retry }]) =>
      `${profile}: Patroni ${ttl}/${loop}/${retry} s (ttl, loop_wait, retry_timeout)`,
  ),
  bounds: (failover) => ({
    "9": { gap: { direct: cutOffSeconds[failover] } },
    "11": { gap: { direct: cutOffSeconds[failover] } },
    "11n": { gap: { direct: cutOffSeconds[failover] } },
    "35": { gap: { direct: cutOffSeconds[failover] } },
  }),
};
