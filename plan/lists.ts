/** Lists whose elements may throw when they are read, since a preview doesn't know them yet. */

/** Lists behind one another, without their elements being read: one that throws when it is read still does. */
export function joined<T>(...lists: readonly (readonly T[])[]): T[] {
  const all: T[] = [];
  for (const list of lists)
    for (const [index, one] of Object.entries(Object.getOwnPropertyDescriptors(list)))
      if (index !== "length") Object.defineProperty(all, all.length, one);
  return all;
}

/** The first thing that is found in the elements; those that can't be read count only where it is in no other. */
export function found<T, U>(
  list: readonly T[],
  find: (one: T, index: number) => U | undefined,
): U | undefined {
  const unread: unknown[] = [];
  for (let index = 0; index < list.length; index++)
    try {
      const it = find(list[index] as T, index);
      if (it !== undefined) return it;
    } catch (error) {
      unread.push(error);
    }
  const [first] = unread;
  if (first instanceof Error) throw first;
  return undefined;
}
