import { createHash } from "node:crypto";
import type { Settings } from "../../../settings/schema";
import { clusterLabel } from "../../names";
import type { KubernetesObject } from "../../objects";
import { backups } from "./backups";
import { fleet } from "./fleet";
import { limitsOf, usual } from "./limits";
import type { Dashboard } from "./model";
import { overview } from "./overview";
import { performance } from "./performance";
import { pooler } from "./pooler";
import { queriesOf, type PanelQuery } from "./queries";
import type { Rendered, Whose } from "./render";
import { replication } from "./replication";
import { resources } from "./resources";
import { sizes } from "./sizes";
import { tenants } from "./tenants";

export { interpolate, type PanelQuery } from "./queries";
export type { Dashboard } from "./model";

/** Every dashboard; without settings as it suits every cluster. */
export function dashboardsOf(settings?: Settings): readonly Dashboard[] {
  const limits = settings === undefined ? usual : limitsOf(settings);
  const ofCluster = [fleet, overview, performance, replication, resources, sizes].map((one) => one(limits));
  return [...ofCluster, tenants(settings?.monitoring.queries ?? []), pooler(limits), backups(limits)];
}

/** Everything that the dashboards ask Prometheus: panels, variables and marks. */
export const panelQueries = (settings?: Settings): PanelQuery[] => queriesOf(dashboardsOf(settings));

/** Grafana's library takes a tenth of a second to load: previews without dashboards don't wait for it. */
function renderAll(dashboards: readonly Dashboard[], whose: Whose): ReadonlyMap<string, Rendered> {
  // eslint-disable-next-line @typescript-eslint/no-require-imports -- loaded at once, and only here
  const { render } = require("./render") as typeof import("./render");
  return new Map(dashboards.map((dashboard) => [dashboard.id, render(dashboard, whose)]));
}

/** Dashboards of no cluster in particular, by their IDs: to be imported by hand. */
export const importable = (): ReadonlyMap<string, Rendered> =>
  renderAll(dashboardsOf(), { uid: "pgplatform", tag: "pgplatform" });

/** ConfigMaps that the sidecar of a Grafana loads, a dashboard each. */
export function dashboardObjects(settings: Settings): KubernetesObject[] {
  const { cluster, monitoring } = settings;
  const key = `${cluster.namespace}/${cluster.name}`;
  const whose: Whose = {
    uid: `pgp-${createHash("sha256").update(key).digest("hex").slice(0, 12)}`,
    tag: `pgplatform ${key}`,
    cluster: { namespace: cluster.namespace, name: cluster.name },
  };
  return [...renderAll(dashboardsOf(settings), whose)].map(([id, dashboard]) => ({
    apiVersion: "v1",
    kind: "ConfigMap",
    metadata: {
      name: `${cluster.name}-dashboard-${id}`,
      namespace: cluster.namespace,
      labels: { ...monitoring.labels, [clusterLabel]: cluster.name, grafana_dashboard: "1" },
      annotations: { grafana_folder: `PostgreSQL ${cluster.namespace} ${cluster.name}` },
    },
    // The sidecar puts all files into one folder: their names must differ between clusters.
    data: { [`${cluster.namespace}-${cluster.name}-${id}.json`]: JSON.stringify(dashboard) },
  }));
}
