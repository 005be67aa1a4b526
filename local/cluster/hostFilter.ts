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

/** Chains that can drop what comes in, as one would look for them, and who is known to keep them. */
function suspects(text: string): { chain: Chain; why: string; keeper?: "ufw" | "firewalld" }[] {
  const { nftables } = JSON.parse(text) as Ruleset;
  const chains = nftables.flatMap(({ chain }) => chain ?? []);
  const rules = nftables.flatMap(({ rule }) => rule ?? []);
  return chains.flatMap((chain) => {
    if (chain.hook !== "input" || chain.table === settings.name) return [];
    const own = rules.filter((rule) => rule.table === chain.table && rule.family === chain.family);
    const refuses = own.some(
      ({ chain: name, expr }) => name === chain.name && expr.some((one) => "drop" in one || "reject" in one),
    );
    const why =
      chain.policy === "drop" ? "policy drop" : refuses ? "a rule that drops or rejects" : undefined;
    if (why === undefined) return [];
    const ufw = chains.some(({ table, name }) => table === chain.table && name.startsWith("ufw-"));
    const keeper = chain.table === "firewalld" ? "firewalld" : ufw ? "ufw" : undefined;
    return [{ chain, why, ...(keeper && { keeper }) }];
  });
}

/** The sentence about nodes that don't reach the API server: which rule, and what lets them pass. */
export function blockedSentence(ruleset: string): string {
  const link = settings.hostLink;
  const way = `${settings.apiAddress}:${settings.apiPort}`;
  const found = suspects(ruleset);
  const [first] = found;
  if (first === undefined)
    return `The nodes can't reach the API server at ${way}: something on this machine drops what comes in by ${link}, and no chain of nftables does. Fix: let ${link} pass (with legacy iptables: \`iptables-legacy -I INPUT -i ${link} -j ACCEPT\`), then run the command again.`;
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
    const { stdout } = await run("nft", ["-j", "list", "ruleset"]);
    throw new UserError([blockedSentence(stdout)]);
  }
}
