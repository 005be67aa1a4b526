import type { PlannedObject } from "../../../../plan/objects";
import { timings } from "../../../../plan/engines/zalando/timing";
import { pins } from "../../../../releases/pins";
import { type Settings } from "../../../../settings/schema";
import { type Cluster } from "../cluster";
import { type EngineKit } from "./kit";

/** Patroni's claim to lead: annotations of the Endpoints of the cluster's name. */
interface Leader {
  leader?: string;
  renewTime?: string;
}

async function leaderOf({ kubectl, namespace, name }: Cluster): Promise<Leader> {
  const endpoints = await kubectl.get("endpoints", namespace, name);
  return endpoints?.metadata.annotations ?? {};
}

/**
 * The timeline, by Patroni's history of the former ones. Its count of changes of the leader doesn't see a pod that was killed before it
 * let go of its claim, and whose successor of the same name takes that over: it is promoted all the same.
 */
async function timelineOf({ kubectl, namespace, name }: Cluster): Promise<number> {
  const endpoints = await kubectl.get("endpoints", namespace, `${name}-config`);
  return timelineAfter(endpoints?.metadata.annotations?.history);
}

/** Each entry of the history begins with the number of a timeline that has ended. */
export function timelineAfter(history = "[]"): number {
  const ended = (JSON.parse(history) as [number, ...unknown[]][]).map(([timeline]) => timeline);
  return Math.max(0, ...ended) + 1;
}

/** Stops or resumes the Patroni of an instance: without it PostgreSQL isn't started again. */
const signalPatroni = (signal: "STOP" | "CONT") =>
  `for folder in /proc/[0-9]*; do case "$(tr '\\0' ' ' <"$folder/cmdline" 2>/dev/null)" in /usr/bin/python3" "*/bin/patroni" "*) ` +
  `kill -${signal} "\${folder#/proc/}" ;; esac; done`;

/**
 * From the moment an election may begin to the first acknowledged row: Patroni's 2 s of patience with a silent peer, a promotion with a
 * standby that follows it, and a client's last attempt at the former primary (its connect_timeout, 2 s).
 */
const ELECTION_SECONDS = 4;

/** Longest pause after a primary is dead or cut off without a word. */
function cutOffSeconds(failover: Settings["cluster"]["failover"]): number {
  const { ttl, loop_wait: loop } = timings[failover];
  return ttl + loop + ELECTION_SECONDS;
}

/** What the platform tells Patroni and the server so that a failover is short and loses nothing. */
const tunedPatroni = [
  ...["ttl", "loop_wait", "retry_timeout", "maximum_lag_on_failover", "failsafe_mode"],
  ...["synchronous_mode", "synchronous_mode_strict", "synchronous_node_count"],
];
const tunedParameters = /^(wal_retrieve_retry_interval|tcp_.*)$/;

interface Postgresql {
  spec: { patroni: Record<string, unknown>; postgresql: { parameters: Record<string, string> } };
}

interface Job {
  spec: { template: { spec: { containers: { env: { name: string; value?: string }[] }[] } } };
}

/** An object of the plan with the operator's and Patroni's own values. */
function untuned(planned: PlannedObject): PlannedObject {
  const object = structuredClone(planned.object);
  if (object.kind === "postgresql") {
    const { spec } = object as unknown as Postgresql;
    const kept = <T>(values: Record<string, T>, keeps: (key: string) => boolean) =>
      Object.fromEntries(Object.entries(values).filter(([key]) => keeps(key)));
    spec.patroni = kept(spec.patroni, (key) => !tunedPatroni.includes(key));
    spec.postgresql.parameters = kept(spec.postgresql.parameters, (key) => !tunedParameters.test(key));
  }
  if (object.kind === "Job")
    for (const { env } of (object as unknown as Job).spec.template.spec.containers)
      for (const variable of env) if (variable.name === "PATRONI_CONFIGURATION") variable.value = "{}";
  return { ...planned, object };
}

/** The Zalando operator: Patroni in the pods decides who leads, and writes it into Kubernetes. */
export const zalando: EngineKit = {
  versions: {
    "Zalando operator": pins.builtOperators.zalando,
    "the data volume": "locked by the image built here, as Spilo doesn't",
  },
  async view(cluster) {
    const [{ leader }, term] = await Promise.all([leaderOf(cluster), timelineOf(cluster)]);
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
    return { primary: leader, successor: leader, term, illness };
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
  },
  drift: {
    patch: { spec: { patroni: { synchronous_mode_strict: false } } },
    path: "{.spec.patroni.synchronous_mode_strict}",
  },
  upkeep: {
    async spoil(cluster) {
      const [pod = ""] = await cluster.names();
      await cluster.exec(pod, ["patronictl", "edit-config", "--force", "--set", "primary_start_timeout=300"]);
    },
    async value(cluster) {
      const [pod = ""] = await cluster.names();
      const configuration = await cluster.exec(pod, ["patronictl", "show-config"]);
      return /^primary_start_timeout: (.*)$/m.exec(configuration)?.[1] ?? "not set";
    },
    cronJob: (name) => `${name}-upkeep`,
  },
  // The operator declares it for an extension of Spilo's, which this image doesn't have.
  silentPorts: [8080],
  synchronousNames: /\S/,
  untuned: {
    objects: (planned) => planned.filter(({ object }) => object.kind !== "CronJob").map(untuned),
    notes: [
      "operator's defaults: the same plan without what it says of failovers: Patroni's 30/10/10 s (ttl, loop_wait, retry_timeout), asynchronous replication, five minutes for a " +
        "dead server to start again, the server's own TCP timeouts and retry interval. Nothing promises that none of its rows is lost",
      "the operator makes no roles here, and its own pooler's image isn't built here: roles and pooler of this arm are ours",
      "both clusters run at the same time, on the same image, storage class and resources, and on the same operator, whose configuration is ours (failsafe mode, for one)",
    ],
  },
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
    "9": { gap: { direct: cutOffSeconds(failover) } },
    "11": { gap: { direct: cutOffSeconds(failover) } },
    "11n": { gap: { direct: cutOffSeconds(failover) } },
    "35": { gap: { direct: cutOffSeconds(failover) } },
  }),
};
