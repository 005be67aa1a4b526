import * as z from "zod";
import { atOnce, documented, oneOf, rolls, sqlName } from "./types";

/** What is audited, by pgAudit (docs/logs.md). */

export const auditProfiles = ["none", "ddl", "write", "all"] as const;
export type AuditProfile = (typeof auditProfiles)[number];

const classes =
  "none: nothing; ddl: changes of structure, roles and rights; write: these, and INSERT, UPDATE, DELETE, TRUNCATE and COPY FROM; " +
  "all: these, SELECT, COPY TO, functions, DO and SET";

const role = z.strictObject({
  role: sqlName(
    "Role whose sessions have a profile of their own: an owner, one of cluster.roles that logs in, pgp_admin, pgp_health or pgp_pooler.",
    "A change is for sessions that begin afterwards.",
  ),
  profile: oneOf(
    auditProfiles,
    `What is audited of its sessions, in place of audit.profile. ${classes}.`,
    "A change is for sessions that begin afterwards.",
  ),
});

const commands = ["select", "insert", "update", "delete"] as const;

const object = z.strictObject({
  database: sqlName("Database that the tables are in.", atOnce),
  schema: sqlName(
    "Schema of the tables: public, or one that the database lists. Those that its owner makes later are audited too. Default: public.",
    atOnce,
  ).default("public"),
  commands: documented(
    z
      .array(oneOf(commands, "Statement on the tables that is audited.", "A further one is audited at once."))
      .min(1),
    {
      means: "Which statements on these tables are audited, by any role. Default: all four.",
      change:
        "A further one is audited at once. One that is no longer listed stays audited: see docs/logs.md.",
      allowed: `a list of ${commands.join(", ")}`,
      fix: "name at least one",
    },
  ).default([...commands]),
});

export const audit = z
  .strictObject({
    profile: oneOf(
      auditProfiles,
      `What is audited of every session, by pgAudit. ${classes}. With anything audited, connections are logged as with monitoring.logs.connections. Default: none.`,
      rolls,
    ).default("none"),
    roles: documented(z.array(role), {
      means:
        "Roles with a profile of their own, with the second login that a rotation gives them. Default: none.",
      change: "A change is for sessions that begin afterwards; the first one restarts the instances.",
      allowed: "a list of { role, profile }",
    }).default([]),
    objects: documented(z.array(object), {
      means: "Tables of which statements are audited whatever the profile. Default: none.",
      change: "A change takes effect at once; the first one restarts the instances.",
      allowed: "a list of { database, schema, commands } of which database must be there",
    }).default([]),
  })
  .prefault({});
