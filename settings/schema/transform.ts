import * as z from "zod";
import { documented } from "./types";

const overlays = (objects: string, keys: string) =>
  documented(z.record(z.string().min(1), z.record(z.string().min(1), z.unknown())), {
    means: `Fields laid over ${objects}, by ${keys}, or by its kind for all objects of that kind. Default: none.`,
    change:
      "A change does to the object what the same change by hand would do; the policies judge the result.",
    allowed: "`<id or kind>: { fields }`; objects are merged, lists and values replace what is planned",
    fix: "name an object as the end of its resource's name in `pulumi preview` does, such as deployment, or a kind such as Deployment",
  }).optional();

/** What a user may lay over planned objects: the way to a field that no setting has. */
export const transform = z
  .strictObject({
    operator: overlays("the operator's objects", "the id of an object"),
    cluster: overlays("the objects of the database cluster", "the id of an object"),
    poolers: overlays("the objects of every pooler", "the id of an object"),
    backup: overlays("the jobs that watch, copy and verify backups", "the id of an object"),
    network: overlays("the network policies of the cluster's namespace", "the id of an object"),
    monitoring: overlays(
      "monitors, alerts, dashboards, and what is installed with monitoring.prometheus: install",
      "the id of an object, such as prometheus",
    ),
  })
  .default({});
