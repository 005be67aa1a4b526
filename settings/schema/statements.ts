import * as z from "zod";
import { integer } from "./types";

/** Which statements are counted. */
export const statements = z
  .strictObject({
    top: integer(
      "How many statements have metrics of their own, those that took the most time; pg_stat_statements counts all. It takes about 3 MiB of shared memory, " +
        "some microseconds of each statement, and a file with their texts. 0: the platform loads no pg_stat_statements. Default: 20.",
      0,
      100,
      "From 0 to another number, or back, restarts the instances of the engines cnpg and standalone, as the list of loaded libraries changes; any other change takes effect at once.",
      "statements",
    ).default(20),
  })
  .prefault({});
