import { isOn, operatorFacts, saidOf, textsOf } from "../../plan/engines/zalando/operatorFacts";
import type { KubernetesObject } from "../../plan/objects";
import type { Problem } from "../../settings/problem";
import { each, together } from "../notKnown";
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

const retention = "persistent_volume_claim_retention_policy";

function ofOperator(object: KubernetesObject): Problem[] {
  const facts = operatorFacts(object);
  if (facts === undefined) return [];
  return together(
    () =>
      each(switches, ([key, what]) =>
        isOn(facts, key, true)
          ? [
              {
                path: key,
                value: saidOf(facts, key),
                allowed: `false, since a cluster's object that is deleted by mistake would take ${what} along`,
                fix: "set it to false",
              },
            ]
          : [],
      ),
    () => {
      const policies = textsOf(facts, retention);
      return ["when_deleted", "when_scaled"]
        .filter((when) => policies[when] === "delete")
        .map((when) => ({
          path: `${retention}.${when}`,
          value: "delete",
          allowed: "retain, since the data would go with the object, or with an instance",
          fix: "set it, or leave it out",
        }));
    },
  );
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
