import assert from "node:assert/strict";
import type { KubernetesObject } from "../../../plan/objects";
import { pgbouncerFacts, poolsOf } from "../../../plan/pooler/facts";
import { openingOf } from "../../../plan/opening";
import { isService, selects } from "../../../policy/kubernetes";
import { closesAll, type NetworkPolicy, opens, reaches } from "../../../policy/networkPolicies";

describe("the readers of what engines share", () => {
  it("know each operator of a label selector", () => {
    const takes = (operator: string, labels: Record<string, string>, values?: string[]) =>
      selects({ matchExpressions: [{ key: "app", operator, ...(values && { values }) }] }, labels);
    assert.deepEqual(
      [{}, { app: "a" }, { app: "b" }].map((labels) => [
        takes("In", labels, ["a"]),
        takes("NotIn", labels, ["a"]),
        takes("Exists", labels),
        takes("DoesNotExist", labels),
        takes("Near", labels),
      ]),
      [
        [false, true, false, true, false],
        [true, false, true, false, false],
        [false, true, true, false, false],
      ],
    );
    assert.ok(!selects({ matchLabels: { app: "a", tier: "b" } }, { app: "a" }));
  });

  const policy = (spec: NonNullable<NetworkPolicy["spec"]>): NetworkPolicy => ({
    apiVersion: "networking.k8s.io/v1",
    kind: "NetworkPolicy",
    metadata: { name: "x", namespace: "shop" },
    spec,
  });

  it("know what a network policy without types closes: arrivals always, departures where it names some", () => {
    const closed = (spec: NonNullable<NetworkPolicy["spec"]>) =>
      (["Ingress", "Egress"] as const).map((direction) => closesAll([policy(spec)], "shop", direction));
    assert.deepEqual(closed({ podSelector: {} }), [true, false]);
    assert.deepEqual(closed({ podSelector: {}, egress: [] }), [true, false]);
    assert.deepEqual(closed({ podSelector: {}, egress: [], policyTypes: [] }), [true, false]);
    assert.deepEqual(closed({ podSelector: {}, egress: [], policyTypes: ["Egress"] }), [false, true]);
    assert.deepEqual(closed({ podSelector: {}, egress: [{ to: [] }] }), [true, true]);
  });

  it("let through who is selected by namespace and labels, by any of the peers", () => {
    const metadata = (name: string) => ({ matchLabels: { "kubernetes.io/metadata.name": name } });
    const open = policy({
      podSelector: { matchLabels: { app: "db" } },
      ingress: [
        {
          from: [
            { ipBlock: { cidr: "192.0.2.0/24" } },
            { namespaceSelector: metadata("web"), podSelector: { matchLabels: { app: "client" } } },
          ],
          ports: [{ port: 5432 }],
        },
      ],
    });
    const arrives = (namespace: string, app: string, port = 5432, to = "db") =>
      opens([open], {
        direction: "ingress",
        pod: { namespace: "shop", labels: { app: to } },
        ports: [port],
        isRight: (peer) => reaches(peer, { namespace, labels: { app } }, "shop"),
      });
    assert.ok(arrives("web", "client"));
    assert.ok(!arrives("web", "other"));
    assert.ok(!arrives("shop", "client"));
    assert.ok(!arrives("web", "client", 5433));
    assert.ok(!arrives("web", "client", 5432, "cache"));
  });

  it("take a load balancer from Kubernetes' own Services only", () => {
    const service = {
      apiVersion: "v1",
      kind: "Service",
      metadata: { name: "x" },
      spec: { type: "LoadBalancer" },
    };
    assert.ok(isService(service));
    assert.deepEqual(openingOf("x", service.spec), {
      service: "x",
      type: "LoadBalancer",
      sourceRanges: [],
      annotations: {},
    });
    assert.ok(!isService({ ...service, apiVersion: "serving.knative.dev/v1" }));
    assert.ok(!isService({ ...service, kind: "Gateway" }));
    assert.equal(openingOf("x", { type: "ClusterIP" }), undefined);
    assert.equal(openingOf("x"), undefined);
  });

  it("find a foreign PgBouncer by its container's name, with its own configuration and autoscaler", () => {
    const deployment = (containers: string[]): KubernetesObject => ({
      apiVersion: "apps/v1",
      kind: "Deployment",
      metadata: { name: "pool", namespace: "shop" },
      spec: {
        replicas: 3,
        template: {
          spec: {
            containers: containers.map((name) => ({ name })),
            volumes: [{ configMap: { name: "ini" } }],
          },
        },
      },
    });
    const ini = (namespace: string, name: string, host: string): KubernetesObject => ({
      apiVersion: "v1",
      kind: "ConfigMap",
      metadata: { name, namespace },
      data: { "pgbouncer.ini": `[databases]\na = host=${host}\n` },
    });
    const scaler = (name: string): KubernetesObject => ({
      apiVersion: "autoscaling/v2",
      kind: "HorizontalPodAutoscaler",
      metadata: { name: "x", namespace: "shop" },
      spec: { scaleTargetRef: { kind: "Deployment", name }, minReplicas: 2, maxReplicas: 9 },
    });
    const others = [ini("web", "ini", "wrong"), ini("shop", "other", "wrong"), scaler("other")];
    assert.deepEqual(pgbouncerFacts([deployment(["proxy"]), ...others]), []);
    const facts = pgbouncerFacts([
      deployment(["exporter", "pgbouncer"]),
      ...others,
      ini("shop", "ini", "right"),
    ])[0]!;
    assert.deepEqual(
      [facts.pods, facts.pools.map(({ service }) => service)],
      [{ least: 3, most: 3 }, ["right"]],
    );
    const scaled = pgbouncerFacts([deployment(["pgbouncer"]), scaler("pool")])[0]!;
    assert.deepEqual([scaled.pods, scaled.pools], [{ least: 2, most: 9 }, []]);
  });

  it("pass over lines of pgbouncer.ini that set nothing", () =>
    assert.deepEqual(poolsOf("[databases]\n%include more.ini\n\n[pgbouncer]\n"), []));
});
