import type { Settings } from "../../settings/schema";
import { roles } from "../names";

const unencrypted = "hostnossl all all all reject";

/**
 * Rules of pg_hba.conf for logins over the network. An engine puts the rules that it needs itself before them; what it appends
 * behind them nothing reaches, since the last rules here fit everything.
 */
export function hostBasedAccess({ access, databases }: Settings["cluster"]): string[] {
  if (access.length === 0) return ["hostssl all all all scram-sha-256", unencrypted];
  const [first] = databases;
  return [
    `hostssl postgres ${roles.pooler} all scram-sha-256`,
    `hostssl ${first?.name ?? "all"} ${roles.health} all scram-sha-256`,
    ...access.map(
      ({ database, role, from, tls }) =>
        `${tls ? "hostssl" : "host"} ${database} ${role} ${from} scram-sha-256`,
    ),
    unencrypted,
    "host all all all reject",
  ];
}
