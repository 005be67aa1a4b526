import type { Settings } from "../../../settings/schema";
import { identityFlows } from "../../backup/role";
import { archiveFlows } from "../../backup/store";
import { apiServerFlows, type Flow, type Peer, type Pods } from "../../network";
import { clusterPodLabels, operatorNamespace, operatorPodLabels, ports } from "./names";

/** Instances, and the jobs that make them. */
export const clusterPods = ({ name, namespace }: Settings["cluster"]): Pods => ({
  kind: "pods",
  name: "instances",
  namespace,
  labels: clusterPodLabels(name),
});

/** What instances need to work at all; who may use the database is not the engine's matter. */
export function flows(settings: Settings): Flow[] {
  const { cluster } = settings;
  const instances = clusterPods(cluster);
  const operator: Peer = {
    kind: "pods",
    name: "operator",
    namespace: operatorNamespace,
    labels: operatorPodLabels,
  };
  return [
    {
      name: "operator-status",
      from: operator,
      to: instances,
      port: ports.status,
      protocol: "TCP",
      why: "the operator reads each instance's status and gives it commands; it never opens a database session",
    },
    {
      name: "replication",
      from: instances,
      to: instances,
      port: ports.postgres,
      protocol: "TCP",
      why: "standbys stream from the primary, and new ones copy it",
    },
    {
      name: "isolation-check",
      from: instances,
      to: instances,
      port: ports.status,
      protocol: "TCP",
      why: "a primary that has lost the API server asks its peers whether it is alone",
    },
    ...archiveFlows(settings, instances),
    ...identityFlows(settings, instances),
    ...apiServerFlows(
      settings,
      instances,
      "each instance's manager reads its Cluster and holds the primary's lease",
    ),
  ];
}
