import * as z from "zod";
import { documented, atOnce, boolean, objecting, rollsPooler } from "./types";

const LONGEST_MINUTES = 60;
const units = { ms: 1, s: 1000, min: 60_000 } as const;

const slowQuery = documented(
  objecting(z.string().regex(/^(off|[1-9]\d{0,6}(ms|s|min))$/), (text) => {
    const [, digits, unit] = /^(\d+)(ms|s|min)$/.exec(text) ?? [];
    return unit !== undefined && Number(digits) * units[unit as keyof typeof units] > LONGEST_MINUTES * 60_000
      ? {
          allowed: `a duration of at most ${LONGEST_MINUTES}min, or off`,
          fix: "lower it, or write off",
        }
      : undefined;
  }),
  {
    means:
      "Statements that take at least this long are logged, with their duration: log_min_duration_statement. off: none is. Default: 1s.",
    change: atOnce,
    allowed: "a duration such as 250ms, 1s or 5min, at most 60min, or off",
    fix: "write a number and a unit, such as 1s, or off",
  },
);

/** What is logged (docs/logs.md). */
export const logs = z.strictObject({
  slowQuery: slowQuery.default("1s"),
  connections: boolean(
    "Whether every connection and its end is logged, by the instances and by PgBouncer. Logins that fail are logged in any case. Default: false.",
    `The instances reload. ${rollsPooler}`,
  ).default(false),
});
