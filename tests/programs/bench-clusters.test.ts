import assert from "node:assert/strict";
import { spawn } from "node:child_process";
import { once } from "node:events";
import { join } from "node:path";
import type { PlannedObject } from "../../plan/objects";
import { planners } from "../../plan/engines/select";
import { type KubeObject } from "../../operations/kubectl";
import { projectDir } from "../../shell/paths";
import { type Settings } from "../../settings/schema";
import { withoutArchive } from "../bench/archiving";
import { benchPod } from "../bench/backup";
import { place } from "../bench/operatorDefaults";
import { kits } from "../e2e/kit/engines";
import { secretsOf } from "../bench/product";
import { profileSettings } from "../bench/stall";
import { loadSettings } from "../bench/throughput";
import { changed, checked, smallest } from "../support/settings";

/** What `make bench` compares with what: an arm that differs in more than it says would measure something else. */
describe("the clusters that are measured", () => {
  const settings = checked(smallest());
  const plan = planners.cnpg.plan(settings);

  it("leaves everything of the operator's defaults alone but image, storage, resources and a name", () => {
    const [product] = plan.objects.map(({ object }) => object);
    assert.ok(product);
    const images = { ...settings.images, pgbouncer: "registry/pgbouncer:1" };
    const [cluster, pooler] = (kits.cnpg.plain?.defaults(product, place, images) ?? []) as KubeObject[];
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

  it("differs in nothing but the archive where archiving is compared with none", () => {
    const backedUp = checked({ ...smallest(), backup: { targets: [{ name: "near", kind: "local" }] } });
    const specOf = (from: Settings) =>
      planners.cnpg.plan(from).objects.find(({ id }) => id === "cluster")?.object.spec as {
        plugins?: unknown;
        postgresql: { parameters: Record<string, string> };
      };
    const on = specOf(backedUp);
    const off = specOf(withoutArchive(backedUp));
    assert.ok(on.plugins !== undefined && off.plugins === undefined);
    const { archive_timeout: every, ...others } = on.postgresql.parameters;
    assert.ok(every !== undefined);
    const { archive_timeout: never, ...same } = off.postgresql.parameters;
    assert.notEqual(never, every);
    assert.deepEqual(same, others);
  });

  it("copies and restores in a pod with the verification's labels, keys and volumes, and no token left in it", () => {
    const backedUp = checked({ ...smallest(), backup: { targets: [{ name: "near", kind: "local" }] } });
    const pod = benchPod(backedUp, planners.cnpg, planners.cnpg.plan(backedUp), "0123456789");
    const { metadata, spec } = pod as {
      metadata: { labels: Record<string, string> };
      spec: { initContainers: object[]; containers: { name: string; volumeMounts: { name: string }[] }[] };
    };
    assert.equal(metadata.labels["pgplatform.io/role"], "verification");
    assert.deepEqual(spec.initContainers, []);
    assert.deepEqual(
      spec.containers.map(({ name }) => name),
      ["restore", "rclone"],
    );
    for (const { volumeMounts } of spec.containers)
      assert.equal(volumeMounts.filter(({ name }) => name === "scratch").length, 1);
    const text = JSON.stringify(pod);
    assert.doesNotMatch(text, /\{archiveId\}/);
    assert.match(text, /"ARCHIVE_ID","value":"0123456789"/);
    assert.match(text, /"secretKeyRef":\{"name":"main-store-near"/);
  });

  it("takes the tuning of failovers, and nothing else, out of the Zalando engine's plan", () => {
    const { zalando } = planners;
    const on = checked(changed(smallest(), "cluster.engine", "zalando"));
    const own = zalando.plan(on).objects;
    const defaults = kits.zalando.untuned?.objects(own) ?? [];
    const specOf = (objects: readonly PlannedObject[]) =>
      objects.find(({ object }) => object.kind === "postgresql")?.object.spec as {
        patroni: Record<string, unknown>;
        postgresql: { parameters: Record<string, string> };
      };
    const [before, after] = [specOf(own), specOf(defaults)];
    assert.deepEqual(Object.keys(after.patroni).sort(), ["initdb", "pg_hba"]);
    assert.ok("ttl" in before.patroni, "the plan itself stays as it is");
    const gone = Object.keys(before.postgresql.parameters).filter(
      (name) => !(name in after.postgresql.parameters),
    );
    assert.ok(gone.includes("wal_retrieve_retry_interval"));
    assert.equal(after.postgresql.parameters.password_encryption, "scram-sha-256");
    assert.doesNotMatch(JSON.stringify(defaults), /primary_start_timeout.{0,5}:/);
    const others = (objects: readonly PlannedObject[]) =>
      objects.filter(({ object }) => !["postgresql", "Job", "CronJob"].includes(object.kind));
    assert.deepEqual(others(defaults), others(own));
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
    const secrets = secretsOf(withPooler, planners.cnpg.plan(withPooler)) as (KubeObject & {
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

describe("cleaning up", () => {
  const aWhile = "await new Promise((done) => setTimeout(done, 200));";
  const script = (work: string, cleaning: string) => `
    const { cleaningUp } = require(${JSON.stringify(join(projectDir, "tests/bench/namespaces.ts"))});
    const cleanUp = async () => { ${cleaning} console.log("cleaned"); };
    cleaningUp(async () => { console.log("working"); ${work} }, cleanUp).catch((error) => {
      console.log(error.message);
      process.exitCode = 1;
    });`;

  /** Runs the script in a process of its own; a signal is sent once it says that it works, and once more at once. */
  async function ended(
    work: string,
    signal?: NodeJS.Signals,
    cleaning = aWhile,
  ): Promise<{ code: number; words: string[] }> {
    const child = spawn(process.execPath, ["--import", "tsx", "-e", script(work, cleaning)], {
      cwd: projectDir,
      stdio: ["ignore", "pipe", "inherit"],
    });
    let text = "";
    child.stdout.setEncoding("utf8").on("data", (chunk: string) => {
      if (!text.includes("working") && chunk.includes("working") && signal !== undefined) {
        child.kill(signal);
        setTimeout(() => child.kill(signal), 50);
      }
      text += chunk;
    });
    const [code] = (await once(child, "close")) as [number];
    return { code, words: text.trim().split("\n") };
  }

  it("happens at the end and after a failure, whose reason is kept", async () => {
    assert.deepEqual(await ended(""), { code: 0, words: ["working", "cleaned"] });
    const failed = await ended('throw new Error("no cluster")');
    assert.deepEqual(failed, { code: 1, words: ["working", "cleaned", "no cluster"] });
  });

  for (const signal of ["SIGINT", "SIGTERM"] as const) {
    it(`happens once on ${signal}, though the signal comes twice and the work fails meanwhile`, async () => {
      const work =
        'await new Promise((done) => setTimeout(done, 100)); throw new Error("its command was killed")';
      assert.deepEqual(await ended(work, signal), {
        code: 130,
        words: ["working", "interrupted: cleaning up …", "cleaned"],
      });
    });
  }

  it("happens once when the signal comes while it is under way", async () => {
    const untilSignal =
      'const alive = setInterval(() => undefined, 1000); await new Promise((done) => process.once("SIGTERM", done)); clearInterval(alive);';
    assert.deepEqual(await ended("", "SIGTERM", untilSignal), {
      code: 130,
      words: ["working", "interrupted: cleaning up …", "cleaned"],
    });
  });
});
