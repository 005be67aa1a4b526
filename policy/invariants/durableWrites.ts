import type { Facts } from "../../plan/engines/reader";
import type { Problem } from "../../settings/problem";
import { each } from "../notKnown";
import { type ClusterInvariant, fieldsOf, textAt } from "./invariant";
import { claimsZeroLoss } from "./zeroLoss";

const off = /^(off|false|no|0|f|n|fa|fal|fals|of)$/i;
const on = /^(on|true|yes|1|t|y|tr|tru|ye)$/i;

/** Parameters that trade what is stored for speed: when a value is one of those, and what it costs. */
const costly: readonly [name: string, bad: RegExp, good: string, cost: string][] = [
  ["fsync", off, "on", "a crash of the node corrupts the database"],
  ["full_page_writes", off, "on", "a page that was half written at a crash stays so"],
  ["zero_damaged_pages", on, "off", "damaged pages are emptied when they are read"],
  ["ignore_checksum_failure", on, "off", "damaged pages are read as if they were whole"],
  ["ignore_invalid_pages", on, "off", "recovery passes over references to pages that aren't there"],
  ["wal_level", /^minimal$/i, "replica or logical", "nothing can be archived or replicated"],
];
/** Those that lose what was acknowledged, where that is claimed never to happen. */
const acknowledged: (typeof costly)[number] = [
  "synchronous_commit",
  /^(off|false|no|0|local)$/i,
  "on, remote_write or remote_apply",
  "an acknowledged commit isn't on a standby yet, and its loss is claimed never to happen",
];

export function durableWrites(facts: Pick<Facts, "parameter" | "durability" | "synchronous">): Problem[] {
  const claims = claimsZeroLoss(facts) || facts.synchronous.blocks;
  return each(claims ? [...costly, acknowledged] : costly, ([name, bad, good, cost]) => {
    const value = facts.parameter(name);
    return value === undefined || !bad.test(value.trim())
      ? []
      : [{ path: name, value, allowed: `${good}: ${cost}`, fix: "remove the parameter" }];
  });
}

export const durableWritesInvariant: ClusterInvariant = {
  number: "4b",
  name: "durable-writes",
  description: "What PostgreSQL says is stored is stored.",
  severity: "critical",
  mandatory: "everywhere",
  remediation:
    "Remove the parameter from `spec.postgresql.parameters`, or from the server's arguments and its configuration; its default is right.",
  on: "cluster",
  check: durableWrites,
  remedy(props) {
    const parameters = fieldsOf(props, "spec", "postgresql", "parameters");
    const wrong = costly.filter(([name, bad]) => bad.test(textAt(parameters, name)));
    for (const [name] of wrong) delete parameters![name];
    return wrong.length > 0;
  },
};
