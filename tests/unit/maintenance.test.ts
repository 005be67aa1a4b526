import assert from "node:assert/strict";
import { check, sentence } from "../../checks/index";
import { plannerOf } from "../../plan/engines/select";
import { planPlatform } from "../../plan/platform";
import { changed, checked, smallest } from "../support/settings";

/** That its script does what it says is shown by tests/sql/maintenance.test.ts. */
describe("maintenance in a window", () => {
  const planned = (maintenance: object | undefined, engine = "cnpg") => {
    const base = changed(smallest(), "cluster.engine", engine);
    const one =
      engine === "standalone"
        ? changed(changed(base, "cluster.instances", 1), "cluster.durability", "async")
        : base;
    const settings = checked({ ...one, operator: { install: false }, ...(maintenance && { maintenance }) });
    return planPlatform(settings, () => [], plannerOf(settings));
  };
  const said = (maintenance: object): string[] => {
    const result = check({ ...smallest(), maintenance });
    return "problems" in result ? result.problems.map(sentence) : [];
  };

  it("is made where the settings ask for it", () => assert.deepEqual(planned(undefined).maintenance, []));

  for (const engine of ["cnpg", "zalando", "standalone"])
    it(`goes over every database as its owner, with ${engine}`, () => {
      const { maintenance, cluster } = planned(
        { schedule: "30 3 * * 0", minutes: 90, timeZone: "Europe/Berlin" },
        engine,
      );
      const [job] = maintenance;
      const text = JSON.stringify(job?.object);
      const { spec } = job?.object as {
        spec?: {
          schedule: string;
          timeZone: string;
          jobTemplate: { spec: { activeDeadlineSeconds: number } };
        };
      };
      assert.deepEqual(
        [spec?.schedule, spec?.timeZone, spec?.jobTemplate.spec.activeDeadlineSeconds],
        ["30 3 * * 0", "Europe/Berlin", 95 * 60],
      );
      assert.match(text, /"app\|app\|app\|username\|password"/);
      assert.ok(text.includes(cluster.endpoints.primary.host));
    });

  it("is refused where a window would run into the next one", () => {
    assert.deepEqual(said({ schedule: "0 * * * *", minutes: 90 }), [
      "pgplatform:maintenance.minutes: 90 is not allowed. Allowed: at most 60, the time between two windows of maintenance.schedule. Fix: shorten the window, or write a schedule that fires less often.",
    ]);
    assert.match(
      said({ schedule: "0 0 30 2 *" }).join(),
      /maintenance\.schedule: "0 0 30 2 \*" is not allowed\. Allowed: a schedule that fires/,
    );
    assert.match(said({}).join(), /maintenance\.schedule: not set/);
    assert.match(said({ schedule: "0 3 * * 0", timeZone: "Mars" }).join(), /maintenance\.timeZone: "Mars"/);
  });
});
