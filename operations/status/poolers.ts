import { poolerLabels, poolerName, poolerPorts } from "../../plan/names";
import { loginAlias } from "../../plan/pooler/configuration";
import { inContainer, metricsCommand } from "../inContainer";
import { isReady, type KubeObject, selectorOf } from "../kubectl";
import { type Platform } from "../platform";
import { QUESTION_MS } from "./ask";

/** What each pod's exporter says of PgBouncer, asked in the pod itself: no policy lets this machine in. */

/** One pool of a pod: what clients of a role have of a database. */
export interface Pool {
  readonly pod: string;
  readonly database: string;
  readonly role: string;
  readonly clients: number;
  readonly waiting: number;
  readonly waitSeconds: number;
  readonly active: number;
  readonly idle: number;
  readonly others: number;
}

type Samples = Map<string, Record<string, number>>;

/** Samples of the exporter's pools, by database and role. */
function poolSamples(text: string): Samples {
  const pools: Samples = new Map();
  for (const line of text.split("\n")) {
    const [, gauge = "", labels = "", value = ""] =
      /^pgbouncer_pools_(\w+?)(?:_connections)?\{(.*)\} (\S+)$/.exec(line.trim()) ?? [];
    if (gauge === "") continue;
    const of = (name: string) => new RegExp(`(?:^|,)${name}="([^"]*)"`).exec(labels)?.[1] ?? "";
    const key = `${of("database")}\t${of("user")}`;
    pools.set(key, { ...pools.get(key), [gauge]: Number(value) });
  }
  return pools;
}

/** PgBouncer's own database, and the alias by which it looks logins up, are nothing of a user's. */
const internal = new Set(["pgbouncer", loginAlias]);

export function poolsIn(pod: string, text: string): Pool[] {
  return [...poolSamples(text)].flatMap(([key, values]) => {
    const [database = "", role = ""] = key.split("\t");
    if (internal.has(database)) return [];
    const sum = (...names: string[]) => names.reduce((all, name) => all + (values[name] ?? 0), 0);
    return [
      {
        pod,
        database,
        role,
        clients: sum("client_active", "client_waiting"),
        waiting: sum("client_waiting"),
        waitSeconds: sum("client_maxwait_seconds"),
        active: sum("server_active"),
        idle: sum("server_idle"),
        others: sum("server_used", "server_testing", "server_login"),
      },
    ];
  });
}

/** What one pooler has. */
export interface PoolerSeen {
  readonly name: string;
  readonly wanted: number;
  readonly pods: readonly KubeObject[];
  /** Of the pods that answer; undefined where none does. */
  readonly pools?: readonly Pool[];
}

async function poolsOf({ kubectl, settings }: Platform, pod: KubeObject): Promise<Pool[] | undefined> {
  const { name } = pod.metadata;
  const at = inContainer(settings.cluster.namespace, name, "pgbouncer");
  const { stdout, exitCode } = await kubectl
    .run([...at, ...metricsCommand(poolerPorts.metrics)], { timeoutMs: QUESTION_MS, allowFailure: true })
    .catch(() => ({ stdout: "", exitCode: 1 }));
  return exitCode === 0 && stdout.includes("pgbouncer_up 1") ? poolsIn(name, stdout) : undefined;
}

/** Every pooler of the platform, with the pools of those pods that answer. */
export async function askPoolers(platform: Platform): Promise<PoolerSeen[]> {
  const { kubectl, settings } = platform;
  const { namespace, name: cluster } = settings.cluster;
  return Promise.all(
    settings.poolers.map(async ({ name }) => {
      const [pods, deployment] = await Promise.all([
        kubectl.list("pods", namespace, selectorOf(poolerLabels(cluster, name))),
        kubectl.get("deployments.apps", namespace, poolerName(cluster, name)),
      ]);
      const all = await Promise.all(pods.filter(isReady).map((pod) => poolsOf(platform, pod)));
      const answered = all.filter((one) => one !== undefined);
      return {
        name,
        wanted: deployment === undefined ? 0 : Number(deployment.spec?.replicas ?? 1),
        pods,
        ...(answered.length > 0 && { pools: answered.flat() }),
      };
    }),
  );
}
