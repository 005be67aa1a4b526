import * as pulumi from "@pulumi/pulumi";
import { RandomId } from "@pulumi/random/randomId";
import { archiveIdNames } from "../plan/backup/names";
import type { Settings } from "../settings/schema";

/**
 * The archive's ID, in hexadecimal: one for each database cluster that is made, and another one with a new major version of PostgreSQL, whose timelines begin
 * again, or where the settings ask for it.
 *
 * What it began with is kept in the state, since an ID that was drawn must stay as long as neither changes.
 */
export function archiveIdOf(
  name: string,
  { cluster, backup }: Settings,
  parent: pulumi.Resource,
): pulumi.Output<string> {
  const number = backup?.archiveNumber ?? 1;
  const keepers = {
    namespace: cluster.namespace,
    name: cluster.name,
    ...(number > 1 && { number: String(number) }),
  };
  const major = cluster.postgresVersion;
  const [firstName, laterName] = archiveIdNames(name);
  const first = new RandomId(firstName, { byteLength: 5, keepers }, { parent });
  const began = new RandomId(
    `${name}-archive-began`,
    { byteLength: 1, keepers: { ...keepers, major } },
    // It stays what it was: that is its purpose.
    { parent, ignoreChanges: ["keepers.major"] },
  );
  const later = new RandomId(laterName, { byteLength: 5, keepers: { ...keepers, major } }, { parent });
  return pulumi
    .all([first.hex, began.keepers, later.hex])
    .apply(([drawn, then, redrawn]) => (then?.major === major ? drawn : redrawn));
}
