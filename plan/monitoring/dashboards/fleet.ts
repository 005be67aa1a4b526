import { near, type Limits } from "./limits";
import { above, below, noneWanted, query, series, stat, table, type Dashboard } from "./model";
import { labels, needs, peak, variables } from "./selectors";

const all = labels.clusters;
const by = "by (namespace, cluster)";
const legend = "{{namespace}}/{{cluster}}";

const missing = `max ${by} (pgplatform_wanted_instances{${all}}) - sum ${by} (pgplatform_server_up{${all}})`;
const connectionsUsed = `max ${by} (pgplatform_server_connections{${all}} / (pgplatform_server_max_connections{${all}} - pgplatform_server_reserved_connections{${all}}))`;
/** Each database once, while a failover has two primaries in Prometheus' memory, too. */
const size = `sum ${by} (max by (namespace, cluster, database) (pgplatform_database_size_bytes{${all}, role="primary"}))`;
const backupAge = `time() - min ${by} (max by (namespace, cluster, target) (pgplatform_backup_base_timestamp_seconds{${all}}))`;
const verificationAge = `time() - min ${by} (max by (namespace, cluster, target) (pgplatform_backup_verified_timestamp_seconds{${all}}))`;

export const fleet = (limits: Limits): Dashboard => ({
  id: "fleet",
  title: "PostgreSQL: fleet",
  description: "All clusters at once: which one needs a look.",
  variables: [variables.namespaces, variables.clusters],
  rows: [
    {
      title: "Now",
      panels: [
        stat("Clusters", "none", "Clusters with at least one instance up.", [
          query(`count(count ${by} (pgplatform_server_up{${all}} == 1))`, "clusters"),
        ]),
        stat("Instances up", "none", "Instances whose PostgreSQL answers.", [
          query(`sum(pgplatform_server_up{${all}})`, "instances"),
        ]),
        stat(
          "Clusters short of instances",
          "none",
          "Clusters with fewer instances up than asked for.",
          [query(`sum(${missing} > bool 0)`, "clusters")],
          { steps: noneWanted },
        ),
        stat(
          "Clusters without a primary",
          "none",
          "Clusters whose instances are up, none of them as the primary.",
          [
            query(
              `count(count ${by} (pgplatform_server_up{${all}})) - (count(count ${by} (pgplatform_server_in_recovery{${all}} == 0)) or vector(0))`,
              "clusters",
            ),
          ],
          { steps: noneWanted },
        ),
        stat(
          "Backup targets down",
          "none",
          "Stores that the watcher can't read.",
          [query(`count(pgplatform_backup_target_up{${all}} == 0) or vector(0)`, "targets")],
          { steps: noneWanted },
        ),
        stat(
          "Alerts firing",
          "none",
          "Alerts of these clusters that fire now.",
          [query(`count(ALERTS{alertstate="firing", ${all}}) or vector(0)`, "alerts")],
          { steps: noneWanted },
        ),
      ],
    },
    {
      title: "Clusters",
      panels: [
        table(
          "Clusters",
          "none",
          "One line a cluster. A backup's age is that of the target that is furthest behind.",
          [
            query(`sum ${by} (pgplatform_server_up{${all}})`, "Up"),
            query(missing, "Missing", { steps: noneWanted }),
            query(`max ${by} (pgplatform_standbys_streaming{${all}})`, "Standbys"),
            query(`max ${by} (pgplatform_standby_lag_seconds{${all}})`, "Lag", {
              unit: "s",
              steps: near(limits.replicationLag),
              needsEvent: needs.standby,
            }),
            query(connectionsUsed, "Connections", {
              unit: "percentunit",
              steps: above(limits.connectionsHigh, limits.connectionsFull),
            }),
            query(size, "Size", {
              unit: "bytes",
            }),
            query(`max ${by} (pgplatform_backup_unarchived_seconds{${all}})`, "Not archived for", {
              unit: "s",
              needsEvent: needs.backups,
            }),
            query(backupAge, "Base backup", {
              unit: "s",
              steps: near(limits.backupAge),
              needsEvent: needs.backups,
            }),
            query(verificationAge, "Verified", {
              unit: "s",
              steps: near(limits.verificationAge),
              needsEvent: needs.verified,
            }),
            query(
              `min ${by} (pgplatform_certificate_expiry_timestamp_seconds{${all}}) - time()`,
              "Certificate ends in",
              {
                unit: "s",
                steps: below(limits.certificate, limits.certificateSoon),
              },
            ),
          ],
          { labels: { namespace: "Namespace", cluster: "Cluster" } },
        ),
        table(
          "Versions",
          "none",
          "What each cluster runs, and what its settings are: clusters with the same hash have the same settings.",
          [
            query(
              `max by (namespace, cluster, engine, version, postgres_version, tier, settings) (pgplatform_info{${all}})`,
              "Info",
              { hidden: true },
            ),
          ],
          {
            labels: {
              namespace: "Namespace",
              cluster: "Cluster",
              engine: "Engine",
              postgres_version: "PostgreSQL",
              version: "Platform",
              tier: "Tier",
              settings: "Settings",
            },
          },
        ),
      ],
    },
    {
      title: "Over time",
      panels: [
        series(
          "Transactions",
          "ops",
          "Transactions that ended, on all instances.",
          [
            query(
              `sum ${by} (rate(pgplatform_database_commits_total{${all}}[$__rate_interval]) + rate(pgplatform_database_rollbacks_total{${all}}[$__rate_interval]))`,
              legend,
            ),
          ],
          { min: 0 },
        ),
        series(
          "Connections used",
          "percentunit",
          "Of those that clients may have: max_connections without the reserved ones.",
          [query(connectionsUsed, legend)],
          { min: 0, max: 1, steps: above(limits.connectionsHigh, limits.connectionsFull) },
        ),
        series(
          "Replication lag",
          "s",
          "How far the last standby is behind.",
          [
            query(`max ${by} (${peak(`pgplatform_standby_lag_seconds{${all}}`)})`, legend, {
              needsEvent: needs.standby,
            }),
          ],
          { min: 0 },
        ),
        series(
          "Writes that aren't archived",
          "s",
          "Age of the oldest one: what would be lost with all instances now.",
          [
            query(`max ${by} (${peak(`pgplatform_backup_unarchived_seconds{${all}}`)})`, legend, {
              needsEvent: needs.backups,
            }),
          ],
          { min: 0 },
        ),
        series("Size", "bytes", "Of all databases, on the primary.", [query(size, legend)], { min: 0 }),
        series(
          "WAL written",
          "Bps",
          "By the primaries.",
          [
            query(
              `sum ${by} (rate(pgplatform_wal_bytes_total{${all}, role="primary"}[$__rate_interval]))`,
              legend,
            ),
          ],
          { min: 0 },
        ),
      ],
    },
  ],
});
