import type { Facts } from "../../plan/engines/reader";
import type { Problem } from "../../settings/problem";
import { each, together } from "../notKnown";
import type { ClusterInvariant } from "./invariant";

const goodMethods = ["scram-sha-256", "cert", "peer", "reject"];
const goodTls = ["TLSv1.2", "TLSv1.3"];

interface Rule {
  readonly type: string;
  readonly database: string;
  readonly user: string;
  readonly address: string;
  readonly method: string;
}

const addressMask = /^\d{1,3}(\.\d{1,3}){3}$/;

/** A line of pg_hba.conf. An address may have its mask in a column of its own; local rules have no address. */
function parsed(line: string): Rule {
  const [type = "", database = "", user = "", ...rest] = line.trim().split(/\s+/);
  if (type === "local") return { type, database, user, address: "", method: rest[0] ?? "" };
  const [address = "", second = "", third = ""] = rest;
  return { type, database, user, address, method: addressMask.test(second) ? third : second };
}

const matchesAll = ({ database, user, address }: Rule): boolean =>
  database === "all" && user === "all" && address === "all";

const isPlain = ({ type }: Rule): boolean =>
  ["host", "hostnossl", "hostgssenc", "hostnogssenc"].includes(type);

/** Faults of rules in the order in which they are tried. */
export function rules(lines: readonly string[], path = "pg_hba"): Problem[] {
  let open = true;
  const indices = Array.from({ length: lines.length }, (_, index) => index);
  return each(indices, (index) => {
    let line: string;
    try {
      line = lines[index] ?? "";
    } catch (error) {
      // It may be the one that closes: whether those behind it let anybody in isn't known.
      open = false;
      throw error;
    }
    const rule = parsed(line);
    if (!goodMethods.includes(rule.method))
      return [
        {
          path,
          value: line,
          allowed: `rules with ${goodMethods.join(", ")}`,
          fix: "use scram-sha-256",
        },
      ];
    if (!open || !isPlain(rule)) return [];
    if (rule.method === "reject") {
      open = !((rule.type === "host" || rule.type === "hostnossl") && matchesAll(rule));
      return [];
    }
    return [
      {
        path,
        value: line,
        allowed:
          "rules of the type hostssl before `hostnossl all all all reject`, since this one takes logins without TLS",
        fix: "write hostssl, and end with `hostnossl all all all reject`",
      },
    ];
  });
}

type Logins = Pick<Facts, "hostBasedAccess" | "passwordEncryption" | "lowestTls">;

/** Over the network: TLS, and a password that is never sent in a form that can be replayed. */
export const encryptedLogins = (facts: Logins): Problem[] =>
  together(
    () => rules(facts.hostBasedAccess ?? []),
    () =>
      facts.passwordEncryption === "scram-sha-256"
        ? []
        : [
            {
              path: "password_encryption",
              value: facts.passwordEncryption,
              allowed: "scram-sha-256",
              fix: "set it, and set the passwords again",
            },
          ],
    () =>
      goodTls.includes(facts.lowestTls)
        ? []
        : [
            {
              path: "ssl_min_protocol_version",
              value: facts.lowestTls,
              allowed: goodTls.join(" or "),
              fix: "remove it or raise it",
            },
          ],
  );

export const encryptedLoginsInvariant: ClusterInvariant = {
  number: "26a",
  name: "encrypted-logins",
  description: "Logins over the network use TLS 1.2 or newer and SCRAM; trust and md5 are nowhere.",
  severity: "critical",
  mandatory: "everywhere",
  remediation:
    "CloudNativePG closes with `host all all all scram-sha-256`, which takes logins without TLS: end `spec.postgresql.pg_hba` with " +
    "`hostssl all all all scram-sha-256` and `hostnossl all all all reject`. A StatefulSet: `POSTGRES_HOST_AUTH_METHOD` isn't trust or md5.",
  on: "cluster",
  check: encryptedLogins,
};
