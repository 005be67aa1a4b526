import { shortestPause } from "../settings/cron";
import { LEAST_MINUTES } from "../settings/schema/maintenance";
import { apart, type Rule } from "./rule";

/** A window must be over before the next one begins. */
export const maintenance: Rule = ({ maintenance: given }, report) => {
  if (given === undefined) return;
  const pause = shortestPause(given.schedule) / 60;
  if (!apart(report, "maintenance.schedule", given.schedule, LEAST_MINUTES, "windows")) return;
  if (given.minutes > pause)
    report(
      "maintenance.minutes",
      given.minutes,
      `at most ${pause}, the time between two windows of maintenance.schedule`,
      "shorten the window, or write a schedule that fires less often",
    );
};
