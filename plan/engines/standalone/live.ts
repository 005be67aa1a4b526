import type { KubernetesObject } from "../../objects";
import type { BaseBackup, LiveReader, Progress, RestoreReader, Shape } from "../live";
import { serverContainer as serverContainerName } from "../../names";
import { acts } from "./acts";
import { logs } from "./logs";
import { onCall } from "./onCall";
import { names, podLabels } from "./names";
import { rolling } from "./rolling";
import { isBaseBackup, isServer, serverContainer, serverOf } from "./resources";

function shape(object: KubernetesObject): Shape | undefined {
  if (!isServer(object)) return undefined;
  const { version, parameters, data, log } = serverOf(object);
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
    ...(log && { log }),
    ...(object.status?.readyReplicas !== undefined && { primary: `${object.metadata.name}-0` }),
  };
}

function progress(object: KubernetesObject): Progress {
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

function baseBackup(object: KubernetesObject): BaseBackup | undefined {
  if (!isBaseBackup(object)) return undefined;
  const { conditions = [], failed = 0 } = object.status ?? {};
  const is = (type: string) => conditions.find((one) => one.type === type && one.status === "True");
  const failure = is("Failed");
  const logs = `the log of the Job ${object.metadata.name} says why`;
  if (is("Complete")) return { phase: "done", why: "made" };
  if (failure)
    return { phase: "failed", why: `${failure.message ?? failure.reason ?? "it failed"}; ${logs}` };
  return { phase: "running", why: failed === 0 ? "at work" : `failed ${failed} times; ${logs}` };
}

/** What the data themselves say: they are there, and the server has ended its recovery. */
const BEGUN =
  "import os; data = os.environ['PGDATA']; " +
  "print('begun' if os.path.exists(data) and not os.path.exists(data + '/recovery.signal') else 'half')";

const restore: RestoreReader = {
  questions: [
    {
      ask: (cluster) => ["exec", `${cluster}-0`, "-c", "archiver", "--", "python3", "-c", BEGUN],
      begun: ({ exitCode, stdout }) => (exitCode === 0 ? stdout.trim() === "begun" : undefined),
    },
    {
      // The container that fetches the base backup has not ended; its log stays when it has.
      ask: (cluster) => ["logs", `${cluster}-0`, "-c", "restore", "--tail=20"],
      begun: ({ exitCode, stdout }) =>
        exitCode === 0 &&
        /base backup/.test(stdout) &&
        !/there are data|the server recovers from here/.test(stdout)
          ? false
          : undefined,
    },
    {
      // A cluster without any of its claims has no data either.
      ask: (cluster) => [
        "get",
        "persistentvolumeclaim",
        names.data(cluster),
        "--ignore-not-found",
        "-o",
        "name",
      ],
      begun: ({ exitCode, stdout }) => (exitCode === 0 && stdout.trim() === "" ? false : undefined),
    },
  ],
  pods: { labels: podLabels, container: serverContainerName },
  halfMade: (cluster) => [
    ["statefulset", cluster],
    ["pod", `${cluster}-0`],
    ["persistentvolumeclaim", names.data(cluster), names.wal(cluster), names.archive(cluster)],
  ],
};

export const live: LiveReader = { shape, progress, baseBackup, restore, logs, onCall, acts, rolling };
