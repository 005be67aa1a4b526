import { platformSchema } from "../plan/names";
import { poolerShares } from "../settings/sums/poolers";
import { databaseWith, extensionsOf } from "../plan/postgres/extensions";
import { neededExtensions } from "../plan/postgres/contributed";
import { knownExtensions } from "./extensions";
import { freeRole, keywords, pooledLimit, reservedRole } from "./roles";
import { type Rule, twice, within } from "./rule";

const reservedDatabases = ["postgres", "template0", "template1", "pgbouncer", "pgplatform_auth", ...keywords];

export const databases: Rule = ({ cluster, poolers }, report, engine) => {
  const doubled = twice(cluster.databases.map(({ name }) => name));
  cluster.databases.forEach((database, index) => {
    const { name, owner, ownerConnectionLimit, connectionLimit } = database;
    const at = (key: string) => `cluster.databases[${index}].${key}`;
    if (reservedDatabases.includes(name))
      report(at("name"), name, `any name but ${reservedDatabases.join(", ")}`, "rename it");
    if (doubled.has(name)) report(at("name"), name, "a name that no other database has", "rename it");
    if (reservedRole(owner, engine)) report(at("owner"), owner, freeRole(engine), "rename it");

    const before = cluster.databases
      .slice(0, index)
      .find((one) => one.owner === owner && one.ownerConnectionLimit !== undefined)?.ownerConnectionLimit;
    if (ownerConnectionLimit !== undefined && before !== undefined && before !== ownerConnectionLimit)
      report(
        at("ownerConnectionLimit"),
        ownerConnectionLimit,
        `${before}, which another database gives the same owner`,
        "give it once",
      );
    const its = poolers.filter((pooler) => pooler.database === name);
    const pooled = its.reduce((sum, pooler) => sum + poolerShares(pooler).serverConnectionsInAll, 0);
    pooledLimit(at("ownerConnectionLimit"), ownerConnectionLimit, its, report);
    if (connectionLimit !== undefined && connectionLimit < pooled)
      report(
        at("connectionLimit"),
        connectionLimit,
        `at least ${pooled}, which the database's poolers may open`,
        "raise it, or lower the poolers' serverConnections",
      );
  });
};

/** Schemas that are there anyway, or belong to others. */
const reservedSchema = (name: string): boolean =>
  ["public", "information_schema", platformSchema].includes(name) || name.startsWith("pg_");

export const schemas: Rule = ({ cluster }, report) => {
  const owners = [
    ...new Set(cluster.databases.map(({ owner }) => owner)),
    ...cluster.roles.map(({ name }) => name),
  ];
  cluster.databases.forEach(({ schemas }, index) => {
    const doubled = twice(schemas.map(({ name }) => name));
    schemas.forEach(({ name, owner }, place) => {
      const at = (key: string) => `cluster.databases[${index}].schemas[${place}].${key}`;
      if (reservedSchema(name))
        report(
          at("name"),
          name,
          `any name but public, which is there anyway, information_schema, ${platformSchema} and pg_…`,
          "rename or remove it",
        );
      if (doubled.has(name)) report(at("name"), name, "a name that no other schema has", "rename it");
      if (owner !== undefined && !owners.includes(owner))
        report(
          at("owner"),
          owner,
          `one of ${owners.join(", ")}`,
          "correct it, or add the role to cluster.roles",
        );
    });
  });
};

export const extensions: Rule = (settings, report, engine) => {
  const known = knownExtensions(settings, engine);
  const { refused } = engine.imageContents;
  const scheduler = databaseWith(settings.cluster, "pg_cron");
  settings.cluster.databases.forEach((database, index) => {
    const listed = extensionsOf(database);
    const names = listed.map(({ name }) => name);
    const doubled = twice(names);
    const schemas = ["public", ...database.schemas.map(({ name }) => name)];
    listed.forEach(({ name, schema }, place) => {
      const path = `cluster.databases[${index}].extensions[${place}]`;
      const refusal = refused[name];
      if (refusal) report(path, name, within(engine, refusal), refusal.instead);
      else if (name === "pg_cron" && scheduler !== database)
        report(path, name, `pg_cron in one database only: ${scheduler?.name} has it`, "remove it");
      else if (known && !known.includes(name))
        report(
          path,
          name,
          `an extension of the image ${settings.images.postgresql} (${known.join(", ")})`,
          "correct it, or name an image that has it in images.postgresql",
        );
      if (doubled.has(name)) report(path, name, "an extension that is listed once", "remove one");
      const needed = (neededExtensions[name] ?? []).filter((one) => !names.slice(0, place).includes(one));
      if (needed.length > 0)
        report(
          path,
          name,
          `a place after ${needed.join(" and ")}, which it needs`,
          `list ${needed.join(" and ")} before it`,
        );
      if (schema !== undefined && !schemas.includes(schema))
        report(`${path}.schema`, schema, `one of ${schemas.join(", ")}`, "correct it, or add the schema");
    });
  });
};
