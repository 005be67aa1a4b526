import assert from "node:assert/strict";
import { probePod, type Subject, waitUntilDone } from "../../operations/health";
import { Kubectl, resourceOf } from "../../operations/kubectl";
import { connection } from "../../operations/up";
import { liveReaderOf, plannerOf } from "../../plan/engines/select";
import { type SettingsInput } from "../../settings/schema";
import { changed, checked, smallest } from "../support/settings";

const subjectOf = (input: SettingsInput): Subject => {
  const settings = checked(input);
  const engine = plannerOf(settings);
  const kubectl = new Kubectl({ kubeconfig: "/k", context: "c" });
  return { settings, engine, live: liveReaderOf(settings), kubectl, plan: engine.plan(settings) };
};
const pooled = (): SettingsInput => ({ ...smallest(), poolers: [{ name: "app", database: "app" }] });

interface Pod {
  metadata: { labels: Record<string, string> };
  spec: {
    containers: { env: { name: string; value?: string; valueFrom?: unknown }[]; securityContext: unknown }[];
    volumes: { secret?: { items: unknown } }[];
  };
}
const pod = (input: SettingsInput) => probePod(subjectOf(input), "image", "probe", "v") as Pod;
const env = (input: SettingsInput) =>
  Object.fromEntries((pod(input).spec.containers[0]?.env ?? []).map(({ name, value }) => [name, value]));

describe("the health check's client", () => {
  it("writes through the pooler and reads on a standby, and verifies both servers' names", () => {
    const variables = env(pooled());
    assert.equal(variables.WRITER, "main-pooler-app.postgres.svc");
    assert.equal(variables.READER, "main-ro.postgres.svc");
    assert.equal(variables.PGSSLMODE, "verify-full");
  });

  it("writes directly without a pooler, and reads nowhere else with one instance", () => {
    assert.equal(env(smallest()).WRITER, "main-rw.postgres.svc");
    const { cluster, ...rest } = smallest();
    assert.equal(env({ ...rest, cluster: { ...cluster, instances: 1, durability: "async" } }).READER, "");
  });

  it("asks whether WAL is archived where it should be, on every engine", () => {
    assert.equal(env(smallest()).ARCHIVES, "");
    const backup = { targets: [{ name: "near", kind: "local" as const }] };
    for (const engine of ["cnpg", "zalando"] as const)
      assert.equal(env(changed({ ...smallest(), backup }, "cluster.engine", engine)).ARCHIVES, "yes");
  });

  it("gets the password from its Secret, and of the CA the certificate alone", () => {
    const { spec, metadata } = pod(pooled());
    const password = spec.containers[0]?.env.find(({ name }) => name === "PGPASSWORD");
    assert.deepEqual(password, {
      name: "PGPASSWORD",
      valueFrom: { secretKeyRef: { name: "main-health", key: "password" } },
    });
    assert.deepEqual(spec.volumes[0]?.secret?.items, [{ key: "ca.crt", path: "ca.crt" }]);
    assert.deepEqual(metadata.labels, { "pgplatform.io/role": "health-check" });
    assert.deepEqual(spec.containers[0]?.securityContext, {
      allowPrivilegeEscalation: false,
      capabilities: { drop: ["ALL"] },
      readOnlyRootFilesystem: true,
    });
  });
});

describe("how to connect", () => {
  it("names every way, and where the secrets are, not what they are", () => {
    const lines = connection(subjectOf(pooled()));
    assert.ok(lines.includes("  through the pooler app: main-pooler-app.postgres.svc:5432"));
    assert.ok(lines.includes("  directly: main-rw.postgres.svc:5432"));
    const kubectl = "kubectl --kubeconfig /k --context c -n postgres";
    assert.ok(
      lines.includes(`  password: ${kubectl} get secret main-app -o jsonpath='{.data.password}' | base64 -d`),
    );
    assert.ok(
      lines.includes(`  CA: ${kubectl} get secret main-ca -o jsonpath='{.data.ca\\.crt}' | base64 -d`),
    );
  });

  it("has no pooler to name where there is none", () => {
    assert.ok(connection(subjectOf(smallest())).every((line) => !line.includes("pooler")));
  });
});

describe("kubectl's spelling of a kind", () => {
  it("can't be mistaken for a kind of another group", () => {
    assert.equal(resourceOf("postgresql.cnpg.io/v1", "Cluster"), "Cluster.v1.postgresql.cnpg.io");
    assert.equal(resourceOf("v1", "Pod"), "Pod");
  });
});

describe("waiting for the engine", () => {
  it("waits while the operator has an instance to recreate, though its object is well", async () => {
    const settings = checked(changed(smallest(), "cluster.engine", "zalando"));
    const engine = plannerOf(settings);
    const well = {
      PostgresClusterStatus: "Running",
      currentHealthy: 9,
      conditions: [{ type: "Complete", status: "True" }],
    };
    const said: string[] = [];
    let looks = 0;
    const kubectl = {
      get: (resource: string) =>
        Promise.resolve({
          ...(resource.startsWith("postgresql.")
            ? { apiVersion: "acid.zalan.do/v1", kind: "postgresql" }
            : { apiVersion: "v1", kind: "Other" }),
          metadata: { name: "main" },
          status: well,
        }),
      list: () => {
        const mark = String(looks++ < 2);
        const annotations = { "zalando-postgres-operator-rolling-update-required": mark };
        return Promise.resolve([
          { apiVersion: "v1", kind: "Pod", metadata: { name: "main-0", annotations } },
        ]);
      },
    };
    const live = liveReaderOf(settings);
    const subject = { settings, engine, live, plan: engine.plan(settings), kubectl } as unknown as Subject;
    await waitUntilDone(subject, { detail: (text) => said.push(text), say: () => undefined });
    assert.deepEqual(said, Array(2).fill("main-0: the operator has yet to recreate it"));
    assert.equal(looks, 5, "three looks in a row that find nothing");
  });
});
