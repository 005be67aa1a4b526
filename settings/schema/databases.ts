import * as z from "zod";
import { addresses, documented, atOnce, oneOf, quoted, sqlName, boolean, integer } from "./types";

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

const made = "It holds at creation only: a change for a database that is there is refused.";

/** Encodings that a server can have, by PostgreSQL's manual. */
const encodings =
  "UTF8 SQL_ASCII LATIN1 LATIN2 LATIN3 LATIN4 LATIN5 LATIN6 LATIN7 LATIN8 LATIN9 LATIN10 ISO_8859_5 ISO_8859_6 ISO_8859_7 ISO_8859_8 " +
  "WIN866 WIN874 WIN1250 WIN1251 WIN1252 WIN1253 WIN1254 WIN1255 WIN1256 WIN1257 WIN1258 KOI8R KOI8U EUC_CN EUC_JP EUC_JIS_2004 EUC_KR EUC_TW MULE_INTERNAL";

const localeName = (means: string, allowed: string) =>
  documented(z.string().regex(/^[A-Za-z0-9][A-Za-z0-9_.@-]{0,62}$/), { means, change: made, allowed });

const locale = {
  encoding: documented(z.enum(encodings.split(" ") as [string, ...string[]]), {
    means: "Encoding of the database. Default: UTF8.",
    change: made,
    allowed: "an encoding of PostgreSQL's servers, such as UTF8 or LATIN1",
  }).optional(),
  locale: localeName(
    "Collation and ctype of the database, by the localeProvider: of libc one that the image has, with builtin C, C.UTF-8 or, from PostgreSQL 18 on, PG_UNICODE_FAST. Default: " +
      "C.UTF-8, of the provider builtin from PostgreSQL 17 on.",
    "the name of a locale, such as C or de_AT.UTF-8",
  ).optional(),
  localeProvider: oneOf(
    ["libc", "icu", "builtin"],
    "What the locale belongs to; builtin from PostgreSQL 17 on. Default: icu with icuLocale, libc with locale alone.",
    made,
  ).optional(),
  icuLocale: localeName(
    "Collation of the database by ICU, as a language tag. Default: none.",
    "a language tag, such as de-AT or und-u-ks-level2",
  ).optional(),
  template: sqlName(
    "Database that a further database is a copy of, in which no session may be while it is made; with an encoding or a locale template0. Default: template0 with these, else template1.",
    "It is read when the database is made, and at no other time.",
  ).optional(),
};

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
        ...locale,
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
  replication: boolean(
    "Whether the role may read changes out of replication slots, as Debezium does, directly and not through a pooler: wal_level is logical then, and with cnpg from PostgreSQL 17 on " +
      "slots that clients make with `failover` follow a failover. For copies of the whole server it needs a rule of cluster.access with the database replication, too. Default: false.",
    "The first one restarts the instances of the engines zalando and standalone, and of cnpg where standbys must send feedback; the others take effect at once.",
  ).default(false),
});

const slot = z.strictObject({
  name: sqlName("Name of the slot.", "A change makes another slot and deletes the old one."),
  database: sqlName(
    "Database whose changes it gives. Default: the first one.",
    "A change recreates the slot.",
  ).optional(),
  plugin: oneOf(
    ["pgoutput", "test_decoding", "wal2json", "decoderbufs"],
    "What writes the changes down; the image must have it. Default: pgoutput.",
    "A change recreates the slot.",
  ).default("pgoutput"),
});

export const slots = documented(z.array(slot), {
  means:
    "Logical replication slots that the engine zalando makes and keeps on every instance, so that they follow a failover. A slot keeps WAL until its client has read it, " +
    "at most max_slot_wal_keep_size of cluster.parameters, which follows from the volume. Default: none.",
  change:
    "A change is made at once; the first slot restarts the instances one after another, the primary last.",
  allowed: "a list of { name, database, plugin } of which name must be there",
}).default([]);

const library = documented(z.string().regex(/^[A-Za-z0-9_$][A-Za-z0-9_$.-]{0,62}$/), {
  means: "Name of a library in the image, as shared_preload_libraries takes it.",
  change: "A change restarts the instances one after another, the primary last.",
  allowed: "the name of a library such as pg_partman_bgw",
  fix: "write it without a path and without .so",
});

export const preloadLibraries = documented(z.array(library), {
  means:
    "Libraries that PostgreSQL loads when it starts, beside those of the listed extensions and of parameters that are set. Default: none.",
  change: "A change restarts the instances one after another, the primary last.",
  allowed: "a list of names of libraries that the image has",
}).default([]);

export const roles = documented(z.array(role), {
  means: "Further roles, beside the owners of databases. Default: none.",
  change: kept,
  allowed: "a list of roles",
}).default([]);

const rule = z.strictObject({
  database: sqlName(
    "Database that the rule lets into, or all, or replication for copies of the whole server by a role of replication. Default: all.",
    atOnce,
  ).default("all"),
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
