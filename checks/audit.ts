import { auditExtension, isAudited } from "../plan/postgres/audit";
import { roles as own } from "../plan/names";
import { knownExtensions } from "./extensions";
import { type Rule, twice } from "./rule";

/** What nobody but the audit may set while something is audited. */
const decided = ["pgaudit.log", "pgaudit.role"];

/** Roles of the platform's whose sessions may have a profile of their own. */
const platformRoles = [own.admin, own.health, own.pooler];

export const audit: Rule = (settings, report, engine) => {
  const { audit: asked, cluster, images } = settings;
  if (!isAudited(settings)) return;

  const key = asked.profile !== "none" ? "profile" : asked.roles.length > 0 ? "roles" : "objects";
  const known = knownExtensions(settings, engine);
  if (known && !known.includes(auditExtension))
    report(
      `audit.${key}`,
      asked[key],
      `no audit with the image ${images.postgresql}, which doesn't have ${auditExtension}`,
      "name an image that has it in images.postgresql, or leave audit out",
    );

  for (const name of decided)
    if (cluster.parameters[name] !== undefined)
      report(
        `cluster.parameters.${name}`,
        cluster.parameters[name],
        "must not be set: pgplatform:audit decides it",
        "remove it",
      );

  const logins = [
    ...new Set(cluster.databases.map(({ owner }) => owner)),
    ...cluster.roles.filter(({ login }) => login).map(({ name }) => name),
    ...platformRoles,
  ];
  const doubledRoles = twice(asked.roles.map(({ role }) => role));
  asked.roles.forEach(({ role }, index) => {
    const path = `audit.roles[${index}].role`;
    if (!logins.includes(role))
      report(
        path,
        role,
        `a role that logs in: ${logins.join(", ")}`,
        "correct it, or add it to cluster.roles",
      );
    if (doubledRoles.has(role)) report(path, role, "a role that is listed once", "remove one");
  });

  const place = ({ database, schema }: (typeof asked.objects)[number]) => `${database}.${schema}`;
  const doubledObjects = twice(asked.objects.map(place));
  asked.objects.forEach((object, index) => {
    const path = `audit.objects[${index}]`;
    const database = cluster.databases.find(({ name }) => name === object.database);
    const schemas = ["public", ...(database?.schemas ?? []).map(({ name }) => name)];
    if (!database)
      report(
        `${path}.database`,
        object.database,
        cluster.databases.map(({ name }) => name).join(", "),
        "name one of cluster.databases",
      );
    else if (!schemas.includes(object.schema))
      report(
        `${path}.schema`,
        object.schema,
        schemas.join(", "),
        `correct it, or add it to the schemas of the database ${object.database}`,
      );
    if (doubledObjects.has(place(object)))
      report(path, place(object), "a schema that is listed once", "put its commands into one entry");
  });
};
