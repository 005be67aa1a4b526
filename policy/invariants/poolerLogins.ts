import type { Problem } from "../../settings/problem";
import { each, kept, together } from "../notKnown";
import { rules } from "./encryptedLogins";
import { displayName, type StackInvariant } from "./invariant";

/** What PgBouncer takes without a password that is worth one. */
const bad = ["trust", "any", "plain", "md5"];
/** With these a client that asks for no TLS gets none. */
const open = ["disable", "allow", "prefer"];

export const poolerLoginsInvariant: StackInvariant = {
  number: "26b",
  name: "pooler-logins",
  description: "Poolers take SCRAM and certificates only, and TLS is never off.",
  severity: "critical",
  mandatory: "everywhere",
  remediation:
    "Set `auth_type` to scram-sha-256, cert or hba (CloudNativePG's Pooler: `spec.pgbouncer.parameters`, or leave it out), and no trust, password or md5 in its " +
    "`pg_hba`; set `client_tls_sslmode` to require or more. PgBouncer's own defaults are md5 and disable.",
  on: "stack",
  check: ({ poolers }): Problem[] =>
    each(poolers, (pooler) => {
      const at = displayName(pooler.kind, pooler);
      const { type, tls, hostBasedAccess = [] } = pooler.logins ?? {};
      return together(
        () =>
          type !== undefined && bad.includes(type)
            ? [
                {
                  path: `${at}: auth_type`,
                  value: type,
                  allowed: "scram-sha-256, cert or hba",
                  fix: "set it, and keep the users' SCRAM verifiers",
                },
              ]
            : [],
        () =>
          tls !== undefined && open.includes(tls)
            ? [
                {
                  path: `${at}: client_tls_sslmode`,
                  value: tls,
                  allowed: "require, verify-ca or verify-full",
                  fix: "set one",
                },
              ]
            : [],
        () =>
          kept(
            () => rules(hostBasedAccess, `${at}: pg_hba`),
            // Where a pooler's TLS is is no matter of these rules.
            ({ value }) => !/\s(scram-sha-256|cert|reject)(\s|$)/.test(String(value)),
          ),
      );
    }),
};
