import { extensionsOf } from "../../../stacks/extensions";
import type { DatabaseSettings, Settings } from "../../../stacks/schema";
import type { Credential, PlannedObject } from "../../engine";
import { clusterLabel, roles, secretNames } from "../../names";
import { apiVersion } from "./names";

/** Databases, roles and their passwords. */

/** Owners of databases, each once, with the limit that any of its databases gives it. */
function ownersOf({ databases }: Settings["cluster"]): { name: string; connectionLimit?: number }[] {
  return [...new Set(databases.map(({ owner }) => owner))].map((name) => {
    const limit = databases.find(
      ({ owner, ownerConnectionLimit }) => owner === name && ownerConnectionLimit !== undefined,
    )?.ownerConnectionLimit;
    return { name, ...(limit !== undefined && { connectionLimit: limit }) };
  });
}

const ownerSecret = ({ name, databases }: Settings["cluster"], owner: string): string =>
  owner === databases[0]?.owner ? secretNames.application(name) : secretNames.owner(name, owner);

/** Roles that the operator keeps as described, passwords included. */
export function managedRoles({ cluster }: Settings): Record<string, unknown>[] {
  const login = (name: string, secretName: string, more: Record<string, unknown> = {}) => ({
    name,
    ensure: "present",
    login: true,
    ...more,
    passwordSecret: { name: secretName },
  });
  return [
    ...ownersOf(cluster).map(({ name, ...limit }) => login(name, ownerSecret(cluster, name), limit)),
    ...cluster.roles.map(({ name, login: mayLogIn, connectionLimit, memberOf, createDatabases }) => {
      const more = {
        ...(connectionLimit !== undefined && { connectionLimit }),
        ...(memberOf.length > 0 && { inRoles: [...memberOf] }),
        ...(createDatabases && { createdb: true }),
      };
      return mayLogIn
        ? login(name, secretNames.role(cluster.name, name), more)
        : { name, ensure: "present", login: false, ...more };
    }),
    login(roles.admin, secretNames.admin(cluster.name), { createdb: true, createrole: true }),
    login(roles.pooler, secretNames.poolerAuth(cluster.name)),
  ];
}

function databaseSpec(cluster: string, database: DatabaseSettings): Record<string, unknown> {
  const { name, owner, connectionLimit, schemas } = database;
  const extensions = extensionsOf(database);
  return {
    cluster: { name: cluster },
    name,
    owner,
    databaseReclaimPolicy: "retain",
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
export function databaseObjects({ cluster }: Settings): PlannedObject[] {
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
      spec: databaseSpec(cluster.name, database),
    },
  }));
}

export function credentialsOf({ cluster, poolers }: Settings): Credential[] {
  const credential = (
    id: string,
    role: string,
    secretName: string,
    why: string,
    extraKeys: Record<string, string> = {},
  ): Credential => ({
    id,
    role,
    secretName,
    type: "kubernetes.io/basic-auth",
    // The operator sets the role's password anew when the Secret changes.
    labels: { "cnpg.io/reload": "true", [clusterLabel]: cluster.name },
    extraKeys,
    why,
  });
  const [first] = cluster.databases;
  return [
    ...ownersOf(cluster).map(({ name }) =>
      name === first?.owner
        ? credential("app", name, ownerSecret(cluster, name), "the application, owner of the first database")
        : credential(
            `owner-${name.replaceAll("_", "-")}`,
            name,
            ownerSecret(cluster, name),
            "the owner of a further database",
          ),
    ),
    ...cluster.roles
      .filter(({ login }) => login)
      .map(({ name }) =>
        credential(
          `role-${name.replaceAll("_", "-")}`,
          name,
          secretNames.role(cluster.name, name),
          "a further role of the settings",
        ),
      ),
    credential(
      "admin",
      roles.admin,
      secretNames.admin(cluster.name),
      "people: may make databases and roles, is no superuser",
    ),
    credential(
      "pooler-auth",
      roles.pooler,
      secretNames.poolerAuth(cluster.name),
      "the poolers' look-ups of login verifiers",
      poolers.length > 0
        ? {
            "userlist.txt": `"${roles.pooler}" "{password:pooler-auth}"\n"${roles.poolerStats}" "{password:pooler-stats}"\n`,
          }
        : {},
    ),
    credential("health", roles.health, secretNames.health(cluster.name), "health checks"),
  ];
}
