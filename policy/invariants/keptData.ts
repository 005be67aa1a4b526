import { isOn, operatorFacts } from "../../plan/engines/zalando/operatorFacts";
import type { KubernetesObject } from "../../plan/objects";
import type { Problem } from "../../settings/problem";
import type { ObjectInvariant } from "./invariant";

interface Kept extends KubernetesObject {
  spec?: { readonly persistentVolumeClaimRetentionPolicy?: unknown };
}

const at = (value: unknown, key: string): unknown =>
  typeof value === "object" && value !== null ? (value as Record<string, unknown>)[key] : undefined;

/** Switches of Zalando's operator that delete with a cluster's object what belongs to it; the operator's default is to delete. */
const switches = [
  ["enable_persistent_volume_claim_deletion", "the cluster's data"],
  ["enable_secrets_deletion", "the roles' passwords"],
] as const;

function ofOperator(object: KubernetesObject): Problem[] {
  const facts = operatorFacts(object);
  if (facts === undefined) return [];
  const deletes = switches
    .filter(([key]) => isOn(facts, key, true))
    .map(([key, what]) => ({
      path: key,
      value: facts[key],
      allowed: `false, since a cluster's object that is deleted by mistake would take ${what} along`,
      fix: "set it to false",
    }));
  const policy = at(facts.persistent_volume_claim_retention_policy, "when_deleted");
  return [
    ...deletes,
    ...(policy === "delete"
      ? [
          {
            path: "persistent_volume_claim_retention_policy.when_deleted",
            value: policy,
            allowed: "retain",
            fix: "set it, or leave it out",
          },
        ]
      : []),
  ];
}

export const keptDataInvariant: ObjectInvariant = {
  number: "21a",
  name: "kept-data",
  description: "Data and passwords outlive the object of a cluster.",
  severity: "critical",
  mandatory: "everywhere",
  remediation:
    "Zalando: `enable_persistent_volume_claim_deletion: false` and `enable_secrets_deletion: false` in the operator's configuration. A StatefulSet: " +
    "`persistentVolumeClaimRetentionPolicy.whenDeleted: Retain`, the default.",
  on: "object",
  check(object, _options, facts): Problem[] {
    if (facts === undefined || object.kind !== "StatefulSet") return ofOperator(object);
    const policy = (object as Kept).spec?.persistentVolumeClaimRetentionPolicy;
    return (["whenDeleted", "whenScaled"] as const)
      .filter((when) => at(policy, when) === "Delete")
      .map((when) => ({
        path: `persistentVolumeClaimRetentionPolicy.${when}`,
        value: "Delete",
        allowed: "Retain, since the data would go with the object",
        fix: "leave it out",
      }));
  },
};
