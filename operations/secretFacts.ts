import { externalSecrets } from "../plan/secrets/store";
import { sourcedRoles } from "../plan/secrets/source";
import type { Settings } from "../settings/schema";
import { type Kubectl, type KubeObject } from "./kubectl";

/** What is there of passwords that another owner than the stack has; never a password itself. */
export interface SecretFacts {
  /** Versions that are served of each kind of External Secrets, by its plural; asked for only where the settings use them. */
  readonly kinds: Readonly<Record<string, readonly string[]>>;
  /** Whether the store is there that the settings name. @default - they name none */
  readonly store?: boolean;
  /** The Secrets that are there, by their names. */
  readonly secrets: Readonly<Record<string, SecretFact>>;
}

export interface SecretFact {
  /** Its keys that have a value. */
  readonly keys: readonly string[];
  /** What the key of the username has. */
  readonly username?: string;
  /** Who made it: the ExternalSecret that copies it, or the platform. @default - nobody that it says */
  readonly madeBy?: "ExternalSecret" | "platform";
}

const plurals = ["externalsecrets", "secretstores", "clustersecretstores"] as const;

export interface LiveSecret extends KubeObject {
  data?: Record<string, string>;
}

/** The facts of one Secret; `usernameKey` is the key whose value isn't one to hide. */
export function secretFactOf({ data = {}, metadata }: LiveSecret, usernameKey: string): SecretFact {
  const owners = (metadata as { ownerReferences?: { kind: string }[] }).ownerReferences ?? [];
  const username = data[usernameKey];
  const copied = owners.some(({ kind }) => kind === "ExternalSecret");
  const ours = metadata.annotations?.["pgplatform.io/why"] !== undefined;
  return {
    keys: Object.keys(data).filter((key) => data[key] !== ""),
    ...(username !== undefined && { username: Buffer.from(username, "base64").toString("utf8") }),
    ...(copied ? { madeBy: "ExternalSecret" } : ours ? { madeBy: "platform" } : {}),
  };
}

/** Undefined where the stack owns all passwords. */
export async function readSecrets(kubectl: Kubectl, settings: Settings): Promise<SecretFacts | undefined> {
  const { secrets, cluster } = settings;
  if (secrets.source === "generated") return undefined;
  const inStore = secrets.source === "aws-secrets-manager";
  const kinds = Object.fromEntries(
    (
      await Promise.all(
        (inStore ? plurals : []).map(
          async (plural) => [plural, await kubectl.served(`${plural}.${externalSecrets.group}`)] as const,
        ),
      )
    ).flatMap(([plural, served]) => (served === undefined ? [] : [[plural, served]])),
  );
  const named = inStore ? secrets.store.name : undefined;
  const plural = inStore && secrets.store.kind === "SecretStore" ? "secretstores" : "clustersecretstores";
  const found =
    named === undefined || kinds[plural] === undefined
      ? undefined
      : await kubectl.get(`${plural}.${externalSecrets.group}`, cluster.namespace, named);
  const live = await Promise.all(
    sourcedRoles(settings).map(async ({ secretName, usernameKey }) => {
      const secret = await kubectl.get("secrets", cluster.namespace, secretName);
      return secret === undefined ? [] : [[secretName, secretFactOf(secret, usernameKey)] as const];
    }),
  );
  return {
    kinds,
    ...(named !== undefined && { store: found !== undefined }),
    secrets: Object.fromEntries(live.flat()),
  };
}
