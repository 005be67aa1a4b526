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
  /** Where it has a column of its own. */
  readonly mask: string;
  readonly method: string;
}

const addressMask = /^(\d{1,3}(\.\d{1,3}){3}|[\da-f:]*:[\da-f:]*)$/i;
/** What stands between blanks: names in quotes have some, and lists have some behind a comma. */
const column = /(?:"[^"]*"|,\s*|[^\s",])+/g;

/** A line of pg_hba.conf. Local rules have no address. */
function parsed(line: string): Rule {
  const [type = "", database = "", user = "", ...rest] = line.match(column) ?? [];
  if (type === "local") return { type, database, user, address: "", mask: "", method: rest[0] ?? "" };
  const [address = "", second = "", third = ""] = rest;
  const hasMask = addressMask.test(second);
  return { type, database, user, address, mask: hasMask ? second : "", method: hasMask ? third : second };
}

const families = ["IPv4", "IPv6"] as const;

/** A name may stand for addresses of either. */
const familiesOf = ({ address }: Rule): readonly (typeof families)[number][] =>
  address.includes(":") ? ["IPv6"] : /^\d/.test(address) ? ["IPv4"] : families;

const matchesAll = ({ database, user, address, mask }: Rule): boolean =>
  database === "all" &&
  user === "all" &&
  (address === "all" || address.endsWith("/0") || /^[0.:]+$/.test(mask));

/** Addresses of the server itself, which no network leads to. */
const ownAddress = /^(localhost|samehost|127(\.\d+){3}(\/([89]|[12]\d|3[0-2]))?|::1(\/128)?)$/;
const isOwn = ({ address, mask }: Rule): boolean =>
  ownAddress.test(address) && (mask === "" || /^(255\.|(ffff:?){8}$)/i.test(mask));

const isPlain = ({ type }: Rule): boolean =>
  ["host", "hostnossl", "hostgssenc", "hostnogssenc"].includes(type);

/** Faults of rules in the order in which they are tried. */
export function rules(lines: readonly string[], path = "pg_hba"): Problem[] {
  const open = new Set(families);
  const indices = Array.from({ length: lines.length }, (_, index) => index);
  return each(indices, (index) => {
    let line: string;
    try {
      line = lines[index] ?? "";
    } catch (error) {
      // It may be the one that closes: whether those behind it let anybody in isn't known.
      open.clear();
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
    if (!isPlain(rule)) return [];
    if (rule.method === "reject") {
      if ((rule.type === "host" || rule.type === "hostnossl") && matchesAll(rule))
        for (const family of familiesOf(rule)) open.delete(family);
      return [];
    }
    if (isOwn(rule) || !familiesOf(rule).some((family) => open.has(family))) return [];
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

/** The server reads such words in any case. */
const isOneOf = (words: readonly string[], value: string): boolean =>
  words.some((word) => word.toLowerCase() === value.toLowerCase());

type Logins = Pick<Facts, "hostBasedAccess" | "passwordEncryption" | "lowestTls">;

/** Over the network: TLS, and a password that is never sent in a form that can be replayed. */
export const encryptedLogins = (facts: Logins): Problem[] =>
  together(
    () => rules(facts.hostBasedAccess ?? []),
    () =>
      isOneOf(["scram-sha-256"], facts.passwordEncryption)
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
      isOneOf(goodTls, facts.lowestTls)
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
