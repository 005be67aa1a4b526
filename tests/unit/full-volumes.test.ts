import assert from "node:assert/strict";
import { liveReaderOf, planners } from "../../plan/engines/select";
import { fullClaims, fullLines, growFull } from "../../operations/fullVolumes";
import { type Subject } from "../../operations/health";
import { type StepContext } from "../../shell/progress";
import { changed, checked, smallest } from "../support/settings";

/** A subject whose cluster is in the phase, with claims of these sizes; `ran` is what kubectl was told. */
function subjectWith(input: unknown, phase: string, sizes: Record<string, string>) {
  const settings = checked(input);
  const engine = planners[settings.cluster.engine];
  const plan = engine.plan(settings);
  const ran: string[][] = [];
  const [cluster] = plan.objects;
  const kubectl = {
    flags: ["--context", "west"],
    get: () => Promise.resolve({ ...cluster!.object, status: { phase } }),
    list: () =>
      Promise.resolve(
        Object.entries(sizes).map(([name, storage]) => ({
          metadata: { name, labels: { "cnpg.io/pvcRole": name.endsWith("-wal") ? "PG_WAL" : "PG_DATA" } },
          spec: { resources: { requests: { storage } } },
        })),
      ),
    run: (args: string[]) => {
      ran.push(args);
      return Promise.resolve({ stdout: "" });
    },
  };
  return {
    subject: { settings, engine, plan, live: liveReaderOf(settings), kubectl } as unknown as Subject,
    ran,
  };
}

const said: string[] = [];
const context = { say: (line: string) => said.push(line), detail: () => undefined } as unknown as StepContext;
const full = "Not enough disk space";
const walOf = (walSize: string) => changed(smallest(), "cluster.storage.walSize", walSize);

describe("a full WAL volume", () => {
  it("grows to what the stack file asks for, and the data volumes stay", async () => {
    const { subject, ran } = subjectWith(walOf("8Gi"), full, {
      "main-1": "2Gi",
      "main-1-wal": "4Gi",
      "main-2": "2Gi",
      "main-2-wal": "8Gi",
    });
    await growFull(subject, context);
    assert.deepEqual(ran, [
      [
        ...["-n", "postgres", "patch", "persistentvolumeclaim", "main-1-wal"],
        ...["--type", "merge", "-p", '{"spec":{"resources":{"requests":{"storage":"8Gi"}}}}'],
      ],
    ]);
    assert.deepEqual(said, ["main-1-wal is full: it grows from 4Gi to 8Gi"]);
  });

  it("says the setting and the command where the stack file asks for no more", async () => {
    const { subject, ran } = subjectWith(walOf("4Gi"), full, { "main-1": "2Gi", "main-1-wal": "4Gi" });
    await assert.rejects(growFull(subject, context), (error: { problems: string[] }) => {
      assert.match(
        error.problems[0]!,
        /^PostgreSQL is stopped: .* Raise pgplatform:cluster\.storage\.walSize above 4Gi and run `make up`/,
      );
      assert.equal(
        error.problems[1],
        "  kubectl --context west -n postgres patch persistentvolumeclaim main-1-wal --type merge -p " +
          `'{"spec":{"resources":{"requests":{"storage":"8Gi"}}}}'`,
      );
      return true;
    });
    assert.deepEqual(ran, []);
  });

  it("is the data volume where the WAL has none of its own", async () => {
    const { subject } = subjectWith(smallest(), full, { "main-1": "2Gi" });
    const claims = await fullClaims(subject);
    assert.deepEqual(claims, [{ name: "main-1", size: "2Gi", planned: "2Gi" }]);
    assert.match(fullLines(subject, claims ?? [])[0]!, /Raise pgplatform:cluster\.storage\.size above 2Gi/);
  });

  it("is left alone while the cluster runs, or with an engine that grows volumes by itself", async () => {
    const running = subjectWith(walOf("8Gi"), "Cluster in healthy state", { "main-1-wal": "4Gi" });
    await growFull(running.subject, context);
    const other = subjectWith(changed(smallest(), "cluster.engine", "zalando"), full, { "main-1": "1Gi" });
    await growFull(other.subject, context);
    assert.deepEqual([running.ran, other.ran], [[], []]);
  });
});
