import type { KubernetesObject } from "../../plan/objects";
import { planPlatform } from "../../plan/platform";
import type { Settings } from "../../settings/schema";
import { plannerOf } from "../../plan/engines/select";
import { releasedObjects } from "./manifest";

/** A pod's specification somewhere in an object, and where it is. */
export interface PodSpec {
  readonly at: string;
  readonly spec: Record<string, unknown>;
}

/** Every specification of a pod in a value: whatever has a list of containers. */
export function podSpecsIn(value: unknown, at: string): PodSpec[] {
  if (typeof value !== "object" || value === null) return [];
  const own = value as Record<string, unknown>;
  const here = Array.isArray(own.containers) ? [{ at, spec: own }] : [];
  return [...here, ...Object.entries(own).flatMap(([key, inner]) => podSpecsIn(inner, `${at}.${key}`))];
}

/** All objects of a platform by their kinds and names. */
export async function plannedObjects(settings: Settings): Promise<KubernetesObject[]> {
  const engine = plannerOf(settings);
  const released = await releasedObjects(engine.name);
  const plan = planPlatform(settings, () => released);
  return [
    ...(plan.operator?.objects ?? []),
    ...plan.cluster.objects,
    ...plan.poolers.flatMap(({ objects }) => objects),
    ...plan.backups,
    ...plan.logins,
    ...plan.networkPolicies,
    ...(plan.localStores?.stores ?? []).flatMap(({ objects }) => objects),
    ...(engine.backups === undefined || settings.backup === undefined ? [] : requested(settings)),
  ].map(({ object }) => object);
}

/** What `make backup` would make. */
function requested(settings: Settings): { object: KubernetesObject }[] {
  const request = plannerOf(settings).backups?.request(settings, "asked-for");
  return request && "object" in request ? [{ object: request.object }] : [];
}

/** Every pod that is planned, apart from those that an operator makes of its own objects. */
export const plannedPods = async (settings: Settings): Promise<PodSpec[]> =>
  (await plannedObjects(settings))
    .filter(({ kind }) => kind !== "CustomResourceDefinition")
    .flatMap((object) => podSpecsIn(object, `${object.kind} ${object.metadata.name}`));
