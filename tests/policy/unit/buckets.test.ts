import assert from "node:assert/strict";
import type { KubernetesObject } from "../../../plan/objects";
import { cloudResource, type CloudResource } from "../../../policy/buckets";
import { valuesOf } from "../../../policy/invariants";
import { plain } from "../../../policy/objects";
import { Run } from "../../../policy/run";
import { stackFacts } from "../../../policy/stackFacts";
import { sentence } from "../../../settings/problem";
import { goodStack, named } from "./kit";

/** Policies of buckets, on resources as Pulumi hands them to policies. */

const live = "orders-backups";
const copies = "orders-copies";
const resource = (
  type: string,
  name: string,
  props: Record<string, unknown>,
  more: Partial<CloudResource> = {},
): CloudResource => ({ type, name, props, protect: false, ...more });

const r2 = (more: Partial<CloudResource> = {}) =>
  resource(
    "cloudflare:index/r2Bucket:R2Bucket",
    "live",
    { name: live, accountId: "x" },
    { protect: true, ...more },
  );
const aws = (more: Partial<CloudResource> = {}) =>
  resource("aws:s3/bucket:Bucket", "copies", { bucket: copies }, { protect: true, ...more });
const all = {
  blockPublicAcls: true,
  blockPublicPolicy: true,
  ignorePublicAcls: true,
  restrictPublicBuckets: true,
};
const block = (props: Record<string, unknown> = all, bucket = copies) =>
  resource("aws:s3/bucketPublicAccessBlock:BucketPublicAccessBlock", "closed", { bucket, ...props });
const b2 = { endpoint: "https://s3.eu-central-003.backblazeb2.com" };
const r2Lock = (rule: object, bucketName = live) =>
  resource("cloudflare:index/r2BucketLock:R2BucketLock", "lock", {
    bucketName,
    rules: [{ id: "a", enabled: true, prefix: "copies/", ...rule }],
  });
const awsLock = (defaultRetention: object | undefined, more: Partial<CloudResource> = {}) =>
  resource(
    "aws:s3/bucketObjectLockConfiguration:BucketObjectLockConfiguration",
    "lock",
    { bucket: copies, rule: { defaultRetention } },
    more,
  );

const find = (policy: string, clouds: readonly CloudResource[], objects = goodStack()): string[] => {
  const invariant = named(policy);
  assert.equal(invariant.on, "stack");
  return invariant.on === "stack"
    ? invariant.check(stackFacts(objects, clouds), valuesOf(invariant)).map(sentence)
    : [];
};

describe("the invariant private-buckets", () => {
  const says = (name: string, bucket: string, why: string) => [
    `Bucket ${name}: access to ${bucket}: "${why}" is not allowed. Allowed: the platform's only. Fix: close it.`,
  ];
  const unblocked = "no public access block that has all four of its parts";

  it("has nothing to say about closed buckets, and about those that no backups go to", () => {
    assert.deepEqual(find("private-buckets", [r2(), aws(), block()]), []);
    assert.deepEqual(find("private-buckets", [aws({ props: { bucket: "website" } })]), []);
    assert.deepEqual(find("private-buckets", [aws()], []), []);
  });
  it("wants all of AWS's block, and none at B2, which has no such thing", () => {
    assert.deepEqual(find("private-buckets", [aws()]), says("copies", "orders-copies", unblocked));
    for (const key of Object.keys(all))
      assert.deepEqual(
        find("private-buckets", [aws(), block({ ...all, [key]: false })]),
        says("copies", "orders-copies", unblocked),
      );
    assert.deepEqual(
      find("private-buckets", [aws(), block(all, "another")]),
      says("copies", "orders-copies", unblocked),
    );
    assert.deepEqual(find("private-buckets", [aws(b2)]), []);
  });
  it("refuses public ACLs, at B2 too", () => {
    const acl = resource("aws:s3/bucketAcl:BucketAcl", "acl", { bucket: copies, acl: "public-read" }, b2);
    assert.deepEqual(
      find("private-buckets", [aws(b2), acl]),
      says("copies", "orders-copies", "the ACL public-read"),
    );
    const own = aws({ ...b2, props: { bucket: copies, acl: "public-read-write" } });
    assert.deepEqual(
      find("private-buckets", [own]),
      says("copies", "orders-copies", "the ACL public-read-write"),
    );
    assert.deepEqual(
      find("private-buckets", [aws({ ...b2, props: { bucket: copies, acl: "private" } })]),
      [],
    );
  });
  it("refuses R2's public domains, unless they are switched off or another bucket's", () => {
    const domain = (kind: string, enabled: boolean, bucketName = live) =>
      resource(`cloudflare:index/${kind[0]!.toLowerCase()}${kind.slice(1)}:${kind}`, "domain", {
        bucketName,
        enabled,
      });
    for (const kind of ["R2ManagedDomain", "R2CustomDomain"]) {
      assert.deepEqual(
        find("private-buckets", [r2(), domain(kind, true)]),
        says("live", "orders-backups", "a public domain"),
      );
      assert.deepEqual(find("private-buckets", [r2(), domain(kind, false)]), []);
      assert.deepEqual(find("private-buckets", [r2(), domain(kind, true, "website")]), []);
    }
  });
});

describe("the invariant protected-buckets", () => {
  it("refuses a bucket of backups without protection, and no other", () => {
    assert.deepEqual(find("protected-buckets", [r2(), aws()]), []);
    assert.deepEqual(find("protected-buckets", [r2({ protect: false }), aws()]), [
      "Bucket live: protection of orders-backups: false is not allowed. Allowed: true, since backups outlive the cluster. Fix: protect it.",
    ]);
    assert.deepEqual(find("protected-buckets", [aws({ protect: false, props: { bucket: "website" } })]), []);
  });
});

describe("the invariant bucket-locks", () => {
  const age = (days: number) => ({ condition: { type: "Age", maxAgeSeconds: days * 86_400 } });
  const locks = (...clouds: readonly CloudResource[]) => find("bucket-locks", clouds);

  it("has nothing to say about copies that are locked for as long as they are kept", () => {
    assert.deepEqual(locks(r2(), r2Lock(age(14))), []);
    assert.deepEqual(locks(aws(), awsLock({ days: 30 })), []);
    assert.deepEqual(locks(aws(), awsLock(undefined)), []);
    assert.deepEqual(locks(r2(), r2Lock({ ...age(99), enabled: false })), []);
    assert.deepEqual(locks(r2(), r2Lock(age(99), "website")), []);
  });
  it("refuses a lock where a cluster archives, above or below that place", () => {
    for (const prefix of ["", "live", "live/orders-2/"])
      assert.deepEqual(locks(r2(), r2Lock({ prefix, ...age(1) })), [
        `Bucket live: lock on ${prefix === "" ? "everything" : prefix} in orders-backups: "1 days" is not allowed. Allowed: none on live, where a cluster archives. Fix: lock the copy in another bucket or under another prefix.`,
      ]);
  });
  it("refuses a lock that outlasts what is kept, where that is said, and one for ever everywhere", () => {
    assert.deepEqual(locks(r2(), r2Lock(age(15))), [
      'Bucket live: lock on copies/ in orders-backups: "15 days" is not allowed. Allowed: at most 14 days, as long as backups are kept. Fix: shorten it.',
    ]);
    assert.deepEqual(locks(r2(), r2Lock({ condition: { type: "Indefinite" } })), [
      'Bucket live: lock on copies/ in orders-backups: "for ever" is not allowed. Allowed: at most 14 days, as long as backups are kept. Fix: shorten it.',
    ]);
    const kept = goodStack().map((object) =>
      object.metadata.name === "orders-b2"
        ? {
            ...object,
            metadata: {
              ...object.metadata,
              annotations: { ...object.metadata.annotations, "pgplatform.io/recovery-window-days": "7" },
            },
          }
        : object,
    );
    const at = (retention: object) => find("bucket-locks", [aws(b2), awsLock(retention, b2)], kept);
    assert.deepEqual(at({ days: 7 }), []);
    assert.deepEqual(at({ days: 8 }), [
      'Bucket copies: lock on everything in orders-copies: "8 days" is not allowed. Allowed: at most 7 days, as long as backups are kept. Fix: shorten it.',
    ]);
    assert.equal(at({ years: 1 }).length, 1);
  });
  it("refuses a target's time that is no number, which would hold for nothing", () => {
    const target = (days: string): KubernetesObject => ({
      apiVersion: "v1",
      kind: "Secret",
      metadata: {
        name: "copy",
        namespace: "shop",
        annotations: { "pgplatform.io/store-bucket": copies, "pgplatform.io/recovery-window-days": days },
      },
    });
    for (const days of ["7d", "-1", ""])
      assert.deepEqual(
        find("bucket-locks", [aws(b2), awsLock({ days: 8 }, b2)], [...goodStack(), target(days)]),
        [
          `Secret shop/copy: pgplatform.io/recovery-window-days: ${JSON.stringify(days)} is not allowed. Allowed: a number of days. Fix: write it so, or remove it.`,
        ],
      );
    assert.deepEqual(find("bucket-locks", [], [target("7")]), []);
  });
});

describe("buckets of which something isn't known yet", () => {
  const later = (key: string, props: Record<string, unknown>) =>
    plain(
      Object.defineProperty({ ...props }, key, {
        enumerable: true,
        get() {
          throw new Error("not known");
        },
      }),
    ) as Record<string, unknown>;
  const judged = (policy: string, clouds: readonly CloudResource[], objects = goodStack()) => {
    const run = new Run();
    const said = run.judged(policy, "Stack", () => {
      const invariant = named(policy);
      return invariant.on === "stack"
        ? invariant.check(stackFacts(objects, clouds), valuesOf(invariant))
        : [];
    });
    return { said: said.length, later: run.later().length };
  };
  const unknownBlock = () =>
    resource("aws:s3/bucketPublicAccessBlock:BucketPublicAccessBlock", "closed", later("bucket", all));

  it("hide no bucket that is open, unprotected or locked by another resource", () => {
    const open = aws({ protect: false, props: { bucket: copies, acl: "public-read" } });
    const lock = resource(
      "cloudflare:index/r2BucketLock:R2BucketLock",
      "lock",
      later("bucketName", { rules: [] }),
    );
    const unnamed = resource("aws:s3/bucket:Bucket", "new", later("bucket", {}));
    const elsewhere = resource("aws:s3/bucket:Bucket", "far", { bucket: "website" });
    Object.defineProperty(elsewhere, "endpoint", { get: () => later("a", {}).a });
    for (const odd of [unknownBlock(), lock, unnamed, elsewhere]) {
      const clouds = [odd, open, r2(), awsLock({ days: 999_999 }), r2Lock({ condition: {} }), odd];
      for (const policy of ["private-buckets", "protected-buckets"])
        assert.equal(judged(policy, clouds).said, 1, `${odd.type} ${odd.name}: ${policy}`);
      assert.equal(judged("bucket-locks", clouds).said, 1, `${odd.type} ${odd.name}`);
    }
  });
  it("hide none by the destination of another cluster's store", () => {
    const objects = goodStack();
    const archive = objects.find(({ kind }) => kind === "ObjectStore")!;
    const other = plain({
      ...archive,
      metadata: { name: "other", namespace: "web" },
      spec: { configuration: later("destinationPath", {}) },
    }) as typeof archive;
    const open = r2({ protect: false });
    assert.equal(judged("protected-buckets", [open], [other, ...objects]).said, 1);
    assert.equal(judged("bucket-locks", [open, r2Lock({ condition: {} })], [other, ...objects]).said, 1);
  });
  it("aren't refused for what may be theirs", () => {
    assert.deepEqual(judged("private-buckets", [aws(), unknownBlock()]), { said: 0, later: 1 });
    assert.deepEqual(judged("private-buckets", [aws(), unknownBlock(), block()]), { said: 0, later: 0 });
  });
});

describe("resources at providers of buckets", () => {
  const described = { type: "aws:s3/bucket:Bucket", name: "a", protect: true };
  it("are told from all others, whose properties aren't read", () => {
    const unread = () => {
      throw new Error("read");
    };
    assert.equal(
      cloudResource({ ...described, type: "kubernetes:core/v1:Secret" }, unread, unread),
      undefined,
    );
    assert.equal(cloudResource({ ...described, type: "aws:iam/user:User" }, unread, unread), undefined);
  });
  it("say where their provider looks for S3, as text or as a list", () => {
    const props = { bucket: "b" };
    for (const endpoints of [JSON.stringify([{ s3: b2.endpoint }]), [{ s3: b2.endpoint }]])
      assert.deepEqual(
        cloudResource(
          described,
          () => props,
          () => ({ endpoints }),
        ),
        {
          ...described,
          props,
          endpoint: b2.endpoint,
        },
      );
    const unknown = plain({
      get endpoints() {
        throw new Error("not known");
      },
    }) as Record<string, unknown>;
    const one = cloudResource(
      described,
      () => props,
      () => unknown,
    );
    assert.throws(() => one?.endpoint, /endpoints is not known/);
    for (const provider of [undefined, {}, { region: "x" }])
      assert.deepEqual(
        cloudResource(
          described,
          () => props,
          () => plain(provider) as undefined,
        ),
        {
          ...described,
          props,
        },
      );
  });
});
