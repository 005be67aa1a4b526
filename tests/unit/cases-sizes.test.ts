import assert from "node:assert/strict";
import { spawnSync } from "node:child_process";
import { chmodSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import * as fc from "fast-check";
import { planners } from "../../plan/engines/select";
import { bytesOf } from "../../settings/quantity";
import type { Settings, SettingsInput } from "../../settings/schema";
import { backupMemory, copyMinutes } from "../../settings/sums/sizes";
import { poolerMemory } from "../../settings/sums/poolers";
import { plannedObjects, plannedPods } from "../support/pods";
import { sentences, withPooler } from "../support/rich";
import { bucket, changed, checked, smallest } from "../support/settings";

/** Memory, cores, files and times that must follow what the settings ask for. */

const MiB = 2 ** 20;

interface Container {
  name: string;
  env?: { name: string; value?: string }[];
  resources: { requests: { memory: string; cpu: string }; limits: { memory: string; cpu: string } };
}

const containersOf = async (settings: Settings): Promise<{ at: string; container: Container }[]> =>
  (await plannedPods(settings)).flatMap(({ at, spec }) =>
    (["initContainers", "containers"] as const).flatMap((list) =>
      ((spec[list] ?? []) as Container[]).map((container) => ({
        at: `${at.split(".")[0]} ${container.name}`,
        container,
      })),
    ),
  );

const memoryIn = async (input: SettingsInput): Promise<Record<string, string>> =>
  Object.fromEntries(
    (await containersOf(checked(input))).map(({ at, container }) => [at, container.resources.limits.memory]),
  );

const engineWith = (engine: keyof typeof planners, more: Partial<SettingsInput> = {}): SettingsInput => ({
  ...smallest(),
  cluster: {
    ...smallest().cluster,
    engine,
    ...(engine === "standalone" && { instances: 1, durability: "async" as const }),
  },
  backup: { targets: [{ name: "near", kind: "local" }, bucket()] },
  poolers: [{ name: "app", database: "app" }],
  ...more,
});

describe("kind: a pooler of many clients (case 04)", () => {
  const pooler = async (more: object) => {
    const all = await containersOf(checked(withPooler(more)));
    return all.find(({ container }) => container.name === "pgbouncer")!.container;
  };

  it("a pod's memory follows maxClients and its share of serverConnections", async () => {
    const few = await pooler({});
    assert.deepEqual([few.resources.requests.memory, few.resources.limits.memory], ["64Mi", "128Mi"]);
    const many = await pooler({ maxClients: 20_000 });
    // 20,000 clients of 32 KiB, also where only this pod is left, 20 server connections of 128 KiB, and 64 MiB.
    assert.deepEqual([many.resources.requests.memory, many.resources.limits.memory], ["346Mi", "692Mi"]);
    const alone = await pooler({ maxClients: 100_000, instances: 1 });
    assert.equal(alone.resources.limits.memory, "3194Mi");
    const scaled = await pooler({
      maxClients: 20_000,
      autoscaling: { maxInstances: 10 },
      serverConnections: 40,
    });
    assert.equal(scaled.resources.limits.memory, "690Mi");
  });

  it("there is always room for 16 KiB a client, and as much of the kernel's", () => {
    const settings = fc.record({
      instances: fc.integer({ min: 1, max: 9 }),
      maxClients: fc.integer({ min: 50, max: 100_000 }),
      serverConnections: fc.integer({ min: 9, max: 5000 }),
    });
    fc.assert(
      fc.property(settings, (one) => {
        const bytes = poolerMemory({ ...one, autoscaling: undefined, poolSize: 9 });
        assert.ok(bytes >= 128 * MiB);
        assert.ok(bytes - 64 * MiB >= one.maxClients * 32 * 1024);
      }),
    );
  });

  it("less memory than that is refused with the sum", () => {
    assert.deepEqual(sentences(withPooler({ maxClients: 20_000, memory: "256Mi" })), [
      'pgplatform:poolers[0].memory: "256Mi" is not allowed. Allowed: at least 692Mi: 64Mi, 32Ki for each of 20000 clients and 128Ki for each of 20 server connections of a pod, and never less than 128Mi. Fix: raise it, lower maxClients, or ask for more instances.',
    ]);
    assert.deepEqual(sentences(withPooler({ maxClients: 20_000, memory: "692Mi" })), []);
  });

  it("more memory is taken", async () =>
    assert.equal((await pooler({ memory: "1Gi" })).resources.limits.memory, "1024Mi"));

  it("says how many files it needs", async () => {
    const { env = [] } = await pooler({ maxClients: 20_000 });
    assert.equal(env.find(({ name }) => name === "POOLER_FILES")?.value, "20117");
  });

  describe("its supervisor, with a program in PgBouncer's place that prints its limit", () => {
    let folder: string;
    before(() => {
      folder = mkdtempSync(join(tmpdir(), "pgp-files-"));
      writeFileSync(join(folder, "pgbouncer"), "#!/bin/bash\necho soft $(ulimit -Sn)\n");
      chmodSync(join(folder, "pgbouncer"), 0o755);
    });
    after(() => rmSync(folder, { recursive: true }));
    const run = (soft: number, hard: number, needed: number) => {
      const script = join(__dirname, "..", "..", "plan", "pooler", "run.sh");
      return spawnSync("bash", ["-c", `ulimit -Sn ${soft}; ulimit -Hn ${hard}; exec bash ${script}`], {
        encoding: "utf8",
        env: {
          PATH: `${folder}:${process.env.PATH}`,
          POOLER_CONFIG: "x",
          POOLER_WATCH: "",
          POOLER_WATCH_SECONDS: "1",
          POOLER_LEAVE_SECONDS: "0",
          POOLER_RUN: folder,
          POOLER_PORT: "6432",
          POOLER_PEERS: "nobody.invalid",
          POOLER_ADDRESS: "198.18.0.7",
          POOLER_LOG_ENDS: "false",
          POOLER_DRAIN_SECONDS: "0",
          POOLER_FILES: String(needed),
          POOLER_FILES_SUM: "the sum",
        },
      });
    };

    it("raises the soft limit to the hard one", () => {
      const { stdout, status } = run(256, 900, 800);
      assert.equal(stdout.trim(), "soft 900");
      assert.equal(status, 0);
    });

    it("ends with the sum where the hard limit is too low, and starts nothing", () => {
      const { stdout, stderr, status } = run(256, 900, 901);
      assert.deepEqual([stdout, status], ["", 1]);
      assert.match(stderr, /may open 900 files and needs 901: the sum\. Raise the container runtime's limit/);
    });
  });
});

describe("kind: memory and cores of backups (case 08)", () => {
  const backupContainers = /restore|serve|copy|archiver|volume|check/;

  for (const engine of Object.keys(planners) as (keyof typeof planners)[])
    it(`backup.memory and backup.cpu reach all that moves data: ${engine}`, async () => {
      const input = changed(changed(engineWith(engine), "backup.memory", "3Gi"), "backup.cpu", "3");
      const all = await containersOf(
        checked(changed(input, "restore", { target: "near", archiveId: "3f2a90b1c4" })),
      );
      const moving = all.filter(({ container }) =>
        ["restore", "serve", "copy", "check", "archiver", "volume"].includes(container.name),
      );
      assert.ok(moving.length >= 7, moving.map(({ at }) => at).join());
      for (const { at, container } of moving)
        assert.deepEqual(
          [container.resources.limits.memory, container.resources.limits.cpu],
          ["3Gi", "3"],
          at,
        );
      for (const { at, container } of all.filter(({ container }) => container.name === "watch"))
        assert.equal(container.resources.limits.memory, "768Mi", at);
    });

  it("the plugin's sidecar, which restores beside the instances, has them too", async () => {
    const objects = await plannedObjects(checked(changed(engineWith("cnpg"), "backup.memory", "3Gi")));
    const stores = objects.filter(({ kind }) => kind === "ObjectStore");
    assert.equal(stores.length, 1);
    const { instanceSidecarConfiguration } = stores[0]!.spec as {
      instanceSidecarConfiguration: Container;
    };
    assert.equal(instanceSidecarConfiguration.resources.limits.memory, "3Gi");
  });

  it("follow the volumes where nothing is said, and are never what a restore of 0.9 GB was killed at", async () => {
    const of = (storage: object) =>
      checked(changed(engineWith("cnpg"), "cluster.storage", storage)).backup?.memory;
    assert.equal(of({ size: "2Gi" }), "1088Mi");
    assert.equal(of({ size: "500Gi" }), "2Gi");
    assert.equal(of({ size: "500Gi", walSize: "100Gi" }), "2240Mi");
    assert.equal(of({ size: "20Ti" }), "8Gi");
    fc.assert(
      fc.property(fc.integer({ min: 1, max: 2 ** 45 }), (bytes) => {
        const memory = bytesOf(backupMemory(bytes)) ?? 0;
        assert.ok(memory >= 1024 * MiB && memory <= 8192 * MiB);
        assert.equal(memory % (64 * MiB), 0);
      }),
    );
    const memory = await memoryIn(changed(engineWith("cnpg"), "cluster.storage.size", "500Gi"));
    for (const [at, limit] of Object.entries(memory))
      if (backupContainers.test(at.split(" ")[2] ?? "")) assert.notEqual(limit, "512Mi", at);
  });

  it("too little is refused", () =>
    assert.deepEqual(
      sentences(changed(changed(engineWith("cnpg"), "backup.memory", "256Mi"), "backup.cpu", "50m")),
      [
        'pgplatform:backup.memory: "256Mi" is not allowed. Allowed: at least 512Mi. Fix: set 512Mi or more, or leave it out.',
        'pgplatform:backup.cpu: "50m" is not allowed. Allowed: at least 100m. Fix: set 100m or more, or leave it out.',
      ],
    ));
});

describe("kind: times that data of any size must fit into", () => {
  const big = (engine: keyof typeof planners) => changed(engineWith(engine), "cluster.storage.size", "4Ti");

  for (const engine of Object.keys(planners) as (keyof typeof planners)[])
    it(`a Job that moves data has hours for it, and so has the update that waits for it: ${engine}`, async () => {
      const of = async (input: SettingsInput) =>
        (await plannedObjects(checked(input))).flatMap((one) => {
          const spec = one.spec as {
            activeDeadlineSeconds?: number;
            jobTemplate?: { spec: { activeDeadlineSeconds?: number } };
          };
          const seconds = spec?.activeDeadlineSeconds ?? spec?.jobTemplate?.spec.activeDeadlineSeconds;
          return seconds === undefined ? [] : [[one.metadata.name, seconds / 3600] as const];
        });
      const [small, large] = [await of(engineWith(engine)), await of(big(engine))];
      assert.ok(small.length >= 3);
      small.forEach(([name, hours], index) => {
        // A hundred GiB an hour: 4 TiB take 41 hours.
        assert.equal((large[index]?.[1] ?? 0) - hours >= 40, true, name);
      });
      const settings = checked(big(engine));
      const cluster = planners[engine]
        .plan(settings)
        .objects.find(({ timeoutMinutes, object }) => timeoutMinutes !== undefined && object.kind !== "Job");
      assert.ok((cluster?.timeoutMinutes ?? 0) > 2000);
      assert.equal(cluster?.createMinutes, 20, "an empty cluster has no data to wait for");
    });

  it("little data waits as long as before", () => {
    assert.equal(copyMinutes(2 * 2 ** 30, 20), 20);
    assert.equal(copyMinutes(20 * 2 ** 30, 20), 20);
    assert.equal(copyMinutes(500 * 2 ** 30, 20), 260);
  });

  it("a server with large buffers may write them before it is killed", async () => {
    const memory = (amount: string, engine: keyof typeof planners) =>
      changed(engineWith(engine), "cluster.resources", { requests: { memory: amount } });
    const cnpg = async (amount: string) =>
      (await plannedObjects(checked(memory(amount, "cnpg")))).find(({ kind }) => kind === "Cluster")!
        .spec as {
        stopDelay: number;
        switchoverDelay: number;
      };
    assert.deepEqual([(await cnpg("2Gi")).stopDelay, (await cnpg("2Gi")).switchoverDelay], [120, 60]);
    // 64 GiB of shared_buffers.
    assert.deepEqual([(await cnpg("256Gi")).stopDelay, (await cnpg("256Gi")).switchoverDelay], [1024, 1024]);
    const pods = await plannedPods(checked(memory("256Gi", "standalone")));
    assert.equal(
      pods.find(({ at }) => at.startsWith("StatefulSet main."))?.spec.terminationGracePeriodSeconds,
      1024,
    );
  });

  it("a folder for lists has room for those of much data", async () => {
    const sizes = async (input: SettingsInput) =>
      (await plannedPods(checked(input)))
        .filter(({ at }) => /verify|copy|watch/.test(at))
        .map(
          ({ spec }) =>
            (spec.volumes as { name: string; emptyDir?: { sizeLimit?: string } }[]).find(
              ({ name }) => name === "tmp",
            )?.emptyDir?.sizeLimit,
        );
    assert.ok((await sizes(engineWith("cnpg"))).every((one) => one === "64Mi"));
    assert.ok((await sizes(big("cnpg"))).every((one) => one === "4096Mi"));
  });
});

describe("kind: memory of operators and exporters", () => {
  for (const engine of ["cnpg", "zalando"] as const)
    it(`follows its settings: ${engine}`, async () => {
      const input = engineWith(engine, {
        operator: { memory: "2Gi", cpu: "1500m" },
        monitoring: { memory: "256Mi", cpu: "300m" },
      });
      const all = await containersOf(checked(input));
      const operator = all.filter(({ container }) =>
        /manager|barman-cloud|postgres-operator/.test(container.name),
      );
      assert.ok(operator.length >= 1);
      for (const { at, container } of operator)
        assert.deepEqual(container.resources.limits, { cpu: "1500m", memory: "2Gi" }, at);
      const exporters = all.filter(({ container }) => container.name === "exporter");
      assert.ok(exporters.length >= 1);
      for (const { at, container } of exporters) {
        assert.deepEqual(container.resources.limits, { cpu: "300m", memory: "256Mi" }, at);
        assert.equal(container.resources.requests.memory, "256Mi", at);
      }
    });

  it("an exporter has more for more databases", async () => {
    const databases = Array.from({ length: 20 }, (_, index) => ({
      name: index === 0 ? "app" : `d${index}`,
      owner: "app",
    }));
    const input = changed(engineWith("standalone"), "cluster.databases", databases);
    const all = await containersOf(checked(input));
    const limits = Object.fromEntries(
      all
        .filter(({ container }) => container.name === "exporter")
        .map(({ at, container }) => [at, container.resources.limits.memory]),
    );
    assert.deepEqual(limits, {
      "StatefulSet main exporter": "112Mi",
      "Deployment main-pooler-app exporter": "96Mi",
    });
  });

  it("is refused where there is none, and where it is too little", () => {
    assert.deepEqual(sentences({ ...smallest(), monitoring: { memory: "64Mi" } }), [
      'pgplatform:monitoring.memory: must not be set ("64Mi"): with the engine cnpg and without poolers there is no exporter. Fix: leave it out.',
    ]);
    assert.deepEqual(sentences({ ...smallest(), operator: { install: false, memory: "1Gi" } }), [
      'pgplatform:operator.memory: must not be set ("1Gi"): another stack installs the operator. Fix: set it in that stack.',
    ]);
    assert.deepEqual(sentences({ ...smallest(), operator: { memory: "64Mi" } }), [
      'pgplatform:operator.memory: "64Mi" is not allowed. Allowed: at least 128Mi. Fix: set 128Mi or more, or leave it out.',
    ]);
  });
});

describe("kind: what clients send when they connect (case 19)", () => {
  const ini = async (names?: string[]) => {
    const objects = await plannedObjects(
      checked(withPooler(names ? { tuning: { ignoreStartupParameters: names } } : {})),
    );
    const config = objects.find(
      ({ kind, metadata }) => kind === "ConfigMap" && metadata.name === "main-pooler-p",
    )!;
    const text = (config.data as Record<string, string>)["pgbouncer.ini"] ?? "";
    return /^ignore_startup_parameters = (.*)$/m.exec(text)?.[1];
  };

  it("is ignored beside extra_float_digits where the settings say so", async () => {
    assert.equal(await ini(), "extra_float_digits");
    assert.equal(
      await ini(["search_path", "statement_timeout"]),
      "extra_float_digits,search_path,statement_timeout",
    );
    assert.equal(await ini(["options", "extra_float_digits"]), "extra_float_digits,options");
  });

  it("can't bring further lines into PgBouncer's configuration", () => {
    for (const name of ["a,b", "a\nadmin_users = x", "", "a b"])
      assert.match(
        sentences(withPooler({ tuning: { ignoreStartupParameters: [name] } }))[0] ?? "",
        /^pgplatform:poolers\[0\]\.tuning\.ignoreStartupParameters\[0\]: .*Allowed: the name of a parameter/,
      );
  });
});
