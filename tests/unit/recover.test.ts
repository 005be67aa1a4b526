import assert from "node:assert/strict";
import type { KubeObject } from "../../operations/kubectl";
import { stuckAfterRestart } from "../../operations/stuckAfterRestart";
import { unitName, unitText } from "../../operations/systemdUnit";

/** That a recovery brings a platform back after its machine was off is shown by tests/e2e/recover.test.ts. */

describe("pods that a restart has left stuck", () => {
  const now = new Date("2026-11-30T12:00:00Z");
  const owned = (kind = "ReplicaSet") => ({ ownerReferences: [{ kind, name: "web-1" }] });
  const pod = (metadata: object, status: object, nodeName = "n1") => ({
    namespace: "shop",
    pod: {
      apiVersion: "v1",
      kind: "Pod",
      metadata: { name: "web", ...metadata },
      spec: { nodeName },
      status: status as Record<string, unknown>,
    } satisfies KubeObject,
  });
  const crashes = {
    containerStatuses: [{ name: "web", image: "web:1", state: { waiting: { reason: "CrashLoopBackOff" } } }],
  };
  const judged = (one: ReturnType<typeof pod>) =>
    stuckAfterRestart([one], new Set(["n1"]), now).map(
      ({ why, forced }) => `${why}${forced ? ", forced" : ""}`,
    );

  it("are those that have ended, and whose maker would make them again", () => {
    assert.deepEqual(judged(pod(owned(), { phase: "Failed", reason: "NodeShutdown" })), [
      "has ended (NodeShutdown)",
    ]);
    assert.deepEqual(judged(pod(owned("Cluster"), { phase: "Succeeded" })), ["has ended (Succeeded)"]);
    assert.deepEqual(judged(pod({}, { phase: "Failed" })), [], "nothing would make it again");
    assert.deepEqual(judged(pod(owned("Job"), { phase: "Failed" })), [], "a Job counts it");
  });

  it("are those that wait for minutes before they start once more", () => {
    assert.deepEqual(judged(pod(owned(), crashes)), ["waits with CrashLoopBackOff"]);
    assert.deepEqual(judged(pod(owned(), { phase: "Pending" })), []);
    assert.deepEqual(judged(pod({}, crashes)), []);
  });

  it("are those that should have gone, when no kubelet ends them", () => {
    const ending = (at: string, state: object, node = "n1") =>
      judged(pod({ ...owned(), deletionTimestamp: at }, { containerStatuses: [{ state }] }, node));
    assert.deepEqual(ending("2026-11-30T11:58:00Z", { terminated: {} }), [
      "has been ending for 120 s longer than it may, forced",
    ]);
    assert.deepEqual(ending("2026-11-30T11:59:30Z", { terminated: {} }), [], "it may yet end");
    assert.deepEqual(ending("2026-11-30T11:50:00Z", { running: {} }), [], "it runs");
    assert.deepEqual(
      ending("2026-11-30T11:50:00Z", { terminated: {} }, "n2"),
      [],
      "its node doesn't answer: it may run there",
    );
  });
});

describe("the unit of systemd that recovers a stack", () => {
  const unit = (environment: Record<string, string>, system = true) =>
    unitText({ stack: "local", folder: "/srv/a b/pg", environment, system }).split("\n");

  it("runs the command with what the shell has, and nothing else of it", () => {
    const lines = unit({ PATH: "/usr/bin", HOME: "/root", CONTEXT: "", AWS_SECRET_ACCESS_KEY: "hunter2" });
    assert.equal(unitName("local"), "pgplatform-recover-local.service");
    assert.ok(lines.includes('ExecStart="/srv/a b/pg/pgp" recover --stack "local"'));
    assert.ok(lines.includes('Environment="PATH=/usr/bin"'));
    assert.doesNotMatch(lines.join("\n"), /CONTEXT|hunter2/);
    assert.ok(lines.includes("WantedBy=multi-user.target"));
    assert.ok(unit({}, false).includes("WantedBy=default.target"));
  });

  it("has words as systemd reads them", () => {
    assert.ok(unit({ PATH: '/a%b/"c"/\\d' }).includes('Environment="PATH=/a%%b/\\"c\\"/\\\\d"'));
    assert.match(
      unitText({ stack: "lo$cal", folder: "/srv/$HOME", environment: {}, system: true }),
      /^ExecStart="\/srv\/\$HOME\/pgp" recover --stack "lo\$\$cal"$/m,
    );
  });
});
