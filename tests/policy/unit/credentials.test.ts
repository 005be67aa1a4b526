import assert from "node:assert/strict";
import type { KubernetesObject } from "../../../plan/objects";
import { violationsOf } from "./kit";

/** Plain credentials in the forms in which programs have them, and what only looks like one. */

const found = (object: KubernetesObject): number => violationsOf("no-plain-credentials", object).length;
const configMap = (key: string, value: string): KubernetesObject => ({
  apiVersion: "v1",
  kind: "ConfigMap",
  metadata: { name: "settings", namespace: "shop" },
  data: { [key]: value },
});
const pod = (container: object): KubernetesObject => ({
  apiVersion: "v1",
  kind: "Pod",
  metadata: { name: "tool", namespace: "shop" },
  spec: { containers: [{ name: "tool", ...container }] },
});
const variable = (name: string, value: string) => pod({ env: [{ name, value }] });

describe("plain credentials", () => {
  for (const name of [
    ...["DB_PASS", "DB_PASSWORD", "PGPASSWORD", "MYSQL_PWD", "SMTP_PASS", "JWT_SECRET", "SESSION_SECRET"],
    ...["B2_APPLICATION_KEY", "AWS_SECRET_ACCESS_KEY", "ENCRYPTION_KEY", "MASTER_KEY", "DJANGO_SECRET_KEY"],
    ...["SECRET_KEY_BASE", "API_SECRET", "CLIENT_SECRET", "GITHUB_PAT", "AUTH_TOKEN", "STORAGE_KEY"],
    ...["dbPassword", "redis_passphrase", "RESET_PASSWORD_TOKEN", "AUTH_SECRET", "SERVER_SECRET", "SECRET"],
  ])
    it(`are under the name ${name}`, () => {
      assert.equal(found(variable(name, "hunter2hunter2")), 1);
      assert.equal(found(configMap(name, "hunter2hunter2")), 1);
      assert.equal(found(configMap("app.env", `LEVEL=info\n${name}=hunter2hunter2\n`)), 1);
    });

  for (const [name, value] of [
    ...[
      "mysecretpassword",
      "password",
      "12345",
      "optional",
      "required",
      "!Sup3rS3cret",
      "@dmin2024",
      "&foo",
    ].map((one) => ["POSTGRES_PASSWORD", one]),
    ...["$ecret123", "*star", "%24ecret", "secret+123", "default"].map((one) => ["DB_PASSWORD", one]),
    ["SECRET", "8f7a8d7f87ad"],
    ["JWT_SECRET", "mysecret"],
    ["SECRET_KEY", "supersecret"],
    ["password", "mysecretpassword"],
    ["DATABASE_URL", "postgresql://app:%24ecret@db/orders"],
    ["DATABASE_URL", "postgresql://app:$ecret123@db/orders"],
    ["DATABASE_URL", "postgresql://app:hun:ter2@db/orders"],
    ["DATABASE_URL", "postgresql://app:<hunter@db/orders"],
    ["DATABASE_URL", "postgresql://db/orders?sslpassword=%24ecret"],
    ["DSN", "host=db user=app password=%24ecret"],
    ["DSN", "host=db user=app password=pa$$word"],
    ["DSN", "host=db user=app password=hunter/2 sslmode=require"],
    ["HEADERS", "Authorization: Bearer %24ecret-token"],
  ] as const)
    it(`are ${name}=${value}`, () => {
      assert.equal(found(variable(name, value)), 1);
      assert.equal(found(configMap(name, value)), 1);
    });

  for (const [title, args] of Object.entries({
    "a variable before a command": ["sh", "-c", "PGPASSWORD=hunter2 psql -h db"],
    "an exported variable": ["sh", "-c", "export DB_PASS='hunter2'; run"],
    "an option": ["run", "--db-password=hunter2"],
    "an option and its argument": ["run", "--secret-key", "hunter2hunter2"],
    "a login of curl": ["sh", "-c", "curl -s -u robot:hunter2 https://example.com"],
    "a header": ["curl", "-H", "Authorization: Bearer hunter2hunter2"],
    "a URI without a user": ["run", "redis://:hunter2@cache:6379/0"],
    "an option and a common word": ["run", "--db-password", "password"],
    "an escaped option": ["run", "--db-password=%24ecret"],
  }))
    it(`are in a command: ${title}`, () => {
      assert.equal(found(pod({ command: args.slice(0, 1), args: args.slice(1) })), 1);
    });

  for (const [title, text] of Object.entries({
    YAML: "db:\n  host: x\n  password: hunter2\n",
    "YAML with a common word": "db:\n  host: x\n  password: mysecretpassword\n",
    "YAML with a mark in quotes": 'db:\n  password: "!Sup3rS3cret"\n',
    "a file of variables": "LEVEL=info\nPOSTGRES_PASSWORD=@dmin2024\n",
    SQL: "ALTER ROLE app PASSWORD '%24ecret'",
    "YAML in quotes": 'db:\n  password: "hunter 2"\n',
    JSON: '{"db": {"user": "a", "password": "hunter2"}}',
    TOML: 'user = "a"\nclient_secret = "hunter2"\n',
    INI: "[default]\naws_secret_access_key = wJalrXUtnFEMI/K7MDENG\n",
    XML: "<config><password>hunter2</password></config>",
    ".pgpass": "db.shop:5432:orders:app:hunter2\n",
    ".pgpass for any port": "*:*:orders:app:hunter2\n",
    ".netrc": "machine example.com login robot password hunter2\n",
    htpasswd: "robot:$apr1$abcdefgh$0123456789abcdefghijkl\n",
    "a bare verifier": "md50123456789abcdef0123456789abcdef",
    "a token of GitHub": `x ghp_${"a".repeat(36)}`,
    "a JWT": `eyJ${"a".repeat(20)}.eyJ${"b".repeat(20)}.${"c".repeat(20)}`,
    "a login to a registry": '{"auths": {"registry.example.com": {"auth": "cm9ib3Q6aHVudGVyMg=="}}}',
    "a key of Azure": "DefaultEndpointsProtocol=https;AccountName=a;AccountKey=abcdefghijklmnopqrstuvwxyz01",
  }))
    it(`are in a file: ${title}`, () => assert.equal(found(configMap("file", text)), 1));

  it("are in fields of custom resources, numbers too", () => {
    const resource = (spec: object): KubernetesObject => ({
      apiVersion: "example.com/v1",
      kind: "Store",
      metadata: { name: "x", namespace: "shop" },
      spec,
    });
    assert.equal(found(resource({ login: { password: 12345678 } })), 1);
    assert.equal(found(resource({ accessKey: "hunter2hunter2" })), 1);
    assert.equal(
      found({
        apiVersion: "acid.zalan.do/v1",
        kind: "OperatorConfiguration",
        metadata: { name: "x" },
        configuration: { logical_backup: { logical_backup_s3_secret_access_key: "hunter2hunter2" } },
      }),
      1,
    );
  });
});

describe("what is no plain credential", () => {
  for (const [name, value] of [
    ["FORGOT_PASSWORD", "enabled"],
    ["RESET_PASSWORD", "https://example.com/reset"],
    ["REQUIRE_PASSWORD", "yes"],
    ["MIN_PASSWORD", "12"],
    ["PASSWORD_FILE", "/run/secrets/password"],
    ["DB_PASSWORD", "/run/secrets/db"],
    ["DB_PASSWORD", "$(OTHER)"],
    ["DB_PASSWORD", "${OTHER}"],
    ["DB_PASSWORD", "{{ .Values.password }}"],
    ["TOKEN", "3600"],
    ["password_encryption", "scram-sha-256"],
    ["PASSWORD", "required"],
    ["existingSecret", "orders-app"],
    ["secretName", "orders-app"],
    ["PRIMARY_KEY", "id"],
    ["PUBLIC_KEY", "abc"],
    ["SORT_KEY", "created"],
    ["JWT_SECRET", "vault:secret/data/jwt"],
    ["TLS_SECRET", "orders-tls"],
    ["IMAGE_PULL_SECRET", "regcred"],
    ["AUTH_SECRET", "orders-auth-secret"],
    ["API_TOKEN", "ref+vault://orders/api#token"],
    ["POSTGRES_PASSWORD", "$PASSWORD"],
    ["POSTGRES_PASSWORD", "$__file{/etc/secrets/db}"],
    ["POSTGRES_PASSWORD", "%(ENV_PASSWORD)s"],
    ["POSTGRES_PASSWORD", "<set it>"],
    ["POSTGRES_PASSWORD", "***"],
    ["DB_PASSWORD", "$db_password"],
    ["DATABASE_URL", "postgresql://app:$(PGPASSWORD)@db/orders"],
    ["DATABASE_URL", "postgresql://app:${PGPASSWORD}@db/orders"],
    ["DATABASE_URL", "postgresql://app:$PGPASSWORD@db/orders"],
    ["DATABASE_URL", "postgresql://app:%(password)s@db/orders"],
    ["DATABASE_URL", "postgresql://app:{{.password}}@db/orders"],
    ["DATABASE_URL", "postgresql://app:<password>@db/orders"],
    ["DATABASE_URL", "postgresql://app:***@db/orders"],
    ["COMPASS", "north"],
    ["BYPASS", "10.0.0.0/8"],
  ] as const)
    it(`is ${name}=${value}`, () => {
      assert.equal(found(variable(name, value)), 0);
      assert.equal(found(configMap(name, value)), 0);
    });

  for (const [title, text] of Object.entries({
    "code that reads one": 'password = os.environ["PASSWORD"]\ntoken: str = self.read(path)\n',
    "a shell that reads one": 'password=$(cat /run/secrets/p)\nexport PGPASSWORD="$password"\n',
    "an argument of a function of a shell": "login() { PGPASSWORD=$2 psql; }\n",
    "a template": "password: {{ .password }}\n",
    "a reference": "passwordSecretRef:\n  name: x\n  key: password\n",
    "a schema": '{"password": {"type": "string"}, "token": null}',
    "addresses and ports": "127.0.0.1:5432\nhttp://example.com:8080/a:b\n",
    "an image with a digest": `ghcr.io/example/a:1@sha256:${"0".repeat(64)}`,
    "a certificate": "-----BEGIN CERTIFICATE-----\nMIIB\n-----END CERTIFICATE-----",
    "SQL with a parameter": "ALTER ROLE app PASSWORD '%s'",
    "SQL with a variable of psql":
      "ALTER ROLE app PASSWORD :'pw';\nSELECT 1 WHERE :\"password\" = :'password'\n",
    "SQL with a named parameter": "UPDATE users SET password = :password, token=:token\n",
    "code that gives one a value": 'token := r.Header.Get("X")\n',
    "a pattern": "sed 's/password=.*/password=$NEW/' pool.ini\n",
    "a type": "interface Login { dbPassword: string; }\n",
    "YAML with a tag, an anchor and an alias":
      "password: !vault |\n  $ANSIBLE\nother:\n  db_password: &p\n  api_token: *p\n",
    "a shell's URI": 'psql "postgresql://app:$pw@db/orders"\n',
    "a format of a URI": 'print("postgres://%s:%s@%s", f"postgres://{user}:{password}@{host}")\n',
  }))
    it(`is in a file: ${title}`, () => assert.equal(found(configMap("file", text)), 0));

  it("is what a controller turns into a Secret by its name", () => {
    assert.equal(
      found({
        apiVersion: "external-secrets.io/v1",
        kind: "ExternalSecret",
        metadata: { name: "x", namespace: "shop" },
        spec: { data: [{ secretKey: "db-password", remoteRef: { key: "orders", property: "password" } }] },
      }),
      0,
    );
    assert.equal(
      found({
        apiVersion: "bitnami.com/v1alpha1",
        kind: "SealedSecret",
        metadata: { name: "x", namespace: "shop" },
        spec: { encryptedData: { password: "AgBy3i4OJSWK" } },
      }),
      0,
    );
  });
});
