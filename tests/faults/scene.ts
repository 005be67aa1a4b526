import { isReady, type KubeObject, selectorOf } from "../../operations/kubectl";
import type { OperatorPlan } from "../../plan/plan";
import { operatorOf } from "../../operations/liveCheck";
import { type Leadership, podStatus, uid } from "../e2e/kit/cluster";
import { type Environment } from "../e2e/kit/environment";
import { type Clients } from "../e2e/kit/fixture";
import { type Watch } from "../e2e/kit/observation";
import { type Look, until } from "../e2e/kit/wait";
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

const memberOf = (pod: KubeObject, container: string): Member => {
  const statuses = (pod.status?.containerStatuses ?? []) as { name: string; containerID?: string }[];
  return {
    pod: pod.metadata.name,
    uid: uid(pod),
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
    /** Count of changes of the primary before the fault, by the engine's objects. */
    private readonly term: number,
    readonly primary: Member,
    readonly standbys: readonly Member[],
    public clients: Clients,
  ) {}

  static async observe(env: Environment, clients: Clients): Promise<Scene> {
    const before = await env.cluster.leadership();
    const { term } = await env.cluster.view();
    const members = (await env.cluster.instances()).map((pod) => memberOf(pod, "postgres"));
    const primary = members.find(({ pod }) => pod === before.primary);
    if (primary === undefined) throw new Error(`the primary ${before.primary} has no pod`);
    const standbys = members.filter((member) => member !== primary);
    return new Scene(env, before, term, primary, standbys, clients);
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
    const { cluster, engine } = this.env;
    // Without another instance the same one comes back.
    if (engine.can.standbys !== true) return this.restarted();
    const { primary } = this.before;
    // Kubernetes alone is asked: the old primary may be out of reach, or answer never.
    const now = await cluster.view();
    const moved = now.primary !== undefined && (now.primary !== primary || now.term > this.term);
    return moved ? { done: now.primary ?? "" } : { why: `${primary} leads as before` };
  }

  /** The pod of before isn't there any more, whether or not another one has its name. */
  async gone({ pod, uid: former }: Member): Promise<Look<string>> {
    const there = (await this.env.cluster.instances()).some((one) => uid(one) === former);
    return there ? { why: `${pod} is still there` } : { done: `${pod} is gone` };
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

  /** Deletes a pod unless it has already been recreated since the fault began. */
  async deleteOnce(pod: string): Promise<void> {
    const pods = await this.env.cluster.instances();
    const there = pods.some((one) => one.metadata.name === pod && uid(one) === this.primary.uid);
    if (there) await this.delete(pod);
  }

  async poolers(): Promise<Member[]> {
    const { kubectl, cluster, pooler } = this.env;
    const deployment = await kubectl.get("deployment", cluster.namespace, pooler.name);
    const { matchLabels } = deployment?.spec?.selector as { matchLabels: Record<string, string> };
    const selector = Object.entries(matchLabels).map((label) => label.join("="));
    const pods = await kubectl.list("pods", cluster.namespace, selector.join(","));
    return pods.filter(isReady).map((pod) => memberOf(pod, "pgbouncer"));
  }

  /** The engine's operator; a fault that needs one is not for an engine without. */
  private get operator(): OperatorPlan {
    const operator = operatorOf(this.env.settings);
    if (operator === undefined) throw new Error("this fault needs an operator");
    return operator;
  }

  async operatorPods(): Promise<KubeObject[]> {
    if (this.env.engine.operator === undefined) return [];
    const { namespace, podLabels } = this.operator;
    return this.env.kubectl.list("pods", namespace, selectorOf(podLabels));
  }

  private get operatorDeployment(): { name: string; replicas: number } {
    const found = this.operator.objects.find(({ object }) => object.kind === "Deployment");
    if (found === undefined) throw new Error("the operator has no Deployment");
    const { metadata, spec } = found.object;
    return { name: metadata.name, replicas: (spec as { replicas: number }).replicas };
  }

  stopOperator(): Promise<void> {
    return this.scaleOperator(0);
  }

  startOperator(): Promise<void> {
    return this.scaleOperator(this.operatorDeployment.replicas);
  }

  private async scaleOperator(replicas: number): Promise<void> {
    const at = ["-n", this.operator.namespace, "scale", "deployment", this.operatorDeployment.name];
    await this.env.kubectl.run([...at, `--replicas=${replicas}`]);
    await until(`${replicas} operator pods`, 120, async () => {
      const pods = await this.operatorPods();
      const right = pods.length === replicas && pods.every(isReady);
      return right ? { done: undefined } : { why: `${pods.length} pods` };
    });
  }

  /** The operator's pod that acts: the one that holds a Lease, where its replicas elect one. */
  private leadingOperator(): Promise<KubeObject> {
    return until("an operator that leads", 60, async () => {
      const pods = await this.operatorPods();
      const leases = await this.env.kubectl.list("leases", this.operator.namespace, "");
      const leads = ({ metadata }: KubeObject): boolean =>
        leases.some(({ spec }) => String(spec?.holderIdentity).startsWith(`${metadata.name}_`));
      const leading = pods.length === 1 ? pods[0] : pods.find(leads);
      return leading ? { done: leading } : { why: `${pods.length} pods, none leads` };
    });
  }

  /** Makes the operator act from this node, as in the worst case of its loss. */
  async operatorOnto(node: string): Promise<void> {
    const isThere = (pod: KubeObject): boolean => pod.spec?.nodeName === node;
    const nodes = await this.env.kubectl.list("nodes", this.operator.namespace, "");
    const others = nodes.map(({ metadata }) => metadata.name).filter((name) => name !== node);
    const leading = await this.leadingOperator();
    const pods = await this.operatorPods();
    if (!pods.some(isThere)) {
      // The replica that doesn't lead, where there is one.
      const moved = pods.find(({ metadata }) => metadata.name !== leading.metadata.name) ?? leading;
      await this.reschedule([moved], others);
    }
    // Who leads next is decided by who asks first: the replica on the node, or the leaving one's successor.
    for (let turn = 0; turn < 8; turn++) {
      const next = await this.leadingOperator();
      if (isThere(next)) return;
      await this.reschedule([next], [node]);
    }
    throw new Error(`the operator would not act from ${node}`);
  }

  async killOperator(): Promise<void> {
    for (const { metadata } of await this.operatorPods()) {
      const at = ["-n", metadata.namespace ?? "", "delete", "pod", metadata.name];
      await this.env.kubectl.run([...at, "--grace-period=0", "--force", "--wait=false"]);
    }
  }

  /** Moves the operator away from these nodes, as far as it is there. */
  async operatorAwayFrom(nodes: readonly string[]): Promise<void> {
    const there = (await this.operatorPods()).filter((pod) => nodes.includes(String(pod.spec?.nodeName)));
    if (there.length > 0) await this.reschedule(there, nodes);
  }

  /** Deletes these pods of the operator, and waits until their successors run on other nodes than these. */
  private async reschedule(leaving: readonly KubeObject[], nodes: readonly string[]): Promise<void> {
    const { kubectl } = this.env;
    // A node that is cordoned is left by its primary: a taint of our own says nothing to the database's operator.
    await kubectl.run(["taint", "nodes", ...nodes, `${KEEP_AWAY}=:NoSchedule`, "--overwrite"]);
    try {
      for (const { metadata } of leaving) {
        const at = ["-n", metadata.namespace ?? "", "delete", "pod", metadata.name];
        await kubectl.run([...at, "--grace-period=1"]);
      }
      const replicas = this.operatorDeployment.replicas;
      await until("the operator on another node", 120, async () => {
        const pods = await this.operatorPods();
        const moved = pods.length === replicas && pods.every(isReady);
        return moved ? { done: undefined } : { why: `${pods.length} pods` };
      });
    } finally {
      await kubectl.run(["taint", "nodes", ...nodes, `${KEEP_AWAY}-`]);
    }
  }
}
