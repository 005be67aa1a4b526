import assert from "node:assert/strict";
import { runInNewContext } from "node:vm";
import * as kubernetes from "@pulumi/kubernetes";
import * as pulumi from "@pulumi/pulumi";
import ts from "typescript";
import { Operator, type OperatorArgs, PostgresPlatform, type PostgresPlatformArgs } from "../../components";
import type { KubernetesObject } from "../../plan/objects";
import { graphOf, mockPassword } from "../support/graph";
import { shortObjects } from "../support/manifest";
import { readmeProgram } from "../support/readme";

const cluster = (name: string, more: object = {}) =>
  ({
    name,
    namespace: name,
    storage: { size: "1Gi" },
    databases: [{ name: "app", owner: "app" }],
    ...more,
  }) satisfies PostgresPlatformArgs["cluster"];

const resolved = <T>(output: pulumi.Output<T>): Promise<T> =>
  new Promise((resolve) => output.apply((value) => resolve(value)));

describe("the components in another program", function () {
  this.timeout(120_000);
  let cnpg: readonly KubernetesObject[];
  let zalando: readonly KubernetesObject[];
  const released = () => cnpg;

  before(async () => {
    cnpg = await shortObjects("cnpg");
    zalando = await shortObjects("zalando");
  });

  const failing = async (args: object): Promise<string> => {
    let said = "";
    await graphOf((options) => {
      try {
        new PostgresPlatform("shop", { released, ...args } as PostgresPlatformArgs, options);
      } catch (error) {
        assert.ok(pulumi.RunError.isInstance(error), String(error));
        said = error.message;
      }
      return {};
    });
    return said;
  };

  it("gives an application its connection through a pooler, and to the primary", async () => {
    const said: Promise<unknown>[] = [];
    await graphOf((options) => {
      const shop = new PostgresPlatform(
        "shop",
        {
          platform: "local",
          cluster: cluster("main"),
          poolers: [{ name: "app", database: "app" }],
          released,
        },
        options,
      );
      const { host, port, secretName, uri, role, database } = shop.connection("app");
      said.push(resolved(pulumi.all({ host, port, secretName, role, database })), resolved(uri));
      said.push(resolved(shop.poolers.app.host), resolved(shop.connection().host), pulumi.isSecret(uri));
      const one = new PostgresPlatform(
        "one",
        {
          platform: "local",
          operator: { install: false },
          cluster: cluster("alone", { instances: 1, durability: "async" }),
        },
        options,
      );
      said.push(resolved(shop.standbys.host), resolved(one.standbys.host));
      assert.throws(
        () => shop.connection("other" as "app"),
        /^Error: connection\("other"\) names no pooler\. Allowed: app\./,
      );
      return {};
    });
    assert.deepEqual(await Promise.all(said), [
      {
        host: "main-pooler-app.main.svc",
        port: 5432,
        secretName: "main-app",
        role: "app",
        database: "app",
      },
      `postgresql://app:${mockPassword("shop-credentials-app-password")}@main-pooler-app.main.svc:5432/app?sslmode=verify-full&sslrootcert=ca.crt`,
      "main-pooler-app.main.svc",
      "main-rw.main.svc",
      true,
      "main-ro.main.svc",
      "alone-rw.alone.svc",
    ]);
  });

  it("plans README's example, with the operators' released manifests replaced by short ones", async () => {
    const { outputText } = ts.transpileModule(await readmeProgram(), {
      compilerOptions: { module: ts.ModuleKind.CommonJS, target: ts.ScriptTarget.ES2022 },
    });
    const library = {
      PostgresPlatform,
      Operator: class extends Operator {
        constructor(name: string, args: OperatorArgs, options: pulumi.ComponentResourceOptions) {
          super(name, { ...args, released }, options);
        }
      },
    };
    const exported: Record<string, pulumi.Output<unknown>> = {};
    const modules: Record<string, unknown> = {
      "@pulumi/kubernetes": kubernetes,
      "postgres-platform": library,
    };
    await graphOf(() => {
      runInNewContext(outputText, { require: (name: string) => modules[name], exports: exported });
      return {};
    });
    assert.equal(exported.port, 5432);
    assert.equal(await resolved(exported.secretName as pulumi.Output<string>), "shop-db-app");
  });

  it("tells everything that is wrong at once", async () => {
    const said = await failing({
      platform: "local",
      cluster: cluster("main", { instances: 0, name: pulumi.output("main") }),
      kubernetes: { context: "other" },
      registries: [{ server: "https://x", username: "u", password: pulumi.secret("hunter2") }],
    });
    assert.match(
      said,
      /^PostgresPlatform shop\n {2}cluster\.name must not be an output: .+ Fix: give it as it is\.\n/,
    );
    assert.match(said, /pgplatform:cluster\.instances\b/);
    assert.match(said, /pgplatform:registries\[0\]\.server\b/);
    assert.doesNotMatch(said, /hunter2/);
  });

  it("takes no output for what checks and policies read a part of: a role, an address", async () => {
    const said = await failing({
      platform: "cloud",
      cluster: cluster("main", { storage: { class: "x", size: "1Gi" } }),
      backup: {
        targets: [
          {
            name: "a",
            kind: "aws",
            bucket: "abc",
            roleArn: pulumi.output("arn:aws:iam::123456789012:role/x"),
          },
          { name: "b", kind: "s3", bucket: "abd", endpoint: pulumi.output("https://store:9000") },
        ],
      },
    });
    assert.match(said, /backup\.targets\[0\]\.roleArn must not be an output/);
    assert.match(said, /backup\.targets\[1\]\.endpoint must not be an output/);
  });

  it("sees that one output is given for two settings", async () => {
    const bucket = pulumi.output("one-bucket");
    const credentials = { accessKeyId: "identifier", secretAccessKey: "secret-key" };
    const said = await failing({
      platform: "local",
      cluster: cluster("main"),
      backup: {
        targets: ["a", "b"].map((name) => ({
          name,
          kind: "b2",
          region: "eu-central-003",
          adopt: true,
          bucket,
          credentials,
        })),
      },
    });
    assert.match(said, /targets\[1\]\.bucket: .* is not allowed\. Allowed: another bucket/);
  });

  it("takes no kubeconfig, which would have no effect", async () => {
    const said = await failing({
      platform: "local",
      cluster: cluster("main"),
      kubernetes: { kubeconfig: "/tmp/kubeconfig" },
    });
    assert.match(
      said,
      /pgplatform:kubernetes must not be set for a component\. .* by the option `providers`\.$/,
    );
  });

  it("serves several platforms with one operator an engine, and refuses a second one", async () => {
    const { resources } = await graphOf((options) => {
      const operators = {
        cnpg: new Operator("cnpg", { engine: "cnpg", platform: "local", released }, options),
        zalando: new Operator(
          "zalando",
          { engine: "zalando", platform: "local", released: () => zalando },
          options,
        ),
      };
      for (const [name, engine] of [
        ["one", "cnpg"],
        ["two", "cnpg"],
        ["three", "zalando"],
      ] as const)
        new PostgresPlatform(
          name,
          { platform: "local", operator: operators[engine], cluster: cluster(name, { engine }) },
          options,
        );
      return {};
    });
    const operators = resources.filter(({ type }) => type === "pgplatform:components:Operator");
    assert.deepEqual(operators.map(({ name }) => name).sort(), ["cnpg", "zalando"]);
    for (const [name, operator] of [
      ["one", "cnpg"],
      ["two", "cnpg"],
      ["three", "zalando"],
    ] as const)
      assert.ok(resources.find((one) => one.name === `${name}-cluster`)?.dependsOn.includes(operator), name);

    let said = "";
    await graphOf((options) => {
      new PostgresPlatform("one", { platform: "local", cluster: cluster("one"), released }, options);
      try {
        new PostgresPlatform("two", { platform: "local", cluster: cluster("two"), released }, options);
      } catch (error) {
        said = (error as Error).message;
      }
      return {};
    });
    assert.match(said, /^PostgresPlatform two\n {2}The platform one installs the operator of cnpg already/);

    // Made beside it, and forgotten as an argument.
    await graphOf((options) => {
      new Operator("shared", { engine: "cnpg", platform: "local", released }, options);
      try {
        new PostgresPlatform("three", { platform: "local", cluster: cluster("three"), released }, options);
      } catch (error) {
        said = (error as Error).message;
      }
      return {};
    });
    assert.match(
      said,
      /^PostgresPlatform three\n {2}The operator shared installs the operator of cnpg already/,
    );
  });

  it("lets platforms for two Kubernetes clusters have an operator each", async () => {
    const { resources } = await graphOf((options) => {
      for (const name of ["east", "west"]) {
        const provider = new kubernetes.Provider(name, {});
        new PostgresPlatform(
          name,
          { platform: "local", cluster: cluster(name), released },
          { ...options, providers: { kubernetes: provider } },
        );
      }
      return {};
    });
    assert.deepEqual(
      resources
        .filter(({ name }) => /-cluster-cluster$/.test(name))
        .map(({ name, provider }) => [name, provider]),
      [
        ["east-cluster-cluster", "east"],
        ["west-cluster-cluster", "west"],
      ],
    );
  });

  it("refuses an operator that doesn't do what the cluster wants", async () => {
    const found: string[] = [];
    await graphOf((options) => {
      const cnpgOperator = new Operator(
        "cnpg",
        { engine: "cnpg", platform: "local", backups: false, released },
        options,
      );
      const zalandoOperator = new Operator(
        "zalando",
        { engine: "zalando", platform: "local", labelKeys: ["example.com/team"], released: () => zalando },
        options,
      );
      const tryOut = (name: string, args: PostgresPlatformArgs) => {
        try {
          new PostgresPlatform(name, args, options);
        } catch (error) {
          found.push((error as Error).message.split("\n  ")[1] ?? "");
        }
      };
      const base = { platform: "local" as const };
      tryOut("a", { ...base, operator: zalandoOperator, cluster: cluster("a") });
      tryOut("b", {
        ...base,
        operator: cnpgOperator,
        cluster: cluster("b"),
        backup: { targets: [{ name: "near", kind: "local" }] },
      });
      tryOut("c", {
        ...base,
        operator: zalandoOperator,
        labels: { cost: "shop" },
        cluster: cluster("c", { engine: "zalando" }),
      });
      tryOut("d", {
        ...base,
        operator: zalandoOperator,
        cluster: cluster("d", { engine: "zalando", spread: "preferred" }),
      });
      tryOut("e", {
        ...base,
        operator: zalandoOperator,
        labels: { "example.com/team": "shop" },
        cluster: cluster("e", { engine: "zalando" }),
      });
      return {};
    });
    assert.equal(found.length, 4, found.join("\n"));
    assert.match(found[0] ?? "", /cluster\.engine is cnpg, and the operator is that of zalando/);
    assert.match(found[1] ?? "", /backup is set, and the operator was made without its plugin/);
    assert.match(
      found[2] ?? "",
      /labels has cost, which the operator doesn't hand on\. Allowed: example\.com\/team/,
    );
    assert.match(found[3] ?? "", /cluster\.spread is preferred/);
  });

  describe("with outputs", () => {
    type Target = NonNullable<NonNullable<PostgresPlatformArgs["backup"]>["targets"]>[number];
    const withTarget = (target: Target) =>
      graphOf((options) => {
        const backup = { targets: [target] };
        new PostgresPlatform(
          "shop",
          { platform: "local", cluster: cluster("main"), backup, released },
          options,
        );
        return {};
      });

    const namespace = () => pulumi.output(Promise.resolve("shop-db"));

    it("puts a namespace that another resource made everywhere, and makes none", async () => {
      const hosts: Promise<unknown>[] = [];
      const { resources, reads } = await graphOf((options) => {
        const shop = new PostgresPlatform(
          "shop",
          {
            platform: "local",
            cluster: cluster("main", { namespace: namespace(), makeNamespace: false }),
            poolers: [{ name: "app", database: "app" }],
            clients: [{ name: "web", labels: { app: "web" }, pooler: "app", binding: true }],
            backup: { targets: [{ name: "near", kind: "local" }] },
            released,
          },
          options,
        );
        hosts.push(resolved(shop.poolers.app.host), resolved(shop.connection("app").uri));
        return {};
      });
      const own = resources.filter(({ name }) => name.startsWith("shop"));
      assert.doesNotMatch(JSON.stringify(own.map(({ inputs }) => inputs)), /unresolved/);
      assert.deepEqual(
        own
          .filter(({ type, name }) => type === "kubernetes:core/v1:Namespace" && !name.includes("operator"))
          .map(({ inputs }) => (inputs as unknown as KubernetesObject).metadata.name),
        ["shop-db-main-backups"],
      );
      const [database] = own.filter(({ name }) => name === "shop-cluster-cluster");
      assert.equal((database?.inputs as unknown as KubernetesObject).metadata.namespace, "shop-db");
      assert.deepEqual(Object.values(reads), ["shop-db/main-ca"]);
      const [host, uri] = await Promise.all(hosts);
      assert.equal(host, "main-pooler-app.shop-db.svc");
      assert.match(String(uri), /@main-pooler-app\.shop-db\.svc:5432/);
    });

    it("takes bucket, account and keys of a store that the program makes; no object shows the keys", async () => {
      const { resources } = await withTarget({
        name: "far",
        kind: "r2",
        adopt: true,
        bucket: pulumi.output("made-bucket"),
        account: pulumi.output("0123456789abcdef0123456789abcdef"),
        credentials: {
          accessKeyId: pulumi.output("made-key-id"),
          secretAccessKey: pulumi.secret("made-secret-key"),
        },
      });
      const text = JSON.stringify(resources.map(({ inputs }) => inputs));
      assert.doesNotMatch(text, /unresolved|b59f1c/);
      assert.match(text, /s3:\/\/made-bucket\//);
      assert.match(text, /0123456789abcdef0123456789abcdef\.r2\.cloudflarestorage\.com/);
      const held = resources.find(({ name }) => name === "shop-backup-far-credentials");
      const base64 = (value: string) => Buffer.from(value).toString("base64");
      assert.deepEqual((held?.inputs as { data?: unknown }).data, {
        secret: {
          accessKeyId: base64("made-key-id"),
          secretAccessKey: base64("made-secret-key"),
        },
      });
      assert.ok(!text.includes("made-secret-key"));
    });
  });

  it("lets two platforms live in one namespace", async () => {
    for (const engine of ["cnpg", "zalando", "standalone"] as const) {
      const { resources } = await graphOf((options) => {
        const operator =
          engine === "standalone"
            ? {}
            : {
                operator: new Operator(
                  engine,
                  { engine, platform: "local", released: engine === "cnpg" ? released : () => zalando },
                  options,
                ),
              };
        const one = (name: string, makeNamespace: boolean) =>
          new PostgresPlatform(
            name,
            {
              platform: "local",
              ...operator,
              cluster: cluster(name, {
                engine,
                namespace: "shared",
                makeNamespace,
                ...(engine === "standalone" && { instances: 1, durability: "async" }),
              }),
              poolers: [{ name: "app", database: "app" }],
              clients: [{ name: "web", labels: { app: "web" }, pooler: "app", binding: true }],
              backup: { targets: [{ name: "near", kind: "local" }] },
            },
            options,
          );
        one("first", true);
        one("second", false);
        return {};
      });
      const named = resources
        .filter(({ type, inputs }) => type.startsWith("kubernetes:") && "metadata" in inputs)
        .map(({ type, inputs }) => {
          const { name, namespace = "" } = (inputs as unknown as KubernetesObject).metadata;
          return `${type} ${namespace}/${name}`;
        });
      assert.deepEqual(
        named.filter((one, index) => named.indexOf(one) !== index),
        [],
        engine,
      );
    }
  });
});
