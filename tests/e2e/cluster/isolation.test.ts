import assert from "node:assert/strict";
import { once } from "node:events";
import { createServer, type Server } from "node:net";
import type { AddressInfo } from "node:net";
import { down, up } from "../../../local/cluster/cluster";
import { settings } from "../../../local/cluster/settings";
import { waitFor } from "../../../local/cluster/wait";
import { buildKubectl } from "../../../local/kubernetes/build";
import { pins } from "../../../releases/pins";
import { run } from "../../../shell/process";

/** Real packets on the built-in cluster of this machine, as root. IPv4 alone: the cluster has no other addresses. */
const context = { detail: () => undefined, say: () => undefined };
const namespace = "isolation-test";

const pod = (name: string, labels: Record<string, string>, command: string, volumes: object = {}) => ({
  apiVersion: "v1",
  kind: "Pod",
  metadata: { name, namespace, labels },
  spec: {
    terminationGracePeriodSeconds: 0,
    containers: [
      {
        name: "main",
        image: pins.images.client,
        imagePullPolicy: "Never",
        command: ["/bin/bash", "-c", command],
        ...(Object.keys(volumes).length > 0 && { volumeMounts: [{ name: "data", mountPath: "/data" }] }),
      },
    ],
    ...volumes,
  },
});

describe("isolation in the built-in cluster", function () {
  this.timeout(300_000);
  let program: string;
  let kubeconfig: string;

  const kubectl = async (...args: string[]) =>
    (await run(program, ["--kubeconfig", kubeconfig, "--namespace", namespace, ...args])).stdout;

  const apply = async (...objects: object[]) => {
    const list = { apiVersion: "v1", kind: "List", items: objects };
    await run(program, ["--kubeconfig", kubeconfig, "apply", "--filename=-"], {
      input: JSON.stringify(list),
    });
  };

  const ready = (name: string) => kubectl("wait", `pod/${name}`, "--for=condition=Ready", "--timeout=60s");

  const connects = async (from: string, address: string, port: number): Promise<boolean> => {
    const script = `timeout 2 bash -c '</dev/tcp/${address}/${port}' 2>/dev/null && echo open || echo closed`;
    return (await kubectl("exec", from, "--", "bash", "-c", script)).trim() === "open";
  };

  before(async () => {
    ({ kubeconfig } = await up(context));
    program = await buildKubectl(context);
    await apply({ apiVersion: "v1", kind: "Namespace", metadata: { name: namespace } });
    const serve = "exec python3 -m http.server 8000 --directory /tmp";
    await apply(
      pod("server", { app: "server" }, serve),
      pod("friend", { role: "friend" }, "exec sleep infinity"),
      pod("stranger", { role: "stranger" }, "exec sleep infinity"),
    );
    await Promise.all(["server", "friend", "stranger"].map(ready));
  });

  after(async () => {
    await kubectl("delete", "namespace", namespace, "--wait=true");
  });

  it("keeps pods from the host's listeners, the API server apart", async () => {
    const listeners: Server[] = [];
    try {
      for (const host of [settings.apiAddress, "0.0.0.0"]) {
        const server = createServer((socket) => socket.end());
        server.listen(0, host);
        await once(server, "listening");
        listeners.push(server);
        const { port } = server.address() as AddressInfo;
        // The listener is there: the host itself reaches it, so that silence is the filter's work.
        await run("bash", ["-c", `</dev/tcp/${settings.apiAddress}/${port}`]);
        assert.equal(await connects("stranger", settings.apiAddress, port), false, `${host}:${port}`);
      }
      assert.equal(await connects("stranger", settings.apiAddress, settings.apiPort), true);
    } finally {
      for (const server of listeners) server.close();
    }
  });

  it("enforces a NetworkPolicy, and takes it back with the policy", async () => {
    const address = (await kubectl("get", "pod", "server", "--output=jsonpath={.status.podIP}")).trim();
    assert.equal(await connects("stranger", address, 8000), true);
    await apply({
      apiVersion: "networking.k8s.io/v1",
      kind: "NetworkPolicy",
      metadata: { name: "friends-only", namespace },
      spec: {
        podSelector: { matchLabels: { app: "server" } },
        policyTypes: ["Ingress"],
        ingress: [
          {
            from: [{ podSelector: { matchLabels: { role: "friend" } } }],
            ports: [{ protocol: "TCP", port: 8000 }],
          },
        ],
      },
    });
    const strangerGets = (open: boolean) =>
      waitFor(async () => (await connects("stranger", address, 8000)) === open, {
        what: `The port being ${open ? "open" : "closed"} to a stranger`,
        timeoutMs: 20_000,
      });
    await strangerGets(false);
    assert.equal(await connects("friend", address, 8000), true);
    await kubectl("delete", "networkpolicy", "friends-only");
    await strangerGets(true);
  });

  it("keeps a volume's data over down and up", async () => {
    const claim = {
      apiVersion: "v1",
      kind: "PersistentVolumeClaim",
      metadata: { name: "data", namespace },
      spec: { accessModes: ["ReadWriteOnce"], resources: { requests: { storage: "1Gi" } } },
    };
    const volumes = { volumes: [{ name: "data", persistentVolumeClaim: { claimName: "data" } }] };
    await apply(claim, pod("keeper", {}, "echo started >> /data/starts; exec sleep infinity", volumes));
    await ready("keeper");
    const starts = async () =>
      (await kubectl("exec", "keeper", "--", "cat", "/data/starts")).trim().split("\n").length;
    assert.equal(await starts(), 1);
    await down(context);
    await up(context);
    await waitFor(async () => (await starts().catch(() => 0)) === 2, {
      what: "The second start of the pod on its volume",
      timeoutMs: 60_000,
    });
  });
});
