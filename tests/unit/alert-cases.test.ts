import assert from "node:assert/strict";
import { planners } from "../../plan/engines/select";
import { readStackFile } from "../../operations/pulumi";
import type { SettingsInput } from "../../settings/schema";
import type { Capability } from "../../plan/engines/planner";
import { alerts, alertsOf, inhibitions } from "../../plan/monitoring/alerts";
import { alertCases } from "../e2e/monitoring/cases";
import { monitored } from "../e2e/monitoring/settings";
import type { Engine } from "../alerts/case";

/** What the end-to-end suite makes fire: on paper, without a cluster. */

const engines = Object.keys(planners) as Engine[];
const applying = (engine: Engine) =>
  alertCases.filter(
    ({ needs = [], engines: listed }) =>
      (listed?.includes(engine) ?? true) &&
      needs.every((ability: Capability) => planners[engine].can[ability] === true),
  );

describe("the cases that make alerts fire on a cluster", () => {
  it("are about alerts that there are, each in one case", () => {
    const known = new Set(alerts.map(({ name }) => name));
    for (const { alerts: told, inhibited = [], beside = [] } of alertCases)
      for (const name of [...told, ...inhibited, ...beside]) assert.ok(known.has(name), name);
    const told = alertCases.flatMap((one) => one.alerts);
    assert.equal(new Set(told).size, told.length);
  });

  for (const engine of engines)
    it(`make at least 15 alerts fire and resolve with ${engine}, all of which its settings have`, async () => {
      const { config } = await readStackFile("local");
      const given = Object.entries(config ?? {}).map(([key, value]) => [
        key.replace("pgplatform:", ""),
        value,
      ]);
      const settings = monitored(Object.fromEntries(given) as SettingsInput, engine);
      const has = new Set(alertsOf(settings).map(({ name }) => name));
      const told = applying(engine).flatMap((one) => one.alerts);
      assert.deepEqual(
        told.filter((name) => !has.has(name)),
        [],
      );
      assert.ok(told.length >= 15, `${engine}: ${told.length}`);
    });

  it("say of no alert that it isn't told where nothing hides it", () => {
    for (const { title, alerts: told, inhibited = [], beside = [] } of alertCases) {
      const hidden = new Set(
        inhibitions.filter(({ source }) => told.includes(source)).flatMap(({ targets }) => targets),
      );
      for (const name of [...inhibited, ...beside]) assert.ok(hidden.has(name), `${title}: ${name}`);
    }
  });

  it("begin with those that look back longest", () => {
    const over = alertCases.map((one) =>
      one.alerts.some((name) => /Failover|Deadlocks/.test(name)) ? 1 : 0,
    );
    assert.deepEqual(over, [...over].sort().reverse());
  });
});
