import type { Facts } from "../../plan/engines/reader";
import type { Problem } from "../../settings/problem";
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

/** Over the network: TLS, and a password that is never sent in a form that can be replayed. */
export function encryptedLogins({
  hostBasedAccess,
  passwordEncryption,
  lowestTls,
}: Pick<Facts, "hostBasedAccess" | "passwordEncryption" | "lowestTls">): Problem[] {
  const problems: Problem[] = [];
  let open = true;
  for (const line of hostBasedAccess) {
    const rule = parsed(line);
    if (!goodMethods.includes(rule.method))
      problems.push({
        path: "pg_hba",
        value: line,
        allowed: `rules with ${goodMethods.join(", ")}`,
        fix: "use scram-sha-256",
      });
    else if (open && ["host", "hostnossl", "hostgssenc", "hostnogssenc"].includes(rule.type)) {
      if (rule.method === "reject")
        open = !((rule.type === "host" || rule.type === "hostnossl") && matchesAll(rule));
      else
        problems.push({
          path: "pg_hba",
          value: line,
          allowed:
            "rules of the type hostssl before `hostnossl all all all reject`, since this one takes logins without TLS",
          fix: "write hostssl, and end with `hostnossl all all all reject`",
        });
    }
  }
  if (passwordEncryption !== "scram-sha-256")
    problems.push({
      path: "password_encryption",
      value: passwordEncryption,
      allowed: "scram-sha-256",
      fix: "set it, and set the passwords again",
    });
  if (!goodTls.includes(lowestTls))
    problems.push({
      path: "ssl_min_protocol_version",
      value: lowestTls,
      allowed: goodTls.join(" or "),
      fix: "remove it or raise it",
    });
  return problems;
}

export const encryptedLoginsInvariant: ClusterInvariant = {
  number: "26",
  name: "encrypted-logins",
  description: "Logins over the network use TLS 1.2 or newer and SCRAM; trust and md5 are nowhere.",
  severity: "critical",
  mandatory: "everywhere",
  remediation:
    "CloudNativePG closes with `host all all all scram-sha-256`, which takes logins without TLS: end `spec.postgresql.pg_hba` with " +
    "`hostssl all all all scram-sha-256` and `hostnossl all all all reject`.",
  on: "cluster",
  check: encryptedLogins,
};
