import { type Acts, type ActScene, type Command, mergePatch, primaryOf, type Step } from "../acts";
import { fencedIn, fencingAnnotation, hibernationAnnotation } from "./onCall";
import { isCluster } from "./resources";

/** The same means as those of the operator's kubectl plugin: fields of the status, annotations, deletions. */

const resource = "clusters.postgresql.cnpg.io";

const annotate = (cluster: string, annotation: string): Step => ({
  kubectl: ["annotate", "--overwrite", resource, cluster, annotation],
});

/** The operator demotes the primary and has this instance promoted. */
const target = ({ cluster, instance = "", now }: ActScene, why: string): Step =>
  mergePatch(
    resource,
    cluster,
    {
      status: {
        targetPrimary: instance,
        targetPrimaryTimestamp: now,
        phase: "Switchover in progress",
        phaseReason: `${why} to ${instance}`,
      },
    },
    "--subresource=status",
  );

/**
 * The label by which Services find the primary. The operator sets it, too, but only when it has asked the old primary in vain for its state, twice: 4 s
 * after the promotion.
 */
const labelled = (pod: string, role: "primary" | "replica"): Command => ({
  kubectl: ["label", "--overwrite", "pod", pod, `cnpg.io/instanceRole=${role}`, `role=${role}`],
});

const deletePod = (pod: string, ...more: string[]): Step => ({
  kubectl: ["delete", "pod", pod, "--wait=false", ...more],
});

function fence({ cluster, object, instance = "" }: ActScene, on: boolean): Step {
  const fenced = fencedIn(object).filter((name) => name !== instance);
  const names = on ? [...fenced, instance] : instance === "*" ? [] : fenced;
  return annotate(
    cluster,
    names.length === 0 ? `${fencingAnnotation}-` : `${fencingAnnotation}=${JSON.stringify(names)}`,
  );
}

/** Who led until the operator took its label away, as it does of a primary that hangs: it waits for that one to end before another leads. */
function formerOf({ object, members, instance }: ActScene): string {
  const { currentPrimary = "" } = (isCluster(object) && object.status) || {};
  return currentPrimary !== instance && members.some(({ name }) => name === currentPrimary)
    ? currentPrimary
    : "";
}

export const acts = {
  switchover: (scene) => ({
    plan: [
      `${primaryOf(scene)} stops as primary and becomes a standby; ${scene.instance} is promoted. No commit is lost: the old primary hands over all of its WAL.`,
      "Clients of poolers wait meanwhile, some seconds; sessions that are connected directly, or by a session pool, end.",
    ],
    steps: [target(scene, "Switching over")],
    told: [labelled(primaryOf(scene), "replica"), labelled(scene.instance ?? "", "primary")],
    // The instance manager ends them all after a checkpoint.
    dropsSessions: true,
  }),
  failover: (scene) => {
    const primary = primaryOf(scene) || formerOf(scene);
    const lost = "Commits that no standby has are lost. The operator makes the old primary a standby again.";
    const promote = target(scene, "Failing over");
    if (primary === "")
      return {
        plan: [`${scene.instance} is promoted; no pod is called the primary.`, lost],
        steps: [promote],
      };
    return {
      plan: [
        `${primary} is deleted by force, without a chance to hand over, and ${scene.instance} is promoted.`,
        lost,
      ],
      // It may go meanwhile.
      steps: [promote, deletePod(primary, "--ignore-not-found", "--grace-period=0", "--force")],
    };
  },
  restart: (scene) => {
    const { cluster, instance = "" } = scene;
    return instance === primaryOf(scene)
      ? {
          plan: [
            `PostgreSQL restarts in ${instance}, the primary, in its place: writes pause until it is back, some seconds as a rule.`,
          ],
          steps: [
            mergePatch(
              resource,
              cluster,
              {
                status: {
                  phase: "Primary instance is being restarted in-place",
                  phaseReason: "Requested by the user",
                },
              },
              "--subresource=status",
            ),
          ],
        }
      : {
          plan: [`The pod ${instance}, a standby, is deleted and made again: its readers connect again.`],
          steps: [deletePod(instance)],
        };
  },
  restartAll: ({ cluster, now }) => ({
    plan: [
      "The operator restarts the standbys one after another, then the primary, after a switchover where there is a standby.",
      "Writes pause once, for some seconds.",
    ],
    steps: [annotate(cluster, `kubectl.kubernetes.io/restartedAt=${now}`)],
  }),
  reload: ({ cluster, now }) => ({
    plan: ["Every instance reads its configuration and its certificates again; nothing is interrupted."],
    steps: [annotate(cluster, `cnpg.io/reloadedAt=${now}`)],
  }),
  reinit: ({ cluster, instance = "" }) => ({
    plan: [
      `The standby ${instance} is deleted with its volumes; the operator makes another one, with a new number, by a copy of the primary.`,
      "Until it streams there is one standby less. With one standby left, cluster.durability decides whether writes wait.",
    ],
    steps: [
      {
        kubectl: [
          ...["delete", "persistentvolumeclaims", "--wait=false"],
          ...["-l", `cnpg.io/cluster=${cluster},cnpg.io/instanceName=${instance}`],
        ],
      },
      deletePod(instance),
    ],
  }),
  fence: (scene) => ({
    plan: [
      `PostgreSQL is stopped in ${scene.instance} and kept down; its pod and its data stay.`,
      ...(scene.instance === primaryOf(scene)
        ? ["It is the primary: WRITES STOP until `pgp unfence`; the operator promotes no other."]
        : []),
    ],
    steps: [fence(scene, true)],
  }),
  unfence: (scene) => ({
    plan: [
      `PostgreSQL is started again in ${scene.instance === "*" ? "every fenced instance" : scene.instance}.`,
    ],
    steps: [fence(scene, false)],
  }),
  hibernate: ({ cluster }) => ({
    plan: [
      "The operator stops every instance and deletes the pods; the volumes stay. PROGRAMS CAN'T CONNECT until `pgp wake`.",
    ],
    steps: [annotate(cluster, `${hibernationAnnotation}=on`)],
  }),
  wake: ({ cluster }) => ({
    plan: ["The operator starts every instance on its volumes."],
    steps: [annotate(cluster, `${hibernationAnnotation}=off`)],
  }),
  scale: ({ cluster, instances, members }) => ({
    plan: [
      `The cluster gets ${instances} instances; it has ${members.length}. A new one is a copy of the primary; one that goes takes its volumes with it.`,
      "The stack file still says another number: set cluster.instances too, or the next `pgp up` changes it back.",
    ],
    steps: [mergePatch(resource, cluster, { spec: { instances } })],
  }),
} satisfies Acts;
