import { installationOf, ports, services } from "../../plan/monitoring/install/names";
import type { Subject } from "../health";
import { throughForward } from "../forward";

/** An alert of this cluster that fires. */
export interface FiringAlert {
  readonly name: string;
  readonly severity: string;
  readonly summary: string;
}

interface Active {
  readonly labels: Readonly<Record<string, string>>;
  readonly annotations?: Readonly<Record<string, string>>;
  readonly state: string;
}

/** Of Prometheus' own answer: those that fire for this cluster, and no watchdog's. */
export function firingIn(answer: unknown, namespace: string, cluster: string): FiringAlert[] {
  const { alerts = [] } = (answer as { data?: { alerts?: Active[] } }).data ?? {};
  return alerts
    .filter(
      ({ state, labels }) =>
        state === "firing" && labels.namespace === namespace && labels.cluster === cluster,
    )
    .map(({ labels, annotations = {} }) => ({
      name: labels.alertname ?? "",
      severity: labels.severity ?? "",
      summary: annotations.summary ?? "",
    }));
}

/** Undefined where the stack has installed no Prometheus, or it can't be asked. */
export async function firingAlerts(subject: Subject): Promise<FiringAlert[] | undefined> {
  const { settings, kubectl } = subject;
  const installation = installationOf(settings);
  if (installation === undefined) return undefined;
  const { namespace, install } = installation;
  const answer = await throughForward(
    kubectl,
    { namespace, service: services.prometheus, port: ports.prometheus },
    { path: "/api/v1/alerts", tls: install.tls },
  );
  return firingIn(JSON.parse(answer), settings.cluster.namespace, settings.cluster.name);
}
