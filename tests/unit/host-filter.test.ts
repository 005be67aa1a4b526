import assert from "node:assert/strict";
import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { blockedSentence, ensureBridgeFilter, listRuleset } from "../../local/cluster/hostFilter";

const chain = (table: string, name: string, more: object = {}, family = "ip") => ({
  chain: { family, table, name, ...more },
});
const rule = (table: string, chainName: string, expr: object[], family = "ip") => ({
  rule: { family, table, chain: chainName, expr },
});
const input = (policy: string) => ({ type: "filter", hook: "input", prio: 0, policy });
const ruleset = (...nftables: object[]) => JSON.stringify({ nftables: [{ metainfo: {} }, ...nftables] });
const start = "The nodes can't reach the API server at 198.18.250.1:6443: ";
const own = chain("pgplatform", "input", input("accept"), "inet");
const ownDrop = rule("pgplatform", "input", [{ drop: null }], "inet");

describe("a packet filter that the nodes can't pass (rulesets as nft prints them)", () => {
  const cases: [string, string, string][] = [
    [
      "ufw's",
      ruleset(own, ownDrop, chain("filter", "INPUT", input("drop")), chain("filter", "ufw-before-input")),
      "this machine's packet filter drops what comes in by pgplatform0 (chain INPUT of table ip filter, policy drop, kept by ufw). " +
        "Fix: run `ufw allow in on pgplatform0`, then run the command again.",
    ],
    [
      "firewalld's",
      ruleset(
        own,
        chain("firewalld", "filter_INPUT", input("accept"), "inet"),
        rule("firewalld", "filter_INPUT", [{ reject: { type: "icmpx" } }], "inet"),
      ),
      "this machine's packet filter drops what comes in by pgplatform0 (chain filter_INPUT of table inet firewalld, a rule that drops or rejects, kept by firewalld). " +
        "Fix: run `firewall-cmd --zone=trusted --add-interface=pgplatform0`, then run the command again.",
    ],
    [
      "nobody's, by hand",
      ruleset(
        chain("mine", "incoming", input("drop"), "inet"),
        chain("mine", "outgoing", { hook: "output", policy: "drop" }, "inet"),
      ),
      "this machine's packet filter drops what comes in by pgplatform0 (chain incoming of table inet mine, policy drop). " +
        "Fix: run `nft insert rule inet mine incoming iifname pgplatform0 accept`, then run the command again.",
    ],
    [
      "one that nftables doesn't show",
      ruleset(own, ownDrop, chain("filter", "INPUT", input("accept"))),
      "something on this machine drops what comes in by pgplatform0, and no rule was found that does in nftables. " +
        "Fix: let pgplatform0 pass (with legacy iptables: `iptables-legacy -I INPUT -i pgplatform0 -j ACCEPT`), then run the command again.",
    ],
    [
      "in a chain behind two jumps, of which one goes back",
      ruleset(
        chain("filter", "INPUT", input("accept")),
        chain("filter", "LIMITS"),
        rule("filter", "INPUT", [{ counter: {} }, { jump: { target: "LIMITS" } }]),
        rule("filter", "LIMITS", [{ jump: { target: "INPUT" } }]),
        rule("filter", "LIMITS", [{ goto: { target: "LAST" } }]),
        rule("filter", "LAST", [{ drop: null }]),
      ),
      "this machine's packet filter drops what comes in by pgplatform0 (chain INPUT of table ip filter, a rule that drops or rejects in chain LAST). " +
        "Fix: run `nft insert rule ip filter INPUT iifname pgplatform0 accept`, then run the command again.",
    ],
    [
      "in a map of verdicts",
      ruleset(
        chain("mine", "incoming", input("accept"), "inet"),
        rule(
          "mine",
          "incoming",
          [{ vmap: { key: "x", data: { set: [["eth0", { jump: { target: "lan" } }]] } } }],
          "inet",
        ),
        rule("mine", "lan", [{ vmap: { key: "x", data: { set: [["tcp", { drop: null }]] } } }], "inet"),
      ),
      "this machine's packet filter drops what comes in by pgplatform0 (chain incoming of table inet mine, a rule that drops or rejects in chain lan). " +
        "Fix: run `nft insert rule inet mine incoming iifname pgplatform0 accept`, then run the command again.",
    ],
    [
      "in a chain that nothing jumps to, or of another table",
      ruleset(
        chain("filter", "INPUT", input("accept")),
        rule("filter", "INPUT", [{ jump: { target: "LAST" } }]),
        rule("filter", "OTHER", [{ drop: null }]),
        rule("filter", "LAST", [{ drop: null }], "ip6"),
      ),
      "something on this machine drops what comes in by pgplatform0, and no rule was found that does in nftables. " +
        "Fix: let pgplatform0 pass (with legacy iptables: `iptables-legacy -I INPUT -i pgplatform0 -j ACCEPT`), then run the command again.",
    ],
  ];
  for (const text of ["", "nft: JSON support not compiled-in", "{}", "null"])
    it(`isn't named where nft prints no JSON: ${text}`, () =>
      assert.equal(
        blockedSentence(text),
        start +
          "something on this machine drops what comes in by pgplatform0, and nft, which would say what does, can't be asked here. " +
          "Fix: let pgplatform0 pass (with legacy iptables: `iptables-legacy -I INPUT -i pgplatform0 -j ACCEPT`), then run the command again.",
      ));
  it("has no ruleset where nft isn't there, or fails (stand-ins for nft)", async () => {
    assert.equal(await listRuleset("/nowhere/nft"), "");
    assert.equal(await listRuleset("false"), "");
  });
  for (const [whose, text, sentence] of cases)
    it(`is named: ${whose}`, () => assert.equal(blockedSentence(text), start + sentence));
});

describe("the packet filter of bridges (a stand-in for the kernel's folder)", () => {
  const files = ["iptables", "ip6tables", "arptables"];
  const read = (folder: string) =>
    files.map((name) => readFileSync(join(folder, `bridge-nf-call-${name}`), "utf8").trim());
  let parent = "";
  beforeEach(() => (parent = mkdtempSync(join(tmpdir(), "pgp-bridge-"))));
  afterEach(() => rmSync(parent, { recursive: true }));
  /** The module comes with its switches on. */
  const load = (folder: string) => () => {
    mkdirSync(folder);
    files.forEach((name) => writeFileSync(join(folder, `bridge-nf-call-${name}`), "1\n"));
    return Promise.resolve();
  };

  it("stays off for the machine's own bridges when the module is loaded here", async () => {
    const folder = join(parent, "bridge");
    await ensureBridgeFilter(load(folder), folder);
    assert.deepEqual(read(folder), ["0", "0", "0"]);
  });

  it("stays as it is where the module was loaded before", async () => {
    const folder = join(parent, "bridge");
    await load(folder)();
    writeFileSync(join(folder, "bridge-nf-call-arptables"), "0\n");
    await ensureBridgeFilter(() => assert.fail("loaded again"), folder);
    assert.deepEqual(read(folder), ["1", "1", "0"]);
  });
});
