import { join } from "node:path";
import type { LiveReader } from "../plan/engines/live";
import type { EnginePlanner, EngineTraits } from "../plan/engines/planner";
import { clusterLabel, poolerName } from "../plan/names";
import { liveReaders, planners } from "../plan/engines/select";
import { exists } from "../shell/paths";
import { run } from "../shell/process";
import { UserError } from "../shell/userError";
import type { Subject } from "./health";
import { Kubectl, type KubeObject, resourceOf, selectorOf } from "./kubectl";

/** A running platform, as far as those need it who look at it and act on it. A Subject is one. */
export interface Platform {
  readonly kubectl: Kubectl;
  readonly engine: EnginePlanner;
  readonly live: LiveReader;
  readonly settings: {
    readonly cluster: { readonly name: string; readonly namespace: string };
    readonly poolers: readonly { readonly name: string }[];
  };
}

/** A platform with how it was found. */
export interface Found {
  readonly platform: Platform;
  /** What the stack says of it. @default - it was found by its live objects alone */
  readonly subject?: Subject;
  /** Context of the kubeconfig. */
  readonly context: string;
}

/** Where it is, as a sentence names it. */
export const placeOf = ({ settings: { cluster } }: Platform): string =>
  `${cluster.namespace}/${cluster.name}`;

/** kubectl's spelling of the kind of an engine's cluster object. */
export const clusterResource = ({ clusterKind }: Pick<EngineTraits, "clusterKind">): string =>
  resourceOf(clusterKind.apiVersion, clusterKind.kind);

/** The live object of the database cluster; undefined where it isn't there, or its kind isn't known. */
export async function clusterObject({
  kubectl,
  engine,
  settings,
}: Platform): Promise<KubeObject | undefined> {
  const { namespace, name } = settings.cluster;
  return kubectl.get(clusterResource(engine), namespace, name);
}

/** The pods that hold an instance. */
export const instancePods = ({ kubectl, engine, settings }: Platform): Promise<KubeObject[]> =>
  kubectl.list(
    "pods",
    settings.cluster.namespace,
    selectorOf(engine.instancePods.labels(settings.cluster.name)),
  );

/** Whether a pod's label calls it the primary; a single instance needs no label. */
export function isCalledPrimary({ instancePods: { role } }: EngineTraits, { metadata }: KubeObject): boolean {
  return role === undefined || metadata.labels?.[role.label] === role.primary;
}

/** Whether a program is in one of the folders of PATH. */
async function onPath(program: string): Promise<boolean> {
  for (const folder of (process.env.PATH ?? "").split(":"))
    if (folder !== "" && (await exists(join(folder, program)))) return true;
  return false;
}

/** Tools without a word: as the machine has them, where it has all of these programs, else those that `pgp tools` makes available. */
export async function quietTools(
  ...programs: ["kubectl" | "pulumi", ...("kubectl" | "pulumi")[]]
): Promise<string[]> {
  if ((await Promise.all(programs.map(onPath))).every(Boolean)) return [];
  const { provideTools } = await import("../local/toolchain/tools");
  return provideTools({ detail: () => undefined, say: () => undefined });
}

/** The poolers of a cluster by their Deployments' labels. */
async function poolersOf(
  kubectl: Kubectl,
  namespace: string,
  cluster: string,
): Promise<Platform["settings"]["poolers"]> {
  const selector = `${clusterLabel}=${cluster},app.kubernetes.io/name=pgbouncer`;
  const prefix = poolerName(cluster, "");
  const list = await kubectl.list("deployments.apps", namespace, selector);
  return list.flatMap(({ metadata: { name } }) =>
    name.startsWith(prefix) ? [{ name: name.slice(prefix.length) }] : [],
  );
}

interface Wanted {
  readonly namespace?: string | undefined;
  readonly cluster?: string | undefined;
}

interface Candidate {
  readonly engine: EnginePlanner;
  readonly live: LiveReader;
  readonly object: KubeObject;
}

/** Every cluster of every engine in a namespace, or in all of them. */
async function candidates(kubectl: Kubectl, namespace: string | undefined): Promise<Candidate[]> {
  const where = namespace === undefined ? ["--all-namespaces"] : ["-n", namespace];
  const problems: string[] = [];
  const lists = await Promise.all(
    Object.values(planners).map(async (engine) => {
      const live = liveReaders[engine.name];
      const { stdout, stderr, exitCode } = await kubectl.run(
        [...where, "get", clusterResource(engine), "-o", "json"],
        { allowFailure: true, timeoutMs: 10_000 },
      );
      // A cluster without that operator doesn't know the kind.
      if (exitCode !== 0 && /doesn't have a resource type/.test(stderr)) return [];
      if (exitCode !== 0) {
        problems.push(stderr.trim().split("\n").at(-1) ?? "");
        return [];
      }
      const { items } = JSON.parse(stdout) as { items: KubeObject[] };
      return items
        .filter((object) => live.shape(object) !== undefined)
        .map((object) => ({ engine, live, object }));
    }),
  );
  const found = lists.flat();
  if (found.length === 0 && problems.length > 0)
    throw new UserError([`no cluster could be looked for: ${[...new Set(problems)].join("; ")}`]);
  return found;
}

const nameOf = ({ object: { metadata } }: Candidate): string => `${metadata.namespace}/${metadata.name}`;

/** The one cluster that is meant; a sentence where it is none, or several could be meant. */
export function chosen(found: readonly Candidate[], { namespace, cluster }: Wanted): Candidate {
  const fitting =
    cluster === undefined ? found : found.filter(({ object }) => object.metadata.name === cluster);
  const where = namespace === undefined ? "" : ` in namespace ${namespace}`;
  const [one, ...others] = fitting;
  if (one === undefined) {
    const there = found.map(nameOf).join(", ");
    throw new UserError([
      `--cluster: there is no PostgreSQL cluster${cluster === undefined ? "" : ` "${cluster}"`}${where}. ` +
        `Allowed: ${there === "" ? "none is there" : there}. Fix: name one${namespace === undefined ? "" : ", or another --namespace"}.`,
    ]);
  }
  if (others.length > 0)
    throw new UserError([
      `--cluster: several PostgreSQL clusters are${where === "" ? " there" : where}. Allowed: ${fitting.map(nameOf).join(", ")}. ` +
        "Fix: name one with --namespace and --cluster.",
    ]);
  return one;
}

/** A platform by its live objects, without a word of the stack. */
export async function findLive(kubectl: Kubectl, wanted: Wanted): Promise<Platform> {
  const { engine, live, object } = chosen(await candidates(kubectl, wanted.namespace), wanted);
  const { name, namespace = "default" } = object.metadata;
  const poolers = await poolersOf(kubectl, namespace, name);
  return { kubectl, engine, live, settings: { cluster: { name, namespace }, poolers } };
}

/** The context that kubectl itself would use. */
export async function currentContext(): Promise<string | undefined> {
  const { stdout, exitCode } = await run("kubectl", ["config", "current-context"], { allowFailure: true });
  return exitCode === 0 && stdout.trim() !== "" ? stdout.trim() : undefined;
}
