import * as z from "zod";
import { isTimeZone } from "../cron";
import { atOnce, documented, integer, schedule } from "./types";

/** VACUUM and ANALYZE at hours that suit, beside autovacuum. */

/** The shortest window, and so the least time between the beginnings of two. */
export const LEAST_MINUTES = 5;

export const maintenance = z.strictObject({
  schedule: schedule(
    "When VACUUM (ANALYZE) goes over every database, beside autovacuum: before the morning's work, say. It reads all that has changed, and ends with the window.",
    `A change takes effect at once. It restarts nothing.`,
  ),
  timeZone: documented(z.string().refine(isTimeZone), {
    means: "Time zone of the schedule. Default: UTC.",
    change: atOnce,
    allowed: "a name of the time zone database such as Europe/Berlin",
    fix: "use Area/City, or UTC",
  }).default("UTC"),
  minutes: integer(
    "How long the window is: what isn't done by then waits for the next one. Default: 60.",
    LEAST_MINUTES,
    720,
    atOnce,
    "minutes",
  ).default(60),
});
