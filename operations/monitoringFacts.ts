import { installationOf, names } from "../plan/monitoring/install/names";
import { clusterLabel, installedBy } from "../plan/names";
import type { Settings } from "../settings/schema";
import type { Kubectl } from "./kubectl";
import { problem, type Rule } from "./verdict";

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
const neededKinds = ["podmonitors", "prometheusrules"] as const;
const group = "monitoring.coreos.com";

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

const path = "monitoring.prometheus";

/** Monitors and rules need their kinds; two Prometheus Operators would change the same objects. */
export const prometheusOperator: Rule = ({ settings }, { monitoring: live }) => {
  if (live === undefined) return {};
  const { prometheus, namespace } = settings.monitoring;
  if (prometheus === "operator") {
    const missing = neededKinds.filter((kind) => !(kind in live.kinds));
    return missing.length === 0
      ? {}
      : problem(
          path,
          prometheus,
          `install, annotations or none where the CRDs of the Prometheus Operator aren't: ${missing.map((kind) => `${kind}.${group}`).join(" and ")} ${missing.length === 1 ? "is" : "are"} missing`,
          "install the Prometheus Operator first, or set it to install",
        );
  }
  const { name, namespace: at } = settings.cluster;
  const other = live.operators.find(({ installedBy: who }) => who !== `${at}/${name}`);
  if (other !== undefined)
    return problem(
      path,
      prometheus,
      `operator, annotations or none, since ${other.installedBy === undefined ? "something else than this platform" : `the stack of cluster ${other.installedBy}`} installed a Prometheus Operator in namespace ${other.namespace}, and two would change the same objects`,
      other.installedBy === undefined
        ? "set it to operator to use that one, or have it removed"
        : `set it to operator, monitoring.namespace to ${other.namespace}, and add ${at} to that stack's monitoring.install.namespaces`,
    );
  const foreign = Object.keys(live.kinds).find((kind) => live.kinds[kind] === undefined);
  if (foreign !== undefined)
    return problem(
      path,
      prometheus,
      `operator, annotations or none, since something else than this platform installed the CRD ${foreign}.${group}`,
      "set it to operator if a Prometheus Operator runs, or delete the CRDs that it left",
    );
  return live.namespace === undefined || live.namespace.cluster === name
    ? {}
    : problem(
        "monitoring.namespace",
        namespace,
        "a namespace that isn't there: the stack makes it, and closes its network",
        "name another one, or delete that namespace",
      );
};
