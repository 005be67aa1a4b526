import { setTimeout as delay } from "node:timers/promises";
import { down, network, power, status, up } from "../../local/cluster/cluster";
import { type Look, until } from "../e2e/kit/wait";
import { type Fault } from "./fault";
import { type Scene } from "./scene";

/** Faults that stop whole nodes. The clients are on other nodes, or they would stop too. */

const quiet = { detail: () => undefined, say: () => undefined };

async function nodeReady({ env }: Scene, node: string): Promise<boolean> {
  const found = await env.kubectl.get("node", "default", node);
  const conditions = (found?.status?.conditions ?? []) as { type: string; status: string }[];
  return conditions.some((condition) => condition.type === "Ready" && condition.status === "True");
}

/** The primary's node doesn't count as ready any more. */
async function nodeLost(scene: Scene): Promise<Look<string>> {
  const { node } = scene.primary;
  return (await nodeReady(scene, node)) ? { why: `${node} counts as ready` } : { done: `${node} is lost` };
}

const hasStandbys = ({ env }: Scene): boolean => env.engine.can.standbys === true;

async function switchOn(nodes: readonly string[]): Promise<void> {
  for (const node of nodes) await power(node, "on");
}

const primaryAndStandby: Fault = {
  id: "8",
  name: "nodes of the primary and of the only standby with all rows off: nobody may be promoted",
  builtIn: true,
  needs: ["standbys"],
  bounds: { blocks: true, resumed: 90 },
  nodes: ({ primary, two: [knowing] }) => [primary.node, knowing.node],
  prepare: (scene) => scene.operatorAwayFrom([scene.primary.node, scene.two[0].node]),
  // The other standby misses rows that were acknowledged: to promote it would lose them.
  arm: async ({ primary, two: [, missing], watch }) => {
    await network({ cut: [{ from: primary.address, to: missing.address }] });
    await watch.waitForMore(100);
  },
  inject: async ({ primary, two: [knowing] }) => {
    for (const { node } of [primary, knowing]) await power(node, "off");
  },
  effect: nodeLost,
  hold: async (scene) => {
    const [, missing] = scene.two;
    for (let second = 0; second < 15; second++) {
      const standby = await scene.env.cluster.value(missing.pod, "select pg_is_in_recovery()");
      if (standby !== "t") throw new Error(`${missing.pod} was promoted and misses acknowledged rows`);
      await delay(1000);
    }
  },
  heal: async ({ primary, two: [knowing] }) => {
    await network("heal");
    await switchOn([primary.node, knowing.node]);
  },
};

const drain: Fault = {
  id: "34",
  name: "primary's node drained, budgets respected",
  needs: ["standbys"],
  bounds: {},
  nodes: ({ primary }) => [primary.node],
  inject: async ({ env, primary }) => {
    const flags = ["--ignore-daemonsets", "--delete-emptydir-data", "--timeout=180s"];
    await env.kubectl.run(["drain", primary.node, ...flags]);
  },
  effect: (scene) => scene.failedOver(),
  hold: (scene) => scene.writesMeanwhile(),
  heal: async ({ env, primary }) => {
    await env.kubectl.run(["uncordon", primary.node]);
  },
};

const powerOff: Fault = {
  id: "35",
  name: "primary's node off, and on again after the failover, where there is one",
  builtIn: true,
  bounds: {},
  nodes: ({ primary }) => [primary.node],
  prepare: (scene) => scene.operatorAwayFrom([scene.primary.node]),
  inject: ({ primary }) => power(primary.node, "off"),
  effect: (scene) => (hasStandbys(scene) ? scene.failedOver() : nodeLost(scene)),
  hold: async (scene) => {
    if (hasStandbys(scene)) await scene.writesMeanwhile();
  },
  heal: ({ primary }) => switchOn([primary.node]),
};

const powerOffAnywhere: Fault = {
  ...powerOff,
  id: "35o",
  name: "primary's node off, the operator acting from it",
  needs: ["operator"],
  prepare: (scene) => scene.operatorOnto(scene.primary.node),
};

/** Seconds of the clock that the writers use: this machine's, which is their nodes'. */
const now = (): number => Number(process.hrtime.bigint()) / 1e9;

export const coldStart: Fault = {
  id: "36",
  name: "all nodes and the control plane off, and on again",
  builtIn: true,
  takesClients: true,
  bounds: {},
  inject: () => down(quiet),
  effect: async () => {
    const { state } = await status();
    return state === "stopped" ? { done: "nothing runs" } : { why: `the cluster is ${state}` };
  },
  heal: async (scene) => {
    const begun = now();
    const ready = until(
      "all nodes ready",
      300,
      async () => {
        const { nodes } = await status();
        const missing = nodes.filter((node) => !node.ready);
        return missing.length === 0 ? { done: now() } : { why: `${missing.length} nodes missing` };
      },
      200,
    );
    const [at] = await Promise.all([ready, up(quiet)]);
    scene.notes.begunAt = begun;
    scene.notes.nodesReadyAt = at;
  },
  figures: ({ notes }, logs) => {
    const ready = Number(notes.nodesReadyAt);
    const after = (acks: readonly { at: number }[]) =>
      (acks.find(({ at }) => at > Number(notes.begunAt))?.at ?? Infinity) - ready;
    return {
      "start to nodes ready": ready - Number(notes.begunAt),
      "nodes ready to direct write": after(logs.direct.acks),
      "nodes ready to pooled write": after(logs.pooled.acks),
    };
  },
};

export const nodeFaults: readonly Fault[] = [primaryAndStandby, drain, powerOff, powerOffAnywhere, coldStart];
