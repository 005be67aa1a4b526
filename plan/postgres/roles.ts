import type { Settings } from "../../settings/schema";
import type { Credential } from "../plan";
import { roles, secretNames } from "../names";
import { versionSecret, handedOut, loginOf, passwordId, secondLogin } from "./rotation";

/** Roles inside PostgreSQL and their rotation, as every engine makes them. */

/** A role as it should be; what is left out is PostgreSQL's default. */
export interface WantedRole {
  readonly name: string;
  /** Secret with the password. @default - the password, if there is one, stays as it is */
  readonly secretName?: string;
  /** A login that was replaced: it has no password. */
  readonly passwordless?: true;
  /** Role that its sessions act as from their start, which it is a member of. @default - itself */
  readonly actsAs?: string;
  readonly login: boolean;
  readonly connectionLimit?: number;
  readonly memberOf: readonly string[];
  readonly createDatabases: boolean;
  readonly createRoles: boolean;
  /** Whether it may copy the whole server, as base backups do. @default false */
  readonly replication?: true;
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

/** A role with both of its logins, as far as the rotation's credential version is. */
function withLogins(role: WantedRole, { credentialVersion, stage }: Settings["rotation"]): WantedRole[] {
  const { secretName, ...rest } = role;
  if (credentialVersion === 1 || secretName === undefined || role.name === roles.health) return [role];
  const as = (login: WantedRole): WantedRole => {
    if (login.name === loginOf(role.name, credentialVersion))
      return { ...login, secretName: versionSecret(secretName, credentialVersion) };
    return stage === "only" ? { ...login, login: false, passwordless: true } : login;
  };
  return [
    as(rest),
    as({
      ...rest,
      name: secondLogin(role.name),
      memberOf: [role.name],
      actsAs: role.name,
      createDatabases: false,
      createRoles: false,
    }),
  ];
}

/** Owners of databases, the roles of the settings, and the platform's own. */
export function wantedRoles({ cluster, rotation }: Settings): WantedRole[] {
  const role = (name: string, more: Partial<WantedRole>): WantedRole => ({
    name,
    login: true,
    memberOf: [],
    createDatabases: false,
    createRoles: false,
    ...more,
  });
  const wanted = [
    ...ownersOf(cluster).map(({ name, ...limit }) =>
      role(name, { secretName: ownerSecret(cluster, name), ...limit }),
    ),
    ...cluster.roles.map(({ name, login, connectionLimit, memberOf, createDatabases, replication }) =>
      role(name, {
        login,
        memberOf,
        createDatabases,
        ...(replication && { replication }),
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
    // A server that was restarted archives nothing by the clock before a first checkpoint, which the watcher of the backups asks for.
    role(roles.health, { secretName: secretNames.health(cluster.name), memberOf: ["pg_checkpoint"] }),
  ];
  return wanted.flatMap((one) => withLogins(one, rotation));
}

/** Whether poolers let a role of the settings in: their lookup finds none that may replicate (sql/lookup.ts). */
export const mayPool = ({ roles: listed }: Pick<Settings["cluster"], "roles">, role: string): boolean =>
  !listed.some(({ name, replication }) => name === role && replication);

/** Login by which poolers look up those of others. */
export const poolerLookup = ({ rotation }: Settings): string => loginOf(roles.pooler, handedOut(rotation));

/** PgBouncer's own user list: the role that looks up logins for it, in each valid credential version, and its statistics role. */
function userList({ credentialVersion, stage }: Settings["rotation"]): string {
  const versions = stage === "only" ? [credentialVersion] : [credentialVersion - 1, credentialVersion];
  const lookups = versions.map(
    (one) => `"${loginOf(roles.pooler, one)}" "{password:${passwordId("pooler-auth", one)}}"\n`,
  );
  return `${lookups.join("")}"${roles.poolerStats}" "{password:pooler-stats}"\n`;
}

/** A credential in the credential version that applications are to use, and the one that the engine reads. */
function withVersions(credential: Credential, rotation: Settings["rotation"]): Credential[] {
  const { credentialVersion } = rotation;
  if (credentialVersion === 1 || credential.id === "health") return [credential];
  const { role, secretName } = credential;
  const of = (one: number) => ({ role: loginOf(role, one), actsAs: role, credentialVersion: one });
  return [
    { ...credential, ...of(handedOut(rotation)) },
    {
      ...credential,
      ...of(credentialVersion),
      secretName: versionSecret(secretName, credentialVersion),
      internal: true,
      extraKeys: {},
    },
  ];
}

/** The rotation that a cluster needs, each in the Secret that its engine reads; `labels` are what the engine wants on them. */
export function credentialsOf(
  { cluster, poolers, rotation }: Settings,
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
  const wanted = [
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
      poolers.length > 0 ? { "userlist.txt": userList(rotation) } : {},
    ),
    credential("health", roles.health, secretNames.health(cluster.name), "health checks"),
  ];
  return wanted.flatMap((one) => withVersions(one, rotation));
}

/** The passwords that an engine sets, by their logins, as templates of Secrets write them; that of a login to be removed stays as it is. */
export const enginePasswords = (credentials: readonly Credential[]): Record<string, string> =>
  Object.fromEntries(
    credentials
      .filter(({ credentialVersion, internal }) => credentialVersion === undefined || internal)
      .map(({ id, role, credentialVersion }) => [role, `{password:${passwordId(id, credentialVersion)}}`]),
  );

/** The application's own way to a role: the credential whose Secret it reads. */
export function credentialOf(credentials: readonly Credential[], role: string): Credential {
  const found = credentials.find(
    ({ role: login, actsAs = login, internal }) => actsAs === role && internal !== true,
  );
  if (!found) throw new Error(`no credential for ${role}`);
  return found;
}
