import { setTimeout as delay } from "node:timers/promises";
import { poolerLabels } from "../../plan/names";
import type { Progress } from "../../shell/progress";
import { carryOut, planOf } from "../act";
import { inServer } from "../inContainer";
import { selectorOf } from "../kubectl";
import { type Found, instancePods, isCalledPrimary } from "../platform";

/** Faults that a drill can cause on a running platform by Kubernetes alone, and that the platform must get over by itself. */
export interface DrillFault {
  readonly name: string;
  readonly does: string;
  /** Why it can't be caused here; undefined where it can. */
  readonly lacks: (found: Found) => string | undefined;
  readonly cause: (found: Found, progress: Progress, signal: AbortSignal) => Promise<void>;
}

const always = (): undefined => undefined;
const alone = ({ platform }: Found): string | undefined =>
  platform.engine.can.standbys === true ? undefined : `the engine ${platform.engine.name} has no standby`;
const unpooled = ({ platform }: Found): string | undefined =>
  platform.settings.poolers.length > 0 ? undefined : "the platform has no pooler";

const podsOf = async ({ platform }: Found, primary: boolean): Promise<string[]> =>
  (await instancePods(platform))
    .filter((pod) => isCalledPrimary(platform.engine, pod) === primary)
    .map(({ metadata }) => metadata.name);

const deletePod = async (
  { platform: { kubectl, settings } }: Found,
  name: string | undefined,
  ...how: string[]
) => {
  if (name === undefined) throw new Error("there is no such pod");
  await kubectl.run(["-n", settings.cluster.namespace, "delete", "pod", name, "--wait=false", ...how]);
};

const PID = `psql -XAtqU postgres -c "select split_part(pg_read_file('postmaster.pid'), chr(10), 1)"`;

export const drillFaults: readonly DrillFault[] = [
  {
    name: "pod",
    does: "delete the primary's pod by force",
    lacks: always,
    cause: async (found) => deletePod(found, (await podsOf(found, true))[0], "--grace-period=0", "--force"),
  },
  {
    name: "postmaster",
    does: "kill the primary's postmaster with SIGKILL",
    lacks: always,
    cause: async (found) => {
      const [pod] = await podsOf(found, true);
      if (pod === undefined) throw new Error("there is no primary");
      // The container may end with it, and so may this command: what it says before is what tells.
      const { stdout, stderr } = await found.platform.kubectl.run(
        [
          ...inServer(found.platform, pod),
          ...["bash", "-c", `pid=$(${PID}) && [ -n "$pid" ] && echo "kills $pid" && kill -9 "$pid"`],
        ],
        { allowFailure: true, timeoutMs: 20_000 },
      );
      if (!stdout.includes("kills "))
        throw new Error(`the postmaster in ${pod} could not be killed: ${stderr.trim().split("\n").at(-1)}`);
    },
  },
  {
    name: "switchover",
    does: "hand the primary's role to a standby, as `pgp switchover` does",
    lacks: alone,
    cause: async (found, progress, signal) => {
      const wanted = { act: "switchover", command: "switchover" } as const;
      await carryOut(found, wanted, await planOf(found, wanted), progress, signal);
    },
  },
  {
    name: "standby",
    does: "delete a standby's pod by force",
    lacks: alone,
    cause: async (found) => deletePod(found, (await podsOf(found, false))[0], "--grace-period=0", "--force"),
  },
  {
    name: "pooler",
    does: "delete one pod of the first pooler",
    lacks: unpooled,
    cause: async (found) => {
      const { kubectl, settings } = found.platform;
      const [pooler] = settings.poolers;
      const pods = await kubectl.list(
        "pods",
        settings.cluster.namespace,
        selectorOf(poolerLabels(settings.cluster.name, pooler?.name ?? "")),
      );
      await deletePod(found, pods[0]?.metadata.name);
    },
  },
];

/** What a drill never causes, and the evidence says so. */
export const neverCaused = [
  "a lost node, or one cut off from the network",
  "a store of backups that is away, a full volume, a disk that stalls",
  "a server that hangs without ending",
  "the loss of everything but the store, and a restore",
];

export const pause = (seconds: number, signal: AbortSignal): Promise<void> =>
  delay(seconds * 1000, undefined, { signal });
