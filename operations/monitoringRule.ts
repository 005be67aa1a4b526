import { group, neededKinds } from "./monitoringFacts";
import { problem, type Rule } from "./verdict";

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
