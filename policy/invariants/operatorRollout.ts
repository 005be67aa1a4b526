import { goBooleanOf } from "../../settings/goBoolean";
import { isOn, operatorFacts } from "../../plan/engines/zalando/operatorFacts";
import { type KubernetesObject } from "../../plan/objects";
import type { Problem } from "../../settings/problem";
import { titleOf } from "../kubernetes";
import { each, together } from "../notKnown";
import type { StackInvariant } from "./invariant";

interface Deployment extends KubernetesObject {
  spec?: {
    readonly template?: {
      readonly spec?: {
        readonly containers?: readonly {
          readonly image?: string;
          readonly env?: readonly { readonly name?: string; readonly value?: string }[];
        }[];
      };
    };
  };
}

const containersOf = (object: KubernetesObject) =>
  object.kind === "Deployment" ? ((object as Deployment).spec?.template?.spec?.containers ?? []) : [];

/** The image of CloudNativePG's operator. */
const isOperator = (object: KubernetesObject): boolean =>
  containersOf(object).some(({ image = "" }) => /\/cloudnative-pg(-testing)?(:|@|$)/.test(image));

/** CloudNativePG's configuration: a ConfigMap's keys, over variables of its Deployment. */
function variablesOf(
  operator: KubernetesObject,
  objects: readonly KubernetesObject[],
): Record<string, string> {
  const map = objects.find(
    (one) => one.kind === "ConfigMap" && /^cnpg-controller-manager-config$/.test(one.metadata.name),
  );
  return {
    ...Object.fromEntries(
      containersOf(operator).flatMap(({ env = [] }) =>
        env.flatMap(({ name, value }) => (name === undefined || value === undefined ? [] : [[name, value]])),
      ),
    ),
    ...(map?.data as Record<string, string> | undefined),
  };
}

const staged = (variables: Record<string, string>): boolean =>
  Number(variables.CLUSTERS_ROLLOUT_DELAY ?? 0) > 0 ||
  goBooleanOf(variables.ENABLE_INSTANCE_MANAGER_INPLACE_UPDATES) === true;

export const operatorRolloutInvariant: StackInvariant = {
  number: "35",
  name: "staged-operator-rollout",
  description: "An upgrade of an operator doesn't restart all of its clusters at once.",
  severity: "high",
  mandatory: "prod",
  remediation:
    "CloudNativePG: `CLUSTERS_ROLLOUT_DELAY` (seconds), or `ENABLE_INSTANCE_MANAGER_INPLACE_UPDATES: true`, in the operator's ConfigMap or as variables of its " +
    "Deployment. Zalando: `enable_lazy_spilo_upgrade: true`.",
  on: "stack",
  check({ objects }): Problem[] {
    const several = (kind: string, group: string): boolean =>
      objects.filter((one) => one.kind === kind && one.apiVersion.startsWith(group)).length > 1;
    const missing = (object: KubernetesObject, key: string): Problem => ({
      path: `${titleOf(object)}: ${key}`,
      value: undefined,
      allowed: "set where there are several clusters, which an upgrade restarts all at once else",
      fix: "set it",
    });
    return together(
      () =>
        !several("Cluster", "postgresql.cnpg.io/")
          ? []
          : each(objects, (object) =>
              isOperator(object) && !staged(variablesOf(object, objects))
                ? [missing(object, "CLUSTERS_ROLLOUT_DELAY")]
                : [],
            ),
      () =>
        !several("postgresql", "acid.zalan.do/")
          ? []
          : each(objects, (object) => {
              const facts = operatorFacts(object);
              return facts && !isOn(facts, "enable_lazy_spilo_upgrade", false)
                ? [missing(object, "enable_lazy_spilo_upgrade")]
                : [];
            }),
    );
  },
};
