import assert from "node:assert/strict";
import { type Asked, bestStandby, instanceFor, planOf, promotionNotes } from "../../operations/act";
import { Kubectl, type KubeObject } from "../../operations/kubectl";
import type { Found } from "../../operations/platform";
import { actNames, type ActName, type ActScene, type Step } from "../../plan/engines/acts";
import { liveReaders } from "../../plan/engines/select";
import { UserError } from "../../shell/userError";
import { engines, foundOf, instanceNames, NOW, sceneOf } from "../support/onCall";

const sceneFor = (engine: (typeof engines)[number], more: Partial<ActScene> = {}): ActScene => {
  const found = foundOf(engine);
  const names = instanceNames(found);
  return {
    cluster: "main",
    object: sceneOf(found).cluster!,
    members: names.map((name, index) => ({ name, primary: index === 0 })),
    now: "2026-11-29T20:00:00Z",
    ...more,
  };
};

const stepsOf = (
  engine: (typeof engines)[number],
  act: ActName,
  more: Partial<ActScene> = {},
): readonly Step[] => {
  const how = liveReaders[engine].acts[act];
  assert.ok(typeof how === "function", `${engine} ${act}`);
  const { steps, plan } = how(sceneFor(engine, more));
  assert.ok(
    plan.length > 0 && plan.every((sentence) => /^[A-Z]|^main-|^PostgreSQL/.test(sentence)),
    plan.join("\n"),
  );
  return steps;
};

/** kubectl's words of a step, its patch as an object. */
const words = (step: Step | undefined): unknown[] =>
  step !== undefined && "kubectl" in step
    ? step.kubectl.map((word): unknown => (word.startsWith("{") ? JSON.parse(word) : word))
    : [];

describe("acts of the engines", () => {
  it("are each either done or refused with the reason and the way out", () => {
    for (const engine of engines)
      for (const act of actNames) {
        const how = liveReaders[engine].acts[act];
        if (typeof how === "function") {
          assert.ok(
            stepsOf(engine, act, { instance: "main-2", instances: 2 }).length > 0,
            `${engine} ${act}`,
          );
          continue;
        }
        assert.ok(how.because.length > 10 && how.instead.length > 10, `${engine} ${act}`);
      }
  });

  it("of CloudNativePG promote by the status, as its kubectl plugin does", () => {
    const [patch, ...more] = stepsOf("cnpg", "switchover", { instance: "main-2" });
    assert.deepEqual(more, []);
    assert.deepEqual(words(patch), [
      "patch",
      "clusters.postgresql.cnpg.io",
      "main",
      "--type=merge",
      "--subresource=status",
      "-p",
      {
        status: {
          targetPrimary: "main-2",
          targetPrimaryTimestamp: "2026-11-29T20:00:00Z",
          phase: "Switchover in progress",
          phaseReason: "Switching over to main-2",
        },
      },
    ]);
    const [, forced] = stepsOf("cnpg", "failover", { instance: "main-2" });
    assert.deepEqual(words(forced), [
      "delete",
      "pod",
      "main-1",
      "--wait=false",
      "--ignore-not-found",
      "--grace-period=0",
      "--force",
    ]);
  });

  it("of CloudNativePG fence one more, and end one fence or all", () => {
    const fenced = (value: string | undefined): Partial<ActScene> => {
      const { object } = sceneFor("cnpg");
      const annotations = value === undefined ? {} : { "cnpg.io/fencedInstances": value };
      return { object: { ...object, metadata: { ...object.metadata, annotations } } };
    };
    const last = (act: ActName, value: string | undefined, instance: string) =>
      words(stepsOf("cnpg", act, { ...fenced(value), instance })[0]).at(-1);
    assert.equal(last("fence", undefined, "main-2"), 'cnpg.io/fencedInstances=["main-2"]');
    assert.equal(last("fence", '["main-2"]', "main-3"), 'cnpg.io/fencedInstances=["main-2","main-3"]');
    assert.equal(last("fence", '["main-2"]', "main-2"), 'cnpg.io/fencedInstances=["main-2"]');
    assert.equal(last("unfence", '["main-2","main-3"]', "main-2"), 'cnpg.io/fencedInstances=["main-3"]');
    assert.equal(last("unfence", '["main-2","main-3"]', "*"), "cnpg.io/fencedInstances-");
    assert.equal(last("unfence", "not json", "main-2"), "cnpg.io/fencedInstances-");
  });

  it("of Zalando are Patroni's, and each restart waits for the one before", () => {
    const command = (step: Step | undefined) =>
      step !== undefined && "command" in step ? step.command.join(" ") : "";
    const at = (step: Step | undefined) => (step !== undefined && "pod" in step ? step.pod : "");
    const [switchover] = stepsOf("zalando", "switchover", { instance: "main-1" });
    assert.equal(command(switchover), "patronictl switchover main --candidate main-1 --force");
    assert.equal(at(switchover), "main-1", "a primary that hangs can't be asked");
    assert.deepEqual(
      stepsOf("zalando", "restartAll").map((step) => command(step)),
      [
        "patronictl restart main main-1 --force",
        "",
        "patronictl restart main main-2 --force",
        "",
        "patronictl restart main main-0 --force",
        "",
      ],
    );
    const [sleep] = stepsOf("zalando", "hibernate");
    assert.deepEqual(words(sleep).at(-1), {
      spec: { numberOfInstances: 0 },
      metadata: { annotations: { "pgplatform.io/instances-before": "3" } },
    });
    const { object } = sceneFor("zalando");
    const asleep = {
      ...object,
      metadata: { ...object.metadata, annotations: { "pgplatform.io/instances-before": "3" } },
    };
    assert.deepEqual(words(stepsOf("zalando", "wake", { object: asleep })[0]).at(-1), {
      spec: { numberOfInstances: 3 },
      metadata: { annotations: { "pgplatform.io/instances-before": null } },
    });
    // Said again after an interruption, it must not forget how many there were.
    const halfway = { ...asleep, spec: { numberOfInstances: 0 } };
    assert.deepEqual(stepsOf("zalando", "hibernate", { object: halfway }), []);
    const forgotten = {
      ...halfway,
      metadata: { ...object.metadata, annotations: { "pgplatform.io/instances-before": "0" } },
    };
    for (const [instances, woken] of [
      [3, 3],
      [undefined, 1],
    ] as const)
      assert.deepEqual(
        words(stepsOf("zalando", "wake", { object: forgotten, ...(instances && { instances }) })[0]).at(-1),
        {
          spec: { numberOfInstances: woken },
          metadata: { annotations: { "pgplatform.io/instances-before": null } },
        },
      );
  });
});

it("a forced failover of CloudNativePG promotes also where no pod is called the primary", () => {
  const members = [{ name: "main-2", primary: false }];
  const [patch, ...more] = stepsOf("cnpg", "failover", { members, instance: "main-2" });
  assert.ok(patch);
  assert.deepEqual(more, []);
  const [, away] = stepsOf("cnpg", "failover", { instance: "main-2" });
  assert.ok(words(away).includes("--ignore-not-found"));
});

it("a forced failover of CloudNativePG deletes who led before, where the operator has taken its label away", () => {
  const members = ["main-1", "main-2", "main-3"].map((name) => ({ name, primary: false }));
  const object = (currentPrimary: string) =>
    ({ ...sceneOf(foundOf("cnpg")).cluster!, status: { currentPrimary } }) as KubeObject;
  const deleted = (currentPrimary: string, instance = "main-2") =>
    stepsOf("cnpg", "failover", { members, instance, object: object(currentPrimary) })
      .slice(1)
      .map(words);
  assert.deepEqual(
    deleted("main-1").map((step) => step.slice(0, 3)),
    [["delete", "pod", "main-1"]],
  );
  assert.deepEqual(deleted("main-2"), [], "it is promoted itself");
  assert.deepEqual(deleted("main-9"), [], "its pod isn't there");
});

describe("who is promoted", () => {
  const asked = (name: string, primary: boolean, more: object = {}, ready = true): Asked => ({
    name,
    primary,
    ready,
    answer: { ...sceneOf(foundOf("cnpg")).heard.get("main-2")!.answer!, standby: !primary, ...more },
  });
  const primary = asked("main-1", true, {
    standbys: [{ name: "main-3", state: "streaming", sync: "quorum", lagSeconds: 0 }],
  });

  it("is the standby that confirms commits, before one that has more; never one that doesn't answer", () => {
    const [second, third] = [asked("main-2", false, { lsn: 9e9 }), asked("main-3", false)];
    assert.equal(bestStandby([primary, second, third])?.name, "main-3");
    assert.equal(
      bestStandby([{ ...primary, answer: { ...primary.answer!, standbys: [] } }, second, third])?.name,
      "main-2",
    );
    assert.equal(
      bestStandby([primary, { name: "main-0", primary: false, ready: true }, second])?.name,
      "main-2",
    );
    assert.equal(bestStandby([primary]), undefined);
  });

  it("is refused where it is none, with those that could", () => {
    const members = [primary, asked("main-2", false)];
    const wanted = (act: ActName, instance: string) => () =>
      instanceFor({ act, command: act, instance }, members);
    assert.throws(wanted("switchover", "main-1"), {
      message: '--to: "main-1" is not allowed. Allowed: main-2. Fix: name one of them.',
    });
    assert.throws(wanted("reinit", "main-1"), {
      message: 'standby: "main-1" is not allowed. Allowed: main-2. Fix: name one of them.',
    });
    assert.throws(
      wanted("restart", "main-9"),
      /instance: "main-9" is not allowed\. Allowed: main-1, main-2\./,
    );
    assert.throws(() => instanceFor({ act: "failover", command: "failover" }, [primary]), UserError);
    assert.equal(instanceFor({ act: "unfence", command: "unfence" }, members), "*");
    assert.equal(instanceFor({ act: "restart", command: "restart" }, members), "main-1");
  });

  it("hands over only where it can, and says of a failover what may be lost", () => {
    const streams = asked("main-2", false);
    const silent = { name: "main-1", primary: true, ready: false };
    assert.deepEqual(promotionNotes("switchover", "main-2", [primary, streams]), []);
    assert.throws(() => promotionNotes("switchover", "main-2", [silent, streams]), /pgp failover/);
    assert.throws(
      () => promotionNotes("switchover", "main-2", [primary, asked("main-2", false, { streams: false })]),
      /does not stream/,
    );
    assert.match(promotionNotes("failover", "main-2", [primary, streams])[0] ?? "", /nothing is lost/);
    assert.match(
      promotionNotes("failover", "main-2", [primary, asked("main-2", false, { lsn: 0 })])[0] ?? "",
      /has yet to replay 20\.0 MiB .*MAY BE LOST/,
    );
    assert.match(
      promotionNotes("failover", "main-2", [silent, asked("main-2", false, { lastCommit: NOW - 7 })])[0] ??
        "",
      /IS LOST\. The newest commit that main-2 has is 7 s old\./,
    );
    assert.throws(() =>
      promotionNotes("failover", "main-2", [silent, { ...silent, name: "main-2", primary: false }]),
    );
  });

  it("is not asked of a standalone server: the sentence says what to do instead; with a stand-in for kubectl", async () => {
    const found = foundOf("standalone");
    class StandIn extends Kubectl {
      override query(): Promise<KubeObject[]> {
        return Promise.resolve([]);
      }
    }
    const kubectl = new StandIn({ kubeconfig: undefined, context: "none" });
    const subject = { ...found.subject!, kubectl };
    const standIn: Found = { ...found, subject, platform: subject };
    await assert.rejects(planOf(standIn, { act: "switchover", command: "switchover" }), {
      message:
        "`pgp switchover`: the engine standalone can't: a standalone server has no standby. Instead: `pgp restart` restarts it in its place; the engines cnpg and zalando have standbys.",
    });
  });
});
