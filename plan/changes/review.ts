import { isDeepStrictEqual } from "node:util";
import * as z from "zod";
import type { PoolerSettings } from "../../settings/schema";
import type { LiveReader, Shape } from "../engines/live";
import type { EnginePlanner } from "../engines/planner";
import { type KubernetesObject, namespaceOf } from "../objects";
import { type ClusterChange, clusterChanges, isUpgrade } from "./cluster";
import { holdsData, usedBucketKind } from "./data";
import { type Effect, effects, heavier } from "./effect";
import { inPods, isReplaced } from "./fixed";
import { type FieldChange, fieldChanges, valuesOf, withField } from "./fields";

/** What differs between two plans, and what each difference does to the running database. */

/** An object with the component that registers it. */
export interface Registered {
  readonly component: string;
  readonly object: KubernetesObject;
  /** Fields that stay as they were once it is there. @default - none */
  readonly leave?: readonly string[];
}

const line = z.object({
  effect: z.enum(effects).describe("what it does to the running database"),
  component: z.string().describe("the part of the platform that registers the object"),
  object: z.string().describe("kind, namespace and name"),
  op: z.enum(["create", "delete", "update", "replace"]),
  path: z.string().optional().describe("the field; absent for a whole object"),
  before: z.string().optional(),
  after: z.string().optional(),
  why: z.string().optional().describe("what follows, where the effect alone doesn't say it"),
});
export type Line = z.output<typeof line>;

/** What `pgp diff --json` prints. */
export const reviewed = z
  .object({
    lines: z.array(line).describe("the heaviest first"),
    notes: z
      .array(z.object({ effect: z.enum(effects), text: z.string() }))
      .describe("what the change of the cluster means, as an update announces it"),
  })
  .meta({ title: "Diff" });
export type Review = z.output<typeof reviewed>;

/** What judges; of the platform as it will be. */
export interface Reviewer {
  readonly engine: Pick<EnginePlanner, "name" | "clusterKind" | "can" | "inMetrics">;
  readonly live: Pick<LiveReader, "shape" | "restarts" | "rolling" | "operatorRestarts">;
  readonly poolers: readonly Pick<PoolerSettings, "mode" | "reads">[];
}

const nameOf = ({ kind, metadata: { name, namespace } }: KubernetesObject): string =>
  `${kind} ${namespace === undefined ? "" : `${namespace}/`}${name}`;

const keyOf = (object: KubernetesObject): string =>
  [object.apiVersion, object.kind, namespaceOf(object), object.metadata.name].join(" ");

const POOLER_PODS = "its pods are replaced one after another, sessions are drained";
const NO_POOLER = "its clients are refused from then on";
const OTHER_PODS = "its pods are replaced";

/** What a changed field does. */
function effectOf(
  reviewer: Reviewer,
  component: string,
  before: KubernetesObject,
  after: KubernetesObject,
  change: FieldChange,
): { effect: Effect; why?: string } {
  const { live, engine } = reviewer;
  if (isReplaced(after, change.path))
    return holdsData(after)
      ? { effect: "replacement" }
      : { effect: "nothing", why: "it is deleted and made again" };
  const [former, next] = [
    live.shape(before),
    live.shape(withField(before, after, change.keys) as KubernetesObject),
  ];
  if (former !== undefined && next !== undefined) {
    const found = changesOf(reviewer, former, next);
    const effect = found.reduce<Effect>((worst, one) => heavier(worst, one.effect), "nothing");
    if (effect !== "nothing" || !inPods(change.path)) return { effect };
  }
  if (inPods(change.path)) {
    if (after.apiVersion === engine.clusterKind.apiVersion && after.kind === engine.clusterKind.kind)
      return { effect: "restart" };
    if (component.startsWith("pooler ")) return { effect: "pause", why: POOLER_PODS };
    if (
      component === "operator" &&
      live.operatorRestarts !== undefined &&
      isOperatorImage(reviewer, after, change)
    )
      return { effect: "restart", why: live.operatorRestarts };
    return { effect: "nothing", why: OTHER_PODS };
  }
  if (after.kind === usedBucketKind)
    return { effect: "nothing", why: "backups so far stay in the former one" };
  if (component.startsWith("pooler ") && after.kind === "ConfigMap") return { effect: "reload" };
  return { effect: "nothing" };
}

const isOperatorImage = (
  { engine }: Reviewer,
  { kind, metadata }: KubernetesObject,
  { path }: FieldChange,
): boolean => kind === "Deployment" && metadata.name === engine.inMetrics.operator && path.endsWith(".image");

/** The parts of the cluster's change; a new major version that the engine refuses says so. */
function changesOf({ live, engine, poolers }: Reviewer, before: Shape, after: Shape): ClusterChange[] {
  const ability = engine.can.majorUpgrade;
  return clusterChanges({ live, settings: { poolers } }, before, after).map((change) =>
    change.of === "upgrade" && ability !== true && isUpgrade(before, after)
      ? {
          ...change,
          text: `PostgreSQL ${after.major} instead of ${before.major}: \`make up\` refuses it, since ${ability.because}`,
        }
      : change,
  );
}

const byKey = (list: readonly Registered[]): Map<string, Registered> =>
  new Map(list.map((one) => [keyOf(one.object), one]));

/** Every difference of two plans, the heaviest first. */
export function review(
  reviewer: Reviewer,
  before: readonly Registered[],
  after: readonly Registered[],
): Review {
  const [one, other] = [byKey(before), byKey(after)];
  const notes: ClusterChange[] = [];
  const lines = [...new Set([...one.keys(), ...other.keys()])].flatMap((key): Line[] => {
    const [former, next] = [one.get(key), other.get(key)];
    if (former === undefined || next === undefined) {
      const { component, object } = (former ?? next) as Registered;
      const gone = next === undefined;
      const isPooler = component.startsWith("pooler ") && object.kind === "Deployment";
      return [
        {
          effect: !gone ? "nothing" : holdsData(object) ? "replacement" : isPooler ? "pause" : "nothing",
          component,
          object: nameOf(object),
          op: gone ? "delete" : "create",
          ...(gone && isPooler && { why: NO_POOLER }),
        },
      ];
    }
    if (isDeepStrictEqual(former.object, next.object)) return [];
    const [shape, planned] = [reviewer.live.shape(former.object), reviewer.live.shape(next.object)];
    if (shape !== undefined && planned !== undefined) notes.push(...changesOf(reviewer, shape, planned));
    const changes = fieldChanges(former.object, next.object).filter(
      ({ path }) => next.leave?.includes(path) !== true,
    );
    return changes.map((change) => {
      const [from, to] = valuesOf(change, next.object.kind === "Secret");
      return {
        ...effectOf(reviewer, next.component, former.object, next.object, change),
        component: next.component,
        object: nameOf(next.object),
        op: isReplaced(next.object, change.path) ? "replace" : "update",
        path: change.path,
        before: from,
        after: to,
      };
    });
  });
  const rank = ({ effect }: { effect: Effect }) => effects.indexOf(effect);
  return {
    lines: lines.sort((a, b) => rank(a) - rank(b)),
    notes: notes.sort((a, b) => rank(a) - rank(b)).map(({ effect, text }) => ({ effect, text })),
  };
}
