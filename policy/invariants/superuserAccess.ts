import type { Facts } from "../../plan/engines/reader";
import type { Problem } from "../../settings/problem";
import { type ClusterInvariant, fieldsOf } from "./invariant";

/** A superuser who may log in over the network can read every file and leave the database. */
export const superuserAccess = ({
  superuserAccess,
  superusers,
}: Pick<Facts, "superuserAccess" | "superusers">): Problem[] => [
  ...(superuserAccess
    ? [
        {
          path: "superuser access",
          value: true,
          allowed: "off, since a role with CREATEDB and CREATEROLE does an administrator's work",
          fix: "switch it off and use the administrator's role",
        },
      ]
    : []),
  ...superusers.map((role) => ({
    path: `role ${role}`,
    value: "superuser",
    allowed: "roles that are no superusers, since CREATEDB and CREATEROLE do an administrator's work",
    fix: "take it from the role",
  })),
];

export const superuserAccessInvariant: ClusterInvariant = {
  number: "25",
  name: "no-superuser-access",
  description: "No superuser logs in over the network.",
  severity: "high",
  mandatory: "everywhere",
  remediation:
    "Remove `spec.enableSuperuserAccess: true`, `superuser: true` of `spec.managed.roles` and Zalando's flag `superuser`; give administrators " +
    "a role with CREATEDB and CREATEROLE.",
  on: "cluster",
  check: superuserAccess,
  remedy(props) {
    const spec = fieldsOf(props, "spec");
    if (props.kind !== "Cluster" || spec?.enableSuperuserAccess !== true) return false;
    spec.enableSuperuserAccess = false;
    return true;
  },
};
