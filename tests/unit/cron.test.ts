import assert from "node:assert/strict";
import {
  daysBetween,
  daysOfCron,
  inSixFields,
  fires,
  hasForm,
  isTimeZone,
  longestPause,
  longestWait,
} from "../../settings/cron";

import { daysOfGoCron } from "../../settings/goCron";

const isSchedule = (text: string): boolean => hasForm(text) && fires(text);

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
    assert.equal(inSixFields("0 2 * * *"), "0 0 2 * * *");
    assert.equal(isTimeZone("Europe/Berlin"), true);
    assert.equal(isTimeZone("Europe/Nowhere"), false);
  });

  it("may have names, and blanks around, where other programs read them", () => {
    for (const [text, days] of [
      ["@daily", 1],
      [" 0 2  * * 1 ", 7],
      ["0 5 * * MON", 7],
    ] as const)
      assert.equal(daysOfCron(text), days, text);
    for (const text of ["0 2 * *", "0 0 2 * * *", "five words that are none", ""])
      assert.equal(daysOfCron(text), undefined, text);
  });

  it("say how many seconds lie between two runs at most", () => {
    for (const [schedule, seconds] of [
      ["*/5 * * * *", 300],
      ["0,30 1 * * *", 23.5 * 3600],
      ["0 3 * * *", 86_400],
      ["0 3 * * 1-5", 3 * 86_400],
      ["0 3 1 * *", 31 * 86_400],
      // From one leap day to the next.
      ["0 0 29 2 *", 1461 * 86_400],
    ] as const)
      assert.equal(longestPause(schedule), seconds, schedule);
  });

  it("say how long one waits for the other at most, which is never the same moment", () => {
    for (const [from, to, seconds] of [
      ["0 5 * * 0", "0 3 * * *", 22 * 3600],
      ["0 3 * * *", "0 3 * * *", 86_400],
      ["0 * * * *", "30 */2 * * *", 5400],
      ["0 0 29 2 *", "0 0 1 3 *", 86_400],
    ] as const)
      assert.equal(longestWait(from, to), seconds, `${from}, ${to}`);
  });

  it("are in time zones by their names alone", () => {
    for (const zone of ["UTC", "Europe/Berlin"]) assert.ok(isTimeZone(zone), zone);
    for (const zone of ["europe/Berlin", "+01:00", ""]) assert.ok(!isTimeZone(zone), zone);
  });
});

describe("schedules as Go's cron reads them", () => {
  // Compared with versions 1.2.0 and 3.0.1 of robfig/cron.
  it("are what the library takes", () => {
    for (const text of [
      "0 2 * * *",
      "+5 2 ? * ?",
      "*/5,30 2 1-9/2 JAN-dec SUN,2",
      "0 2 * * 1/2",
      "*-5 2 * * *",
      "@hourly",
      "@every 1.5h",
      "@every .5h10ms",
      "@every -5m",
    ])
      assert.ok(daysOfGoCron(text, 3) !== undefined, text);
    for (const text of [
      "0 2 * * 7",
      "0 2 * * 0-7",
      "0 2 * * SAT-SUN",
      "0 2 0 * *",
      "0 2 * * L",
      "*/0 2 * * *",
      "1/2/3 2 * * *",
      "1-2-3 2 * * *",
      "-1 2 * * *",
      "60 2 * * *",
      ", 2 * * *",
      "0 2 * *",
      "CRON_TZ=Europe/Berlin 0 2 * * *",
      " @daily",
      "@Daily",
      "@reboot",
      "@every",
      "@every 1d",
      "",
    ])
      assert.equal(daysOfGoCron(text, 3), undefined, text);
  });

  it("say how many days lie between two runs at most", () => {
    for (const [text, days] of [
      ["0 2 * * *", 1],
      ["0 2 * * MON-FRI", 3],
      ["0 2 1 * *", 31],
      ["0 2 1 1 *", 366],
      // On either of both, unless one has a star.
      ["0 2 1 * 0", 7],
      ["0 2 */2 * 0", 2],
      ["@weekly", 7],
      ["@every 36h", 2],
      ["@every 1s", 1],
    ] as const)
      assert.equal(daysOfGoCron(text, 3), days, text);
    // A step has the star of its beginning in the first version alone.
    assert.equal(daysOfGoCron("0 0 2 */2 * 0", 1), 21);
    // It never fires.
    assert.equal(daysOfGoCron("0 2 30 2 *", 3), 732);
  });

  it("have a field for the seconds in the first version", () => {
    assert.equal(daysOfGoCron("0 0 2 * * *", 1), 1);
    assert.equal(daysOfGoCron("0 0 2 * * *", 3), undefined);
    assert.equal(daysOfGoCron("0 2 * * *", 1), undefined);
  });
});
