import assert from "node:assert/strict";
import { capabilities, type Capability, type EngineTraits } from "../../plan/engines/planner";
import { planner as cnpg } from "../../plan/engines/cnpg/planner";
import { checkRelations, sentence } from "../../checks/index";
import { refusals, settingsOf, shortly } from "../support/refusals";
import { sentences } from "../support/rich";
import { changed, checked, everything, smallest } from "../support/settings";

describe("check", () => {
  it("passes the smallest settings and those with everything in use", () => {
    assert.deepEqual(sentences(smallest()), []);
    assert.deepEqual(sentences(everything()), []);
  });

  for (const refusal of refusals)
    it(`refuses ${shortly(refusal)}`, () => {
      assert.deepEqual(sentences(settingsOf(refusal)), refusal.sentences);
    });

  it("has more than forty ways to be wrong in its table, each with sentences of its own", () => {
    assert.ok(refusals.length >= 40);
    const all = refusals.map(({ sentences }) => sentences.join("\n"));
    assert.equal(new Set(all).size, all.length);
    for (const text of refusals.flatMap(({ sentences }) => sentences))
      assert.match(
        text,
        /^pgplatform:\S+: (((.+ is not allowed|not set|no such setting \(.+\))\. Allowed: .+)|must not be set.* \(.+\).*)\. Fix: .+\.$/,
      );
  });

  it("refuses two instances less than three in prod, and a cloud without a storage class", () => {
    assert.deepEqual(
      sentences({
        ...changed(changed(smallest(), "cluster.instances", 1), "cluster.durability", "async"),
        platform: "cloud",
      }),
      [
        "pgplatform:cluster.instances: 1 is not allowed. Allowed: at least 3 in the tier prod. Fix: set 3, or pgplatform:tier to dev.",
        "pgplatform:cluster.storage.class: not set. Allowed: a storage class on the platform cloud. Fix: name one; `kubectl get storageclass` lists them.",
      ],
    );
  });

  it("refuses names that are there twice", () => {
    const input = everything();
    input.poolers![1]!.name = "app";
    input.clients![1]!.pooler = "app";
    input.clients![1]!.name = "django";
    input.cluster.databases[1]!.name = "jewelry_shop";
    input.poolers![1]!.database = "jewelry_shop";
    assert.equal(
      sentences(input).filter((text) => /that no other (pooler|client|database) has/.test(text)).length,
      6,
    );
  });

  it("refuses a pooler whose Service would have too long a name", () => {
    const input = changed(smallest(), "cluster.name", "a".repeat(50));
    const problems = sentences({ ...input, poolers: [{ name: "b".repeat(20), database: "app" }] });
    assert.equal(problems.length, 1);
    assert.match(problems[0]!, /^pgplatform:poolers\[0\]\.name: .* which has 84 of at most 63 characters/);
  });

  it("names every problem at once", () => {
    const problems = sentences({
      platform: "moon",
      cluster: { name: "-", instances: 99, storage: {}, databases: [{ name: "app" }] },
      surprise: 1,
    });
    assert.deepEqual(problems.map((text) => /^\S+(?=: )/.exec(text)?.[0]).sort(), [
      "pgplatform:cluster.databases[0].owner",
      "pgplatform:cluster.instances",
      "pgplatform:cluster.name",
      "pgplatform:cluster.namespace",
      "pgplatform:cluster.storage.size",
      "pgplatform:platform",
      "pgplatform:surprise",
    ]);
  });

  it("refuses what the engine can't do, with its reason and way out", () => {
    const ability = { because: "it is a test", instead: "use a real one" };
    const without = (capability: Capability): EngineTraits => ({
      ...cnpg,
      can: { ...cnpg.can, [capability]: ability },
    });
    assert.deepEqual(
      Object.fromEntries(
        capabilities.map((capability) => [
          capability,
          checkRelations(checked(everything()), without(capability)).map(({ path }) => path),
        ]),
      ),
      {
        standbys: ["pgplatform:cluster.instances"],
        quorumFailover: ["pgplatform:cluster.durability"],
        walVolume: ["pgplatform:cluster.storage.walSize"],
        accountInForeignNamespace: [],
        anyUser: [],
        archiveVolume: [],
        backupTimeZone: [],
        listedSlots: [],
        restoreToPlace: [],
        foreignArchive: [],
        zoneSpread: [],
        drainsWait: [],
        watchdog: [],
        severalDatabases: ["pgplatform:cluster.databases"],
        // The preflight asks for it, which knows what the data are.
        majorUpgrade: [],
        operator: [
          "pgplatform:operator.scheduling",
          "pgplatform:operator.memory",
          "pgplatform:operator.cpu",
          "pgplatform:operator.install",
        ],
        passwordlessSuperuser: [],
        roleInPlaceOfKey: [],
        virtualHosts: [],
        podSecurityRestricted: [],
      },
    );
    const [first] = checkRelations(checked(smallest()), without("quorumFailover"));
    assert.equal(
      sentence(first!),
      'pgplatform:cluster.durability: "zero-loss" is not allowed. Allowed: what the engine cnpg can do: it is a test. Fix: use a real one.',
    );
  });
});

describe("sentence", () => {
  const problem = { allowed: "something else", fix: "change it" };

  it("hides what stands at or below a key named password, and only that", () => {
    const words = [
      sentence({ ...problem, path: "pgplatform:x", value: { user: "app", password: "s3cret" } }),
      sentence({ ...problem, path: "pgplatform:x", value: [{ adminPassword: { raw: "s3cret" } }] }),
      sentence({ ...problem, path: "pgplatform:x.password", value: "s3cret" }),
      sentence({ ...problem, path: "pgplatform:x.password.raw[0]", value: "s3cret" }),
    ];
    for (const text of words) assert.doesNotMatch(text, /s3cret/);
    assert.equal(
      words[0],
      'pgplatform:x: {"user":"app","password":"(hidden)"} is not allowed. Allowed: something else. Fix: change it.',
    );
    assert.match(
      sentence({ ...problem, path: "pgplatform:x.password_encryption", value: "md5" }),
      /^pgplatform:x\.password_encryption: "md5" is not allowed\./,
    );
    assert.equal(
      sentence({ ...problem, path: "pgplatform:x.password", value: undefined }),
      "pgplatform:x.password: not set. Allowed: something else. Fix: change it.",
    );
  });
});
