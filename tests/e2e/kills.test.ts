import assert from "node:assert/strict";
import { environment, type Environment } from "./kit/environment";
import { deleteNamespaces, startClients, type Clients } from "./kit/fixture";
import { faults, keepReport, kill, report, type KillRun } from "./kit/kills";
import { say } from "./kit/wait";

/**
 * The primary is taken away while one client writes directly and one through the pooler.
 * Correctness is asserted, not seconds: the table of the gaps is printed, and `make bench` has bounds for it. No loss in n
 * kills bounds the probability of one only to about 3/n. A pod's loss is not a node's: nothing here proves what happens
 * when a node or the network between nodes goes away. The split-brain sampler sees the instances that were there when
 * the fault began, not a pod that is made later.
 */
const n = Number(process.env.KILLS ?? 2);

describe(`kills, ${n} of each kind (three nodes of one machine, images built here)`, () => {
  let env: Environment;
  let clients: Clients;
  const runs: KillRun[] = [];

  before(async () => {
    assert.ok(Number.isInteger(n) && n > 0, `KILLS: "${process.env.KILLS}" must be a whole number above 0`);
    env = await environment();
    clients = await startClients(env);
  });

  after(async () => {
    if (runs.length > 0) {
      say("");
      report(runs).split("\n").forEach(say);
      say(`raw samples: ${await keepReport("kills.json", runs)}`);
    }
    // The next suite finds pods without a crash behind them.
    await env.cluster.freshPods();
    await clients.direct.query(env.plan.endpoints.primary.host, "drop schema if exists oracle cascade");
    await deleteNamespaces(env, clients.namespaces);
  });

  for (const fault of Object.values(faults)) {
    for (let index = 1; index <= n; index++) {
      it(`${fault.name} (${index} of ${n}): nothing acknowledged is lost, writes resume`, async () => {
        const result = await kill(env, clients, fault, index);
        runs.push(result);
        assert.equal(Object.keys(result.verdicts).length, 3, "every instance was read");
        for (const [pod, { lost, duplicated, neverTried, acknowledged }] of Object.entries(result.verdicts)) {
          assert.ok(acknowledged > 0);
          assert.deepEqual(
            { lost, duplicated, neverTried },
            { lost: [], duplicated: [], neverTried: [] },
            pod,
          );
        }
        assert.deepEqual(result.splitBrain, []);
        assert.ok(Number.isFinite(result.gap.direct), "the direct client writes again");
        assert.ok(Number.isFinite(result.gap.pooled), "the pooled client writes again");
        // The control: the same oracle, on the same rows, sees damage that is planted afterwards.
        for (const [pod, { lost, duplicated, neverTried }] of Object.entries(result.control)) {
          assert.deepEqual(
            [lost.length, duplicated.length, neverTried],
            [1, 1, [-1]],
            `the oracle is blind on ${pod}`,
          );
        }
      });
    }
  }
});
