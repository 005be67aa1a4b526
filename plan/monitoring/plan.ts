import { clusterLabel } from "../names";
import { type Flow, tcp } from "../network";
import type { PlannedObject } from "../objects";
import { type Monitored, selectedBy } from "./monitored";
import { monitorPeer, monitorPod } from "./monitorPod";
import { configurationName, monitor } from "./names";
import { podMonitor, scrapeConfig, scrapesOf } from "./scrape";

/** What monitoring of one cluster takes, the same for every engine: how its metrics are found, what is made of them, and what may read them. */
export interface MetricsPlan {
  readonly objects: readonly PlannedObject[];
  readonly flows: readonly Flow[];
}

type Part = (monitored: Monitored) => readonly PlannedObject[];

/** Alerts for a Prometheus Operator, as objects of the cluster's namespace. */
const rules: readonly Part[] = [];
/** The same for a Prometheus without an operator: files by their names. */
const ruleFiles: Readonly<Record<string, (monitored: Monitored) => unknown>> = {};
/** Dashboards, as ConfigMaps of the cluster's namespace. */
const dashboards: readonly Part[] = [];

const monitors: Part = (monitored) =>
  scrapesOf(monitored).map((scrape) => ({
    id: `scrape-${scrape.job}`,
    stage: 0,
    object: podMonitor(scrape, monitored.settings, selectedBy(monitored.settings)),
  }));

/** JSON is YAML, too. */
const written = (file: unknown): string => `${JSON.stringify(file, null, 2)}\n`;

/** Files for `scrape_config_files` and `rule_files` of a Prometheus' own configuration. */
const configuration: Part = (monitored) => {
  const { cluster, monitoring } = monitored.settings;
  const scrapes = scrapesOf(monitored).map((scrape) => scrapeConfig(scrape, monitored.settings));
  const files = {
    "scrape.yaml": { scrape_configs: scrapes },
    ...Object.fromEntries(
      Object.entries(monitoring.rules ? ruleFiles : {}).map(([name, of]) => [name, of(monitored)]),
    ),
  };
  return [
    {
      id: "scrape-configuration",
      stage: 0,
      object: {
        apiVersion: "v1",
        kind: "ConfigMap",
        metadata: {
          name: configurationName(cluster.name),
          namespace: cluster.namespace,
          labels: { [clusterLabel]: cluster.name },
        },
        data: Object.fromEntries(Object.entries(files).map(([name, file]) => [name, written(file)])),
      },
    },
  ];
};

/** All of it for these settings; nothing where no Prometheus is told. */
export function planMetrics(monitored: Monitored): MetricsPlan {
  const { monitoring } = monitored.settings;
  const { prometheus, namespace } = monitoring;
  if (prometheus === "none") return { objects: [], flows: [] };
  const parts = [
    monitorPod,
    ...(prometheus === "annotations" ? [configuration] : [monitors, ...(monitoring.rules ? rules : [])]),
    ...(monitoring.dashboards ? dashboards : []),
  ];
  return {
    objects: parts.flatMap((part) => part(monitored)),
    flows:
      namespace === undefined
        ? []
        : [
            tcp(
              "metrics-monitor",
              { kind: "namespace", namespace },
              monitorPeer(monitored),
              monitor.port,
              "monitoring reads when certificates end",
            ),
          ],
  };
}
