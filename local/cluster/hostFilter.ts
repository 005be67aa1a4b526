import { existsSync } from "node:fs";
import { writeFile } from "node:fs/promises";
import { join } from "node:path";
import { run, succeeds } from "../../shell/process";
import { UserError } from "../../shell/userError";
import { settings } from "./settings";
import { waitFor } from "./wait";

/** The machine's own packet filter, which the built-in cluster must live with. */

const bridgeFolder = "/proc/sys/net/bridge";

/**
 * Loads the kernel's packet filter of bridges, which network policies need inside the nodes. Where it wasn't loaded, the machine's own
 * bridges weren't filtered: they stay so, although the kernel switches it on with the module. A node's namespace has a switch of its own.
 */
export async function ensureBridgeFilter(
  load: () => Promise<unknown> = () => run("modprobe", ["br_netfilter"]),
  folder = bridgeFolder,
): Promise<void> {
  if (existsSync(folder)) return;
  await load();
  for (const protocol of ["iptables", "ip6tables", "arptables"])
    await writeFile(join(folder, `bridge-nf-call-${protocol}`), "0\n");
}

interface Chain {
  family: string;
  table: string;
  name: string;
  hook?: string;
  policy?: string;
}

interface Rule extends Omit<Chain, "name"> {
  chain: string;
  expr: readonly Record<string, unknown>[];
}

/** What `nft -j list ruleset` prints. */
interface Ruleset {
  nftables: readonly { chain?: Chain; rule?: Rule }[];
}

/** Everything that stands under one of these keys in an expression, in the verdicts of its maps too. */
const under = (value: unknown, keys: readonly string[]): unknown[] =>
  typeof value !== "object" || value === null
    ? []
    : Object.entries(value).flatMap(([key, inner]: [string, unknown]) => [
        ...(keys.includes(key) ? [inner] : []),
        ...under(inner, keys),
      ]);

/** The chain itself and those that its jumps lead to. */
function reached(chain: string, rules: readonly Rule[], before: readonly string[] = []): string[] {
  const here = rules.filter((rule) => rule.chain === chain);
  const targets = under(
    here.map(({ expr }) => expr),
    ["jump", "goto"],
  ).map((to) => (to as { target: string }).target);
  return targets.reduce(
    (known, target) => (known.includes(target) ? known : reached(target, rules, known)),
    [...before, chain],
  );
}

/** Undefined where the text isn't what nft prints as JSON. */
function parsed(text: string): Ruleset | undefined {
  try {
    const { nftables } = JSON.parse(text) as Partial<Ruleset>;
    return Array.isArray(nftables) ? { nftables } : undefined;
  } catch {
    return undefined;
  }
}

/** Chains that can drop what comes in, as one would look for them, and who is known to keep them. */
function suspects({ nftables }: Ruleset): { chain: Chain; why: string; keeper?: "ufw" | "firewalld" }[] {
  const chains = nftables.flatMap(({ chain }) => chain ?? []);
  const rules = nftables.flatMap(({ rule }) => rule ?? []);
  return chains.flatMap((chain) => {
    if (chain.hook !== "input" || chain.table === settings.name) return [];
    const own = rules.filter((rule) => rule.table === chain.table && rule.family === chain.family);
    const refusing = reached(chain.name, own).find((name) =>
      own.some((rule) => rule.chain === name && under(rule.expr, ["drop", "reject"]).length > 0),
    );
    if (chain.policy !== "drop" && refusing === undefined) return [];
    const place = refusing === chain.name ? "" : ` in chain ${refusing}`;
    const why = chain.policy === "drop" ? "policy drop" : `a rule that drops or rejects${place}`;
    const ufw = chains.some(({ table, name }) => table === chain.table && name.startsWith("ufw-"));
    const keeper = chain.table === "firewalld" ? "firewalld" : ufw ? "ufw" : undefined;
    return [{ chain, why, ...(keeper && { keeper }) }];
  });
}

/** The sentence about nodes that don't reach the API server: which rule, and what lets them pass. */
export function blockedSentence(ruleset: string): string {
  const link = settings.hostLink;
  const way = `${settings.apiAddress}:${settings.apiPort}`;
  const rules = parsed(ruleset);
  const found = rules === undefined ? [] : suspects(rules);
  const [first] = found;
  const looked =
    rules === undefined
      ? "nft, which would say what does, can't be asked here"
      : "no rule was found that does in nftables";
  if (first === undefined)
    return `The nodes can't reach the API server at ${way}: something on this machine drops what comes in by ${link}, and ${looked}. Fix: let ${link} pass (with legacy iptables: \`iptables-legacy -I INPUT -i ${link} -j ACCEPT\`), then run the command again.`;
  const { family, table, name } = first.chain;
  const fix = {
    ufw: `ufw allow in on ${link}`,
    firewalld: `firewall-cmd --zone=trusted --add-interface=${link}`,
    none: `nft insert rule ${family} ${table} ${name} iifname ${link} accept`,
  }[first.keeper ?? "none"];
  const named = found.map(
    ({ chain, why, keeper }) =>
      `chain ${chain.name} of table ${chain.family} ${chain.table}, ${why}${keeper === undefined ? "" : `, kept by ${keeper}`}`,
  );
  return `The nodes can't reach the API server at ${way}: this machine's packet filter drops what comes in by ${link} (${named.join("; ")}). Fix: run \`${fix}\`, then run the command again.`;
}

/** What nft says of all its rules; empty where it isn't there, or fails. */
export const listRuleset = (nft = "nft"): Promise<string> =>
  run(nft, ["-j", "list", "ruleset"]).then(
    ({ stdout }) => stdout,
    () => "",
  );

/** Connects from a node to the API server, which is up; where nothing comes through, says which rule is in the way. */
export async function requireWay(nodePid: number, signal?: AbortSignal): Promise<void> {
  const connect = `exec 3<> /dev/tcp/${settings.apiAddress}/${settings.apiPort}`;
  const enter = [`--net=/proc/${nodePid}/ns/net`, "timeout", "2", "bash", "-c", connect];
  try {
    await waitFor(() => succeeds("nsenter", enter), {
      what: "A node's connection to the API server",
      timeoutMs: 15_000,
      signal,
    });
  } catch {
    signal?.throwIfAborted();
    throw new UserError([blockedSentence(await listRuleset())]);
  }
}
