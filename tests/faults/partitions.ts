import { setTimeout as delay } from "node:timers/promises";
import { api, network, status } from "../../local/cluster/cluster";
import { type Cut } from "../../local/cluster/partition";
import { type Look } from "../e2e/kit/wait";
import { type Fault } from "./fault";
import { type Scene } from "./scene";

/** Cut cables and a silent API server: packets vanish without an error. Only the built-in cluster has such cables. */

/** At one moment: a standby that is cut off later than the synchronous one would be ahead of it, and rewind before it follows. */
const cutAll = (cut: readonly Cut[]) => network({ cut });

const healNetwork = () => network("heal");

/** Seconds after which a lease that isn't renewed is given up by every profile of ours. */
const STALE_SECONDS = 20;

/** The primary can't renew its claim to lead; it has its standbys and its clients, and should keep writing. */
async function claimStale({ env, notes }: Scene): Promise<Look<string>> {
  const { cluster } = env;
  const renewed = (await cluster.kit.renewal?.(cluster)) ?? "never";
  if (notes.renewed !== renewed) {
    notes.renewed = renewed;
    notes.since = Date.now();
  }
  const quiet = (Date.now() - Number(notes.since)) / 1000;
  return quiet > STALE_SECONDS
    ? { done: `renewed ${renewed}` }
    : { why: `renewed ${quiet.toFixed(0)} s ago` };
}

const fromApi: Fault = {
  id: "10",
  name: `primary cut from the API server for ${STALE_SECONDS} s: writes go on`,
  builtIn: true,
  bounds: { gap: { direct: 1, pooled: 1 } },
  inject: ({ primary }) => cutAll([{ from: primary.address, to: "api" }]),
  effect: claimStale,
  heal: healNetwork,
};

const fromApiAndPeers: Fault = {
  id: "11",
  name: "primary cut from the API server and its peers",
  builtIn: true,
  needs: ["standbys"],
  bounds: { gap: { direct: 45 } },
  inject: ({ primary, standbys }) =>
    cutAll([
      { from: primary.address, to: "api" },
      ...standbys.map(({ address }) => ({ from: primary.address, to: address })),
    ]),
  effect: (scene) => scene.failedOver(),
  hold: (scene) => scene.writesMeanwhile(),
  heal: healNetwork,
};

const nodeFromEverything: Fault = {
  id: "11n",
  name: "primary's node cut from everything",
  builtIn: true,
  needs: ["standbys"],
  bounds: {},
  nodes: ({ primary }) => [primary.node],
  prepare: (scene) => scene.operatorAwayFrom([scene.primary.node]),
  inject: ({ primary }) => cutAll([{ from: primary.node }]),
  effect: (scene) => scene.failedOver(),
  hold: (scene) => scene.writesMeanwhile(),
  heal: healNetwork,
};

const HOLD_SECONDS = 10;

const fromStandbys: Fault = {
  id: "12",
  name: "primary cut from both standbys only (zero-loss: writes wait)",
  builtIn: true,
  needs: ["standbys"],
  bounds: { blocks: true, resumed: 30 },
  inject: ({ primary, standbys }) =>
    cutAll(standbys.map(({ address }) => ({ from: primary.address, to: address }))),
  effect: async (scene) => {
    await scene.watch.waitBlocked(HOLD_SECONDS, 60);
    return { done: "writes wait" };
  },
  heal: healNetwork,
};

const stalled = (seconds: number, letter: string): Fault => ({
  id: `13${letter}`,
  name: `API server silent for ${seconds} s`,
  builtIn: true,
  bounds: {},
  inject: () => api({ stallSeconds: seconds }),
  effect: async () => {
    await delay(seconds * 1000);
    return { done: "it was silent" };
  },
  heal: async () => {
    await api("resume");
    const { state, faults } = await status();
    if (faults.length > 0) throw new Error(`the built-in cluster is ${state}: ${faults.join(", ")}`);
  },
});

export const partitionFaults: readonly Fault[] = [
  fromApi,
  fromApiAndPeers,
  nodeFromEverything,
  fromStandbys,
  stalled(2, "a"),
  stalled(5, "b"),
  stalled(10, "c"),
];
