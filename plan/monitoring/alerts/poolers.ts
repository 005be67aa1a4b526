import type { PoolerSettings, Settings } from "../../../settings/schema";
import { poolerName } from "../../names";
import { absent, lost, of, or, type Alert } from "./alert";

const any = ({ poolers }: Settings): boolean => poolers.length > 0;

const each = (s: Settings, expr: (pooler: PoolerSettings) => string): string => or(s.poolers.map(expr));

/** A gauge of the pools of users' databases, for each pod. */
const pools = (gauge: string, s: Settings): string =>
  `sum by (pooler, instance, database) (${of(`pgbouncer_pools_${gauge}_connections`, s, 'database!="pgbouncer"')})`;

const missing = (s: Settings, { name, instances }: PoolerSettings): string => {
  const ready = or([
    `sum(kube_deployment_status_replicas_available{namespace="${s.cluster.namespace}",deployment="${poolerName(s.cluster.name, name)}"})`,
    `sum(${of("pgbouncer_up", s, `pooler="${name}"`)})`,
    "vector(0)",
  ]);
  return `label_replace((${ready}) < ${instances}, "pooler", "${name}", "", "")`;
};

export const poolers: readonly Alert[] = [
  {
    name: "PoolerDown",
    severity: "critical",
    for: 60,
    applies: any,
    expr: (_, s) =>
      each(s, ({ name }) => {
        const up = of("pgbouncer_up", s, `pooler="${name}"`);
        return `(${lost(absent(`${up} == 1`, "pooler", name), `max_over_time(${up}[RANGE]) == 1`, s)})`;
      }),
    summary: "no pod of the pooler {{ $labels.pooler }} answers",
    description: "Programs that connect through it can't.",
  },
  {
    name: "PoolerPodsMissing",
    severity: "warning",
    for: 300,
    applies: any,
    expr: (_, s) => each(s, (pooler) => missing(s, pooler)),
    summary: "only {{ $value }} pods of the pooler {{ $labels.pooler }} are ready",
    description: "The others carry its clients, each with its own share of the connections.",
  },
  {
    name: "PoolerClientsWaiting",
    severity: "warning",
    for: 60,
    applies: any,
    expr: (t, s) =>
      `${of("pgbouncer_pools_client_maxwait_seconds", s, 'database!="pgbouncer"')} > ${t.poolerWait}`,
    summary:
      "a client of the pooler {{ $labels.pooler }} waits for {{ $value | humanizeDuration }} for a connection to {{ $labels.database }}",
    description: "All server connections work, or none can be made.",
  },
  {
    name: "PoolerSaturated",
    severity: "warning",
    for: 600,
    applies: any,
    expr: (t, s) =>
      `sum by (pooler, instance) (${of("pgbouncer_pools_server_active_connections", s)}) / sum by (pooler, instance) (${of("pgbouncer_databases_max_connections", s)} > 0) > ${t.poolerUsed}`,
    summary:
      "{{ $value | humanizePercentage }} of the server connections of {{ $labels.instance }}, pooler {{ $labels.pooler }}, work",
    description: "Further clients wait.",
  },
  {
    name: "PoolerClientsHigh",
    severity: "warning",
    for: 300,
    applies: any,
    expr: (t, s) =>
      `${of("pgbouncer_used_clients", s)} / ${of("pgbouncer_config_max_client_connections", s)} > ${t.poolerUsed}`,
    summary:
      "{{ $value | humanizePercentage }} of the clients that {{ $labels.instance }}, pooler {{ $labels.pooler }}, may have are connected",
    description: "When all are, further ones are refused.",
  },
  {
    name: "PoolerLoginFailing",
    severity: "critical",
    for: 60,
    applies: any,
    expr: (_, s) => {
      const servers = ["active", "idle", "used", "testing"].map((state) => pools(`server_${state}`, s));
      const waiting = `${pools("client_waiting", s)} > 0 and ${servers.join(" + ")} == 0`;
      return `max by (pooler) (${of("pgplatform_pooler_login", s)} == bool 0) > 0 or max by (pooler) (${waiting})`;
    },
    summary: "no client can log in through the pooler {{ $labels.pooler }}",
    description:
      "The server is away, or refuses the pooler's password or certificate, or the database takes no connections. Sessions that are there may work.",
  },
];
