import type { Settings } from "../../settings/schema";
import { isAudited } from "./audit";

/** An audit says who came, from where, and when they left. */
export const logsConnections = (settings: Pick<Settings, "monitoring" | "audit">): boolean =>
  settings.monitoring.logs.connections || isAudited(settings);

/**
 * What servers log, on every engine; the user's own parameters win over all but the threshold and the connections, which are settings.
 * Spilo has defaults of its own, so that each is named.
 */
export const loggingParameters = (
  settings: Pick<Settings, "monitoring" | "audit">,
): Record<string, string> => {
  const { slowQuery } = settings.monitoring.logs;
  const connections = logsConnections(settings);
  return {
    log_min_duration_statement: slowQuery === "off" ? "-1" : slowQuery,
    // Values that clients bind to a statement are their data, passwords among them.
    log_parameter_max_length: "0",
    log_connections: connections ? "on" : "off",
    log_disconnections: connections ? "on" : "off",
    // A statement's text would show the password of a role that it sets.
    log_statement: "none",
    log_checkpoints: "on",
    log_lock_waits: "on",
    log_autovacuum_min_duration: "10s",
    log_temp_files: "64MB",
    // The same query has the same number in the log and in pg_stat_statements.
    compute_query_id: "on",
    log_timezone: "Etc/UTC",
  };
};
