import { found } from "../../plan/lists";
import type { Problem } from "../../settings/problem";
import type { Facts } from "../../plan/engines/reader";
import { archiveStore, isAws } from "../backups";
import { allOf, each, mapped } from "../notKnown";
import { displayName, type StackFacts, type StackInvariant } from "./invariant";

/** Where a cluster archives to: the place, or the object of another stack that names it. */
function placeOf(stack: Pick<StackFacts, "stores">, cluster: Facts): string | undefined {
  const { store: named } = cluster.archive ?? {};
  if (named === undefined) return undefined;
  const store = archiveStore(stack, cluster);
  if (store === undefined) return displayName(named.kind, { ...named, namespace: cluster.namespace });
  const { endpoint = "", destination } = store;
  return isAws(store.endpoint) ? destination : `${endpoint.toLowerCase().replace(/\/+$/, "")} ${destination}`;
}

export const ownArchiveInvariant: StackInvariant = {
  number: "15",
  name: "archive-of-its-own",
  description: "No two clusters of a stack archive to the same place under the same name.",
  severity: "critical",
  mandatory: "everywhere",
  remediation:
    "Give each cluster a prefix or a name in the store of its own: one would overwrite the other's WAL.",
  on: "stack",
  check(stack): Problem[] {
    const placed = mapped(stack.clusters, (cluster) => ({ cluster, place: placeOf(stack, cluster) }));
    return each(placed, ({ cluster, place }, index) => {
      if (place === undefined) return [];
      // A name may not be known at a preview: it counts only where the place alone doesn't decide.
      const other = found(placed, (one, at) =>
        at < index &&
        allOf(
          () => one.place === place,
          () => one.cluster.archive?.archiveId === cluster.archive?.archiveId,
        )
          ? one.cluster
          : undefined,
      );
      return other
        ? [
            {
              path: `${displayName("Cluster", cluster)}: archive`,
              value: `${place.trim()}/${cluster.archive?.archiveId}`,
              allowed: `another place or name than that of the ${displayName("cluster", other)}`,
              fix: "give it a prefix or a name of its own",
            },
          ]
        : [];
    });
  },
};
