import assert from "node:assert/strict";
import { planners } from "../../plan/engines/select";
import { alerts, alertsOf, ruleGroups } from "../../plan/monitoring/alerts";
import { pairs } from "../alerts";
import type { Engine } from "../alerts/case";
import { filesOf, judge, settingsOf, silence } from "../alerts/promtool";
import { onVolume } from "../alerts/cases/backups";

const engines = Object.keys(planners) as Engine[];

describe("alerts", function () {
  // The first run fetches promtool.
  this.timeout(300_000);

  it("are rules for Prometheus, on every engine, with backups and without", async () => {
    const all = engines.flatMap((engine) =>
      [undefined, {}].map((change, index) => ({
        name: `${engine}-${index}`,
        groups: ruleGroups(
          settingsOf(
            engine,
            change ?? { backup: undefined, poolers: [], "cluster.storage.walSize": undefined },
          ),
        ),
      })),
    );
    assert.equal(await judge("check", all), "");
    const broken = [{ name: "broken", groups: [{ name: "a", rules: [{ alert: "A", expr: "up ==" }] }] }];
    assert.match(await judge("check", broken), /unexpected/);
  });

  it("have each a case that fires and one that doesn't", () =>
    assert.deepEqual(Object.keys(pairs).sort(), alerts.map(({ name }) => name).sort()));

  it("fire where they should, when they should, and not before", async () => {
    const files = engines.flatMap((engine) =>
      alertsOf(settingsOf(engine)).flatMap((alert) => {
        const pair = pairs[alert.name];
        return pair === undefined ? [] : filesOf(alert, pair, engine);
      }),
    );
    // What is the same on another engine has one answer.
    const different = new Map(files.map((file) => [JSON.stringify({ ...file, name: "" }), file]));
    assert.equal(await judge("test", [...different.values()]), "");
  });
});
