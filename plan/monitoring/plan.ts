import { clusterLabel, poolerPorts } from "../names";
import { type Flow, tcp } from "../network";
import type { KubernetesObject, PlannedObject } from "../objects";
import { prometheusRule, ruleConfigMap } from "./alerts";
import { dashboardObjects } from "./dashboards";
import { type Monitored, selectedBy } from "./monitored";
import { monitorPeer, monitorPod, triedPoolers } from "./monitorPod";
import { configurationName, monitor } from "./names";
import { podMonitor, scrapeConfig, scrapesOf } from "./scrape";

/** What monitoring of one cluster takes, the same for every engine: how its metrics are found, what is made of them, and what may read them. */
export interface MetricsPlan {
  readonly objects: readonly PlannedObject[];
  readonly flows: readonly Flow[];
}

type Part = (monitored: Monitored) => readonly PlannedObject[];

/** Objects with the ends of their names for IDs: the names begin with the cluster's. */
const planned = (
  { settings: { cluster } }: Monitored,
  objects: readonly KubernetesObject[],
): PlannedObject[] =>
  objects.map((object) => ({ id: object.metadata.name.slice(cluster.name.length + 1), stage: 0, object }));

const rules: Part = (monitored) => planned(monitored, [prometheusRule(monitored.settings)]);
const ruleFile: Part = (monitored) => planned(monitored, [ruleConfigMap(monitored.settings)]);
const dashboards: Part = (monitored) => planned(monitored, dashboardObjects(monitored.settings));

const monitors: Part = (monitored) =>
  scrapesOf(monitored).map((scrape) => ({
    id: `scrape-${scrape.job}`,
    stage: 0,
    object: podMonitor(scrape, monitored.settings, selectedBy(monitored.settings)),
  }));

/** A file for `scrape_config_files` of a Prometheus' own configuration; JSON is YAML, too. */
const configuration: Part = (monitored) => {
  const { cluster } = monitored.settings;
  const scrapes = scrapesOf(monitored).map((scrape) => scrapeConfig(scrape, monitored.settings));
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
        data: { "scrape.yaml": `${JSON.stringify({ scrape_configs: scrapes }, null, 2)}\n` },
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
    prometheus === "annotations" ? configuration : monitors,
    ...(monitoring.rules ? [prometheus === "annotations" ? ruleFile : rules] : []),
    ...(monitoring.dashboards ? [dashboards] : []),
  ];
  return {
    objects: parts.flatMap((part) => part(monitored)),
    flows: [
      ...(namespace === undefined
        ? []
        : [
            tcp(
              "metrics-monitor",
              { kind: "namespace", namespace },
              monitorPeer(monitored),
              monitor.port,
              "monitoring reads when certificates end, and whether logins work",
            ),
          ]),
      ...monitored.poolers
        .filter(({ name }) => triedPoolers(monitored.settings).some((tried) => tried.name === name))
        .map(({ name, pods }) =>
          tcp(
            `monitor-pooler-${name}`,
            monitorPeer(monitored),
            pods,
            poolerPorts.postgres,
            "the monitor logs in through the pooler, to see whether clients can",
          ),
        ),
    ],
  };
}
