import assert from "node:assert/strict";
import { planners } from "../../plan/engines/select";
import { type Subject } from "../../operations/health";
import { waitUntilLoaded } from "../../operations/loaded";
import { type StepContext } from "../../shell/progress";
import { changed, checked, smallest } from "../support/settings";

const context = { say: () => undefined, detail: () => undefined } as unknown as StepContext;
const alone = changed(
  changed(changed(smallest(), "cluster.engine", "standalone"), "cluster.instances", 1),
  "cluster.durability",
  "async",
);

/** A subject whose pod says these versions, one after the other; `ran` is what kubectl was told. */
function subjectWith(input: unknown, versions: readonly string[]) {
  const settings = checked(input);
  const engine = planners[settings.cluster.engine];
  const plan = engine.plan(settings);
  const ran: string[] = [];
  const left = [...versions];
  const kubectl = {
    list: () => Promise.resolve([{ metadata: { name: "main-0" } }]),
    run: (args: readonly string[]) => {
      ran.push(args.join(" "));
      return Promise.resolve({
        stdout: args.includes("exec") ? `${left.shift() ?? plan.loaded?.version}\n` : "",
      });
    },
  };
  return {
    subject: { settings, engine, plan, kubectl } as unknown as Subject,
    ran,
    version: plan.loaded?.version,
  };
}

describe("waiting until pods have loaded changed files", () => {
  it("has the kubelet look, and asks until the pod says the version of this update", async () => {
    const { subject, ran, version } = subjectWith(alone, ["", "older"]);
    await waitUntilLoaded(subject, context, undefined, 1);
    assert.deepEqual(ran, [
      "-n postgres exec main-0 -c config-reloader -- cat /run/pgplatform/version",
      `-n postgres annotate --overwrite pod main-0 pgplatform.io/files=${version}.0`,
      "-n postgres exec main-0 -c config-reloader -- cat /run/pgplatform/version",
      "-n postgres exec main-0 -c config-reloader -- cat /run/pgplatform/version",
    ]);
  });

  it("touches no pod that has them already", async () => {
    const { subject, ran } = subjectWith(alone, []);
    await waitUntilLoaded(subject, context, undefined, 1);
    assert.deepEqual(ran, ["-n postgres exec main-0 -c config-reloader -- cat /run/pgplatform/version"]);
  });

  it("has nothing to do where an operator sees to it", async () => {
    const { subject, ran } = subjectWith(smallest(), []);
    await waitUntilLoaded(subject, context, undefined, 1);
    assert.deepEqual(ran, []);
  });
});
