import type { Facts } from "../../plan/engines/reader";
import type { Problem } from "../../settings/problem";
import { archiveStore } from "../backups";
import { each } from "../notKnown";
import { displayName, type StackInvariant } from "./invariant";

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
    const placed = stack.clusters.flatMap((cluster) => {
      const store = archiveStore(stack, cluster);
      return store ? [{ cluster, place: `${store.endpoint ?? ""} ${store.destination}` }] : [];
    });
    const nameOf = ({ archive }: Facts) => archive?.archiveId;
    return each(placed, ({ cluster, place }, index) => {
      // The name may not be known at a preview: it is read only where the place alone doesn't decide.
      const other = placed
        .slice(0, index)
        .find((one) => one.place === place && nameOf(one.cluster) === nameOf(cluster));
      return other
        ? [
            {
              path: `${displayName("Cluster", cluster)}: archive`,
              value: `${place.trim()}/${nameOf(cluster)}`,
              allowed: `another place or name than that of the ${displayName("cluster", other.cluster)}`,
              fix: "give it a prefix or a name of its own",
            },
          ]
        : [];
    });
  },
};
