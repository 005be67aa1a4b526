import assert from "node:assert/strict";
import { type Comparison, comparisonOf, isRefused, isUnchanged } from "../../operations/ci/compare";
import { commentOf, issueOf, LONGEST_BYTES, markedBy } from "../../operations/ci/markdown";
import { planned, planOf } from "../../operations/ci/plan";
import { prepareManifests } from "../../operations/diff";
import { settingsAt } from "../../operations/trees";
import { comparisonLines } from "../../operations/ci/text";
import { endingIn } from "../../operations/ci/waivers";
import type { SettingsInput } from "../../settings/schema";
import { cases, notices, shop } from "../support/reviewed";
import { changed, checked, everything } from "../support/settings";
import { found as wordsFound } from "../support/words";

const DAY = "2026-11-30";
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

  it("says what is protected, and that it is refused until the stack names it", () => {
    for (const engine of ["cnpg", "zalando", "standalone"] as const) {
      const before = changed(shop(engine), "protection.enabled", true);
      const after = changed(before, "cluster.name", "other");
      const refused = commentOf(between(before, after));
      assert.match(refused, /deletes cluster postgres\/main, which is protected: refused, as long as/);
      const named = { ...(after as object), allow: [{ what: "cluster postgres/main", until: DAY }] };
      assert.match(
        commentOf(between(before, named)),
        /deletes cluster postgres\/main, which is protected: pgplatform:allow names it until 2026-11-30/,
      );
      assert.doesNotMatch(commentOf(between(before, changed(before, "labels", { a: "b" }))), /protected/);
    }
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

describe("the stack files of this repository", () => {
  for (const stack of ["local", "dev", "prod", "cnpg", "standalone"])
    it(`have no plan that a mandatory policy refuses: ${stack}`, async () => {
      const settings = await settingsAt(stack);
      await prepareManifests(settings);
      const { violations } = planOf(settings, DAY);
      assert.deepEqual(
        violations.filter(({ mandatory }) => mandatory),
        [],
      );
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
