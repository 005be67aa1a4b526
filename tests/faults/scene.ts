import { isReady } from "../../operations/kubectl";
import { type Leadership, podStatus } from "../e2e/kit/cluster";
import { type Environment } from "../e2e/kit/environment";
import { type Clients } from "../e2e/kit/fixture";
import { type Watch } from "../e2e/kit/observation";
import { type Look, until } from "../e2e/kit/wait";
import { type KubeObject } from "../../operations/kubectl";
import { containerProcesses } from "./processes";

/** An instance or pooler as it was before the fault. */
export interface Member {
  pod: string;
  uid: string;
  node: string;
  address: string;
  container: string;
}

const KEEP_AWAY = "pgplatform.io/faults";
const operatorSelector = "app.kubernetes.io/name=cloudnative-pg";

const memberOf = (pod: KubeObject, container: string): Member => {
  const statuses = (pod.status?.containerStatuses ?? []) as { name: string; containerID?: string }[];
  return {
    pod: pod.metadata.name,
    uid: (pod.metadata as { uid?: string }).uid ?? "",
    node: String(pod.spec?.nodeName),
    address: podStatus(pod).podIP ?? "",
    container: (statuses.find(({ name }) => name === container)?.containerID ?? "").replace(/^.*:\/\//, ""),
  };
};

/** Everyone who takes part in one run of a fault, as they were before it, and what faults do to them. */
export class Scene {
  /** Figures of this run, kept with it. */
  readonly notes: Record<string, number | string> = {};
  private running: Watch | undefined;

  private constructor(
    readonly env: Environment,
    readonly before: Leadership,
    readonly primary: Member,
    readonly standbys: readonly Member[],
    public clients: Clients,
  ) {}

  static async look(env: Environment, clients: Clients): Promise<Scene> {
    const before = await env.cluster.leadership();
    const members = (await env.cluster.instances()).map((pod) => memberOf(pod, "postgres"));
    const primary = members.find(({ pod }) => pod === before.primary);
    if (primary === undefined) throw new Error(`the primary ${before.primary} has no pod`);
    const standbys = members.filter((member) => member !== primary);
    return new Scene(env, before, primary, standbys, clients);
  }

  get watch(): Watch {
    if (this.running === undefined) throw new Error("the writers don't run yet");
    return this.running;
  }

  set watch(watch: Watch) {
    this.running = watch;
  }

  /** Two standbys by name; a fault that needs them is not for smaller clusters. */
  get two(): [Member, Member] {
    const [first, second] = this.standbys;
    if (first === undefined || second === undefined) throw new Error("this fault needs two standbys");
    return [first, second];
  }

  /** Another instance leads, or the same one on a new timeline. */
  async failedOver(): Promise<Look<string>> {
    const { primary, timeline } = this.before;
    // Kubernetes alone is asked: the old primary may be out of reach, or answer never.
    const { currentPrimary = "", timelineID = 0 } = await this.env.cluster.status();
    const moved = currentPrimary !== primary || timelineID > timeline;
    return moved ? { done: currentPrimary } : { why: `${primary} leads as before` };
  }

  /** Waits until both clients write although the fault lasts; notes it when they don't. */
  async writesMeanwhile(seconds = 60): Promise<void> {
    try {
      await this.watch.waitForMore(20, seconds);
    } catch (error) {
      this.notes.meanwhile = `no writes until the fault was taken back: ${(error as Error).message}`;
    }
  }

  /** Another instance leads, or the same one after a new start. */
  async restarted(): Promise<Look<string>> {
    const now = await this.env.cluster.leadership();
    return now.startedAt !== this.before.startedAt
      ? { done: now.primary }
      : { why: `${now.primary} runs as before` };
  }

  /** Signals the processes of a member's container, seen from the machine; returns how many there were. */
  async signal(
    member: Member,
    signal: NodeJS.Signals,
    which: (process: { inside: number; name: string }) => boolean,
  ): Promise<number> {
    const found = (await containerProcesses(member.container)).filter(which);
    // The postmaster first: it can't react to the end of its children.
    found.sort((one, other) => one.inside - other.inside);
    for (const { pid } of found) {
      try {
        process.kill(pid, signal);
      } catch (error) {
        if ((error as NodeJS.ErrnoException).code !== "ESRCH") throw error;
      }
    }
    return found.length;
  }

  delete(pod: string): Promise<void> {
    return this.env.cluster.deletePod(pod);
  }

  /** Deletes a pod unless it has already been made anew since the fault began. */
  async deleteOnce(pod: string): Promise<void> {
    const gone = (await this.env.cluster.instances()).every(
      ({ metadata }) => metadata.name !== pod || (metadata as { uid?: string }).uid !== this.primary.uid,
    );
    if (!gone) await this.delete(pod);
  }

  /** Deletes a pod together with its volumes, which go when the pod has gone. */
  async deleteWithVolumes({ pod }: Member): Promise<void> {
    const { cluster, kubectl } = this.env;
    const at = ["-n", cluster.namespace, "delete"];
    const claims = ["pvc", "-l", `cnpg.io/instanceName=${pod}`];
    await kubectl.run([...at, ...claims, "--wait=false"]);
    await this.delete(pod);
  }

  async poolers(): Promise<Member[]> {
    const { kubectl, cluster, pooler } = this.env;
    const deployment = await kubectl.get("deployment", cluster.namespace, pooler.name);
    const { matchLabels } = deployment?.spec?.selector as { matchLabels: Record<string, string> };
    const selector = Object.entries(matchLabels).map((label) => label.join("="));
    const pods = await kubectl.list("pods", cluster.namespace, selector.join(","));
    return pods.filter(isReady).map((pod) => memberOf(pod, "pgbouncer"));
  }

  async operatorPods(): Promise<KubeObject[]> {
    const { kubectl } = this.env;
    const { stdout } = await kubectl.run(["get", "pods", "-A", "-l", operatorSelector, "-o", "json"]);
    return (JSON.parse(stdout) as { items: KubeObject[] }).items;
  }

  async operatorNamespace(): Promise<string> {
    const { stdout } = await this.env.kubectl.run([
      ...["get", "deployments", "-A", "-l", operatorSelector],
      ...["-o", "jsonpath={.items[0].metadata.namespace}/{.items[0].metadata.name}"],
    ]);
    return stdout.trim();
  }

  async scaleOperator(replicas: number): Promise<void> {
    const [namespace = "", name = ""] = (await this.operatorNamespace()).split("/");
    const at = ["-n", namespace, "scale", "deployment", name];
    await this.env.kubectl.run([...at, `--replicas=${replicas}`]);
    await until(`${replicas} operator pods`, 120, async () => {
      const pods = await this.operatorPods();
      const right = pods.length === replicas && pods.every(isReady);
      return right ? { done: undefined } : { why: `${pods.length} pods` };
    });
  }

  async killOperator(): Promise<void> {
    for (const { metadata } of await this.operatorPods()) {
      const at = ["-n", metadata.namespace ?? "", "delete", "pod", metadata.name];
      await this.env.kubectl.run([...at, "--grace-period=0", "--force", "--wait=false"]);
    }
  }

  /** Moves the operator away from these nodes, as far as it is there. */
  async operatorAwayFrom(nodes: readonly string[]): Promise<void> {
    const { kubectl } = this.env;
    const there = (await this.operatorPods()).filter((pod) => nodes.includes(String(pod.spec?.nodeName)));
    if (there.length === 0) return;
    // A node that is cordoned is left by its primary: a taint of our own says nothing to the database's operator.
    await kubectl.run(["taint", "nodes", ...nodes, `${KEEP_AWAY}=:NoSchedule`, "--overwrite"]);
    try {
      for (const { metadata } of there) {
        const at = ["-n", metadata.namespace ?? "", "delete", "pod", metadata.name];
        await kubectl.run([...at, "--grace-period=1"]);
      }
      await until("the operator on another node", 120, async () => {
        const pods = await this.operatorPods();
        const moved = pods.length > 0 && pods.every(isReady);
        return moved ? { done: undefined } : { why: `${pods.length} pods` };
      });
    } finally {
      await kubectl.run(["taint", "nodes", ...nodes, `${KEEP_AWAY}-`]);
    }
  }
}
