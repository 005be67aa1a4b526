import { isIPv4 } from "node:net";
import { run, succeeds } from "../../shell/process";
import { findSwitch } from "./network";
import { nodes, settings } from "./settings";

/**
 * Cut cables. All traffic between nodes, and between nodes and the API server, passes the switch; there packets are
 * dropped without a word, those of established connections too. Two pods of one node can't be cut from each other.
 *
 * The packet filter's own list is the only memory: nothing can be forgotten, and the rules end with the switch.
 */

/** Two ends that can't reach each other: names of nodes, `api`, or addresses of pods. Without `to`: from everything. */
export interface Cut {
  from: string;
  to?: string;
}

const table = `bridge ${settings.name}_cuts`;
/** The switch's port towards the machine, where the API server listens. */
const apiPort = "host";

const isNode = (end: string): boolean => nodes.some(({ name }) => name === end);

function refuseUnknown(end: string): void {
  if (isNode(end) || end === "api" || isIPv4(end)) return;
  const names = nodes.map(({ name }) => name).join(", ");
  throw new Error(`"${end}" is no end of a cable: name a node (${names}), "api", or a pod's address.`);
}

function match(end: string | undefined, side: "source" | "destination"): string {
  if (end === undefined) return "";
  if (isIPv4(end)) return `ip ${side === "source" ? "saddr" : "daddr"} ${end} `;
  return `${side === "source" ? "iifname" : "oifname"} "${end === "api" ? apiPort : end}" `;
}

const nameOf = ({ from, to }: Cut): string => (to === undefined ? from : `${from} ${to}`);

/** One way for both directions of naming it. */
const keyOf = ({ from, to }: Cut): string => [from, to ?? ""].sort().join(" ");

/** The whole table for these cuts; it takes the place of the former one in one step. */
export function cutRules(cuts: readonly Cut[]): string {
  const clear = `add table ${table}\ndelete table ${table}\n`;
  if (cuts.length === 0) return clear;
  const way = (from: string | undefined, to: string | undefined, name: string) =>
    `    ${match(from, "source")}${match(to, "destination")}drop comment "${name}"`;
  const rules = cuts.flatMap((one) => [
    way(one.from, one.to, nameOf(one)),
    way(one.to, one.from, nameOf(one)),
  ]);
  return `${clear}table ${table} {
  chain forward {
    type filter hook forward priority filter; policy accept;
${rules.join("\n")}
  }
}
`;
}

/** Reads the cuts back from nft's list. */
export function parseCuts(listing: string): Cut[] {
  const names = [...listing.matchAll(/comment "([^"]+)"/g)].map(([, name]) => name ?? "");
  return [...new Set(names)].map((name) => {
    const [from = "", to] = name.split(" ");
    return to === undefined ? { from } : { from, to };
  });
}

const inSwitch = (pid: number, command: readonly string[]) => [`--net=/proc/${pid}/ns/net`, ...command];

/** The cuts that are in force; none when the switch doesn't run. */
export async function listCuts(): Promise<Cut[]> {
  const pid = await findSwitch();
  if (pid === undefined) return [];
  const list = inSwitch(pid, ["nft", "list", "table", ...table.split(" ")]);
  const { stdout, exitCode } = await run("nsenter", list, { allowFailure: true });
  return exitCode === 0 ? parseCuts(stdout) : [];
}

async function setCuts(cuts: readonly Cut[]): Promise<void> {
  const pid = await findSwitch();
  if (pid === undefined) throw new Error("The built-in cluster doesn't run: it has no cables to cut.");
  await run("nsenter", inSwitch(pid, ["nft", "-f", "-"]), { input: cutRules(cuts) });
}

/** Cuts two ends from each other, or one from everything, beside the cuts that are there; several at the same moment. */
export async function cut(added: readonly Cut[]): Promise<void> {
  for (const { from, to = from } of added) [from, to].forEach(refuseUnknown);
  for (const { from, to } of added) if (from === to) throw new Error(`"${from}" can't be cut from itself.`);
  const keys = added.map(keyOf);
  const others = (await listCuts()).filter((known) => !keys.includes(keyOf(known)));
  await setCuts([...others, ...added]);
}

/** Takes one cut back; one that isn't there is no error. */
export async function join(removed: Cut): Promise<void> {
  for (const end of [removed.from, removed.to ?? removed.from]) refuseUnknown(end);
  await setCuts((await listCuts()).filter((known) => keyOf(known) !== keyOf(removed)));
}

/** Takes all cuts back. Does nothing when there are none. */
export async function healNetwork(): Promise<void> {
  const pid = await findSwitch();
  if (pid === undefined) return;
  const listed = inSwitch(pid, ["nft", "list", "table", ...table.split(" ")]);
  if (await succeeds("nsenter", listed)) await setCuts([]);
}

/** A cut in words. */
export const describeCut = ({ from, to }: Cut): string => `${from} is cut from ${to ?? "everything"}`;
