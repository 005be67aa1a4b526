import assert from "node:assert/strict";
import type { KubernetesObject } from "../../../plan/objects";
import { poolsOf } from "../../../plan/pooler/facts";
import { poolerPlan } from "../../../plan/pooler/plan";
import { planner as cnpg } from "../../../plan/engines/cnpg/planner";
import { everything, checked } from "../../support/settings";
import { judgedStack, violationsInStack, good, goodStack, mutated } from "./kit";

/** The objects of the platform's own plan with everything in use. */
function ownObjects(change: (settings: ReturnType<typeof everything>) => void = () => undefined) {
  const input = everything();
  change(input);
  const settings = checked(input);
  const plan = cnpg.plan(settings);
  return [
    ...plan.objects,
    ...settings.poolers.flatMap((pooler) => poolerPlan(settings, pooler, plan).objects),
  ].map(({ object }) => structuredClone(object));
}

const ofKind = (objects: readonly KubernetesObject[], kind: string): KubernetesObject =>
  objects.find((object) => object.kind === kind)!;

const bouncerPods = { app: "bouncer" };
/** A Deployment of PgBouncer whose pgbouncer.ini leads to a host, with up to 200 connections. */
const leading = (host: string, namespace = "web"): Record<string, KubernetesObject> => ({
  bouncer: {
    apiVersion: "apps/v1",
    kind: "Deployment",
    metadata: { name: "bouncer", namespace },
    spec: {
      replicas: 2,
      selector: { matchLabels: bouncerPods },
      template: {
        metadata: { labels: bouncerPods },
        spec: { containers: [{ image: "edoburu/pgbouncer" }], volumes: [{ configMap: { name: "ini" } }] },
      },
    },
  },
  ini: {
    apiVersion: "v1",
    kind: "ConfigMap",
    metadata: { name: "ini", namespace },
    data: { "pgbouncer.ini": `[databases]\n* = host=${host}\n[pgbouncer]\ndefault_pool_size = 100\n` },
  },
});

describe("the invariant pooler-availability", () => {
  const find = (objects: readonly KubernetesObject[], options?: object) =>
    violationsInStack("pooler-availability", objects, options);
  const at = "Pooler shop/orders-pool";

  it("has nothing to say about the good program and the platform's own poolers", () => {
    assert.deepEqual(find(goodStack()), []);
    assert.deepEqual(find(ownObjects()), []);
  });
  it("refuses one pod, unless the option allows it", () => {
    const pooler = mutated("pooler", { "spec.instances": 1 });
    assert.deepEqual(find(goodStack({ pooler })), [
      `${at}: pods: 1 is not allowed. Allowed: at least 2. Fix: set 2.`,
    ]);
    assert.deepEqual(find(goodStack({ pooler }), { least: 1 }), []);
  });
  it("refuses pods that may share a node", () => {
    const sentence = [
      `${at}: spread over kubernetes.io/hostname: "none" is not allowed. Allowed: anti-affinity or a topology spread constraint that selects its pods, so that a lost node takes one pod. Fix: add one.`,
    ];
    assert.deepEqual(
      find(goodStack({ pooler: mutated("pooler", { "spec.template.spec.affinity": undefined }) })),
      sentence,
    );
    const elsewhere = good("pooler");
    for (const [from, to] of [
      ['"kubernetes.io/hostname"', '"example.com/rack"'],
      ['"labelSelector"', '"selector"'],
      ['"cnpg.io/poolerName"', '"app"'],
    ] as const) {
      const text = JSON.stringify(elsewhere).replace(from, to);
      assert.deepEqual(find(goodStack({ pooler: JSON.parse(text) as KubernetesObject })), sentence, to);
    }
  });
  it("allows pods in different zones, which are on different nodes", () => {
    const text = JSON.stringify(good("pooler")).replace(
      '"kubernetes.io/hostname"',
      '"topology.kubernetes.io/zone"',
    );
    assert.deepEqual(find(goodStack({ pooler: JSON.parse(text) as KubernetesObject })), []);
  });
  it("allows a topology spread constraint, and a preference", () => {
    const term = (matchLabels: object) => ({
      topologyKey: "kubernetes.io/hostname",
      labelSelector: { matchLabels },
    });
    for (const change of [
      {
        "spec.template.spec.topologySpreadConstraints": [term({ "cnpg.io/podRole": "pooler" })],
      },
      {
        "spec.template.spec.affinity": {
          podAntiAffinity: {
            preferredDuringSchedulingIgnoredDuringExecution: [
              { weight: 1, podAffinityTerm: term({ "cnpg.io/poolerName": "orders-pool" }) },
            ],
          },
        },
      },
    ])
      assert.deepEqual(
        find(
          goodStack({ pooler: mutated("pooler", { "spec.template.spec.affinity": undefined, ...change }) }),
        ),
        [],
      );
  });
  it("refuses a missing budget, one of another namespace, and one for other pods", () => {
    const sentence = [
      `${at}: disruption budget: "none" is not allowed. Allowed: a PodDisruptionBudget that selects its pods and keeps one. Fix: add one to the stack.`,
    ];
    assert.deepEqual(find(goodStack({ "pooler-budget": undefined })), sentence);
    assert.deepEqual(
      find(goodStack({ "pooler-budget": mutated("pooler-budget", { "metadata.namespace": "x" }) })),
      sentence,
    );
    for (const change of [
      { "spec.selector": { matchLabels: { app: "x" } } },
      // For no pod.
      { spec: undefined },
      { "spec.selector": undefined },
      // What keeps no pod.
      { "spec.maxUnavailable": undefined },
      { "spec.maxUnavailable": 2 },
      { "spec.maxUnavailable": "100%" },
      { "spec.maxUnavailable": undefined, "spec.minAvailable": 0 },
      { "spec.maxUnavailable": undefined, "spec.minAvailable": "0%" },
    ])
      assert.deepEqual(
        find(goodStack({ "pooler-budget": mutated("pooler-budget", change) })),
        sentence,
        JSON.stringify(change),
      );
  });
  it("allows a budget for every pod, and one that keeps a pod or a share", () => {
    for (const change of [
      { "spec.selector": {} },
      { "spec.maxUnavailable": "50%" },
      { "spec.maxUnavailable": undefined, "spec.minAvailable": 1 },
      { "spec.maxUnavailable": undefined, "spec.minAvailable": "1%" },
    ])
      assert.deepEqual(
        find(goodStack({ "pooler-budget": mutated("pooler-budget", change) })),
        [],
        JSON.stringify(change),
      );
    const three = mutated("pooler", { "spec.instances": 3 });
    const budget = mutated("pooler-budget", { "spec.maxUnavailable": 2 });
    assert.deepEqual(find(goodStack({ pooler: three, "pooler-budget": budget })), []);
  });
  it("reads the platform's own Deployments", () => {
    const objects = ownObjects();
    (ofKind(objects, "Deployment").spec as { replicas: number }).replicas = 1;
    assert.deepEqual(find(objects), [
      "Deployment jewelry-shop/jewelry-shop-db-pooler-app: pods: 1 is not allowed. Allowed: at least 2. Fix: set 2.",
    ]);
  });
  it("takes an autoscaler's least number", () => {
    const scaler = (minReplicas: number): KubernetesObject => ({
      apiVersion: "autoscaling/v2",
      kind: "HorizontalPodAutoscaler",
      metadata: { name: "app", namespace: "jewelry-shop" },
      spec: {
        scaleTargetRef: { kind: "Deployment", name: "jewelry-shop-db-pooler-app" },
        minReplicas,
        maxReplicas: 4,
      },
    });
    assert.equal(find([...ownObjects(), scaler(1)]).length, 1);
    assert.deepEqual(find([...ownObjects(), scaler(2)]), []);
  });
});

describe("the invariant connection-budget", () => {
  const find = (objects: readonly KubernetesObject[], options?: object) =>
    violationsInStack("connection-budget", objects, options);
  const pooler = (change: Record<string, unknown>) => ({ pooler: mutated("pooler", change) });
  const says = (needed: number, pooled: number, reserve = 10) => [
    `Cluster shop/orders: max_connections: 100 is not allowed. Allowed: at least ${needed}: ${pooled} for the poolers (pool size × pods × roles) and ${reserve} in reserve. Fix: raise it, or lower the pools.`,
  ];
  const size = "spec.pgbouncer.parameters.default_pool_size";
  const most = "spec.pgbouncer.parameters.max_db_connections";

  it("has nothing to say about the good program and the platform's own poolers", () => {
    assert.deepEqual(find(goodStack()), []);
    assert.deepEqual(find(ownObjects()), []);
  });
  it("multiplies pool size and pods", () => {
    assert.deepEqual(find(goodStack(pooler({ [size]: "50", [most]: undefined }))), says(110, 100));
    assert.deepEqual(find(goodStack(pooler({ [size]: "45", [most]: undefined }))), []);
    assert.deepEqual(
      find(goodStack(pooler({ [size]: "30", [most]: undefined, "spec.instances": 4 }))),
      says(130, 120),
    );
  });
  it("multiplies the roles where there is no total limit", () => {
    assert.deepEqual(find(goodStack(pooler({ [most]: undefined })), { roles: 3 }), says(160, 150));
    assert.deepEqual(find(goodStack(), { roles: 3 }), []);
  });
  it("counts PgBouncer's own default of 20", () =>
    assert.deepEqual(
      find(goodStack(pooler({ "spec.pgbouncer": { poolMode: "session" }, "spec.instances": 5 }))),
      says(110, 100),
    ));
  it("adds the reserve", () => assert.deepEqual(find(goodStack(), { reserve: 21 }), says(101, 80, 21)));
  it("adds poolers up, whatever instances they lead to, since a standby may become the primary", () => {
    for (const type of ["rw", "ro", "r"]) {
      const second = mutated("pooler", { "metadata.name": "second", "spec.type": type });
      assert.deepEqual(find(goodStack({ second })), says(170, 160));
    }
  });
  it("adds the reserve of a pool, unless there is a total limit", () => {
    const reserve = "spec.pgbouncer.parameters.reserve_pool_size";
    assert.deepEqual(
      find(goodStack(pooler({ [size]: "20", [reserve]: "60", [most]: undefined }))),
      says(170, 160),
    );
    assert.deepEqual(find(goodStack(pooler({ [size]: "20", [reserve]: "60", [most]: "30" }))), []);
    assert.deepEqual(
      poolsOf("[databases]\na = host=x reserve_pool=1\nb = host=x\n[pgbouncer]\nreserve_pool_size = 5\n").map(
        ({ perRole }) => perRole,
      ),
      [21, 25],
    );
  });
  it("leaves out poolers of other clusters and namespaces", () => {
    const other = mutated("pooler", { "metadata.name": "second", "spec.cluster.name": "other" });
    const elsewhere = mutated("pooler", { "metadata.name": "third", "metadata.namespace": "web" });
    assert.deepEqual(find(goodStack({ other, elsewhere })), []);
  });
  it("asks nothing where no pooler is", () => {
    const cluster = mutated("cluster", { "spec.postgresql.parameters.max_connections": "5" });
    assert.deepEqual(find(goodStack({ cluster, pooler: undefined, gateway: undefined })), []);
  });
  it("counts PostgreSQL's own default of 100 connections", () =>
    assert.deepEqual(
      find(
        goodStack({
          ...pooler({ [size]: "50", [most]: undefined }),
          cluster: mutated("cluster", { "spec.postgresql.parameters": undefined }),
        }),
      ),
      says(110, 100),
    ));
  it("reads the platform's own configuration", () => {
    const objects = ownObjects();
    (
      ofKind(objects, "Cluster").spec as { postgresql: { parameters: Record<string, string> } }
    ).postgresql.parameters.max_connections = "140";
    // app: (50 + 1) × 2, batch: (10 + 1) × 3; the 1 looks logins up.
    assert.deepEqual(find(objects), [
      "Cluster jewelry-shop/jewelry-shop-db: max_connections: 140 is not allowed. Allowed: at least 145: 135 for the poolers (pool size × pods × roles) and 10 in reserve. Fix: raise it, or lower the pools.",
    ]);
  });
  it("counts poolers of other namespaces by the host that they lead to", () => {
    for (const host of ["orders-rw.shop", "orders-rw.shop.svc", "orders-1.orders-rw.shop.svc.cluster.local"])
      assert.deepEqual(find(goodStack(leading(host))), says(290, 280), host);
    for (const host of ["orders-rw", "orders-rw.elsewhere.svc", "orders-rw.example.com"])
      assert.deepEqual(find(goodStack(leading(host))), [], host);
    for (const [host, expected] of [
      ["orders-rw", says(290, 280)],
      ["orders-1.orders-rw.shop.svc", says(290, 280)],
      ["orders-rw.elsewhere.svc", []],
    ] as const)
      assert.deepEqual(find(goodStack(leading(host, "shop"))), expected, host);
  });
  it("says what is too much by what is known, whatever isn't", () => {
    const { bouncer, ini } = leading("orders-rw", "shop");
    const later = { ...ini!, metadata: { name: "later", namespace: "web" }, data: {} };
    Object.defineProperty(later.data, "pgbouncer.ini", {
      enumerable: true,
      get() {
        throw new Error("not known");
      },
    });
    const unknown = structuredClone(leading("x").bouncer!);
    const text = JSON.stringify(unknown).replace('"ini"', '"later"');
    const objects = { bouncer: bouncer!, ini: ini!, unknown: JSON.parse(text) as KubernetesObject, later };
    assert.deepEqual(find(goodStack(objects)), says(290, 280));
    const { said, later: notYet } = judgedStack(
      "connection-budget",
      goodStack({ unknown: objects.unknown, later }),
    );
    assert.deepEqual([said, notYet.length], [[], 1]);
  });
  it("reads pgbouncer.ini: comments, quotes, defaults, full names of hosts", () => {
    const ini = [
      "; a comment = 1",
      "[databases]",
      "orders = host=orders-rw.shop.svc port=5432 dbname='orders' pool_size=7",
      "* = host=orders-ro",
      "[pgbouncer]",
      "default_pool_size = 9",
      "max_db_connections = 11",
    ].join("\n");
    assert.deepEqual(poolsOf(ini), [
      { database: "orders", service: "orders-rw", namespace: "shop", perRole: 7, inAll: 11 },
      { database: "*", service: "orders-ro", perRole: 9, inAll: 11 },
    ]);
    assert.deepEqual(poolsOf("[databases]\nx = host=y\n"), [{ database: "x", service: "y", perRole: 20 }]);
  });
});

describe("the invariant closed-network", () => {
  const find = (objects: readonly KubernetesObject[], options?: object) =>
    violationsInStack("closed-network", objects, options);
  const closed = (what: string, way: string, port: number) =>
    `Cluster shop/orders: network for ${what}: "closed" is not allowed. Allowed: open, ${way} on ${port === 53 ? "UDP" : "TCP"} port ${port}. Fix: add a NetworkPolicy for it.`;

  it("has nothing to say about the good program", () =>
    assert.deepEqual(find(goodStack(), { metricsNamespace: "monitoring" }), []));

  for (const [title, change] of Object.entries({
    "no policy": undefined,
    "one for some pods": { "spec.podSelector": { matchLabels: { app: "x" } } },
  }))
    it(`refuses a namespace that isn't closed: ${title}`, () =>
      assert.deepEqual(find(goodStack({ "deny-all": change && mutated("deny-all", change) })), [
        'Namespace shop: network: "open" is not allowed. Allowed: a NetworkPolicy that denies everything, and others that open listed flows. Fix: add them to the stack.',
      ]));

  it("takes one policy for both directions, one for each, and one that opens something for every pod", () => {
    const both = (change: object) =>
      find(goodStack({ "deny-all": mutated("deny-all", change as Record<string, unknown>) }));
    // Another policy of the good program closes what leaves for every pod, and opens DNS.
    assert.deepEqual(both({ "spec.policyTypes": ["Ingress"] }), []);
    assert.deepEqual(
      both({
        "spec.ingress": [{ from: [{ podSelector: { matchLabels: { a: "b" } } }], ports: [{ port: 1 }] }],
      }),
      [],
    );
    assert.equal(both({ "spec.policyTypes": ["Egress"] }).length, 1);
  });

  /** Removes openings of a policy. */
  const without = (name: string, direction: "ingress" | "egress", index: number): KubernetesObject => {
    const policy = good(name);
    (policy.spec as Record<string, unknown[]>)[direction]!.splice(index, 1);
    return policy;
  };
  const flows: [
    title: string,
    policy: string,
    direction: "ingress" | "egress",
    index: number,
    says: string[],
  ][] = [
    [
      "the operator",
      "instances-network",
      "ingress",
      0,
      [closed("the operator's status reads", "ingress", 8000)],
    ],
    ["replication's arrival", "instances-network", "ingress", 1, [closed("replication", "ingress", 5432)]],
    ["replication's departure", "instances-network", "egress", 0, [closed("replication", "egress", 5432)]],
    [
      "the pooler's arrival",
      "instances-network",
      "ingress",
      2,
      [closed("the pooler orders-pool", "ingress", 5432)],
    ],
    [
      "the pooler's departure",
      "pooler-network",
      "egress",
      0,
      [closed("the pooler orders-pool", "egress", 5432)],
    ],
    ["metrics", "instances-network", "ingress", 3, [closed("metrics", "ingress", 9187)]],
    [
      "DNS",
      "everyone-dns",
      "egress",
      0,
      [closed("DNS", "egress", 53), closed("DNS of the pooler orders-pool", "egress", 53)],
    ],
  ];
  for (const [title, policy, direction, index, says] of flows)
    it(`misses ${title}`, () =>
      assert.deepEqual(
        find(goodStack({ [policy]: without(policy, direction, index) }), { metricsNamespace: "monitoring" }),
        says,
      ));
  it("asks for what comes in from a pooler of another namespace, and nothing for one whose server is elsewhere", () => {
    const says = [closed("the pooler bouncer", "ingress", 5432)];
    assert.deepEqual(find(goodStack(leading("orders-rw.shop.svc"))), says);
    assert.deepEqual(find(goodStack(leading("orders-rw.elsewhere.svc", "shop"))), []);
    assert.deepEqual(find(goodStack(leading("orders-rw"))), []);
    const from = (namespaceLabel: string) => {
      const namespaceSelector = { matchLabels: { "kubernetes.io/metadata.name": namespaceLabel } };
      return goodStack({
        ...leading("orders-rw.shop.svc"),
        more: {
          apiVersion: "networking.k8s.io/v1",
          kind: "NetworkPolicy",
          metadata: { name: "more", namespace: "shop" },
          spec: {
            podSelector: (good("instances-network").spec as { podSelector: object }).podSelector,
            policyTypes: ["Ingress"],
            ingress: [
              {
                from: [{ namespaceSelector, podSelector: { matchLabels: bouncerPods } }],
                ports: [{ protocol: "TCP", port: 5432 }],
              },
            ],
          },
        },
      });
    };
    assert.deepEqual(find(from("web")), []);
    assert.deepEqual(find(from("elsewhere")), says);
    // What leaves a pooler beside its server is asked for, too.
    assert.deepEqual(find(goodStack(leading("orders-rw", "shop"))), [
      ...says,
      closed("the pooler bouncer", "egress", 5432),
    ]);
  });
  it("asks for metrics only where pods read them", () =>
    assert.deepEqual(
      find(goodStack({ "instances-network": without("instances-network", "ingress", 3) })),
      [],
    ));
  it("asks for the right port, and takes a range of ports", () => {
    const ports = (list: object[]) => {
      const policy = good("instances-network");
      (policy.spec as { ingress: { ports: object[] }[] }).ingress[0]!.ports = list;
      return { "instances-network": policy };
    };
    assert.deepEqual(find(goodStack(ports([{ port: 9000 }]))), [
      closed("the operator's status reads", "ingress", 8000),
    ]);
    assert.deepEqual(find(goodStack(ports([{ port: 7900, endPort: 8100 }]))), []);
  });

  it("takes no port of another protocol: TCP where a rule names none, and UDP for DNS", () => {
    const protocol = (name: string, given: string | undefined) => {
      const text = JSON.stringify(good(name)).replaceAll(/"protocol":"\w+"/g, `"protocol":"${given}"`);
      return {
        [name]: JSON.parse(given ? text : text.replaceAll(',"protocol":"undefined"', "")) as KubernetesObject,
      };
    };
    assert.deepEqual(find(goodStack(protocol("instances-network", "UDP"))), [
      closed("the operator's status reads", "ingress", 8000),
      closed("replication", "ingress", 5432),
      closed("replication", "egress", 5432),
      closed("the pooler orders-pool", "ingress", 5432),
    ]);
    assert.deepEqual(find(goodStack(protocol("instances-network", undefined))), []);
    const dns = [closed("DNS", "egress", 53), closed("DNS of the pooler orders-pool", "egress", 53)];
    assert.deepEqual(find(goodStack(protocol("everyone-dns", undefined))), dns);
    assert.deepEqual(find(goodStack(protocol("everyone-dns", "TCP"))), dns);
    assert.deepEqual(find(goodStack(protocol("everyone-dns", "UDP"))), []);
  });

  const opening = (
    rule: object,
    direction: "ingress" | "egress" = "ingress",
  ): Record<string, KubernetesObject> => ({
    more: {
      apiVersion: "networking.k8s.io/v1",
      kind: "NetworkPolicy",
      metadata: { name: "more", namespace: "shop" },
      spec: {
        podSelector: { matchLabels: { app: "x" } },
        policyTypes: ["Ingress", "Egress"],
        [direction]: [rule],
      },
    },
  });
  const wide = (who: string, direction = "ingress") =>
    `NetworkPolicy shop/more: ${direction}[0] peers: "${who}" is not allowed. Allowed: only the pods that need it. Fix: select by labels, or narrow the range.`;
  const ports = [{ port: 5432 }];

  it("refuses any peer and every port", () =>
    assert.deepEqual(find(goodStack(opening({}))), [
      'NetworkPolicy shop/more: ingress[0] peers: "any peer" is not allowed. Allowed: listed peers. Fix: list them.',
      'NetworkPolicy shop/more: ingress[0] ports: "all" is not allowed. Allowed: listed ports. Fix: list them.',
    ]));
  it("refuses a protocol's every port", () =>
    assert.deepEqual(
      find(
        goodStack(
          opening({ from: [{ podSelector: { matchLabels: { a: "b" } } }], ports: [{ protocol: "TCP" }] }),
        ),
      ),
      [
        'NetworkPolicy shop/more: ingress[0] ports: "all" is not allowed. Allowed: listed ports. Fix: list them.',
      ],
    ));
  it("refuses every port of one protocol beside a listed port", () =>
    assert.deepEqual(
      find(
        goodStack(
          opening({
            from: [{ podSelector: { matchLabels: { a: "b" } } }],
            ports: [{ port: 5432 }, { protocol: "UDP" }],
          }),
        ),
      ),
      [
        'NetworkPolicy shop/more: ingress[0] ports: "all" is not allowed. Allowed: listed ports. Fix: list them.',
      ],
    ));
  it("refuses ranges of more ports than anybody lists, alone or together", () => {
    const from = [{ podSelector: { matchLabels: { a: "b" } } }];
    const says = (count: number) => [
      `NetworkPolicy shop/more: ingress[0] ports: "${count} ports" is not allowed. Allowed: listed ports, or ranges of at most 1024 together. Fix: list them.`,
    ];
    const ranges = (...list: [port: number, endPort: number][]) =>
      find(goodStack(opening({ from, ports: list.map(([port, endPort]) => ({ port, endPort })) })));
    assert.deepEqual(ranges([1, 65_535]), says(65_535));
    assert.deepEqual(ranges([1, 1000], [1001, 2000]), says(2000));
    assert.deepEqual(ranges([5432, 5440], [8000, 9000]), []);
  });
  it("refuses selectors that say only what they don't take, or what every namespace has", () => {
    const peer = (selector: object) => find(goodStack(opening({ from: [selector], ports })));
    const where = (key: string, operator: string, ...values: string[]) => ({
      matchExpressions: [{ key, operator, ...(values.length > 0 && { values }) }],
    });
    const name = "kubernetes.io/metadata.name";
    const namespaces = [wide("every namespace that it doesn't exclude")];
    for (const namespaceSelector of [
      where(name, "Exists"),
      where(name, "NotIn", "kube-system"),
      where("a", "DoesNotExist"),
    ])
      assert.deepEqual(peer({ namespaceSelector }), namespaces);
    for (const podSelector of [where("nope", "DoesNotExist"), where("app", "NotIn", "x")])
      assert.deepEqual(peer({ podSelector }), [wide("every pod of the namespace that it doesn't exclude")]);
    for (const selector of [where(name, "In", "web"), where("team", "Exists")])
      assert.deepEqual(peer({ namespaceSelector: selector }), []);
    assert.deepEqual(peer({ podSelector: where("app", "Exists") }), []);
    assert.deepEqual(
      peer({ podSelector: { ...where("app", "NotIn", "x"), matchLabels: { team: "web" } } }),
      [],
    );
  });
  it("takes no policy without types for one that denies what leaves, unless it has a rule for it", () => {
    const denying = (spec: object) => {
      // It closes what leaves for some pods only.
      const dns = mutated("everyone-dns", {
        "spec.podSelector": { matchExpressions: [{ key: "a", operator: "DoesNotExist" }] },
      });
      return find(goodStack({ "deny-all": mutated("deny-all", { spec }), "everyone-dns": dns })).length;
    };
    for (const types of [{}, { policyTypes: [] }]) {
      assert.equal(denying({ podSelector: {}, egress: [], ...types }), 1);
      const [rule] = (good("everyone-dns").spec as { egress: object[] }).egress;
      assert.equal(denying({ podSelector: {}, egress: [rule], ...types }), 0);
    }
    assert.equal(denying({ podSelector: {}, policyTypes: ["Ingress", "Egress"] }), 0);
  });
  it("asks nothing for poolers of other clusters and namespaces, and for one that serves several", () => {
    const labels = { app: "bouncer" };
    const other = mutated("pooler", { "metadata.name": "second", "spec.cluster.name": "other" });
    const elsewhere = mutated("pooler", { "metadata.name": "third", "metadata.namespace": "web" });
    assert.deepEqual(find(goodStack({ other, elsewhere })), []);
    const several: Record<string, KubernetesObject> = {
      bouncer: {
        apiVersion: "apps/v1",
        kind: "Deployment",
        metadata: { name: "bouncer", namespace: "shop" },
        spec: {
          template: {
            metadata: { labels },
            spec: { containers: [{ name: "pgbouncer" }], volumes: [{ configMap: { name: "ini" } }] },
          },
        },
      },
      ini: {
        apiVersion: "v1",
        kind: "ConfigMap",
        metadata: { name: "ini", namespace: "shop" },
        data: { "pgbouncer.ini": "[databases]\na = host=elsewhere\nb = host=orders-rw\n" },
      },
    };
    assert.deepEqual(find(goodStack(several)), [
      closed("the pooler bouncer", "ingress", 5432),
      closed("the pooler bouncer", "egress", 5432),
    ]);
  });
  it("refuses every pod of the namespace, every namespace, every address", () => {
    assert.deepEqual(find(goodStack(opening({ from: [{ podSelector: {} }], ports }))), [
      wide("every pod of the namespace"),
    ]);
    assert.deepEqual(find(goodStack(opening({ from: [{ namespaceSelector: {} }], ports }))), [
      wide("every namespace"),
    ]);
    for (const cidr of ["0.0.0.0/0", "::/0"])
      assert.deepEqual(find(goodStack(opening({ from: [{ ipBlock: { cidr } }], ports }))), [
        wide(`every address (${cidr})`),
      ]);
  });
  it("refuses to reach every address, but on the API server's ports", () => {
    const to = [{ ipBlock: { cidr: "0.0.0.0/0" } }];
    assert.deepEqual(find(goodStack(opening({ to, ports }, "egress"))), [
      wide("every address (0.0.0.0/0)", "egress"),
    ]);
    assert.deepEqual(find(goodStack(opening({ to, ports: [{ port: 443 }] }, "egress"))), []);
    assert.deepEqual(find(goodStack(opening({ to, ports: [{ port: 443, endPort: 999 }] }, "egress"))), [
      wide("every address (0.0.0.0/0)", "egress"),
    ]);
    assert.deepEqual(find(goodStack(opening({ from: to, ports: [{ port: 443 }] }))), [
      wide("every address (0.0.0.0/0)"),
    ]);
    assert.deepEqual(find(goodStack(opening({ to, ports: [{ port: 443 }, { port: 5432 }] }, "egress"))), [
      wide("every address (0.0.0.0/0)", "egress"),
    ]);
    assert.deepEqual(
      find(goodStack(opening({ to, ports: [{ port: 443 }] }, "egress")), { anyAddressPorts: [] }),
      [
        'NetworkPolicy shop/instances: egress[1] peers: "every address (0.0.0.0/0)" is not allowed. Allowed: only the pods that need it. Fix: select by labels, or narrow the range.',
        wide("every address (0.0.0.0/0)", "egress"),
      ],
    );
  });
  it("lets pods reach every address on the ports of the stack's stores, and on those alone", () => {
    const to = [{ ipBlock: { cidr: "0.0.0.0/0" } }];
    const opened = (port: number, endpoint: string) =>
      find(
        goodStack({
          ...opening({ to, ports: [{ port }] }, "egress"),
          archive: mutated("archive", { "spec.configuration.endpointURL": endpoint }),
        }),
      );
    const refused = [wide("every address (0.0.0.0/0)", "egress")];
    assert.deepEqual(opened(9000, "https://minio.example.com:9000"), []);
    assert.deepEqual(opened(8333, "http://[2001:db8::7]:8333/"), []);
    assert.deepEqual(opened(9001, "https://minio.example.com:9000"), refused);
    assert.deepEqual(opened(9000, "https://minio.example.com"), refused);
    const target = (annotations: object) => ({
      ...opening({ to, ports: [{ port: 9443 }] }, "egress"),
      target: {
        apiVersion: "v1",
        kind: "Secret",
        metadata: { name: "second", namespace: "shop", annotations: annotations as Record<string, string> },
      },
    });
    const endpoint = { "pgplatform.io/store-endpoint": "https://ceph.example.com:9443" };
    assert.deepEqual(find(goodStack(target({ ...endpoint, "pgplatform.io/store-bucket": "b" }))), []);
    assert.deepEqual(find(goodStack(target(endpoint))), refused);
  });
  it("allows a listed client, one namespace, one range, and what is open in other namespaces", () => {
    for (const peer of [
      { podSelector: { matchLabels: { app: "client" } } },
      { namespaceSelector: { matchLabels: { "kubernetes.io/metadata.name": "web" } } },
      { ipBlock: { cidr: "192.0.2.0/24" } },
    ])
      assert.deepEqual(find(goodStack(opening({ from: [peer], ports }))), []);
    const elsewhere = opening({});
    elsewhere.more!.metadata.namespace = "web";
    assert.deepEqual(find(goodStack(elsewhere)), []);
  });
  it("says nothing where there is no cluster", () =>
    assert.deepEqual(find(goodStack({ cluster: undefined, "deny-all": undefined })), []));
});
