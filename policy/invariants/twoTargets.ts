import type { Problem } from "../../settings/problem";
import { archiveStore, placesOf, providersOf } from "../backups";
import { each } from "../notKnown";
import { displayName, type StackInvariant } from "./invariant";

export const twoTargetsInvariant: StackInvariant = {
  number: "13",
  name: "two-targets",
  description:
    "A cluster's backups are in two stores of different providers, each with a key or a role of its own.",
  severity: "high",
  mandatory: "prod",
  remediation:
    "Add a second target at another provider (`pgplatform:backup.targets`). Other programs: label the Secret of the copy's key " +
    "`pgplatform.io/cluster: <cluster>` and `pgplatform.io/role: backup-target`, and annotate it with `pgplatform.io/store-endpoint` and `pgplatform.io/store-bucket`.",
  on: "stack",
  check: (stack): Problem[] =>
    each(stack.clusters, (cluster) => {
      // A cluster without an archive is another invariant's matter.
      const archive = archiveStore(stack, cluster);
      if (archive === undefined) return [];
      const places = placesOf(stack.objects, cluster, archive);
      const providers = providersOf(places);
      const violation = (value: string): Problem[] => [
        {
          path: `${displayName("Cluster", cluster)}: backup targets`,
          value,
          allowed: "two at different providers, so that no provider, account or key takes both",
          fix: "copy to another provider",
        },
      ];
      if (providers.length < 2)
        return violation(places.length < 2 ? "one" : `${places.length} at ${providers.join(", ")}`);
      const { secrets = [] } = archive;
      const apart = places.filter(({ secret }) => secret === undefined || !secrets.includes(secret));
      return providersOf(apart).length < 2 ? violation("two with one key") : [];
    }),
};
