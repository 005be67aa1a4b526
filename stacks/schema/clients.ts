import * as z from "zod";
import { about, atOnce, label, labels, whole } from "../settingTypes";

export const client = z.strictObject({
  name: label("Name of the client, unique in the stack; it appears in the network policy.", 40, atOnce),
  namespace: label("Namespace of the client's pods. The platform doesn't make it.", 63, atOnce),
  labels: labels("Labels that select the client's pods."),
  pooler: label("Pooler that the client may connect to. Default: none.", 40, atOnce).optional(),
  direct: about(z.boolean(), {
    means:
      "Whether the client may connect to the PostgreSQL instances themselves, past any pooler. Default: false.",
    change: atOnce,
    allowed: "true or false",
  }).default(false),
  connections: whole(
    "Most sessions that the client opens at the instances; counted against maxConnections when direct is true. Default: 10.",
    1,
    5000,
    atOnce,
  ).default(10),
});
