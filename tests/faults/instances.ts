import { type Look, until } from "../e2e/kit/wait";
import { isReady } from "../../operations/kubectl";
import { type Fault } from "./fault";
import { type Scene } from "./scene";

/** Faults of the database's own processes, pods and volumes. */

/** Keeps these instances' PostgreSQL down, once it is, and lets all others start theirs. */
const fence = async ({ env }: Scene, pods: readonly string[]): Promise<void> =>
  env.cluster.kit.fence?.(env.cluster, pods);

const postgres = ({ name }: { name: string }) => name === "postgres";
const all = () => true;

async function standbysDown({ env, standbys }: Scene): Promise<Look<string>> {
  const pods = await env.cluster.instances();
  const up = pods.filter(
    (pod) => standbys.some((standby) => standby.pod === pod.metadata.name) && isReady(pod),
  );
  return up.length === 0 ? { done: "both standbys are down" } : { why: `${up.length} standbys are ready` };
}

export const killPostmaster: Fault = {
  id: "1",
  name: "postmaster killed with -9",
  bounds: { gap: { direct: 10 } },
  inject: ({ env, primary }) => env.cluster.killPostmaster(primary.pod),
  effect: (scene) => scene.restarted(),
};

const killInstanceManager: Fault = {
  id: "2",
  name: "process 1 of the primary's container killed with -9",
  builtIn: true,
  bounds: { gap: { direct: 25 } },
  inject: async (scene) => {
    const killed = await scene.signal(scene.primary, "SIGKILL", ({ inside }) => inside === 1);
    if (killed !== 1) throw new Error(`${killed} processes have the number 1 in ${scene.primary.pod}`);
  },
  effect: (scene) => scene.restarted(),
};

export const deletePrimary: Fault = {
  id: "3",
  name: "primary's pod deleted, grace 0",
  bounds: { gap: { direct: 10 } },
  inject: (scene) => scene.delete(scene.primary.pod),
  effect: (scene) => scene.failedOver(),
};

const IDLE_SESSIONS = 20;

export const deleteGracefully: Fault = {
  id: "4",
  name: `primary's pod deleted gracefully, ${IDLE_SESSIONS} idle pooled sessions`,
  bounds: { gap: { direct: 10 } },
  arm: async ({ clients, env, notes }) => {
    const { pooled } = clients;
    await pooled.background(env.pooler.host, "idle.py", "/data/idle", ["--sessions", String(IDLE_SESSIONS)]);
    notes.idleSessions = await until("idle sessions", 30, async () => {
      const ready = /^ready (\d+)$/m.exec(await pooled.file("/data/idle"))?.[1];
      return ready === undefined ? { why: "they aren't open yet" } : { done: Number(ready) };
    });
  },
  inject: async ({ env, primary }) => {
    await env.kubectl.run(["-n", env.cluster.namespace, "delete", "pod", primary.pod, "--wait=false"]);
  },
  effect: (scene) => scene.failedOver(),
  heal: async ({ clients }) => {
    await clients.pooled.exec(["bash", "-c", "touch /data/idle.stop; sleep 0.5; rm -f /data/idle*"]);
  },
};

const deletePrimaryVolume: Fault = {
  id: "5",
  name: "primary's pod and volume deleted",
  needs: ["standbys"],
  bounds: {},
  inject: (scene) => scene.env.cluster.deleteWithVolumes(scene.primary.pod),
  effect: (scene) => scene.failedOver(),
};

const deleteStandbyVolume: Fault = {
  id: "6",
  name: "a standby's pod and volume deleted",
  needs: ["standbys"],
  bounds: { gap: { direct: 1, pooled: 1 }, whole: 60 },
  inject: (scene) => scene.env.cluster.deleteWithVolumes(scene.two[0].pod),
  effect: (scene) => scene.gone(scene.two[0]),
};

const HOLD_SECONDS = 10;

const bothStandbysDown: Fault = {
  id: "7",
  name: "both standbys down (zero-loss: writes wait)",
  builtIn: true,
  needs: ["standbys"],
  bounds: { blocks: true, resumed: 30 },
  inject: async (scene) => {
    await fence(
      scene,
      scene.standbys.map(({ pod }) => pod),
    );
    for (const standby of scene.standbys) await scene.signal(standby, "SIGKILL", postgres);
  },
  effect: standbysDown,
  hold: async (scene) => {
    await scene.watch.waitBlocked(HOLD_SECONDS, 60);
    const { primary, timeline } = await scene.env.cluster.leadership();
    if (primary !== scene.before.primary || timeline !== scene.before.timeline)
      throw new Error(`${primary} was promoted while the primary was well`);
  },
  heal: (scene) => fence(scene, []),
  // For some 25 s after a fence is lifted an instance's manager sees nothing of the cluster: a failover within that time would wait for it.
  after: async ({ env, standbys }) => {
    for (const { pod } of standbys) await env.cluster.renewPod(pod);
  },
};

/** Another instance is to lead, whether or not that one could take over. */
async function successorChosen(scene: Scene): Promise<Look<string>> {
  const { successor = "none" } = await scene.env.cluster.view();
  return successor === scene.primary.pod
    ? { why: "no successor is chosen" }
    : { done: `${successor} is to lead` };
}

const STOPPED_SECONDS = 45;

const stopPrimary: Fault = {
  id: "9",
  name: "primary's PostgreSQL stopped with SIGSTOP, continued later",
  builtIn: true,
  needs: ["standbys"],
  bounds: { gap: { direct: STOPPED_SECONDS } },
  inject: async (scene) => {
    scene.notes.stopped = await scene.signal(scene.primary, "SIGSTOP", postgres);
  },
  effect: successorChosen,
  hold: (scene) => scene.writesMeanwhile(STOPPED_SECONDS),
  // Sessions from before continue with what they were about to do: nothing of it may be acknowledged any more.
  heal: async (scene) => {
    scene.notes.continued = await scene.signal(scene.primary, "SIGCONT", all);
  },
};

const deleteStopped: Fault = {
  ...stopPrimary,
  id: "9d",
  name: "primary's PostgreSQL stopped with SIGSTOP, its pod deleted by hand",
  bounds: { resumed: 20 },
  hold: () => Promise.resolve(),
  heal: (scene) => scene.deleteOnce(scene.primary.pod),
};

export const instanceFaults: readonly Fault[] = [
  killPostmaster,
  killInstanceManager,
  deletePrimary,
  deleteGracefully,
  deletePrimaryVolume,
  deleteStandbyVolume,
  bothStandbysDown,
  stopPrimary,
  deleteStopped,
];
