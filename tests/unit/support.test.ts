import assert from "node:assert/strict";
import { stringify } from "yaml";
import { Kubectl, type KubeObject } from "../../operations/kubectl";
import { masker, secretsIn, withoutValues } from "../../plan/masking";
import { bundleOf } from "../../operations/support";
import { drawControl, plantedSpellings } from "../e2e/kit/control";
import { Search } from "../e2e/kit/leaks";
import { foundOf, sceneOf } from "../support/onCall";

const none = { detail: () => undefined, say: () => undefined };
const base64 = (text: string) => Buffer.from(text).toString("base64");

/** Secrets as they come to be in texts: what is planted, and the line that it is planted in. */
const PEM =
  "-----BEGIN EC PRIVATE KEY-----\nMHcCAQEEIPlantedPrivateKeyPlantedPrivateKeyPlanted\n-----END EC PRIVATE KEY-----";
const planted: Readonly<Record<string, readonly [secret: string, line: string]>> = {
  "a Secret's value": ["hunter2-of-the-app", "connecting with hunter2-of-the-app"],
  "its base64": ["hunter2-of-the-app", `data: ${base64("hunter2-of-the-app")}`],
  "its form in a URI": [
    "p@ss/w:rd-of-owner",
    `postgres://owner:${encodeURIComponent("p@ss/w:rd-of-owner")}@main-rw:5432/app`,
  ],
  "a password in a URI that no Secret has": ["unknown-pw-1", "postgresql://x:unknown-pw-1@host/db"],
  "libpq's keyword": ["unknown-pw-2", "host=a password=unknown-pw-2 user=b"],
  "a variable": ["unknown-pw-3", "PGPASSWORD: unknown-pw-3"],
  "a field of JSON": ["unknown-pw-4", '{"secretAccessKey":"unknown-pw-4","b":1}'],
  "a statement": ["unknown-pw-5", "ALTER ROLE app PASSWORD 'unknown-pw-5'"],
  "a quoted statement": ["it''s-pw-6", "alter role app password 'it''s-pw-6';"],
  "a verifier": ["c2FsdHNhbHQ=$c3RvcmVk:c2VydmVy", "SCRAM-SHA-256$4096:c2FsdHNhbHQ=$c3RvcmVk:c2VydmVy"],
  "an md5 password": ["0123456789abcdef0123456789abcdef", "md50123456789abcdef0123456789abcdef"],
  "a private key": ["PlantedPrivateKey", PEM],
  "a private key in base64": [base64(PEM).slice(30, 70), base64(PEM)],
  "a key of AWS": ["AKIAABCDEFGHIJKLMNOP", "used AKIAABCDEFGHIJKLMNOP"],
  "a bearer": ["abcdefghijklmnopqrstuvwxyz", "Authorization: Bearer abcdefghijklmnopqrstuvwxyz"],
  "a token of an account": [
    "eyJhbGciOiJSUzI1NiJ9.eyJpc3MiOiJrdWJlIn0.c2lnbmF0dXJl",
    "token eyJhbGciOiJSUzI1NiJ9.eyJpc3MiOiJrdWJlIn0.c2lnbmF0dXJl",
  ],
};
const known = ["hunter2-of-the-app", "p@ss/w:rd-of-owner"];

describe("masking", () => {
  for (const [what, [secret, line]] of Object.entries(planted))
    it(`takes ${what} out`, () => {
      assert.ok(line.includes(secret) || what.includes("form") || what.includes("base64"), "it is planted");
      const masked = masker(known)(`before\n${line}\nafter`);
      assert.ok(!masked.includes(secret), masked);
      assert.match(masked, /^before\n[^]*«masked»[^]*\nafter$/);
    });

  it("takes a value out in every spelling that the end-to-end suite plants, in text and in YAML", () => {
    const value = drawControl();
    const search = new Search([{ at: ["it"], value: Buffer.from(value) }]);
    const mask = masker([value]);
    for (const [how, text] of Object.entries(plantedSpellings(value)))
      for (const planted of [
        text,
        stringify({ [how]: text }, { lineWidth: 0 }),
        JSON.stringify({ a: text }),
      ]) {
        assert.equal(search.hits("", planted).length > 0, true, `${how} is planted`);
        assert.deepEqual(search.hits("", mask(planted)), [], `${how}: ${mask(planted)}`);
        assert.match(mask(planted), /«masked»/);
      }
  });

  it("takes a short value out as it stands and as Secrets have it, and no part of other words", () => {
    assert.equal(masker(["p@s"])(`p@s ${base64("p@s!!")} aGVsbG8=`), `p@s ${base64("p@s!!")} aGVsbG8=`);
    assert.equal(masker(["p@ss"])(`at ${base64("p@ss")}`), "at «masked»");
  });

  it("leaves what isn't secret as it is", () => {
    const text = [
      "main-1 primary ready, 3 of 3",
      "password_encryption is scram-sha-256",
      "user app of database app at 10.0.0.1:5432",
      'SELECT passwordless FROM accounts WHERE name = "x"',
      "https://example.com:8443/path",
    ].join("\n");
    assert.equal(masker(["app", "x"])(text), text);
  });

  it("knows of a Secret what is secret, not who and where", () =>
    assert.deepEqual(
      secretsIn({
        username: base64("app"),
        password: base64("pw-of-app"),
        "ca.crt": base64("CERT"),
        uri: base64("u"),
      }),
      ["pw-of-app", "u"],
    ));

  it("leaves out of objects what Secrets and variables hold, keys and names stay", () => {
    const secret = {
      kind: "Secret",
      metadata: { name: "s", managedFields: [1] },
      data: { password: "eA==" },
    };
    assert.deepEqual(withoutValues(secret), {
      kind: "Secret",
      metadata: { name: "s", managedFields: "left out" },
      data: { password: "«masked»" },
    });
    assert.deepEqual(
      withoutValues([
        { name: "AWS_SECRET_ACCESS_KEY", value: "v" },
        { name: "PGHOST", value: "h" },
      ]),
      [
        { name: "AWS_SECRET_ACCESS_KEY", value: "«masked»" },
        { name: "PGHOST", value: "h" },
      ],
    );
  });
});

describe("a support bundle, with a stand-in for kubectl", () => {
  const text = Object.values(planted)
    .map(([, line]) => line)
    .join("\n");

  /** Every object, every log and every answer has all that is planted. */
  class StandIn extends Kubectl {
    constructor(private readonly secretsFail = false) {
      super({ kubeconfig: undefined, context: "none" });
    }
    override query(kind: string): Promise<KubeObject[]> {
      if (kind === "secrets")
        return this.secretsFail
          ? Promise.reject(new Error("forbidden"))
          : Promise.resolve([
              {
                apiVersion: "v1",
                kind: "Secret",
                metadata: { name: "main-app", annotations: { note: text } },
                data: {
                  username: base64("app"),
                  password: base64(known[0] ?? ""),
                  other: base64(known[1] ?? ""),
                },
              },
            ]);
      return Promise.resolve([
        {
          apiVersion: "v1",
          kind: "ConfigMap",
          metadata: {
            name: "main-1",
            labels: {},
            annotations: { "kubectl.kubernetes.io/last-applied-configuration": text },
          },
          data: { file: text },
          spec: { containers: [{ name: "postgres", env: [{ name: "PASSWORD", value: known[0] }] }] },
        },
      ]);
    }
    override get(): Promise<KubeObject | undefined> {
      const { cluster } = sceneOf(foundOf("cnpg"));
      return Promise.resolve({
        ...cluster!,
        metadata: { ...cluster!.metadata, annotations: { note: text } },
      });
    }
    override run(): ReturnType<Kubectl["run"]> {
      return Promise.resolve({ stdout: text, stderr: text, exitCode: 0 });
    }
  }
  const withStandIn = (kubectl: Kubectl) => {
    const found = foundOf("cnpg");
    const subject = { ...found.subject!, kubectl };
    return { ...found, subject, platform: subject };
  };

  it("has objects, logs, answers, settings and the status, and nothing that was planted", async () => {
    const bundle = await bundleOf(withStandIn(new StandIn()), none);
    const names = [...bundle.keys()];
    for (const file of [
      "status.json",
      "status.txt",
      "cluster.yaml",
      "pods.yaml",
      "events.yaml",
      "secrets.yaml",
      "settings.yaml",
      "README.txt",
      "postgresql/settings.txt",
      "logs/main-1.postgres.log",
      "logs/main-1.postgres.previous.log",
    ])
      assert.ok(names.includes(file), file);
    for (const [file, content] of bundle)
      for (const [what, [secret]] of Object.entries(planted))
        assert.ok(!content.includes(secret), `${file}: ${what}`);
    assert.match(bundle.get("logs/main-1.postgres.log") ?? "", /«masked»/);
    assert.match(bundle.get("secrets.yaml") ?? "", /password: «masked»/);
  });

  it("isn't made where the Secrets can't be read: what is secret would not be known", async () => {
    await assert.rejects(bundleOf(withStandIn(new StandIn(true)), none), /forbidden/);
  });
});
