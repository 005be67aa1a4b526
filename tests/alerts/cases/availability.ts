import { always, both, of, primary, standby, type Engine, type Pairs, type Series } from "../case";

const recovery = "pgplatform_server_in_recovery";
const timeline = "pgplatform_server_timeline";
const pods = (engine: Engine): string[] =>
  engine === "standalone" ? ["main-0"] : ["main-1", "main-2", "main-3"];
const ready = (engine: Engine, count: number): Series =>
  Object.fromEntries(
    pods(engine).map((pod, index) => [
      `kube_pod_status_ready{namespace="postgres",pod="${pod}",condition="true"}`,
      always(index < count ? 1 : 0),
    ]),
  );
const node = (value: number, name = "n1"): Series => ({
  [`kube_node_status_condition{node="${name}",condition="Ready",status="true"}`]: always(value),
  'kube_pod_info{namespace="postgres",pod="main-1",node="n1"}': always(1),
  'kube_pod_info{namespace="postgres",pod="another-main-1",node="n2"}': always(1),
});
const restarts = (values: string): Series => ({
  'kube_pod_container_status_restarts_total{namespace="postgres",pod="main-1",container="postgres"}': values,
  'kube_pod_container_status_restarts_total{namespace="postgres",pod="other-1",container="postgres"}':
    "0x59 9x60",
});

/** An exporter says no role of its own. */
const exporter = 'instance="main-1",job="pgplatform-instances"';

/** Why the container of PostgreSQL ended the last time. */
const ended = (reason: string): string =>
  `kube_pod_container_status_last_terminated_reason{namespace="postgres",pod="main-1",container="postgres",reason="${reason}"}`;

export const availability: Pairs = {
  PostgreSQLDown: {
    fires: () => ({
      from: 10,
      series: { [of(recovery, standby)]: always(1), [of(recovery, primary)]: "0x9 stale" },
      summary: "no instance says that it is the primary",
    }),
    quiet: () => ({ series: { [of(recovery, standby)]: always(1), [of(recovery, primary)]: always(0) } }),
    more: [
      () => ({
        title: "not while it comes up for the first time",
        from: 13,
        series: { [of("up", 'instance="main-1"')]: always(0), [of(recovery, standby)]: always(1) },
      }),
      () => ({
        title: "of a cluster that never comes up",
        from: 15,
        series: { [of("up", 'instance="main-1"')]: always(0) },
        summary: "no instance says that it is the primary",
      }),
      () => ({
        title: "still when it is down for hours",
        from: 200,
        always: true,
        series: { [of("up", 'instance="main-monitor"')]: always(1), [of(recovery, primary)]: "0x9 stale" },
        summary: "no instance says that it is the primary",
      }),
      // Minute after minute, between what is remembered of the primary and what was watched.
      ...[11, 20, 24, 25, 26, 30].map((minute) => () => ({
        title: `without a pause ${minute} minutes after the start`,
        from: minute,
        always: true as const,
        series: { [of("up", 'instance="main-1"')]: always(1), [of(recovery, primary)]: "0x9 stale" },
        summary: "no instance says that it is the primary",
      })),
    ],
  },
  InstancesMissing: {
    fires: (engine) => ({
      series: ready(engine, pods(engine).length - 1),
      summary: `${pods(engine).length - 1} of ${pods(engine).length} instances are ready`,
    }),
    quiet: (engine) => ({ series: ready(engine, pods(engine).length) }),
  },
  TwoPrimaries: {
    fires: () => ({
      series: {
        [of(recovery, primary)]: always(0),
        [of(recovery, 'instance="main-2",role="primary"')]: always(0),
      },
      summary: "two primaries are suspected: 2 is their number, or the timeline that a standby follows",
    }),
    // A standby that hasn't followed yet is on the timeline of before.
    quiet: () => ({
      series: {
        [of(recovery, primary)]: always(0),
        [of(recovery, standby)]: always(1),
        [of(timeline, primary)]: always(3),
        [of(timeline, standby)]: always(2),
      },
    }),
  },
  FailoverHappened: {
    fires: () => ({
      from: 9,
      series: {
        [of(recovery, 'instance="main-2",role="standby"')]: "1x8 _x30",
        [of(recovery, 'instance="main-2",role="primary"')]: "_x9 0x30",
        [of(recovery, primary)]: "0x8 stale",
      },
      summary: "2 instances were the primary within 15m",
    }),
    // The same 16 minutes after the last sample of the former primary.
    quiet: () => ({
      from: 25,
      series: {
        [of(recovery, 'instance="main-2",role="primary"')]: "_x9 0x30",
        [of(recovery, primary)]: "0x8 stale",
      },
    }),
  },
  NodeNotReady: {
    fires: () => ({
      series: node(0),
      labels: { node: "n1", condition: "Ready", status: "true" },
      summary: "node n1, which runs its pods, isn't ready",
    }),
    quiet: () => ({ series: node(0, "n2") }),
  },
  InstanceRestarting: {
    fires: () => ({
      from: 60,
      series: restarts("0x59 4x60"),
      labels: { instance: "main-1" },
      summary: "containers of main-1 restarted 4 times within an hour",
    }),
    quiet: () => ({ from: 60, series: restarts("0x59 3x60") }),
  },
  OutOfMemory: {
    fires: () => ({
      from: 15,
      series: {
        'container_oom_events_total{namespace="postgres",pod="main-1",container="postgres"}': "2x14 3x60",
      },
      labels: { instance: "main-1", container: "postgres" },
      summary: "the kernel ended processes of main-1 (postgres) for want of memory",
    }),
    quiet: () => ({
      from: 15,
      series: {
        'container_oom_events_total{namespace="postgres",pod="main-1",container="postgres"}': always(3),
        // It was once, and is restarted for another reason by now; the other one still runs.
        [ended("OOMKilled")]: "1x10 0x60",
        [ended("Error")]: "0x10 1x60",
        ...restarts("1x14 2x60"),
        'kube_pod_container_status_last_terminated_reason{namespace="postgres",pod="main-2",container="postgres",reason="OOMKilled"}':
          always(1),
        'kube_pod_container_status_restarts_total{namespace="postgres",pod="main-2",container="postgres"}':
          always(4),
      },
    }),
    more: [
      () => ({
        title: "when the whole container is ended and its series with it",
        from: 15,
        series: { [ended("OOMKilled")]: "_x14 1x60", ...restarts("0x14 1x60") },
        labels: { instance: "main-1", container: "postgres" },
        summary: "the kernel ended processes of main-1 (postgres) for want of memory",
      }),
    ],
  },
  PendingRestart: {
    fires: () => ({
      series: { [of("pgplatform_server_pending_restart", primary)]: always(1) },
      labels: both,
      summary: "1 parameters of main-1 wait for a restart",
    }),
    quiet: () => ({ series: { [of("pgplatform_server_pending_restart", primary)]: always(0) } }),
  },
  ExporterDown: {
    fires: () => ({
      series: { [of("up", exporter)]: always(0), [of("up", 'pooler="app",instance="p"')]: always(0) },
      labels: { instance: "main-1", job: "pgplatform-instances" },
      summary: "the metrics of main-1 can't be read",
    }),
    quiet: () => ({
      series: { [of("up", exporter)]: always(1), [of("up", 'pooler="app",instance="p"')]: always(0) },
    }),
  },
  QueryFailing: {
    fires: () => ({
      // It is run every second minute, as exporters do with what is dear.
      series: { [of("pgplatform_exporter_last_error", exporter)]: Array(120).fill("1 0").join(" ") },
      labels: { instance: "main-1", job: "pgplatform-instances" },
      summary: "a query for metrics fails on main-1",
    }),
    quiet: () => ({ series: { [of("pgplatform_exporter_last_error", exporter)]: always(0) } }),
  },
};
