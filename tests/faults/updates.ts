import { type Patches } from "../e2e/kit/engines";
import { loadRenamedImage, renamedImage } from "../e2e/kit/images";
import { type Look, until } from "../e2e/kit/wait";
import { type Fault } from "./fault";
import { type Scene } from "./scene";

/**
 * Updates that roll every instance, made by hand on the operator's object and taken back the same way, which rolls them again.
 * The pause is the longest of both rolls. What `make up` makes of such changes is another suite's subject (changes).
 */

/** What the engine's operator rolls instances after; a fault that needs it is not for an engine without. */
function patchesOf({ env }: Scene): Patches {
  const { patches } = env.cluster.kit;
  if (patches === undefined) throw new Error(`the engine ${env.engine.name} has no operator`);
  return patches;
}

const patch = async ({ env }: Scene, change: object): Promise<void> => {
  await env.cluster.patch(change);
};

type Ask = (scene: Scene, pod: string) => Promise<string>;

const answers = async (scene: Scene, ask: Ask): Promise<string[]> =>
  Promise.all((await scene.env.cluster.names()).map((pod) => ask(scene, pod)));

/** The roll has begun: an instance answers with the new value. */
async function begun(scene: Scene, ask: Ask, wanted: string): Promise<Look<string>> {
  const given = await answers(scene, ask);
  return given.includes(wanted) ? { done: wanted } : { why: given.join(", ") };
}

/** Waits until every instance answers with the new value and all are well. */
async function complete(scene: Scene, ask: Ask, wanted: string): Promise<void> {
  await until("every instance rolled", 300, async () => {
    const given = await answers(scene, ask);
    return given.every((answer) => answer === wanted) ? { done: undefined } : { why: given.join(", ") };
  });
  await scene.env.cluster.waitHealthy(300);
}

const PARAMETER = "track_activity_query_size";

const parameterOf: Ask = ({ env }, pod) => env.cluster.value(pod, `show ${PARAMETER}`);

const imageOf: Ask = async ({ env }, name) => {
  const pod = await env.kubectl.get("pod", env.cluster.namespace, name);
  const containers = (pod?.spec?.containers ?? []) as { name: string; image: string }[];
  return containers.find((container) => container.name === "postgres")?.image ?? "no such container";
};

/** Undoes the change, and waits for the roll back, which has a primary of its own to replace. */
async function back(scene: Scene, ask: Ask, former: string, spec: object): Promise<void> {
  await patch(scene, spec);
  await complete(scene, ask, former);
}

const restartingParameter: Fault = {
  id: "32",
  name: `parameter that needs a restart (${PARAMETER}), and back`,
  needs: ["operator"],
  bounds: { gap: { direct: 10, pooled: 11 }, noReadOnlyErrors: true },
  inject: async (scene) => {
    scene.notes.former = await scene.env.cluster.value(scene.before.primary, `show ${PARAMETER}`);
    await patch(scene, patchesOf(scene).parameter(PARAMETER, "2kB"));
  },
  effect: (scene) => begun(scene, parameterOf, "2kB"),
  hold: (scene) => complete(scene, parameterOf, "2kB"),
  heal: (scene) => {
    const former = String(scene.notes.former);
    return back(scene, parameterOf, former, patchesOf(scene).formerParameter(PARAMETER, former));
  },
};

const imageRoll: Fault = {
  id: "33",
  name: "image roll to the same PostgreSQL under another name, and back",
  builtIn: true,
  needs: ["operator"],
  bounds: { gap: { direct: 10, pooled: 11 }, noReadOnlyErrors: true },
  prepare: ({ env }) => loadRenamedImage(env.settings),
  inject: (scene) => patch(scene, patchesOf(scene).image(renamedImage(scene.env.settings))),
  effect: (scene) => begun(scene, imageOf, renamedImage(scene.env.settings)),
  hold: (scene) => complete(scene, imageOf, renamedImage(scene.env.settings)),
  heal: (scene) => {
    const former = scene.env.settings.images.postgresql;
    return back(scene, imageOf, former, patchesOf(scene).image(former));
  },
};

export const updateFaults: readonly Fault[] = [restartingParameter, imageRoll];
