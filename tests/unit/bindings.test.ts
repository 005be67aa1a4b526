import assert from "node:assert/strict";
import { planner as cnpg } from "../../plan/engines/cnpg/planner";
import { poolerPlan } from "../../plan/pooler/plan";
import { clientBindings, type ClientBinding } from "../../plan/bindings";
import { rawSettings } from "../../stacks/program";
import { mockCa, mockPassword, type Registered } from "../support/graph";
import { shortObjects } from "../support/manifest";
import { platformGraph } from "../support/platform";
import { changed, checked, smallest, stackConfig } from "../support/settings";

/**
 * What clients are told. That a pod can connect by it is shown by tests/e2e/binding.test.ts.
 */
const client = (more: object) => ({ name: "shop", namespace: "shop", labels: { app: "shop" }, ...more });

const input = (more: object) => ({
  ...smallest(),
  cluster: {
    ...smallest().cluster,
    databases: [
      { name: "app", owner: "app" },
      { name: "reports", owner: "analyst" },
    ],
    roles: [{ name: "reader", memberOf: ["pg_read_all_data"] }],
  },
  poolers: [
    { name: "p", database: "app" },
    { name: "r", database: "reports", reads: "standbys", serverConnections: 20, poolSize: 20 },
  ],
  clients: [client(more)],
});

function withBinding(more: object, change: (value: ReturnType<typeof input>) => unknown = (value) => value) {
  const settings = checked(change(input(more)));
  const plan = cnpg.plan(settings);
  const poolers = settings.poolers.map((pooler) => poolerPlan(settings, pooler, plan));
  return clientBindings(settings, plan, poolers);
}

const only = (bindings: readonly ClientBinding[]): ClientBinding => {
  assert.equal(bindings.length, 1);
  return bindings[0]!;
};

const pooler = "main-pooler-p.postgres.svc";
const primary = "main-rw.postgres.svc";
const tls = { PGSSLMODE: "verify-full", PGSSLROOTCERT: "/etc/pgplatform/ca.crt" };

describe("the binding of clients", () => {
  it("is nothing unless a client asks for it", () => {
    assert.deepEqual(withBinding({ pooler: "p" }), []);
    assert.deepEqual(withBinding({ pooler: "p", binding: false }), []);
  });

  it("of a pooler's client names the pooler everywhere: it may reach nothing else", () => {
    assert.deepEqual(only(withBinding({ pooler: "p", binding: true })).data, {
      POSTGRES_HOST: pooler,
      POSTGRES_PORT: "5432",
      POSTGRES_DB: "app",
      DB_USER: "app",
      POSTGRES_PRIMARY_HOST: pooler,
      POSTGRES_MASTER_HOST: pooler,
      POSTGRES_REPLICA_HOST: pooler,
      USE_PGBOUNCER: "True",
      PGBOUNCER_HOST: pooler,
      PGBOUNCER_PORT: "5432",
      ...tls,
    });
  });

  it("of a direct client names the instances, and no pooler", () => {
    assert.deepEqual(only(withBinding({ direct: true, binding: true })).data, {
      POSTGRES_HOST: primary,
      POSTGRES_PORT: "5432",
      POSTGRES_DB: "app",
      DB_USER: "app",
      POSTGRES_PRIMARY_HOST: primary,
      POSTGRES_MASTER_HOST: primary,
      POSTGRES_REPLICA_HOST: "main-ro.postgres.svc",
      USE_PGBOUNCER: "False",
      PGBOUNCER_HOST: "",
      PGBOUNCER_PORT: "",
      ...tls,
    });
  });

  it("of a client of both prefers the pooler", () => {
    const { data } = only(withBinding({ pooler: "p", direct: true, binding: true }));
    assert.deepEqual(
      [data.POSTGRES_HOST, data.POSTGRES_MASTER_HOST, data.POSTGRES_REPLICA_HOST, data.PGBOUNCER_HOST],
      [pooler, primary, "main-ro.postgres.svc", pooler],
    );
  });

  it("of a client that only reads names no primary", () => {
    const { data } = only(withBinding({ pooler: "r", binding: true }));
    const host = "main-pooler-r.postgres.svc";
    assert.deepEqual(
      [data.POSTGRES_HOST, data.POSTGRES_MASTER_HOST, data.POSTGRES_REPLICA_HOST, data.POSTGRES_DB],
      [host, "", host, "reports"],
    );
    assert.equal(data.DB_USER, "analyst");
  });

  it("of a single instance names it as the one to read from", () => {
    const single = (value: ReturnType<typeof input>) =>
      changed(
        changed(changed(value, "cluster.instances", 1), "cluster.durability", "async"),
        "poolers",
        value.poolers.slice(0, 1),
      );
    const { data } = only(withBinding({ direct: true, binding: true }, single));
    assert.deepEqual([data.POSTGRES_MASTER_HOST, data.POSTGRES_REPLICA_HOST], [primary, primary]);
  });

  it("names another database and role where they are asked for", () => {
    const { data, credential } = only(
      withBinding({ direct: true, binding: { database: "reports", role: "reader" } }),
    );
    assert.deepEqual([data.POSTGRES_DB, data.DB_USER], ["reports", "reader"]);
    assert.equal(credential.secretName, "main-role-reader");
  });

  it("leads to the role's own Secret in the cluster's namespace, to a copy where asked for, else to none", () => {
    const secretOf = (more: object) => only(withBinding({ pooler: "p", ...more })).secret;
    assert.deepEqual(secretOf({ namespace: "postgres", binding: true }), { name: "main-app", copied: false });
    assert.equal(secretOf({ binding: true }), undefined);
    assert.deepEqual(secretOf({ binding: { copySecret: true } }), {
      name: "main-client-shop",
      copied: true,
    });
    assert.deepEqual(secretOf({ binding: { copySecret: true, name: "db" } }), { name: "db", copied: true });
  });

  describe("is registered", () => {
    const graph = async (value: unknown) => platformGraph(checked(value), await shortObjects());
    const bindingIn = (resources: readonly Registered[]) =>
      resources.filter(({ name }) => name.startsWith("main-bindings"));

    it("as a ConfigMap with the CA's certificate, behind cluster and poolers", async () => {
      const { resources, outputs } = await graph(input({ pooler: "p", binding: true }));
      const [component, config, ...more] = bindingIn(resources);
      assert.deepEqual(more, []);
      assert.deepEqual(component?.dependsOn, ["main-cluster", "main-pooler-p", "main-pooler-r"]);
      assert.equal(config?.name, "main-bindings-shop-config");
      const { metadata, data } = config.inputs as { metadata: object; data: Record<string, string> };
      assert.deepEqual(metadata, {
        name: "main-client-shop",
        namespace: "shop",
        labels: { "pgplatform.io/cluster": "main" },
        annotations: { "pgplatform.io/why": "how the client shop connects" },
      });
      assert.equal(data["ca.crt"], mockCa);
      assert.equal(data.POSTGRES_HOST, pooler);
      assert.deepEqual(outputs.bindings, { shop: { namespace: "shop", configMap: "main-client-shop" } });
    });

    it("with the password in a Secret and nowhere else", async () => {
      const { resources, outputs } = await graph(input({ pooler: "p", binding: { copySecret: true } }));
      const found = bindingIn(resources);
      assert.deepEqual(
        found.map(({ name }) => name),
        ["main-bindings", "main-bindings-shop-config", "main-bindings-shop-secret"],
      );
      const { data, type } = found[2]!.inputs as { data: { secret: object }; type: string };
      const password = mockPassword("main-credentials-app-password");
      assert.equal(type, "kubernetes.io/basic-auth");
      assert.deepEqual(data, {
        secret: {
          username: Buffer.from("app").toString("base64"),
          password: Buffer.from(password).toString("base64"),
        },
      });
      assert.ok(!JSON.stringify(found[1]).includes(password));
      assert.deepEqual(outputs.bindings, {
        shop: { namespace: "shop", configMap: "main-client-shop", secret: "main-client-shop" },
      });
    });

    it("with a namespace made once for its clients, which outlives the stack", async () => {
      const value = input({ pooler: "p", binding: { makeNamespace: true } });
      value.clients.push({ ...client({ pooler: "p", binding: { makeNamespace: true } }), name: "worker" });
      const { resources } = await graph(value);
      const made = bindingIn(resources).filter(({ type }) => type.endsWith(":Namespace"));
      assert.deepEqual(
        made.map(({ name, retainOnDelete }) => [name, retainOnDelete]),
        [["main-bindings-namespace-shop", true]],
      );
      for (const config of bindingIn(resources).filter(({ type }) => type.endsWith(":ConfigMap")))
        assert.deepEqual(config.dependsOn, ["main-bindings-namespace-shop"]);
    });
  });

  it("of the jewelry shop is as its applications expect", () => {
    for (const stack of ["dev", "prod"]) {
      const settings = checked(rawSettings(stackConfig(stack)));
      assert.deepEqual(
        settings.clients.map(({ name, binding }) => [name, binding]),
        [
          ["django", true],
          ["celery", true],
        ],
      );
    }
  });
});
