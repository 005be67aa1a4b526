import assert from "node:assert/strict";
import { api, down, network, status, up } from "../../../local/cluster/cluster";
import { listCuts } from "../../../local/cluster/partition";
import { nodes } from "../../../local/cluster/settings";
import { waitFor } from "../../../local/cluster/wait";
import { buildKubectl } from "../../../local/kubernetes/build";
import { pins } from "../../../releases/pins";
import { run } from "../../../shell/process";

/** Real packets on the built-in cluster of this machine, as root: they stop, without a word, and come back. */
const context = { detail: () => undefined, say: () => undefined };
const namespace = "partition-test";
const [first, second] = nodes;

describe("cut cables of the built-in cluster", function () {
  this.timeout(300_000);
  let program: string;
  let kubeconfig: string;

  const kubectl = async (...args: string[]) =>
    (await run(program, ["--kubeconfig", kubeconfig, "--namespace", namespace, ...args])).stdout;

  const pod = (name: string, node: string | undefined, command: string) => ({
    apiVersion: "v1",
    kind: "Pod",
    metadata: { name, namespace },
    spec: {
      nodeName: node,
      terminationGracePeriodSeconds: 0,
      containers: [
        {
          name: "main",
          image: pins.images.client,
          imagePullPolicy: "Never",
          command: ["/bin/bash", "-c", command],
        },
      ],
    },
  });

  const address = async (name: string) =>
    (await kubectl("get", "pod", name, "--output=jsonpath={.status.podIP}")).trim();

  /** How a new connection ends: refusals would end at once, dropped packets only with the patience. */
  const connects = async (from: string, to: string, port: number): Promise<"open" | "silent" | "refused"> => {
    const script = `timeout 2 bash -c '</dev/tcp/${to}/${port}' 2>/dev/null; echo $?`;
    const code = (await kubectl("exec", from, "--", "bash", "-c", script)).trim();
    return code === "0" ? "open" : code === "124" ? "silent" : "refused";
  };

  /** Beats that came over the established connection, a few a second. */
  const beats = async () =>
    Number(await kubectl("exec", "listener", "--", "bash", "-c", "wc -l </tmp/beats"));
  const beatsGrow = async () => {
    const before = await beats();
    await new Promise((resolve) => setTimeout(resolve, 1000));
    return (await beats()) > before;
  };

  before(async () => {
    ({ kubeconfig } = await up(context));
    program = await buildKubectl(context);
    const script =
      "import socket; s = socket.create_server(('', 8000)); " +
      "[open('/tmp/beats', 'ab').write(d) for c in iter(lambda: s.accept()[0], None) for d in iter(lambda: c.recv(99), b'')]";
    const listen = `touch /tmp/beats; exec python3 -u -c "${script.replace("'ab')", "'ab', 0)")}"`;
    const items = [
      { apiVersion: "v1", kind: "Namespace", metadata: { name: namespace } },
      pod("listener", first?.name, listen),
      pod("beater", second?.name, "exec sleep infinity"),
      pod("neighbour", first?.name, "exec sleep infinity"),
    ];
    await run(program, ["--kubeconfig", kubeconfig, "apply", "--filename=-"], {
      input: JSON.stringify({ apiVersion: "v1", kind: "List", items }),
    });
    for (const name of ["listener", "beater", "neighbour"]) {
      await kubectl("wait", `pod/${name}`, "--for=condition=Ready", "--timeout=60s");
    }
    const beat = `(exec 3<>/dev/tcp/${await address("listener")}/8000; while echo beat >&3; do sleep 0.2; done) </dev/null >/dev/null 2>&1 &`;
    await kubectl("exec", "beater", "--", "bash", "-c", beat);
    await waitFor(beatsGrow, { what: "A beat", timeoutMs: 20_000 });
  });

  afterEach(() => network("heal"));
  after(() => kubectl("delete", "namespace", namespace, "--wait=true"));

  it("two pods: new connections and an established one fall silent, and resume when the cable is joined", async () => {
    const [to, from] = [await address("listener"), await address("beater")];
    // The listener serves one connection at a time: its address is what is tried, on a port where no process listens.
    assert.equal(await connects("beater", to, 8001), "refused");
    await network({ cut: [{ from, to }] });
    assert.equal(await connects("beater", to, 8001), "silent");
    assert.equal(await beatsGrow(), false, "the established connection still works");
    assert.deepEqual((await status()).faults, [`${from} is cut from ${to}`]);
    await network({ join: { from: to, to: from } });
    assert.equal(await connects("beater", to, 8001), "refused");
    await waitFor(beatsGrow, { what: "A beat after the cut", timeoutMs: 30_000 });
    assert.deepEqual(await listCuts(), []);
  });

  it("a pod from the API server: itself alone", async () => {
    const from = await address("neighbour");
    const { apiAddress, apiPort } = (await import("../../../local/cluster/settings")).settings;
    assert.equal(await connects("neighbour", apiAddress, apiPort), "open");
    await network({ cut: [{ from, to: "api" }] });
    assert.equal(await connects("neighbour", apiAddress, apiPort), "silent");
    assert.equal(await connects("beater", apiAddress, apiPort), "open");
  });

  it("a node from everything; `up` takes it back", async () => {
    const to = await address("listener");
    await network({ cut: [{ from: String(first?.name) }] });
    assert.equal(await connects("beater", to, 8001), "silent");
    await up(context);
    assert.equal(await connects("beater", to, 8001), "refused");
    assert.deepEqual((await status()).faults, []);
  });

  it("refuses ends that aren't there", async () => {
    await assert.rejects(
      network({ cut: [{ from: "n9" }] }),
      /"n9" is no end of a cable: name a node \(n1, n2, n3\)/,
    );
    await assert.rejects(network({ cut: [{ from: "n1", to: "n1" }] }), /can't be cut from itself/);
  });

  it("stalls the API server, which resumes by itself", async () => {
    await api({ stallSeconds: 3 });
    assert.deepEqual((await status()).faults, ["the API server is stalled"]);
    await waitFor(async () => (await status()).faults.length === 0, { what: "The end", timeoutMs: 10_000 });
    assert.match(await kubectl("get", "pods"), /listener/);
  });

  it("leaves nothing behind when the cluster goes down", async () => {
    await network({ cut: [{ from: "n1" }] });
    await down(context);
    assert.deepEqual(await listCuts(), []);
    const { stdout } = await run("nft", ["list", "ruleset"]);
    assert.doesNotMatch(stdout, /pgplatform_cuts/);
    await up(context);
    assert.deepEqual((await status()).faults, []);
  });
});
