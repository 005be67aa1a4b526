import { extensionsOf } from "../../postgres/extensions";
import type { DatabaseSettings, Settings } from "../../../settings/schema";
import type { PlannedObject } from "../../objects";
import { clusterLabel, roles } from "../../names";
import { hasLocale, localeOf } from "../../postgres/locale";
import { wantedRoles } from "../../postgres/roles";
import { apiVersion } from "./names";
import type { Database, DatabaseSpec, ManagedRole } from "./resources";

/** Databases, and the roles that the operator keeps as described, passwords included. */

/** The health check's role is not among them: the bootstrap makes it. */
export const managedRoles = (settings: Settings): ManagedRole[] =>
  wantedRoles(settings)
    .filter(({ name }) => name !== roles.health)
    .map((role) => ({
      name: role.name,
      ensure: "present",
      login: role.login,
      ...(role.connectionLimit !== undefined && { connectionLimit: role.connectionLimit }),
      ...(role.memberOf.length > 0 && { inRoles: [...role.memberOf] }),
      ...(role.createDatabases && { createdb: true }),
      ...(role.createRoles && { createrole: true }),
      ...(role.replication && { replication: true }),
      ...(role.secretName !== undefined && { passwordSecret: { name: role.secretName } }),
      ...(role.passwordless && { disablePassword: true }),
    }));

/** The first database has what initdb gave it, and template1 with it: where that isn't the usual, each of the others says its own. */
function localeFields(cluster: Settings["cluster"], database: DatabaseSettings): Partial<DatabaseSpec> {
  const { databases } = cluster;
  const [first] = databases;
  if (database === first) return {};
  const { template } = database;
  // A copy has what its template has.
  if (!hasLocale(database) && template !== undefined && template !== "template0") return { template };
  if (!hasLocale(database) && !(first && hasLocale(first))) return template === undefined ? {} : { template };
  const { encoding, provider, locale, own } = localeOf(cluster, database);
  return {
    template: template ?? "template0",
    encoding,
    localeProvider: provider,
    locale,
    ...(provider === "icu" && { icuLocale: own }),
    ...(provider === "builtin" && { builtinLocale: own }),
  };
}

function databaseSpec(settings: Settings["cluster"], database: DatabaseSettings): DatabaseSpec {
  const { name: cluster } = settings;
  const { name, owner, connectionLimit, schemas } = database;
  const extensions = extensionsOf(database);
  return {
    cluster: { name: cluster },
    name,
    owner,
    databaseReclaimPolicy: "retain",
    ...localeFields(settings, database),
    ...(connectionLimit !== undefined && { connectionLimit }),
    ...(schemas.length > 0 && {
      // Without an owner a schema would be the superuser's.
      schemas: schemas.map((schema) => ({
        name: schema.name,
        ensure: "present",
        owner: schema.owner ?? owner,
      })),
    }),
    ...(extensions.length > 0 && {
      extensions: extensions.map((extension) => ({ ensure: "present", ...extension })),
    }),
  };
}

/** One object for each database; that of the first adopts what `bootstrap.initdb` has made. */
export function databaseObjects({ cluster }: Settings): PlannedObject<Database>[] {
  return cluster.databases.map((database) => ({
    id: `database-${database.name.replaceAll("_", "-")}`,
    stage: 1,
    // Only a primary lets go of such an object; without the cluster the operator does, which a broken cluster needs.
    goesWith: "cluster",
    waitFor: "jsonpath={.status.applied}=true",
    object: {
      apiVersion,
      kind: "Database",
      metadata: {
        name: `${cluster.name}-${database.name.replaceAll("_", "-")}`,
        namespace: cluster.namespace,
        labels: { [clusterLabel]: cluster.name },
      },
      spec: databaseSpec(cluster, database),
    },
  }));
}
