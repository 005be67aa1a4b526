import { isDeepStrictEqual } from "node:util";
import type { Shape } from "../plan/engines/live";
import type { Plan } from "../plan/plan";
import { type EngineTraits } from "../plan/engines/planner";
import { differing, isUpgrade } from "../plan/changes/cluster";
import { ownerOf } from "../checks/parameters";
import { type Overlay, readStackFile, type StackFile } from "./pulumi";

/** The first of two updates. */
export interface FirstStep {
  /** Settings to lay over the stack's. */
  readonly overlay: Overlay;
  /** What is left for the second update, and why. */
  readonly why: string;
}

/** The first of two updates of a stack with the machine's settings laid over it; undefined when one will do. */
export const firstStepOf = async (
  stackName: string,
  overlay: Overlay,
  engine: EngineTraits,
  live: Shape | undefined,
  planned: Shape,
): Promise<FirstStep | undefined> =>
  firstStep({ ...(await readStackFile(stackName)).config, ...overlay }, engine, live, planned);

/**
 * The first update, when a change must be made in two; undefined when one will do.
 *
 * - Image and parameters: an operator that changes the primary gracefully (CloudNativePG) refuses both at once, since it could
 *   not tell which of them a server has; the others are spared the question. The first update keeps the image (and major version)
 *   that runs; unless a pod waits for that one in vain, since nothing rolls then: the first update keeps the parameters.
 * - A new major version: the first update keeps the one that runs, so that everything else is as it should be before the database stops, and Pulumi's state says
 *   which version the archive began with.
 * - More instances and other pods: the operator adds instances before it rolls those that run, and these may still keep others
 *   from their nodes. The first update keeps the number of instances.
 */
export function firstStep(
  config: StackFile["config"],
  engine: EngineTraits,
  live: Shape | undefined,
  planned: Shape,
): FirstStep | undefined {
  if (live === undefined) return undefined;
  const parameters = differing(live.parameters, planned.parameters);
  const both = live.image !== planned.image && parameters.length > 0;
  // What the platform itself sets can't be held back by settings.
  const held =
    both && live.imageFails === true && parameters.every((name) => ownerOf(engine, name) === undefined);
  const major = isUpgrade(live, planned) && live.imageFails !== true;
  const image = (both && !held) || major;
  const instances = planned.instances > live.instances && !isDeepStrictEqual(live.pods, planned.pods);
  if (!both && !major && !instances) return undefined;
  const part = (key: string) => config?.[`pgplatform:${key}`] as Record<string, unknown> | undefined;
  return {
    overlay: {
      ...(image && { "pgplatform:images": { ...part("images"), postgresql: live.image } }),
      ...((held || major || instances) && {
        "pgplatform:cluster": {
          ...part("cluster"),
          ...(held && { parameters: kept(part("cluster")?.parameters, live.parameters, parameters) }),
          ...(major && { postgresVersion: String(live.major) }),
          ...(instances && { instances: live.instances }),
        },
      }),
    },
    why: [
      ...(major ? ["the new major version after everything else"] : []),
      ...(image && !major
        ? ["the image after the parameters, since not every engine takes both in one update"]
        : []),
      ...(held ? ["the parameters after the image, since the one that is asked for now can't be had"] : []),
      ...(instances ? ["further instances after those that run were rolled"] : []),
    ].join("; "),
  };
}

/** The stack's parameters with the live values of those of these names. */
const kept = (asked: unknown, live: Shape["parameters"], names: readonly string[]): object =>
  Object.fromEntries(
    Object.entries({ ...(asked as Shape["parameters"] | undefined), ...live }).filter(([name]) =>
      names.includes(name) ? name in live : name in ((asked as object | undefined) ?? {}),
    ),
  );

/**
 * What the second of two updates changes, a line each. It is read off the engine's plans of both: the operator would refuse to
 * try the second one while the first has not been made.
 */
export function secondUpdate(name: string, first: Plan, whole: Plan): string[] {
  const before = new Map(first.objects.map(({ id, object }) => [id, object]));
  return whole.objects.flatMap(({ id, object }) =>
    isDeepStrictEqual(before.get(id), object)
      ? []
      : [`update kubernetes:${object.apiVersion}:${object.kind} ${name}-${id}`],
  );
}
