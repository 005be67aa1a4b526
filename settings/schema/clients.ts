import * as z from "zod";
import { documented, atOnce, label, labels, sqlName, boolean, integer } from "./types";

const binding = documented(
  z.union([
    z.boolean(),
    z.strictObject({
      name: label(
        "Name of the ConfigMap, and of the Secret with copySecret. Default: `<cluster>-client-<client>`.",
        63,
        "A change recreates them under the new name; the client's pods must name it too.",
      ).optional(),
      database: sqlName(
        "Database that the client is told of. Default: that of its pooler, or else the first one.",
        atOnce,
      ).optional(),
      role: sqlName(
        "Role that the client is told to log in as: an owner, or one of cluster.roles. Default: the database's owner.",
        atOnce,
      ).optional(),
      copySecret: boolean(
        "Whether the role's name and password are copied into a Secret of the client's namespace, where everyone who may read Secrets " +
          "can read it. A client in the cluster's own namespace uses the role's Secret itself. Default: false.",
        "From true to false deletes the copy.",
      ).default(false),
      makeNamespace: boolean(
        "Whether the platform makes the client's namespace where it isn't there; it stays when the stack goes. Default: false.",
        atOnce,
      ).default(false),
    }),
  ]),
  {
    means:
      "Whether the client's namespace gets a ConfigMap that says how to connect: hosts and ports that this client may reach, database, role, " +
      "TLS mode and the CA's certificate; docs/connect.md has its keys. The namespace must be there. Default: false.",
    change: "A change writes or deletes the ConfigMap; pods read it when they start.",
    allowed: "true, false, or { name, database, role, copySecret, makeNamespace }",
    fix: "write true, or only what differs from the defaults",
  },
);

export const client = z.strictObject({
  name: label("Name of the client, unique in the stack; it appears in the network policy.", 40, atOnce),
  namespace: label(
    "Namespace of the client's pods. The platform makes it only where binding asks for that. Default: the cluster's.",
    63,
    atOnce,
  ).optional(),
  labels: labels("Labels that select the client's pods."),
  pooler: label("Pooler that the client may connect to. Default: none.", 40, atOnce).optional(),
  direct: documented(z.boolean(), {
    means:
      "Whether the client may connect to the PostgreSQL instances themselves, past any pooler. Default: false.",
    change: atOnce,
    allowed: "true or false",
  }).default(false),
  connections: integer(
    "Most sessions that the client opens at the instances; counted against maxConnections when direct is true. Default: 10.",
    1,
    5000,
    atOnce,
  ).default(10),
  binding: binding.default(false),
});
