import { pathOf } from "../checks/owners";
import { externalSecrets } from "../plan/secrets/store";
import { credentialIds, type SourcedRole, sourcedRoles } from "../plan/secrets/source";
import type { Settings } from "../settings/schema";
import type { SecretFacts } from "./secretFacts";
import { listed, merged, problem, type Rule, type Verdict } from "./verdict";

/** Whether passwords of another owner are where they must be before anything is changed. */

const SOURCE = "secrets.source";

/** The sentence about one role's Secret that somebody else makes. */
function given(settings: Settings, sourced: SourcedRole, { secrets }: SecretFacts): Partial<Verdict> {
  const { role, second, secretName, usernameKey, passwordKey } = sourced;
  const at = settings.secrets.source === "external" ? pathOf(settings, sourced, "secretName") : SOURCE;
  const keys = `${usernameKey} and ${passwordKey}`;
  const live = secrets[secretName];
  if (live === undefined)
    return problem(
      at,
      secretName,
      `a Secret of the namespace ${settings.cluster.namespace} that is there, with the keys ${keys} for the role ${role}; it is missing`,
      "have its owner make it",
    );
  if (live.madeBy === "platform" && settings.secrets.source === "external")
    return problem(
      at,
      secretName,
      "a Secret that the platform doesn't make: its password would have two owners",
      "have its owner make one of another name",
    );
  const missing = [usernameKey, passwordKey].filter((key) => !live.keys.includes(key));
  if (missing.length > 0)
    return problem(
      at,
      secretName,
      `a Secret with the keys ${keys}; ${missing.join(" and ")} ${missing.length === 1 ? "is" : "are"} missing or empty, and it has ${listed(live.keys)}`,
      "have its owner rename the keys, or set usernameKey and passwordKey of the role",
    );
  return live.username === role || live.username === second
    ? {}
    : problem(
        at,
        secretName,
        `a Secret whose ${usernameKey} is ${role} or ${second}; it is ${live.username ?? "empty"}`,
        "have its owner correct it",
      );
}

function inNamespace(
  settings: Settings,
  facts: SecretFacts,
  namespaces: readonly string[],
): Partial<Verdict> {
  const { namespace, makeNamespace } = settings.cluster;
  if (!namespaces.includes(namespace))
    return makeNamespace
      ? problem(
          "cluster.namespace",
          namespace,
          "a namespace that is there, since secrets.source is external and its Secrets come first",
          `make it (kubectl create namespace ${namespace}), set cluster.makeNamespace to false, and have the Secrets made`,
        )
      : {};
  return merged(sourcedRoles(settings).map((one) => given(settings, one, facts)));
}

function copied(settings: Settings, facts: SecretFacts): Partial<Verdict> {
  const { kinds, store, secrets } = facts;
  const { source } = settings.secrets;
  if (settings.secrets.source !== "aws-secrets-manager") return {};
  const { kind, name } = settings.secrets.store;
  const { group, version } = externalSecrets;
  const wanted = ["externalsecrets", `${kind.toLowerCase()}s`];
  const missing = wanted.filter((plural) => kinds[plural]?.includes(version) !== true);
  if (missing.length > 0)
    return problem(
      SOURCE,
      source,
      `generated or external where External Secrets doesn't serve ${missing.map((plural) => `${plural}.${group}/${version}`).join(" and ")}; ` +
        `served is ${listed(missing.flatMap((plural) => kinds[plural] ?? []))}`,
      "install External Secrets 0.16 or newer first",
    );
  return merged([
    store === false
      ? problem("secrets.store.name", name, `a ${kind} that is there`, "make it first, or leave the name out")
      : {},
    ...sourcedRoles(settings).map((sourced) => {
      const { secretName } = sourced;
      const live = secrets[secretName];
      if (live === undefined) return {};
      return live.madeBy === "ExternalSecret"
        ? given(settings, sourced, facts)
        : problem(
            SOURCE,
            source,
            `a Secret ${secretName} that External Secrets makes; another program made the one that is there, and its password would have two owners`,
            "have it removed, or set external, which reads it as it is",
          );
    }),
  ]);
}

/** Both logins of a role may have a password of the owner before: the next credential version has one of both closed, and the other one's set. */
export const takenBack: Rule = ({ settings }, { rotation, sourcedRoles: live = [] }) => {
  const sourced = sourcedRoles(settings).map(({ role }) => role);
  const returned = live.filter(
    (role) => credentialIds(settings.cluster).has(role) && !sourced.includes(role),
  );
  const { credentialVersion } = settings.rotation;
  if (returned.length === 0 || rotation === undefined || credentialVersion !== rotation.credentialVersion)
    return {};
  return problem(
    "rotation.credentialVersion",
    credentialVersion,
    `${credentialVersion + 1} where the stack takes over the password of ${listed(returned)}, whose second login would keep the one of its former owner`,
    `set ${credentialVersion + 1}`,
  );
};

export const otherOwners: Rule = ({ settings }, { secrets, namespaces }) => {
  if (secrets === undefined) return {};
  return settings.secrets.source === "external"
    ? inNamespace(settings, secrets, namespaces)
    : copied(settings, secrets);
};
