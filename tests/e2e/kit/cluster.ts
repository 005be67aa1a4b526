import { type EngineTraits } from "../../../plan/engines/planner";
import { isReady, type Kubectl, type KubeObject, resourceOf, selectorOf } from "../../../operations/kubectl";
import { type Settings } from "../../../settings/schema";
import { type EngineKit, kits, type View } from "./engines";
import { until } from "./wait";

interface PodStatus {
  podIP?: string;
  containerStatuses?: { name: string; restartCount: number }[];
}

export const podStatus = (pod: KubeObject): PodStatus => pod.status ?? {};

const restarts = (pod: KubeObject): number =>
  (podStatus(pod).containerStatuses ?? []).reduce((sum, { restartCount }) => sum + restartCount, 0);

/** Who leads, and since when: what a fault is expected to change. */
export interface Leadership {
  primary: string;
  timeline: number;
  /** When the primary's postmaster was started. */
  startedAt: string;
}

/** What a cluster is when all is well. */
export interface Expected {
  instances: number;
  /** A standby confirms each commit. */
  synchronous: boolean;
}

export const expectedOf = ({ instances, durability }: Settings["cluster"]): Expected => ({
  instances,
  synchronous: durability !== "async",
});

/** One database cluster, seen from the inside: as its superuser, over the local socket of its pods. */
export class Cluster {
  readonly kit: EngineKit;

  constructor(
    readonly kubectl: Kubectl,
    readonly engine: EngineTraits,
    readonly namespace: string,
    readonly name: string,
    readonly expected: Expected,
  ) {
    this.kit = kits[engine.name];
  }

  /** kubectl's name of the kind of the cluster's object. */
  get resource(): string {
    const { apiVersion, kind } = this.engine.clusterKind;
    return resourceOf(apiVersion, kind);
  }

  async object(): Promise<KubeObject> {
    const object = await this.kubectl.get(this.resource, this.namespace, this.name);
    if (object === undefined)
      throw new Error(`there is no ${this.engine.clusterKind.kind} ${this.namespace}/${this.name}`);
    return object;
  }

  /** Changes the cluster's object by hand. */
  async patch(patch: object): Promise<void> {
    const at = ["-n", this.namespace, "patch", this.resource, this.name, "--type=merge"];
    await this.kubectl.run([...at, "-p", JSON.stringify(patch)]);
  }

  /** Who leads, by what Kubernetes' objects say. */
  view(): Promise<View> {
    return this.kit.view(this);
  }

  async primary(): Promise<string> {
    const { primary } = await this.view();
    if (primary === undefined) throw new Error(`${this.name} has no primary`);
    return primary;
  }

  instances(): Promise<KubeObject[]> {
    return this.kubectl.list("pods", this.namespace, selectorOf(this.engine.instancePods.labels(this.name)));
  }

  /** Whether a pod's label calls it the primary; the only instance needs no label. */
  calledPrimary({ metadata }: KubeObject): boolean {
    const { role } = this.engine.instancePods;
    return role === undefined || metadata.labels?.[role.label] === role.primary;
  }

  async names(): Promise<string[]> {
    return (await this.instances()).map(({ metadata }) => metadata.name).sort();
  }

  /** Runs a command in an instance's container. */
  async exec(pod: string, command: readonly string[], input?: string): Promise<string> {
    const stdin = input === undefined ? [] : ["-i"];
    const { stdout } = await this.kubectl.run(
      ["-n", this.namespace, "exec", ...stdin, pod, "-c", "postgres", "--", ...command],
      { timeoutMs: 60_000, ...(input !== undefined && { input }) },
    );
    return stdout;
  }

  /** Asks an instance as its superuser; one line for each row, fields separated by `|`. */
  async sql(pod: string, statement: string, database = "postgres"): Promise<string[]> {
    // A server that is stopped takes connections and never answers.
    const psql = [
      "env",
      "PGCONNECT_TIMEOUT=5",
      "psql",
      "-XAtq",
      "-v",
      "ON_ERROR_STOP=1",
      "-U",
      "postgres",
      "-d",
      database,
      "-f",
      "-",
    ];
    return (await this.exec(pod, psql, statement)).split("\n").filter((line) => line !== "");
  }

  async value(pod: string, statement: string, database?: string): Promise<string> {
    const [first] = await this.sql(pod, statement, database);
    if (first === undefined) throw new Error(`no row for: ${statement}`);
    return first;
  }

  /** Each instance with the moment when its postmaster was started. */
  async starts(): Promise<string[]> {
    const start = (pod: string) => this.value(pod, "select pg_postmaster_start_time()");
    return Promise.all((await this.names()).map(async (pod) => `${pod} ${await start(pod)}`));
  }

  async leadership(): Promise<Leadership> {
    const primary = await this.primary();
    const answer = await this.value(
      primary,
      "select pg_is_in_recovery(), (pg_control_checkpoint()).timeline_id, pg_postmaster_start_time(), pg_walfile_name(pg_current_wal_lsn())",
    );
    const [standby, , startedAt = "", walFile = ""] = answer.split("|");
    if (standby !== "f") throw new Error(`${primary} is called the primary and is a standby`);
    // The control file's timeline waits for the checkpoint after a promotion; the WAL file's name doesn't.
    return { primary, timeline: parseInt(walFile.slice(0, 8), 16), startedAt };
  }

  /** Undefined when every instance is ready, streaming, and synchronous where it must be; else why not. */
  async illness(expected: Expected = this.expected): Promise<string | undefined> {
    const { illness, primary = "" } = await this.view();
    if (illness !== undefined) return illness;
    const pods = await this.instances();
    if (pods.length !== expected.instances) return `${pods.length} pods`;
    const unready = pods.find((pod) => !isReady(pod));
    if (unready !== undefined) return `${unready.metadata.name} is not ready`;
    const replication = await this.sql(
      primary,
      "select application_name, state, sync_state from pg_stat_replication",
    );
    const rows = replication.map((row) => row.split("|"));
    const streaming = rows.filter(([, state]) => state === "streaming");
    if (streaming.length !== expected.instances - 1) return `${streaming.length} standbys stream`;
    if (expected.synchronous && !rows.some(([, , sync]) => sync === "quorum" || sync === "sync")) {
      return "no synchronous standby";
    }
    return undefined;
  }

  async waitHealthy(seconds = 300, expected: Expected = this.expected): Promise<void> {
    await until(`${this.name} whole again`, seconds, async () => {
      const why = await this.illness(expected);
      return why === undefined ? { done: undefined } : { why };
    });
  }

  /**
   * Recreates pods whose containers were restarted: the next crash of such a pod would be answered by the crash-loop
   * back-off, not by the product.
   */
  async freshPods(seconds = 300): Promise<void> {
    for (const pod of await this.instances())
      if (restarts(pod) > 0) await this.renewPod(pod.metadata.name, seconds);
  }

  /** Recreates an instance's pod, and waits until all is well. */
  async renewPod(name: string, seconds = 300): Promise<void> {
    const old = await this.kubectl.get("pod", this.namespace, name);
    await this.deletePod(name);
    await until(`${name} recreated`, seconds, async () => {
      const found = await this.kubectl.get("pod", this.namespace, name);
      const recreated = found !== undefined && (old === undefined || uid(found) !== uid(old));
      return recreated ? { done: undefined } : { why: "the old pod is still there" };
    });
    await this.waitHealthy(seconds);
  }

  /** Deletes an instance's pod together with its volumes, which go when the pod has gone. */
  async deleteWithVolumes(name: string): Promise<void> {
    const pod = await this.kubectl.get("pod", this.namespace, name);
    const claims = pod === undefined ? [] : claimsOf(pod);
    await this.kubectl.run(["-n", this.namespace, "delete", "pvc", ...claims, "--wait=false"]);
    await this.deletePod(name);
  }

  async deletePod(pod: string): Promise<void> {
    const at = ["-n", this.namespace, "delete", "pod", pod];
    await this.kubectl.run([...at, "--grace-period=0", "--force", "--wait=false"]);
  }

  async killPostmaster(pod: string): Promise<void> {
    const ask = `psql -XAtqU postgres -c "select split_part(pg_read_file('postmaster.pid'), chr(10), 1)"`;
    await this.exec(pod, ["bash", "-c", `kill -9 "$(${ask})"`]);
  }

  /** Waits until every standby has replayed what the primary has written by now. */
  async waitCaughtUp(seconds = 120): Promise<string[]> {
    const primary = await this.primary();
    const lsn = await this.value(primary, "select pg_current_wal_lsn()");
    const names = await this.names();
    for (const name of names.filter((candidate) => candidate !== primary)) {
      await until(`${name} caught up`, seconds, async () => {
        const behind = Number(
          await this.value(name, `select pg_wal_lsn_diff('${lsn}', pg_last_wal_replay_lsn())`),
        );
        return behind <= 0 ? { done: undefined } : { why: `${behind} bytes behind` };
      });
    }
    return names;
  }
}

export const uid = ({ metadata }: KubeObject): string => (metadata as { uid?: string }).uid ?? "";

/** Names of the claims of a pod's volumes. */
export const claimsOf = ({ spec }: KubeObject): string[] =>
  ((spec?.volumes ?? []) as { persistentVolumeClaim?: { claimName: string } }[]).flatMap(
    ({ persistentVolumeClaim }) => persistentVolumeClaim?.claimName ?? [],
  );
