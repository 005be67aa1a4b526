import { randomBytes } from "node:crypto";
import { setTimeout as delay } from "node:timers/promises";
import type { Labels } from "../plan/network";
import { type StepContext } from "../shell/progress";
import { type Settings } from "../settings/schema";
import { type Kubectl, type KubeObject, selectorOf } from "./kubectl";

/** A pod that does one thing and goes. */
export interface ShortPod {
  /** Its name begins so. */
  readonly prefix: string;
  /** Labels by which pods of an interrupted command are found and deleted. */
  readonly labels: Labels;
  /** How long it may run. */
  readonly seconds: number;
  readonly pod: (name: string) => object;
}

const podStatus = (pod: KubeObject | undefined) => (pod?.status ?? {}) as { phase?: string; reason?: string };
const phase = (pod: KubeObject | undefined): string => podStatus(pod).phase ?? "unknown";

/** Runs it in the cluster's namespace until it has ended, and deletes it in any case; `lines` is what it printed. */
export async function runOnce(
  { kubectl, settings }: { readonly kubectl: Kubectl; readonly settings: Pick<Settings, "cluster"> },
  context: StepContext,
  { prefix, labels, seconds, pod }: ShortPod,
): Promise<{ succeeded: boolean; why: string; lines: string[] }> {
  const { namespace } = settings.cluster;
  const remove = (...what: string[]) =>
    kubectl.run(["-n", namespace, "delete", "pod", ...what, "--ignore-not-found", "--wait=false"]);
  await remove("-l", selectorOf(labels));
  const name = `${prefix}-${randomBytes(4).toString("hex")}`;
  await kubectl.apply(pod(name));
  try {
    const deadline = Date.now() + (seconds + 60) * 1000;
    let live = await kubectl.get("pod", namespace, name);
    while (live !== undefined && !["Succeeded", "Failed"].includes(phase(live)) && Date.now() <= deadline) {
      context.detail(`client pod ${phase(live)}`);
      await delay(500);
      live = await kubectl.get("pod", namespace, name);
    }
    const { stdout } = await kubectl.run(["-n", namespace, "logs", name], { allowFailure: true });
    const lines = stdout
      .trim()
      .split("\n")
      .filter((line) => line !== "");
    return { succeeded: phase(live) === "Succeeded", why: podStatus(live).reason ?? phase(live), lines };
  } finally {
    await remove(name);
  }
}
