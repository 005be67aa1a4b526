import assert from "node:assert/strict";
import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { settingsOfTree } from "../../operations/context";
import { readStackFile } from "../../operations/pulumi";
import { changesIn, destructive, lineOf } from "../../operations/plannedSteps";
import { UserError } from "../../shell/userError";

const urn = (type: string, name = "x") =>
  `urn:pulumi:local::postgres-platform::pgplatform:components:Cluster$${type}::${name}`;

describe("a plan's destructive steps", () => {
  it("are deletions and replacements of what holds data, and nothing else", () => {
    const cluster = urn("kubernetes:postgresql.cnpg.io/v1:Cluster");
    const steps = [
      { op: "update", urn: cluster },
      { op: "create", urn: cluster },
      { op: "delete", urn: cluster },
      { op: "replace", urn: urn("kubernetes:core/v1:Namespace") },
      { op: "delete", urn: urn("kubernetes:core/v1:ConfigMap") },
      { op: "replace", urn: urn("kubernetes:apps/v1:Deployment") },
      { op: "delete-replaced", urn: urn("kubernetes:apps/v1:StatefulSet") },
      { op: "delete", urn: urn("kubernetes:acid.zalan.do/v1:postgresql") },
    ];
    assert.deepEqual(
      destructive(steps).map((step) => steps.indexOf(step)),
      [2, 3, 6, 7],
    );
  });

  it("are none for what stays when the stack lets go of it", () => {
    const step = { op: "delete", urn: urn("kubernetes:core/v1:Namespace") };
    assert.equal(destructive([{ ...step, oldState: { retainOnDelete: false } }]).length, 1);
    assert.deepEqual(destructive([{ ...step, oldState: { retainOnDelete: true } }]), []);
  });

  it("are found for resources without a parent too", () => {
    const bare = "urn:pulumi:local::postgres-platform::kubernetes:core/v1:PersistentVolumeClaim::data";
    assert.equal(destructive([{ op: "delete", urn: bare }]).length, 1);
  });
});

describe("a plan's step as a line", () => {
  it("says what is done to which resource, without its parents", () => {
    assert.equal(
      lineOf({ op: "update", urn: urn("kubernetes:apps/v1:Deployment", "main-pooler") }),
      "update kubernetes:apps/v1:Deployment main-pooler",
    );
  });
});

describe("the stack file, before anything is touched", () => {
  const overlay = { "pgplatform:platform": "local" };

  it("passes as it is in the tree", async () => {
    assert.equal((await settingsOfTree("local", overlay)).cluster.name, "main");
  });

  it("may hold a registry's password as Pulumi has encrypted it, and as nothing else", async () => {
    const registries = (password: unknown) => ({
      ...overlay,
      "pgplatform:registries": [{ server: "registry.example.com", username: "puller", password }],
    });
    const { registries: read } = await settingsOfTree("local", registries({ secure: "v1:abc" }));
    assert.equal(read.length, 1);
    await assert.rejects(settingsOfTree("local", registries("hunter2")), {
      name: "UserError",
      message:
        "pgplatform:registries[0].password: plain text is not allowed. Allowed: a text that Pulumi has encrypted. Fix: " +
        "set it with pulumi config set --secret --path 'pgplatform:registries[0].password'.",
    });
  });

  it("is refused with every problem at once", async () => {
    const wrong = { ...overlay, "pgplatform:cluster": { name: "main" }, "pgplatform:clients": "all" };
    await assert.rejects(settingsOfTree("local", wrong), (error: Error) => {
      assert.ok(error instanceof UserError);
      assert.ok(error.problems.length > 2);
      return error.problems.some((problem) => problem.startsWith('pgplatform:clients: "all"'));
    });
  });

  it("comes from another folder where PGP_STACKS says so", async () => {
    const folder = await mkdtemp(join(tmpdir(), "pgp-stacks-"));
    try {
      await writeFile(join(folder, "Pulumi.other.yaml"), "config: { pgplatform:platform: k3d }\n");
      assert.deepEqual(await readStackFile("other", folder), { config: { "pgplatform:platform": "k3d" } });
      await assert.rejects(readStackFile("local", folder), /the stacks are other\.$/);
      await assert.rejects(readStackFile("local", join(folder, "none")), /PGP_STACKS: ".*" is not a folder/);
    } finally {
      await rm(folder, { recursive: true });
    }
  });

  it("must exist", async () => {
    await assert.rejects(
      settingsOfTree("nope", overlay),
      /^UserError: STACK: "nope" has no stack file; the stacks are cnpg, dev, local, prod, standalone\.$/,
    );
  });
});

describe("Pulumi's summary as a line", () => {
  it("keeps the counts", () => {
    const summary =
      "Resources:\n    + 5 created\n    ~ 2 updated\n    +-1 replaced\n    3 unchanged\n\nDuration: 3s\n";
    assert.equal(changesIn(summary), "5 created, 2 updated, 1 replaced, 3 unchanged");
  });

  it("says so when there is nothing to count", () => {
    assert.equal(changesIn("Duration: 1s"), "no changes");
  });
});

describe("status lines", () => {});
