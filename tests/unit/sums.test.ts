import assert from "node:assert/strict";
import fc from "fast-check";
import { poolerShares } from "../../settings/sums/poolers";
import { check } from "../../checks/index";
import { afterLoss, afterZoneLoss, drainableNodes } from "../../settings/sums/availability";
import { changed, smallest } from "../support/settings";

/** Every way to choose `count` of the items. */
function choices(items: readonly number[], count: number): number[][] {
  if (count === 0) return [[]];
  return items.flatMap((item, index) =>
    choices(items.slice(index + 1), count - 1).map((others) => [item, ...others]),
  );
}

const upTo = (count: number): number[] => Array.from({ length: count }, (_, index) => index);

describe("what is left after a loss", () => {
  interface Redundancy {
    readonly instances: number;
    readonly durability: "zero-loss" | "balanced" | "async";
    readonly synchronousStandbys: number;
  }
  /** All settings up to seven instances that the check lets pass; so few that every one is tried. */
  let clusters: Redundancy[];
  /** Each with every number of instances that can be lost. */
  let losses: { settings: Redundancy; lost: number }[];

  before(() => {
    const all = upTo(7).flatMap((less) =>
      (["zero-loss", "balanced", "async"] as const).flatMap((durability) =>
        upTo(4).map((fewer) => ({ instances: less + 1, durability, synchronousStandbys: fewer + 1 })),
      ),
    );
    clusters = all.filter(
      (settings) =>
        !("problems" in check({ ...smallest(), cluster: { ...smallest().cluster, ...settings } })),
    );
    losses = clusters.flatMap((settings) =>
      upTo(settings.instances).map((less) => ({ settings, lost: less + 1 })),
    );
  });

  const said = (of: object) => JSON.stringify(of);

  it("is asked for 8 settings with zero-loss, 18 with balanced and 28 with async, of one to seven instances", () => {
    const count = (durability: string) => clusters.filter((one) => one.durability === durability).length;
    assert.deepEqual(["zero-loss", "balanced", "async"].map(count), [8, 18, 28]);
    assert.deepEqual(new Set(clusters.map(({ instances }) => instances)), new Set([1, 2, 3, 4, 5, 6, 7]));
  });

  it("holds every acknowledged commit exactly when no choice of confirming standbys and lost instances takes all copies", () => {
    for (const { settings, lost } of losses) {
      const { instances, synchronousStandbys } = settings;
      const standbys = upTo(instances).slice(1);
      const confirming = settings.durability === "async" ? [[]] : choices(standbys, synchronousStandbys);
      const gones = choices(standbys, lost - 1).map((gone) => [0, ...gone]);
      const kept = confirming.every((confirmed) =>
        gones.every((gone) => [0, ...confirmed].some((holder) => !gone.includes(holder))),
      );
      assert.equal(afterLoss(settings, lost).commits, kept, said({ settings, lost }));
    }
  });

  it("fails over with zero-loss exactly when the operator's quorum holds: those that answer and those that confirm are more than all standbys", () => {
    for (const { settings, lost } of losses) {
      const { instances, synchronousStandbys } = settings;
      const quorum = instances - lost + synchronousStandbys > instances - 1;
      const expected = settings.durability === "zero-loss" ? quorum : lost < instances;
      assert.equal(afterLoss(settings, lost).failover, expected, said({ settings, lost }));
    }
  });

  it("never lets writes continue without a primary, nor with zero-loss without the standbys that must confirm", () => {
    for (const { settings, lost } of losses) {
      const { failover, writes } = afterLoss(settings, lost);
      const standbys = settings.instances - lost - 1;
      const confirmed = settings.durability !== "zero-loss" || standbys >= settings.synchronousStandbys;
      assert.equal(writes, failover && confirmed, said({ settings, lost }));
    }
  });

  it("takes writes after the loss of any one instance, whatever settings with several instances pass the check", () => {
    for (const settings of clusters)
      if (settings.instances > 1) assert.ok(afterLoss(settings, 1).writes, said(settings));
  });

  it("loses nothing when nothing is lost", () => {
    assert.deepEqual(afterLoss({ instances: 1, durability: "async", synchronousStandbys: 1 }, 0), {
      failover: true,
      writes: true,
      commits: true,
    });
  });

  it("lets one node after the other be drained as long as the standbys that must confirm are left, and not one more", () => {
    for (const settings of clusters) {
      const needed = settings.durability === "zero-loss" ? settings.synchronousStandbys : 0;
      let standbys = settings.instances - 1;
      let drained = 0;
      while (standbys > needed) {
        standbys--;
        drained++;
      }
      assert.equal(drainableNodes(settings), drained, said(settings));
      if (settings.instances > 1) assert.ok(drained >= 1, "what passes the check can be drained");
    }
  });

  it("counts the fullest zone as lost, and is never worse off with more zones", () => {
    for (const settings of clusters)
      for (const zones of upTo(9).map((less) => less + 1)) {
        const inZone = upTo(zones).map(
          (zone) => upTo(settings.instances).filter((i) => i % zones === zone).length,
        );
        assert.deepEqual(afterZoneLoss(settings, zones), afterLoss(settings, Math.max(...inZone)));
        const more = afterZoneLoss(settings, zones + 1);
        for (const [what, survives] of Object.entries(afterZoneLoss(settings, zones)))
          assert.ok(
            !survives || more[what as keyof typeof more],
            `${what}: ${said(settings)}, ${zones} zones`,
          );
      }
  });

  it("says what zones are worth to three and to five instances", () => {
    const three = { instances: 3, durability: "zero-loss", synchronousStandbys: 1 } as const;
    const five = { instances: 5, durability: "zero-loss", synchronousStandbys: 2 } as const;
    const all = { failover: true, writes: true, commits: true };
    const none = { failover: false, writes: false, commits: false };
    assert.deepEqual(
      [1, 2, 3].map((zones) => afterZoneLoss(three, zones)),
      [none, none, all],
    );
    assert.deepEqual(
      [1, 2, 3].map((zones) => afterZoneLoss(five, zones)),
      [none, none, all],
    );
  });
});

describe("the sums of connections", () => {
  const totals = fc.record({
    instances: fc.integer({ min: 1, max: 9 }),
    serverConnections: fc.integer({ min: 1, max: 300 }),
    poolSize: fc.integer({ min: 1, max: 300 }),
    maxClients: fc.integer({ min: 1, max: 5000 }),
  });

  /** Poolers that hold their form, with or without autoscaling. */
  const pooler = fc
    .record({
      instances: fc.integer({ min: 1, max: 5 }),
      more: fc.integer({ min: 0, max: 4 }),
      eachPod: fc.integer({ min: 1, max: 20 }),
      rest: fc.integer({ min: 0, max: 8 }),
    })
    .map(({ instances, more, eachPod, rest }) => {
      const scales = instances > 1 && more > 0;
      const pods = scales ? instances + more : instances;
      const serverConnections = pods * eachPod + rest;
      const settings = {
        instances,
        ...(scales && { autoscaling: { maxInstances: pods } }),
        serverConnections,
        poolSize: serverConnections,
      };
      return { settings, opened: pods * (Math.floor(serverConnections / pods) + 1) };
    });

  it("lets poolers and direct clients open exactly what PostgreSQL has, reserve included, and not one connection more", () => {
    fc.assert(
      fc.property(
        fc.array(pooler, { minLength: 1, maxLength: 4 }),
        fc.array(fc.integer({ min: 1, max: 50 }), { maxLength: 3 }),
        (pools, direct) => {
          const problemsWith = (maxConnections: number): string[] => {
            const result = check({
              ...changed(
                changed(smallest(), "cluster.resources", { limits: { memory: "64Gi" } }),
                "cluster.maxConnections",
                maxConnections,
              ),
              poolers: pools.map(({ settings }, index) => ({
                ...settings,
                name: `p${index}`,
                database: "app",
              })),
              clients: [
                ...direct.map((connections, index) => ({
                  name: `d${index}`,
                  namespace: "x",
                  labels: { app: "d" },
                  direct: true,
                  connections,
                })),
                // Sessions through a pooler are counted there.
                { name: "pooled", namespace: "x", labels: { app: "p" }, pooler: "p0", connections: 500 },
              ],
            });
            return "problems" in result ? result.problems.map(({ path }) => path) : [];
          };
          const opened = [...pools.map(({ opened }) => opened), ...direct].reduce((sum, one) => sum + one, 0);
          const needed = opened + 3 + 7;
          fc.pre(needed > 20);
          assert.deepEqual(problemsWith(needed), []);
          assert.deepEqual(problemsWith(needed - 1), ["pgplatform:cluster.maxConnections"]);
        },
      ),
      { numRuns: 200 },
    );
  });

  it("divides totals so that no share is zero and no sum passes its total", () => {
    fc.assert(
      fc.property(totals, (pool) => {
        fc.pre(Math.min(pool.serverConnections, pool.poolSize) >= pool.instances);
        const shares = poolerShares(pool);
        assert.equal(shares.maxClients, pool.maxClients, "one pod alone takes all clients");
        for (const key of ["serverConnections", "poolSize"] as const) {
          assert.ok(shares[key] >= 1);
          assert.ok(shares[key] * pool.instances <= pool[key]);
          assert.ok(
            (shares[key] + 1) * pool.instances > pool[key],
            "no more is lost than the division must lose",
          );
        }
      }),
    );
  });
});
