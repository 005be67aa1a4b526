import assert from "node:assert/strict";
import { planner as cnpg } from "../../plan/engines/cnpg/planner";
import { readers } from "../../plan/engines/readers";
import { clusterLabel } from "../../plan/names";
import { liveReaders, planners } from "../../plan/engines/select";
import { planner as standalone } from "../../plan/engines/standalone/planner";
import { type LiveFacts, nodeOf, othersOf, storageClassOf } from "../../operations/liveFacts";
import { preflight } from "../../operations/preflight";
import { type Planned, type Verdict } from "../../operations/verdict";
import { sentence } from "../../checks/index";
import { type SettingsInput } from "../../settings/schema";
import { changed, checked, smallest } from "../support/settings";

/** Facts are plain data here; that they are read rightly from a live cluster is shown by tests/e2e/changes.test.ts. */

const node = (host: string, zone: string) => ({
  host,
  zone,
  takesPods: true,
  taints: [],
  labels: {},
  memoryBytes: 8 * 2 ** 30,
  milliCores: 4000,
  hugePageBytes: { "2Mi": 0, "1Gi": 0 },
});

const healthy: LiveFacts = {
  kubernetes: "1.34.1",
  storageClasses: [
    { name: "local-path", isDefault: true, expands: false },
    { name: "fast", isDefault: false, expands: true },
  ],
  namespaces: ["default"],
  madeFor: {},
  otherPods: [],
  priorityClasses: ["system-cluster-critical"],
  nodes: [node("n1", "z1"), node("n2", "z2"), node("n3", "z3")],
  apiGroups: ["apps"],
  poolerPods: {},
};

const pooled = (): SettingsInput => ({ ...smallest(), poolers: [{ name: "app", database: "app" }] });

/** The plan of a stack's settings, as the preflight sees it. */
function planned(input: SettingsInput, more: Partial<Planned> = {}): Planned {
  const settings = checked(input);
  const object = cnpg.plan(settings).objects[0]?.object;
  const shape = object && liveReaders.cnpg.shape(object);
  if (object === undefined || shape === undefined) throw new Error("no cluster is planned");
  return {
    settings,
    shape,
    requiredHostSpread: readers.cnpg.facts(object)?.requiredHostSpread ?? false,
    engine: cnpg,
    operator: { image: "operator:2" },
    ownsOperator: false,
    tlsNames: [],
    ownNamespaces: [],
    ...more,
  };
}

/** The live cluster that a stack's settings made. */
const madeBy = (input: SettingsInput): LiveFacts => ({
  ...healthy,
  cluster: planned(input).shape,
  poolerPods: { "main-pooler-app": 2 },
  operator: { image: "operator:2", installedBy: "postgres/main" },
});

const nothing: Verdict = { problems: [], warnings: [], questions: [] };
const said = (verdict: Verdict): string[] => verdict.problems.map(sentence);

describe("preflight over plain facts", () => {
  it("has nothing to say about a first installation and about a second run", () => {
    assert.deepEqual(preflight(planned(pooled()), healthy), nothing);
    assert.deepEqual(preflight(planned(pooled()), madeBy(pooled())), nothing);
  });

  it("tells every problem at once", () => {
    const input = changed(changed(pooled(), "cluster.storage.size", "1Gi"), "cluster.instances", 5);
    const facts = { ...madeBy(pooled()), storageClasses: [], kubernetes: "1.29.3" };
    assert.deepEqual(
      preflight(planned(input), facts).problems.map(({ path }) => path.replace("pgplatform:", "")),
      ["kubernetes.context", "cluster.storage.class", "cluster.storage.size", "cluster.instances"],
    );
  });

  describe("storage", () => {
    it("refuses a class that isn't there, and lists those that are", () => {
      const input = changed(smallest(), "cluster.storage.class", "nfs");
      assert.deepEqual(said(preflight(planned(input), healthy)), [
        'pgplatform:cluster.storage.class: "nfs" is not allowed. Allowed: one of local-path, fast. Fix: name a storage class that the Kubernetes cluster has.',
      ]);
    });

    it("refuses volumes that would shrink", () => {
      const facts = madeBy(changed(smallest(), "cluster.storage.size", "4Gi"));
      assert.deepEqual(said(preflight(planned(smallest()), facts)), [
        'pgplatform:cluster.storage.size: "2Gi" is not allowed. Allowed: at least 4Gi, which the volumes have. Fix: volumes don\'t shrink; keep the size, or restore into a new cluster with smaller ones.',
      ]);
    });

    it("compares amounts, not spellings", () => {
      const facts = madeBy(changed(smallest(), "cluster.storage.size", "2048Mi"));
      assert.deepEqual(preflight(planned(smallest()), facts), nothing);
    });

    it("refuses growth where the class can't, by the class that the volumes have", () => {
      const larger = changed(smallest(), "cluster.storage.size", "4Gi");
      assert.match(
        said(preflight(planned(larger), madeBy(smallest())))[0] ?? "",
        /size: "4Gi" is not allowed\. Allowed: 2Gi, since the storage class local-path can't grow volumes\. Fix: keep the size/,
      );
      const fast = changed(smallest(), "cluster.storage.class", "fast");
      const grown = planned(changed(larger, "cluster.storage.class", "fast"));
      assert.deepEqual(preflight(grown, madeBy(fast)), nothing);
    });

    it("refuses to remove the WAL volume or to shrink it, and lets it be added", () => {
      const log = (size: string) => changed(smallest(), "cluster.storage.walSize", size);
      assert.match(
        said(preflight(planned(smallest()), madeBy(log("1Gi"))))[0] ?? "",
        /walSize: not set\. Allowed: at least 1Gi, which the WAL volumes have\. Fix: .* keep walSize\.$/,
      );
      assert.match(
        said(preflight(planned(log("1Gi")), madeBy(log("2Gi"))))[0] ?? "",
        /walSize: "1Gi" is not allowed\. Allowed: at least 2Gi/,
      );
      assert.deepEqual(preflight(planned(log("1Gi")), madeBy(smallest())), nothing);
    });

    it("warns that another class moves nothing", () => {
      const verdict = preflight(
        planned(changed(smallest(), "cluster.storage.class", "fast")),
        madeBy(smallest()),
      );
      assert.deepEqual(said(verdict), []);
      assert.match(verdict.warnings[0] ?? "", /changes from local-path to fast: volumes that are there stay/);
    });
  });

  describe("nodes", () => {
    const two = { ...healthy, nodes: healthy.nodes.slice(0, 2) };

    it("must be enough for instances that keep apart", () => {
      assert.deepEqual(said(preflight(planned(smallest()), two)), [
        "pgplatform:cluster.instances: 3 is not allowed. Allowed: at most 2, each on a node of its own that takes pods and is big enough (n1, n2). Fix: add nodes, or ask for fewer instances, smaller requests, or another scheduling.",
      ]);
    });

    it("may be fewer where instances may share one", () => {
      assert.deepEqual(preflight(planned(smallest(), { requiredHostSpread: false }), two), nothing);
    });

    it("that are cordoned, not ready, too small or the same host don't count", () => {
      const [n1, n2, n3] = healthy.nodes;
      assert.ok(n1 && n2 && n3);
      for (const third of [
        { ...n3, takesPods: false },
        { ...n3, memoryBytes: 2 ** 20 },
        { ...n3, milliCores: 1 },
        n2,
      ])
        assert.equal(
          preflight(planned(smallest()), { ...healthy, nodes: [n1, n2, third] }).problems.length,
          1,
        );
    });

    it("that are gone refuse no update of a cluster that has its instances: a warning", () => {
      const verdict = preflight(planned(pooled()), { ...madeBy(pooled()), nodes: healthy.nodes.slice(0, 1) });
      assert.deepEqual(said(verdict), []);
      assert.match(
        verdict.warnings.join("\n"),
        /cluster\.instances is 3 and only 1 nodes take such pods \(n1\)/,
      );
      assert.match(verdict.warnings.join("\n"), /poolers\[0\]\.instances is 2/);
    });

    it("must be enough for the pods of a pooler", () => {
      const input = changed(pooled(), "poolers.0.instances", 4);
      assert.match(
        said(preflight(planned(input), healthy))[0] ?? "",
        /poolers\[0\]\.instances: 4 is not allowed\. Allowed: at most 3/,
      );
    });

    it("of one zone are told in prod", () => {
      const prod = { ...smallest(), tier: "prod" as const };
      const one = { ...healthy, nodes: healthy.nodes.map((each) => ({ ...each, zone: "z1" })) };
      assert.match(
        preflight(planned(prod), one).warnings.join(),
        /zone is not survived: all nodes are in zone z1/,
      );
      const none = {
        ...healthy,
        nodes: healthy.nodes.map((each) => changed(each, "zone", undefined)),
      };
      assert.match(preflight(planned(prod), none).warnings.join(), /no node says in which zone/);
      assert.deepEqual(preflight(planned(smallest()), one), nothing);
    });

    it("of two zones are told in prod what the loss of the fuller one leaves", () => {
      const zoned = (...zones: string[]) => ({
        ...healthy,
        nodes: healthy.nodes.map((each, index) => ({ ...each, zone: zones[index]! })),
      });
      const warnings = (input: Parameters<typeof planned>[0], facts = zoned("z1", "z1", "z2")) =>
        preflight(planned(input), facts).warnings.join();
      const prod = { ...smallest(), tier: "prod" as const };
      const half = /2 of 3 instances are in one of 2 zones, and without them /;
      assert.match(warnings(prod), half);
      assert.match(warnings(prod), /no instance takes over by itself/);
      assert.match(
        warnings(changed(prod, "cluster.durability", "balanced")),
        /acknowledged commits may be lost/,
      );
      assert.equal(warnings(changed(prod, "cluster.durability", "async")), "");
      assert.equal(warnings(prod, zoned("z1", "z2", "z3")), "");
      const five = changed(changed(prod, "cluster.instances", 5), "cluster.synchronousStandbys", 2);
      assert.doesNotMatch(warnings(five, zoned("z1", "z2", "z3")), /zone/);
      assert.match(warnings(five), /3 of 5 instances/);
    });
  });

  it("refuses autoscaling without metrics of pods", () => {
    const input = {
      ...changed(pooled(), "poolers.0.autoscaling", { maxInstances: 4 }),
      platform: "cloud" as const,
      tier: "dev" as const,
    };
    const scaled = planned(changed(input, "cluster.storage.class", "fast"));
    assert.match(
      said(preflight(scaled, healthy))[0] ?? "",
      /poolers\[0\]\.autoscaling: .* is not allowed\. Allowed: only where the API metrics\.k8s\.io is served\. Fix: install metrics-server/,
    );
    assert.deepEqual(preflight(scaled, { ...healthy, apiGroups: ["metrics.k8s.io"] }), nothing);
  });

  describe("versions", () => {
    it("of Kubernetes that the operator doesn't run on are refused, and untested ones told", () => {
      assert.match(
        said(preflight(planned(smallest()), { ...healthy, kubernetes: "1.29.9" }))[0] ?? "",
        /Allowed: a cluster of Kubernetes 1\.30 or newer for the engine cnpg, and it has 1\.29\.9/,
      );
      assert.match(
        preflight(planned(smallest()), { ...healthy, kubernetes: "1.32.1+k3s1" }).warnings.join(),
        /1\.32\.1\+k3s1 is not among the versions that the operator supports \(1\.34 to 1\.36\)/,
      );
      for (const kubernetes of ["1.34.0", "1.36.9", "1.35.2+k3s1", "1.35.1-gke.1"])
        assert.deepEqual(preflight(planned(smallest()), { ...healthy, kubernetes }), nothing, kubernetes);
    });

    it("of PostgreSQL go up only after a question, and never down", () => {
      const live = madeBy(smallest());
      assert.ok(live.cluster);
      const older = { ...live, cluster: { ...live.cluster, major: 16 } };
      const newer = { ...live, cluster: { ...live.cluster, major: 18 } };
      assert.deepEqual(preflight(planned(smallest()), older).questions, [
        "PostgreSQL 16 becomes 17: the database stops for the upgrade, and there is no way back.",
      ]);
      assert.match(
        said(preflight(planned(smallest()), newer))[0] ?? "",
        /postgresVersion: "17" is not allowed\. Allowed: at least 18, which the data has/,
      );
    });
  });

  it("wants the namespace that the platform is told not to make", () => {
    const input = changed(smallest(), "cluster.makeNamespace", false);
    assert.deepEqual(said(preflight(planned(input), healthy)), [
      'pgplatform:cluster.namespace: "postgres" is not allowed. Allowed: a namespace that is there, since cluster.makeNamespace is false. Fix: ' +
        "make it (kubectl create namespace postgres), or leave makeNamespace out.",
    ]);
    assert.deepEqual(preflight(planned(input), { ...healthy, namespaces: ["postgres"] }), nothing);
  });

  it("refuses other certificates of CloudNativePG's servers beside a first backup, which would wait for each other; each alone passes", () => {
    const before = smallest();
    const provided = changed(before, "tls", { issuer: "provided", secretName: "mine" });
    const target = { name: "near", kind: "local", size: "5Gi" };
    const both = changed(provided, "backup", { targets: [target] });
    const said = (from: SettingsInput, to: SettingsInput) =>
      (preflight(planned(to), madeBy(from)).problems ?? []).map(sentence);
    const refused = (issuer: string) =>
      `pgplatform:tls.issuer: "${issuer}" is not allowed. Allowed: what it is now while backup is added: an instance takes the other certificate only with its new sidecar, and the operator gives it the sidecar only once it trusts that certificate. Fix: change one of both, run \`make up\`, then change the other.`;
    assert.ok(said(before, both).includes(refused("provided")));
    const backedUp = changed(before, "backup", { targets: [target] });
    assert.ok(said(provided, backedUp).includes(refused("engine")));
    for (const [from, to] of [
      [before, provided],
      [before, backedUp],
      [backedUp, both],
      [provided, both],
      [both, before],
    ] as const)
      assert.ok(!said(from, to).some((one) => one.includes("tls.issuer")), JSON.stringify(to));
    assert.ok(
      !(preflight(planned(both), healthy).problems ?? [])
        .map(sentence)
        .some((one) => one.includes("tls.issuer")),
      "a new cluster",
    );
  });

  describe("a namespace that is there already", () => {
    const there: LiveFacts = { ...healthy, namespaces: ["default", "postgres", "pgplatform-monitoring"] };

    it("isn't taken over, since it would be closed, and deleted with the stack", () => {
      assert.deepEqual(said(preflight(planned(smallest()), there)), [
        'pgplatform:cluster.namespace: "postgres" is not allowed. Allowed: a namespace that isn\'t there yet, since the stack would take this one over, ' +
          "close its network, and delete it with all in it when it goes. Fix: name another one, or set cluster.makeNamespace to false to share it.",
      ]);
      const input: SettingsInput = {
        ...smallest(),
        monitoring: { prometheus: "install", namespace: "observability" },
      };
      assert.match(
        said(preflight(planned(input), { ...healthy, namespaces: ["observability"] })).join(),
        /^pgplatform:monitoring\.namespace: "observability" is not allowed\. .* Fix: name another one, or leave it out\.$/,
      );
    });

    it("is its own: its state has it, or the namespace says so where the state was lost", () => {
      assert.deepEqual(preflight(planned(smallest(), { ownNamespaces: ["postgres"] }), there), nothing);
      assert.deepEqual(preflight(planned(smallest()), { ...there, madeFor: { postgres: "main" } }), nothing);
    });

    it("is another cluster's, whose stack would be the second that deletes it", () => {
      assert.match(
        said(preflight(planned(smallest()), { ...there, madeFor: { postgres: "orders" } })).join(),
        /; the stack of the cluster orders made it\. Fix: name another one, or set cluster\.makeNamespace to false/,
      );
    });

    it("is shared with pods that the policies would close in: asked about, before the cluster is there", () => {
      const input = changed(smallest(), "cluster.makeNamespace", false);
      const shared: LiveFacts = { ...there, otherPods: ["shop-1", "shop-2", "cart-1"] };
      assert.deepEqual(preflight(planned(input), shared).questions, [
        "Network policies close the namespace postgres: its pods shop-1 and 2 more, which no platform made, will reach and be reached by what " +
          "policies of their own open, and nothing else.",
      ]);
      assert.deepEqual(preflight(planned(input), { ...madeBy(input), ...shared }), nothing);
    });

    it("knows the pods of each engine's clusters from others", () => {
      const pod = (name: string, labels: Record<string, string>) => ({
        apiVersion: "v1",
        kind: "Pod",
        metadata: { name, labels },
      });
      const ours = Object.values(planners).map(({ name, instancePods }) =>
        pod(name, instancePods.labels("orders")),
      );
      assert.deepEqual(
        othersOf([
          ...ours,
          pod("pooler", { [clusterLabel]: "main" }),
          pod("shop", { application: "shop" }),
          pod("bare", {}),
        ]),
        ["shop", "bare"],
      );
    });
  });

  describe("the namespace of a client with binding", () => {
    const withBinding = (binding: boolean | object): SettingsInput => ({
      ...smallest(),
      clients: [{ name: "c", namespace: "shop", labels: { app: "c" }, direct: true, binding }],
    });

    it("must be there, with the ways to have it", () => {
      assert.deepEqual(said(preflight(planned(withBinding(true)), healthy)), [
        'pgplatform:clients[0].namespace: "shop" is not allowed. Allowed: a namespace that is there, since the client\'s binding goes into it. Fix: ' +
          "make it (kubectl create namespace shop), or set binding to { makeNamespace: true }.",
      ]);
    });

    it("is there, is to be made, or nothing goes into it", () => {
      assert.deepEqual(preflight(planned(withBinding(true)), { ...healthy, namespaces: ["shop"] }), nothing);
      assert.deepEqual(preflight(planned(withBinding({ makeNamespace: true })), healthy), nothing);
      assert.deepEqual(preflight(planned(withBinding(false)), healthy), nothing);
      const inCluster = changed(withBinding(true), "clients.0.namespace", "postgres");
      assert.deepEqual(preflight(planned(inCluster), healthy), nothing);
    });
  });

  describe("the passwords' credential version", () => {
    const at = (credentialVersion: number) =>
      planned(changed(smallest(), "rotation.credentialVersion", credentialVersion));
    const live = (credentialVersion: number, stage: "added" | "handed-out" | "only" = "only"): LiveFacts => ({
      ...madeBy(smallest()),
      rotation: { credentialVersion, stage },
    });

    it("is kept or raised by one, and free where nothing is there", () => {
      for (const credentialVersion of [2, 3])
        assert.deepEqual(preflight(at(credentialVersion), live(2)), nothing);
      assert.deepEqual(preflight(at(2), live(2, "handed-out")), nothing);
      assert.deepEqual(preflight(at(7), healthy), nothing);
    });

    it("is neither lowered nor raised by more", () => {
      for (const credentialVersion of [1, 4])
        assert.deepEqual(said(preflight(at(credentialVersion), live(2))), [
          `pgplatform:rotation.credentialVersion: ${credentialVersion} is not allowed. Allowed: 2, which is in use, or 3. Fix: set 3 to rotate, or 2 to keep the passwords.`,
        ]);
    });

    it("is not changed while a rotation is under way", () => {
      for (const credentialVersion of [1, 3])
        assert.deepEqual(said(preflight(at(credentialVersion), live(2, "added"))), [
          `pgplatform:rotation.credentialVersion: ${credentialVersion} is not allowed. Allowed: 2, whose rotation is under way. Fix: set 2 and let \`make up\` end it first.`,
        ]);
    });
  });

  it("refuses to take another stack's cluster over", () => {
    assert.deepEqual(said(preflight(planned(smallest(), { heldBy: "dev" }), madeBy(smallest()))), [
      'pgplatform:cluster.name: "main" is not allowed. Allowed: another name or namespace, since cluster postgres/main is the stack dev\'s. Fix: rename this one, or remove that stack first (`STACK=dev make destroy`).',
    ]);
  });

  describe("the operator", () => {
    const foreign = { ...healthy, operator: { image: "operator:1" } };
    const neighbours = { ...healthy, operator: { image: "operator:2", installedBy: "other/db" } };

    it("of another installation is not taken over", () => {
      assert.match(
        said(preflight(planned(smallest()), foreign))[0] ?? "",
        /operator\.install: true is not allowed\. Allowed: false, since something else than this platform installed the operator \(operator:1\)/,
      );
      assert.match(
        said(preflight(planned(smallest()), neighbours))[0] ?? "",
        /since the stack of cluster other\/db installed the operator/,
      );
    });

    it("of this stack is upgraded, by its state or by its mark", () => {
      assert.deepEqual(preflight(planned(smallest(), { ownsOperator: true }), foreign), nothing);
      const marked = { ...healthy, operator: { image: "operator:1", installedBy: "postgres/main" } };
      assert.deepEqual(preflight(planned(smallest()), marked), nothing);
    });

    it("must be there where the stack doesn't install it", () => {
      const without = planned({ ...smallest(), operator: { install: false } });
      delete (without as { operator?: unknown }).operator;
      assert.match(
        said(preflight(without, healthy))[0] ?? "",
        /operator\.install: false is not allowed\. Allowed: true where no operator runs/,
      );
      assert.deepEqual(preflight(without, neighbours), nothing);
    });

    it("is not asked for where the engine has none", () => {
      const without = planned({ ...smallest(), operator: { install: false } }, { engine: standalone });
      delete (without as { operator?: unknown }).operator;
      assert.deepEqual(preflight(without, healthy), nothing);
    });
  });
});

describe("live objects as facts", () => {
  it("a node takes pods when it is ready and not cordoned, and says which taints keep pods away", () => {
    const live = (spec: object, ready = "True") =>
      nodeOf({
        apiVersion: "v1",
        kind: "Node",
        metadata: {
          name: "n1",
          labels: { "kubernetes.io/hostname": "h1", "topology.kubernetes.io/zone": "z1" },
        },
        spec: { ...spec },
        status: {
          conditions: [{ type: "Ready", status: ready }],
          allocatable: { cpu: "2", memory: "1Gi", "hugepages-2Mi": "2Mi" },
        },
      });
    assert.deepEqual(live({}), {
      host: "h1",
      zone: "z1",
      takesPods: true,
      taints: [],
      labels: { "kubernetes.io/hostname": "h1", "topology.kubernetes.io/zone": "z1" },
      memoryBytes: 2 ** 30,
      milliCores: 2000,
      hugePageBytes: { "2Mi": 2 ** 21, "1Gi": 0 },
    });
    assert.equal(live({ unschedulable: true }).takesPods, false);
    const taint = (effect: string) => ({ key: "dedicated", value: "postgres", effect });
    for (const effect of ["NoSchedule", "NoExecute"])
      assert.deepEqual(live({ taints: [taint(effect)] }).taints, [taint(effect)]);
    assert.deepEqual(live({ taints: [taint("PreferNoSchedule")] }).taints, []);
    assert.equal(live({}, "Unknown").takesPods, false);
  });

  it("a storage class grows volumes when it says so", () => {
    const metadata = { name: "a", annotations: { "storageclass.kubernetes.io/is-default-class": "true" } };
    const object = { apiVersion: "storage.k8s.io/v1", kind: "StorageClass", metadata };
    assert.deepEqual(storageClassOf(object), { name: "a", isDefault: true, expands: false });
    assert.equal(storageClassOf({ ...object, allowVolumeExpansion: true }).expands, true);
  });
});
