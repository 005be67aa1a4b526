import assert from "node:assert/strict";
import fc from "fast-check";
import { check } from "../../checks/index";
import { memoryOf, sessionOverhead } from "../../settings/sums/memory";
import { walVolumeBytes } from "../../settings/sums/wal";
import { changed, checked, smallest } from "../support/settings";
import { sentences, specOf, withPooler, poolerObjects, prod } from "../support/rich";

const MiB = 2 ** 20;
const GiB = 2 ** 30;

describe("spread", () => {
  it("keeps instances and poolers apart, or only tries to", () => {
    const affinity = (input: unknown) => {
      const deployment = poolerObjects(input).find(({ id }) => id === "deployment")!.object;
      const { template } = deployment.spec as {
        template: { spec: { affinity: { podAntiAffinity: object } } };
      };
      return template.spec.affinity.podAntiAffinity;
    };
    const preferred = changed(withPooler({}), "cluster.spread", "preferred");
    assert.equal(specOf(withPooler({})).affinity.podAntiAffinityType, "required");
    assert.equal(specOf(preferred).affinity.podAntiAffinityType, "preferred");
    assert.deepEqual(Object.keys(affinity(withPooler({}))), [
      "requiredDuringSchedulingIgnoredDuringExecution",
    ]);
    const term = (affinity(withPooler({})) as Record<string, unknown[]>)
      .requiredDuringSchedulingIgnoredDuringExecution![0];
    assert.deepEqual(affinity(preferred), {
      preferredDuringSchedulingIgnoredDuringExecution: [{ weight: 100, podAffinityTerm: term }],
    });
  });

  it("is required in prod", () => {
    assert.deepEqual(sentences(prod(changed(smallest(), "cluster.spread", "preferred"))), [
      'pgplatform:cluster.spread: "preferred" is not allowed. Allowed: required in the tier prod, since one lost node could take several instances with it. Fix: set required, or pgplatform:tier to dev.',
    ]);
  });
});

describe("the WAL volume", () => {
  const sized = (more: object) => changed(smallest(), "cluster.storage", { size: "2Gi", ...more });
  const walSize = (more: object) => checked(sized(more)).cluster.storage.walSize;

  it("is as large as rate and outage make it", () => {
    // (1 MiB/s for 7200 s + 1536 MiB of reserves) and a tenth: 9609.6 MiB.
    assert.equal(walSize({ writeMiBPerSecond: 1, toleratedOutageHours: 2 }), "10Gi");
    assert.equal(walSize({}), undefined);
    assert.equal(walSize({ writeMiBPerSecond: 1, toleratedOutageHours: 2, walSize: "30Gi" }), "30Gi");
    assert.deepEqual(
      (specOf(sized({ writeMiBPerSecond: 1, toleratedOutageHours: 2 })).walStorage as { size: string }).size,
      "10Gi",
    );
  });

  it("counts the user's own reserves", () => {
    const own = changed(sized({ writeMiBPerSecond: 1, toleratedOutageHours: 2 }), "cluster.parameters", {
      max_wal_size: "4GB",
      wal_keep_size: 1024,
    });
    // (7200 + 4096 + 1024) MiB and a tenth: 13552 MiB.
    assert.equal(checked(own).cluster.storage.walSize, "14Gi");
  });

  it("may not be smaller, and one of the two numbers alone says nothing", () => {
    assert.deepEqual(sentences(sized({ writeMiBPerSecond: 1, toleratedOutageHours: 2, walSize: "9Gi" })), [
      'pgplatform:cluster.storage.walSize: "9Gi" is not allowed. Allowed: at least 10Gi: 1 MiB a second for 2 h, max_wal_size, wal_keep_size and a tenth more, or these two alone and a quarter more. Fix: raise it, or leave it out.',
    ]);
    assert.deepEqual(sentences(sized({ writeMiBPerSecond: 1 })), [
      "pgplatform:cluster.storage.toleratedOutageHours: not set. Allowed: a number whenever the other of writeMiBPerSecond and toleratedOutageHours is given. Fix: set both, or none.",
    ]);
  });

  it("holds at least what is written meanwhile, and not a gibibyte and a tenth too much", () => {
    fc.assert(
      fc.property(
        fc.double({ min: 0.001, max: 500, noNaN: true }),
        fc.integer({ min: 1, max: 100 }),
        (rate, hours) => {
          const bytes = walVolumeBytes({
            postgresVersion: "17",
            parameters: {},
            storage: { writeMiBPerSecond: rate, toleratedOutageHours: hours },
          })!;
          const content = rate * hours * 3600 * MiB + 1536 * MiB;
          assert.equal(bytes % GiB, 0);
          assert.ok(bytes >= content * 1.1 && bytes < content * 1.1 + GiB);
        },
      ),
    );
  });
});

describe("memory", () => {
  const memory = (limit: string, maxConnections: number, parameters: object = {}) =>
    changed(
      changed(
        changed(smallest(), "cluster.resources", { limits: { memory: limit } }),
        "cluster.parameters",
        parameters,
      ),
      "cluster.maxConnections",
      maxConnections,
    );

  it("is divided like this for 2Gi and 100 connections", () => {
    const { parameters } = specOf(memory("2Gi", 100)).postgresql;
    assert.deepEqual(
      [
        "shared_buffers",
        "effective_cache_size",
        "maintenance_work_mem",
        "autovacuum_work_mem",
        "work_mem",
      ].map((name) => parameters[name]),
      // (2048 - 512 - 128 - 128 - 100 * 2) MiB / 2 / 100
      ["512MB", "1536MB", "128MB", "42MB", "5529kB"],
    );
  });

  it("lets the user's values win, and makes room for them", () => {
    const { parameters } = specOf(
      memory("2Gi", 100, { shared_buffers: "256MB", maintenance_work_mem: 65536 }),
    ).postgresql;
    assert.deepEqual(
      [
        parameters.shared_buffers,
        parameters.maintenance_work_mem,
        parameters.autovacuum_work_mem,
        parameters.work_mem,
      ],
      ["256MB", "65536", "21MB", "7495kB"],
    );
  });

  for (const [name, input] of [
    [
      "4Gi, shared_buffers 512MB, work_mem 8MB, 200 connections",
      memory("4Gi", 200, { shared_buffers: "512MB", work_mem: "8MB" }),
    ],
    ["2Gi, work_mem 2621kB, 200 connections", memory("2Gi", 200, { work_mem: "2621kB" })],
    ["2Gi, 250 connections", memory("2Gi", 250)],
  ] as const)
    it(`is enough for ${name}`, () => assert.deepEqual(sentences(input), []));

  it("is refused where it can't be enough, with the sum", () => {
    assert.deepEqual(sentences(memory("1Gi", 200, { work_mem: "4MB" })), [
      'pgplatform:cluster.resources.limits.memory: "1Gi" is not allowed. Allowed: at least 1584Mi: shared_buffers 256MB, maintenance_work_mem 64MB, 3 times autovacuum_work_mem 21MB, 200 connections with work_mem 4096kB and 2048kB of their own. Fix: raise the memory, or lower cluster.maxConnections or the parameters.',
    ]);
  });

  it("is never promised twice: what passes fits in, and what is derived passes where anything could", () => {
    let passed = 0;
    fc.assert(
      fc.property(
        fc.integer({ min: 256, max: 65536 }),
        fc.integer({ min: 20, max: 2000 }),
        fc.option(fc.integer({ min: 64, max: 65536 }), { nil: undefined }),
        (mebibytes, connections, work) => {
          const input = memory(
            `${mebibytes}Mi`,
            connections,
            work === undefined ? {} : { work_mem: `${work}kB` },
          );
          const limit = mebibytes * MiB;
          const result = check(input);
          const least = limit * 0.375 + connections * (sessionOverhead + 64 * 1024);
          if ("problems" in result) {
            if (work === undefined)
              assert.ok(least > limit * 0.99, `${mebibytes}Mi would do for ${connections}`);
            return;
          }
          passed++;
          const parts = memoryOf(result.settings.cluster);
          const sum =
            parts.sharedBuffers +
            parts.maintenance +
            3 * parts.autovacuum +
            connections * (parts.work + sessionOverhead);
          assert.ok(sum <= limit);
        },
      ),
    );
    assert.ok(passed > 20, `only ${passed} of the drawn settings passed, which proves little`);
  });
});
