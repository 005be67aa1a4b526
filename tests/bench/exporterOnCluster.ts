import { selectorOf, isReady } from "../../operations/kubectl";
import { type Settings } from "../../settings/schema";
import { ClientPod } from "../e2e/kit/clients";
import { podStatus } from "../e2e/kit/cluster";
import { type Environment } from "../e2e/kit/environment";
import { until } from "../e2e/kit/wait";
import { type Bed, limits } from "./exporter";
import { roomy, startCopy } from "./product";
import { parsePgbench } from "./throughput";

/** A copy of the running stack that nobody reads the metrics of, with the exporter that its engine has. */

const namespace = "pgp-bench-exporter";
const MAX_CONNECTIONS = limits.connections + 60;
const SCALE = 10;

export const exporterSettings = (settings: Settings): Settings => ({
  ...roomy(settings, { namespace, maxConnections: MAX_CONNECTIONS, memory: "2Gi" }),
  poolers: [],
});

export async function startBed(env: Environment): Promise<Bed> {
  const { kubectl, engine } = env;
  const settings = exporterSettings(env.settings);
  const { cluster, plan, login } = await startCopy(env, settings);
  const { postgresql: image } = settings.images;
  const client = await ClientPod.start(kubectl, namespace, "pgbench", {}, { image, memory: "512Mi" });
  const primary = await cluster.primary();
  const bash = async (script: string, allowFailure = false) =>
    client.exec(
      ["env", `PGHOST=${plan.endpoints.primary.host}`, "PGCONNECT_TIMEOUT=30", "bash", "-c", script],
      {
        allowFailure,
      },
    );
  const address = await until("the exporter's pod is ready", 120, async () => {
    const labels = plan.metricsPods?.labels ?? engine.instancePods.labels(settings.cluster.name);
    const pods = await kubectl.list("pods", namespace, selectorOf(labels));
    const { instance } = engine.exporter;
    const pod = pods.find(({ metadata }) =>
      instance === undefined ? metadata.name === primary : metadata.labels?.[instance] === primary,
    );
    const ip = pod === undefined || !isReady(pod) ? undefined : podStatus(pod).podIP;
    return ip === undefined ? { why: `none for ${primary}` } : { done: ip };
  });
  await bash(`pgbench -i -q -s ${SCALE}`);
  return {
    sql: async (statements) => void (await cluster.sql(primary, statements, login.database)),
    load: async (seconds) => {
      const { stdout, stderr, exitCode } = await bash(`pgbench -n -N -c 10 -j 2 -T ${seconds}`, true);
      return parsePgbench(`${stdout}\n${stderr}`, exitCode);
    },
    scrape: async () => {
      const ask = `printf 'GET /metrics HTTP/1.0\\r\\nHost: exporter\\r\\n\\r\\n' >&3; cat <&3`;
      return (await bash(`exec 3<>/dev/tcp/${address}/${plan.ports.metrics}; ${ask}`)).stdout;
    },
    hold: async (count) => {
      await bash(
        `setsid pgbench -n -c ${count} -T 3600 -f - >/dev/null 2>&1 <<<'select pg_sleep(3600);' & disown`,
      );
      await until(`${count} connections`, 180, async () => {
        const there = "select count(*) from pg_stat_activity where query like 'select pg_sleep(3600)%'";
        const now = Number(await cluster.value(primary, there));
        return now >= count ? { done: undefined } : { why: `${now}` };
      });
    },
  };
}

export const exporterNotes = [
  `measured on a copy of the stack with max_connections ${MAX_CONNECTIONS}, which no Prometheus reads; a client reads the primary's metrics, and a scrape's seconds have kubectl's in them`,
  `pgbench at scale ${SCALE}, directly, with ${limits.tables} more tables; client, exporter and servers share the machine's cores`,
];
