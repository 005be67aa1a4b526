import * as z from "zod";
import { dayOf, isDay } from "../day";
import { atOnce, documented, integer } from "./types";

/** What may not be deleted or replaced, and what may for a time. */

const enabled = documented(z.boolean(), {
  means:
    "Whether deleting or replacing a cluster, a volume, a bucket, a namespace, CRDs, a CA or an archive is refused unless `allow` names it and a verified backup " +
    "is young enough: see [protection](changes.md#protection). Default: true in the tier prod, false in dev.",
  change:
    "A change restarts nothing. From true to false holds from the update after the one that makes it, which still refuses what it deletes.",
  allowed: "true or false",
});

export const protection = z.strictObject({
  enabled: enabled.optional(),
  verifiedWithinHours: integer(
    "How old the newest verified backup may be where something protected is deleted or replaced, in hours: how long ago a restore of it was tried and found good, as " +
      "`make verify` does. Default: 24.",
    1,
    24 * 31,
    atOnce,
  ).default(24),
});

/** What is protected, as `allow` and messages name it. */
export const protectedThing = /^(cluster|volume|bucket|namespace|crd|ca|archive) \S+$/;

export const allow = documented(
  z.array(
    z.strictObject({
      what: documented(z.string().regex(protectedThing), {
        means: "What may be deleted or replaced.",
        change: atOnce,
        allowed:
          "one of cluster, volume, bucket, namespace, crd, ca and archive, and a name, such as cluster shop/orders",
        fix: "copy it from the message that refused the change",
      }),
      until: documented(
        z.string().refine((text) => isDay(dayOf(text))),
        {
          means: "The last day on which it may, in UTC, at most 31 days ahead.",
          change: "From the next day on every preview and update is refused until the entry is removed.",
          allowed: "a day such as 2026-01-31",
          fix: "write year, month and day",
        },
      ),
    }),
  ),
  {
    means:
      "What `make up` and `make destroy` may delete or replace for a time though it is protected: see [protection](changes.md#protection). Default: nothing.",
    change: "A change takes effect at once, is told on every run, and restarts nothing.",
    allowed: "a list of { what, until }",
  },
).default([]);
