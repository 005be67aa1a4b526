import assert from "node:assert/strict";
import { daysBetween, inSixFields, isSchedule, isTimeZone } from "../../settings/cron";

describe("schedules", () => {
  it("are five fields that every reader takes, and fire at some time", () => {
    for (const good of [
      "0 2 * * *",
      "*/5 * * * *",
      "0 5 * * 0",
      "0 2 1 * 1",
      "1,2-3/2 * * * *",
      "0 0 29 2 *",
    ])
      assert.equal(isSchedule(good), true, good);
    for (const bad of [
      "0 5 * * 7",
      "60 * * * *",
      "0 24 * * *",
      "0 0 30 2 *",
      "@daily",
      "0 2 * *",
      "0 0 2 * * *",
      "0 2 * * sun",
      "0 2 * jan *",
      "0  2 * * *",
      "",
    ])
      assert.equal(isSchedule(bad), false, bad);
  });

  it("say how many days lie between two runs at most", () => {
    for (const [schedule, days] of [
      ["0 2 * * *", 1],
      ["*/5 * * * *", 1],
      ["0 2 */2 * *", 2],
      ["0 2 * * 1-5", 3],
      ["0 5 * * 0", 7],
      ["0 2 1 * *", 31],
    ] as const)
      assert.equal(daysBetween(schedule), days, schedule);
  });

  it("are written with the seconds' field that CloudNativePG reads first, and their time zone", () => {
    assert.equal(inSixFields("0 2 * * *", "UTC"), "0 0 2 * * *");
    assert.equal(inSixFields("0 2 * * *", "Europe/Berlin"), "CRON_TZ=Europe/Berlin 0 0 2 * * *");
    assert.equal(isTimeZone("Europe/Berlin"), true);
    assert.equal(isTimeZone("Europe/Nowhere"), false);
  });
});
