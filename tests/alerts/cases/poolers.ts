import { always, of, type Pairs, type Series } from "../case";

const pod = 'pooler="app",instance="main-pooler-app-1"';
const labels = { pooler: "app", instance: "main-pooler-app-1" };
const up = (value: number): Series => ({
  [of("pgbouncer_up", pod)]: always(0),
  [of("pgbouncer_up", 'pooler="app",instance="main-pooler-app-2"')]: always(value),
});
const ready = (count: number): Series => ({
  'kube_deployment_status_replicas_available{namespace="postgres",deployment="main-pooler-app"}':
    always(count),
});
const pool = (gauge: string, value: number, database = "app"): Series => ({
  [of(`pgbouncer_pools_${gauge}`, `${pod},database="${database}",user="app"`)]: always(value),
});
const work = (active: number): Series => ({
  ...pool("server_active_connections", active),
  [of("pgbouncer_databases_max_connections", `${pod},database="app"`)]: always(20),
  [of("pgbouncer_databases_max_connections", `${pod},database="pgbouncer"`)]: always(0),
});
const clients = (used: number): Series => ({
  [of("pgbouncer_used_clients", pod)]: always(used),
  [of("pgbouncer_config_max_client_connections", pod)]: always(100),
});
const servers = (waiting: number, idle: number): Series => ({
  ...pool("client_waiting_connections", waiting),
  ...pool("server_active_connections", 0),
  ...pool("server_idle_connections", idle),
  ...pool("server_used_connections", 0),
  ...pool("server_testing_connections", 0),
});

export const poolers: Pairs = {
  PoolerDown: {
    fires: () => ({
      from: 10,
      series: { [of("pgbouncer_up", pod)]: "1x9 0x240" },
      labels: { pooler: "app" },
      summary: "no pod of the pooler app answers",
    }),
    quiet: () => ({ series: up(1) }),
    more: [
      () => ({
        title: "not while it comes up for the first time",
        from: 13,
        series: { ...up(0), [of("up", pod)]: always(1) },
      }),
      () => ({
        title: "of a pooler that never comes up",
        from: 15,
        series: { [of("up", 'instance="main-monitor"')]: always(1) },
        labels: { pooler: "app" },
        summary: "no pod of the pooler app answers",
      }),
      () => ({
        title: "still when its pods are gone for hours",
        from: 200,
        always: true,
        series: { [of("up", 'instance="main-monitor"')]: always(1), [of("pgbouncer_up", pod)]: "1x9 stale" },
        labels: { pooler: "app" },
        summary: "no pod of the pooler app answers",
      }),
    ],
  },
  PoolerPodsMissing: {
    fires: () => ({
      series: ready(1),
      labels: { pooler: "app" },
      summary: "only 1 pods of the pooler app are ready",
    }),
    quiet: () => ({ series: ready(2) }),
    more: [
      () => ({
        title: "not where only the poolers themselves say it",
        series: { ...up(1), [of("pgbouncer_up", pod)]: always(1) },
      }),
    ],
  },
  PoolerClientsWaiting: {
    fires: () => ({
      series: pool("client_maxwait_seconds", 5.5),
      labels: { ...labels, database: "app", user: "app" },
      summary: "a client of the pooler app waits for 5.5s for a connection to app",
    }),
    quiet: () => ({
      series: { ...pool("client_maxwait_seconds", 5), ...pool("client_maxwait_seconds", 60, "pgbouncer") },
    }),
  },
  PoolerSaturated: {
    fires: () => ({
      series: work(19),
      labels,
      summary: "95% of the server connections of main-pooler-app-1, pooler app, work",
    }),
    quiet: () => ({ series: work(18) }),
  },
  PoolerClientsHigh: {
    fires: () => ({
      series: clients(91),
      labels,
      summary: "91% of the clients that main-pooler-app-1, pooler app, may have are connected",
    }),
    quiet: () => ({ series: clients(90) }),
  },
  PoolerLoginFailing: {
    fires: () => ({
      series: { [of("pgplatform_pooler_login", 'pooler="app"')]: always(0) },
      labels: { pooler: "app" },
      summary: "no client can log in through the pooler app",
    }),
    quiet: () => ({
      series: { [of("pgplatform_pooler_login", 'pooler="app"')]: always(1), ...servers(1, 1) },
    }),
    more: [
      () => ({ title: "not without a client", series: servers(0, 0) }),
      () => ({
        title: "for a pooler that is not tried, when clients wait and it has no server",
        series: servers(1, 0),
        labels: { pooler: "app" },
        summary: "no client can log in through the pooler app",
      }),
      () => ({
        title: "not for one try that fails, as in a failover",
        series: { [of("pgplatform_pooler_login", 'pooler="app"')]: "1x10 0 1x100" },
      }),
    ],
  },
};
