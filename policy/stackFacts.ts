import { joined } from "../plan/lists";
import type { BaseBackupFacts, EngineReader, Facts, PoolerFacts, StoreFacts } from "../plan/engines/reader";
import { readers } from "../plan/engines/readers";
import type { KubernetesObject } from "../plan/objects";
import { pgbouncerFacts } from "../plan/pooler/facts";
import { bucketFacts, type CloudResource } from "./buckets";
import type { StackFacts } from "./invariants/invariant";
import { flatMapped, NotKnown } from "./notKnown";
import { reader as statefulSets } from "./statefulSets";

/** What objects claim, whichever engine's they are: the engines' own readers, and one of what has no operator. */

const readerList: readonly EngineReader[] = [...Object.values(readers), statefulSets];

type All = readonly KubernetesObject[] | undefined;

/** What the first reader that knows the object says of it. */
function firstOf<T>(read: (reader: EngineReader) => T | undefined): T | undefined {
  for (const reader of readerList) {
    const facts = read(reader);
    if (facts !== undefined) return facts;
  }
  return undefined;
}

export const clusterFacts = (object: KubernetesObject, all?: All): Facts | undefined =>
  firstOf((reader) => reader.facts(object, all));
export const storeFacts = (object: KubernetesObject, all?: All): StoreFacts | undefined =>
  firstOf((reader) => reader.storeFacts(object, all));
export const baseBackupFacts = (object: KubernetesObject, all?: All): BaseBackupFacts | undefined =>
  firstOf((reader) => reader.baseBackupFacts(object, all));
export const poolerFacts = (object: KubernetesObject, all?: All): readonly PoolerFacts[] =>
  readerList.flatMap((reader) => reader.poolerFacts(object, all));

/** What is read of each object; one that can't be told yet is an element that throws when it is read. */
const read = <T>(
  objects: readonly KubernetesObject[],
  of: (object: KubernetesObject) => readonly T[],
): readonly T[] =>
  flatMapped(objects, (object) => {
    try {
      return of(object);
    } catch (error) {
      if (error instanceof NotKnown) throw new NotKnown(error.path, undefined, object);
      // A policy about single objects says that it can't be read.
      return [];
    }
  });

const some = <T>(one: T | undefined): readonly T[] => (one === undefined ? [] : [one]);

/** Each part is read once, when it is first asked for. */
function once<T>(make: () => T): () => T {
  let made: { readonly value: T } | undefined;
  return () => (made ??= { value: make() }).value;
}

/** Everything that a stack's objects claim; `clouds` are its resources at providers of buckets. */
export function stackFacts(
  objects: readonly KubernetesObject[],
  clouds: readonly CloudResource[] = [],
): StackFacts {
  const clusters = once(() => read(objects, (object) => some(clusterFacts(object, objects))));
  const poolers = once(() =>
    joined(
      read(objects, (object) => poolerFacts(object, objects)),
      read(objects, (object) => pgbouncerFacts(objects, [object])),
    ),
  );
  const stores = once(() => read(objects, (object) => some(storeFacts(object, objects))));
  const baseBackups = once(() => read(objects, (object) => some(baseBackupFacts(object, objects))));
  const buckets = once(() => bucketFacts(clouds));
  return {
    objects,
    get clusters() {
      return clusters();
    },
    get poolers() {
      return poolers();
    },
    get stores() {
      return stores();
    },
    get baseBackups() {
      return baseBackups();
    },
    get buckets() {
      return buckets();
    },
  };
}
