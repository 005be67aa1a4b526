import assert from "node:assert/strict";
import type { KubernetesObject } from "../../../plan/objects";
import { abandoned } from "../../../policy/invariants/supportedImages";
import { good, judged, mutated, violationsOf } from "./kit";

const digest = `@sha256:${"a".repeat(64)}`;

const configMap = (data: Record<string, unknown>): KubernetesObject => ({
  apiVersion: "v1",
  kind: "ConfigMap",
  metadata: { name: "settings", namespace: "shop" },
  data,
});

/** The application with one field of its container set. */
const container = (field: string, value: unknown): KubernetesObject => {
  const application = good("application") as unknown as {
    spec: { template: { spec: { containers: Record<string, unknown>[] } } };
  };
  application.spec.template.spec.containers[0]![field] = value;
  return application as unknown as KubernetesObject;
};

const secretAt = (title: string, path: string, what: string) =>
  `${title}: ${path}: "(hidden: ${what})" is not allowed. Allowed: no secret outside of Secrets. Fix: put it into a Secret and refer to that.`;

describe("the invariant no-plain-credentials", () => {
  const find = (object: KubernetesObject, options?: object) =>
    violationsOf("no-plain-credentials", object, options);
  const inConfigMap = (key: string, value: unknown, what: string) => {
    const path = /^[\w-]+$/.test(key) ? `data.${key}` : `data.${key}`;
    const found = find(configMap({ [key]: value }));
    // Whatever stands below a key with "password" in it isn't shown at all.
    const expected = secretAt("ConfigMap shop/settings", path, what);
    assert.deepEqual(found, [
      /password/i.test(key) ? expected.replace(/"\(hidden: .*?\)"/, "(hidden)") : expected,
    ]);
  };

  for (const name of ["cluster", "pooler", "gateway", "application", "instances-network", "secret"])
    it(`has nothing to say about the good ${name}`, () => assert.deepEqual(find(good(name)), []));

  const forms: [value: string, what: string][] = [
    ["postgresql://app:hunter2@db/orders", "a URI with a password"],
    ["host=db user=app password=hunter2", "a connection string with a password"],
    ["jdbc:postgresql://db/orders?user=app&password=hunter2", "a connection string with a password"],
    ["ALTER ROLE app WITH PASSWORD 'hunter2'", "SQL with a password"],
    ["-----BEGIN EC PRIVATE KEY-----\nMHc\n-----END EC PRIVATE KEY-----", "a private key"],
    ["SCRAM-SHA-256$4096:c2FsdA==$c3RvcmVk:c2VydmVy", "a password's verifier"],
    ["key=AKIAABCDEFGHIJKLMNOP", "an access key of AWS"],
    ["backup --password=hunter2 --all", "a command line with a password"],
  ];
  for (const [value, what] of forms)
    it(`finds ${what}: ${value.slice(0, 30)}`, () => inConfigMap("text", value, what));

  for (const key of ["password", "dbPassword", "db_password", "aws-secret-access-key", "apiKey", "API_TOKEN"])
    it(`finds a value under ${key}`, () => inConfigMap(key, "hunter2", "a value under a secret's name"));

  it("finds PgBouncer's user list", () =>
    inConfigMap("userlist.txt", '"app" "hunter2"\n', "a list of passwords"));

  it("finds a variable, an argument, the argument behind an option, and a label", () => {
    const title = "Deployment web/application";
    const at = (field: string, index: string) => `spec.template.spec.containers[0].${field}[${index}]`;
    assert.deepEqual(find(container("env", [{ name: "PGPASSWORD", value: "hunter2" }])), [
      secretAt(title, `${at("env", "0")}.value`, "a value under a secret's name"),
    ]);
    assert.deepEqual(find(container("args", ["--dsn=postgresql://app:hunter2@db"])), [
      secretAt(title, at("args", "0"), "a URI with a password"),
    ]);
    assert.deepEqual(find(container("command", ["backup", "--password", "hunter2"])), [
      secretAt(title, at("command", "2"), "a command line with a password"),
    ]);
    assert.deepEqual(find(mutated("cluster", { "metadata.annotations": { token: "hunter2" } })), [
      secretAt("Cluster shop/orders", "metadata.annotations.token", "a value under a secret's name"),
    ]);
  });

  it("finds a field of a custom resource", () =>
    assert.deepEqual(
      find(
        mutated("cluster", {
          "spec.bootstrap": { initdb: { postInitSQL: ["CREATE ROLE x PASSWORD 'hunter2'"] } },
        }),
      ),
      [secretAt("Cluster shop/orders", "spec.bootstrap.initdb.postInitSQL[0]", "SQL with a password")],
    ));

  it("finds it in the annotations of a Secret, and leaves its content alone", () => {
    const secret = good("secret");
    assert.deepEqual(find(secret), []);
    secret.metadata.annotations = { old: "postgresql://app:hunter2@db/orders" };
    assert.deepEqual(find(secret), [
      secretAt("Secret web/mail", "metadata.annotations.old", "a URI with a password"),
    ]);
  });

  it("finds it in what is only called a Secret", () => {
    const secret = { ...good("secret"), apiVersion: "example.com/v1", data: { password: "hunter2" } };
    assert.match(
      find(secret).join(),
      /Secret web\/mail: data\.password: \(hidden\) is not allowed\. Allowed: no secret/,
    );
  });

  const allowed: Record<string, unknown> = {
    "a variable, an option and a number behind an option": [
      ["--password", "$PASSWORD"],
      ["--token", "--force"],
      ["--token", 5],
    ],
    "nothing, and a name that is no text": { empty: null, pairs: [{ name: { of: "it" }, value: "text" }] },
    "a reference": { passwordSecret: { name: "orders-app" }, secretKeyRef: { name: "x", key: "password" } },
    "a variable in a URI": { url: "postgresql://app:$(PGPASSWORD)@db/orders" },
    "a variable in a connection string": { dsn: "host=db password=${PGPASSWORD}" },
    "a path": { PASSWORD_FILE: "/run/secrets/password", password: "/run/secrets/password" },
    "PostgreSQL's parameter": { password_encryption: "scram-sha-256" },
    "the name of a key": { accessKeyId: "ACCESS_KEY_ID", passwordKey: "password" },
    "a switch": { automountServiceAccountToken: false, token: "true" },
    "a URI without a password": { url: "postgresql://app@db:5432/orders" },
    "an empty password": { password: "" },
    "a user list without users, and quoted words that are none": {
      "userlist.txt": "# none",
      words: '"one" "two"',
    },
    prose: { note: "the password is in the Secret orders-app" },
  };
  for (const [what, data] of Object.entries(allowed))
    it(`allows ${what}`, () => assert.deepEqual(find(configMap(data as Record<string, unknown>)), []));

  it("never shows the secret", () => {
    for (const [value] of forms)
      assert.ok(
        !find(configMap({ text: value }))
          .join()
          .includes("hunter2"),
      );
  });

  it("leaves out a path that the options name", () =>
    assert.deepEqual(
      find(configMap({ apiToken: "public" }), { ignored: ["ConfigMap shop/settings: data.apiToken"] }),
      [],
    ));

  it("continues behind a value that isn't known yet, and says so when nothing was found", () => {
    const unknown = (): Record<string, unknown> =>
      Object.defineProperty({}, "later", {
        enumerable: true,
        get() {
          throw new Error("not known");
        },
      });
    assert.deepEqual(judged("no-plain-credentials", configMap(unknown())), {
      said: [],
      later: [
        "ConfigMap shop/settings: data.later is known only when the update makes it. Until then no-plain-credentials can't judge it.",
      ],
    });
    const both = unknown();
    both.password = "hunter2";
    assert.equal(find(configMap(both)).length, 1);
  });

  it("continues behind an element of a list that isn't known yet", () => {
    const list = ["", "--password", "hunter2"];
    Object.defineProperty(list, 0, {
      enumerable: true,
      get() {
        throw new Error("not known");
      },
    });
    const tool = { apiVersion: "v1", kind: "Pod", metadata: { name: "tool" }, spec: { args: list } };
    assert.deepEqual(
      find(tool).map((text) => text.split(" ")[2]),
      ["spec.args[2]:"],
    );
  });
});

describe("the invariant load-balancer-ranges", () => {
  const find = (object: KubernetesObject) => violationsOf("load-balancer-ranges", object);
  const refused = (title: string, service: string, value: string) => [
    `${title}: loadBalancerSourceRanges of the Service ${service}: ${value}. Allowed: ranges of the clients' addresses. Fix: list them, or use a ClusterIP.`,
  ];

  it("allows listed ranges, and Services of other types", () => {
    assert.deepEqual(find(good("gateway")), []);
    assert.deepEqual(
      find(mutated("gateway", { "spec.type": "ClusterIP", "spec.loadBalancerSourceRanges": undefined })),
      [],
    );
  });
  it("refuses none", () =>
    assert.deepEqual(
      find(mutated("gateway", { "spec.loadBalancerSourceRanges": undefined })),
      refused("Service shop/gateway", "gateway", "not set"),
    ));
  it("refuses any address among others", () =>
    assert.deepEqual(
      find(mutated("gateway", { "spec.loadBalancerSourceRanges": ["192.0.2.0/24", "0.0.0.0/0"] })),
      refused("Service shop/gateway", "gateway", '["0.0.0.0/0"] is not allowed'),
    ));
  it("looks into a Cluster's own Services", () => {
    const services = (spec: object) => ({
      "spec.managed": {
        services: { additional: [{ serviceTemplate: { metadata: { name: "public" }, spec } }] },
      },
    });
    assert.deepEqual(
      find(mutated("cluster", services({ type: "LoadBalancer" }))),
      refused("Cluster shop/orders", "public", "not set"),
    );
    assert.deepEqual(
      find(
        mutated("cluster", services({ type: "LoadBalancer", loadBalancerSourceRanges: ["192.0.2.0/24"] })),
      ),
      [],
    );
    assert.deepEqual(find(mutated("cluster", services({ type: "ClusterIP" }))), []);
  });
});

describe("the invariant container-resources", () => {
  const find = (object: KubernetesObject) => violationsOf("container-resources", object);
  const missing = (title: string, path: string) =>
    `${title}: ${path}: not set. Allowed: a quantity. Fix: set it.`;

  for (const name of ["cluster", "pooler", "application", "gateway"])
    it(`has nothing to say about the good ${name}`, () => assert.deepEqual(find(good(name)), []));

  for (const part of ["requests.cpu", "requests.memory", "limits.cpu", "limits.memory"])
    it(`refuses a container and a cluster without ${part}`, () => {
      const [kind = "", resource = ""] = part.split(".");
      const full: Record<string, Record<string, string>> = {
        requests: { cpu: "1", memory: "1Gi" },
        limits: { cpu: "1", memory: "1Gi" },
      };
      delete full[kind]![resource];
      // What is no database needs no limit of its cores.
      assert.deepEqual(
        find(container("resources", full)),
        part === "limits.cpu"
          ? []
          : [missing("Deployment web/application", `containers[0].resources.${part}`)],
      );
      const pooler = good("pooler") as unknown as {
        spec: { template: { spec: { containers: Record<string, unknown>[] } } };
      };
      pooler.spec.template.spec.containers[0]!.resources = full;
      assert.deepEqual(find(pooler as unknown as KubernetesObject), [
        missing("Pooler shop/orders-pool", `containers[0].resources.${part}`),
      ]);
      assert.deepEqual(find(mutated("cluster", { "spec.resources": full })), [
        missing("Cluster shop/orders", `spec.resources.${part}`),
      ]);
    });

  it("looks at first containers, and at the pods of jobs", () => {
    const application = good("application") as unknown as {
      spec: { template: { spec: Record<string, unknown> } };
    };
    application.spec.template.spec.initContainers = [{ name: "first", image: "x" }];
    assert.equal(find(application as unknown as KubernetesObject).length, 3);
    const job = {
      apiVersion: "batch/v1",
      kind: "CronJob",
      metadata: { name: "nightly", namespace: "shop" },
      spec: { jobTemplate: { spec: { template: { spec: { containers: [{ name: "x" }] } } } } },
    };
    assert.equal(find(job).length, 3);
  });
});

describe("the invariants of images", () => {
  const pinned = (object: KubernetesObject, options?: object) =>
    violationsOf("image-digests", object, options);
  const supported = (object: KubernetesObject, options?: object) =>
    violationsOf("supported-images", object, options);
  const image = (name: string) => container("image", name);
  const title = "Deployment web/application: containers[0].image";
  const shown = (name: string) => (name.length > 78 ? `"${name.slice(0, 76)}...` : `"${name}"`);

  it("have nothing to say about the good objects", () => {
    for (const name of ["cluster", "pooler", "application", "gateway"])
      assert.deepEqual([...pinned(good(name)), ...supported(good(name))], []);
  });

  for (const name of ["ghcr.io/example/app:1", `ghcr.io/example/app${digest}`, "registry:5000/app"])
    it(`asks for tag and digest of ${name.slice(0, 40)}`, () =>
      assert.deepEqual(pinned(image(name)), [
        `${title}: ${shown(name)} is not allowed. Allowed: a name with tag and digest, such as registry/name:tag@sha256:…. Fix: add what is missing.`,
      ]));
  it("asks for the image of a cluster that leaves it to the operator, and not where a catalog decides", () => {
    assert.deepEqual(pinned(mutated("cluster", { "spec.imageName": undefined })), [
      "Cluster shop/orders: image: not set. Allowed: a name with tag and digest, such as registry/name:tag@sha256:…. Fix: add what is missing.",
    ]);
    const catalog = { "spec.imageName": undefined, "spec.imageCatalogRef": { name: "x", major: 17 } };
    assert.deepEqual(pinned(mutated("cluster", catalog)), []);
  });
  it("lets an image go that the options waive, and no other tag of it", () => {
    const waived = { waived: ["ghcr.io/example/app:1"] };
    assert.deepEqual(pinned(image("ghcr.io/example/app:1"), waived), []);
    assert.equal(pinned(image("ghcr.io/example/app:2"), waived).length, 1);
  });

  for (const name of ["ghcr.io/example/app", "ghcr.io/example/app:latest", "postgres", "registry:5000/app"])
    it(`refuses ${name}`, () =>
      assert.deepEqual(supported(image(name)), [
        `${title}: "${name}" is not allowed. Allowed: a tag that isn't latest. Fix: name a released version.`,
      ]));
  it("allows a digest without a tag, and a port in the registry's name", () => {
    assert.deepEqual(supported(image(`ghcr.io/example/app${digest}`)), []);
    assert.deepEqual(supported(image("registry:5000/app:1")), []);
  });
  for (const { prefix, why, instead } of abandoned)
    it(`refuses ${prefix}`, () => {
      const name = `${prefix}app:1`;
      assert.deepEqual(supported(image(name)), [
        `${title}: "${name}" is not allowed. Allowed: any registry but ${prefix.slice(0, -1)}, which is ${why}. Fix: ${instead}.`,
      ]);
    });
  it("leaves an image to image-digests that isn't named at all", () =>
    assert.deepEqual(
      supported(mutated("cluster", { "spec.imageName": undefined }), { refused: ["docker.io/"] }),
      [],
    ));
  it("knows Docker's registry without its name", () => {
    assert.equal(supported(image("bitnami/postgresql:17")).length, 1);
    assert.equal(supported(image("bitnamisecure/postgresql:17")).length, 0);
    assert.equal(supported(image("some.app:1"), { refused: ["docker.io/library/"] }).length, 1);
    assert.equal(supported(image("postgres:17"), { refused: ["docker.io/library/"] }).length, 1);
  });
});
