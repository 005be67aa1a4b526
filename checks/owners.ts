import { bindingOf } from "../plan/bindings";
import { roles, secretNames } from "../plan/names";
import { type SourcedRole, sourceableRoles, sourcedRoles, storedRoles } from "../plan/secrets/source";
import type { Settings } from "../settings/schema";
import type { Report, Rule } from "./rule";

/** PostgreSQL cuts longer names off. */
const LONGEST = 63;

/** Why the stack's own programs keep generated passwords. */
const kept: Readonly<Record<string, string>> = {
  [roles.health]: "the health check's",
  [roles.pooler]: "the poolers' look-up's",
  [roles.poolerStats]: "PgBouncer's statistics'",
  [roles.logins]: "that of what sets the others",
};

/** Why a role can't have another owner, beside that it isn't there. */
function refusal(role: string, { cluster, backup }: Settings): string | undefined {
  const own = kept[role];
  if (own !== undefined)
    return `a role that people or applications use: this one is ${own}, and the stack alone owns it`;
  if (role === roles.metrics)
    return "a role that has a password: metrics are read over the server's own socket";
  if (role === "postgres" || role === "standby")
    return cluster.engine === "zalando"
      ? "a role whose password may change without a restart: Patroni's pods read it once, from their environment, and the stack owns it"
      : "a role that has a password";
  if (role === roles.backup && (cluster.engine !== "standalone" || backup === undefined))
    return `a role that is there: base backups log in with the engine standalone and \`backup\` alone`;
  return undefined;
}

/** Each password has one owner, and each Secret one password. */
function listed(settings: Settings, report: Report): void {
  const { secrets } = settings;
  if (secrets.source === "generated" || secrets.roles === undefined) return;
  const allowed = [...sourceableRoles(settings).keys()];
  const names = secrets.roles.map(({ role }) => role);
  names.forEach((role, index) => {
    const path = `secrets.roles[${index}].role`;
    if (!allowed.includes(role))
      report(
        path,
        role,
        refusal(role, settings) ?? `one of ${allowed.join(", ")}`,
        refusal(role, settings) === undefined ? "correct it, or add the role to cluster.roles" : "remove it",
      );
    else if (names.indexOf(role) !== index)
      report(
        path,
        role,
        "a role that is listed once: two Secrets would own one password",
        "remove one of both",
      );
  });
}

/** Secrets that the stack makes, or its engine, in the cluster's namespace. */
function madeHere({ cluster }: Settings): string[] {
  const { name } = cluster;
  const fixed = [
    ...(["application", "admin", "registries", "poolerAuth", "poolerStats", "health", "backup"] as const),
    ...(["server", "passwords", "loginReloader", "storeKey"] as const),
  ].map((key) => secretNames[key](name));
  return [...fixed, `${name}-ca`, `${name}-metrics`, `${name}-replication`, `${name}-superuser`];
}

const isMadeHere = (settings: Settings, secretName: string): boolean =>
  madeHere(settings).includes(secretName) ||
  [`${settings.cluster.name}-owner-`, `${settings.cluster.name}-role-`].some((start) =>
    secretName.startsWith(start),
  ) ||
  secretName.endsWith(".credentials.postgresql.acid.zalan.do");

/** Where each of the roles is written in the settings. */
export const pathOf = ({ secrets }: Settings, { role }: SourcedRole, key: string): string => {
  const index =
    secrets.source === "generated" ? -1 : (secrets.roles ?? []).findIndex((one) => one.role === role);
  return index < 0 ? "secrets.source" : `secrets.roles[${index}].${key}`;
};

function places(settings: Settings, report: Report): void {
  const sourced = sourcedRoles(settings);
  sourced.forEach((one, index) => {
    const path = pathOf(settings, one, "secretName");
    if (isMadeHere(settings, one.secretName))
      report(
        path,
        one.secretName,
        "a Secret that the platform doesn't make: its password would have two owners",
        "rename it, or leave it out",
      );
    const other = sourced.slice(0, index).find(({ secretName }) => secretName === one.secretName);
    if (other)
      report(
        path,
        one.secretName,
        `a Secret of its own: ${other.role} has this one, and a Secret has one username`,
        "name another one",
      );
    if (one.usernameKey === one.passwordKey)
      report(
        pathOf(settings, one, "passwordKey"),
        one.passwordKey,
        "another key than that of the username",
        "correct it",
      );
  });
  const stored = storedRoles(settings);
  stored.forEach((one, index) => {
    const { key, username, password } = one.remote;
    const other = stored.slice(0, index).find(({ remote }) => remote.key === key);
    if (other)
      report(
        pathOf(settings, one, "remoteKey"),
        key,
        `a secret of its own: ${other.role} has this one, and two roles never share a password`,
        "name another one",
      );
    if (username === password)
      report(
        pathOf(settings, one, "passwordKey"),
        password,
        "another key than that of the username",
        "correct it",
      );
  });
}

/** Every role whose password another owns has a second login. */
function logins(settings: Settings, report: Report): void {
  const { cluster } = settings;
  const names = [...cluster.databases.map(({ owner }) => owner), ...cluster.roles.map(({ name }) => name)];
  for (const one of sourcedRoles(settings)) {
    const path = pathOf(settings, one, "role");
    if (names.includes(one.second))
      report(
        path,
        one.role,
        `a role without a role ${one.second} beside it, which is its second login`,
        "rename one of both",
      );
    if (one.second.length > LONGEST)
      report(
        path,
        one.role,
        `a role of at most ${LONGEST - (one.second.length - one.role.length)} characters, since its second login has a longer name`,
        "shorten it",
      );
  }
}

/** A copy of a password that somebody else changes would be out of date, and a second owner. */
function copies(settings: Settings, report: Report): void {
  const sourced = new Set(sourcedRoles(settings).map(({ role }) => role));
  settings.clients.forEach((client, index) => {
    const binding = bindingOf(settings, client);
    if (binding?.copySecret !== true || !sourced.has(binding.role)) return;
    report(
      `clients[${index}].binding.copySecret`,
      true,
      `false for the role ${binding.role}, whose password ${settings.secrets.source} owns: the copy would not change with it`,
      "have the owner make a Secret in the client's namespace too, and leave it out",
    );
  });
}

function store(settings: Settings, report: Report): void {
  const { secrets } = settings;
  if (secrets.source !== "aws-secrets-manager") return;
  const { direction, region, store: named, roleArn, credentials } = secrets;
  const needsRegion = named.name === undefined || direction === "written";
  if (needsRegion && region === undefined)
    report("secrets.region", undefined, "a region such as eu-central-1", "set it");
  if (!needsRegion && region !== undefined)
    report(
      "secrets.region",
      region,
      "must not be set where the store is there and nothing is written: the store says it",
      "leave it out",
    );
  if (roleArn !== undefined && credentials !== undefined)
    report("secrets.credentials", "given", "a role or a key, not both", "leave one of both out");
  if (named.name === undefined) return;
  if (roleArn !== undefined)
    report(
      "secrets.roleArn",
      roleArn,
      "must not be set with store.name, whose login is its own",
      "leave it out",
    );
  if (credentials !== undefined)
    report(
      "secrets.credentials",
      "given",
      "must not be set with store.name, whose login is its own",
      "leave it out",
    );
}

/** Who owns which password, and where it lies. */
export const owners: Rule = (settings, report) => {
  const { cluster, secrets } = settings;
  if (secrets.source === "generated") return;
  if (cluster.access.length > 0)
    report(
      "secrets.source",
      secrets.source,
      "generated with cluster.access, whose rules may keep out the pod that tries the logins",
      "leave cluster.access out, or set generated",
    );
  listed(settings, report);
  places(settings, report);
  logins(settings, report);
  copies(settings, report);
  store(settings, report);
};
