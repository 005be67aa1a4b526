import assert from "node:assert/strict";
import { drainPlan } from "../../operations/drain";
import { Kubectl, type KubeObject } from "../../operations/kubectl";
import type { Found } from "../../operations/platform";
import { whileRolling } from "../../operations/rolling";
import { plannedCluster, type Subject } from "../../operations/health";
import type { Shape } from "../../plan/engines/live";
import { liveReaders } from "../../plan/engines/select";
import type { RunOptions, RunResult } from "../../shell/process";
import { engines, foundOf, instanceNames, labelsOf, node, pod, sceneOf } from "../support/onCall";

type EngineName = (typeof engines)[number];

/** kubectl that answers from a scene, and keeps what it was told to change. A stand-in: no cluster is asked. */
class StandIn extends Kubectl {
  readonly told: string[] = [];
  object: KubeObject;
  poolerPods: KubeObject[] = [];

  constructor(private readonly found: Found) {
    super({ kubeconfig: undefined, context: "none" });
    this.object = sceneOf(found).cluster as KubeObject;
  }

  override get(): Promise<KubeObject | undefined> {
    return Promise.resolve(this.object);
  }

  override query(
    kind: string,
    _namespace: string,
    { labelSelector = "" }: { readonly labelSelector?: string },
  ): Promise<KubeObject[]> {
    if (kind === "nodes") return Promise.resolve(["n0", "n1", "n2", "n3"].map((name) => node(name)));
    if (labelSelector.includes("pgbouncer")) return Promise.resolve(this.poolerPods);
    const [primary] = instanceNames(this.found);
    return Promise.resolve(
      instanceNames(this.found).map((name) => pod(name, labelsOf(this.found, name === primary))),
    );
  }

  override run(args: readonly string[], { input }: RunOptions = {}): Promise<RunResult> {
    const words = args.join(" ");
    const answers = (stdout: string) => Promise.resolve({ stdout, stderr: "", exitCode: 0 });
    const asked = sceneOf(this.found).heard.get(args[args.indexOf("exec") + 1] ?? "")?.answer;
    if (words.includes("jsonb_build_object")) return answers(`answer ${JSON.stringify(asked)}\n`);
    if (typeof input === "object") input.resume();
    if (/patch|label|patronictl/.test(words)) this.told.push(words);
    return answers("");
  }
}

function standIn(engine: EngineName, input?: (settings: Subject["settings"]) => Subject["settings"]) {
  const found = foundOf(engine);
  const kubectl = new StandIn(found);
  const settings = input ? input(found.subject!.settings) : found.subject!.settings;
  const subject: Subject = { ...found.subject!, kubectl, settings };
  return { kubectl, subject, found: { ...found, subject, platform: subject } satisfies Found };
}

describe("draining a node (a stand-in for kubectl)", () => {
  it("hands over first where the primary is there, to a standby elsewhere", async () => {
    for (const engine of ["cnpg", "zalando"] as const) {
      const { found } = standIn(engine);
      const [primary = "", ...standbys] = instanceNames(found);
      const { plan, switchover } = await drainPlan(found, `n${primary.slice(-1)}`);
      assert.ok(standbys.includes(switchover?.scene.instance ?? ""), engine);
      assert.match(plan[0] ?? "", new RegExp(`^${primary} stops as primary`));
      assert.match(plan.at(-2) ?? "", new RegExp(`^Evicted from n\\d: ${primary}`));
      assert.match(plan.at(-1) ?? "", /`kubectl --context none uncordon n\d`/);
    }
  });

  it("hands nothing over where a standby is there, or nothing of the platform", async () => {
    const { found } = standIn("cnpg");
    assert.equal((await drainPlan(found, "n2")).switchover, undefined);
    const { plan } = await drainPlan(found, "n0");
    assert.match(plan[0] ?? "", /^No pod of this platform runs on n0/);
  });

  it("says that programs can't connect where the only instance is there, or refuses as the setting says", async () => {
    const { found } = standIn("standalone");
    assert.match((await drainPlan(found, "n0")).plan[0] ?? "", /^main-0, .* PROGRAMS CAN'T CONNECT/);
    const waits = standIn("standalone", (settings) => ({
      ...settings,
      cluster: { ...settings.cluster, drains: "wait" },
    }));
    await assert.rejects(
      drainPlan(waits.found, "n0"),
      /node: "n0" can't be emptied: .*cluster\.drains.* Fix: /,
    );
  });

  it("refuses a node that isn't there", async () => {
    const { found } = standIn("cnpg");
    await assert.rejects(drainPlan(found, "n9"), {
      message: 'node: "n9" is not allowed. Allowed: n0, n1, n2, n3. Fix: name one of them.',
    });
  });
});

describe("the primary's turn in a rolling restart", () => {
  const shapeOf = (engine: EngineName): Shape => plannedCluster(foundOf(engine).subject!).shape;

  it("is left to `make up` but where the operator alone can do it", () => {
    const live = shapeOf("cnpg");
    const fits = liveReaders.cnpg.rolling!.fits.bind(liveReaders.cnpg.rolling);
    assert.ok(fits(live, { ...live, image: "other" }));
    assert.ok(!fits(live, { ...live, instances: 1 }), "a single instance has nobody to hand over to");
    assert.ok(!fits(live, { ...live, major: 99 }), "a major upgrade stops all");
    assert.ok(
      !fits(live, { ...live, pods: { ...live.pods, plugins: ["archiver"] } }),
      "a primary without the archiving container can't be demoted",
    );
    assert.equal(liveReaders.zalando.rolling, undefined);
  });

  it("comes when the engine says so", () => {
    const cluster = (phase: string) =>
      ({ ...sceneOf(foundOf("cnpg")).cluster!, status: { phase } }) as KubeObject;
    assert.ok(liveReaders.cnpg.rolling!.waits(cluster("Waiting for user action")));
    assert.ok(!liveReaders.cnpg.rolling!.waits(cluster("Upgrading cluster")));
    const server = (partition: number, updateRevision: string, observedGeneration = 2) => {
      const { cluster: object } = sceneOf(foundOf("standalone"));
      return {
        ...object!,
        metadata: { ...object!.metadata, generation: 2 },
        spec: { ...object!.spec, updateStrategy: { rollingUpdate: { partition } } },
        status: { observedGeneration, readyReplicas: 1, currentRevision: "a", updateRevision },
      } as KubeObject;
    };
    const waits = (object: KubeObject) => liveReaders.standalone.rolling!.waits(object);
    assert.ok(waits(server(1, "b")));
    assert.ok(liveReaders.standalone.rolling!.isLeft(server(1, "a")));
    assert.ok(!liveReaders.standalone.rolling!.isLeft(server(0, "b")));
    assert.ok(!waits(server(1, "a")), "nothing has changed");
    assert.ok(!waits(server(0, "b")), "the controller does it itself");
    assert.ok(!waits(server(1, "b", 1)), "not looked at yet");
  });

  const signal = new AbortController().signal;
  const context = { say: () => undefined, detail: () => undefined };

  it("is left before the update, and given back after it, whatever comes of it", async () => {
    for (const fails of [false, true]) {
      const { kubectl, subject } = standIn("cnpg");
      kubectl.poolerPods = [pod("main-pooler-app-1", {})];
      const seen: string[] = [];
      const work = () => {
        seen.push(...kubectl.told);
        return fails ? Promise.reject(new Error("it failed")) : Promise.resolve();
      };
      const live = shapeOf("cnpg");
      await whileRolling(subject, live, context, signal, work).catch((error: unknown) =>
        assert.match((error as Error).message, /it failed/),
      );
      assert.equal(seen.length, 1);
      assert.match(seen[0] ?? "", /"primaryUpdateStrategy":"supervised"/);
      assert.match(kubectl.told.at(-1) ?? "", /"primaryUpdateStrategy":"unsupervised"/);
    }
  });

  it("is ended by a switchover, or by a restart in its place where nothing in the pods changes", async () => {
    for (const [what, image] of [
      ["targetPrimary", "another"],
      ["restarted in-place", undefined],
    ] as const) {
      const { kubectl, subject } = standIn("cnpg");
      kubectl.poolerPods = [pod("main-pooler-app-1", {})];
      const live = { ...shapeOf("cnpg"), ...(image !== undefined && { image }) };
      const done = () => kubectl.told.some((words) => words.includes(what));
      kubectl.object = { ...kubectl.object, status: { phase: "Waiting for user action" } };
      await whileRolling(subject, live, context, signal, async () => {
        for (const end = Date.now() + 20_000; !done() && Date.now() < end;)
          await new Promise((resolve) => setTimeout(resolve, 20));
      });
      assert.ok(done(), kubectl.told.join("\n"));
      assert.equal(kubectl.told.filter((words) => words.includes(what)).length, 1, "once");
    }
  });

  it("is a switchover, where a restart in its place didn't do, as after the operator's own upgrade", async () => {
    const { kubectl, subject } = standIn("cnpg");
    kubectl.poolerPods = [pod("main-pooler-app-1", {})];
    kubectl.object = { ...kubectl.object, status: { phase: "Waiting for user action" } };
    const said = (what: string) => kubectl.told.filter((words) => words.includes(what)).length;
    const work = async () => {
      for (const end = Date.now() + 20_000; said("targetPrimary") === 0 && Date.now() < end;)
        await new Promise((resolve) => setTimeout(resolve, 20));
    };
    await whileRolling(subject, shapeOf("cnpg"), context, signal, work, 10);
    assert.deepEqual([said("restarted in-place"), said("targetPrimary")], [1, 1], kubectl.told.join("\n"));
  });

  it("is the engine's where no pooler could hold clients, and for a cluster that isn't there yet", async () => {
    const { kubectl, subject } = standIn("cnpg");
    assert.equal(await whileRolling(subject, shapeOf("cnpg"), context, signal, () => Promise.resolve(7)), 7);
    kubectl.poolerPods = [pod("main-pooler-app-1", {})];
    assert.equal(await whileRolling(subject, undefined, context, signal, () => Promise.resolve(7)), 7);
    assert.deepEqual(kubectl.told, []);
  });
});
