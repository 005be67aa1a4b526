import assert from "node:assert/strict";
import { execFile } from "node:child_process";
import { createServer } from "node:net";
import { join } from "node:path";
import { promisify } from "node:util";
import { apiServerOf, nodeAddressesOf } from "../../operations/networkFacts";
import { holds, networkFindings } from "../../operations/networkRules";
import type { LiveFacts } from "../../operations/liveFacts";
import { sentence } from "../../checks";
import { strangerPod, warningOf } from "../../operations/stranger";
import { plannerOf } from "../../plan/engines/select";
import { planPlatform } from "../../plan/platform";
import { namespace } from "../../settings/problem";
import type { SettingsInput } from "../../settings/schema";
import { shortObjects } from "../support/manifest";
import { sentences } from "../support/rich";
import { changed, checked, smallest } from "../support/settings";

/** Networks that aren't the built-in cluster's: another port of the API server, NodeLocal DNSCache, IPv6, Cilium, policies that nothing enforces. */

const cloud = (network: SettingsInput["network"] = {}, tier: "dev" | "prod" = "dev"): SettingsInput => ({
  ...changed(smallest(), "cluster.storage.class", "gp3"),
  platform: "cloud",
  tier,
  network,
});

const planOf = async (input: SettingsInput) => {
  const released = await shortObjects("cnpg");
  return planPlatform(checked(input), () => released);
};

interface Opening {
  to: { ipBlock?: { cidr: string } }[];
  ports: { port: number; protocol: string }[];
}
const egressOf = async (input: SettingsInput, subject: string): Promise<Opening[]> => {
  const plan = await planOf(input);
  const policy = plan.networkPolicies.find(({ id }) => id === subject)!.object;
  return (policy.spec as { egress: Opening[] }).egress;
};
const blocks = (openings: readonly Opening[]) =>
  openings.flatMap(({ to, ports }) =>
    to.flatMap(({ ipBlock }) =>
      ipBlock ? [`${ipBlock.cidr} ${ports.map(({ port, protocol }) => `${protocol} ${port}`).join()}`] : [],
    ),
  );

const facts = (network: Partial<NonNullable<LiveFacts["network"]>>, apiGroups: string[] = []): LiveFacts => ({
  kubernetes: "1.34.1",
  storageClasses: [],
  nodes: [],
  namespaces: [],
  madeFor: {},
  otherPods: [],
  priorityClasses: [],
  poolerPods: {},
  apiGroups,
  network: { apiServer: [], nodes: [], resolvers: [], dnsServices: [], nodeLocalDns: false, ...network },
});
const findings = (input: SettingsInput, live: LiveFacts) => {
  const settings = checked(input);
  const { problems, warnings } = networkFindings(settings, plannerOf(settings), live);
  return {
    problems: problems.map(({ path, ...rest }) => sentence({ path: `${namespace}:${path}`, ...rest })),
    warnings,
  };
};

describe("kind: DNS that isn't kube-dns alone (case 10)", () => {
  it("NodeLocal's address is open to every pod, for UDP and TCP, beside the DNS pods", async () => {
    const openings = await egressOf(cloud({ dns: [{ cidr: "169.254.20.10/32", port: 53 }] }), "everyone");
    assert.deepEqual(blocks(openings), ["169.254.20.10/32 UDP 53", "169.254.20.10/32 TCP 53"]);
    assert.match(JSON.stringify(openings), /kube-dns/);
  });

  it("several, of both families, at another port", async () => {
    const dns = [{ cidr: "10.96.0.10/32" }, { cidr: "fd00::a/128", port: 5353 }];
    assert.deepEqual(blocks(await egressOf(cloud({ dns }), "everyone")), [
      "10.96.0.10/32 UDP 53",
      "10.96.0.10/32 TCP 53",
      "fd00::a/128 UDP 5353",
      "fd00::a/128 TCP 5353",
    ]);
  });

  it("nothing is added where nothing is said", async () =>
    assert.deepEqual(blocks(await egressOf(cloud(), "everyone")), []));

  it("the preflight refuses a resolver of the kubelet's that no flow allows, with the line to write", () => {
    const live = facts({ resolvers: ["169.254.20.10"], dnsServices: ["10.96.0.10"] });
    assert.deepEqual(findings(cloud(), live).problems, [
      'pgplatform:network.dns: [] is not allowed. Allowed: ranges that hold what the kubelet has pods ask for names, 169.254.20.10 port 53. Fix: set it to [{ cidr: "169.254.20.10/32", port: 53 }].',
    ]);
    const set = cloud({ dns: [{ cidr: "169.254.20.0/24" }] });
    assert.deepEqual(findings(set, live).problems, []);
    assert.equal(findings(cloud({ dns: [{ cidr: "169.254.20.10/32", port: 54 }] }), live).problems.length, 1);
  });

  it("a resolver that is the DNS pods' Service needs nothing; a cache that hides behind it is told", () => {
    const live = facts({ resolvers: ["10.96.0.10"], dnsServices: ["10.96.0.10"] });
    assert.deepEqual(findings(cloud(), live), { problems: [], warnings: [] });
    const hidden = { ...live, network: { ...live.network!, nodeLocalDns: true } };
    assert.match(findings(cloud(), hidden).warnings.join(), /^NodeLocal DNSCache runs: .*network\.dns/);
    assert.deepEqual(findings(cloud({ dns: [{ cidr: "169.254.20.10/32" }] }), hidden).warnings, []);
  });

  it("an address without its length is refused", () =>
    assert.deepEqual(sentences(cloud({ dns: [{ cidr: "169.254.20.10" }] })), [
      'pgplatform:network.dns[0].cidr: "169.254.20.10" is not allowed. Allowed: an address range such as 192.0.2.10/32. Fix: write the address, a slash and the prefix length.',
    ]));
});

describe("kind: an API server that isn't where it is expected", () => {
  const at = (address: string, port: number) => facts({ apiServer: [{ address, port }] });

  it("another port than 443 and 6443 is refused before anything is made, with the line to write", () => {
    assert.deepEqual(findings(cloud(), at("192.168.49.2", 8443)).problems, [
      'pgplatform:network.apiServer: [{"cidr":"0.0.0.0/0","port":443},{"cidr":"0.0.0.0/0","port":6443}] is not allowed. Allowed: ranges and ports that hold the API server, which listens at 192.168.49.2 port 8443 behind its Service. Fix: set it to [{ cidr: "192.168.49.2/32", port: 8443 }].',
    ]);
    for (const port of [443, 6443]) assert.deepEqual(findings(cloud(), at("10.0.0.1", port)).problems, []);
  });

  it("a range that no longer holds it is refused, for each of its places", () => {
    const set = cloud({ apiServer: [{ cidr: "203.0.113.0/28", port: 6443 }] });
    assert.deepEqual(findings(set, at("203.0.113.7", 6443)).problems, []);
    const moved = facts({
      apiServer: [
        { address: "203.0.113.7", port: 6443 },
        { address: "203.0.113.99", port: 6443 },
      ],
    });
    assert.match(
      findings(set, moved).problems.join(),
      /listens at 203\.0\.113\.7 port 6443, 203\.0\.113\.99 port 6443 behind its Service\. Fix: set it to \[\{ cidr: "203\.0\.113\.7\/32", port: 6443 \}, \{ cidr: "203\.0\.113\.99\/32", port: 6443 \}\]\.$/,
    );
  });

  it("one of IPv6 is reached from any address, and from its own range", () => {
    assert.deepEqual(findings(cloud(), at("fd00::1", 6443)).problems, []);
    const set = cloud({ apiServer: [{ cidr: "fd00::/64", port: 6443 }] });
    assert.deepEqual(findings(set, at("fd00::1", 6443)).problems, []);
    assert.match(
      findings(set, at("fd01::1", 6443)).problems.join(),
      /\{ cidr: "fd01::1\/128", port: 6443 \}/,
    );
  });

  it("in prod it is said how wide the default is, and what narrows it", () => {
    const { warnings } = findings(
      { ...cloud({}, "prod"), cluster: { ...cloud().cluster, instances: 3 } },
      at("10.0.0.5", 6443),
    );
    assert.deepEqual(warnings, [
      'Instances may reach any address on the ports 443 and 6443; the API server listens at 10.0.0.5 port 6443 (pgplatform:network.apiServer: [{ cidr: "10.0.0.5/32", port: 6443 }] narrows it, where these addresses stay).',
    ]);
    assert.deepEqual(findings(cloud(), at("10.0.0.5", 6443)).warnings, []);
  });

  it("an engine without an operator doesn't ask it", () => {
    const alone = changed(
      changed(changed(cloud(), "cluster.engine", "standalone"), "cluster.instances", 1),
      "cluster.durability",
      "async",
    );
    assert.deepEqual(findings(alone, at("192.168.49.2", 8443)), { problems: [], warnings: [] });
  });

  it("nothing is said where it couldn't be read", () => {
    const { network: read, ...unread } = facts({});
    assert.ok(read);
    assert.deepEqual(findings(cloud(), unread), { problems: [], warnings: [] });
  });

  it("its places are read out of every slice of its Service, each once", () => {
    const slice = (addresses: string[], port: number) => ({
      apiVersion: "discovery.k8s.io/v1",
      kind: "EndpointSlice",
      metadata: { name: "kubernetes" },
      endpoints: addresses.map((address) => ({ addresses: [address] })),
      ports: [{ name: "https", port }],
    });
    assert.deepEqual(
      apiServerOf([slice(["10.0.0.1", "10.0.0.2"], 6443), slice(["fd00::1", "10.0.0.1"], 6443)]),
      [
        { address: "10.0.0.1", port: 6443 },
        { address: "10.0.0.2", port: 6443 },
        { address: "fd00::1", port: 6443 },
      ],
    );
    const node = {
      apiVersion: "v1",
      kind: "Node",
      metadata: { name: "n" },
      status: {
        addresses: [
          { type: "InternalIP", address: "10.0.0.1" },
          { type: "Hostname", address: "n" },
        ],
      },
    };
    assert.deepEqual(nodeAddressesOf([node]), ["10.0.0.1"]);
  });

  it("a range holds its own family alone", () => {
    assert.equal(holds({ cidr: "10.0.0.0/8" }, "10.255.0.1"), true);
    assert.equal(holds({ cidr: "10.0.0.0/8" }, "11.0.0.1"), false);
    assert.equal(holds({ cidr: "::/0" }, "10.0.0.1"), false);
    assert.equal(holds({ cidr: "::/0" }, "fd00::1"), true);
  });
});

describe("kind: both families of addresses", () => {
  it("what may go to any address may go to any of IPv6, too", async () => {
    const openings = await egressOf(cloud(), "instances");
    assert.deepEqual(blocks(openings), [
      "0.0.0.0/0 TCP 443",
      "::/0 TCP 443",
      "0.0.0.0/0 TCP 6443",
      "::/0 TCP 6443",
    ]);
  });

  it("ranges of both families are taken as they are", async () => {
    const apiServer = [
      { cidr: "203.0.113.7/32", port: 6443 },
      { cidr: "2001:db8::7/128", port: 6443 },
    ];
    assert.deepEqual(blocks(await egressOf(cloud({ apiServer }), "instances")), [
      "203.0.113.7/32 TCP 6443",
      "2001:db8::7/128 TCP 6443",
    ]);
  });
});

describe("kind: Cilium, to which nodes have no addresses", () => {
  const onNode = facts({ apiServer: [{ address: "10.0.0.1", port: 6443 }], nodes: ["10.0.0.1"] }, [
    "cilium.io",
  ]);

  it("is asked for where it runs and the API server is on a node", () => {
    assert.match(
      findings(cloud(), onNode).problems.join(),
      /^pgplatform:network\.cilium: false is not allowed\. Allowed: true where Cilium runs and the API server is on a node \(10\.0\.0\.1 port 6443\)/,
    );
    assert.deepEqual(findings(cloud({ cilium: true }), onNode).problems, []);
    const outside = facts({ apiServer: [{ address: "34.1.2.3", port: 443 }], nodes: ["10.0.0.1"] }, [
      "cilium.io",
    ]);
    assert.deepEqual(findings(cloud(), outside).problems, []);
  });

  it("lets the instances, and no other pod, reach the API server by its entity; DNS on the nodes, too", async () => {
    const network = { cilium: true, dns: [{ cidr: "169.254.20.10/32" }] };
    const plan = await planOf(cloud(network));
    const own = plan.networkPolicies.filter(({ object }) => object.kind === "CiliumNetworkPolicy");
    assert.deepEqual(
      own.map(({ object }) => [object.metadata.name, object.spec]),
      [
        [
          "main-instances",
          {
            endpointSelector: { matchLabels: { "cnpg.io/cluster": "main" } },
            egress: ["443", "6443"].map((port) => ({
              toEntities: ["kube-apiserver"],
              toPorts: [{ ports: [{ port, protocol: "TCP" }] }],
            })),
          },
        ],
        [
          "main-everyone",
          {
            endpointSelector: { matchLabels: {} },
            egress: ["UDP", "TCP"].map((protocol) => ({
              toEntities: ["host"],
              toPorts: [{ ports: [{ port: "53", protocol }] }],
            })),
          },
        ],
      ],
    );
  });

  it("lets the watchdog reach the API server, too, and opens every way to it by its entity", async () => {
    const { flows, networkPolicies } = await planOf(
      changed(cloud({ cilium: true }), "cluster.watchdogSeconds", 8),
    );
    const own = networkPolicies.filter(({ object }) => object.kind === "CiliumNetworkPolicy");
    const watchdog = own.find(({ object }) => object.metadata.name === "main-watchdog");
    assert.deepEqual(
      (watchdog?.object.spec as { egress: { toEntities: string[] }[] }).egress.map(
        ({ toEntities }) => toEntities,
      ),
      [["kube-apiserver"], ["kube-apiserver"]],
    );
    const annotations = own.flatMap(({ object }) => Object.keys(object.metadata.annotations ?? {}));
    for (const { name } of flows.filter(({ why }) => /API server|Lease/.test(why)))
      assert.equal(annotations.includes(`flow.pgplatform.io/${name}`), name.startsWith("api-server-"), name);
  });

  it("adds nothing elsewhere", async () => {
    const plan = await planOf(cloud());
    assert.ok(plan.networkPolicies.every(({ object }) => object.kind === "NetworkPolicy"));
  });
});

describe("kind: policies that nothing enforces (case 07)", () => {
  const settings = checked({ ...smallest(), poolers: [{ name: "app", database: "app" }] });
  const subject = { settings, plan: plannerOf(settings).plan(settings) };

  it("a pod that no flow lists asks for the primary and every pooler", async () => {
    const pod = strangerPod(subject, "asks") as {
      metadata: { labels: Record<string, string> };
      spec: { containers: { env: { name: string; value: string }[] }[] };
    };
    const places = pod.spec.containers[0]?.env.find(({ name }) => name === "PLACES")?.value;
    assert.equal(places, "main-rw.postgres.svc:5432 main-pooler-app.postgres.svc:5432");
    const released = await shortObjects("cnpg");
    const plan = planPlatform(settings, () => released);
    const selected = plan.flows.filter(
      ({ from }) =>
        from.kind === "pods" &&
        from.namespace === "postgres" &&
        Object.entries(from.labels).every(([key, value]) => pod.metadata.labels[key] === value),
    );
    assert.deepEqual(
      selected.map(({ name }) => name),
      ["dns-udp", "dns-tcp"],
    );
  });

  it("its answers mean: enforced, not enforced, not to be told", () => {
    const [one, two] = ["closed a:1", "closed b:2"];
    assert.equal(warningOf([one, two], 2, "Succeeded"), undefined);
    const open = warningOf([one, "open b:2"], 2, "Succeeded") ?? "";
    assert.match(open, /^warning: network policies are not enforced .* has reached b:2\. Every pod can try /);
    assert.match(
      warningOf([one, "unknown b:2"], 2, "Succeeded") ?? "",
      /could not be asked: .* found no names/,
    );
    assert.match(
      warningOf([], 2, "Evicted") ?? "",
      /could not be asked: the pod that asked ended as Evicted/,
    );
  });

  it("its script tells a listener from a closed port and from a name that isn't there (on loopback, without Kubernetes)", async () => {
    const server = createServer((socket) => socket.end());
    await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
    const { port } = server.address() as { port: number };
    const other = createServer();
    await new Promise<void>((resolve) => other.listen(0, "127.0.0.1", resolve));
    const closed = (other.address() as { port: number }).port;
    await new Promise((resolve) => other.close(resolve));
    try {
      const places = [`127.0.0.1:${port}`, `127.0.0.1:${closed}`, "no-such-host.invalid:5432"];
      const { stdout } = await promisify(execFile)(
        "bash",
        [join(__dirname, "..", "..", "operations", "stranger.sh")],
        { env: { ...process.env, PLACES: places.join(" "), CONNECT_SECONDS: "5", TRIES: "2" } },
      );
      assert.deepEqual(stdout.trim().split("\n").sort(), [
        `closed 127.0.0.1:${closed}`,
        `open 127.0.0.1:${port}`,
        "unknown no-such-host.invalid:5432",
      ]);
    } finally {
      server.close();
    }
  });
});
