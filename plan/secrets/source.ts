import type { Settings } from "../../settings/schema";
import type { KubernetesObject } from "../objects";
import { roles, secretNames } from "../names";
import { handedOut, loginOf, secondLogin } from "../postgres/rotation";

/** Which passwords somebody else owns than the stack, and where they lie. */

/** A role whose password its source owns. */
export interface SourcedRole {
  readonly role: string;
  /** Its other login, which the source may name in its place. */
  readonly second: string;
  /** Id of its credential. */
  readonly id: string;
  /** Secret that the role's login is read from. */
  readonly secretName: string;
  /** Its keys. */
  readonly usernameKey: string;
  readonly passwordKey: string;
}

/** One whose login External Secrets copies. */
export interface StoredRole extends SourcedRole {
  readonly remote: { readonly key: string; readonly username: string; readonly password: string };
}

/** Ids of credentials, by their roles. */
export function credentialIds({ databases, roles: listed }: Settings["cluster"]): Map<string, string> {
  const dashed = (name: string) => name.replaceAll("_", "-");
  const [first] = databases;
  return new Map([
    ...databases.map(({ owner }): [string, string] => [
      owner,
      owner === first?.owner ? "app" : `owner-${dashed(owner)}`,
    ]),
    ...listed
      .filter(({ login }) => login)
      .map(({ name }): [string, string] => [name, `role-${dashed(name)}`]),
    [roles.admin, "admin"],
  ]);
}

/** Roles that a source may own, by their credentials' ids: those of people and applications, and those of base backups and metrics over the network. */
export function sourceableRoles({
  cluster,
  backup,
}: Pick<Settings, "cluster" | "backup">): Map<string, string> {
  const backups = cluster.engine === "standalone" && backup !== undefined;
  return new Map([
    ...credentialIds(cluster),
    ...(backups ? [[roles.backup, "backup"] as [string, string]] : []),
    ...(cluster.engine === "zalando" ? [[roles.metrics, "metrics"] as [string, string]] : []),
  ]);
}

/** The roles that the settings list, or all of people and applications. */
function listedRoles({ cluster, secrets }: Settings): { role: string }[] {
  if (secrets.source === "generated") return [];
  return secrets.roles ?? [...credentialIds(cluster).keys()].map((role) => ({ role }));
}

/** The roles whose passwords the settings' source owns. */
export function sourcedRoles(settings: Settings): SourcedRole[] {
  const ids = sourceableRoles(settings);
  const { source } = settings.secrets;
  return listedRoles(settings).map(
    (one: { role: string; secretName?: string | undefined; usernameKey?: string; passwordKey?: string }) => {
      const { role, secretName, usernameKey = "username", passwordKey = "password" } = one;
      const id = ids.get(role) ?? role;
      const keys = source === "external" ? { usernameKey, passwordKey } : undefined;
      return {
        role,
        second: secondLogin(role),
        id,
        secretName: secretName ?? secretNames.login(settings.cluster.name, id),
        ...(keys ?? { usernameKey: "username", passwordKey: "password" }),
      };
    },
  );
}

/** Those that External Secrets copies. */
export function storedRoles(settings: Settings): StoredRole[] {
  const { secrets } = settings;
  if (secrets.source !== "aws-secrets-manager") return [];
  return sourcedRoles(settings).map((sourced) => {
    const listed = secrets.roles?.find(({ role }) => role === sourced.role);
    return {
      ...sourced,
      remote: {
        key: listed?.remoteKey ?? `postgres/${sourced.id}-credentials`,
        username: listed?.usernameKey ?? "username",
        password: listed?.passwordKey ?? "password",
      },
    };
  });
}

/** The source of a role's password; undefined where the stack generates it for the engine alone. */
export const sourcedRole = (settings: Settings, role: string): SourcedRole | undefined =>
  sourcedRoles(settings).find((one) => one.role === role);

const annotation = "pgplatform.io/sourced-roles";

/** Annotation of a cluster object that says whose passwords another owner has; none where the stack has all. */
export function sourcedAnnotation(settings: Settings): Record<string, string> {
  const sourced = sourcedRoles(settings).map(({ role }) => role);
  return sourced.length === 0 ? {} : { [annotation]: sourced.sort().join(",") };
}

/** The roles whose passwords another owner has in a live cluster. */
export const sourcedIn = ({ metadata }: KubernetesObject): string[] =>
  (metadata.annotations?.[annotation] ?? "").split(",").filter((role) => role !== "");

/** Names by which a role logs in: both, where its source may name either. */
export const loginsOf = (settings: Settings, role: string): string[] => {
  const sourced = sourcedRole(settings, role);
  return sourced ? [role, sourced.second] : [role];
};

/** Whether the stack makes the passwords that it then reads out of the store. */
export const writesSecrets = ({ secrets }: Pick<Settings, "secrets">): boolean =>
  secrets.source === "aws-secrets-manager" && secrets.direction === "written";

/** The login that the stack writes into the store: that of the credential version which is handed out. */
export const writtenLogin = (settings: Settings, role: string): string =>
  loginOf(role, handedOut(settings.rotation));
