import assert from "node:assert/strict";
import { planner as cnpg } from "../../plan/engines/cnpg/planner";
import { allFlows } from "../../plan/flows";
import { networkPolicies } from "../../plan/networkPolicies";
import { poolerPlan } from "../../plan/pooler/plan";
import type { Flow, Peer } from "../../plan/network";
import { rawSettings } from "../../stacks/program";
import { checked, everything, smallest, stackConfig } from "../support/settings";

const flowsOf = (input: unknown): Flow[] => {
  const settings = checked(input);
  const plan = cnpg.plan(settings);
  return allFlows(
    settings,
    plan,
    settings.poolers.map((pooler) => poolerPlan(settings, pooler, plan)),
  );
};
const nameOf = (peer: Peer) =>
  peer.kind === "pods" ? peer.name : peer.kind === "namespace" ? peer.namespace : peer.cidr;
const lines = (flows: readonly Flow[]) =>
  flows.map(
    ({ name, from, to, port, protocol }) => `${name}: ${nameOf(from)} → ${nameOf(to)} ${port}/${protocol}`,
  );

interface Policy {
  metadata: { name: string; namespace: string; annotations: Record<string, string> };
  spec: {
    podSelector: object;
    policyTypes: string[];
    ingress?: { from: object[]; ports: object[] }[];
    egress?: { to: object[]; ports: object[] }[];
  };
}
const policiesOf = (input: unknown): Policy[] => {
  const { name, namespace } = checked(input).cluster;
  return networkPolicies(name, namespace, flowsOf(input)).map(({ object }) => object as unknown as Policy);
};

describe("network", () => {
  const local = rawSettings(stackConfig("local"));

  it("lists exactly these flows for the stack local", () => {
    assert.deepEqual(lines(flowsOf(local)), [
      "operator-status: operator → instances 8000/TCP",
      "replication: instances → instances 5432/TCP",
      "isolation-check: instances → instances 8000/TCP",
      "api-server-0: instances → 198.18.250.1/32 6443/TCP",
      "pooler-app-server: pooler-app → instances 5432/TCP",
      "pooler-app-peers: pooler-app → pooler-app 6432/TCP",
      "client-demo-pooler: client-demo → pooler-app 6432/TCP",
      "client-direct-direct: client-direct → instances 5432/TCP",
      "health-check-instances: health-check → instances 5432/TCP",
      "health-check-pooler-app: health-check → pooler-app 6432/TCP",
      "dns-udp: everyone → dns 53/UDP",
      "dns-tcp: everyone → dns 53/TCP",
    ]);
  });

  it("adds the metrics ports for the monitoring namespace, and both ways of a client that has both", () => {
    const names = flowsOf(everything()).map(({ name }) => name);
    for (const name of [
      "metrics-instances",
      "metrics-pooler-app",
      "metrics-pooler-batch",
      "client-celery-pooler",
      "client-celery-direct",
    ])
      assert.ok(names.includes(name), name);
    assert.ok(!names.includes("client-django-direct"));
  });

  it("gives a reason for every flow, and every flow a name of its own", () => {
    const flows = flowsOf(everything());
    for (const { name, why } of flows) assert.ok(why.length > 15, name);
    assert.equal(new Set(flows.map(({ name }) => name)).size, flows.length);
  });

  it("closes the namespace, then opens one policy for each group of pods", () => {
    const policies = policiesOf(local);
    assert.deepEqual(
      policies.map(({ metadata, spec }) => [metadata.name, spec.policyTypes.join("+")]),
      [
        ["main-deny-all", "Ingress+Egress"],
        ["main-instances", "Ingress+Egress"],
        ["main-pooler-app", "Ingress+Egress"],
        ["main-health-check", "Egress"],
        ["main-everyone", "Egress"],
      ],
    );
    const [denied] = policies;
    assert.deepEqual(denied!.spec, { podSelector: {}, policyTypes: ["Ingress", "Egress"] });
  });

  it("renders the pooler's policy exactly", () => {
    const policy = policiesOf(local).find(({ metadata }) => metadata.name === "main-pooler-app")!;
    const matchLabels = {
      "app.kubernetes.io/name": "pgbouncer",
      "app.kubernetes.io/instance": "main-pooler-app",
      "pgplatform.io/cluster": "main",
    };
    assert.deepEqual(policy.spec, {
      podSelector: { matchLabels },
      policyTypes: ["Ingress", "Egress"],
      ingress: [
        { from: [{ podSelector: { matchLabels } }], ports: [{ port: 6432, protocol: "TCP" }] },
        {
          from: [
            {
              namespaceSelector: { matchLabels: { "kubernetes.io/metadata.name": "demo" } },
              podSelector: { matchLabels: { app: "demo" } },
            },
          ],
          ports: [{ port: 6432, protocol: "TCP" }],
        },
        {
          from: [{ podSelector: { matchLabels: { "pgplatform.io/role": "health-check" } } }],
          ports: [{ port: 6432, protocol: "TCP" }],
        },
      ],
      egress: [
        {
          to: [{ podSelector: { matchLabels: { "cnpg.io/cluster": "main" } } }],
          ports: [{ port: 5432, protocol: "TCP" }],
        },
        { to: [{ podSelector: { matchLabels } }], ports: [{ port: 6432, protocol: "TCP" }] },
      ],
    });
  });

  /** Ends of flows that lie in the namespace; each must be one rule, and each rule one of them. */
  const balance = (input: unknown, flows = flowsOf(input)) => {
    const { namespace, name } = checked(input).cluster;
    const within = (peer: Peer) => peer.kind === "pods" && peer.namespace === namespace;
    const ends =
      flows.filter(({ to }) => within(to)).length + flows.filter(({ from }) => within(from)).length;
    const rules = networkPolicies(name, namespace, flows)
      .map(({ object }) => (object as unknown as Policy).spec)
      .reduce((sum, { ingress = [], egress = [] }) => sum + ingress.length + egress.length, 0);
    return { ends, rules };
  };

  it("has one rule for each end of a flow in the namespace", () => {
    for (const input of [local, smallest(), everything()]) {
      const { ends, rules } = balance(input);
      assert.equal(rules, ends);
      assert.ok(ends > 5);
    }
  });

  it("opens no rule without ports, and none to any address but the API server's addresses and DNS", () => {
    for (const input of [local, everything()])
      for (const { spec, metadata } of policiesOf(input)) {
        for (const rule of [...(spec.ingress ?? []), ...(spec.egress ?? [])]) {
          assert.equal(rule.ports.length, 1, metadata.name);
          const peers = "from" in rule ? rule.from : (rule as { to: object[] }).to;
          // A rule to any address has both families.
          const any = JSON.stringify(peers).includes('"0.0.0.0/0"');
          assert.equal(peers.length, any ? 2 : 1);
          if (any)
            assert.deepEqual(peers, [{ ipBlock: { cidr: "0.0.0.0/0" } }, { ipBlock: { cidr: "::/0" } }]);
          assert.doesNotMatch(JSON.stringify(peers), /\{\}/, "an empty selector selects everything");
        }
      }
  });

  it("loses a rule when a flow goes", () => {
    const flows = flowsOf(local).filter(({ name }) => name !== "client-demo-pooler");
    const policy = networkPolicies("main", "postgres", flows)
      .map(({ object }) => object as unknown as Policy)
      .find(({ metadata }) => metadata.name === "main-pooler-app")!;
    assert.equal(policy.spec.ingress!.length, 2);
    assert.doesNotMatch(JSON.stringify(policy), /demo/);
  });
});
