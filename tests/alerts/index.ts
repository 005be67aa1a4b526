import type { Pairs } from "./case";
import { availability } from "./cases/availability";
import { backups } from "./cases/backups";
import { maintenance } from "./cases/maintenance";
import { operator } from "./cases/operator";
import { poolers } from "./cases/poolers";
import { replication } from "./cases/replication";
import { sessions } from "./cases/sessions";
import { volumes } from "./cases/volumes";

/** Of every alert a case that fires and one that doesn't. */
export const pairs: Pairs = {
  ...availability,
  ...replication,
  ...sessions,
  ...maintenance,
  ...volumes,
  ...backups,
  ...poolers,
  ...operator,
};
