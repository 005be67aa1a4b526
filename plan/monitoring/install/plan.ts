import type { Settings } from "../../../settings/schema";
import type { EnginePlanner } from "../../engines/planner";
import { ciliumPolicies } from "../../cilium";
import type { Flow, Labels } from "../../network";
import { networkPolicies } from "../../networkPolicies";
import { merge, type KubernetesObject, type PlannedObject } from "../../objects";
import { installedBy, tlsNames } from "../../names";
import { podSecurity } from "../../podSecurity";
import { access } from "./access";
import { alertmanagerConfiguration, secretOf, type InhibitRule } from "./alertmanager";
import { installFlows } from "./flows";
import { grafanaObjects } from "./grafana";
import {
  apiGroup,
  grafanaKeys,
  installationOf,
  names,
  services,
  watchedNamespaces,
  type Installation,
} from "./names";
import { scrapes, scrapesKey } from "./scrapes";
import {
  alertmanagerObject,
  operatorDeployment,
  podMonitor,
  prometheusObject,
  stateDeployment,
  watchdog,
} from "./workloads";

/** Prometheus, Alertmanager and what they take, in a namespace of their own. */
export interface MonitoringPlan {
  readonly namespace: { readonly name: string; readonly labels: Labels };
  readonly flows: readonly Flow[];
  readonly networkPolicies: readonly PlannedObject[];
  /** What is secret of the receivers, as the settings have it, by the receivers' names. @default - nothing is */
  readonly receivers?: { readonly secretName: string; readonly values: Readonly<Record<string, string>> };
  /** The certificate of Prometheus and Alertmanager. @default - they have none */
  readonly certificate?: { readonly secretName: string; readonly names: readonly string[] };
  /** The Secret of Grafana, whose values are drawn. @default - no Grafana is installed */
  readonly grafana?: { readonly secretName: string; readonly keys: readonly string[] };
  /** CRDs first, then who uses them, then what is of their kinds. */
  readonly objects: readonly PlannedObject[];
}

/** Of the released kinds, those that are used: without the others the Prometheus Operator leaves their work out. */
const kinds = [
  "prometheuses",
  "alertmanagers",
  "alertmanagerconfigs",
  "podmonitors",
  "servicemonitors",
  "probes",
  "prometheusrules",
];

function crds(settings: Settings, released: readonly KubernetesObject[]): PlannedObject[] {
  return kinds.map((kind) => {
    const found = released.find(
      (one) => one.kind === "CustomResourceDefinition" && one.metadata.name === `${kind}.${apiGroup}`,
    );
    if (found === undefined)
      throw new Error(`the released manifest of the Prometheus Operator has no ${kind}`);
    return {
      id: `crd-${kind}`,
      stage: 0,
      object: merge(found, {
        metadata: {
          annotations: {
            // A retained CRD meets the next installation, which then takes it over.
            "pulumi.com/patchForce": "true",
            [installedBy]: `${settings.cluster.namespace}/${settings.cluster.name}`,
          },
        },
      }),
      retain: "deleting it would delete every monitor and rule of this Kubernetes cluster",
    };
  });
}

const secret = (
  id: string,
  { namespace }: Installation,
  name: string,
  data: Record<string, string>,
): PlannedObject => ({
  id,
  stage: 0,
  object: {
    apiVersion: "v1",
    kind: "Secret",
    metadata: { name, namespace },
    type: "Opaque",
    stringData: data,
  },
});

const text = (value: unknown): string => `${JSON.stringify(value, null, 2)}\n`;

const after = (stage: number, objects: Readonly<Record<string, KubernetesObject>>): PlannedObject[] =>
  Object.entries(objects).map(([id, object]) => ({ id, stage, object }));

/** What the stack installs to collect metrics and to send alerts; undefined where it installs nothing. `flows`: those of the cluster. */
export function monitoringPlan(
  settings: Settings,
  engine: EnginePlanner,
  flows: readonly Flow[],
  released: () => readonly KubernetesObject[],
  inhibitRules: readonly InhibitRule[] = [],
): MonitoringPlan | undefined {
  const installation = installationOf(settings);
  if (installation === undefined) return undefined;
  const { namespace, install } = installation;
  const { name } = settings.cluster;
  const watched = watchedNamespaces(settings, installation);
  const own = installFlows(settings, installation, engine.operatorNamespace);
  const touching = [
    ...own,
    ...flows.filter(({ from, to }) =>
      [from, to].some((peer) => peer.kind === "pods" && peer.namespace === namespace),
    ),
  ];
  const values = Object.fromEntries(
    install.receivers.flatMap((receiver) => {
      const value = secretOf(receiver);
      return value === undefined ? [] : [[receiver.name, value]];
    }),
  );
  const hasSecrets = Object.keys(values).length > 0;
  const available = { waitFor: "condition=Available" };
  return {
    namespace: { name: namespace, labels: podSecurity(true) },
    flows: own,
    networkPolicies: [
      ...networkPolicies(name, namespace, touching),
      ...(settings.network.cilium ? ciliumPolicies(name, namespace, own) : []),
    ],
    ...(hasSecrets && { receivers: { secretName: names.receivers, values } }),
    ...(install.tls && {
      certificate: {
        secretName: names.tls,
        names: Object.values(services).flatMap((service) => tlsNames(service, namespace)),
      },
    }),
    ...(install.grafana && {
      grafana: { secretName: names.grafanaSecret, keys: Object.values(grafanaKeys) },
    }),
    objects: [
      ...crds(settings, released()),
      ...access(installation, watched, engine.operatorNamespace),
      secret("configuration", installation, names.configuration, {
        "alertmanager.yaml": text(alertmanagerConfiguration(install, inhibitRules)),
      }),
      ...(install.kubelet === "none"
        ? []
        : [
            secret("scrapes", installation, scrapesKey.name, {
              [scrapesKey.key]: text(scrapes(installation, watched)),
            }),
          ]),
      ...after(1, {
        operator: operatorDeployment(settings, installation),
        "kube-state-metrics": stateDeployment(settings, installation, engine),
      }),
      { id: "prometheus", stage: 2, object: prometheusObject(settings, installation), ...available },
      {
        id: "alertmanager",
        stage: 2,
        object: alertmanagerObject(settings, installation, hasSecrets),
        ...available,
      },
      ...after(2, {
        "monitor-operator": podMonitor("operator", installation, "http"),
        "monitor-prometheus": podMonitor("prometheus", installation, "web"),
        "monitor-alertmanager": podMonitor("alertmanager", installation, "web"),
        // The series are about other pods than the one that they are read from.
        "monitor-state": podMonitor("kubeStateMetrics", installation, "http", {
          honorLabels: true,
          relabelings: [{ action: "labeldrop", regex: "namespace|pod|container|endpoint" }],
        }),
        watchdog: watchdog(installation),
      }),
      ...grafanaObjects(settings, installation),
    ],
  };
}
