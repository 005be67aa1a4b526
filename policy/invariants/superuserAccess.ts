import type { Facts } from "../../plan/engines/reader";
import type { Problem } from "../../settings/problem";
import type { ClusterInvariant } from "./invariant";

/** A superuser who may log in over the network can read every file and leave the database. */
export const superuserAccess = ({ superuserAccess }: Pick<Facts, "superuserAccess">): Problem[] =>
  superuserAccess
    ? [
        {
          path: "superuser access",
          value: true,
          allowed: "off, since a role with CREATEDB and CREATEROLE does an administrator's work",
          fix: "switch it off and use the administrator's role",
        },
      ]
    : [];

export const superuserAccessInvariant: ClusterInvariant = {
  number: "25",
  name: "no-superuser-access",
  description: "No superuser logs in over the network.",
  severity: "high",
  mandatory: "everywhere",
  remediation:
    "Remove `spec.enableSuperuserAccess: true`; give administrators a role with CREATEDB and CREATEROLE.",
  on: "cluster",
  check: superuserAccess,
};
