import type { Problem } from "../../settings/problem";
import { allOf, each, maybeIn, together } from "../notKnown";
import { displayName, type StackInvariant } from "./invariant";

export const oneArchiveInvariant: StackInvariant = {
  number: "14",
  name: "one-archive",
  description:
    "A cluster archives to one store, and its base backups go there too: another store is no copy.",
  severity: "high",
  mandatory: "everywhere",
  remediation:
    "Name one archiver, and no store in the schedule of base backups. For a second target copy what is in the first one (`pgplatform:backup.targets`).",
  on: "stack",
  check: ({ clusters, baseBackups }): Problem[] =>
    each(clusters, (cluster) => {
      const { archive } = cluster;
      if (archive === undefined) return [];
      const several: Problem[] =
        archive.archivers > 1
          ? [
              {
                path: `${displayName("Cluster", cluster)}: archivers`,
                value: archive.archivers,
                allowed: "1, since one of them gets the WAL and the other nothing",
                fix: "keep one, and copy from its store",
              },
            ]
          : [];
      const elsewhere = () =>
        each(maybeIn(baseBackups, cluster.namespace), (one) =>
          allOf(
            () => one.cluster === cluster.name,
            () => one.namespace === cluster.namespace,
            () => one.store !== undefined,
            () => one.store !== archive.store?.name,
          )
            ? [
                {
                  path: `${displayName(one.kind, one)}: store`,
                  value: one.store,
                  allowed: `${archive.store?.name ?? "none"}, the archive's, since base backups without their WAL are no second target`,
                  fix: "leave it out, and copy from the archive's store",
                },
              ]
            : [],
        );
      return together(() => several, elsewhere);
    }),
};
