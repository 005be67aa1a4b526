/** Parameters of what servers log, where the settings say nothing of it. */
export const loggedByDefault = {
  log_min_duration_statement: "1s",
  log_parameter_max_length: "0",
  log_connections: "off",
  log_disconnections: "off",
  log_statement: "none",
  log_checkpoints: "on",
  log_lock_waits: "on",
  log_autovacuum_min_duration: "10s",
  log_temp_files: "64MB",
  compute_query_id: "on",
  log_timezone: "Etc/UTC",
};
