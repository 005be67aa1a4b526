import assert from "node:assert/strict";
import { spawn } from "node:child_process";
import { mkdtemp, readdir, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { parseAllDocuments } from "yaml";
import { addonManifests, fill } from "../../local/cluster/addons";
import { withLock } from "../../local/cluster/lock";
import { hostAddresses, hostFirewall, nodeAddresses } from "../../local/cluster/network";
import { cniConfig, containerdConfig, kubeletConfig, nodeShare } from "../../local/cluster/node-config";
import { missingPackages, requirements } from "../../local/cluster/packages";
import { certificates, renderKubeconfig } from "../../local/cluster/pki";
import { isAlive, parseRecord, recordOf, startTimeOf } from "../../local/cluster/processes";
import { readyNodes, readyPods, type NodeList, type PodList } from "../../local/cluster/readiness";
import { nodes, settings, type ClusterNode } from "../../local/cluster/settings";
import { differences, leftovers } from "../../local/cluster/snapshot";
import { waitFor } from "../../local/cluster/wait";
import { clusterImages } from "../../local/images/recipes";
import { pins } from "../../releases/pins";

const first = nodes[0] as ClusterNode;

describe("the built-in cluster's PID files", () => {
  const record = { pid: 42, startTime: "1234", bootId: "aa-bb" };

  it("read the start time behind a name with spaces and parentheses", () => {
    const fields = Array.from({ length: 30 }, (_, index) => String(index + 4));
    assert.equal(startTimeOf(`42 (a) b (c) S ${fields.join(" ")}`), "22");
  });

  it("take a zombie for ended", () => {
    const fields = Array.from({ length: 30 }, () => "0");
    assert.equal(startTimeOf(`42 (sh) Z ${fields.join(" ")}`), undefined);
  });

  it("are refused when they are half written", () => {
    assert.deepEqual(parseRecord("42 1234 aa-bb\n"), record);
    for (const text of ["", "42", "42 1234", "x 1234 aa-bb", "42 1234 aa-bb extra"]) {
      assert.equal(parseRecord(text), undefined, text);
    }
  });

  it("name a process only with its start time and the machine's", () => {
    assert.equal(
      isAlive(record, () => record),
      true,
    );
    assert.equal(
      isAlive(record, () => undefined),
      false,
    );
    assert.equal(
      isAlive(record, () => ({ ...record, startTime: "9999" })),
      false,
    );
    assert.equal(
      isAlive(record, () => ({ ...record, bootId: "cc-dd" })),
      false,
    );
  });

  it("match this very process", function () {
    if (process.platform !== "linux") this.skip();
    const own = recordOf(process.pid);
    assert.ok(own);
    assert.equal(isAlive(own), true);
  });
});

describe("the built-in cluster's lock", function () {
  if (process.platform !== "linux") return;
  let folder: string;
  before(async () => {
    folder = await mkdtemp(join(tmpdir(), "lock-"));
  });
  after(() => rm(folder, { recursive: true }));

  it("is refused while its holder lives, and leaves no file", async () => {
    const file = join(folder, "held");
    await withLock(async () => {
      await assert.rejects(
        withLock(() => Promise.resolve(), file),
        /^Error: Another command \(PID \d+\) is changing the built-in cluster: wait for its end\.$/,
      );
    }, file);
    assert.deepEqual(await readdir(folder), []);
  });

  it("is taken from a holder that died, and from a broken file", async () => {
    const file = join(folder, "stale");
    for (const content of ["999999999 1 aa-bb\n", "nonsense"]) {
      await writeFile(file, content);
      assert.equal(await withLock(() => Promise.resolve("done"), file), "done");
    }
    assert.deepEqual(await readdir(folder), []);
  });

  it("outwaits a holder that was killed a moment ago", async () => {
    const file = join(folder, "dying");
    const child = spawn("sleep", ["60"]);
    const holder = recordOf(child.pid ?? 0);
    await writeFile(file, `${holder?.pid} ${holder?.startTime} ${holder?.bootId}\n`);
    setTimeout(() => child.kill("SIGKILL"), 200);
    assert.equal(await withLock(() => Promise.resolve("done"), file), "done");
  });
});

describe("the built-in cluster's network", () => {
  it("opens the API server alone to the nodes, and forwards nothing", () => {
    const rules = hostFirewall("link0");
    assert.match(rules, /iifname != "link0" accept\n/);
    assert.match(rules, /ip daddr 198\.18\.250\.1 tcp dport 6443 accept\n.*icmp accept\n {4}drop\n/);
    assert.match(rules, /hook forward[^}]*iifname "link0" drop\n {4}oifname "link0" drop\n/);
    assert.ok(
      rules.startsWith("add table inet pgplatform\ndelete table inet pgplatform\n"),
      "replaced as one",
    );
  });

  it("leads from a node to the other nodes' pods and nowhere else", () => {
    const commands = nodeAddresses(first);
    assert.match(commands, /^address replace 198\.18\.250\.11\/24 dev eth0$/m);
    assert.equal(commands.match(/^route replace/gm)?.length, nodes.length - 1);
    assert.doesNotMatch(commands, /default|198\.18\.1\.0/);
  });

  it("uses the range for tests alone, and names that the kernel takes", () => {
    const text = [hostAddresses(), ...nodes.map(nodeAddresses), JSON.stringify(settings)].join("\n");
    for (const address of text.match(/\d+\.\d+\.\d+\.\d+/g) ?? []) {
      assert.match(address, /^(198\.1[89]\.|127\.0\.0\.1)/, address);
    }
    for (const name of [settings.hostLink, ...nodes.map((node) => node.name)]) assert.ok(name.length <= 15);
    assert.equal(new Set(nodes.map((node) => node.podRange)).size, 3);
  });
});

describe("the built-in cluster's nodes", () => {
  it("promise together no more than the machine has", () => {
    for (const [cpus, memory] of [
      [2, 24105],
      [4, 8192],
      [16, 65536],
    ] as const) {
      const share = nodeShare(cpus, memory, 3);
      assert.ok(share.milliCpus * 3 <= cpus * 1000 && share.milliCpus * 3 > cpus * 1000 - 3);
      assert.ok(share.memoryMiB * 3 <= memory - 2048);
    }
  });

  it("have room on two processors for a highly available PostgreSQL with all that belongs to it", () => {
    const share = nodeShare(2, 8192, 3).milliCpus;
    // One instance on each node; poolers on two; the operator and the add-ons wherever they fit.
    const load = [250 + 100 + 20, 250 + 100 + 20, 250 + 100 + 10];
    for (const milliCpus of load) assert.ok(milliCpus <= share, `${milliCpus} of ${share}`);
  });

  it("refuse a machine that is too small, and say what it needs", () => {
    assert.throws(() => nodeShare(2, 4096, 3), /has 4096 MiB of memory; the built-in cluster needs 5120 MiB/);
  });

  it("reserve what isn't their share, and stay in their own control group", () => {
    const config = kubeletConfig(first, 2, 24105, { milliCpus: 666, memoryMiB: 7352 });
    assert.deepEqual((config as { systemReserved: object }).systemReserved, {
      cpu: "1334m",
      memory: "16653Mi",
    });
    assert.equal((config as { cgroupRoot: string }).cgroupRoot, "/pgplatform/n1");
  });

  it("write nowhere on the host", () => {
    const config = containerdConfig();
    const written = [...config.matchAll(/^\s*(?:root|state|path|address) = "(.+)"$/gm)].map(
      (match) => match[1],
    );
    assert.deepEqual(written, [
      "/var/lib/containerd",
      "/run/containerd",
      "/run/containerd/containerd.sock",
      "/var/lib/containerd-opt",
    ]);
    assert.match(config, new RegExp(`sandbox_image = "${pins.images.pause}"`));
    assert.match(
      JSON.stringify(cniConfig(first)),
      /"dataDir":"\/run\/cni","ranges":\[\[\{"subnet":"198\.18\.1\.0\/24"\}\]\]/,
    );
  });

  it("have certificates under the names and addresses by which they are reached", () => {
    const names = certificates.map((certificate) => certificate.name);
    assert.equal(new Set(names).size, names.length);
    for (const node of nodes) {
      const own = certificates.find((certificate) => certificate.name === node.name);
      assert.equal(own?.subject, `/O=system:nodes/CN=system:node:${node.name}`);
      assert.deepEqual(own?.alternativeNames, [`DNS:${node.name}`, `IP:${node.address}`]);
    }
  });

  it("have a kubeconfig that is JSON and YAML alike", () => {
    const text = renderKubeconfig(Buffer.from("ca"), Buffer.from("certificate"), Buffer.from("key"));
    const config = JSON.parse(text) as {
      "current-context": string;
      clusters: { cluster: { server: string } }[];
    };
    assert.equal(config["current-context"], "pgplatform");
    assert.equal(config.clusters[0]?.cluster.server, "https://198.18.250.1:6443");
  });
});

describe("the built-in cluster's readiness", () => {
  const start = new Date("2030-01-01T10:00:00.700Z");
  const started = new Map([["n1", start]]);
  const ready = [{ type: "Ready", status: "True" }];

  it("needs a node that has reported since its start", () => {
    const node = (status: string, lastHeartbeatTime: string): NodeList => ({
      items: [
        { metadata: { name: "n1" }, status: { conditions: [{ type: "Ready", status, lastHeartbeatTime }] } },
      ],
    });
    assert.deepEqual(readyNodes(node("True", "2030-01-01T10:00:03Z"), started), ["n1"]);
    assert.deepEqual(readyNodes(node("True", "2030-01-01T09:59:59Z"), started), []);
    assert.deepEqual(readyNodes(node("Unknown", "2030-01-01T10:00:03Z"), started), []);
    assert.deepEqual(readyNodes(node("True", "2030-01-01T10:00:03Z"), new Map()), []);
    assert.deepEqual(readyNodes({ items: [{ metadata: { name: "n1" } }] }, started), []);
  });

  it("needs pods whose containers began in their node's present life", () => {
    const pod = (startedAt: string, deletionTimestamp?: string): PodList => ({
      items: [
        {
          metadata: { name: "pod", ...(deletionTimestamp !== undefined && { deletionTimestamp }) },
          spec: { nodeName: "n1" },
          status: { conditions: ready, containerStatuses: [{ state: { running: { startedAt } } }] },
        },
      ],
    });
    assert.equal(readyPods(pod("2030-01-01T10:00:00Z"), started), 1);
    assert.equal(readyPods(pod("2030-01-01T09:59:59Z"), started), 0);
    assert.equal(readyPods(pod("2030-01-01T10:00:05Z", "2030-01-01T10:00:06Z"), started), 0);
  });

  it("names what it waited for, how long, and the hint", async () => {
    await assert.rejects(
      waitFor(() => false, { what: "The moon", timeoutMs: 20, everyMs: 5, hint: () => "Look up." }),
      /^Error: The moon did not come within 0 s\. Look up\.$/,
    );
  });
});

describe("the built-in cluster's add-ons", () => {
  it("are complete manifests with images that every cluster gets", async () => {
    const text = await addonManifests();
    assert.doesNotMatch(text, /\{\{/);
    const documents = parseAllDocuments(text);
    for (const document of documents) assert.deepEqual(document.errors, []);
    const kinds = documents.map((document) => (document.toJS() as { kind: string }).kind);
    assert.equal(kinds.filter((kind) => kind === "Deployment").length, 2);
    const images = [...text.matchAll(/image: "?([^"\s]+)"?/g)].map((match) => match[1]);
    assert.equal(images.length, 3);
    const own: readonly string[] = clusterImages.map((name) => pins.images[name]);
    for (const image of images) assert.ok(own.includes(image ?? ""), image);
    assert.ok(own.includes(pins.images.pause));
  });

  it("must not ask for a value that there isn't", () => {
    assert.throws(
      () => fill("{{nothing}}", {}),
      /^Error: addons\.yaml asks for \{\{nothing\}\}, which has no value\.$/,
    );
  });
});

describe("the built-in cluster's packages", () => {
  const machine = (present: string[]) => (needs: string) => Promise.resolve(present.includes(needs));

  it("are none where everything is there", async () => {
    assert.deepEqual(await missingPackages(machine(requirements.map((one) => one.needs))), []);
  });

  it("are each named once where nothing is there", async () => {
    const missing = await missingPackages(machine([]));
    assert.deepEqual(missing, [...new Set(requirements.map((one) => one.package))]);
    assert.equal(missing.filter((name) => name === "containerd").length, 1);
  });

  it("never replace a containerd of another source", async () => {
    assert.ok(!(await missingPackages(machine(["containerd"]))).includes("containerd"));
  });
});

describe("the comparison of a machine before and after", () => {
  it("tells additions from losses, by kind", () => {
    const before = { link: ["lo", "eth0"], mount: ["/"] };
    const after = { link: ["lo", "pgplatform0"], mount: ["/"], process: ["42 sleep"] };
    assert.deepEqual(differences(before, after), [
      "+ link: pgplatform0",
      "- link: eth0",
      "+ process: 42 sleep",
    ]);
    assert.deepEqual(leftovers(before, after), ["+ link: pgplatform0", "+ process: 42 sleep"]);
    assert.deepEqual(leftovers(after, after), []);
  });
});
