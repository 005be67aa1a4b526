import {
  type Act,
  type Acts,
  type ActScene,
  instancesBefore,
  mergePatch,
  primaryOf,
  type Step,
} from "../acts";
import { isPostgresql } from "./resources";

/** Patroni's own command in a pod, and the number of instances in the operator's object. */

const resource = "postgresqls.acid.zalan.do";

/** Any instance's Patroni does what concerns the cluster. */
const patroni = ({ members, cluster }: ActScene, command: string, ...args: string[]): Step => ({
  pod: members.find(({ primary }) => !primary)?.name ?? members[0]?.name ?? "",
  command: ["patronictl", command, cluster, ...args, "--force"],
});

const numberOf = ({ object }: ActScene): number =>
  isPostgresql(object) ? (object.spec?.numberOfInstances ?? 1) : 1;

const instancesPatch = (cluster: string, instances: number, before?: string | null): Step =>
  mergePatch(resource, cluster, {
    spec: { numberOfInstances: instances },
    ...(before !== undefined && { metadata: { annotations: { [instancesBefore]: before } } }),
  });

const noFence = {
  because: "Patroni starts PostgreSQL again wherever it is stopped",
  instead: "take the instance out by `pgp scale`, or copy it again by `pgp reinit`",
};

function wake(scene: ActScene): Act {
  const before =
    Number(scene.object.metadata.annotations?.[instancesBefore] ?? 0) || (scene.instances ?? 0) || 1;
  return {
    plan: [`The operator starts ${before} instances on their volumes.`],
    steps: [instancesPatch(scene.cluster, before, null)],
  };
}

export const acts: Acts = {
  switchover: (scene) => ({
    plan: [
      `${primaryOf(scene)} stops as primary and becomes a standby; ${scene.instance} is promoted. No commit is lost: the old primary hands over all of its WAL.`,
      "Clients of poolers wait meanwhile, some seconds; sessions that are connected directly, or by a session pool, end.",
    ],
    steps: [patroni(scene, "switchover", "--candidate", scene.instance ?? "")],
  }),
  failover: (scene) => ({
    plan: [
      `${scene.instance} is promoted, whether ${primaryOf(scene) || "the old primary"} can hand over or not.`,
      "Commits that it doesn't have are lost; Patroni rewinds the old primary, or it is copied again.",
    ],
    steps: [patroni(scene, "failover", "--candidate", scene.instance ?? "")],
  }),
  restart: (scene) => ({
    plan: [
      scene.instance === primaryOf(scene)
        ? `PostgreSQL restarts in ${scene.instance}, the primary, in its place: writes pause until it is back, some seconds as a rule.`
        : `PostgreSQL restarts in the standby ${scene.instance}: its readers connect again.`,
    ],
    steps: [patroni(scene, "restart", scene.instance ?? "")],
  }),
  restartAll: (scene) => {
    const primary = primaryOf(scene);
    const standbys = scene.members.filter(({ name }) => name !== primary).map(({ name }) => name);
    return {
      plan: [
        "PostgreSQL restarts in the standbys one after another, then in the primary, in its place.",
        "Writes pause once, until the primary is back.",
      ],
      steps: [...standbys, primary].flatMap((name): Step[] => [
        patroni(scene, "restart", name),
        { wait: "ready" },
      ]),
    };
  },
  reload: (scene) => ({
    plan: ["Every instance reads its configuration and its certificates again; nothing is interrupted."],
    steps: [patroni(scene, "reload")],
  }),
  reinit: (scene) => ({
    plan: [
      `The data of the standby ${scene.instance} are deleted and copied again from another instance; its pod and its volume stay.`,
      "Until it streams there is one standby less. With one standby left, cluster.durability decides whether writes wait.",
    ],
    steps: [patroni(scene, "reinit", scene.instance ?? "")],
  }),
  fence: noFence,
  unfence: noFence,
  hibernate: (scene) => ({
    plan: [
      "The operator deletes every pod; the volumes stay. PROGRAMS CAN'T CONNECT until `pgp wake`.",
      "The next `pgp up` starts the instances again, too.",
    ],
    // Said again to a cluster that hibernates already, it must not forget how many there were.
    steps: numberOf(scene) === 0 ? [] : [instancesPatch(scene.cluster, 0, String(numberOf(scene)))],
  }),
  wake,
  scale: ({ cluster, instances = 1, members }) => ({
    plan: [
      `The cluster gets ${instances} instances; it has ${members.length}. A new one is a copy; the volume of one that goes stays.`,
      "The stack file still says another number: set cluster.instances too, or the next `pgp up` changes it back.",
    ],
    steps: [instancesPatch(cluster, instances)],
  }),
};
