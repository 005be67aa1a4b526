import assert from "node:assert/strict";
import { setTimeout as delay } from "node:timers/promises";
import { planner as cnpg } from "../../plan/engines/cnpg/planner";
import { live } from "../../plan/engines/cnpg/live";
import { type Subject } from "../../operations/health";
import { type Kubectl, type KubeObject } from "../../operations/kubectl";
import { whileWatching } from "../../operations/watch";
import { UserError } from "../../shell/userError";
import { checked, smallest } from "../support/settings";

/** The pods and the cluster object are made up here; a real missing image is the subject of tests/e2e/changes.test.ts. */

const waiting = (uid: string, more: object = {}): KubeObject => ({
  apiVersion: "v1",
  kind: "Pod",
  metadata: { name: "main-2", namespace: "postgres", ...{ uid }, ...more },
  status: {
    containerStatuses: [
      { name: "postgres", image: "p:99", state: { waiting: { reason: "ImagePullBackOff" } } },
    ],
  },
});

function scene(pods: KubeObject[]) {
  const deleted: string[] = [];
  const said: string[] = [];
  const settings = checked(smallest());
  const cluster = cnpg.plan(settings).objects[0]?.object;
  const owners: Record<string, object> = {};
  const upgrades: KubeObject[] = [];
  const world = { pods, upgrades, generation: 1, clock: 0, listed: 0, wanted: 3, primary: "a", owners };
  const kubectl = {
    list: (kind: string, namespace: string, selector: string) => {
      assert.deepEqual([kind, namespace], ["pods", "postgres"]);
      if (selector.includes("major-upgrade")) return Promise.resolve(world.upgrades);
      world.listed++;
      return Promise.resolve(selector.startsWith("cnpg.io/cluster=") ? world.pods : []);
    },
    get: (kind: string, _namespace: string, name: string) => {
      if (kind === "job" || kind === "cronjob") return Promise.resolve(world.owners[`${kind}/${name}`]);
      return Promise.resolve({
        ...cluster,
        metadata: { ...cluster?.metadata, generation: world.generation },
        spec: { instances: world.wanted },
        status: { currentPrimary: world.primary },
      });
    },
    run: (args: readonly string[]) => {
      deleted.push(args[4] ?? "");
      if (args[3] === "persistentvolumeclaim")
        return Promise.resolve({ stdout: "", stderr: "", exitCode: 0 });
      world.pods = [];
      return Promise.resolve({ stdout: "", stderr: "", exitCode: 0 });
    },
  } as unknown as Kubectl;
  const subject: Subject = { kubectl, settings, engine: cnpg, live, plan: cnpg.plan(settings) };
  const watch = <T>(changesCluster: boolean, work: (signal: AbortSignal) => Promise<T>) =>
    whileWatching(
      subject,
      undefined,
      changesCluster,
      { say: (line) => said.push(line), detail: () => undefined },
      work,
      { everyMs: 1, now: () => world.clock },
    );
  const looks = async (n: number) => {
    for (const until = world.listed + n * 2 + 2; world.listed < until;) await delay(1);
  };
  return { world, subject, deleted, said, watch, looks };
}

/** Work that runs until it is ended, as Pulumi does. */
const endless = (signal: AbortSignal) =>
  new Promise<never>((_, reject) => signal.addEventListener("abort", () => reject(new Error("interrupted"))));

describe("watching the pods of an update (made-up pods)", () => {
  it("ends the work when a pod of this update doesn't start, with the reason", async () => {
    const { world, watch, looks, deleted } = scene([]);
    const work = watch(true, endless);
    await looks(2);
    world.pods = [waiting("new")];
    await looks(2);
    world.clock = 60_000;
    await assert.rejects(work, (error: Error) => {
      assert.ok(error instanceof UserError);
      return /^Pod main-2 has not started for 60 s: container postgres waits with ImagePullBackOff, image p:99\./.test(
        error.message,
      );
    });
    assert.deepEqual(deleted, []);
  });

  describe("an upgrade of the data that has failed", () => {
    const failed: KubeObject = {
      apiVersion: "v1",
      kind: "Pod",
      metadata: { name: "main-1-major-upgrade-x", namespace: "postgres" },
      status: { phase: "Failed" },
    };
    const log = [
      '{"level":"info","msg":"Running pg_upgrade"}',
      '{"logger":"pg_upgrade","msg":"Checking cluster versions   "}',
      '{"logger":"pg_upgrade","msg":"Failure, exiting"}',
      "Error: exit status 1",
    ].join("\n");
    /** A cluster whose data are of that major version, and a pod that has failed to make them newer. */
    function upgrading(major: number, pod: KubeObject = failed) {
      const made = scene([]);
      const of = made.subject.kubectl as unknown as Record<string, unknown>;
      const get = of.get as (...args: string[]) => Promise<object>;
      of.get = async (...args: string[]) => ({
        ...(await get(...args)),
        status: { pgDataImageInfo: { majorVersion: major } },
      });
      of.run = () => Promise.resolve({ stdout: log, stderr: "", exitCode: 0 });
      made.world.upgrades = [pod];
      return made;
    }

    it("ends the work with the upgrade's own words and the way back", async () => {
      const { watch } = upgrading(15);
      await assert.rejects(watch(true, endless), (error: Error) => {
        assert.ok(error instanceof UserError);
        assert.match(
          error.message,
          /^The upgrade of the data from PostgreSQL 15 to 17 has failed \(Pod postgres\/main-1-major-upgrade-x, container major-upgrade\): Checking cluster versions Failure, exiting/,
        );
        return /Set cluster\.postgresVersion.* back to 15 and run `make up`/.test(error.message);
      });
    });

    it("is none while it works, and none where the older version is wanted again", async () => {
      for (const [major, phase] of [
        [15, "Running"],
        [17, "Failed"],
      ] as const) {
        const { watch, looks } = upgrading(major, { ...failed, status: { phase } });
        assert.equal(await watch(true, () => looks(3).then(() => "done")), "done");
      }
    });
  });

  it("leaves work alone that ends by itself, well or not", async () => {
    const { watch, world, looks } = scene([]);
    assert.equal(await watch(true, () => Promise.resolve("done")), "done");
    const failing = watch(true, async () => {
      world.pods = [waiting("new")];
      await looks(2);
      throw new Error("its own reason");
    });
    await assert.rejects(failing, /^Error: its own reason$/);
  });

  it("deletes what an earlier update left behind, once the new specification is there and not before", async () => {
    const { watch, world, looks, deleted, said } = scene([waiting("old")]);
    await watch(true, async () => {
      world.clock = 600_000;
      await looks(3);
      assert.deepEqual(deleted, []);
      world.generation = 2;
      await looks(2);
    });
    assert.deepEqual(deleted, ["main-2"]);
    assert.match(said.join(), /main-2 never started \(ImagePullBackOff\): it is deleted/);
  });

  it("deletes it at once when the specification stays", async () => {
    const { watch, looks, deleted } = scene([waiting("old")]);
    await watch(false, () => looks(2));
    assert.deepEqual(deleted, ["main-2"]);
  });

  it("removes an instance that never starts and is one more than wanted, never the primary, and only beside a ready primary", async () => {
    const ready = ["a", "b", "c"].map((name) => ({
      ...waiting(name),
      metadata: { name, namespace: "postgres" },
      status: { conditions: [{ type: "Ready", status: "True" }] },
    }));
    const volumes = [
      { persistentVolumeClaim: { claimName: "main-4" } },
      { persistentVolumeClaim: { claimName: "main-4-wal" } },
    ];
    const surplus = { ...waiting("new"), spec: { volumes } };
    for (const [wanted, primary, expected] of [
      [3, "a", ["main-4", "main-2"]],
      [4, "a", []],
      [3, "main-2", []],
      [3, "gone", []],
    ] as const) {
      const { world, watch, looks, deleted } = scene([]);
      Object.assign(world, { wanted, primary });
      await watch(true, async () => {
        world.pods = [...ready, surplus];
        await looks(2);
      });
      assert.deepEqual(deleted.slice(0, 2), expected);
    }
  });

  it("deletes one whose server never started, whatever runs beside it", async () => {
    const old = waiting("old");
    const beside = { name: "exporter", image: "e:1", restartCount: 0, state: { running: {} } };
    (old.status as { containerStatuses: object[] }).containerStatuses.push(beside);
    const { watch, looks, deleted } = scene([old]);
    await watch(false, () => looks(2));
    assert.deepEqual(deleted, ["main-2"]);
  });

  it("gives a pod that waited before, and that a change of the cluster may replace, three minutes more", async () => {
    const jobs = waiting("job", { ownerReferences: [{ kind: "Job", name: "main-sql" }] });
    for (const [changesCluster, seconds] of [
      [false, 60],
      [true, 240],
    ] as const) {
      const { world, watch, looks } = scene([jobs]);
      let ended = false;
      const work = watch(changesCluster, endless).catch((error: unknown) => {
        ended = true;
        throw error;
      });
      await looks(2);
      world.clock = seconds * 1000 - 1;
      await looks(2);
      assert.equal(ended, false);
      world.clock = seconds * 1000;
      await assert.rejects(work, /Pod main-2 has not started for 60 s/);
    }
  });

  it("deletes a CronJob's turn that never started once the next one has another image, and not before", async () => {
    const turn = waiting("turn", { ownerReferences: [{ kind: "Job", name: "main-upkeep-1" }] });
    turn.spec = { containers: [{ name: "postgres", image: "p:99" }] };
    const { watch, world, looks, deleted, said } = scene([turn]);
    const cronOf = (image: string) => ({
      metadata: { name: "main-upkeep" },
      spec: { jobTemplate: { spec: { template: { spec: { containers: [{ image }] } } } } },
    });
    world.owners["job/main-upkeep-1"] = {
      metadata: { ownerReferences: [{ kind: "CronJob", name: "main-upkeep" }] },
    };
    world.owners["cronjob/main-upkeep"] = cronOf("p:99");
    await watch(true, async () => {
      await looks(3);
      assert.deepEqual(deleted, []);
      world.owners["cronjob/main-upkeep"] = cronOf("p:17");
      await looks(2);
    });
    assert.deepEqual(deleted, ["main-upkeep-1"]);
    assert.match(said.join(), /CronJob main-upkeep has another image by now: it is deleted/);
  });

  it("deletes no pod that has run, and no Job's", async () => {
    const ran = waiting("ran");
    ran.status = {
      containerStatuses: [
        { name: "postgres", image: "p", restartCount: 3, state: { waiting: { reason: "CrashLoopBackOff" } } },
      ],
    };
    const jobs = waiting("job", { ownerReferences: [{ kind: "Job", name: "main-sql" }] });
    for (const pod of [ran, jobs]) {
      const { watch, looks, deleted } = scene([pod]);
      await watch(false, () => looks(2));
      assert.deepEqual(deleted, []);
    }
  });
});
