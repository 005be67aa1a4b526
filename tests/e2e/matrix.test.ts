import assert from "node:assert/strict";
import { network, power, status } from "../../local/cluster/cluster";
import { findNode } from "../../local/cluster/nodes";
import { nodes, settings as builtIn } from "../../local/cluster/settings";
import { isReady } from "../../operations/kubectl";
import { namespaceOf } from "../../plan/objects";
import { planPlatform } from "../../plan/platform";
import { monitoringManifest, operatorManifest } from "../../releases/manifest";
import { waitWhole } from "../faults/whole";
import { ClientPod, prepareNamespace, removePreparations } from "./kit/clients";
import { environment, type Environment } from "./kit/environment";
import { deleteNamespaces, startClients, type Clients } from "./kit/fixture";
import {
  type Cell,
  cellsOf,
  type Difference,
  linkLocalCells,
  type List,
  standIns,
  type Target,
  targetOf,
  told,
  unserved,
} from "./kit/matrix";
import { makeOutside, type Outside } from "./kit/outside";
import { differencesNow, everywhere, type Place, places, services } from "./kit/packets";
import { say, until } from "./kit/wait";

/**
 * Real packets from the network of every pod, of the nodes and of this machine to every port of every pod, to the Services, other nodes, the API server and a stand-in
 * for the Internet, against the plan's list of flows: what may pass passes, and nothing else.
 *
 * Only with MATRIX=1, as root, on the built-in cluster. Not proved: another network plugin, UDP beside DNS, and what Kubernetes never filters: a pod's own node.
 */
const OTHER_NAMESPACE = "pgp-e2e-matrix";
const LABEL = "pgp-e2e-matrix";
const DNS_PORT = 53;

interface Picture {
  readonly found: readonly Place[];
  readonly ports: readonly number[];
  readonly cells: readonly Cell[];
}

const numbers = (all: Iterable<number>): number[] => [...new Set(all)].sort((one, other) => one - other);

(process.env.MATRIX === "1" ? describe : describe.skip)(
  "the packet matrix (network policies enforced by the built-in cluster's own agent, images built here)",
  () => {
    let env: Environment;
    let clients: Clients;
    let list: List;
    let outside: Outside | undefined;
    let neighbour: ClientPod;
    const policies: string[] = [];
    const started: ClientPod[] = [];
    /** Namespaces with what client pods need, and those of them that are made here. */
    const prepared = new Set<string>();
    const made = new Set([OTHER_NAMESPACE]);

    before(async function () {
      if ((await status()).state !== "running") {
        say("left out: packets can be sent from the network of any pod on the built-in cluster alone");
        return this.skip();
      }
      env = await environment();
      await env.cluster.waitHealthy();
      const { settings, kubectl } = env;
      const platform = planPlatform(
        settings,
        () => operatorManifest(settings.cluster.engine),
        undefined,
        monitoringManifest,
      );
      const { monitoring, localStores } = platform;
      const closing = [platform, monitoring, localStores].flatMap((part) => part?.networkPolicies ?? []);
      policies.push(...closing.map(({ object }) => `${namespaceOf(object)}/${object.metadata.name}`));
      list = {
        flows: [...platform.flows, ...(monitoring?.flows ?? [])],
        closed: [...new Set(closing.map(({ object }) => namespaceOf(object)))],
      };
      clients = await startClients(env);
      outside = await makeOutside();

      const begin = async (namespace: string, name: string, labels: Record<string, string>) => {
        if (!clients.namespaces.includes(namespace) && !prepared.has(namespace)) {
          const there = await kubectl.get("namespace", "default", namespace);
          if (there === undefined) made.add(namespace);
          prepared.add(namespace);
          await prepareNamespace(kubectl, namespace, clients.login, { make: there === undefined });
        }
        const pod = await ClientPod.start(kubectl, namespace, name, labels);
        started.push(pod);
        return pod;
      };
      const labelsOf = (direct: boolean) =>
        settings.clients.find((one) => one.direct === direct)?.labels ?? {};
      await begin(OTHER_NAMESPACE, "e2e-stranger", {});
      await begin(OTHER_NAMESPACE, "e2e-right-labels-pooled", labelsOf(false));
      await begin(OTHER_NAMESPACE, "e2e-right-labels-direct", labelsOf(true));
      await begin(clients.direct.namespace, "e2e-unlabelled", {});
      for (const namespace of list.closed) {
        const pod = await begin(namespace, "e2e-neighbour", { [LABEL]: "neighbour" });
        if (namespace === settings.cluster.namespace) neighbour = pod;
      }
      for (const { name, namespace, labels } of standIns(list, await places(kubectl))) {
        say(`a pod stands in for ${name} in ${namespace}, of which none runs now`);
        await begin(namespace, `e2e-as-${name}`, labels);
      }
    });

    after(async () => {
      await outside?.remove();
      if (env === undefined) return;
      for (const pod of started) await pod.remove();
      for (const namespace of prepared)
        if (!made.has(namespace)) await removePreparations(env.kubectl, namespace);
      await deleteNamespaces(env, [...made, ...(clients?.namespaces ?? [])]);
    });

    /** Everything as it is now, and the packets to send. */
    async function picture(seconds?: number): Promise<Picture> {
      assert.ok(outside);
      const found = await places(env.kubectl, seconds);
      const ends = [...found, outside.end];
      const pods = found.filter(({ kind }) => kind === "pod");
      const listed = list.flows.filter(({ protocol }) => protocol === "TCP").map(({ port }) => port);
      const ports = numbers([...listed, ...pods.flatMap(({ listens }) => listens.TCP)]);
      const targets = ends.flatMap((end): Target[] => {
        if (end.kind === "machine") return [targetOf(end, builtIn.apiPort, "TCP")];
        const own = end.kind === "pod" ? ports : numbers([...ports, ...end.listens.TCP]);
        return [...own.map((port) => targetOf(end, port, "TCP")), targetOf(end, DNS_PORT, "UDP")];
      });
      const all = [...targets, ...(await services(env.kubectl, found))];
      const { cells, leftOut } = cellsOf(list, found, all);
      const may = cells.filter((cell) => cell.may).length;
      say(
        `${cells.length} packets from ${found.length} places (${pods.length} pods) to ${all.length} targets`,
      );
      say(`${may} may pass, ${cells.length - may} may not; ports ${ports.join(", ")}`);
      for (const [why, count] of Object.entries(leftOut)) say(`${count} left out: ${why}`);
      assert.equal(leftOut["a Service whose pods the list tells apart"], undefined);
      return { found, ports, cells };
    }

    const only = ({ found, cells }: Picture, name: string): Promise<Difference[]> =>
      differencesNow(
        cells.filter(({ from }) => from.name === name),
        found,
      );

    async function agrees(seconds?: number): Promise<void> {
      const { found, cells } = await picture(seconds);
      assert.deepEqual((await differencesNow(cells, found)).map(told), []);
    }

    /** Undefined where no pod has an IPv6 address. */
    async function agreesByIPv6(): Promise<string | undefined> {
      const { found, ports } = await picture();
      const pods = found.filter(({ kind }) => kind === "pod");
      const wider = pods.flatMap(({ name, inet6 }) => inet6.map((address) => `${name} has ${address}`));
      assert.deepEqual(wider, [], "IPv6 addresses beyond their link, which this suite doesn't try");
      const cells = linkLocalCells(found, ports);
      if (cells.length === 0) return undefined;
      assert.ok(cells.some(({ may }) => may) && cells.some(({ may }) => !may));
      assert.deepEqual((await differencesNow(cells, found)).map(told), []);
      return `${cells.length} packets by IPv6 from pod to pod of one node`;
    }

    it("the policies are the plan's, and no namespace has others", async () => {
      const live = (await everywhere(env.kubectl, "networkpolicies.networking.k8s.io")).map(
        ({ metadata }) => `${metadata.namespace ?? ""}/${metadata.name}`,
      );
      assert.deepEqual(live.sort(), [...policies].sort());
    });

    it("wherever the list opens a port of a pod, that pod listens", async () => {
      assert.deepEqual(unserved(list, await places(env.kubectl)), []);
    });

    it("every packet that the list has gets through, and no other", () => agrees());

    it("by IPv6 nothing gets from pod to pod", async function () {
      const what = await agreesByIPv6();
      say(what ?? "left out: no pod has an IPv6 address");
      if (what === undefined) this.skip();
    });

    it("shows what a policy opens beside the list", async () => {
      const { namespace, name } = env.settings.cluster;
      const instances = env.engine.instancePods.labels(name);
      const ports = [{ port: env.plan.ports.postgres, protocol: "TCP" }];
      const podSelector = { matchLabels: { [LABEL]: "neighbour" } };
      const policy = (id: string, spec: object) => ({
        apiVersion: "networking.k8s.io/v1",
        kind: "NetworkPolicy",
        metadata: { name: `pgp-e2e-${id}`, namespace },
        spec,
      });
      const from = `${neighbour.namespace}/${neighbour.name}`;
      const now = await picture();
      const reached = now.cells
        .filter((cell) => cell.from.name === from && cell.target.protocol === "TCP")
        .filter(({ target }) =>
          target.behind.every(
            ({ end, port }) =>
              port === env.plan.ports.postgres &&
              end.namespace === namespace &&
              Object.entries(instances).every(([key, value]) => end.labels?.[key] === value),
          ),
        )
        .map(({ target }) => target.name);
      assert.ok(reached.length > env.settings.cluster.instances, "the instances and their Services");
      try {
        await env.kubectl.apply(
          policy("in", {
            podSelector: { matchLabels: instances },
            policyTypes: ["Ingress"],
            ingress: [{ from: [{ podSelector }], ports }],
          }),
        );
        await env.kubectl.apply(
          policy("out", {
            podSelector,
            policyTypes: ["Egress"],
            egress: [{ to: [{ podSelector: { matchLabels: instances } }], ports }],
          }),
        );
        const seen = await until("what the policies open", 60, async () => {
          const differences = await only(now, from);
          return differences.length >= reached.length
            ? { done: differences }
            : { why: `${differences.length} of ${reached.length}` };
        });
        assert.ok(seen.every(({ may, verdict }) => !may && verdict === "open"));
        assert.deepEqual(seen.map(({ target }) => target.name).sort(), reached.sort());
      } finally {
        const names = ["networkpolicy/pgp-e2e-in", "networkpolicy/pgp-e2e-out"];
        await env.kubectl.run(["-n", namespace, "delete", "--ignore-not-found", ...names]);
      }
      await until("the list again", 60, async () => {
        const differences = await only(now, from);
        return differences.length === 0 ? { done: undefined } : { why: differences.map(told).join("; ") };
      });
    });

    it("shows a listed way that is cut", async () => {
      const primary = await env.cluster.primary();
      const { namespace } = env.settings.cluster;
      const before = await places(env.kubectl);
      const node = before.find(({ name }) => name === `${namespace}/${primary}`)?.node;
      assert.ok(node);
      clients = { ...clients, direct: await clients.direct.awayFrom([node]) };
      const now = await picture();
      const client = now.found.find(
        ({ name }) => name === `${clients.direct.namespace}/${clients.direct.name}`,
      );
      const instance = now.found.find(({ name }) => name === `${namespace}/${primary}`);
      assert.ok(client && instance);
      assert.deepEqual((await only(now, client.name)).map(told), []);
      const cut = { from: client.address, to: instance.address };
      try {
        await network({ cut: [cut] });
        const seen = await only(now, client.name);
        const names = seen.map(({ target }) => target.name);
        assert.ok(names.includes(`${instance.name}, ${env.plan.ports.postgres}/TCP`), names.join("; "));
        for (const { may, verdict, target } of seen) {
          assert.deepEqual([may, verdict], [true, "silent"]);
          assert.ok(
            target.behind.some(({ end }) => end.name === instance.name),
            target.name,
          );
        }
      } finally {
        await network({ join: cut });
      }
      assert.deepEqual((await only(now, client.name)).map(told), []);
    });

    it("all of that again after the primary's node was off and on", async () => {
      const primary = await env.cluster.primary();
      const pod = await env.kubectl.get("pod", env.settings.cluster.namespace, primary);
      const node = nodes.find(({ name }) => name === pod?.spec?.nodeName);
      assert.ok(node);
      const former = await findNode(node);
      const ready = async () => {
        const found = await env.kubectl.get("node", "default", node.name);
        return found !== undefined && isReady(found);
      };
      say(`${node.name} off`);
      try {
        await power(node.name, "off");
        await until(`${node.name} is lost`, 180, async () =>
          (await ready()) ? { why: "it counts as ready" } : { done: undefined },
        );
      } finally {
        await power(node.name, "on");
      }
      assert.notEqual(await findNode(node), former);
      await waitWhole(env, 600);
      await agrees(600);
      say((await agreesByIPv6()) ?? "no pod has an IPv6 address");
    });
  },
);
