import assert from "node:assert/strict";
import { engines } from "../../components/engines";
import { type KubeObject } from "../../operations/kubectl";
import { defaultsObjects } from "../bench/operatorDefaults";
import { secretsOf } from "../bench/product";
import { profileSettings } from "../bench/stall";
import { loadSettings } from "../bench/throughput";
import { checked, smallest } from "../support/settings";

/** What `make bench` compares with what: an arm that differs in more than it says would measure something else. */
describe("the clusters that are measured", () => {
  const settings = checked(smallest());
  const plan = engines.cnpg.plan(settings);

  it("leaves everything of the operator's defaults alone but image, storage, resources and a name", () => {
    const [product] = plan.objects.map(({ object }) => object);
    assert.ok(product);
    const [cluster, pooler] = defaultsObjects(product, "registry/pgbouncer:1") as KubeObject[];
    const { spec: own } = product as KubeObject;
    assert.deepEqual(cluster?.spec, {
      instances: 3,
      imageName: own?.imageName,
      storage: { size: "2Gi", storageClass: "local-path" },
      resources: own?.resources,
      certificates: { serverAltDNSNames: ["defaults-pooler.pgp-bench-defaults.svc"] },
    });
    assert.deepEqual(pooler?.spec, {
      cluster: { name: "defaults" },
      instances: 2,
      type: "rw",
      pgbouncer: { poolMode: "session", image: "registry/pgbouncer:1" },
    });
  });

  it("loads a copy with room for a thousand clients of either kind, and the running stack's caches and pools", () => {
    const copy = loadSettings(settings);
    assert.equal(copy.cluster.namespace, "pgp-bench-load");
    assert.ok(copy.cluster.maxConnections > 1000);
    assert.equal(copy.cluster.parameters.shared_buffers, "128MB");
    for (const { maxClients } of copy.poolers) assert.ok(maxClients >= 2000, "each pod takes a thousand");
    assert.deepEqual(
      copy.poolers.map(({ poolSize }) => poolSize),
      settings.poolers.slice(0, 1).map(({ poolSize }) => poolSize),
    );
  });

  it("stalls copies that differ from the stack in nothing but profile, place and size", () => {
    const copy = profileSettings(settings, "patient");
    const { namespace, failover, resources } = settings.cluster;
    assert.deepEqual([copy.cluster.namespace, copy.cluster.failover], ["pgp-bench-patient", "patient"]);
    assert.deepEqual(copy.cluster.resources.limits, resources.limits);
    assert.deepEqual({ ...copy.cluster, namespace, failover, resources }, settings.cluster);
    assert.deepEqual(copy.poolers, []);
  });

  it("gives a copy Secrets with passwords of its own, filled in everywhere", () => {
    const withPooler = checked({ ...smallest(), poolers: [{ name: "app", database: "app" }] });
    const secrets = secretsOf(withPooler, engines.cnpg.plan(withPooler)) as (KubeObject & {
      stringData: Record<string, string>;
    })[];
    assert.ok(secrets.length >= 4);
    for (const { stringData } of secrets) {
      assert.match(stringData.password ?? "", /^[0-9a-f]{32}$/);
      for (const text of Object.values(stringData)) assert.doesNotMatch(text, /\{password:/);
    }
    const passwords = secrets.map(({ stringData }) => stringData.password);
    assert.equal(new Set(passwords).size, passwords.length);
  });
});
