import { shortestPause } from "../settings/cron";
import type { Rule } from "./rule";

/** The least that maintenance.minutes takes. */
const LEAST_MINUTES = 5;

/** A window must be over before the next one begins. */
export const maintenance: Rule = ({ maintenance: given }, report) => {
  if (given === undefined) return;
  const pause = shortestPause(given.schedule) / 60;
  if (pause < LEAST_MINUTES)
    report(
      "maintenance.schedule",
      given.schedule,
      `at least ${LEAST_MINUTES} minutes between two windows, and this one has ${pause}`,
      "write a schedule that fires less often, such as 0 3 * * *",
    );
  else if (given.minutes > pause)
    report(
      "maintenance.minutes",
      given.minutes,
      `at most ${pause}, the time between two windows of maintenance.schedule`,
      "shorten the window, or write a schedule that fires less often",
    );
};
