import assert from "node:assert/strict";
import type { ResourceValidationPolicy, StackValidationPolicy } from "@pulumi/policy";
import { protectionPolicies } from "../../../policy/protection";
import type { State, StateResource } from "../../../policy/stackConfig";

const chain = "pgplatform:components:PostgresPlatform$pgplatform:components:Cluster";
const urnOf = (type: string, name: string): string => `urn:pulumi:prod::shop::${chain}$${type}::${name}`;

/** What holds the data with each engine, by its type, with a change that makes it again. */
const kinds = {
  cnpg: ["kubernetes:postgresql.cnpg.io/v1:Cluster", "Cluster"],
  zalando: ["kubernetes:acid.zalan.do/v1:postgresql", "postgresql"],
  standalone: ["kubernetes:apps/v1:StatefulSet", "StatefulSet"],
} as const;

const metadata = { name: "orders", namespace: "shop" };
const held = (type: string, kind: string, more: Partial<StateResource> = {}): StateResource => ({
  urn: urnOf(type, "main-cluster"),
  type,
  inputs: { kind, metadata },
  protect: true,
  retainOnDelete: true,
  ...more,
});

type Policy = ResourceValidationPolicy & StackValidationPolicy;

function policies(state: State | undefined, config: Record<string, string> = {}): readonly [Policy, Policy] {
  const made = protectionPolicies({
    config: () => config,
    today: () => "2026-01-31",
    ...(state && { state: () => Promise.resolve(state) }),
  });
  return made as unknown as readonly [Policy, Policy];
}

/** What is reported of resources of the program, over the whole stack. */
async function ofStack(policy: Policy, resources: readonly object[] = []): Promise<string[]> {
  const said: string[] = [];
  const run = policy.validateStack as unknown as (args: object, report: (text: string) => void) => unknown;
  await run({ resources }, (text) => said.push(text));
  return said;
}

async function ofResource(policy: Policy, resource: object): Promise<string[]> {
  const said: string[] = [];
  const run = policy.validateResource as unknown as (args: object, report: (text: string) => void) => unknown;
  await run(resource, (text) => said.push(text));
  return said;
}

const registered = ({ urn, type, inputs }: StateResource, change: object = {}, aliases: string[] = []) => ({
  urn,
  type,
  name: "main-cluster",
  props: { ...inputs, ...change },
  opts: { aliases },
});

describe("the policy of protected data", () => {
  for (const [engine, [type, kind]] of Object.entries(kinds)) {
    const one = held(type, kind);
    const [policy] = policies({ resources: [one] });

    it(`refuses with the engine ${engine} that the cluster isn't registered any more`, async () => {
      assert.deepEqual(await ofStack(policy, []), [
        "cluster shop/orders: the update deletes it. Allowed: by `make up` once pgplatform:allow names it and there is a verified backup, whose age only " +
          "`make up` reads. Fix: undo the change, or make it that way.\nSee docs/changes.md#protection",
      ]);
      assert.deepEqual(await ofStack(policy, [registered(one)]), []);
      const moved = { ...one, urn: urnOf(type, "other") };
      assert.deepEqual(await ofStack(policy, [registered(moved, {}, [one.urn])]), [], "under a new name");
    });

    it(`refuses with the engine ${engine} what makes the cluster again, before it is made`, async () => {
      for (const [field, change] of [
        ["metadata.name", { name: "invoices", namespace: "shop" }],
        ["metadata.namespace", { name: "orders", namespace: "other" }],
      ] as const)
        assert.match(
          (await ofResource(policy, registered(one, { metadata: change }))).join("\n"),
          new RegExp(`^cluster shop/orders: the update replaces it, since ${field} changes\\. Allowed: by`),
        );
      assert.deepEqual(await ofResource(policy, registered(one, { spec: { replicas: 2 } })), []);
    });

    it(`refuses nothing with the engine ${engine} that isn't protected, or that make has lifted`, async () => {
      const lifted = held(type, kind, { protect: false, retainOnDelete: false });
      const [loose] = policies({ resources: [lifted] });
      assert.deepEqual(await ofStack(loose, []), []);
      assert.deepEqual(await ofResource(loose, registered(lifted, { metadata: { name: "x" } })), []);
      const [unprotected] = policies({ resources: [held(type, kind, { protect: false })] });
      assert.equal((await ofStack(unprotected, [])).length, 1, "only unprotected: it is retained");
    });
  }

  it("refuses another class of a volume, and a bucket of another name or region", async () => {
    const claim = "kubernetes:core/v1:PersistentVolumeClaim";
    const volume = held(claim, "PersistentVolumeClaim", {
      inputs: { kind: "PersistentVolumeClaim", metadata, spec: { storageClassName: "gp3" } },
    });
    const bucket = held("aws:s3/bucket:Bucket", "", { inputs: { bucket: "copies", region: "eu-west-1" } });
    for (const [one, change, words] of [
      [
        volume,
        { spec: { storageClassName: "io2" } },
        "volume shop/orders: the update replaces it, since spec.storageClassName",
      ],
      [bucket, { region: "eu-central-1" }, "bucket copies: the update replaces it, since region"],
    ] as const) {
      const [policy] = policies({ resources: [one] });
      assert.ok((await ofResource(policy, registered(one, change)))[0]?.startsWith(words));
    }
  });

  it("reads no state of a stack without the platform's settings", async () => {
    const [policy, allowed] = policies(undefined);
    assert.deepEqual([await ofStack(policy), await ofStack(allowed)], [[], []]);
  });

  it("refuses a protected stack whose state can't be read, and no other", async () => {
    const why = { why: "no such stack" };
    const [prod] = policies(why, { "pgplatform:platform": "cloud" });
    assert.deepEqual(await ofStack(prod), [
      "pgplatform:protection: the stack's state can't be read (no such stack). Allowed: an update whose deletions can be seen. Fix: run it where `pulumi stack export` works.",
    ]);
    for (const config of [
      { "pgplatform:platform": "local" },
      { "pgplatform:platform": "cloud", "pgplatform:protection": '{"enabled":false}' },
    ])
      assert.deepEqual(await ofStack(policies(why, config)[0]), []);
    const on = policies(why, { "pgplatform:platform": "local", "pgplatform:protection": '{"enabled":true}' });
    assert.equal((await ofStack(on[0])).length, 1);
  });

  it("tells entries of allow, and refuses those that have expired, name nothing or have another form", async () => {
    const one = held(...kinds.cnpg);
    const config = (allow: unknown) => ({ "pgplatform:allow": JSON.stringify(allow) });
    const entry = { what: "cluster shop/orders", until: "2026-02-01" };
    const [policy, allowed] = policies({ resources: [one] }, config([entry]));
    assert.deepEqual(await ofStack(policy, [registered(one)]), []);
    assert.deepEqual(await ofStack(allowed), [
      "pgplatform:allow: cluster shop/orders may be deleted or replaced until 2026-02-01; remove the entry when that is done",
    ]);
    const refused = async (allow: unknown, resources: StateResource[] = [one]) =>
      (await ofStack(policies({ resources }, config(allow))[0], [registered(one)])).join("\n");
    assert.match(
      await refused([{ ...entry, until: "2026-01-30" }]),
      /^pgplatform:allow\[0\]\.until: .* has expired/,
    );
    assert.match(
      await refused([{ ...entry, what: "cluster shop/x" }]),
      /^pgplatform:allow\[0\]\.what: "cluster shop\/x" is not/,
    );
    assert.match(
      await refused("everything"),
      /^pgplatform:allow: "everything" is not allowed\. Allowed: a list of/,
    );
    assert.equal(await refused([{ ...entry, what: "cluster shop/x" }], []), "", "from nothing");
  });
});
