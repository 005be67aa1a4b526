import { type Look } from "../e2e/kit/wait";
import { deletePrimary } from "./instances";
import { type Fault } from "./fault";
import { type Scene } from "./scene";

/** Faults of the poolers, and failovers as a client behind a pooler sees them. */

/** The pooler pods of before are gone. */
async function replaced(scene: Scene, gone: readonly string[]): Promise<Look<string>> {
  const now = (await scene.poolers()).map(({ pod }) => pod);
  const left = now.filter((pod) => gone.includes(pod));
  return left.length === 0 ? { done: gone.join(", ") } : { why: `${left.join(", ")} still runs` };
}

const killOne: Fault = {
  id: "17",
  name: "the pooled client's own pooler pod killed",
  bounds: { gap: { direct: 1, pooled: 1 } },
  inject: async (scene) => {
    const via = (await scene.watch.writers.pooled.logSoFar()).sessions.at(-1)?.via;
    const own = (await scene.poolers()).find(({ address }) => address === via);
    if (own === undefined) throw new Error(`no pooler has the address ${via} that the client comes from`);
    scene.notes.pooler = own.pod;
    await scene.delete(own.pod);
  },
  effect: (scene) => replaced(scene, [String(scene.notes.pooler)]),
};

const killAll: Fault = {
  id: "18",
  name: "all pooler pods killed",
  bounds: { gap: { direct: 1 } },
  inject: async (scene) => {
    const pods = (await scene.poolers()).map(({ pod }) => pod);
    scene.notes.poolers = pods.join(" ");
    await Promise.all(pods.map((pod) => scene.delete(pod)));
  },
  effect: (scene) => replaced(scene, String(scene.notes.poolers).split(" ")),
};

const failoverBehindPooler: Fault = {
  ...deletePrimary,
  id: "19",
  name: "failover, direct and pooled client side by side",
  bounds: { gap: { direct: 10, pooled: 12 }, pooledLater: { median: 1, max: 2 }, noReadOnlyErrors: true },
};

export const poolerFaults: readonly Fault[] = [killOne, killAll, failoverBehindPooler];
