import type { KubernetesObject } from "../../../plan/objects";
import { invariants, valuesOf } from "../../../policy/invariants";
import type { Invariant } from "../../../policy/invariants/invariant";
import { titleOf } from "../../../policy/kubernetes";
import { objectOf } from "../../../policy/objects";
import { problemsOfObject, problemsOfWaiting } from "../../../policy/policies";
import { Run } from "../../../policy/run";
import { stackFacts } from "../../../policy/stackFacts";
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

/** An object as the pack reads it. */
const read = (object: KubernetesObject): KubernetesObject =>
  objectOf(
    "kubernetes:any",
    // Where it has no name the resource's counts.
    "unnamed",
    object,
  )!;

/** What one invariant says about one object that is alone in its stack: messages, and what isn't known yet. */
export function judged(
  name: string,
  object: KubernetesObject,
  options: object = {},
): { readonly said: string[]; readonly later: string[] } {
  const invariant = named(name);
  if (invariant.on === "stack") throw new Error(`${name} is about stacks`);
  const run = new Run();
  const one = read(object);
  const said = [
    ...run.judged(name, titleOf(one), () => problemsOfObject(invariant, one, options)),
    ...problemsOfWaiting(invariant, [one], options, run),
  ].map(sentence);
  return { said, later: run.later() };
}

/** Messages of one invariant about one object that is alone in its stack. */
export const violationsOf = (name: string, object: KubernetesObject, options: object = {}): string[] =>
  judged(name, object, options).said;

/** What one invariant says about a whole stack: messages, and what isn't known yet. */
export function judgedStack(
  name: string,
  objects: readonly KubernetesObject[],
  options: object = {},
): { readonly said: string[]; readonly later: string[] } {
  const invariant = named(name);
  const run = new Run();
  const all = objects.map(read);
  const said =
    invariant.on === "stack"
      ? run.judged(name, "Stack", () => invariant.check(stackFacts(all), valuesOf(invariant, options)))
      : [
          ...all.flatMap((one) =>
            run.judged(name, titleOf(one), () => problemsOfObject(invariant, one, options)),
          ),
          ...problemsOfWaiting(invariant, all, options, run),
        ];
  return { said: said.map(sentence), later: run.later() };
}

/** Messages of one invariant about a whole stack. */
export const violationsInStack = (
  name: string,
  objects: readonly KubernetesObject[],
  options: object = {},
): string[] => judgedStack(name, objects, options).said;
