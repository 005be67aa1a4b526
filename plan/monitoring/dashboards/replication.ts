import { near, type Limits } from "./limits";
import { above, noneWanted, query, series, stat, states, table, yesNo, type Dashboard } from "./model";
import { failovers } from "./marks";
import { labels, needs, ofCluster, peak, variables } from "./selectors";

const { cluster, instances, primary } = labels;
const standby = { needsEvent: needs.standby };
const slot = { needsEvent: needs.slot };

export const replication = (limits: Limits): Dashboard => ({
  id: "replication",
  title: "PostgreSQL: replication",
  description: "Standbys, their lag, slots, conflicts, WAL and its archiving.",
  variables: [...ofCluster, variables.instance],
  marks: [failovers],
  rows: [
    {
      title: "Now",
      panels: [
        stat("Standbys streaming", "none", "Standbys that are connected to the primary.", [
          query(`max(pgplatform_standbys_streaming{${cluster}})`, "streaming"),
        ]),
        stat("Synchronous standbys", "none", "Standbys for which commits wait.", [
          query(`max(pgplatform_standbys_synchronous{${cluster}})`, "synchronous"),
        ]),
        stat(
          "Replay lag",
          "bytes",
          "WAL that the last standby hasn't replayed.",
          [query(`max(pgplatform_replication_replay_lag_bytes{${cluster}})`, "lag", standby)],
          { steps: above(64 * 2 ** 20, 2 ** 30), noValue: "no standby" },
        ),
        stat(
          "Slots that nothing uses",
          "none",
          "An inactive slot keeps WAL until the volume is full.",
          [query(`count(pgplatform_slot_active{${primary}} == 0) or vector(0)`, "slots")],
          { steps: noneWanted },
        ),
        stat(
          "WAL kept for slots",
          "bytes",
          "What the slot that is furthest behind keeps.",
          [query(`max(pgplatform_slot_kept_bytes{${primary}})`, "kept", slot)],
          { steps: near(limits.slotWal), noValue: "no slot" },
        ),
        stat("Timeline", "none", "It grows by one with each failover.", [
          query(`max(pgplatform_server_timeline{${cluster}})`, "timeline"),
        ]),
      ],
    },
    {
      title: "Standbys",
      panels: [
        table(
          "Standbys, as the primary sees them",
          "none",
          "One line a standby that is connected.",
          [
            query(
              `max by (standby, sync_state) (pgplatform_replication_streaming{${primary}})`,
              "Streaming",
              { ...standby, names: yesNo },
            ),
            query(
              `max by (standby, sync_state) (pgplatform_replication_sent_lag_bytes{${primary}})`,
              "Not sent",
              { ...standby, unit: "bytes" },
            ),
            query(
              `max by (standby, sync_state) (pgplatform_replication_replay_lag_bytes{${primary}})`,
              "Not replayed",
              { ...standby, unit: "bytes" },
            ),
            query(
              `max by (standby, sync_state) (pgplatform_replication_replay_lag_seconds{${primary}})`,
              "Replay lag",
              {
                ...standby,
                unit: "s",
                steps: near(limits.replicationLag),
              },
            ),
          ],
          { labels: { standby: "Standby", sync_state: "State" } },
        ),
        series(
          "Lag in seconds, as the primary sees it",
          "s",
          "Until the standby has written, flushed and replayed what was committed.",
          [
            query(
              `max by (standby) (pgplatform_replication_write_lag_seconds{${primary}})`,
              "{{standby}} write",
              standby,
            ),
            query(
              `max by (standby) (pgplatform_replication_flush_lag_seconds{${primary}})`,
              "{{standby}} flush",
              standby,
            ),
            query(
              `max by (standby) (pgplatform_replication_replay_lag_seconds{${primary}})`,
              "{{standby}} replay",
              standby,
            ),
          ],
          { min: 0 },
        ),
        series(
          "Lag in bytes, as the primary sees it",
          "bytes",
          "WAL that the standby hasn't been sent, and hasn't replayed.",
          [
            query(
              `max by (standby) (pgplatform_replication_sent_lag_bytes{${primary}})`,
              "{{standby}} sent",
              standby,
            ),
            query(
              `max by (standby) (pgplatform_replication_replay_lag_bytes{${primary}})`,
              "{{standby}} replay",
              standby,
            ),
          ],
          { min: 0 },
        ),
        series(
          "Lag in seconds, as the standby sees it",
          "s",
          "Age of the last transaction that it replayed, while there is more to replay.",
          [
            query(
              `max by (instance) (${peak(`pgplatform_standby_lag_seconds{${instances}}`)})`,
              "{{instance}}",
              standby,
            ),
          ],
          { min: 0, steps: near(limits.replicationLag) },
        ),
        states(
          "WAL receivers",
          "none",
          "Whether each standby has a WAL receiver that runs.",
          [query(`max by (instance) (pgplatform_standby_receiving{${instances}})`, "{{instance}}", standby)],
          { names: yesNo, width: 12, height: 8 },
        ),
        series(
          "Standbys streaming",
          "none",
          "How many are connected, how many of them are synchronous.",
          [
            query(`max(pgplatform_standbys_streaming{${cluster}})`, "streaming"),
            query(`max(pgplatform_standbys_synchronous{${cluster}})`, "synchronous"),
          ],
          { min: 0 },
        ),
        series(
          "Conflicts",
          "none",
          "Queries on standbys that replay has cancelled in five minutes, since it waited for too long.",
          [
            query(
              `sum by (instance, reason) (increase(pgplatform_conflicts_total{${instances}}[5m]))`,
              "{{instance}} {{reason}}",
            ),
          ],
          { min: 0 },
        ),
      ],
    },
    {
      title: "Slots",
      panels: [
        table(
          "Slots",
          "none",
          "Each slot of the primary.",
          [
            query(`max by (slot, type) (pgplatform_slot_active{${primary}})`, "In use", {
              ...slot,
              names: yesNo,
            }),
            query(`max by (slot, type) (pgplatform_slot_kept_bytes{${primary}})`, "Keeps", {
              ...slot,
              unit: "bytes",
            }),
            query(`max by (slot, type) (pgplatform_slot_safe_bytes{${primary}})`, "Until it is lost", {
              ...slot,
              unit: "bytes",
              names: { "-1": ["no limit", "text"] },
            }),
            query(`max by (slot, type) (pgplatform_slot_lost{${primary}})`, "Lost", {
              ...slot,
              names: { 0: ["no", "green"], 1: ["yes", "red"] },
            }),
          ],
          { labels: { slot: "Slot", type: "Type" }, width: 12 },
        ),
        series(
          "WAL kept for slots",
          "bytes",
          "By slot.",
          [query(`max by (slot) (pgplatform_slot_kept_bytes{${primary}})`, "{{slot}}", slot)],
          { min: 0 },
        ),
      ],
    },
    {
      title: "WAL and its archiving",
      panels: [
        series(
          "WAL written",
          "Bps",
          "By the primary.",
          [query(`sum(rate(pgplatform_wal_bytes_total{${primary}}[$__rate_interval]))`, "WAL")],
          { min: 0, width: 8 },
        ),
        series(
          "WAL on the volume",
          "bytes",
          "Size of pg_wal.",
          [query(`max by (instance) (pgplatform_wal_directory_bytes{${instances}})`, "{{instance}}")],
          { min: 0, width: 8 },
        ),
        series(
          "Segments that wait to be archived",
          "none",
          "Segments with a .ready file.",
          [query(`max by (instance) (pgplatform_archiver_ready_files{${instances}})`, "{{instance}}")],
          { min: 0, width: 8, steps: near(limits.archiveBacklog) },
        ),
        series(
          "Segments archived and failed",
          "none",
          "In five minutes, on the primary.",
          [
            query(`sum(increase(pgplatform_archiver_archived_total{${primary}}[5m]))`, "archived"),
            query(`sum(increase(pgplatform_archiver_failed_total{${primary}}[5m]))`, "failed"),
          ],
          { min: 0, width: 8 },
        ),
        series(
          "Time since a segment was archived",
          "s",
          "An idle server archives rarely; -1 stands for never.",
          [query(`max(pgplatform_archiver_archived_age_seconds{${primary}})`, "archived")],
          { width: 8 },
        ),
        states(
          "Archiving fails",
          "none",
          "Whether the primary's last attempt failed.",
          [query(`max by (instance) (pgplatform_archiver_failing{${primary}})`, "{{instance}}")],
          { names: { 0: ["no", "green"], 1: ["yes", "red"] }, width: 8, height: 8 },
        ),
      ],
    },
  ],
});
