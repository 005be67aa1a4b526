import assert from "node:assert/strict";
import { heldIn, letGo, lettingGo } from "../../operations/letGo";
import type { KubeObject } from "../../operations/kubectl";

/** Stand-in: kubectl, with two kinds of objects in memory. */
function cluster(objects: Record<string, { deletedAt?: number; finalizers?: string[] }>) {
  const said: string[][] = [];
  return {
    said,
    get: (kind: string, namespace: string, name: string): Promise<KubeObject | undefined> => {
      const found = objects[`${kind} ${namespace}/${name}`];
      if (found === undefined) return Promise.resolve(undefined);
      const { deletedAt, finalizers } = found;
      const metadata = {
        name,
        namespace,
        ...(deletedAt !== undefined && { deletionTimestamp: new Date(deletedAt).toISOString() }),
        ...(finalizers && { finalizers }),
      };
      return Promise.resolve({ metadata } as unknown as KubeObject);
    },
    run: (args: readonly string[]) => {
      said.push([...args]);
      return Promise.resolve({ exitCode: 0, stdout: "", stderr: "" }) as never;
    },
  };
}

const NOW = Date.parse("2026-11-30T10:00:00Z");
const FINALIZER = "cnpg.io/deleteDatabase";
const database = "databases.postgresql.cnpg.io shop/main-app";
const state = (type: string) => [
  {
    type,
    inputs: {
      apiVersion: "v1",
      kind: "",
      metadata: { name: "main-app", namespace: "shop" },
      spec: { cluster: { name: "main" } },
    },
  },
];
const held = heldIn(state("kubernetes:postgresql.cnpg.io/v1:Database"));

describe("what a deleted operator still holds", () => {
  it("is a Database of CloudNativePG, and no other object", () => {
    assert.equal(held.length, 1);
    assert.deepEqual(heldIn(state("kubernetes:apps/v1:Deployment")), []);
  });

  it("is let go of when its cluster is gone, and other finalizers stay", async () => {
    const kubectl = cluster({ [database]: { deletedAt: NOW - 21_000, finalizers: [FINALIZER, "other"] } });
    assert.deepEqual(await letGo(kubectl, held, NOW), [database]);
    assert.deepEqual(kubectl.said, [
      [
        ...["-n", "shop", "patch", "databases.postgresql.cnpg.io", "main-app", "--type=merge", "-p"],
        '{"metadata":{"finalizers":["other"]}}',
      ],
    ]);
  });

  for (const [what, objects] of [
    ["isn't deleted", { [database]: { finalizers: [FINALIZER] } }],
    ["was deleted a moment ago", { [database]: { deletedAt: NOW - 19_000, finalizers: [FINALIZER] } }],
    [
      "has its cluster",
      {
        [database]: { deletedAt: NOW - 60_000, finalizers: [FINALIZER] },
        "clusters.postgresql.cnpg.io shop/main": {},
      },
    ],
    ["has another finalizer only", { [database]: { deletedAt: NOW - 60_000, finalizers: ["other"] } }],
    ["is gone", {}],
  ] as const)
    it(`is left alone where it ${what}`, async () => {
      const kubectl = cluster(objects as never);
      assert.deepEqual(await letGo(kubectl, held, NOW), []);
      assert.deepEqual(kubectl.said, []);
    });

  it("is looked for until the work ends, whatever an answer is", async () => {
    let asked = 0;
    const lines: string[] = [];
    const { get, run } = cluster({ [database]: { deletedAt: 0, finalizers: [FINALIZER] } });
    const kubectl = {
      run,
      get: (...args: Parameters<typeof get>) =>
        ++asked === 1 ? Promise.reject(new Error("the kind isn't known")) : get(...args),
    };
    const work = async () => {
      while (lines.length === 0) await new Promise((resolve) => setTimeout(resolve, 5));
      return "done";
    };
    assert.equal(await lettingGo(kubectl, held, (line) => lines.push(line), work, 5), "done");
    assert.match(lines[0] ?? "", /main-app: its operator was gone/);
    const before = asked;
    await new Promise((resolve) => setTimeout(resolve, 30));
    assert.equal(asked, before);
  });
});
