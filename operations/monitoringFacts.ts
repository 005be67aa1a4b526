import { installationOf, names } from "../plan/monitoring/install/names";
import { clusterLabel, installedBy } from "../plan/names";
import type { Settings } from "../settings/schema";
import type { Kubectl } from "./kubectl";

/** Who collects metrics in a Kubernetes cluster, as far as a stack's monitoring meets it. */
export interface MonitoringFacts {
  /** Kinds of the Prometheus Operator that are there, each with the cluster whose stack installed it, if one of this platform did. */
  readonly kinds: Readonly<Record<string, string | undefined>>;
  /** Prometheus Operators that run. */
  readonly operators: readonly { readonly namespace: string; readonly installedBy?: string }[];
  /** The namespace of what is installed, where it is there: the cluster that it belongs to. */
  readonly namespace?: { readonly cluster?: string };
}

/** What monitors and rules are of. */
export const neededKinds = ["podmonitors", "prometheusrules"] as const;
export const group = "monitoring.coreos.com";

/** Undefined where the settings ask for nothing of the Prometheus Operator's. */
export async function readMonitoring(
  kubectl: Kubectl,
  settings: Settings,
): Promise<MonitoringFacts | undefined> {
  if (!["operator", "install"].includes(settings.monitoring.prometheus)) return undefined;
  const namespace = installationOf(settings)?.namespace;
  const annotation = installedBy.replaceAll(".", "\\.");
  const [crds, operators, own] = await Promise.all([
    kubectl.run([
      ...["get", "customresourcedefinitions.apiextensions.k8s.io"],
      ...neededKinds.map((kind) => `${kind}.${group}`),
      ...["--ignore-not-found", "-o"],
      `jsonpath={range .items[*]}{.spec.names.plural}{" "}{.metadata.annotations.${annotation}}{"\\n"}{end}`,
    ]),
    kubectl.run([
      ...["get", "deployments.apps", "--all-namespaces", "-l", `app.kubernetes.io/name=${names.operator}`],
      ...[
        "-o",
        `jsonpath={range .items[*]}{.metadata.namespace}{" "}{.metadata.annotations.${annotation}}{"\\n"}{end}`,
      ],
    ]),
    namespace === undefined ? undefined : kubectl.get("namespaces", "default", namespace),
  ]);
  const pairs = (text: string) =>
    text
      .split("\n")
      .filter((line) => line.trim() !== "")
      .map((line) => line.trim().split(" ") as [string, string | undefined]);
  const cluster = own?.metadata.labels?.[clusterLabel];
  return {
    kinds: Object.fromEntries<string | undefined>(pairs(crds.stdout)),
    operators: pairs(operators.stdout).map(([where, installer]) => ({
      namespace: where,
      ...(installer !== undefined && { installedBy: installer }),
    })),
    ...(own && { namespace: cluster === undefined ? {} : { cluster } }),
  };
}
