import assert from "node:assert/strict";
import { poolerName, poolerPorts } from "../../plan/names";
import { readers } from "../../plan/engines/readers";
import { type KubeObject } from "../../operations/kubectl";
import { type Settings } from "../../settings/schema";
import { ClientPod, prepareNamespace, removePreparations } from "./kit/clients";
import { podStatus } from "./kit/cluster";
import { environment, type Environment } from "./kit/environment";
import { deleteNamespaces, startClients, type Clients } from "./kit/fixture";

/**
 * Whom the database turns away, and that it does so for the right reason: each refusal stands beside the same attempt done
 * rightly, which must succeed.
 * This doesn't prove anything about pods with host network or about other ways into the nodes.
 */
const OTHER_NAMESPACE = "pgp-e2e-unlisted";

describe("refusal (network policies enforced by the cluster's own agent, images built here)", () => {
  let env: Environment;
  let clients: Clients;
  before(async () => {
    env = await environment();
    clients = await startClients(env);
    await env.cluster.waitHealthy();
  });
  after(() => deleteNamespaces(env, [...clients.namespaces, OTHER_NAMESPACE]));

  /** Every Service that a client may use, with the pod that may use it. */
  const services = (): [string, ClientPod][] => {
    const { primary, standbys, any } = env.plan.endpoints;
    return [
      [primary.host, clients.direct],
      [standbys.host, clients.direct],
      [any.host, clients.direct],
      [env.pooler.host, clients.pooled],
    ];
  };

  async function refused(change: Record<string, string>, because: RegExp): Promise<void> {
    for (const [host, pod] of services()) {
      const rightly = await pod.psql(host, "select 1");
      assert.equal(rightly.exitCode, 0, `${host}, done rightly: ${rightly.stderr}`);
      const wrongly = await pod.psql(host, "select 1", change);
      assert.notEqual(wrongly.exitCode, 0, `${host} accepted ${JSON.stringify(change)}`);
      assert.match(wrongly.stderr, because, host);
    }
  }

  it("of sessions without TLS, on every Service", () =>
    refused({ PGSSLMODE: "disable" }, /pg_hba\.conf rejects connection.*no encryption|SSL required/));

  it("of a wrong password, on every Service", () =>
    refused({ PGPASSWORD: "wrong" }, /password authentication failed|SASL authentication failed/));

  it("of servers that another CA vouches for, by the client, on every Service", () =>
    refused({ PGSSLROOTCERT: "/stranger-ca/ca.crt" }, /certificate verify failed/));

  /** Every address and port at which pods of the namespace listen, by pod and by Service. */
  async function targets(): Promise<{
    pods: Map<string, { pod: KubeObject; port: number }>;
    services: Map<string, string>;
  }> {
    const { namespace } = env.settings.cluster;
    const list = async (kind: string) => {
      const { stdout } = await env.kubectl.run(["-n", namespace, "get", kind, "-o", "json"]);
      return (JSON.parse(stdout) as { items: KubeObject[] }).items;
    };
    type Container = { ports?: { containerPort: number }[] };
    const pods = (await list("pods")).flatMap((pod) =>
      ((pod.spec as { containers: Container[] }).containers ?? []).flatMap(({ ports }) =>
        (ports ?? []).map(
          ({ containerPort: port }) => [`${podStatus(pod).podIP}:${port}`, { pod, port }] as const,
        ),
      ),
    );
    const ofServices = (await list("services")).flatMap((service) => {
      const { clusterIP, ports } = service.spec as { clusterIP: string; ports: { port: number }[] };
      return clusterIP === "None"
        ? []
        : ports.map(({ port }) => [`${clusterIP}:${port}`, service.metadata.name] as const);
    });
    return { pods: new Map(pods), services: new Map(ofServices) };
  }

  /** Exactly what the stack file lets a listed client reach. */
  function allowed(
    found: Awaited<ReturnType<typeof targets>>,
    client: Settings["clients"][number],
  ): string[] {
    const { primary, standbys, any } = env.plan.endpoints;
    const ofPods = (port: number) =>
      [...found.pods].flatMap(([target, listening]) => (listening.port === port ? [target] : []));
    const ofServices = (...names: string[]) =>
      [...found.services].flatMap(([target, name]) =>
        names.includes(name) && target.endsWith(`:${env.port}`) ? [target] : [],
      );
    return [
      ...(client.direct
        ? [...ofPods(env.plan.ports.postgres), ...ofServices(primary.service, standbys.service, any.service)]
        : []),
      ...(client.pooler !== undefined
        ? [
            ...ofPods(poolerPorts.postgres),
            ...ofServices(poolerName(env.settings.cluster.name, client.pooler)),
          ]
        : []),
    ].sort();
  }

  const listed = (direct: boolean) => {
    const client = env.settings.clients.find((candidate) => candidate.direct === direct);
    assert.ok(client);
    return client;
  };

  it("of each listed client at every port that isn't listed for it", async () => {
    const found = await targets();
    const all = [...found.pods.keys(), ...found.services.keys()];
    const forDirect = allowed(found, listed(true));
    const forPooled = allowed(found, listed(false));
    const services = new Set(Object.values(env.plan.endpoints).map(({ service }) => service));
    const { instances } = env.settings.cluster;
    assert.ok(forDirect.length >= instances + services.size, "every instance and their Services");
    assert.ok(forPooled.length >= 3, "two pooler pods and their Service");
    assert.deepEqual([...(await clients.direct.open(all))].sort(), forDirect, "the direct client");
    assert.deepEqual([...(await clients.pooled.open(all))].sort(), forPooled, "the pooled client");
    const past = await clients.pooled.psql(env.plan.endpoints.primary.host, "select 1");
    assert.notEqual(past.exitCode, 0);
    assert.match(past.stderr, /timeout expired|timed out|Connection refused|No route to host/);
  });

  it("of every pod that isn't a listed client, at every port of instances and poolers", async () => {
    const { kubectl } = env;
    const { namespace } = env.settings.cluster;
    const found = await targets();
    const all = [...found.pods.keys(), ...found.services.keys()];
    const ports = new Set([...found.pods.values()].map(({ port }) => port));
    const silent = env.cluster.kit.silentPorts ?? [];
    const network = readers[env.engine.name].facts(await env.cluster.object())?.network;
    assert.ok(network);
    const { operator, ports: own } = network;
    const expected = [
      ...Object.values(own),
      ...Object.values(poolerPorts).filter((port) => port !== poolerPorts.service),
    ];
    for (const port of [...expected, ...(operator === undefined ? [] : [operator.statusPort])])
      assert.ok(ports.has(port), `no pod declares port ${port}`);

    // The control: something listens at each of these ports, and the listed clients get to theirs at this moment.
    const listens =
      'for port; do (exec 3<>"/dev/tcp/127.0.0.1/$port") 2>/dev/null && echo "$port"; done; true';
    for (const pod of new Set([...found.pods.values()].map((target) => target.pod))) {
      const own = [...found.pods.values()].flatMap((target) =>
        target.pod === pod && !silent.includes(target.port) ? [String(target.port)] : [],
      );
      const args = [
        "-n",
        namespace,
        "exec",
        pod.metadata.name,
        "--",
        "bash",
        "-c",
        listens,
        "listens",
        ...own,
      ];
      const { stdout } = await kubectl.run(args);
      assert.deepEqual(stdout.trim().split("\n").sort(), own.sort(), `${pod.metadata.name} listens`);
    }
    assert.notEqual((await clients.direct.open(all)).size, 0);
    assert.notEqual((await clients.pooled.open(all)).size, 0);

    await prepareNamespace(kubectl, OTHER_NAMESPACE, clients.login);
    await prepareNamespace(kubectl, namespace, clients.login, { make: false });
    const { namespace: home, labels } = listed(false);
    const strangers = [
      await ClientPod.start(kubectl, home, "e2e-unlabelled", {}),
      await ClientPod.start(kubectl, OTHER_NAMESPACE, "e2e-right-labels", labels),
      await ClientPod.start(kubectl, namespace, "e2e-neighbour", {}),
    ];
    try {
      for (const stranger of strangers) {
        const open = await stranger.open(all);
        assert.deepEqual([...open], [], `${stranger.namespace}/${stranger.name} gets in`);
      }
    } finally {
      for (const stranger of strangers) await stranger.remove();
      await removePreparations(kubectl, namespace);
    }
  });
});
