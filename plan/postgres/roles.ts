import type { Settings } from "../../settings/schema";
import type { Credential } from "../plan";
import { roles, secretNames } from "../names";
import { credentialIds, sourcedRole, sourcedRoles, writesSecrets, writtenLogin } from "../secrets/source";
import { isAudited } from "./audit";
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

/** Its other login. */
const second = (role: WantedRole): WantedRole => ({
  ...role,
  name: secondLogin(role.name),
  memberOf: [role.name],
  actsAs: role.name,
  createDatabases: false,
  createRoles: false,
});

/** A role whose password its source owns, with both of its logins: the login reloader gives one a password, and takes the other's. */
export function withSource(settings: Settings, role: WantedRole): WantedRole[] | undefined {
  if (sourcedRole(settings, role.name) === undefined) return undefined;
  const kept = { ...role };
  delete (kept as { secretName?: string }).secretName;
  return [kept, second(kept)];
}

/** Roles whose passwords stay in every credential version. */
const steady: readonly string[] = [roles.health, roles.logins];

/** A role with both of its logins, as far as the rotation's credential version is. */
function withLogins(role: WantedRole, { credentialVersion, stage }: Settings["rotation"]): WantedRole[] {
  const { secretName, ...rest } = role;
  if (credentialVersion === 1 || secretName === undefined || steady.includes(role.name)) return [role];
  const as = (login: WantedRole): WantedRole => {
    if (login.name === loginOf(role.name, credentialVersion))
      return { ...login, secretName: versionSecret(secretName, credentialVersion) };
    return stage === "only" ? { ...login, login: false, passwordless: true } : login;
  };
  return [as(rest), as(second(rest))];
}

/**
 * Whether the admin makes roles. Before PostgreSQL 16 a role that may make roles gives itself every one that is no superuser, the one that runs programs as the
 * server's user among them: a superuser in all but the name.
 */
const mayCreateRoles = ({ postgresVersion }: Settings["cluster"]): boolean => Number(postgresVersion) >= 16;

/** Owners of databases, the roles of the settings, and the platform's own. */
export function wantedRoles(settings: Settings): WantedRole[] {
  const { cluster, rotation } = settings;
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
      createRoles: mayCreateRoles(cluster),
    }),
    role(roles.pooler, { secretName: secretNames.poolerAuth(cluster.name) }),
    // A server that was restarted archives nothing by the clock before a first checkpoint, which the watcher of the backups asks for.
    role(roles.health, { secretName: secretNames.health(cluster.name), memberOf: ["pg_checkpoint"] }),
    ...(isAudited(settings) ? [role(roles.audit, { login: false })] : []),
    ...(sourcedRoles(settings).length > 0
      ? [
          role(roles.logins, {
            secretName: secretNames.loginReloader(cluster.name),
            // Who is connected from where.
            memberOf: ["pg_read_all_stats"],
          }),
        ]
      : []),
  ];
  return wanted.flatMap((one) => withSource(settings, one) ?? withLogins(one, rotation));
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
  if (credentialVersion === 1 || steady.includes(credential.role)) return [credential];
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

/** A credential whose password its source owns, in the Secret that has it; undefined where the stack owns it. */
export function fromSource(settings: Settings, credential: Credential): Credential | undefined {
  const sourced = sourcedRole(settings, credential.role);
  if (sourced === undefined) return undefined;
  const { role, ...rest } = credential;
  const { secretName, usernameKey: username, passwordKey: password } = sourced;
  const kept = { ...rest, secretName, actsAs: role, keys: { username, password } };
  return writesSecrets(settings)
    ? {
        ...kept,
        role: writtenLogin(settings, role),
        credentialVersion: handedOut(settings.rotation),
        elsewhere: "written",
      }
    : { ...kept, role, elsewhere: "given" };
}

/** The credentials that a cluster needs, each in the Secret that its engine reads; `labels` are what the engine wants on them. */
export function credentialsOf(settings: Settings, labels: Readonly<Record<string, string>>): Credential[] {
  const { cluster, poolers, rotation } = settings;
  const ids = credentialIds(cluster);
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
            ids.get(name) ?? name,
            name,
            ownerSecret(cluster, name),
            "the owner of a further database",
          ),
    ),
    ...cluster.roles
      .filter(({ login }) => login)
      .map(({ name }) =>
        credential(
          ids.get(name) ?? name,
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
    ...(sourcedRoles(settings).length > 0
      ? [
          credential(
            "login-reloader",
            roles.logins,
            secretNames.loginReloader(cluster.name),
            "what gives logins the passwords that their source names",
          ),
        ]
      : []),
  ];
  return wanted.flatMap((one) => {
    const sourced = fromSource(settings, one);
    return sourced ? [sourced] : withVersions(one, rotation);
  });
}

/** The passwords that an engine sets, by their logins, as templates of Secrets write them; that of a login to be removed stays as it is. */
export const enginePasswords = (credentials: readonly Credential[]): Record<string, string> =>
  Object.fromEntries(
    credentials
      .filter(
        ({ credentialVersion, internal, elsewhere }) =>
          elsewhere === undefined && (credentialVersion === undefined || internal),
      )
      .map(({ id, role, credentialVersion }) => [role, `{password:${passwordId(id, credentialVersion)}}`]),
  );

/** Keys of the Secret of a credential. */
export const keysOf = ({ keys }: Pick<Credential, "keys">): { username: string; password: string } =>
  keys ?? { username: "username", password: "password" };

/** The application's own way to a role: the credential whose Secret it reads. */
export function credentialOf(credentials: readonly Credential[], role: string): Credential {
  const found = credentials.find(
    ({ role: login, actsAs = login, internal }) => actsAs === role && internal !== true,
  );
  if (!found) throw new Error(`no credential for ${role}`);
  return found;
}
