import assert from "node:assert/strict";
import { parse } from "yaml";
import { plannerOf } from "../../plan/engines/select";
import { checkOptions, exitOf, timeoutOf } from "../../operations/images/command";
import { type StackImage } from "../../operations/images/collect";
import { reasonOf, someAtOnce } from "../../operations/images/digests";
import type { ImageReport } from "../../operations/images/report";
import { pinningOf, reportOf } from "../../operations/images/states";
import { knownSignature, verifyArguments } from "../../operations/images/verify";
import { changedLines } from "../../operations/images/write";
import { withValues } from "../../operations/stackText";
import { referenceOf } from "../../policy/invariants/images";
import { imagesOf } from "../../checks/images";
import { publisherOf, publishers } from "../../releases/publishers";
import { checked, inCloud } from "../support/settings";

const digest = (letter: string) => `sha256:${letter.repeat(64)}`;

const image = (name: string, more: Partial<StackImage> = {}): StackImage => ({
  image: name,
  settings: [{ name: "pgplatform:images.pgbouncer", path: [] }],
  places: ["Deployment shop/one: spec.image"],
  builtHere: false,
  ...more,
});

describe("the state of an image", () => {
  const a = `r.example.com/x:1@${digest("a")}`;
  const cases: [string, StackImage, Parameters<typeof reportOf>[1], string, string | undefined][] = [
    ["the same digest", image(a), { digest: digest("a") }, "pinned", undefined],
    ["another digest", image(a), { digest: digest("b") }, "moved", undefined],
    [
      "no digest",
      image("r.example.com/x:1"),
      { digest: digest("b") },
      "not pinned",
      "r.example.com/x:1@" + digest("b"),
    ],
    ["no answer, no digest", image("r.example.com/x:1"), { unknown: "why" }, "not known", "refused"],
    ["no answer, a digest", image(a), { unknown: "why" }, "not known", undefined],
    ["no tag", image(`r.example.com/x@${digest("a")}`), undefined, "pinned", undefined],
    ["no registry", image("pgplatform.local/x:1", { builtHere: true }), undefined, "built here", undefined],
    [
      "no setting",
      image("r.example.com/x:1", { settings: [] }),
      { digest: digest("b") },
      "not pinned",
      "left",
    ],
  ];
  for (const [title, given, answer, state, pinning] of cases)
    it(`is ${state} with ${title}`, () => {
      const report = reportOf(given, answer);
      assert.equal(report.state, state);
      const plan = pinningOf(report, false);
      assert.equal(
        plan === undefined ? undefined : "image" in plan ? plan.image : Object.keys(plan)[0],
        pinning,
      );
    });

  it("of a moved image has both digests, and is replaced when that is asked for", () => {
    const report = reportOf(image(a), { digest: digest("b") });
    assert.equal(report.pinned, digest("a"));
    assert.equal(report.today, digest("b"));
    assert.deepEqual(pinningOf(report, true), { image: `r.example.com/x:1@${digest("b")}` });
    assert.deepEqual(pinningOf(reportOf(image(a), { unknown: "why" }), true), { refused: "why" });
  });

  it("decides the exit code, behind signatures", () => {
    const of = (state: ImageReport["state"], signature: ImageReport["signature"]["state"] = "not known") =>
      ({ state, signature: { state: signature } }) as ImageReport;
    assert.equal(exitOf([of("pinned"), of("built here")], undefined), 0);
    for (const state of ["moved", "not pinned", "not known"] as const)
      assert.equal(exitOf([of("pinned"), of(state)], true), 3);
    assert.equal(exitOf([of("not pinned")], false), 4);
    assert.equal(exitOf([of("pinned", "failed")], true), 5);
  });
});

describe("what crane says", () => {
  const cases: [string, RegExp][] = [
    [
      "2026/12/01 HEAD request failed, falling back on GET: x\nError: GET http://r/v2/a/manifests/2: MANIFEST_UNKNOWN: Unknown manifest\n",
      /has no such tag/,
    ],
    ["Error: GET http://r/v2/none/manifests/2: NAME_UNKNOWN: Unknown name", /has no such tag/],
    ["Error: GET http://r/v2/x/manifests/1: unexpected status code 404 Not Found", /has no such tag/],
    ["Error: GET http://r/v2/x/manifests/1: unexpected status code 401 Unauthorized", /wants a login/],
    [
      "Error: GET https://ghcr.io/token?scope=x: DENIED: requested access to the resource is denied",
      /wants a login/,
    ],
    [
      "Error: GET https://index.docker.io/v2/x: TOOMANYREQUESTS: You have reached your limit",
      /so many questions/,
    ],
    [
      'Error: Get "https://r/v2/": dial tcp: lookup r on 10.0.0.1:53: no such host',
      /can't be reached: no such host$/,
    ],
    [
      'Error: Get "https://r/v2/": dial tcp 127.0.0.1:401: connect: connection refused',
      /can't be reached: connection refused$/,
    ],
    ["Error: something else", /^something else$/],
    ["", /gave no answer/],
  ];
  for (const [said, means] of cases)
    it(`means ${means.source} for ${said.slice(0, 60)}`, () => assert.match(reasonOf(said), means));

  it("is asked of some at a time, in order", async () => {
    let [now, most] = [0, 0];
    const results = await someAtOnce([3, 1, 2, 5, 4], 2, async (one) => {
      most = Math.max(most, ++now);
      await new Promise((resolve) => setTimeout(resolve, one));
      now--;
      return one * 10;
    });
    assert.deepEqual(results, [30, 10, 20, 50, 40]);
    assert.equal(most, 2);
    assert.deepEqual(await someAtOnce([], 2, () => assert.fail("called")), []);
  });
});

describe("the options of pgp images", () => {
  const options = { write: false, updateMoved: false, verify: false, timeout: "20" };
  it("refuse what has no meaning", () => {
    checkOptions(options);
    assert.throws(() => checkOptions({ ...options, updateMoved: true }), /Allowed: with --write/);
    assert.equal(timeoutOf("20"), 20_000);
    for (const wrong of ["0", "601", "1.5", "x", "", "-1"])
      assert.throws(() => timeoutOf(wrong), /--timeout: .*Allowed/);
  });

  it("write no image of another engine than the file's", () => {
    const { ENGINE } = process.env;
    process.env.ENGINE = "standalone";
    try {
      assert.throws(() => checkOptions({ ...options, write: true }), /Fix: unset ENGINE/);
      checkOptions(options);
    } finally {
      if (ENGINE === undefined) delete process.env.ENGINE;
      else process.env.ENGINE = ENGINE;
    }
  });
});

describe("a stack file's text", () => {
  const path = (key: string) => ["config", "pgplatform:images", key];
  const set = (text: string, key = "pgbouncer", value = "r.example.com/b:1@sha256:aa") =>
    withValues(text, [{ path: path(key), value }]);
  const cases: [string, string, string][] = [
    [
      "a value, its comment and odd spaces",
      "# top\nconfig:\n  pgplatform:cluster:   {name: a,  size: 1Gi} # odd\n  pgplatform:images:\n    pgbouncer:  b:1   # ours\n    # next\n    postgresql: c:17\n",
      "# top\nconfig:\n  pgplatform:cluster:   {name: a,  size: 1Gi} # odd\n  pgplatform:images:\n    pgbouncer:  r.example.com/b:1@sha256:aa   # ours\n    # next\n    postgresql: c:17\n",
    ],
    [
      "double quotes",
      'config:\n  pgplatform:images: {pgbouncer: "b:1"}\n',
      'config:\n  pgplatform:images: {pgbouncer: "r.example.com/b:1@sha256:aa"}\n',
    ],
    [
      "single quotes",
      "config:\n  pgplatform:images:\n    pgbouncer: 'b:1'\n",
      "config:\n  pgplatform:images:\n    pgbouncer: 'r.example.com/b:1@sha256:aa'\n",
    ],
    [
      "a new key of a block",
      "config:\n  pgplatform:images:\n    postgresql: c:17 # pinned\n\n  # tier\n  pgplatform:tier: dev\n",
      "config:\n  pgplatform:images:\n    postgresql: c:17 # pinned\n    pgbouncer: r.example.com/b:1@sha256:aa\n\n  # tier\n  pgplatform:tier: dev\n",
    ],
    [
      "a new key between braces",
      "config:\n  pgplatform:images: {postgresql: c:17} # x\n",
      "config:\n  pgplatform:images: {postgresql: c:17, pgbouncer: r.example.com/b:1@sha256:aa} # x\n",
    ],
    [
      "a new block behind the last, in whatever depth",
      "config:\n    pgplatform:monitoring:\n        queries:\n          - {name: a,\n             sql: b}\n# end\n",
      "config:\n    pgplatform:monitoring:\n        queries:\n          - {name: a,\n             sql: b}\n    pgplatform:images:\n      pgbouncer: r.example.com/b:1@sha256:aa\n# end\n",
    ],
    [
      "a file without a last line break",
      "config:\n  pgplatform:tier: dev",
      "config:\n  pgplatform:tier: dev\n  pgplatform:images:\n    pgbouncer: r.example.com/b:1@sha256:aa",
    ],
  ];
  for (const [title, before, after] of cases)
    it(`is changed in no other line: ${title}`, () => assert.equal(set(before), after));

  it("that has another form is written again, with its comments", () => {
    for (const before of [
      "# a\nconfig:\n  # b\n  pgplatform:images: {}\n",
      "# a\nconfig:\n  # b\n  pgplatform:images:\n  pgplatform:tier: dev\n",
      "# a\nconfig:\n  # b\n  pgplatform:text: |\n    x\n    y\n",
      "# a\nencryptionsalt: x # b\n",
    ]) {
      const after = set(before);
      const value = parse(after) as { config: Record<string, Record<string, string>> };
      assert.equal(value.config["pgplatform:images"]?.pgbouncer, "r.example.com/b:1@sha256:aa", after);
      assert.match(after, /^# a$/m);
      assert.match(after, /# b$/m);
    }
  });

  it("takes several changes, and shows the lines that differ", () => {
    const before = "config:\n  pgplatform:tier: dev\n  pgplatform:images:\n    pgbouncer: b:1\n";
    const after = withValues(before, [
      { path: path("pgbouncer"), value: "b:2" },
      { path: path("postgresql"), value: "c:17" },
    ]);
    assert.deepEqual(changedLines(before, after), [
      "line 4:",
      "-    pgbouncer: b:1",
      "+    pgbouncer: b:2",
      "+    postgresql: c:17",
    ]);
  });
});

describe("publishers", () => {
  const samples: Record<string, [right: string, wrong: string]> = {
    "ghcr.io/cloudnative-pg/cloudnative-pg": [
      "https://github.com/cloudnative-pg/cloudnative-pg/.github/workflows/release-publish.yml@refs/tags/v1.30.1",
      "https://github.com/cloudnative-pg/cloudnative-pg/.github/workflows/release-publish.yml@refs/heads/main",
    ],
    "ghcr.io/cloudnative-pg/postgresql": [
      "https://github.com/cloudnative-pg/postgres-containers/.github/workflows/bake_targets.yml@refs/heads/main",
      "https://github.com/other/cloudnative-pg/postgres-containers/x",
    ],
    "ghcr.io/cloudnative-pg/pgbouncer": [
      "https://github.com/cloudnative-pg/pgbouncer-containers/.github/workflows/build.yml@refs/heads/main",
      "https://github.com/cloudnative-pg/postgres-containers/.github/workflows/build.yml@refs/heads/main",
    ],
    "quay.io/prometheus-operator/prometheus-operator": [
      "https://github.com/prometheus-operator/prometheus-operator/.github/workflows/publish.yaml@refs/tags/v0.85.0",
      "https://github.com/prometheus-operator/prometheus-operator/.github/workflows/ci.yaml@refs/tags/v0.85.0",
    ],
  };

  it("sign by an identity that no other has, of an image that the platform runs by default", () => {
    const defaults = (["cnpg", "zalando", "standalone"] as const).flatMap((engine) => {
      const settings = checked(inCloud(engine));
      return Object.values(imagesOf("cloud", plannerOf(settings), "17"));
    });
    const repositories = defaults.map((name) => referenceOf(name).repository);
    for (const { repository, signature } of publishers) {
      assert.ok(repositories.includes(repository), repository);
      if (signature === undefined || !("matches" in signature.identity)) continue;
      const [right, wrong] = samples[repository] ??
        samples["quay.io/prometheus-operator/prometheus-operator"] ?? ["", ""];
      assert.match(right, new RegExp(signature.identity.matches), repository);
      assert.doesNotMatch(wrong, new RegExp(signature.identity.matches), repository);
    }
  });

  it("are known for a mirror's copies, and not for others of the same name", () => {
    const own = publisherOf("ghcr.io/cloudnative-pg/postgresql");
    assert.ok(own?.signature);
    assert.equal(publisherOf("r.example.com/mirror/cloudnative-pg/postgresql", "r.example.com/mirror"), own);
    assert.equal(publisherOf("r.example.com/mirror/cloudnative-pg/postgresql"), undefined);
    assert.equal(publisherOf("docker.io/library/postgres"), undefined);
  });

  it("are asked about by cosign with identity, issuer and digest", () => {
    const exact = publisherOf("registry.k8s.io/kube-state-metrics/kube-state-metrics")?.signature;
    assert.ok(exact);
    assert.deepEqual(verifyArguments(exact, "r.example.com/x", digest("a")), [
      "verify",
      "--certificate-identity",
      "krel-trust@k8s-releng-prod.iam.gserviceaccount.com",
      "--certificate-oidc-issuer",
      "https://accounts.google.com",
      `r.example.com/x@${digest("a")}`,
    ]);
    assert.equal(knownSignature("docker.io/rclone/rclone:1", false).state, "not known");
    assert.equal(knownSignature("ghcr.io/cloudnative-pg/pgbouncer:1", false).state, "not verified");
    assert.equal(knownSignature("pgplatform.local/x:1", true).state, "built here");
  });
});
