import { Deferred } from "../plan/engines/reader";
import type { Problem } from "../settings/problem";

/** A value that a preview doesn't know was read. */
export class NotKnown extends Error {
  constructor(
    /** Where it stands in the resource, such as `spec.instances`. */
    readonly path: string,
    cause?: unknown,
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
export function anyOf<T>(list: readonly T[], is: (one: T) => boolean): boolean {
  const unread: unknown[] = [];
  for (let index = 0; index < list.length; index++)
    try {
      if (is(list[index] as T)) return true;
    } catch (error) {
      unread.push(error);
    }
  const [first] = unread;
  if (first instanceof Error) throw first;
  return false;
}

/** A list made of another, whose elements that aren't known stay so. */
export function mapped<T, U>(list: readonly T[], make: (one: T, index: number) => U): U[] {
  const made: U[] = new Array<U>(list.length);
  for (let index = 0; index < list.length; index++)
    try {
      made[index] = make(list[index] as T, index);
    } catch (error) {
      if (!(error instanceof NotKnown)) throw error;
      throwing(made, index, error);
    }
  return made;
}

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
