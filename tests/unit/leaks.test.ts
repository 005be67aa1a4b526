import assert from "node:assert/strict";
import { generateKeyPairSync } from "node:crypto";
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { gzipSync } from "node:zlib";
import fc from "fast-check";
import { plannerOf } from "../../plan/engines/select";
import { planPlatform, type PlatformPlan } from "../../plan/platform";
import type { Settings } from "../../settings/schema";
import { rawSettings } from "../../stacks/program";
import { brief, byOperator, declaredIn, mayHold, planned } from "../e2e/kit/allowedVariables";
import { drawControl, plantedSpellings } from "../e2e/kit/control";
import {
  type Known,
  harmless,
  merged,
  Search,
  secretsInState,
  secretsOf,
  sentence,
  spellings,
} from "../e2e/kit/leaks";
import { podOf, processesIn } from "../e2e/kit/podProcesses";
import { TextSearch } from "../e2e/kit/textSearch";
import { configOf } from "../golden/render";
import { stacks, variants } from "../golden/stacks";
import { isCrd, releasedObjects } from "../support/manifest";
import { podSpecsIn } from "../support/pods";
import { changed, checked, smallest } from "../support/settings";

/** What the end-to-end suite `leaks` decides without a cluster. What leaks on a cluster only that suite says. */

const known = (value: string, at = "postgres/main-app password"): Known => ({
  at: [at],
  value: Buffer.from(value),
});
const base64 = (text: string) => Buffer.from(text).toString("base64");

describe("a search for leaks", () => {
  for (const how of Object.keys(plantedSpellings("")))
    it(`finds what is planted as ${how}, wherever it stands`, () => {
      const value = drawControl();
      const search = new Search([known("another-secret-1"), known(value, "here")]);
      const text = plantedSpellings(value)[how] ?? "";
      for (const planted of [text, `before\n${text}`, `${text}after`, `{"a":${JSON.stringify(text)}}`]) {
        const hits = search.hits("a log", planted);
        assert.deepEqual([...new Set(hits.flatMap(({ at }) => at))], ["here"]);
      }
    });

  it("finds a password without any special letter, and names every Secret that has it", () => {
    const search = new Search(
      merged([
        { at: "postgres/main-app password", value: Buffer.from("Zx81kk02mmQq") },
        { at: "demo/copy password", value: Buffer.from("Zx81kk02mmQq") },
      ]),
    );
    assert.deepEqual(search.hits("log of postgres/main-1", 'password = "Zx81kk02mmQq"').map(sentence), [
      "postgres/main-app password, demo/copy password: as it stands, in log of postgres/main-1",
    ]);
    const upper = Buffer.from("Zx81kk02mmQq").toString("hex").toUpperCase();
    assert.deepEqual(
      search.hits("x", `\\x${upper}`).map(({ as }) => as),
      ["in hexadecimal"],
    );
  });

  it("finds nothing in texts that have none, and nothing of a value's parts", () => {
    const search = new Search([
      known("Zx81kk02mmQq"),
      known("postgresql://app:Zx81kk02mmQq@main-rw:5432/app"),
    ]);
    const clean = [
      "postgresql://app@main-rw:5432/app",
      "Zx81kk02mm Qq",
      "zx81kk02mmqq",
      base64("Zx81kk02"),
      "SCRAM-SHA-256 is what password_encryption says",
      "-----BEGIN CERTIFICATE-----\nMIIBszCCAVmgAwIBAgIUMIIBszCCAVmgAwIBAgIUMIIBszCC\n-----END CERTIFICATE-----",
    ].join("\n");
    assert.deepEqual(search.hits("x", clean), []);
    assert.deepEqual(search.inObject("x", { a: [clean, { b: clean }], [clean]: 1, c: null }), []);
  });

  it("says the field of an object, and never the secret, not even where a place is named by it", () => {
    const value = drawControl();
    const search = new Search([known(value)]);
    const hits = search.inObject("ConfigMap postgres/x", {
      data: { file: `a ${base64(`u:${value}`)}`, list: [{ deep: JSON.stringify(value) }], [value]: "" },
    });
    assert.deepEqual(
      [...new Set(hits.map(({ place }) => place))].sort(),
      [
        "ConfigMap postgres/x .data (a name of a field)",
        "ConfigMap postgres/x .data.file",
        "ConfigMap postgres/x .data.list.0.deep",
      ].sort(),
    );
    const named = search.hits(`file of ${value}`, value);
    for (const hit of [...hits, ...named]) {
      assert.ok(!sentence(hit).includes(value) && search.hits("", sentence(hit)).length === 0, sentence(hit));
    }
    assert.deepEqual(named.map(({ place }) => place).slice(0, 1), ["file of «secret»"]);
  });

  it("finds a private key whole, in base64, and by any line of it, but not by its public part", () => {
    const { privateKey, publicKey } = generateKeyPairSync("rsa", {
      modulusLength: 2048,
      privateKeyEncoding: { type: "pkcs8", format: "pem" },
      publicKeyEncoding: { type: "spki", format: "pem" },
    });
    const search = new Search([known(privateKey, "postgres/main-server tls.key")]);
    const lines = privateKey.split("\n").filter((line) => /^[A-Za-z0-9+/=]{40,}$/.test(line));
    for (const text of [
      privateKey,
      JSON.stringify(privateKey),
      base64(privateKey),
      privateKey.replaceAll("\n", "\n    "),
      ...lines.map((line) => `stderr: ${line}`),
    ])
      assert.ok(search.hits("x", text).length > 0);
    assert.ok(lines.length > 20);
    assert.deepEqual(search.hits("x", publicKey), []);
    // A certificate in which a line of the key's public part happens to be broken at the same place.
    const shared = lines[3] ?? "";
    const published = new Search([known(privateKey)], [`-----BEGIN CERTIFICATE-----\n${shared}\n`]);
    assert.deepEqual(published.hits("x", shared), []);
    assert.ok(published.hits("x", lines[4] ?? "").length > 0);
  });

  it("finds what is secret by its form, beside what is known", () => {
    const verifier = `SCRAM-SHA-256$4096:${base64("0123456789abcdef")}$${base64("a".repeat(32))}:${base64("b".repeat(32))}`;
    const key = `-----BEGIN EC PRIVATE KEY-----\n${"A".repeat(64)}\n`;
    const search = new Search([known("Zx81kk02mmQq")]);
    for (const [text, what] of [
      [verifier, "a verifier of a password"],
      [key, "a private key that no Secret has"],
      [JSON.stringify(key), "a private key that no Secret has"],
    ] as const) {
      assert.deepEqual(search.hits("x", text).map(sentence), [`${what}: as it stands, in x`]);
      assert.equal(search.hits("x", `Zx81kk02mmQq ${text}`).length, 2);
    }
    assert.deepEqual(new Search([known(verifier)]).hits("x", verifier).length, 1);
  });
});

describe("what counts as secret", () => {
  const certificate = "-----BEGIN CERTIFICATE-----\nTUlJ\n-----END CERTIFICATE-----\n";
  const secret = (data: Record<string, string>, name = "main-app") => ({
    metadata: { name, namespace: "postgres" },
    data: Object.fromEntries(Object.entries(data).map(([key, value]) => [key, base64(value)])),
  });

  it("is every value but names, places, certificates and what is too short, each left out with its reason", () => {
    const {
      known: found,
      leftOut,
      published,
    } = secretsOf([
      secret({
        username: "app-user-long",
        password: "Zx81kk02mmQq",
        uri: "postgresql://app:Zx81kk02mmQq@main-rw:5432/app",
        host: "main-rw.postgres",
        pgpass: "main-rw:5432:app:app:Zx81kk02mmQq\n",
        "ca.crt": certificate + certificate,
        "tls.key": "-----BEGIN EC PRIVATE KEY-----\nTUlJ\n-----END EC PRIVATE KEY-----",
        both: `${certificate}-----BEGIN EC PRIVATE KEY-----\nTUlJ\n-----END EC PRIVATE KEY-----`,
        pin: "1234567",
      }),
      secret({ app: "Zx81kk02mmQq" }, "main-passwords"),
      secret({}, "empty"),
    ]);
    assert.deepEqual(
      found.map(({ at }) => at),
      [
        ["postgres/main-app password", "postgres/main-passwords app"],
        ["postgres/main-app uri"],
        ["postgres/main-app pgpass"],
        ["postgres/main-app tls.key"],
        ["postgres/main-app both"],
      ],
    );
    assert.deepEqual(published, [certificate + certificate]);
    assert.deepEqual(leftOut, [
      { at: "postgres/main-app username", why: "its key says who or where" },
      { at: "postgres/main-app host", why: "its key says who or where" },
      { at: "postgres/main-app ca.crt", why: "certificates" },
      { at: "postgres/main-app pin", why: "7 characters: too few to be told from other words" },
    ]);
  });

  it("is what a compressed value holds, and a binary one by its encodings", () => {
    const packed = gzipSync("password: Zx81kk02mmQq\n").toString("base64");
    const binary = Buffer.from([255, 254, 0, 1, 2, 3, 4, 5, 6, 7]);
    const { known: found } = secretsOf([
      { metadata: { name: "a" }, data: { "config.gz": packed, key: binary.toString("base64") } },
    ]);
    assert.deepEqual(
      found.map(({ at, value }) => [at[0], value.toString("latin1")]),
      [
        ["default/a config.gz", "password: Zx81kk02mmQq\n"],
        ["default/a key", binary.toString("latin1")],
      ],
    );
    const search = new Search(found);
    assert.equal(search.hits("x", "data: password: Zx81kk02mmQq").length, 1);
    assert.ok(search.hits("x", binary.toString("base64")).length > 0);
    assert.ok(search.hits("x", binary.toString("hex")).length > 0);
  });

  it("is in a state what Pulumi marks and a property calls secret", () => {
    const marked = (value: unknown) => ({
      "4dabf18193072939515e22adb298388d": "1b47061264138c4ac30d75fd1eb44270",
      plaintext: JSON.stringify(value),
    });
    const state = {
      deployment: {
        resources: [
          {
            urn: "urn:pulumi:local::p::random:RandomPassword::main-admin",
            outputs: { result: marked("Zx81kk02mmQq") },
          },
          {
            urn: "urn:pulumi:local::p::kubernetes:core/v1:Secret::main-app",
            inputs: {
              stringData: marked({
                password: "Zx81kk02mmQq",
                username: "application",
                secretName: "main-app-secret",
              }),
              metadata: { name: "main-app-password" },
            },
          },
          {
            urn: "urn:pulumi:local::p::tls:PrivateKey::ca",
            outputs: { privateKeyPem: marked("a private key") },
          },
        ],
      },
    };
    assert.deepEqual(
      secretsInState(JSON.stringify(state)).map(({ at, value }) => [...at, value.toString()]),
      [
        ["state main-admin result", "state main-app password", "Zx81kk02mmQq"],
        ["state ca privateKeyPem", "a private key"],
      ],
    );
    assert.throws(() => secretsInState("Zx81kk02mmQq"), /^Error: what Pulumi has exported is no JSON$/);
  });

  it("has no spelling that is shorter than eight characters", () => {
    fc.assert(
      fc.property(fc.string({ minLength: 1, maxLength: 24 }), (text) => {
        for (const needle of spellings(Buffer.from(text)).keys()) assert.ok(needle.length >= 8, needle);
      }),
    );
    assert.equal(harmless("password", Buffer.from("12345678")), undefined);
    assert.ok(harmless("password", Buffer.from("1234567\n")));
  });
});

describe("a search for many words at once", () => {
  it("finds exactly the words that a text has", () => {
    const word = fc.string({ minLength: 8, maxLength: 12, unit: fc.constantFrom("a", "b", "é") });
    fc.assert(
      fc.property(
        fc.array(word, { minLength: 1 }),
        fc.string({ unit: fc.constantFrom("a", "b", "é"), maxLength: 400 }),
        (words, text) => {
          const search = new TextSearch(new Map(words.map((one) => [one, one])));
          const expected = [...new Set(words)].filter((one) => text.includes(one)).sort();
          assert.deepEqual(search.found(text).sort(), expected);
          const rest = search.replaced(text, "-");
          assert.ok(expected.every((one) => !rest.includes(one)));
        },
      ),
    );
  });

  it("refuses a word that it can't find", () => {
    assert.throws(() => new TextSearch(new Map([["1234567", 1]])), /7 characters/);
  });
});

describe("processes of pods", () => {
  const uid = "0a1b2c3d-1111-2222-3333-444455556666";
  const id = "f".repeat(64);

  it("are known by their control groups, of either version and driver", () => {
    for (const groups of [
      `0::/pgplatform/n1/kubepods/burstable/pod${uid}/${id}\n`,
      `12:memory:/pgplatform/n1/kubepods/pod${uid}/${id}\n1:name=systemd:/x\n`,
      `0::/kubepods.slice/kubepods-pod${uid.replaceAll("-", "_")}.slice/cri-containerd-${id}.scope\n`,
    ])
      assert.deepEqual(podOf(groups), { pod: uid, container: id });
    assert.deepEqual(podOf(`0::/pgplatform/n1/kubepods/pod${uid}\n`), { pod: uid });
    assert.equal(podOf("0::/pgplatform/n1/system\n"), undefined);
  });

  it("are read out of what a container's shell prints", () => {
    const text =
      "\n==pgp==psql\0-c\0select 1\0\n==pgp==A=1\0PGPASSWORD=a\nb\0\n==pgp==\n==pgp==\n==pgp==sleep\0\n==pgp==";
    assert.deepEqual(processesIn(text), [
      { program: "psql", commandLine: "psql -c select 1", environment: ["A=1", "PGPASSWORD=a\nb"] },
      { program: "sleep", commandLine: "sleep", environment: [] },
    ]);
  });
});

describe("variables that may hold a secret", () => {
  const settingsOf = (stack: string): Settings => checked(rawSettings(configOf(stack)));
  const alone = changed(
    changed(changed(smallest(), "cluster.engine", "standalone"), "cluster.instances", 1),
    "cluster.durability",
    "async",
  );
  const stored: Settings[] = [
    {},
    { restore: { target: "near", archiveId: "0123456789", to: { time: "2026-01-31T23:59:00Z" } } },
  ].map((more) =>
    checked({
      ...(alone as object),
      backup: { targets: [{ name: "near", kind: "local" }], rpoMinutes: 1 },
      maintenance: { schedule: "0 3 * * *" },
      monitoring: { prometheus: "operator", namespace: "monitoring" },
      ...more,
    }),
  );
  /** Whole plans, without the operators' released definitions. */
  const plans: PlatformPlan[] = [];
  before(async () => {
    for (const settings of [...[...stacks, ...Object.keys(variants)].map(settingsOf), ...stored]) {
      const released = await releasedObjects(plannerOf(settings).name);
      const rest = released.filter((object) => !isCrd(object));
      plans.push(planPlatform(settings, () => rest));
    }
  });

  it("are those that the plans take out of Secrets, each listed and each needed", () => {
    const found = new Set<string>();
    for (const { variable } of plans.flatMap(declaredIn))
      // A name of a user and an access key's ID are no secrets.
      if (!/^PGUSER$|ACCESS_KEY_ID$/.test(variable)) found.add(variable);
    for (const variable of found)
      assert.ok(
        planned.some((row) => row.variable.test(variable)),
        `${variable} is in no row`,
      );
    for (const { variable } of planned)
      assert.ok(
        [...found].some((one) => variable.test(one)),
        `nothing needs the row ${variable}`,
      );
    for (const { variable } of byOperator)
      assert.ok(![...found].some((one) => variable.test(one)), String(variable));
  });

  it("are those that scripts set for a moment, in containers that there are", () => {
    const names = new Set(
      plans
        .flatMap((plan) => podSpecsIn(plan, ""))
        .flatMap(({ spec }) => [spec.containers, spec.initContainers])
        .flatMap((list) => ((list ?? []) as { name: string }[]).map(({ name }) => name)),
    );
    // Planned by none of these: what the Barman Cloud plugin adds, and a Job of rotated logins.
    for (const other of ["plugin-barman-cloud", "client"]) names.add(other);
    for (const { variable, containers, scripts = [] } of brief) {
      for (const script of scripts)
        assert.match(
          readFileSync(join(__dirname, "../..", script), "utf8"),
          new RegExp(`${variable.source.replace(/[$^]/g, "")}("?: |=)`),
          script,
        );
      for (const container of containers) assert.ok(names.has(container), container);
    }
  });

  it("are open to the very Secret that the container takes them out of, and to no other", () => {
    const container = (name: string, variable: string, secret: string) => ({
      name,
      declared: declaredIn({
        env: [{ name: variable, valueFrom: { secretKeyRef: { name: secret, key: "k" } } }],
      }),
    });
    const own = container("database", "PGPASSWORD", "main-health");
    assert.ok(mayHold("PGPASSWORD", own, ["main-health"]));
    assert.ok(!mayHold("PGPASSWORD", own, ["main-admin"]));
    assert.ok(!mayHold("PASSWORD", container("database", "PASSWORD", "main-health"), ["main-health"]));
    assert.ok(!mayHold("PGPASSWORD", { name: "database", declared: [] }, ["main-health"]));
    // hold.sh's psql.
    assert.ok(mayHold("PGPASSWORD", { name: "pgbouncer", declared: [] }, ["main-pooler-auth"]));
    assert.ok(mayHold("PGPASSWORD", undefined, []));
    assert.ok(!mayHold("PLANTED", undefined, []));
  });
});
