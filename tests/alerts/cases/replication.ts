import { always, both, of, primary, standby, type Pairs, type Series } from "../case";

const second = { instance: "main-2", role: "standby" };
const slot = (metric: string, value: number, role = "primary"): Series => ({
  [of(`pgplatform_slot_${metric}`, `instance="main-1",role="${role}",slot="debezium",type="logical"`)]:
    always(value),
});
const slotLabels = { ...both, slot: "debezium", type: "logical" };
const lag = (seconds: number, receiving: number): Series => ({
  [of("pgplatform_standby_lag_seconds", standby)]: always(seconds),
  [of("pgplatform_standby_receiving", standby)]: always(receiving),
});
/** A primary that writes on and on, and how far the standby has replayed. */
const positions = (replayed: string): Series => ({
  [of("pgplatform_wal_position_bytes", primary)]: "1000+1000x240",
  [of("pgplatform_wal_position_bytes", standby)]: replayed,
});
const conflict = (reason: string): string =>
  of("pgplatform_conflicts_total", `${standby},database="app",reason="${reason}"`);

export const replication: Pairs = {
  NoSynchronousStandby: {
    fires: () => ({
      series: {
        [of("pgplatform_standbys_synchronous", primary)]: always(0),
        [of("pgplatform_standbys_synchronous", standby)]: always(0),
      },
      summary: "0 of 1 synchronous standbys confirm commits",
    }),
    quiet: () => ({
      series: {
        [of("pgplatform_standbys_synchronous", primary)]: always(1),
        [of("pgplatform_standbys_synchronous", standby)]: always(0),
      },
    }),
  },
  StandbyNotStreaming: {
    fires: () => ({
      series: { [of("pgplatform_standby_receiving", standby)]: always(0) },
      labels: second,
      summary: "standby main-2 receives no WAL from the primary",
    }),
    quiet: () => ({ series: { [of("pgplatform_standby_receiving", standby)]: always(1) } }),
  },
  ReplicationLag: {
    fires: () => ({
      // Two minutes ago the primary had 1000: from the third minute on.
      from: 3,
      series: { ...lag(61, 1), ...positions(always(1000)) },
      labels: second,
      summary: "standby main-2 is 1m 1s behind",
    }),
    quiet: () => ({ from: 3, series: { ...lag(60, 1), ...positions(always(1000)) } }),
    more: [
      () => ({
        title: "not of one that receives nothing",
        from: 3,
        series: { ...lag(90_000, 0), ...positions(always(1000)) },
      }),
      () => ({
        title: "not while a long transaction is all that is written",
        from: 60,
        series: { ...lag(360, 1), ...positions("800+1000x240") },
      }),
    ],
  },
  ReplicationConflicts: {
    fires: () => ({
      from: 15,
      series: { [conflict("snapshot")]: "0x14 4x60", [conflict("lock")]: "7x14 9x60" },
      labels: { instance: "main-2", database: "app" },
      summary: "replay cancelled 6 queries within 15m on main-2, database app",
    }),
    quiet: () => ({
      from: 15,
      series: { [conflict("snapshot")]: "0x14 4x60", [conflict("lock")]: "7x14 8x60" },
    }),
  },
  SlotInactive: {
    fires: () => ({
      series: slot("active", 0),
      labels: slotLabels,
      summary: "nothing reads the replication slot debezium",
    }),
    // Nothing reads a copy of the slot on a standby.
    quiet: () => ({ series: { ...slot("active", 1), ...slot("active", 0, "standby") } }),
  },
  SlotKeepsWAL: {
    // Without a WAL volume half of what a slot may keep before it is lost, an eighth of 20Gi.
    fires: (engine) => ({
      series: slot("kept_bytes", (engine === "zalando" ? 2.5 : 1) * 2 ** 30 + 2 ** 20),
      labels: slotLabels,
      summary: `the replication slot debezium keeps ${engine === "zalando" ? "2.501" : "1.001"}GiB of WAL`,
    }),
    quiet: (engine) => ({ series: slot("kept_bytes", (engine === "zalando" ? 2.5 : 1) * 2 ** 30) }),
  },
  SlotLost: {
    fires: () => ({
      always: true,
      series: slot("lost", 1),
      labels: slotLabels,
      summary: "WAL that the replication slot debezium needs is removed",
    }),
    quiet: () => ({ series: slot("lost", 0) }),
  },
};
