import assert from "node:assert/strict";
import { sourcedIn } from "../../plan/secrets/source";
import { type SecretFacts, secretFactOf } from "../../operations/secretFacts";
import { otherOwners, takenBack } from "../../operations/secretRule";
import { sentence } from "../../settings/problem";
import type { SettingsInput } from "../../settings/schema";
import { sentences } from "../support/rich";
import { aws, type Engine, external, input, objectOf, planned } from "../support/secrets";
import { checked } from "../support/settings";

/** That each password has one owner: what the settings check refuses, and what the preflight. */

describe("one owner of each password", () => {
  const refused = (secrets: object, more: Partial<SettingsInput> = {}, engine: Engine = "cnpg") =>
    sentences(input(engine, secrets as SettingsInput["secrets"], more)).map((one) =>
      one.replaceAll("pgplatform:", ""),
    );

  const cases: readonly [
    what: string,
    secrets: object,
    sentence: RegExp,
    more?: Partial<SettingsInput>,
    engine?: Engine,
  ][] = [
    [
      "another source",
      { source: "vault" },
      /^secrets\.source: "vault" is not allowed\. Allowed: generated, external, aws-secrets-manager\. Fix: choose an allowed value\.$/,
    ],
    [
      "a role twice",
      { ...external, roles: [{ role: "app" }, { role: "app", secretName: "x" }] },
      /^secrets\.roles\[1\]\.role: "app" is not allowed\. Allowed: a role that is listed once: two Secrets would own one password\. Fix: remove one of both\.$/,
    ],
    [
      "one Secret for two",
      {
        ...external,
        roles: [
          { role: "app", secretName: "x" },
          { role: "auditor", secretName: "x" },
        ],
      },
      /^secrets\.roles\[1\]\.secretName: "x" is not allowed\. Allowed: a Secret of its own: app has this one/,
    ],
    [
      "one's default for another",
      { ...external, roles: [{ role: "app" }, { role: "auditor", secretName: "main-login-app" }] },
      /^secrets\.roles\[1\]\.secretName: "main-login-app" is not allowed/,
    ],
    [
      "a Secret of the platform's",
      { ...external, roles: [{ role: "app", secretName: "main-pooler-auth" }] },
      /Allowed: a Secret that the platform doesn't make: its password would have two owners/,
    ],
    [
      "a generated role's",
      { ...external, roles: [{ role: "app", secretName: "main-role-auditor" }] },
      /a Secret that the platform doesn't make/,
    ],
    [
      "one remote secret for two",
      { ...aws, roles: [{ role: "app" }, { role: "auditor", remoteKey: "postgres/app-credentials" }] },
      /^secrets\.roles\[1\]\.remoteKey: "postgres\/app-credentials" is not allowed/,
    ],
    [
      "the pooler's role",
      { ...external, roles: [{ role: "pgp_pooler" }] },
      /this one is the poolers' look-up's, and the stack alone owns it/,
    ],
    ["the reloader's own", { ...external, roles: [{ role: "pgp_logins" }] }, /the stack alone owns it/],
    [
      "Zalando's superuser",
      { ...external, roles: [{ role: "postgres" }] },
      /without a restart: Patroni's pods read it once/,
      {},
      "zalando",
    ],
    [
      "Zalando's replication",
      { ...external, roles: [{ role: "standby" }] },
      /without a restart: Patroni's pods read it once/,
      {},
      "zalando",
    ],
    ["the metrics'", { ...external, roles: [{ role: "pgp_metrics" }] }, /over the server's own socket/],
    [
      "base backups without any",
      { ...external, roles: [{ role: "pgp_backup" }] },
      /base backups log in with the engine standalone/,
    ],
    [
      "a role that isn't there",
      { ...external, roles: [{ role: "nobody" }] },
      /Allowed: one of app, analyst, auditor, pgp_admin\. Fix: correct it, or add the role to cluster\.roles\.$/,
    ],
    [
      "one key for both",
      { ...external, roles: [{ role: "app", usernameKey: "password" }] },
      /^secrets\.roles\[0\]\.passwordKey: "password" is not allowed\. Allowed: another key than that of the username/,
    ],
    [
      "rules of access",
      external,
      /^secrets\.source: "external" is not allowed\. Allowed: generated with cluster\.access/,
      {
        cluster: {
          ...input("cnpg", undefined).cluster,
          access: [{ database: "app", role: "app", from: "all" }],
        },
      },
    ],
    [
      "a copied Secret",
      external,
      /^clients\[0\]\.binding\.copySecret: true is not allowed\. Allowed: false for the role app, whose password external owns/,
      {
        clients: [
          { name: "c", namespace: "shop", labels: { app: "c" }, pooler: "p", binding: { copySecret: true } },
        ],
      },
    ],
    [
      "a store's setting without it",
      { ...external, region: "eu-central-1" },
      /^secrets\.region: must not be set with the source external \("eu-central-1"\)\. Fix: leave it out, or use the source aws-secrets-manager\.$/,
    ],
    [
      "a key of AWS without it",
      { source: "generated", credentials: { accessKeyId: "AKIA", secretAccessKey: "hidden-key" } },
      /^secrets\.credentials: must not be set with the source generated \("given"\)/,
    ],
    [
      "roles of generated ones",
      { source: "generated", roles: [{ role: "app" }] },
      /^secrets\.roles: must not be set with the source generated/,
    ],
    [
      "no region",
      { source: "aws-secrets-manager" },
      /^secrets\.region: not set\. Allowed: a region such as eu-central-1\. Fix: set it\.$/,
    ],
    [
      "a region of a store that is there",
      { ...aws, store: { name: "company" } },
      /^secrets\.region: must not be set where the store is there and nothing is written/,
    ],
    [
      "a role and a key",
      {
        ...aws,
        roleArn: "arn:aws:iam::123456789012:role/r",
        credentials: { accessKeyId: "AKIA", secretAccessKey: "hidden-key" },
      },
      /^secrets\.credentials: "given" is not allowed\. Allowed: a role or a key, not both/,
    ],
    [
      "a login of a store that is there",
      {
        source: "aws-secrets-manager",
        store: { name: "company" },
        roleArn: "arn:aws:iam::123456789012:role/r",
      },
      /^secrets\.roleArn: must not be set with store\.name/,
    ],
    ["an empty list", { ...external, roles: [] }, /^secrets\.roles: \[\] is not allowed/],
    [
      "a second login's name",
      external,
      /a role without a role app_b beside it, which is its second login/,
      { cluster: { ...input("cnpg", undefined).cluster, roles: [{ name: "app_b" }] } },
    ],
  ];
  for (const [what, secrets, wanted, more, engine] of cases)
    it(`refuses ${what}`, () => {
      const said = refused(secrets, more, engine);
      assert.equal(said.length, 1, said.join("\n"));
      assert.match(said[0] ?? "", wanted);
      assert.doesNotMatch(said.join(), /hidden-key/);
    });
});

describe("the preflight of passwords of another owner", () => {
  const basic = (username: string, more: Partial<SecretFacts["secrets"][string]> = {}) => ({
    keys: ["username", "password"],
    username,
    ...more,
  });
  const good = {
    "main-login-app": basic("app"),
    "main-login-admin": basic("pgp_admin_b"),
    "main-login-role-auditor": basic("auditor"),
    "main-login-owner-analyst": basic("analyst"),
  };
  const judge = (
    secrets: SecretFacts["secrets"],
    source: SettingsInput["secrets"] = external,
    facts: Partial<SecretFacts> = {},
    namespaces: readonly string[] = ["postgres"],
  ): string[] => {
    const settings = checked(input("cnpg", source));
    const { problems = [] } = otherOwners(
      { settings } as Parameters<typeof otherOwners>[0],
      { secrets: { kinds: {}, secrets, ...facts }, namespaces } as unknown as Parameters<
        typeof otherOwners
      >[1],
    );
    return problems.map(sentence).map((one) => one.replaceAll("pgplatform:", ""));
  };
  const served = { externalsecrets: ["v1"], secretstores: ["v1"], clustersecretstores: ["v1"] };

  it("says nothing where all is there", () => {
    assert.deepEqual(judge(good), []);
    assert.deepEqual(judge({}, aws, { kinds: served }), []);
  });

  it("names the Secret that is missing, the key, the username, and who made it", () => {
    const rest: Record<string, SecretFacts["secrets"][string]> = { ...good };
    delete rest["main-login-app"];
    assert.deepEqual(judge(rest), [
      'secrets.source: "main-login-app" is not allowed. Allowed: a Secret of the namespace postgres that is there, with the keys username and password for the role app; it is missing. Fix: have its owner make it.',
    ]);
    assert.match(
      judge({ ...good, "main-login-app": { keys: ["user", "password"] } }).join(),
      /a Secret with the keys username and password; username is missing or empty, and it has user, password\. Fix: have its owner rename the keys, or set usernameKey and passwordKey of the role\.$/,
    );
    assert.match(
      judge({ ...good, "main-login-app": basic("postgres") }).join(),
      /a Secret whose username is app or app_b; it is postgres\. Fix: have its owner correct it\.$/,
    );
    assert.match(
      judge({ ...good, "main-login-app": basic("app", { madeBy: "platform" }) }).join(),
      /two owners/,
    );
    const listed = { ...external, roles: [{ role: "app", secretName: "shop" }] };
    assert.match(judge({}, listed).join(), /^secrets\.roles\[0\]\.secretName: "shop" is not allowed/);
  });

  it("has the next credential version for what the stack takes back", () => {
    const judged = (secrets: SettingsInput["secrets"], version: number, live: readonly string[]) => {
      const settings = checked(input("cnpg", secrets, { rotation: { credentialVersion: version } }));
      const facts = { rotation: { credentialVersion: 1, stage: "only" }, sourcedRoles: live };
      const { problems = [] } = takenBack(
        { settings } as Parameters<typeof takenBack>[0],
        facts as unknown as Parameters<typeof takenBack>[1],
      );
      return problems.map(sentence);
    };
    assert.deepEqual(judged(undefined, 1, ["app", "pgp_admin", "gone"]), [
      "pgplatform:rotation.credentialVersion: 1 is not allowed. Allowed: 2 where the stack takes over the password of app, pgp_admin, whose second login would keep the one of its former owner. Fix: set 2.",
    ]);
    assert.equal(judged({ ...external, roles: [{ role: "app" }] }, 1, ["app", "auditor"]).length, 1);
    for (const [secrets, version, live] of [
      [undefined, 2, ["app"]],
      [undefined, 1, []],
      [external, 1, ["app"]],
      [undefined, 1, ["pgp_backup"]],
    ] as const)
      assert.deepEqual(judged(secrets, version, live), []);
    const { cluster } = planned("cnpg", external);
    assert.deepEqual(sourcedIn(objectOf(cluster.objects, "Cluster")), [
      "analyst",
      "app",
      "auditor",
      "pgp_admin",
    ]);
    assert.deepEqual(sourcedIn(objectOf(planned("cnpg", undefined).cluster.objects, "Cluster")), []);
  });

  it("asks for the namespace first", () => {
    assert.match(
      judge({}, external, {}, []).join(),
      /^cluster\.namespace: "postgres"[^]*kubectl create namespace postgres/,
    );
  });

  it("names the kinds of External Secrets that aren't served, and a store that isn't there", () => {
    assert.match(
      judge({}, aws, { kinds: {} }).join(),
      /^secrets\.source: "aws-secrets-manager" is not allowed\. Allowed: generated or external where External Secrets doesn't serve externalsecrets\.external-secrets\.io\/v1 and secretstores\.external-secrets\.io\/v1; served is none\. Fix: install External Secrets 0\.16 or newer first\.$/,
    );
    assert.match(
      judge({}, aws, { kinds: { ...served, externalsecrets: ["v1beta1"] } }).join(),
      /served is v1beta1/,
    );
    const named = {
      source: "aws-secrets-manager" as const,
      store: { kind: "ClusterSecretStore" as const, name: "company" },
    };
    assert.match(
      judge({}, named, { kinds: served, store: false }).join(),
      /^secrets\.store\.name: "company"[^]*a ClusterSecretStore that is there/,
    );
  });

  it("refuses a Secret that somebody else made in the place of a copied one", () => {
    const theirs = { "main-login-app": basic("app") };
    assert.match(judge(theirs, aws, { kinds: served }).join(), /its password would have two owners/);
    const copied = { "main-login-app": basic("app", { madeBy: "ExternalSecret" }) };
    assert.deepEqual(judge(copied, aws, { kinds: served }), []);
    const wrong = { "main-login-app": basic("root", { madeBy: "ExternalSecret" }) };
    assert.match(judge(wrong, aws, { kinds: served }).join(), /whose username is app or app_b; it is root/);
  });

  it("keeps no password of a Secret that it has read", () => {
    const data = {
      username: Buffer.from("app").toString("base64"),
      password: Buffer.from("hidden").toString("base64"),
    };
    const metadata = { name: "main-login-app", ownerReferences: [{ kind: "ExternalSecret" }] };
    assert.deepEqual(secretFactOf({ apiVersion: "v1", kind: "Secret", metadata, data }, "username"), {
      keys: ["username", "password"],
      username: "app",
      madeBy: "ExternalSecret",
    });
  });
});
