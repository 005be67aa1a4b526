import type { Facts } from "../../plan/engines/reader";
import type { Problem } from "../../settings/problem";
import { type ClusterInvariant, fieldsOf } from "./invariant";

/** Patroni demotes a primary that can't write its lease; in failsafe mode it asks its members first. */
export const failsafe = ({ failsafe: on }: Pick<Facts, "failsafe">): Problem[] =>
  on === false
    ? [
        {
          path: "failsafe mode",
          value: false,
          allowed: "on, since writes stop else whenever the Kubernetes API is away for some seconds",
          fix: "switch it on",
        },
      ]
    : [];

export const failsafeInvariant: ClusterInvariant = {
  number: "7",
  name: "failsafe-mode",
  description: "A primary stays one while the Kubernetes API is away and all of its members are there.",
  severity: "high",
  mandatory: "everywhere",
  remediation:
    "Zalando: `spec.patroni.failsafe_mode: true`, or `enable_patroni_failsafe_mode: true` in the operator's configuration.",
  on: "cluster",
  check: failsafe,
  remedy(props) {
    const patroni = fieldsOf(props, "spec", "patroni");
    if (props.kind !== "postgresql" || patroni?.failsafe_mode !== false) return false;
    patroni.failsafe_mode = true;
    return true;
  },
};
