import assert from "node:assert/strict";
import { invariants } from "../../../policy/invariants";
import { policiesOf } from "../../../policy/policies";
import type { KubernetesObject } from "../../../plan/objects";
import { isWaivedBy, waiversIn } from "../../../policy/waivers";
import { sentence } from "../../../settings/problem";
import { good, goodStack, mutated } from "./kit";

const today = "2026-01-31";
const waiver = {
  policy: "enough-instances",
  resource: "Cluster shop/orders",
  reason: "the second node comes in March",
  until: "2026-03-31",
  who: "Ada",
};
const names = invariants.map(({ name }) => name);
const read = (value: unknown) =>
  waiversIn(
    { "pgplatform:waivers": typeof value === "string" ? value : JSON.stringify(value) },
    names,
    today,
  );
const problemsOf = (change: object) => read([{ ...waiver, ...change }]).problems.map(sentence);

describe("waivers", () => {
  it("hold until their last day", () => {
    assert.deepEqual(read([waiver]), { waivers: [waiver], problems: [] });
    assert.equal(read([{ ...waiver, until: today }]).waivers.length, 1);
    // As Pulumi hands on a day that stands in a stack file without quotes.
    for (const until of ["2026-03-31 00:00:00 +0000 UTC", "2026-03-31T00:00:00Z"])
      assert.deepEqual(read([{ ...waiver, until }]), { waivers: [waiver], problems: [] });
    assert.deepEqual(waiversIn({}, names, today), { waivers: [], problems: [] });
  });

  for (const [change, expected] of [
    [
      { until: "2026-01-30" },
      'pgplatform:waivers[0].until: "2026-01-30" is not allowed. Allowed: today (2026-01-31) or later, since this waiver has expired. Fix: correct what it is about, or renew it with a reason.',
    ],
    [
      { until: "31.3.2026" },
      'pgplatform:waivers[0].until: "31.3.2026" is not allowed. Allowed: a day, such as 2026-01-31. Fix: write it so.',
    ],
    [
      { until: "2026-02-30" },
      'pgplatform:waivers[0].until: "2026-02-30" is not allowed. Allowed: a day, such as 2026-01-31. Fix: write it so.',
    ],
    [
      { until: "2030-01-01" },
      'pgplatform:waivers[0].until: "2030-01-01" is not allowed. Allowed: a day within 366 days. Fix: choose a nearer one, and renew it then.',
    ],
    [
      { policy: "enough" },
      'pgplatform:waivers[0].policy: "enough" is not allowed. Allowed: the name of a policy of this pack. Fix: copy it from the message.',
    ],
    [
      { resource: "*" },
      'pgplatform:waivers[0].resource: "*" is not allowed. Allowed: the object as the message names it, such as Cluster shop/orders. Fix: name one object.',
    ],
    [
      { reason: " " },
      'pgplatform:waivers[0].reason: " " is not allowed. Allowed: why it may be so for a while. Fix: write it.',
    ],
    [
      { who: undefined },
      "pgplatform:waivers[0].who: not set. Allowed: who answers for it. Fix: write a name.",
    ],
    [
      { ticket: 1 },
      "pgplatform:waivers[0].ticket: no such field (1). Allowed: policy, resource, reason, until, who. Fix: correct it, or remove it.",
    ],
  ] as const)
    it(`are refused in one sentence: ${JSON.stringify(change)}`, () => {
      assert.deepEqual(problemsOf(change), [expected]);
      assert.deepEqual(read([{ ...waiver, ...change }]).waivers, []);
    });

  for (const value of ["no", "{", { policy: "x" }, ["x"], [null], 7])
    it(`are refused in another form: ${JSON.stringify(value)}`, () => {
      const { waivers, problems } = read(value);
      assert.deepEqual([waivers, problems.length], [[], 1]);
    });

  /** One run of the pack over a stack with a waiver. */
  function run(
    value: unknown,
    cluster = mutated("cluster", { "spec.instances": 2 }),
  ): Record<string, string[]> {
    const policies = policiesOf({
      config: () => ({ "pgplatform:waivers": JSON.stringify(value) }),
      today: () => today,
    }) as unknown as Record<string, (args: object, report: (text: string) => void) => void>[];
    const said: Record<string, string[]> = {};
    const objects = Object.values(goodStack({ cluster }));
    const resources = objects.map((object) => ({
      urn: `${object.kind}/${object.metadata.name}`,
      type: `kubernetes:${object.apiVersion}:${object.kind}`,
      name: object.metadata.name,
      props: object,
      opts: { protect: true },
    }));
    class NotApplicable extends Error {}
    const common = {
      getConfig: () => ({}),
      notApplicable: () => {
        throw new NotApplicable();
      },
    };
    for (const method of ["validateResource", "validateStack"] as const)
      for (const policy of policies)
        for (const args of method === "validateStack" ? [{ resources }] : resources)
          try {
            policy[method]?.({ ...common, ...args }, (text) =>
              (said[policy.name as unknown as string] ??= []).push(text.split("\n")[0]!),
            );
          } catch (error) {
            if (!(error instanceof NotApplicable)) throw error;
          }
    return said;
  }

  it("let pass what they name, and are told on every run", () => {
    const odd = { ...waiver, policy: "odd-quorum", resource: "Cluster shop/orders" };
    assert.deepEqual(run([waiver, odd]), {
      "synchronous-number": run([])["synchronous-number"],
      waived: [
        "Waiver of enough-instances for Cluster shop/orders until 2026-03-31, by Ada: the second node comes in March (it lets 1 violation pass)",
        "Waiver of odd-quorum for Cluster shop/orders until 2026-03-31, by Ada: the second node comes in March (it lets nothing pass: remove it)",
      ],
    });
  });
  it("let pass nothing of another object, and nothing once they have expired", () => {
    const other = run([{ ...waiver, resource: "Cluster shop/order" }]);
    assert.equal(other["enough-instances"]?.length, 1);
    const expired = run([{ ...waiver, until: "2026-01-01" }]);
    assert.equal(expired["enough-instances"]?.length, 1);
    assert.equal(expired.waivers?.length, 1);
    assert.equal(expired.waived, undefined);
  });
  it("of buckets go by the resource's name, with which the message begins", () => {
    const bucket = { path: "Bucket live: access to orders-backups", value: "", allowed: "", fix: "" };
    const [held] = read([{ ...waiver, policy: "private-buckets", resource: "Bucket live" }]).waivers;
    assert.ok(held && isWaivedBy(held, "private-buckets", bucket));
    assert.ok(!isWaivedBy({ ...held, resource: "Bucket liv" }, "private-buckets", bucket));
  });
  it("of objects whose namespace isn't known yet go by kind and name", () => {
    const later = (changes: Record<string, unknown>) => {
      const object = mutated("cluster", { "spec.instances": 2, ...changes });
      Object.defineProperty(object.metadata, "namespace", {
        enumerable: true,
        get() {
          throw new Error("not known");
        },
      });
      return object;
    };
    const said = (object: KubernetesObject) => run([waiver], object)["enough-instances"];
    assert.equal(said(later({})), undefined);
    assert.deepEqual(said(later({ "metadata.name": "second" })), [
      "Cluster second (namespace not known yet): instances: 2 is not allowed. Allowed: at least 3. Fix: set 3.",
    ]);
    // One that has none is in the default namespace, which is known.
    assert.equal(
      said(mutated("cluster", { "spec.instances": 2, "metadata.namespace": undefined }))?.length,
      1,
    );
    const pooler = run([{ ...waiver, resource: "Pooler shop/orders" }], later({}));
    assert.equal(pooler["enough-instances"]?.length, 1);
  });
  it("of policies about stacks go by the object that the message begins with", () => {
    const said = run(
      [{ ...waiver, policy: "base-backups" }],
      mutated("cluster", { "metadata.name": "orders2" }),
    );
    assert.ok(said["base-backups"]);
    const open = { ...waiver, policy: "closed-network", resource: "Namespace shop" };
    assert.equal(run([open], good("cluster"))["closed-network"], undefined);
  });
});
