import * as z from "zod";
import { addresses, documented, atOnce, quoted, sqlName, boolean, integer } from "./types";

/** What is inside PostgreSQL: databases, roles, and rules of access. */

const kept = "A new one is made at once; one that is removed from the list stays as it is.";

const extensionName = z.string().regex(/^[a-z][a-z0-9_-]{0,62}$/);

const extension = documented(
  z.union([
    extensionName,
    z.strictObject({
      name: documented(extensionName, {
        means: "Name of the extension.",
        change: kept,
        allowed: "the name of an extension, such as pg_trgm",
      }),
      schema: sqlName("Schema that holds the extension's objects. Default: public.", atOnce).optional(),
      version: documented(z.string().regex(/^[\w.-]+$/), {
        means: "Version of the extension. Default: the image's.",
        change: "A change updates the extension at once.",
        allowed: 'a version in quotes, such as "1.6"',
        fix: "write it in quotes: of the number 1.10 the zero is lost",
        numbers: quoted,
      }).optional(),
    }),
  ]),
  {
    means:
      "Extension that the database has. A name alone: in the extension's own schema or public, in the image's version. pgaudit and " +
      "pg_stat_statements are then preloaded, and the operator makes them in every database; pgaudit writes down changes of structure and of " +
      "roles unless parameters name something of pgaudit. timescaledb is preloaded too.",
    change: `${kept} An extension that must be preloaded restarts the instances.`,
    allowed:
      "the name of an extension, or { name, schema, version } of which the name must be there and the version is a text",
    fix: "write it as pg_trgm or { name: pg_trgm, schema: public }",
  },
);

const schema = z.strictObject({
  name: sqlName("Name of the schema.", kept),
  owner: sqlName("Role that owns the schema. Default: the database's owner.", atOnce).optional(),
});

export const databases = documented(
  z
    .array(
      z.strictObject({
        name: sqlName("Name of the database.", "A change makes another database and leaves the data behind."),
        owner: sqlName(
          "Role that owns the database and everything in its public schema.",
          "A change makes another role.",
        ),
        ownerConnectionLimit: integer(
          "Most sessions that the owner may have, over pooler or not. Default: no limit of its own.",
          1,
          5000,
          atOnce,
        ).optional(),
        connectionLimit: integer(
          "Most sessions in the database; its poolers' must fit in. Default: no limit of its own.",
          1,
          5000,
          atOnce,
        ).optional(),
        schemas: documented(z.array(schema), {
          means: "Schemas of the database beside public. Default: none.",
          change: kept,
          allowed: "a list of { name, owner } of which the name must be there",
        }).default([]),
        extensions: documented(z.array(extension), {
          means: "Extensions of the database. Default: none.",
          change: kept,
          allowed: "a list of names of extensions",
        }).default([]),
      }),
    )
    .min(1),
  {
    means:
      "Databases and their owners. The first is made with the cluster, and its owner is the application's role.",
    change:
      "Another name or owner of the first one makes nothing: they hold at creation only. Others are added at once.",
    allowed: "at least one database with name and owner",
    fix: "list the application's database",
  },
);

const role = z.strictObject({
  name: sqlName("Name of the role.", "A change makes another role and leaves the old one as it is."),
  login: boolean(
    "Whether the role may log in, with a generated password in the Secret `<cluster>-role-<name>`. Default: true.",
    atOnce,
  ).default(true),
  connectionLimit: integer(
    "Most sessions that the role may have. Default: no limit of its own.",
    1,
    5000,
    atOnce,
  ).optional(),
  memberOf: documented(z.array(sqlName("Role whose rights it has.", atOnce)), {
    means:
      "Roles whose rights it has: others of this list, owners, or PostgreSQL's own such as pg_read_all_data. Default: none.",
    change: atOnce,
    allowed: "a list of roles",
  }).default([]),
  createDatabases: boolean("Whether the role may make databases. Default: false.", atOnce).default(false),
});

export const roles = documented(z.array(role), {
  means: "Further roles, beside the owners of databases. Default: none.",
  change: kept,
  allowed: "a list of roles",
}).default([]);

const rule = z.strictObject({
  database: sqlName("Database that the rule lets into, or all. Default: all.", atOnce).default("all"),
  role: sqlName("Role that the rule lets in, or all. Default: all.", atOnce).default("all"),
  from: addresses(
    "Addresses that the rule lets in. What comes through a pooler comes from the pooler's pod, for whose addresses the role needs a rule " +
      "too. Default: all.",
  ).default("all"),
  tls: boolean(
    "Whether the session must be encrypted; false is for the tier dev alone. Default: true.",
    atOnce,
  ).default(true),
});

export const access = documented(z.array(rule), {
  means:
    "Which roles may log in from which addresses, with a password; the network must let the client in too (clients). The first rule that " +
    "matches decides, and a session that none matches is refused; the platform's own roles always have their rule. It holds for the instances; " +
    "poolers let in every role of their database. Default: none, which lets every role in, encrypted.",
  change: "A change is loaded at once, and holds for new sessions.",
  allowed: "a list of rules",
}).default([]);
