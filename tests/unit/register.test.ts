import assert from "node:assert/strict";
import * as pulumi from "@pulumi/pulumi";
import { registerObjects } from "../../components/register";
import type { PlannedObject } from "../../plan/objects";
import { graphOf, type Registered } from "../support/graph";

class Parent extends pulumi.ComponentResource {
  constructor(objects: readonly PlannedObject[], options: pulumi.ComponentResourceOptions) {
    super("test:index:Parent", "parent", {}, options);
    registerObjects("it", objects, { parent: this });
  }
}

async function registered(more: Partial<PlannedObject>, kind = "ConfigMap"): Promise<Registered> {
  const apiVersion = kind === "Job" ? "batch/v1" : "v1";
  const object = { apiVersion, kind, metadata: { name: "a", namespace: "b" } };
  const { resources } = await graphOf((options) => {
    new Parent([{ id: "one", stage: 1, object, ...more }], options);
    return {};
  });
  const found = resources.find(({ name }) => name === "it-one");
  assert.ok(found);
  return found;
}

describe("a planned object's resource", () => {
  it("is deleted before it is replaced if it is a Job, which would go with the old one of its name", async () => {
    assert.equal((await registered({}, "Job")).deleteBeforeReplace, true);
    assert.equal((await registered({})).deleteBeforeReplace, undefined);
  });

  it("has the options that the plan asks for, and no other", async () => {
    const { retainOnDelete, ignoreChanges, timeouts } = await registered({
      retain: "a reason",
      leave: { fields: ["spec"], to: "someone" },
      timeoutMinutes: 3,
    });
    assert.deepEqual(
      { retainOnDelete, ignoreChanges, timeouts },
      {
        retainOnDelete: true,
        ignoreChanges: ["spec"],
        timeouts: { create: "3m", update: "3m" },
      },
    );
    const plain = await registered({});
    assert.deepEqual(
      [plain.protect, plain.retainOnDelete, plain.ignoreChanges, plain.timeouts],
      [undefined, undefined, undefined, undefined],
    );
  });
});
