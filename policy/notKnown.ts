import { found, joined } from "../plan/lists";
import { Deferred } from "../plan/engines/reader";
import { type KubernetesObject, namespaceOf } from "../plan/objects";
import type { Problem } from "../settings/problem";

/** A value that a preview doesn't know was read. */
export class NotKnown extends Error {
  constructor(
    /** Where it stands in the resource, such as `spec.instances`. */
    readonly path: string,
    cause?: unknown,
    /** The object, where its reader is asked about a whole stack. */
    readonly object?: KubernetesObject,
  ) {
    super(`${path} is not known${cause instanceof Error ? `: ${cause.message}` : ""}`);
  }
}

/** What was found before, and beside, values that aren't known. */
export class Partly extends Error {
  constructor(
    readonly problems: readonly Problem[],
    readonly unread: readonly (NotKnown | Deferred)[],
  ) {
    super("not everything is known");
  }
}

/**
 * Problems of each element. One whose judgement needs a value that isn't known doesn't hide the others: theirs come with a `Partly`, which the
 * caller throws on.
 */
export function each<T>(list: readonly T[], check: (one: T, index: number) => readonly Problem[]): Problem[] {
  const problems: Problem[] = [];
  const unread: (NotKnown | Deferred)[] = [];
  for (let index = 0; index < list.length; index++)
    try {
      // By number: to read an element that isn't known throws.
      for (const problem of check(list[index] as T, index)) problems.push(problem);
    } catch (error) {
      if (error instanceof Partly) {
        problems.push(...error.problems);
        unread.push(...error.unread);
      } else if (error instanceof NotKnown || error instanceof Deferred) unread.push(error);
      else throw error;
    }
  if (unread.length > 0) throw new Partly(problems, unread);
  return problems;
}

/** Problems of several judgements, of which one may need what isn't known. */
export const together = (...checks: readonly (() => readonly Problem[])[]): Problem[] =>
  each(checks, (check) => check());

/** The problems that are kept, of those too that come with values that aren't known. */
export function kept(check: () => readonly Problem[], keep: (problem: Problem) => boolean): Problem[] {
  try {
    return check().filter(keep);
  } catch (error) {
    if (error instanceof Partly) throw new Partly(error.problems.filter(keep), error.unread);
    throw error;
  }
}

/** Whether one of the objects is such; those that can't be read count only where no other is. */
export const anyOf = <T>(list: readonly T[], is: (one: T, index: number) => boolean): boolean =>
  found(list, (one, index) => is(one, index) || undefined) ?? false;

/** Whether all conditions hold; one that can't be read counts only where no other fails. */
export const allOf = (...conditions: readonly (() => boolean)[]): boolean =>
  !anyOf(conditions, (holds) => !holds());

/** The problems of the first judgement that has any; one that can't be made hides none of the others. */
export const firstOf = (...checks: readonly (() => readonly Problem[])[]): readonly Problem[] =>
  found(checks, (check) => {
    const problems = check();
    return problems.length > 0 ? problems : undefined;
  }) ?? [];

/** What was read of the elements, and why the others couldn't be. */
export function readable<T, U>(
  list: readonly T[],
  read: (one: T) => U,
): { readonly values: U[]; readonly unread: NotKnown[] } {
  const values: U[] = [];
  const unread: NotKnown[] = [];
  for (let index = 0; index < list.length; index++)
    try {
      values.push(read(list[index] as T));
    } catch (error) {
      if (!(error instanceof NotKnown)) throw error;
      unread.push(error);
    }
  return { values, unread };
}

/** A list of one element, which throws when it is read. */
function unreadable<T>(error: NotKnown): T[] {
  const list: T[] = [];
  throwing(list, 0, error);
  return list;
}

/** What elements of a list give, one after the other; one that can't be read gives an element that throws when it is read. */
export function flatMapped<T, U>(
  list: readonly T[],
  make: (one: T, index: number) => readonly U[],
  otherwise: (error: NotKnown) => readonly U[] = unreadable,
): U[] {
  const made: (readonly U[])[] = [];
  for (let index = 0; index < list.length; index++)
    try {
      made.push(make(list[index] as T, index));
    } catch (error) {
      if (!(error instanceof NotKnown)) throw error;
      made.push(otherwise(error));
    }
  return joined(...made);
}

/** A list made of another, whose elements that aren't known stay so. */
export const mapped = <T, U>(list: readonly T[], make: (one: T, index: number) => U): U[] =>
  flatMapped(list, (one, index) => [make(one, index)]);

/** Those elements that are such; one of which that isn't known stays, and throws when it is read. */
export const those = <T>(list: readonly T[], is: (one: T) => boolean): T[] =>
  flatMapped(list, (one) => (is(one) ? [one] : []));

/** Whether something is known to be in another namespace. */
function isElsewhere(read: () => string, namespace: string): boolean {
  try {
    return read() !== namespace;
  } catch {
    return false;
  }
}

/** What is in a namespace, or may be: what is known to be in another one is left out, whatever else isn't known of it. */
export const maybeIn = <T extends { readonly namespace: string }>(
  list: readonly T[],
  namespace: string,
): T[] =>
  flatMapped(
    list,
    (one) => (isElsewhere(() => one.namespace, namespace) ? [] : [one]),
    (error) => {
      const { object } = error;
      return object && isElsewhere(() => namespaceOf(object), namespace) ? [] : unreadable(error);
    },
  );

/** Makes reading a field throw. */
export function throwing(target: object, key: string | number, error: NotKnown): void {
  Object.defineProperty(target, key, {
    enumerable: true,
    configurable: true,
    get() {
      throw error;
    },
  });
}
