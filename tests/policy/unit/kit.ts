import type { KubernetesObject } from "../../../plan/objects";
import { invariants, valuesOf } from "../../../policy/invariants";
import type { Invariant } from "../../../policy/invariants/invariant";
import { problemsOfObject, stackFacts } from "../../../policy/policies";
import { sentence } from "../../../settings/problem";
import { changed } from "../../support/settings";
import { passing } from "../foreign/passing";

/** A hand-written object that passes every policy; each call makes a new one. */
export const good = (name: string): KubernetesObject => {
  const object = passing[name];
  if (object === undefined) throw new Error(`there is no passing object ${name}`);
  return structuredClone(object) as KubernetesObject;
};

/** Every object of the passing program, with some replaced, added or (undefined) removed. */
export const goodStack = (changes: Record<string, KubernetesObject | undefined> = {}): KubernetesObject[] =>
  Object.values({ ...(structuredClone(passing) as Record<string, KubernetesObject>), ...changes }).filter(
    (object) => object !== undefined,
  );

/** An object of the passing program with fields set (or removed, with undefined). */
export const mutated = (name: string, changes: Record<string, unknown>): KubernetesObject =>
  Object.entries(changes).reduce((object, [path, value]) => changed(object, path, value), good(name));

export const named = (name: string): Invariant => {
  const invariant = invariants.find((one) => one.name === name);
  if (invariant === undefined) throw new Error(`there is no invariant ${name}`);
  return invariant;
};

/** Messages of one invariant about one object. */
export const violationsOf = (name: string, object: KubernetesObject, options: object = {}): string[] =>
  problemsOfObject(named(name), object, options).map(sentence);

/** Messages of one invariant about a whole stack. */
export function violationsInStack(
  name: string,
  objects: readonly KubernetesObject[],
  options: object = {},
): string[] {
  const invariant = named(name);
  if (invariant.on !== "stack") throw new Error(`${name} is about single objects`);
  return invariant.check(stackFacts(objects), valuesOf(invariant, options)).map(sentence);
}
