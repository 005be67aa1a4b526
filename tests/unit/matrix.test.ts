import assert from "node:assert/strict";
import { planPlatform } from "../../plan/platform";
import type { Flow, Peer } from "../../plan/network";
import { tcp } from "../../plan/network";
import {
  against,
  cellsOf,
  differencesOf,
  type End,
  inet6Of,
  linkLocalCells,
  type List,
  listeningPorts,
  mayPass,
  serviceTarget,
  standIns,
  standsFor,
  targetOf,
  told,
  unserved,
} from "../e2e/kit/matrix";
import { shortObjects } from "../support/manifest";
import { stackConfig } from "../support/settings";
import { checked } from "../support/settings";
import { rawSettings } from "../../stacks/program";

/** The judge of the packet matrix, judged; the packets themselves need a cluster. */
const pod = (
  name: string,
  namespace: string,
  labels: Record<string, string>,
  node = "n1",
  ports: number[] = [],
): End => ({
  name: `${namespace}/${name}`,
  kind: "pod",
  address: `198.18.${node.slice(1)}.${10 + name.length}`,
  namespace,
  labels,
  node,
  listens: { TCP: ports, UDP: [] },
});
const node = (name: string, address: string): End => ({
  name: `node ${name}`,
  kind: "node",
  address,
  node: name,
  listens: { TCP: [10250], UDP: [] },
});
const machine: End = {
  name: "the machine",
  kind: "machine",
  address: "198.18.250.1",
  listens: { TCP: [6443], UDP: [] },
};

const peer = (name: string, namespace: string, labels: Record<string, string>): Peer => ({
  kind: "pods",
  name,
  namespace,
  labels,
});
const instances = peer("instances", "db", { app: "pg" });
const flows: Flow[] = [
  tcp("client", peer("client", "shop", { app: "shop" }), instances, 5432, ""),
  tcp("replication", instances, instances, 5432, ""),
  tcp("metrics", { kind: "namespace", namespace: "metrics" }, instances, 9187, ""),
  tcp("api", instances, { kind: "addresses", cidr: "198.18.250.1/32" }, 6443, ""),
  tcp(
    "kubelet",
    peer("reader", "db", { app: "reader" }),
    { kind: "addresses", cidr: "0.0.0.0/0" },
    10250,
    "",
  ),
  {
    ...tcp("dns", peer("everyone", "db", {}), peer("dns", "kube-system", { dns: "yes" }), 53, ""),
    protocol: "UDP",
  },
];
const list: List = { flows, closed: ["db"] };

const one = pod("one", "db", { app: "pg", more: "x" }, "n1", [5432, 9187]);
const other = pod("other", "db", { app: "pg" }, "n2", [5432, 9187]);
const reader = pod("reader", "db", { app: "reader" }, "n3");
const shop = pod("shop", "shop", { app: "shop" }, "n1");
const prometheus = pod("prometheus", "metrics", {}, "n3", [9090]);
const dns = pod("dns", "kube-system", { dns: "yes" }, "n2", [53]);

describe("what the list of flows lets pass", () => {
  const may = (from: End, end: End, port: number, protocol: "TCP" | "UDP" = "TCP") =>
    mayPass(list, from, { end, port }, protocol);

  it("is what a flow says, in its direction, at its port, by its protocol", () => {
    assert.equal(may(shop, one, 5432), true);
    assert.equal(may(one, shop, 5432), false);
    assert.equal(may(shop, one, 9187), false);
    assert.equal(may(shop, one, 5432, "UDP"), false);
    assert.equal(may(prometheus, one, 9187), true);
    assert.equal(may(prometheus, one, 5432), false);
    assert.equal(may(one, other, 5432), true);
    assert.equal(may(reader, dns, 53, "UDP"), true);
    assert.equal(may(reader, dns, 53), false);
  });

  it("asks for namespace and labels both", () => {
    assert.equal(may(pod("shop", "elsewhere", { app: "shop" }), one, 5432), false);
    assert.equal(may(pod("x", "shop", { app: "another" }), one, 5432), false);
    assert.equal(may(pod("x", "shop", { app: "shop", also: "this" }), one, 5432), true);
  });

  it("is everything between ends that aren't closed, and nothing is asked about an end itself", () => {
    assert.equal(may(shop, prometheus, 9090), true);
    assert.equal(may(shop, dns, 9153), true);
    assert.equal(may(one, one, 5432), undefined);
  });

  it("knows ranges of addresses, which open nothing at pods that are closed", () => {
    assert.equal(may(one, machine, 6443), true);
    assert.equal(may(reader, machine, 6443), false);
    assert.equal(may(reader, node("n1", "198.18.250.11"), 10250), true);
    assert.equal(may(one, node("n2", "198.18.250.12"), 10250), false);
    assert.equal(may(reader, shop, 10250), true);
    assert.equal(may(reader, one, 10250), false);
    assert.equal(standsFor({ kind: "addresses", cidr: "::/0" }, one), false);
    assert.equal(standsFor({ kind: "addresses", cidr: "198.18.250.0/31" }, machine), true);
    assert.equal(standsFor({ kind: "addresses", cidr: "198.18.250.0/32" }, machine), false);
  });

  it("leaves a node's way to its own pods open, as Kubernetes does, and no other node's", () => {
    assert.equal(may(node("n1", "198.18.250.11"), one, 1), true);
    assert.equal(may(node("n2", "198.18.250.12"), one, 5432), false);
    assert.equal(may(one, node("n1", "198.18.250.11"), 10250), undefined);
    assert.equal(may(machine, one, 5432), false);
  });
});

describe("the matrix", () => {
  const behind = [
    { end: one, port: 5432 },
    { end: other, port: 5432 },
  ];
  const service = serviceTarget("db/pg", "198.19.0.7", 15432, "TCP", behind);

  it("is every source with every target but itself, Services by what is behind them", () => {
    const targets = [targetOf(one, 5432, "TCP"), service];
    const { cells, leftOut } = cellsOf(list, [one, shop, reader, node("n1", "198.18.250.11")], targets);
    assert.deepEqual(
      cells.map(({ from, target, may }) => [from.name, target.at, may]),
      [
        ["shop/shop", "198.18.1.13:5432", true],
        ["shop/shop", "198.19.0.7:15432", true],
        ["db/reader", "198.18.1.13:5432", false],
        ["db/reader", "198.19.0.7:15432", false],
        ["node n1", "198.18.1.13:5432", true],
      ],
    );
    assert.deepEqual(leftOut, {
      "to itself, or from a pod to its own node": 2,
      "a node by a Service: some pods are its own": 1,
    });
  });

  it("says so where a Service has pods of both kinds behind it", () => {
    const mixed = serviceTarget("db/mixed", "198.19.0.8", 1, "TCP", [...behind, { end: reader, port: 5432 }]);
    assert.deepEqual(cellsOf(list, [shop], [mixed]), {
      cells: [],
      leftOut: { "a Service whose pods the list tells apart": 1 },
    });
  });

  it("sends UDP by its own word", () => assert.equal(targetOf(dns, 53, "UDP").at, "udp:198.18.2.13:53"));

  it("takes each verdict against the list for a difference, both ways, and a packet that wasn't sent", () => {
    const { cells } = cellsOf(list, [shop, reader], [targetOf(one, 5432, "TCP"), targetOf(one, 8000, "TCP")]);
    const verdicts = (verdict: string) => differencesOf(cells, () => verdict).map(told);
    assert.deepEqual(verdicts("silent"), [
      "shop/shop to db/one, 5432/TCP: may, but doesn't get through (silent)",
    ]);
    assert.deepEqual(verdicts("open"), [
      "shop/shop to db/one, 8000/TCP: may not, but gets through (open)",
      "db/reader to db/one, 5432/TCP: may not, but gets through (open)",
      "db/reader to db/one, 8000/TCP: may not, but gets through (open)",
    ]);
    // A refusal comes from the pod itself: the packet was there. Where something listens it isn't what may be expected.
    assert.equal(verdicts("refused").length, 4);
    assert.equal(differencesOf(cells, () => undefined).length, 4);
    const [first] = cellsOf(list, [shop], [targetOf(prometheus, 1, "TCP")]).cells;
    assert.ok(first);
    assert.equal(against(first, "refused"), undefined);
    assert.match(against(first, "EHOSTUNREACH") ?? "", /doesn't get through \(EHOSTUNREACH\)/);
  });

  it("lets nothing from pod to pod of one node by IPv6, and has the node itself show that they answer", () => {
    const linked = (end: End, linkLocal: string): End => ({ ...end, linkLocal });
    const ends = [linked(one, "fe80::1"), linked(shop, "fe80::2"), linked(other, "fe80::3"), dns];
    const cells = linkLocalCells([...ends, linked(node("n1", "198.18.250.11"), "fe80::9")], [5432]);
    assert.deepEqual(
      cells.map(({ from, target, may }) => [from.name, target.at, may]),
      [
        ["db/one", "fe80::2%eth0:5432", false],
        ["shop/shop", "fe80::1%eth0:5432", false],
        ["node n1", "fe80::1%cni0:5432", true],
        ["node n1", "fe80::2%cni0:5432", true],
      ],
    );
    assert.deepEqual(
      differencesOf(cells, ({ from }) => (from.kind === "node" ? "refused" : "EHOSTUNREACH")),
      [],
    );
    assert.equal(differencesOf(cells, () => "open").length, 2);
    assert.equal(differencesOf(cells, () => "silent").length, 2);
  });
});

describe("what the matrix is made of", () => {
  it("names ports that the list opens and no process serves", () => {
    assert.deepEqual(unserved(list, [one, other, dns]), ["dns: kube-system/dns doesn't listen at 53/UDP"]);
    assert.deepEqual(unserved(list, [{ ...one, listens: { TCP: [5432], UDP: [] } }]), [
      "metrics: db/one doesn't listen at 9187/TCP",
    ]);
  });

  it("wants a pod for everyone whom the list lets begin something and who isn't there", () => {
    assert.deepEqual(standIns(list, [one, dns]), [
      { name: "client", namespace: "shop", labels: { app: "shop" } },
      { name: "any", namespace: "metrics", labels: {} },
      { name: "reader", namespace: "db", labels: { app: "reader" } },
    ]);
    assert.deepEqual(standIns(list, [one, shop, reader, prometheus]), []);
  });

  it("reads sockets as the kernel lists them, without a process's own loopback", () => {
    const head = "  sl  local_address rem_address   st tx_queue rx_queue\n";
    const row = (local: string, state: string) =>
      `   0: ${local} 00000000:0000 ${state} 00000000:00000000 0\n`;
    const ipv4 = row("00000000:1538", "0A") + row("0100007F:1F90", "0A") + row("050112C6:ABCD", "01");
    assert.deepEqual(listeningPorts(head + ipv4, "TCP"), [5432]);
    const [any, own, mapped] = [
      "0".repeat(32),
      `${"0".repeat(24)}01000000`,
      `${"0".repeat(16)}FFFF00000100007F`,
    ];
    const ipv6 = row(`${any}:1F40`, "0A") + row(`${own}:0050`, "0A") + row(`${mapped}:0051`, "0A");
    assert.deepEqual(listeningPorts(head + ipv6, "TCP"), [8000]);
    assert.deepEqual(listeningPorts(head + row("00000000:0035", "07"), "UDP"), [53]);
    assert.deepEqual(listeningPorts("", "TCP"), []);
  });

  it("reads IPv6 addresses as the kernel lists them", () => {
    const table = [
      "00000000000000000000000000000001 01 80 10 80       lo",
      "fe80000000000000cc7bf9fffec5cbb1 02 40 20 80     eth0",
      "fd000000000000000000000000000002 04 40 00 82     eth0",
    ];
    assert.deepEqual(inet6Of(table.join("\n")), {
      linkLocal: "fe80:0000:0000:0000:cc7b:f9ff:fec5:cbb1",
      others: ["fd00:0000:0000:0000:0000:0000:0000:0002"],
    });
    assert.deepEqual(inet6Of(""), { others: [] });
  });

  it("agrees with the policies of the stack local about its own pods", async () => {
    const released = await shortObjects("cnpg");
    const platform = planPlatform(checked(rawSettings(stackConfig("local"))), () => released);
    const own: List = { flows: platform.flows, closed: ["postgres"] };
    const pooler = platform.poolers[0]?.pods;
    assert.ok(pooler?.kind === "pods" && platform.cluster.pods.kind === "pods");
    const instance = pod("main-1", "postgres", platform.cluster.pods.labels, "n1");
    const front = pod("pooler", "postgres", pooler.labels, "n2");
    const demo = pod("demo", "demo", { app: "demo" }, "n3");
    const may = (from: End, end: End, port: number) => mayPass(own, from, { end, port }, "TCP");
    assert.deepEqual(
      [
        may(demo, front, 6432),
        may(demo, instance, 5432),
        may(front, instance, 5432),
        may(instance, front, 6432),
      ],
      [true, false, true, false],
    );
    assert.deepEqual([may(instance, machine, 6443), may(front, machine, 6443)], [true, false]);
  });
});
