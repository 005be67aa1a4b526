import type { Settings } from "../../../settings/schema";
import { archiveFlows } from "../../backup/store";
import { apiServerFlows, type Flow, type Peer, tcp } from "../../network";
import { exporterFlows } from "./exporter";
import { instanceLabels, operatorNamespace, operatorPodLabels, ports } from "./names";
import { sqlLabels } from "./sql";

export const instancePeer = ({ name, namespace }: Settings["cluster"]): Peer => ({
  kind: "pods",
  name: "instances",
  namespace,
  labels: instanceLabels(name),
});

/** What instances need to work at all; who may use the database is not the engine's matter. */
export function flows(settings: Settings): Flow[] {
  const { cluster } = settings;
  const instances = instancePeer(cluster);
  const pods = (name: string, namespace: string, labels: Record<string, string>): Peer => ({
    kind: "pods",
    name,
    namespace,
    labels,
  });
  const operator = pods("operator", operatorNamespace, operatorPodLabels);
  const sql = pods("sql", cluster.namespace, sqlLabels(cluster.name));
  return [
    tcp(
      "operator-status",
      operator,
      instances,
      ports.status,
      "the operator reads Patroni's state and changes its configuration; it never opens a database session",
    ),
    tcp(
      "replication",
      instances,
      instances,
      ports.postgres,
      "standbys stream from the primary, and new ones copy it",
    ),
    tcp(
      "failsafe",
      instances,
      instances,
      ports.status,
      "Patroni asks the others before an election, and a primary without the API server asks whether it may stay primary",
    ),
    ...archiveFlows(settings, instances),
    ...exporterFlows(settings, instances),
    tcp("sql", sql, instances, ports.postgres, "roles, databases and what belongs in them are applied"),
    tcp("sql-patroni", sql, instances, ports.status, "what the custom resource has no field for is set"),
    ...apiServerFlows(
      settings,
      instances,
      "Patroni holds the primary's lock and its configuration in the API server",
    ),
  ];
}
