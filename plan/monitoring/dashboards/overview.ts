import { near, type Limits } from "./limits";
import { above, below, noneWanted, query, series, stat, states, table, type Dashboard } from "./model";
import { failovers, starts } from "./marks";
import { labels, needs, ofCluster, peak, variables } from "./selectors";

const { cluster, instances, primary, servers, volumes } = labels;
const rate = "[$__rate_interval]";

const connectionsUsed = `sum by (instance) (pgplatform_server_connections{${instances}}) / sum by (instance) (pgplatform_server_max_connections{${instances}} - pgplatform_server_reserved_connections{${instances}})`;
const fullness = `1 - kubelet_volume_stats_available_bytes{${volumes}} / kubelet_volume_stats_capacity_bytes{${volumes}}`;

export const overview = (limits: Limits): Dashboard => ({
  id: "overview",
  title: "PostgreSQL: cluster",
  description:
    "One cluster: who is the primary, is it healthy, how far are the standbys and the backups behind.",
  variables: [...ofCluster, variables.instance],
  marks: [failovers, starts],
  rows: [
    {
      title: "Now",
      panels: [
        stat(
          "Primary",
          "none",
          "The instance that takes writes. Two names here are an alarm.",
          [query(`pgplatform_server_up{${primary}} == 1`, "{{instance}}")],
          { byName: true },
        ),
        stat("Instances up", "none", "Instances whose PostgreSQL answers.", [
          query(`sum(pgplatform_server_up{${cluster}})`, "up"),
        ]),
        stat(
          "Instances missing",
          "none",
          "How many fewer than cluster.instances asks for.",
          [
            query(
              `clamp_min(max(pgplatform_wanted_instances{${cluster}}) - (sum(pgplatform_server_up{${cluster}}) or vector(0)), 0)`,
              "missing",
            ),
          ],
          { steps: noneWanted },
        ),
        stat(
          "Sync standbys missing",
          "none",
          "How many fewer than asked wait for each commit.",
          [
            query(
              `clamp_min(max(pgplatform_wanted_synchronous_standbys{${cluster}}) - max(pgplatform_standbys_synchronous{${cluster}}), 0)`,
              "missing",
            ),
          ],
          { steps: noneWanted },
        ),
        stat(
          "Replication lag",
          "s",
          "How far the last standby is behind in replaying.",
          [query(`max(pgplatform_standby_lag_seconds{${cluster}})`, "lag", { needsEvent: needs.standby })],
          { steps: near(limits.replicationLag), noValue: "no standby" },
        ),
        stat(
          "Alerts firing",
          "none",
          "Alerts of this cluster that fire now.",
          [query(`count(ALERTS{alertstate="firing", ${cluster}}) or vector(0)`, "alerts")],
          { steps: noneWanted },
        ),
        stat(
          "Connections used",
          "percentunit",
          "On the fullest instance, of those that clients may have.",
          [query(`max(${connectionsUsed})`, "used")],
          { steps: above(limits.connectionsHigh, limits.connectionsFull) },
        ),
        stat(
          "Fullest volume",
          "percentunit",
          "Share of the volume that is used.",
          [query(`max(${fullness})`, "used")],
          { steps: near(limits.volumeUsed) },
        ),
        stat(
          "Writes that aren't archived",
          "s",
          "Age of the oldest one. backup.rpoMinutes says how old it may be.",
          [
            query(`max(pgplatform_backup_unarchived_seconds{${cluster}})`, "age", {
              needsEvent: needs.backups,
            }),
          ],
          { steps: near(limits.rpo), noValue: "no backups" },
        ),
        stat(
          "Base backup",
          "s",
          "Age of the newest one, in the target that is furthest behind.",
          [
            query(
              `time() - min(max by (target) (pgplatform_backup_base_timestamp_seconds{${cluster}}))`,
              "age",
              { needsEvent: needs.backups },
            ),
          ],
          { steps: near(limits.backupAge), noValue: "none" },
        ),
        stat(
          "Restore verified",
          "s",
          "Time since a restore last passed, in the target that is furthest behind.",
          [
            query(
              `time() - min(max by (target) (pgplatform_backup_verified_timestamp_seconds{${cluster}}))`,
              "age",
              { needsEvent: needs.verified },
            ),
          ],
          { steps: near(limits.verificationAge), noValue: "never" },
        ),
        stat(
          "Certificate ends in",
          "s",
          "The first of the CA's and the server's to end.",
          [query(`min(pgplatform_certificate_expiry_timestamp_seconds{${cluster}}) - time()`, "left")],
          { steps: below(limits.certificate, limits.certificateSoon) },
        ),
      ],
    },
    {
      title: "Roles and health",
      panels: [
        states(
          "Roles",
          "none",
          "Each instance's role over time; a gap is an instance that doesn't answer.",
          [query(`max by (instance) (pgplatform_server_in_recovery{${instances}})`, "{{instance}}")],
          { names: { 0: ["primary", "purple"], 1: ["standby", "blue"] }, width: 12 },
        ),
        states(
          "Alerts",
          "none",
          "Alerts of this cluster while they fire.",
          [
            query(`max by (alertname, severity) (ALERTS{alertstate="firing", ${cluster}})`, "{{alertname}}", {
              needsEvent: needs.alerts,
            }),
          ],
          { names: { 1: ["firing", "red"] }, width: 12, noValue: "none has fired" },
        ),
        table(
          "Instances",
          "none",
          "What each instance is and does.",
          [
            query(`max by (instance) (pgplatform_server_in_recovery{${instances}})`, "Role", {
              names: { 0: ["primary", "purple"], 1: ["standby", "blue"] },
            }),
            query(
              `max by (instance) (time() - pgplatform_server_start_time_seconds{${instances}})`,
              "Running for",
              { unit: "s" },
            ),
            query(`max by (instance) (pgplatform_server_timeline{${instances}})`, "Timeline"),
            query(`sum by (instance) (pgplatform_server_connections{${instances}})`, "Connections"),
            query(`max by (instance) (pgplatform_standby_lag_seconds{${instances}})`, "Lag", {
              unit: "s",
              steps: near(limits.replicationLag),
              needsEvent: needs.standby,
            }),
            query(
              `max by (instance) (pgplatform_server_pending_restart{${instances}})`,
              "Settings that wait for a restart",
              {
                steps: [
                  [null, "green"],
                  [1, "orange"],
                ],
              },
            ),
          ],
          { labels: { instance: "Instance" }, height: 6 },
        ),
      ],
    },
    {
      title: "Load",
      panels: [
        series(
          "Transactions",
          "ops",
          "Transactions that ended, by instance.",
          [
            query(
              `sum by (instance) (rate(pgplatform_database_commits_total{${instances}}${rate}) + rate(pgplatform_database_rollbacks_total{${instances}}${rate}))`,
              "{{instance}}",
            ),
          ],
          { min: 0 },
        ),
        series(
          "Connections",
          "none",
          "By what they do, on all chosen instances.",
          [query(`sum by (state) (pgplatform_connections_count{${instances}})`, "{{state}}")],
          { min: 0, stacked: true },
        ),
        series(
          "CPU",
          "cores",
          "Cores that PostgreSQL's containers use.",
          [query(`sum by (pod) (rate(container_cpu_usage_seconds_total{${servers}}${rate}))`, "{{pod}}")],
          { min: 0 },
        ),
        series(
          "Volumes",
          "percentunit",
          "Share of each volume that is used.",
          [query(fullness, "{{persistentvolumeclaim}}")],
          { min: 0, max: 1, steps: near(limits.volumeUsed) },
        ),
        series(
          "Longest transaction",
          "s",
          "The oldest one on each instance.",
          [
            query(
              `max by (instance) (pgplatform_activity_longest_transaction_seconds{${instances}})`,
              "{{instance}}",
            ),
          ],
          { min: 0 },
        ),
        series(
          "Cache hits",
          "percentunit",
          "Share of the blocks that PostgreSQL had in its own cache.",
          [
            query(
              `1 - sum by (instance) (rate(pgplatform_database_blocks_read_total{${instances}}${rate})) / clamp_min(sum by (instance) (rate(pgplatform_database_blocks_hit_total{${instances}}${rate}) + rate(pgplatform_database_blocks_read_total{${instances}}${rate})), 1)`,
              "{{instance}}",
            ),
          ],
          { max: 1 },
        ),
      ],
    },
    {
      title: "Replication and WAL",
      panels: [
        series(
          "Replication lag",
          "s",
          "How far each standby is behind in replaying.",
          [
            query(
              `max by (instance) (${peak(`pgplatform_standby_lag_seconds{${instances}}`)})`,
              "{{instance}}",
              {
                needsEvent: needs.standby,
              },
            ),
          ],
          { min: 0, width: 8 },
        ),
        series(
          "WAL written",
          "Bps",
          "By the primary.",
          [query(`sum(rate(pgplatform_wal_bytes_total{${primary}}${rate}))`, "WAL")],
          { min: 0, width: 8 },
        ),
        series(
          "WAL that waits to be archived",
          "none",
          "Segments of the primary with a .ready file.",
          [query(`max by (instance) (pgplatform_archiver_ready_files{${primary}})`, "{{instance}}")],
          { min: 0, width: 8 },
        ),
      ],
    },
  ],
});
