import type { Settings } from "../../settings/schema";

/** Change data capture: roles that read slots, and slots that outlive a failover. */

type Cluster = Pick<Settings["cluster"], "roles" | "slots" | "postgresVersion">;

/** Whether anyone reads changes out of the WAL. */
export const decodes = ({ roles, slots }: Pick<Cluster, "roles" | "slots">): boolean =>
  slots.length > 0 || roles.some(({ replication }) => replication);

/** What a server needs for it that isn't at logical by itself. */
export const logicalParameters = (cluster: Cluster): Record<string, string> =>
  decodes(cluster) ? { wal_level: "logical" } : {};

/** Whether standbys take over slots that clients make with `failover`: PostgreSQL itself does that from 17 on. */
export const slotsFollow = (cluster: Cluster): boolean =>
  decodes(cluster) && Number(cluster.postgresVersion) >= 17;
