import assert from "node:assert/strict";
import { probePod, type Subject } from "../../operations/health";
import { Kubectl } from "../../operations/kubectl";
import { nodesFor } from "../../operations/nodes";
import { nodeOf } from "../../operations/liveFacts";
import { liveReaderOf, plannerOf, planners } from "../../plan/engines/select";
import { planPlatform } from "../../plan/platform";
import { sharedBuffers } from "../../policy/invariants/sharedBuffers";
import type { Settings, SettingsInput } from "../../settings/schema";
import { memoryOf } from "../../settings/sums/memory";
import { validatorOf } from "../support/crd";
import { releasedObjects } from "../support/manifest";
import { plannedObjects, plannedPods } from "../support/pods";
import { sentences } from "../support/rich";
import { bucket, changed, checked, smallest } from "../support/settings";

/** Small stack files of people whose nodes aren't all alike, or whose Kubernetes chooses its users. */

const scheduling = {
  nodeSelector: { pool: "db" },
  tolerations: [{ key: "dedicated", value: "postgres", effect: "NoSchedule" as const }, { key: "spot" }],
  priorityClassName: "database",
};
const asWritten = {
  nodeSelector: { pool: "db" },
  tolerations: [
    { key: "dedicated", operator: "Equal", value: "postgres", effect: "NoSchedule" },
    { key: "spot", operator: "Exists" },
  ],
  priorityClassName: "database",
};

/** As much of a platform as makes pods: poolers, two targets, verification with a dump, a restore, rotated passwords. */
function full(engine: keyof typeof planners, more: Partial<SettingsInput> = {}): SettingsInput {
  const { cluster } = smallest();
  const alone = engine === "standalone" && { instances: 1, durability: "async" as const };
  return {
    ...smallest(),
    cluster: { ...cluster, engine, ...alone },
    poolers: [{ name: "app", database: "app" }],
    rotation: { credentialVersion: 3 },
    backup: { targets: [{ name: "near", kind: "local" }, bucket()], verify: { dump: true } },
    restore: { target: "near", archiveId: "3f2a90b1c4" },
    monitoring: { namespace: "monitoring" },
    ...more,
  };
}

const checkOf = (settings: Settings): object => {
  const engine = plannerOf(settings);
  const kubectl = new Kubectl({ kubeconfig: "/k", context: "c" });
  const subject: Subject = {
    settings,
    engine,
    live: liveReaderOf(settings),
    kubectl,
    plan: engine.plan(settings),
  };
  return probePod(subject, "image", "probe", "v");
};

const has = (spec: Record<string, unknown>) =>
  Object.fromEntries(Object.keys(asWritten).map((key) => [key, spec[key]]));

describe("kind: nodes with taints, labels and priorities (case 21)", () => {
  for (const engine of Object.keys(planners) as (keyof typeof planners)[]) {
    it(`every pod of the plan goes where the settings say: ${engine}`, async () => {
      const pods = await plannedPods(checked(full(engine, { scheduling })));
      // Watcher, copy, two verifications, source, pooler, login check and store are those of every engine.
      assert.ok(pods.length >= 8, `only ${pods.map(({ at }) => at).join(", ")}`);
      for (const { at, spec } of pods) assert.deepEqual(has(spec), asWritten, at);
    });

    it(`no pod of the plan has a word of it where the settings say nothing: ${engine}`, async () => {
      for (const { at, spec } of await plannedPods(checked(full(engine))))
        for (const key of Object.keys(asWritten)) assert.ok(!(key in spec), `${at} ${key}`);
    });

    it(`the health check's client goes there, too: ${engine}`, () => {
      const pod = checkOf(checked(full(engine, { scheduling }))) as { spec: Record<string, unknown> };
      assert.deepEqual(has(pod.spec), asWritten);
    });
  }

  it("the operators' own objects say it in their words, which their CRDs take", async () => {
    const of = async (engine: "cnpg" | "zalando") => {
      const objects = await plannedObjects(checked(full(engine, { scheduling })));
      const kind = planners[engine].clusterKind.kind;
      const object = objects.find((one) => one.kind === kind)!;
      const validator = await validatorOf(engine);
      assert.deepEqual(validator.problems(object), []);
      return object.spec as Record<string, unknown>;
    };
    const cnpg = await of("cnpg");
    const { priorityClassName, ...affinity } = asWritten;
    assert.deepEqual(cnpg.affinity, {
      enablePodAntiAffinity: true,
      podAntiAffinityType: "required",
      topologyKey: "kubernetes.io/hostname",
      ...affinity,
    });
    assert.equal(cnpg.priorityClassName, priorityClassName);
    const zalando = await of("zalando");
    assert.deepEqual(zalando.tolerations, asWritten.tolerations);
    assert.equal(zalando.podPriorityClassName, "database");
    assert.deepEqual(zalando.nodeAffinity, {
      requiredDuringSchedulingIgnoredDuringExecution: {
        nodeSelectorTerms: [{ matchExpressions: [{ key: "pool", operator: "In", values: ["db"] }] }],
      },
    });
  });

  it("instances and the operator may have nodes of their own", async () => {
    const input = changed(
      full("cnpg", { scheduling, operator: { scheduling: { nodeSelector: { pool: "ops" } } } }),
      "cluster.scheduling",
      { nodeSelector: { pool: "fast" } },
    );
    const objects = await plannedObjects(checked(input));
    const cluster = objects.find(({ kind }) => kind === "Cluster")!.spec as {
      affinity: Record<string, unknown>;
    };
    assert.deepEqual(cluster.affinity.nodeSelector, { pool: "fast" });
    assert.equal(cluster.affinity.tolerations, undefined);
    const pods = await plannedPods(checked(input));
    const selectors = pods.map(({ at, spec }) => [at, (spec.nodeSelector as { pool: string }).pool] as const);
    for (const [at, pool] of selectors)
      assert.equal(pool, /controller-manager|Deployment barman-cloud/.test(at) ? "ops" : "db", at);
  });

  it("a base backup of the standalone server goes to the server's nodes", async () => {
    const input = changed(full("standalone", { scheduling }), "cluster.scheduling", {
      nodeSelector: { pool: "fast" },
    });
    const pods = await plannedPods(checked(input));
    const fast = pods.filter(({ spec }) => (spec.nodeSelector as { pool: string }).pool === "fast");
    assert.deepEqual(
      fast.map(({ at }) => at.split(".")[0]),
      ["StatefulSet main", "CronJob main-base", "Job main-base-first", "Job asked-for"],
    );
  });

  it("instances and poolers are spread as asked, and over zones once", async () => {
    const spread = (topologySpread: object[]) => full("cnpg", { scheduling: { topologySpread } as never });
    const of = async (input: SettingsInput) => {
      const objects = await plannedObjects(checked(input));
      const cluster = objects.find(({ kind }) => kind === "Cluster")!.spec as Record<string, unknown>;
      const pods = (await plannedPods(checked(input))).find(({ at }) => at.includes("main-pooler-app"))!;
      return [cluster, pods.spec].map((one) =>
        (one.topologySpreadConstraints as Record<string, unknown>[]).map(
          ({ topologyKey, maxSkew, whenUnsatisfiable }) => [topologyKey, maxSkew, whenUnsatisfiable],
        ),
      );
    };
    const zone = ["topology.kubernetes.io/zone", 1, "ScheduleAnyway"];
    const rack = ["example.com/rack", 2, "DoNotSchedule"];
    assert.deepEqual(await of(full("cnpg")), [[zone], [zone]]);
    assert.deepEqual(await of(spread([{ topologyKey: "example.com/rack", maxSkew: 2 }])), [
      [zone, rack],
      [zone, rack],
    ]);
    const strict = ["topology.kubernetes.io/zone", 1, "DoNotSchedule"];
    assert.deepEqual(await of(spread([{ topologyKey: "topology.kubernetes.io/zone" }])), [
      [strict],
      [strict],
    ]);
  });

  it("an affinity without a setting reaches the pods by transform, beside the planned one", async () => {
    const nodeAffinity = { preferredDuringSchedulingIgnoredDuringExecution: [] };
    const pooled = { spec: { template: { spec: { affinity: { nodeAffinity } } } } };
    const input = full("cnpg", {
      transform: {
        cluster: { cluster: { spec: { affinity: { nodeAffinity } } } },
        poolers: { deployment: pooled },
        backup: { watch: pooled },
      },
    });
    const released = await releasedObjects("cnpg");
    const plan = planPlatform(checked(input), () => released);
    const objects = [...plan.cluster.objects, ...plan.poolers[0]!.objects, ...plan.backups];
    const at = (id: string) => objects.find((one) => one.id === id)!.object;
    const { affinity } = at("cluster").spec as { affinity: object };
    assert.deepEqual(Object.keys(affinity).sort(), [
      "enablePodAntiAffinity",
      "nodeAffinity",
      "podAntiAffinityType",
      "topologyKey",
    ]);
    const ofPod = (id: string) =>
      (at(id).spec as { template: { spec: { affinity: object } } }).template.spec.affinity;
    assert.deepEqual(Object.keys(ofPod("deployment")), ["podAntiAffinity", "nodeAffinity"]);
    assert.deepEqual(ofPod("watch"), { nodeAffinity });
    assert.deepEqual((await validatorOf("cnpg")).problems(at("cluster")), []);
  });

  it("what Kubernetes would refuse of a pod is refused here", () => {
    const tolerations = [
      { key: "a", operator: "Exists", value: "b" },
      { key: "a", operator: "Equal" },
      { value: "b" },
      { key: "a", effect: "NoSchedule", tolerationSeconds: 5 },
    ];
    assert.deepEqual(sentences({ ...smallest(), scheduling: { tolerations } }), [
      'pgplatform:scheduling.tolerations[0].value: must not be set ("b"): the operator Exists takes every value. Fix: leave out one of them.',
      "pgplatform:scheduling.tolerations[1].value: not set. Allowed: a value with the operator Equal. Fix: set it, or leave operator out.",
      "pgplatform:scheduling.tolerations[2].key: not set. Allowed: the key of the taint that has the value. Fix: set it.",
      "pgplatform:scheduling.tolerations[3].tolerationSeconds: must not be set (5): the effect NoExecute alone ends pods. Fix: leave it out, or set effect to NoExecute.",
    ]);
    assert.deepEqual(
      sentences({ ...smallest(), operator: { scheduling: { topologySpread: [{ topologyKey: "rack" }] } } }),
      [
        `pgplatform:operator.scheduling.topologySpread: must not be set ([{"topologyKey":"rack","maxSkew":1,"whenUnsatisfiable":"DoNotSchedule"}]): the operator's pods keep to nodes of their own. Fix: leave it out.`,
      ],
    );
    const twice = [{ topologyKey: "rack" }, { topologyKey: "rack" }];
    assert.equal(sentences({ ...smallest(), scheduling: { topologySpread: twice } }).length, 2);
    assert.match(
      sentences(
        changed(
          { ...full("zalando"), scheduling: { topologySpread: [{ topologyKey: "rack" }] } },
          "restore",
          undefined,
        ),
      )[0] ?? "",
      /^pgplatform:scheduling\.topologySpread: .* is not allowed\. Allowed: what the engine zalando can do: /,
    );
    assert.match(
      sentences({ ...smallest(), scheduling: { nodeSelector: { "a b": "c" } } })[0] ?? "",
      /^pgplatform:scheduling\.nodeSelector/,
    );
  });

  describe("the preflight counts nodes as the scheduler does", () => {
    const node = (name: string, labels: Record<string, string>, taints: object[] = []) =>
      nodeOf({
        apiVersion: "v1",
        kind: "Node",
        metadata: { name, labels },
        spec: { taints },
        status: { conditions: [{ type: "Ready", status: "True" }] },
      });
    const dedicated = { key: "dedicated", value: "postgres", effect: "NoSchedule" };
    const nodes = [
      node("plain", {}),
      node("labelled", { pool: "db" }),
      node("tainted", { pool: "db" }, [dedicated]),
      node("other-value", { pool: "db" }, [{ ...dedicated, value: "web" }]),
      node("other-effect", { pool: "db" }, [{ ...dedicated, effect: "NoExecute" }]),
      node("spot", { pool: "db" }, [{ key: "spot", effect: "NoExecute" }]),
    ];
    const hosts = (one: SettingsInput["scheduling"]) =>
      nodesFor(nodes, checked({ ...smallest(), scheduling: one }).scheduling).map(({ host }) => host);

    it("without a word: those without taints", () => assert.deepEqual(hosts({}), ["plain", "labelled"]));
    it("by label, tolerated taint, value and effect", () =>
      assert.deepEqual(hosts(scheduling), ["labelled", "tainted", "spot"]));
    it("with a toleration of everything", () =>
      assert.equal(hosts({ tolerations: [{ operator: "Exists" }] }).length, nodes.length));
    it("with a label that no node has", () => assert.deepEqual(hosts({ nodeSelector: { pool: "x" } }), []));
  });
});

describe("kind: Kubernetes that chooses the users of pods (case 22)", () => {
  const openshift = (engine: keyof typeof planners = "cnpg"): SettingsInput => ({
    ...changed(full(engine), "cluster.storage.class", "gp3"),
    platform: "openshift",
    tier: "dev",
  });

  it("no pod names a user or a group, and every one keeps its other limits", async () => {
    const settings = checked(openshift());
    const objects = await plannedObjects(settings);
    const text = JSON.stringify(objects.filter(({ kind }) => kind !== "CustomResourceDefinition"));
    assert.doesNotMatch(text, /"(runAsUser|runAsGroup|fsGroup)":/);
    for (const { at, spec } of await plannedPods(settings))
      assert.equal((spec.securityContext as { runAsNonRoot: boolean }).runAsNonRoot, true, at);
    assert.doesNotMatch(JSON.stringify(checkOf(settings)), /runAsUser|runAsGroup|fsGroup/);
  });

  it("elsewhere every pod of the platform's own names its user", async () => {
    const pods = await plannedPods(checked(full("cnpg")));
    for (const { at, spec } of pods.filter((one) => !/controller-manager|barman-cloud/.test(one.at)))
      assert.equal(typeof (spec.securityContext as { runAsUser: number }).runAsUser, "number", at);
  });

  for (const engine of ["zalando", "standalone"] as const)
    it(`is refused with the engine ${engine}, in one sentence`, () => {
      const found = sentences(openshift(engine));
      assert.equal(found.length, 1, found.join("\n"));
      assert.match(
        found[0] ?? "",
        /^pgplatform:platform: "openshift" is not allowed\. Allowed: what the engine \w+ can do: .* OpenShift gives pods (an)?others?( one)?\. Fix: choose cnpg/,
      );
    });

  it("asks its own DNS", async () => {
    const objects = await plannedObjects(checked(openshift()));
    const everyone = objects.find(({ metadata }) => metadata.name === "main-everyone")!;
    assert.match(JSON.stringify(everyone), /openshift-dns/);
    assert.match(JSON.stringify(everyone), /"port":5353/);
    assert.doesNotMatch(JSON.stringify(everyone), /kube-dns/);
  });
});

describe("kind: huge pages", () => {
  const huge = (hugePages: object, more: object = {}) => ({
    ...smallest(),
    cluster: { ...smallest().cluster, resources: { requests: { memory: "2Gi" }, hugePages }, ...more },
  });

  for (const engine of ["cnpg", "zalando"] as const)
    it(`reach the instances as request and limit, and PostgreSQL uses them: ${engine}`, async () => {
      const objects = await plannedObjects(checked(huge({ amount: "768Mi" }, { engine })));
      const object = objects.find(({ kind }) => kind === planners[engine].clusterKind.kind)!;
      assert.deepEqual((await validatorOf(engine)).problems(object), []);
      const { resources, postgresql } = object.spec as {
        resources: { requests: object; limits: object };
        postgresql: { parameters: Record<string, string> };
      };
      assert.deepEqual(resources.requests, { cpu: "200m", memory: "2Gi", "hugepages-2Mi": "768Mi" });
      assert.deepEqual(resources.limits, { cpu: "2", memory: "2Gi", "hugepages-2Mi": "768Mi" });
      assert.equal(postgresql.parameters.huge_pages, "on");
      assert.equal(postgresql.parameters.huge_page_size, "2048kB");
    });

  it("of a gigabyte are asked for by their size", () => {
    const { cluster } = checked(huge({ size: "1Gi", amount: "1Gi" }));
    assert.equal(cluster.resources.requests["hugepages-1Gi"], "1Gi");
  });

  it("aren't tried where none are asked for: a node's own would kill the server", () => {
    for (const engine of Object.values(planners)) {
      const one = engine.can.standbys === true ? {} : { instances: 1, durability: "async" as const };
      const { cluster, ...rest } = smallest();
      const settings = checked({ ...rest, cluster: { ...cluster, engine: engine.name, ...one } });
      assert.match(JSON.stringify(engine.plan(settings)), /huge_pages(":"off"| = 'off')/, engine.name);
    }
  });

  it("are no parameter of the user's", () => {
    for (const [name, value] of [
      ["huge_pages", "try"],
      ["huge_page_size", "2MB"],
    ] as const)
      assert.deepEqual(sentences(changed(smallest(), "cluster.parameters", { [name]: value })), [
        `pgplatform:cluster.parameters.${name}: must not be set ("${value}"): pgplatform:cluster.resources.hugePages decides it. Fix: remove it.`,
      ]);
  });

  it("are no part of the other memory, and bound shared_buffers", () => {
    const own = (amount: string) => huge({ amount }, { parameters: { shared_buffers: "1500MB" } });
    assert.deepEqual(sentences(own("1714Mi")), []);
    assert.equal(sentences(own("1712Mi")).length, 1);
    const work = (input: object) => memoryOf(checked(input).cluster).work;
    assert.equal(work(own("1714Mi")), work(own("2Gi")));
    assert.ok(
      work(huge({ amount: "768Mi" })) >
        work(changed(huge({ amount: "768Mi" }), "cluster.resources.hugePages", undefined)),
    );
    const claims = (hugepages: string) => ({
      sharedBuffers: "1500MB",
      resources: { requests: { "hugepages-2Mi": hugepages }, limits: { memory: "2Gi" } },
    });
    assert.deepEqual(sharedBuffers(claims("1714Mi")), []);
    assert.deepEqual(
      sharedBuffers(claims("1712Mi")).map(({ allowed }) => allowed),
      ["an amount of memory such as 128MB, at most 1498MB (what the huge pages hold)"],
    );
  });

  it("must hold shared_buffers, in whole pages", () => {
    for (const amount of ["256Mi", "641Mi", "2Mi"])
      assert.deepEqual(sentences(huge({ amount })), [
        `pgplatform:cluster.resources.hugePages.amount: "${amount}" is not allowed. Allowed: whole pages, and at least 628Mi: shared_buffers 512MB, a tenth more, and 64 MB. Fix: set 628Mi or more, or lower shared_buffers.`,
      ]);
    assert.deepEqual(sentences(huge({ amount: "628Mi" })), []);
  });
});
