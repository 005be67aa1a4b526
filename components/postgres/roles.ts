import type { Settings } from "../../stacks/schema";
import type { Credential } from "../engine";
import { roles, secretNames } from "../names";

/** Roles inside PostgreSQL and their passwords, as every engine makes them. */

/** A role as it should be; what is left out is PostgreSQL's default. */
export interface WantedRole {
  readonly name: string;
  /** Secret with the password; a role without one can't log in with a password. */
  readonly secretName?: string;
  readonly login: boolean;
  readonly connectionLimit?: number;
  readonly memberOf: readonly string[];
  readonly createDatabases: boolean;
  readonly createRoles: boolean;
}

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

/** Owners of databases, the roles of the settings, and the platform's own. */
export function wantedRoles({ cluster }: Settings): WantedRole[] {
  const role = (name: string, more: Partial<WantedRole>): WantedRole => ({
    name,
    login: true,
    memberOf: [],
    createDatabases: false,
    createRoles: false,
    ...more,
  });
  return [
    ...ownersOf(cluster).map(({ name, ...limit }) =>
      role(name, { secretName: ownerSecret(cluster, name), ...limit }),
    ),
    ...cluster.roles.map(({ name, login, connectionLimit, memberOf, createDatabases }) =>
      role(name, {
        login,
        memberOf,
        createDatabases,
        ...(login && { secretName: secretNames.role(cluster.name, name) }),
        ...(connectionLimit !== undefined && { connectionLimit }),
      }),
    ),
    role(roles.admin, {
      secretName: secretNames.admin(cluster.name),
      createDatabases: true,
      createRoles: true,
    }),
    role(roles.pooler, { secretName: secretNames.poolerAuth(cluster.name) }),
    role(roles.health, { secretName: secretNames.health(cluster.name) }),
  ];
}

/** The passwords that a cluster needs, each in the Secret that its engine reads; `labels` are what the engine wants on them. */
export function credentialsOf(
  { cluster, poolers }: Settings,
  labels: Readonly<Record<string, string>>,
): Credential[] {
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
    labels: { ...labels },
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
