import * as z from "zod";
import { atOnce, documented } from "./types";

const text = (means: string, allowed: string, fix: string) =>
  documented(z.string().regex(/\S/), { means, change: atOnce, allowed, fix });

/** Violations of policies that may pass for a time; the policy pack reads them, and refuses those that have expired. */
export const waivers = documented(
  z.array(
    z.strictObject({
      policy: text(
        "The policy, by its name.",
        "the name of a policy, such as enough-instances",
        "copy it from the message",
      ),
      resource: documented(z.string().regex(/^[A-Za-z]\w* \S+$/), {
        means: "The object, as the policy's message begins.",
        change: atOnce,
        allowed: "a kind and a name, such as Cluster shop/orders",
        fix: "copy it from the message",
      }),
      reason: text("Why it may be so for a while.", "a text of at least one character", "write it"),
      until: documented(z.string().regex(/^\d{4}-\d{2}-\d{2}([ T]00:00:00\D.*)?$/), {
        means: "The last day on which it holds, at most 366 days ahead.",
        change: "From the next day on previews are refused until it is removed or renewed.",
        allowed: "a day such as 2026-01-31",
        fix: "write year, month and day",
      }),
      who: text("Who answers for it.", "a text of at least one character", "write a name"),
    }),
  ),
  {
    means:
      "Violations of policies that may pass for a time: see [waivers](policies.md#waivers). Default: none.",
    change: "A change holds from the next preview on, and restarts nothing.",
    allowed: "a list of { policy, resource, reason, until, who }",
  },
).default([]);
