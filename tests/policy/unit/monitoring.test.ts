import assert from "node:assert/strict";
import { planPlatform } from "../../../plan/platform";
import { planners } from "../../../plan/engines/select";
import { ruleConfigMap } from "../../../plan/monitoring/alerts";
import { invariants, valuesOf } from "../../../policy/invariants";
import { stackFacts } from "../../../policy/stackFacts";
import { sentence } from "../../../settings/problem";
import type { KubernetesObject } from "../../../plan/objects";
import type { Engine } from "../../alerts/case";
import { settingsOf } from "../../alerts/promtool";
import { releasedObjects } from "../../support/manifest";
import { checked, smallest } from "../../support/settings";
import { good, goodStack, mutated, violationsInStack } from "./kit";

type Rules = KubernetesObject & { spec: { groups: { rules: { alert: string; expr: string }[] }[] } };

/** The passing rules without some of them. */
function without(...names: readonly string[]): KubernetesObject {
  const rules = good("rules") as Rules;
  for (const group of rules.spec.groups)
    group.rules = group.rules.filter(({ alert }) => !names.includes(alert));
  return rules;
}

const silent = (what: string): string =>
  `Cluster shop/orders: alerts on ${what}: not set. Allowed: an alert on each of them, since nothing else says it in time. Fix: set pgplatform:monitoring.prometheus, or add rules.`;

/** What a platform of an engine registers. */
const registered = (engine: Engine, change: Readonly<Record<string, unknown>> = {}): KubernetesObject[] => {
  const plan = planPlatform(
    settingsOf(engine, { "operator.install": false, "cluster.storage.class": "longhorn", ...change }),
    () => [],
  );
  const objects = [
    plan.cluster.objects,
    plan.backups,
    plan.metrics,
    ...plan.poolers.map((one) => one.objects),
  ];
  const { name, labels } = plan.namespace;
  return [
    { apiVersion: "v1", kind: "Namespace", metadata: { name, labels } },
    ...objects.flatMap((list) => list.map(({ object }) => object)),
  ];
};

const names = ["alerts", "pod-security", "storage-class"];
const engines = Object.keys(planners) as Engine[];

describe("the policies of monitoring, namespaces and storage", () => {
  for (const engine of engines)
    it(`have nothing to say about the platform's own, with the engine ${engine}`, () => {
      for (const prometheus of ["operator", "annotations"]) {
        const stack = stackFacts(registered(engine, { "monitoring.prometheus": prometheus }));
        assert.equal(stack.clusters.length, 1);
        const found = invariants
          .filter(({ name }) => names.includes(name))
          .flatMap((one) => (one.on === "stack" ? one.check(stack, valuesOf(one)).map(sentence) : ["?"]));
        assert.deepEqual(found, []);
      }
    });

  it("have nothing to say about a Grafana that the stack installs, nor has any other", async () => {
    const released = await releasedObjects("monitoring");
    const saidOf = (install: object): string[] => {
      const plan = planPlatform(
        checked({
          ...smallest(),
          platform: "k3d",
          tier: "dev",
          operator: { install: false },
          monitoring: { prometheus: "install", install },
        }),
        () => [],
        undefined,
        () => released,
      );
      const { namespace, networkPolicies, objects } = plan.monitoring!;
      const { name, labels } = namespace;
      const all: KubernetesObject[] = [
        { apiVersion: "v1", kind: "Namespace", metadata: { name, labels } },
        ...[plan.cluster.objects, plan.networkPolicies, plan.metrics, networkPolicies, objects].flatMap(
          (list) => list.map(({ object }) => object),
        ),
      ];
      const stack = stackFacts(all);
      return invariants.flatMap((one) =>
        one.on === "stack"
          ? one.check(stack, valuesOf(one)).map(sentence)
          : one.on === "object"
            ? all.flatMap((object) => one.check(object, valuesOf(one), undefined).map(sentence))
            : [],
      );
    };
    const image = `registry.example.com/grafana:12.3.0@sha256:${"0".repeat(64)}`;
    const without = saidOf({});
    assert.deepEqual(saidOf({ grafana: { image } }), without);
    // The pack does look at it.
    assert.ok(saidOf({ grafana: { image: "registry.example.com/grafana:12.3.0" } }).length > without.length);
  });

  it("name a platform without alerts, on every engine", () => {
    for (const engine of engines) {
      const [message = "", ...more] = violationsInStack(
        "alerts",
        registered(engine, { "monitoring.rules": false }),
      );
      assert.deepEqual(more, []);
      assert.match(
        message,
        /alerts on archive failure, backup age, restore-verification age.* disk, transaction IDs, certificate expiry, pooler saturation/,
      );
      assert.equal(message.includes("replication lag"), engine !== "standalone");
    }
  });
});

describe("the invariant alerts", () => {
  it("has nothing to say about another program's rules, by what they are about", () =>
    assert.deepEqual(violationsInStack("alerts", goodStack()), []));

  for (const [alert, what] of [
    ["ArchiverFails", "archive failure"],
    ["OldBackup", "backup age"],
    ["OldVerification", "restore-verification age"],
    ["Behind", "replication lag"],
    ["Full", "disk"],
    ["Wraparound", "transaction IDs"],
    ["Expires", "certificate expiry"],
    ["Waiting", "pooler saturation"],
  ] as const)
    it(`misses one: ${what}`, () =>
      assert.deepEqual(violationsInStack("alerts", goodStack({ rules: without(alert) })), [silent(what)]));

  it("takes a file of rules in a ConfigMap, and no other text", () => {
    const file = ruleConfigMap(settingsOf("cnpg", { "cluster.name": "orders", "cluster.namespace": "shop" }));
    assert.deepEqual(violationsInStack("alerts", goodStack({ rules: file })), []);
    const yaml = {
      ...file,
      data: { "a.yaml": "groups:\n- name: a\n  rules:\n  - alert: DiskFull\n    expr: up\n" },
    };
    assert.ok(!violationsInStack("alerts", goodStack({ rules: yaml }))[0]?.includes("disk"));
    const text = {
      ...file,
      data: { note: "alerts on volume, xid, lag, backup, archive, cert, verify and pooler" },
    };
    assert.match(
      violationsInStack("alerts", goodStack({ rules: text }))[0] ?? "",
      /archive failure.*pooler saturation/,
    );
  });

  it("doesn't take the rules of another cluster, unless they are elsewhere", () => {
    const others = ruleConfigMap(settingsOf("cnpg", { "cluster.name": "other" }));
    assert.equal(violationsInStack("alerts", goodStack({ rules: others })).length, 1);
    assert.deepEqual(
      violationsInStack("alerts", goodStack({ rules: others }), { elsewhere: ["orders"] }),
      [],
    );
  });

  it("doesn't take those of a cluster of the same name in another namespace", () => {
    const others = ruleConfigMap(
      settingsOf("cnpg", { "cluster.name": "orders", "cluster.namespace": "other" }),
    );
    assert.equal(violationsInStack("alerts", goodStack({ rules: others })).length, 1);
  });

  it("asks for nothing about what isn't there", () => {
    const alone = mutated("cluster", { "spec.instances": 1, "spec.plugins": [] });
    const rules = without("ArchiverFails", "OldBackup", "OldVerification", "Behind", "Waiting");
    assert.deepEqual(
      violationsInStack("alerts", goodStack({ cluster: alone, rules, pooler: undefined })),
      [],
    );
  });
});

describe("the invariant pod-security", () => {
  const namespace = (value: string | undefined) =>
    mutated("namespace", {
      "metadata.labels": value === undefined ? {} : { "pod-security.kubernetes.io/enforce": value },
    });
  const wrong = (shown: string): string =>
    `Namespace shop: pod-security.kubernetes.io/enforce: ${shown}. Allowed: restricted, for the pods of cluster shop/orders. Fix: set the label.`;

  it("wants the namespace restricted", () => {
    assert.deepEqual(violationsInStack("pod-security", goodStack()), []);
    assert.deepEqual(violationsInStack("pod-security", goodStack({ namespace: namespace(undefined) })), [
      wrong("not set"),
    ]);
    assert.deepEqual(violationsInStack("pod-security", goodStack({ namespace: namespace("baseline") })), [
      wrong('"baseline" is not allowed'),
    ]);
    assert.equal(violationsInStack("pod-security", goodStack({ namespace: namespace("strict") })).length, 1);
  });

  it("can't judge a namespace that another stack makes, and can be waived", () => {
    assert.deepEqual(violationsInStack("pod-security", goodStack({ namespace: undefined })), []);
    const loose = goodStack({ namespace: namespace("privileged") });
    assert.deepEqual(violationsInStack("pod-security", loose, { waived: ["shop"] }), []);
  });

  it("wants no more of Zalando's pods than baseline", () => {
    const objects = (level: string) =>
      registered("zalando").map((object) =>
        object.kind === "Namespace"
          ? {
              ...object,
              metadata: { ...object.metadata, labels: { "pod-security.kubernetes.io/enforce": level } },
            }
          : object,
      );
    for (const level of ["baseline", "restricted"])
      assert.deepEqual(violationsInStack("pod-security", objects(level)), [], level);
    assert.match(
      violationsInStack("pod-security", objects("privileged"))[0] ?? "",
      /Allowed: baseline or restricted/,
    );
  });
});

describe("the invariant storage-class", () => {
  const on = (storageClass: string) => mutated("cluster", { "spec.storage.storageClass": storageClass });
  const fast = (change: object): KubernetesObject => ({
    apiVersion: "storage.k8s.io/v1",
    kind: "StorageClass",
    metadata: { name: "fast" },
    allowVolumeExpansion: true,
    reclaimPolicy: "Retain",
    ...change,
  });

  it("wants volumes that aren't on one node", () => {
    assert.deepEqual(violationsInStack("storage-class", goodStack()), []);
    assert.deepEqual(violationsInStack("storage-class", goodStack({ cluster: on("local-path") })), [
      'Cluster shop/orders: storage class: "local-path" is not allowed. Allowed: a class whose volumes aren\'t lost with a node. Fix: choose another one.',
    ]);
    assert.deepEqual(
      violationsInStack("storage-class", goodStack({ cluster: on("local-path") }), { local: [] }),
      [],
    );
    for (const engine of engines)
      assert.ok(
        violationsInStack("storage-class", registered(engine, { "cluster.storage.class": "hostpath" }))
          .length > 0,
        engine,
      );
  });

  it("wants a class of the stack's own to grow and to retain", () => {
    const judged = (change: object) =>
      violationsInStack("storage-class", goodStack({ cluster: on("fast"), class: fast(change) }));
    assert.deepEqual(judged({}), []);
    assert.match(
      judged({ allowVolumeExpansion: undefined })[0] ?? "",
      /allowVolumeExpansion: not set\. Allowed: true/,
    );
    assert.match(judged({ reclaimPolicy: "Delete" })[0] ?? "", /"Delete" is not allowed\. Allowed: Retain/);
    // Another program's class.
    assert.deepEqual(
      violationsInStack("storage-class", goodStack({ class: fast({ reclaimPolicy: "Delete" }) })),
      [],
    );
  });
});
