import assert from "node:assert/strict";
import type { Plan } from "../../plan/plan";
import type { PlatformPlan } from "../../plan/platform";
import { credentialOf, wantedRoles } from "../../plan/postgres/roles";
import { loginStatements } from "../../plan/postgres/sql/logins";
import { scriptsOf } from "../../plan/postgres/sql/scripts";
import { oldLogins } from "../../operations/oldLogins";
import type { SettingsInput } from "../../settings/schema";
import { violationsInStack } from "../policy/unit/kit";
import { shortObjects } from "../support/manifest";
import { platformGraph } from "../support/platform";
import { aws, type Engine, engines, external, input, objectOf, planned } from "../support/secrets";
import { checked } from "../support/settings";

/**
 * What is planned where another owner than the stack has the passwords; that PostgreSQL follows is shown by tests/sql/logins.test.ts and tests/e2e/secrets.test.ts,
 * and what is refused by secrets-owners.test.ts.
 */

/** What of a plan names a Secret, wherever it stands. */
const mentions = (value: unknown, text: string): boolean => JSON.stringify(value).includes(`"${text}"`);

for (const engine of Object.keys(engines) as Engine[])
  describe(`passwords of another owner, by the engine ${engine}`, () => {
    const generated = planned(engine, undefined);

    it("are made by the stack where no setting says otherwise, and nothing stands beside it", () => {
      assert.deepEqual(generated.reloader, []);
      assert.equal(generated.store, undefined);
      assert.ok(generated.credentials.every(({ elsewhere }) => elsewhere === undefined));
      assert.equal(mentions(generated, "pgp_logins"), false);
    });

    it("leave the roles' passwords to the login reloader, and give each role its other login", () => {
      const settings = checked(input(engine, external));
      const roles = wantedRoles(settings);
      const passwords = Object.fromEntries(roles.map(({ name, secretName }) => [name, secretName]));
      for (const role of ["app", "auditor", "pgp_admin"]) {
        assert.ok(role in passwords && `${role}_b` in passwords, role);
        assert.equal(passwords[role], undefined);
        assert.equal(passwords[`${role}_b`], undefined);
      }
      const second = roles.find(({ name }) => name === "app_b");
      assert.deepEqual(second?.memberOf, ["app"]);
      assert.equal(second.actsAs, "app");
      // The platform's own programs keep theirs.
      assert.equal(passwords.pgp_pooler, "main-pooler-auth");
      assert.equal(passwords.pgp_health, "main-health");
      assert.equal(passwords.pgp_logins, "main-login-reloader");
    });

    it("are no password in the engine's objects, nor a Secret that the engine reads", () => {
      const plan = planned(engine, external);
      // Of CloudNativePG's, the object of the database app has that name, too.
      const readers = ({ cluster }: PlatformPlan) => [
        cluster.objects.filter(({ object }) => object.kind !== "Database"),
        cluster.credentials,
      ];
      for (const name of ["main-app", "main-admin", "main-role-auditor"]) {
        assert.equal(mentions(readers(plan), name), false, name);
        assert.equal(mentions(readers(generated), name), true, name);
      }
      for (const id of ["app", "admin", "role-auditor"])
        assert.equal(JSON.stringify(plan.passwords ?? {}).includes(`{password:${id}}`), false);
    });

    it("come to PostgreSQL by one pod, which has no access to Kubernetes and waits for no Secret", () => {
      const { reloader, flows, networkPolicies } = planned(engine, external);
      const { spec } = objectOf(reloader, "Deployment", "main-login-reloader") as unknown as {
        spec: { replicas: number; strategy: object; template: { spec: Record<string, unknown> } };
      };
      assert.equal(spec.replicas, 1);
      assert.deepEqual(spec.strategy, { type: "Recreate" });
      const pod = spec.template.spec as {
        automountServiceAccountToken: boolean;
        containers: { command: string[]; env: { name: string; value?: string }[]; securityContext: object }[];
        volumes: {
          name: string;
          projected?: { sources: { secret: { name: string; optional: boolean } }[] };
        }[];
      };
      assert.equal(pod.automountServiceAccountToken, false);
      const [container] = pod.containers;
      assert.deepEqual(container?.command.slice(4, 5), ["app|app|app_b"]);
      assert.ok(container.command.includes("admin|pgp_admin|pgp_admin_b"));
      assert.ok(container.command.includes("role-auditor|auditor|auditor_b"));
      assert.equal(container.env.find(({ name }) => name === "OVERLAP_SECONDS")?.value, "600");
      const sources = pod.volumes.find(({ name }) => name === "logins")?.projected?.sources ?? [];
      assert.ok(sources.every(({ secret }) => secret.optional));
      assert.ok(sources.some(({ secret }) => secret.name === "main-login-app"));
      const service = objectOf(reloader, "Service");
      assert.deepEqual(
        (service.spec as { selector: object }).selector,
        engines[engine].instancePods.labels("main"),
      );
      const own = flows.filter(({ name }) => name.startsWith("login-reloader"));
      assert.deepEqual(
        own.map(({ name, port }) => `${name} ${port}`),
        ["login-reloader-instances 5432", "login-reloader-pooler-p 9127"],
      );
      assert.ok(networkPolicies.some(({ object }) => mentions(object, "login-reloader")));
    });

    it("are set by functions that know these logins and no other one", () => {
      const statements = loginStatements(checked(input(engine, external))).join("\n");
      for (const login of ["app", "app_b", "auditor", "auditor_b", "pgp_admin", "pgp_admin_b"])
        assert.ok(statements.includes(`'${login}'`), login);
      for (const login of ["postgres", "pgp_pooler", "pgp_health", "standby", "streaming_replica"])
        assert.equal(statements.includes(`'${login}'`), false, login);
      assert.equal(
        (statements.match(/SECURITY DEFINER SET search_path = pg_catalog, pg_temp/g) ?? []).length,
        4,
      );
      assert.equal((statements.match(/REVOKE ALL ON FUNCTION/g) ?? []).length, 4);
      const listed = engine === "cnpg" ? undefined : scriptsOf(checked(input(engine, external)))[0]?.sql;
      assert.ok(listed === undefined || listed.indexOf("CREATE SCHEMA") < listed.indexOf("accept_login"));
      assert.deepEqual(loginStatements(checked(input(engine, undefined))), []);
    });

    it("are found by outputs, bindings and the rotation in the Secrets of their owner, with its keys", async () => {
      const secrets = {
        ...external,
        roles: [{ role: "app", secretName: "shop-login", usernameKey: "user", passwordKey: "pass.word" }],
      };
      const settings = checked(input(engine, secrets));
      const { outputs, resources } = await platformGraph(settings, await shortObjects(engine));
      const { app, admin } = outputs.secrets as Record<string, unknown>;
      assert.deepEqual(app, { name: "shop-login", usernameKey: "user", passwordKey: "pass.word" });
      assert.deepEqual(admin, { name: "main-admin", usernameKey: "username", passwordKey: "password" });
      const uris = JSON.stringify(outputs.uris);
      assert.match(uris, /postgresql:\/\/app@/);
      assert.equal(
        resources.some(({ name }) => /-app-(password|secret)$/.test(name)),
        false,
      );
      assert.ok(resources.some(({ name }) => name === "main-credentials-admin-password"));
      const { credentials } = engines[engine].plan(settings);
      assert.equal(credentialOf(credentials, "app").secretName, "shop-login");
    });

    it("keep the platform's own passwords turning by the credential version", () => {
      const settings = checked(input(engine, external, { rotation: { credentialVersion: 2 } }));
      const plan: Plan = engines[engine].plan(settings);
      assert.deepEqual(oldLogins({ plan, settings }), ["pgp_pooler"]);
      assert.equal(plan.poolerLogin.role, "pgp_pooler_b");
    });
  });

describe("passwords of another owner", () => {
  it("reach a cluster of CloudNativePG that was there before, and a new one", () => {
    const { cluster } = planned("cnpg", external);
    const [adopted] = cluster.adoption ?? [];
    assert.equal(adopted?.database, "postgres");
    assert.match(
      adopted.statements.join("\n"),
      /IF NOT EXISTS[^]*CREATE ROLE pgp_logins LOGIN[^]*accept_login/,
    );
    const object = objectOf(cluster.objects, "Cluster");
    const { spec } = object as unknown as { spec: { bootstrap: { initdb: { postInitSQL: string[] } } } };
    const sql = spec.bootstrap.initdb.postInitSQL;
    assert.ok(sql.indexOf("CREATE ROLE pgp_logins LOGIN") > 0);
    // Kubernetes makes one dollar of two in a container's arguments.
    assert.ok(sql.every((statement) => !statement.includes("$$")));
    assert.equal(planned("cnpg", undefined).cluster.adoption, undefined);
  });

  it("may be those of base backups, whose Job takes both names out of the Secret", () => {
    const plan = planned(
      "standalone",
      { ...external, roles: [{ role: "pgp_backup", usernameKey: "user" }] },
      { backup: {} },
    );
    const job = JSON.stringify(objectOf(plan.cluster.objects, "CronJob"));
    assert.match(job, /"PGUSER","valueFrom":\{"secretKeyRef":\{"name":"main-login-backup","key":"user"/);
    assert.doesNotMatch(job, /"PGUSER","value"/);
    const config = JSON.stringify(plan.cluster.objects);
    assert.match(config, /hostssl postgres,replication pgp_backup_b all scram-sha-256/);
    const sql = scriptsOf(checked(input("standalone", undefined)))[0]?.sql ?? "";
    assert.doesNotMatch(sql, /pgp_backup_b/);
    assert.ok(mentions(plan.cluster.objects, "main-login-backup"));
  });
});

describe("the login of Zalando's metrics exporters", () => {
  const plan = planned("zalando", { ...external, roles: [{ role: "pgp_metrics", passwordKey: "pass" }] });

  it("is in files of their owner's Secret, whose change starts them again", () => {
    const text = JSON.stringify(objectOf(plan.cluster.objects, "Deployment", "main-0-exporter"));
    assert.match(text, /"DATA_SOURCE_PASS_FILE","value":"\/login\/password"/);
    assert.match(text, /"secretName":"main-login-metrics"[^]*"key":"pass","path":"password"/);
    assert.doesNotMatch(text, /"DATA_SOURCE_(PASS|USER)"/);
    const unchanged = JSON.stringify(
      objectOf(planned("zalando", external).cluster.objects, "Deployment", "main-0-exporter"),
    );
    assert.doesNotMatch(unchanged, /USER_FILE|main-login|"username"/);
    assert.match(unchanged, /"DATA_SOURCE_USER","value":"pgp_metrics"/);
  });

  it("has its password in a file and not in the environment, whoever owns it", () => {
    for (const settings of [external, { ...external, roles: [{ role: "pgp_metrics" }] }]) {
      const { cluster } = planned("zalando", settings);
      const text = JSON.stringify(objectOf(cluster.objects, "Deployment", "main-0-exporter"));
      assert.match(text, /"DATA_SOURCE_PASS_FILE","value":"\/login\/password"/);
      assert.match(text, /"path":"password"/);
      assert.doesNotMatch(text, /secretKeyRef/);
    }
  });

  it("has the limits of the role, and gets in, under both names", () => {
    const sql =
      scriptsOf(checked(input("zalando", { ...external, roles: [{ role: "pgp_metrics" }] })))[0]?.sql ?? "";
    for (const login of ["pgp_metrics", "pgp_metrics_b"]) {
      assert.match(sql, new RegExp(`ALTER ROLE ${login} SET default_transaction_read_only = 'on'`));
      assert.match(
        JSON.stringify(plan.cluster.objects),
        new RegExp(`hostssl all ${login} all scram-sha-256`),
      );
    }
    assert.match(sql, /ALTER ROLE "pgp_metrics_b" SET role = 'pgp_metrics'/);
    assert.equal(JSON.stringify(plan.cluster.objects).includes('"main-metrics","items"'), false);
  });
});

describe("External Secrets", () => {
  const store = (secrets: object = {}, more: Partial<SettingsInput> = {}) =>
    planned("cnpg", { ...aws, ...secrets }, more).store ?? assert.fail();

  it("copies the seed's two secrets, under the labels by which the operator looks again", () => {
    const { objects, key, written } = store({ roles: [{ role: "app" }, { role: "pgp_admin" }] });
    assert.deepEqual(
      objects.map(
        ({ stage, waitFor, object }) => `${stage} ${object.kind} ${object.metadata.name} ${waitFor}`,
      ),
      [
        "1 SecretStore main condition=Ready",
        "2 ExternalSecret main-login-app condition=Ready",
        "2 ExternalSecret main-login-admin condition=Ready",
      ],
    );
    assert.equal(key, undefined);
    assert.equal(written, undefined);
    assert.deepEqual(objectOf(objects, "SecretStore").spec, {
      provider: { aws: { service: "SecretsManager", region: "eu-central-1" } },
    });
    assert.deepEqual(objectOf(objects, "ExternalSecret", "main-login-app").spec, {
      refreshInterval: "15s",
      secretStoreRef: { kind: "SecretStore", name: "main" },
      target: {
        name: "main-login-app",
        creationPolicy: "Owner",
        deletionPolicy: "Retain",
        template: {
          type: "kubernetes.io/basic-auth",
          metadata: {
            labels: { "cnpg.io/reload": "true", "pgplatform.io/cluster": "main" },
            annotations: { "pgplatform.io/why": "the application, owner of the first database" },
          },
          data: { username: '{{ index . "username" }}', password: '{{ index . "password" }}' },
        },
      },
      dataFrom: [{ extract: { key: "postgres/app-credentials" } }],
    });
    const admin = JSON.stringify(objectOf(objects, "ExternalSecret", "main-login-admin"));
    assert.match(admin, /postgres\/admin-credentials/);
  });

  it("takes names, keys, interval and a store that is there from the settings", () => {
    const { objects } = store({
      region: undefined,
      refreshSeconds: 60,
      store: { kind: "ClusterSecretStore", name: "company" },
      roles: [{ role: "app", remoteKey: "shop/db", usernameKey: "user", passwordKey: "pass" }],
    });
    assert.equal(objects.length, 1);
    const text = JSON.stringify(objectOf(objects, "ExternalSecret"));
    assert.match(
      text,
      /"refreshInterval":"60s","secretStoreRef":\{"kind":"ClusterSecretStore","name":"company"\}/,
    );
    assert.match(text, /"dataFrom":\[\{"extract":\{"key":"shop\/db"\}\}\]/);
    assert.match(
      text,
      /"username":"\{\{ index \. \\"user\\" \}\}","password":"\{\{ index \. \\"pass\\" \}\}"/,
    );
  });

  it("logs in with a role, by an account of its own", () => {
    const roleArn = "arn:aws:iam::123456789012:role/shop-secrets";
    const { objects } = store({ roleArn });
    const account = objectOf(objects, "ServiceAccount");
    assert.deepEqual(account.metadata.annotations, { "eks.amazonaws.com/role-arn": roleArn });
    assert.match(
      JSON.stringify(objectOf(objects, "SecretStore").spec),
      /"auth":\{"jwt":\{"serviceAccountRef":\{"name":"main-secret-store"\}\}\}/,
    );
  });

  it("logs in with a key, which is in a Secret alone; a ClusterSecretStore is for one namespace", async () => {
    const secrets = {
      ...aws,
      store: { kind: "ClusterSecretStore" as const },
      credentials: { accessKeyId: "AKIAEXAMPLE", secretAccessKey: "not-to-be-seen" },
    };
    const settings = checked(input("cnpg", secrets));
    const { resources } = await platformGraph(settings, await shortObjects("cnpg"));
    const of = (name: string) => resources.find((one) => one.name === name) ?? assert.fail(name);
    const { spec, metadata } = of("main-secrets-store").inputs as { spec: object; metadata: object };
    assert.deepEqual(spec, {
      provider: {
        aws: {
          service: "SecretsManager",
          region: "eu-central-1",
          auth: {
            secretRef: {
              accessKeyIDSecretRef: { name: "main-secret-store", key: "accessKeyId", namespace: "postgres" },
              secretAccessKeySecretRef: {
                name: "main-secret-store",
                key: "secretAccessKey",
                namespace: "postgres",
              },
            },
          },
        },
      },
      conditions: [{ namespaces: ["postgres"] }],
    });
    assert.deepEqual((metadata as { name: string; namespace?: string }).name, "postgres-main");
    assert.equal("namespace" in metadata, false);
    const key = Buffer.from("not-to-be-seen").toString("base64");
    const holding = resources.filter(({ inputs }) => JSON.stringify(inputs).includes(key));
    assert.deepEqual(
      holding.map(({ name }) => name),
      ["main-secrets-key"],
    );
    assert.ok("secret" in (of("main-secrets-key").inputs.data as object));
    assert.equal(JSON.stringify(resources).includes("not-to-be-seen"), false);
  });

  it("reads back what the stack has written, in the login of the credential version", async () => {
    for (const [version, login] of [
      [1, "app"],
      [2, "app_b"],
    ] as const) {
      const settings = checked(
        input("cnpg", { ...aws, direction: "written" }, { rotation: { credentialVersion: version } }),
      );
      const { resources, outputs } = await platformGraph(settings, await shortObjects("cnpg"));
      const secret = resources.find(({ name }) => name === "main-secrets-written-app");
      assert.equal(secret?.type, "aws:secretsmanager/secret:Secret");
      assert.equal(secret.inputs.name, "postgres/app-credentials");
      assert.equal(secret.inputs.recoveryWindowInDays, 0);
      const written = resources.find(({ name }) => name === "main-secrets-written-app-version");
      const { secret: text } = written?.inputs.secretString as { secret: string };
      const content = JSON.parse(text) as { username: string; password: string };
      assert.equal(content.username, login);
      assert.match(content.password, /^[A-Za-z0-9-]{8,}$/);
      assert.match(JSON.stringify(outputs.uris), new RegExp(`postgresql://${login}:${content.password}@`));
      const copy = resources.find(({ name }) => name === "main-secrets-copied-app");
      assert.equal(copy?.type, "kubernetes:external-secrets.io/v1:ExternalSecret");
      assert.equal(
        resources.some(({ name }) => name === "main-credentials-app-secret"),
        false,
      );
    }
  });

  it("has no object that a policy would refuse, and the login reloader is none", () => {
    const { reloader } = planned("cnpg", aws);
    const { objects } = store({
      store: { kind: "ClusterSecretStore" },
      credentials: { accessKeyId: "AKIA", secretAccessKey: "hidden-key" },
    });
    for (const { object } of [...reloader, ...objects])
      for (const policy of [
        "no-plain-credentials",
        "container-resources",
        "pod-security",
        "supported-images",
      ])
        assert.deepEqual(violationsInStack(policy, [object]), [], `${policy}: ${object.kind}`);
  });

  it("keeps in AWS what was deleted in the tier prod", () => {
    const days = (tier: "dev" | "prod") =>
      planned("cnpg", { ...aws, direction: "written" }, { tier }).store?.written?.recoveryDays;
    assert.deepEqual([days("dev"), days("prod")], [0, 30]);
  });
});
