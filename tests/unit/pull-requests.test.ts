import assert from "node:assert/strict";
import { type Comparison, comparisonOf, isRefused, isUnchanged } from "../../operations/ci/compare";
import { commentOf, issueOf, LONGEST_BYTES, markedBy } from "../../operations/ci/markdown";
import { planned, planOf } from "../../operations/ci/plan";
import { comparisonLines } from "../../operations/ci/text";
import { endingIn } from "../../operations/ci/waivers";
import type { SettingsInput } from "../../settings/schema";
import { bucket, changed, checked, everything, inCloud } from "../support/settings";
import { found as wordsFound } from "../support/words";

const DAY = "2026-11-30";
type Engine = "cnpg" | "zalando" | "standalone";

/** A shop in a cloud: a pooler, a client, backups to one store. */
const shop = (engine: Engine): SettingsInput => ({
  ...inCloud(engine),
  cluster: { ...inCloud(engine).cluster, resources: { requests: { memory: "1Gi" } } },
  poolers: [{ name: "app", database: "app" }],
  clients: [{ name: "web", namespace: "web", labels: { app: "web" }, pooler: "app" }],
  backup: { memory: "2Gi", targets: [{ ...bucket(), name: "far" }] },
});

const between = (before: unknown, after: unknown): Comparison =>
  comparisonOf("shop", planOf(checked(before), DAY), checked(after), [], DAY);

/** The comment's answers, by the questions that it asks, as a reader sees them. */
function read(comment: string): { headline: string; answers: Record<string, string> } {
  const [, headline = ""] = /^## .*?`shop`: (.*)$/m.exec(comment) ?? [];
  const answers = Object.fromEntries(
    [...comment.matchAll(/^\| ([A-Z][^|]*) \| (.*) \|$/gm)].map(([, what = "", text = ""]) => [
      what.replace(/^(Does PostgreSQL|Is there a|Is data|What does it|Do) /, "").replace("?", ""),
      text.replace(/\\([\\`*_<>[\]|])/g, "$1"),
    ]),
  );
  return { headline, answers };
}

const clientsOfPoolers =
  "**yes**, for clients of poolers: Deployment postgres/main-pooler-app: its pods are replaced one after another, sessions are drained";

interface Case {
  readonly what: string;
  readonly engine: Engine;
  readonly change: (input: SettingsInput) => unknown;
  readonly headline: string;
  readonly restart: string | RegExp;
  readonly pause: string | RegExp;
  readonly replaced: string | RegExp;
  /** What the comment has besides. */
  readonly has?: readonly RegExp[];
}

const set = (path: string, to: unknown) => (input: SettingsInput) => changed(input, path, to);
const quiet = { restart: "no", pause: "no", replaced: "no" };
const notices = "the running database notices nothing";

const cases: readonly Case[] = [
  {
    what: "instances",
    engine: "cnpg",
    change: set("cluster.instances", 5),
    headline: notices,
    ...quiet,
    has: [/5 instances instead of 3: copies of the data are made, nothing restarts/],
  },
  {
    what: "durability",
    engine: "cnpg",
    change: set("cluster.durability", "async"),
    headline: notices,
    ...quiet,
    has: [/WORSE \| The primary's pod ends: lost \| nothing \| the last commits/],
  },
  {
    what: "durability, which restarts Zalando's pods",
    engine: "zalando",
    change: set("cluster.durability", "async"),
    headline: "PostgreSQL restarts",
    restart: /^\*\*yes\*\*: env: the instances restart one after another/,
    pause: /^\*\*yes\*\*: writes pause at most 4 s \(measured\)/,
    replaced: "no",
    has: [/\*\*2 worse\*\*/],
  },
  {
    what: "a parameter without a restart",
    engine: "cnpg",
    change: set("cluster.parameters", { log_statement: "ddl" }),
    headline: "read while it runs",
    ...quiet,
    has: [/parameters log\\_statement: reloaded, nothing restarts/, /log\\_statement: none -\\> ddl/],
  },
  {
    what: "a parameter with a restart",
    engine: "cnpg",
    change: set("cluster.maxConnections", 120),
    headline: "PostgreSQL restarts",
    restart:
      "**yes**: parameters max_connections: the instances restart one after another, the primary last, in its place; clients of poolers wait meanwhile",
    pause: /^\*\*yes\*\*: writes pause at most 14 s \(measured\)/,
    replaced: "no",
    has: [/max\\_connections: 100 -\\> 120/],
  },
  {
    what: "an image",
    engine: "cnpg",
    change: set("images", { postgresql: "registry.example.com/postgresql:17.99" }),
    headline: "PostgreSQL restarts",
    restart: /^\*\*yes\*\*: image registry\.example\.com\/postgresql:17\.99 instead of .*by a switchover/,
    pause: /^\*\*yes\*\*: writes pause at most 14 s/,
    replaced: "no",
    has: [/advice, new: `image-digests`/],
  },
  {
    what: "storage",
    engine: "cnpg",
    change: set("cluster.storage.size", "40Gi"),
    headline: notices,
    ...quiet,
    has: [
      /data volumes of 40Gi instead of 20Gi: they grow in use where the class can/,
      /\| What does it cost\? \| not known; 4\.8 of what is -\\> not known; 9\.6 of what is/,
    ],
  },
  {
    what: "another storage class of a standalone server",
    engine: "standalone",
    change: set("cluster.storage.class", "io2"),
    headline: "data is lost",
    restart: "it is deleted or made again",
    pause: /^\*\*yes\*\*: what is deleted or made again serves no client meanwhile/,
    replaced: /^\*\*YES\*\*: made again: .*What they hold is lost; `make up` asks first/,
  },
  {
    what: "a pooler",
    engine: "cnpg",
    change: set("poolers.0.maxClients", 200),
    headline: "clients of poolers connect again",
    restart: "no",
    pause: clientsOfPoolers,
    replaced: "no",
  },
  {
    what: "a pooler that goes",
    engine: "cnpg",
    change: (input) => changed(changed(input, "poolers", []), "clients", []),
    headline: "clients of poolers connect again",
    restart: "no",
    pause:
      "**yes**, for clients of poolers: Deployment postgres/main-pooler-app: its clients are refused from then on",
    replaced: "no",
  },
  {
    what: "another target",
    engine: "cnpg",
    change: set("backup.targets.0.bucket", "elsewhere"),
    headline: notices,
    ...quiet,
    has: [
      /\| Do backups change place\? \| BucketInUse far: backups so far stay in the former one \|/,
      /store-bucket"\\\]: jewelry-shop-backups -\\> elsewhere/,
    ],
  },
  {
    what: "a bucket that the stack makes",
    engine: "cnpg",
    change: (input) =>
      changed(input, "backup.targets", [{ name: "far", kind: "aws", bucket: "ours", region: "eu-west-1" }]),
    headline: notices,
    ...quiet,
    has: [/new: Bucket far/],
  },
  {
    what: "a client that is added",
    engine: "cnpg",
    change: (input) =>
      changed(input, "clients.1", { name: "jobs", namespace: "web", labels: { app: "jobs" }, pooler: "app" }),
    headline: notices,
    ...quiet,
    has: [/the client jobs uses the pooler app/],
  },
  {
    what: "new passwords",
    engine: "cnpg",
    change: set("rotation", { credentialVersion: 2 }),
    headline: "clients of poolers connect again",
    restart: "no",
    pause: clientsOfPoolers,
    replaced: "no",
    has: [/Secret postgres\/main-app: login\.version: \(not set\) -\\> 2/],
  },
  {
    what: "the tier",
    engine: "cnpg",
    change: set("tier", "prod"),
    headline: notices,
    ...quiet,
    has: [
      /^## Refused: stack `shop`/m,
      /> The tier becomes prod instead of dev: policies are held to the levels of prod\./,
      /\*\*refused\*\*, new: `two-targets`/,
    ],
  },
  {
    what: "the engine",
    engine: "cnpg",
    change: set("cluster.engine", "zalando"),
    headline: "data is lost",
    restart: "it is deleted or made again",
    pause: /^\*\*yes\*\*: what is deleted or made again/,
    replaced: /^\*\*YES\*\*: deleted: Cluster postgres\/main\. What they hold is lost/,
    has: [/> The engine becomes zalando instead of cnpg: \\`make up\\` refuses that/],
  },
  {
    what: "another name, which deletes the cluster",
    engine: "cnpg",
    change: set("cluster.name", "other"),
    headline: "data is lost",
    restart: "it is deleted or made again",
    pause: /^\*\*yes\*\*/,
    replaced: /^\*\*YES\*\*: deleted: Cluster postgres\/main\./,
  },
  {
    what: "a new major version",
    engine: "cnpg",
    change: set("cluster.postgresVersion", "18"),
    headline: "PostgreSQL stops",
    restart: /^\*\*yes\*\*: PostgreSQL 18 instead of 17, .*: all instances stop, pg_upgrade works/,
    pause: /^\*\*yes\*\*: writes pause until the upgrade is done; no bound is known/,
    replaced: "no",
  },
];

const matches = (text: string | undefined, expected: string | RegExp, what: string): void =>
  typeof expected === "string"
    ? assert.equal(text, expected, what)
    : assert.match(text ?? "(no such question)", expected, what);

describe("the comment of a pull request", () => {
  for (const { what, engine, change, headline, restart, pause, replaced, has = [] } of cases)
    it(`says what ${what} does, with ${engine}`, () => {
      const found = between(shop(engine), change(shop(engine)));
      const comment = commentOf(found);
      const said = read(comment);
      assert.equal(said.headline, headline);
      matches(said.answers.restart, restart, "restart");
      matches(said.answers.pause, pause, "pause");
      matches(said.answers["replaced or deleted"], replaced, "replaced");
      for (const one of has) assert.match(comment, one);
      assert.deepEqual(wordsFound(comment), []);
      assert.ok(!isUnchanged(found));
      assert.deepEqual(markedBy(comment), { about: "stack shop", quiet: false });
    });

  it("says of the same settings that nothing changes, and that nothing need be posted", () => {
    for (const engine of ["cnpg", "zalando", "standalone"] as const) {
      const found = between(shop(engine), shop(engine));
      const comment = commentOf(found);
      const { headline, answers } = read(comment);
      assert.equal(headline, "nothing changes");
      assert.deepEqual([answers.restart, answers.pause, answers["replaced or deleted"]], ["no", "no", "no"]);
      assert.deepEqual(markedBy(comment), { about: "stack shop", quiet: true });
      assert.doesNotMatch(comment, /difference/);
      assert.deepEqual(comparisonLines(found), [
        "Nothing differs.",
        "Reliability: nothing gets better or worse.",
      ]);
    }
  });

  it("of a new stack says what it makes, and calls nothing worse or a replacement", () => {
    const found = comparisonOf("shop", undefined, checked(shop("cnpg")), [], DAY);
    const comment = commentOf(found);
    const { headline, answers } = read(comment);
    assert.equal(headline, "a new stack");
    assert.equal(answers.restart, "it starts for the first time");
    assert.equal(answers["replaced or deleted"], "no");
    assert.match(comment, /new: Cluster postgres\/main/);
    assert.doesNotMatch(comment, /WORSE|advice, new/);
  });

  it("of a stack whose file goes says that nothing is deleted by it", () => {
    const comment = commentOf({
      stack: "shop",
      isNew: false,
      review: { lines: [], notes: [] },
      refused: [],
      notes: ["It stays."],
    });
    assert.match(comment, /^## Stack `shop`: the stack file is removed$/m);
    assert.match(comment, /^> It stays\.$/m);
    assert.doesNotMatch(comment, /\| Question/);
  });

  it("of refused settings says why, and is a failure", () => {
    const found: Comparison = {
      stack: "shop",
      isNew: false,
      review: { lines: [], notes: [] },
      refused: ["cluster.instances: 2 is not allowed."],
      notes: [],
    };
    assert.ok(isRefused(found));
    assert.match(
      commentOf(found),
      /^## Refused: stack `shop`: the stack file is refused\n\n> cluster\.instances: 2/m,
    );
  });

  it("is a failure where a mandatory policy refuses, and where one did before", () => {
    const [dev, prod] = [shop("cnpg"), changed(shop("cnpg"), "tier", "prod")];
    assert.ok(!isRefused(between(dev, dev)));
    assert.ok(isRefused(between(dev, prod)));
    const both = between(prod, prod);
    assert.ok(isRefused(both));
    assert.match(commentOf(both), /\*\*refused\*\*, as before: `two-targets`/);
  });

  it("tells each waiver", () => {
    const waiver = {
      policy: "two-targets",
      resource: "Cluster postgres/main",
      reason: "the second account is ordered",
      until: "2026-12-24",
      who: "Ada",
    };
    const waived = changed(changed(shop("cnpg"), "tier", "prod"), "waivers", [waiver]);
    const comment = commentOf(between(shop("cnpg"), waived));
    assert.match(comment, /Waiver of two-targets for Cluster postgres\/main until 2026-12-24, by Ada/);
    assert.doesNotMatch(comment, /`two-targets`/);
  });

  it("is no longer than may be posted: the lightest fields are counted instead", () => {
    const many = Array.from({ length: 8 }, (_, index) => ({
      name: `pool${index}`,
      database: "app",
      poolSize: 10,
    }));
    const large = [
      ["clients", []],
      ["cluster.resources", { requests: { memory: "4Gi" }, limits: { memory: "4Gi" } }],
      ["cluster.maxConnections", 400],
      ["poolers", many],
    ] as const;
    const before = large.reduce<unknown>((input, [path, to]) => changed(input, path, to), shop("cnpg"));
    const found = between(
      before,
      changed(changed(before, "cluster.maxConnections", 410), "labels", { team: "b" }),
    );
    const whole = commentOf(found, Infinity);
    const short = commentOf(found, 6_000);
    assert.ok(Buffer.byteLength(whole) > 6_000, `${Buffer.byteLength(whole)}`);
    assert.ok(Buffer.byteLength(short) <= 6_000, `${Buffer.byteLength(short)}`);
    assert.match(short, /\d+ more lines: `pgp diff --stack shop --against …` prints them\./);
    assert.match(short, /max\\_connections: 400 -\\> 410/);
    const opened = (text: string) => text.match(/<details>/g)?.length;
    assert.equal(opened(short), short.match(/<\/details>/g)?.length);
    assert.equal(LONGEST_BYTES, 65_536);
    const huge: Comparison = {
      ...found,
      review: { ...found.review, lines: Array.from({ length: 40 }, () => found.review.lines).flat() },
      notes: Array.from({ length: 5 }, () => "x".repeat(5000)),
    };
    assert.ok(Buffer.byteLength(commentOf(huge)) <= LONGEST_BYTES);
  });

  it("shows no secret, neither the old nor the new one", () => {
    const input = everything();
    const text = JSON.stringify(input);
    const secrets = ["a routing key", "a password", "a bearer token", "a secret key", "hooks.example.com/x"];
    for (const one of secrets) assert.ok(text.includes(one), one);
    const other = JSON.parse(
      secrets.reduce((all, one) => all.replaceAll(one, `${one.replaceAll(" ", "-")}-other`), text),
    ) as SettingsInput;
    for (const comparison of [
      between(input, other),
      comparisonOf("shop", undefined, checked(other), [], DAY),
    ]) {
      const said = commentOf(comparison, Infinity) + comparisonLines(comparison).join("\n");
      for (const one of secrets) {
        assert.ok(!said.includes(`${one.replaceAll(" ", "-")}-other`), one);
        assert.ok(one === "a password" || !said.includes(one), one);
      }
    }
  });

  it("masks what a Secret holds, and variables that are called secret", () => {
    const settings = checked(shop("cnpg"));
    const plan = planOf(settings, DAY);
    const text = JSON.stringify(plan).replace(
      '"env":[',
      '"env":[{"name":"DB_PASSWORD","value":"hunter2-before"},',
    );
    const before = JSON.parse(text) as typeof plan;
    const login = before.objects.find(({ object }) => object.metadata.name === "main-app");
    assert.ok(login && text.includes("hunter2-before"));
    Object.assign(login.object, { data: { password: "aHVudGVyMi1iZWZvcmU=" } });
    const comment = commentOf(comparisonOf("shop", before, settings, [], DAY));
    assert.match(comment, /DB\\_PASSWORD\\\]/);
    assert.match(comment, /Secret postgres\/main-app: data: /);
    assert.doesNotMatch(comment, /hunter2|aHVudGVy/);
  });

  it("has no CRD's fields: a digest says that one differs", () => {
    const settings = checked(changed(shop("cnpg"), "operator", undefined));
    const plan = planOf(settings, DAY);
    const crds = plan.objects.filter(({ object }) => object.kind === "CustomResourceDefinition");
    assert.ok(crds.length > 5);
    for (const { object } of crds)
      assert.deepEqual(Object.keys(object).sort(), ["apiVersion", "digest", "kind", "metadata"]);
    const before = {
      ...plan,
      objects: plan.objects.map((one) =>
        one.object.kind === "CustomResourceDefinition"
          ? { ...one, object: { ...one.object, digest: "0123456789abcdef" } }
          : one,
      ),
    };
    const comment = commentOf(comparisonOf("shop", before, settings, [], DAY));
    assert.match(
      comment,
      /CustomResourceDefinition clusters\.postgresql\.cnpg\.io: digest: 0123456789abcdef -/,
    );
    assert.doesNotMatch(comment, /openAPIV3Schema/);
    assert.equal(read(comment).headline, notices);
  });

  it("goes by a plan that another checkout's program has written", () => {
    const settings = checked(shop("zalando"));
    const written: unknown = JSON.parse(JSON.stringify(planOf(settings, DAY)));
    const before = planned.parse(written);
    assert.ok(isUnchanged(comparisonOf("shop", before, settings, [], DAY)));
    assert.equal(planned.safeParse({ ...before, version: 2 }).success, false);
  });
});

describe("what the nightly look finds", () => {
  const waiver = (until: string) => ({
    policy: "two-targets",
    resource: "Cluster a/b",
    reason: "later",
    until,
    who: "Ada",
  });
  const ending = (...list: unknown[]) => endingIn("prod", { config: { "pgplatform:waivers": list } }, DAY);

  it("are waivers that end within 14 days, or hold for nothing", () => {
    assert.deepEqual(endingIn("prod", {}, DAY), []);
    assert.deepEqual(ending(waiver("2026-12-15")), []);
    assert.deepEqual(ending(waiver("2026-12-14")), [
      "prod: the waiver of two-targets for Cluster a/b ends on 2026-12-14 (Ada: later)",
    ]);
    assert.match(
      ending(waiver("2026-11-29")).join(),
      /^prod: pgplatform:waivers\[0\]\.until holds for nothing/,
    );
  });

  it("is an issue with its lines, or none", () => {
    const found = issueOf("drift prod", "It drifts", ["update a <b>", "create c"], "Do this.");
    assert.equal(
      found,
      "<!-- postgres-platform: drift prod -->\n# It drifts\n\n- update a \\<b\\>\n- create c\n\nDo this.\n",
    );
    const nothing = issueOf("drift prod", "It drifts", [], "Do this.");
    assert.deepEqual(markedBy(nothing), { about: "drift prod", quiet: true });
    assert.doesNotMatch(nothing, /Do this/);
    assert.equal(markedBy("Something else\n<!-- postgres-platform: drift prod -->"), undefined);
  });
});
