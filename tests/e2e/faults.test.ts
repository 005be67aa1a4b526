import assert from "node:assert/strict";
import { findSwitch } from "../../local/cluster/network";
import { runFault, type FaultRun, type Setting } from "../faults/execute";
import { faults, faultsOf, possibleFaults } from "../faults/list";
import { oneLine, report } from "../faults/report";
import { needs } from "./kit/ability";
import { environment } from "./kit/environment";
import { deleteNamespaces, startClients } from "./kit/fixture";
import { damage } from "./kit/observation";
import { say } from "./kit/wait";

/**
 * A few faults, once each, while one client writes directly and one through the pooler. Correctness is asserted, not seconds:
 * those are printed, and `make faults` has bounds for them and all the other faults. FAULTS=1,2,3 chooses others. No loss
 * in n runs bounds the probability of one only to about 3/n. The nodes are three of one machine.
 */
const chosen = faultsOf((process.env.FAULTS ?? "1,3,11,18,35").split(","));

describe("faults, a short set (three nodes of one machine, images built here)", () => {
  let setting: Setting;
  let builtIn: boolean;
  const runs: FaultRun[] = [];

  before(async () => {
    const env = await environment();
    builtIn = (await findSwitch()) !== undefined;
    setting = { env, clients: await startClients(env) };
  });

  after(async () => {
    const { env, clients } = setting;
    const { possible } = possibleFaults(faults, env.engine, env.settings.cluster.failover);
    if (runs.length > 0) report(possible, runs).split("\n").forEach(say);
    // The next suite finds pods without a crash behind them.
    await env.cluster.freshPods();
    await clients.direct.query(env.plan.endpoints.primary.host, "drop schema if exists oracle cascade");
    await deleteNamespaces(env, clients.namespaces);
  });

  for (const fault of chosen) {
    it(`${fault.id} ${fault.name}: nothing acknowledged is lost, writes resume`, async function () {
      if (fault.builtIn === true && !builtIn) this.skip();
      needs(this, setting.env, ...(fault.needs ?? []));
      const run = await runFault(setting, fault);
      runs.push(run);
      say(oneLine(run));
      assert.deepEqual(damage(run), []);
      if (fault.bounds.blocks === true) {
        assert.deepEqual(run.lasting?.acknowledged, { direct: 0, pooled: 0 }, "the database refused writes");
      }
    });
  }
});
