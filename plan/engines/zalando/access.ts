import type { Settings } from "../../../settings/schema";
import { roles } from "../../names";
import { hostBasedAccess } from "../../postgres/access";
import { loginsOf } from "../../secrets/source";
import { replicator, superuser } from "./names";

/**
 * Rules of pg_hba.conf. Before those of the settings: Patroni on its own server's socket, standbys, and the superuser, as whom an
 * instance rewinds itself from another one and the platform's SQL is applied, and the exporters. Who gets that far is the network policies' matter.
 */
export const accessRules = (settings: Settings): string[] => [
  "local all all peer",
  `local replication ${replicator} scram-sha-256`,
  `hostssl replication ${replicator} all scram-sha-256`,
  `hostssl all ${superuser} all scram-sha-256`,
  ...loginsOf(settings, roles.metrics).map((login) => `hostssl all ${login} all scram-sha-256`),
  ...hostBasedAccess(settings.cluster),
];
