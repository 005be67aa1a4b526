import type { Settings } from "../../settings/schema";
import { clusterLabel, secretNames } from "../names";
import type { KubernetesObject, PlannedObject } from "../objects";
import type { Credential } from "../plan";
import { passwordId } from "../postgres/rotation";
import { storedRoles, writesSecrets } from "./source";

/** How External Secrets copies logins out of AWS Secrets Manager, and what the stack writes there. */

export const externalSecrets = { group: "external-secrets.io", version: "v1" } as const;
const apiVersion = `${externalSecrets.group}/${externalSecrets.version}`;

/** A secret of AWS Secrets Manager that the stack makes. */
export interface WrittenSecret {
  /** Suffix of its resources' names. */
  readonly id: string;
  /** Its name in AWS. */
  readonly name: string;
  readonly description: string;
  /** Texts of its JSON; `{password:<id>}` stands for a password. */
  readonly content: Readonly<Record<string, string>>;
}

/** What the stack needs of the store; undefined with another source. */
export interface StorePlan {
  /** The store, and what copies each login; those of the stage after the first need what is written. */
  readonly objects: readonly PlannedObject[];
  /** Secret with the key by which External Secrets reads. @default - it has a role */
  readonly key?: {
    readonly secretName: string;
    readonly labels: Record<string, string>;
    readonly accessKeyId: string;
    readonly secretAccessKey: string;
  };
  /** What the stack writes. @default - somebody else does */
  readonly written?: {
    readonly region: string;
    readonly secrets: readonly WrittenSecret[];
    /** For how many days AWS keeps one that was deleted; its name is taken for as long. */
    readonly recoveryDays: number;
  };
}

type AwsSettings = Extract<Settings["secrets"], { source: "aws-secrets-manager" }>;

/** How it is called: a ClusterSecretStore has its name in the whole Kubernetes cluster. */
const storeName = ({ cluster }: Settings, { store }: AwsSettings): string =>
  store.name ?? (store.kind === "SecretStore" ? cluster.name : `${cluster.namespace}-${cluster.name}`);

const keys = { id: "accessKeyId", secret: "secretAccessKey" } as const;

/** How External Secrets logs in at AWS; as its own pod does where neither is given. */
function authOf({ cluster }: Settings, { roleArn, credentials, store }: AwsSettings): object | undefined {
  // What a ClusterSecretStore refers to has no namespace of its own.
  const at = store.kind === "ClusterSecretStore" ? { namespace: cluster.namespace } : {};
  const name = secretNames.storeKey(cluster.name);
  if (roleArn !== undefined) return { jwt: { serviceAccountRef: { name, ...at } } };
  if (credentials === undefined) return undefined;
  return {
    secretRef: {
      accessKeyIDSecretRef: { name, key: keys.id, ...at },
      secretAccessKeySecretRef: { name, key: keys.secret, ...at },
    },
  };
}

function storeObjects(settings: Settings, secrets: AwsSettings): PlannedObject[] {
  const { store, roleArn, region } = secrets;
  if (store.name !== undefined) return [];
  const { cluster } = settings;
  const labels = { [clusterLabel]: cluster.name };
  const auth = authOf(settings, secrets);
  const account: KubernetesObject = {
    apiVersion: "v1",
    kind: "ServiceAccount",
    metadata: {
      name: secretNames.storeKey(cluster.name),
      namespace: cluster.namespace,
      labels,
      annotations: { "eks.amazonaws.com/role-arn": roleArn ?? "" },
    },
    automountServiceAccountToken: false,
  };
  const object: KubernetesObject = {
    apiVersion,
    kind: store.kind,
    metadata: {
      name: storeName(settings, secrets),
      ...(store.kind === "SecretStore" && { namespace: cluster.namespace }),
      labels,
    },
    spec: {
      provider: { aws: { service: "SecretsManager", region, ...(auth && { auth }) } },
      ...(store.kind === "ClusterSecretStore" && { conditions: [{ namespaces: [cluster.namespace] }] }),
    },
  };
  return [
    ...(roleArn === undefined ? [] : [{ id: "account", stage: 0, object: account }]),
    { id: "store", stage: 1, object, waitFor: "condition=Ready" },
  ];
}

/** What copies one login, under the keys that every other Secret with a login has. */
function copied(
  settings: Settings,
  secrets: AwsSettings,
  { id, secretName, remote }: ReturnType<typeof storedRoles>[number],
  credential: Credential,
): PlannedObject {
  const { cluster, labels } = settings;
  const property = (name: string) => `{{ index . ${JSON.stringify(name)} }}`;
  return {
    id: `copied-${id}`,
    stage: 2,
    waitFor: "condition=Ready",
    object: {
      apiVersion,
      kind: "ExternalSecret",
      metadata: {
        name: secretName,
        namespace: cluster.namespace,
        labels: { [clusterLabel]: cluster.name },
      },
      spec: {
        refreshInterval: `${secrets.refreshSeconds}s`,
        secretStoreRef: { kind: secrets.store.kind, name: storeName(settings, secrets) },
        target: {
          name: secretName,
          creationPolicy: "Owner",
          // What was copied stays while the store has nothing.
          deletionPolicy: "Retain",
          template: {
            type: credential.type,
            metadata: {
              labels: { ...labels, ...credential.labels },
              annotations: { "pgplatform.io/why": credential.why },
            },
            // The store's JSON may have more: only these two are copied.
            data: { username: property(remote.username), password: property(remote.password) },
          },
        },
        dataFrom: [{ extract: { key: remote.key } }],
      },
    },
  };
}

/** What the stack makes for the source aws-secrets-manager, beside the passwords themselves. */
export function planStore(settings: Settings, credentials: readonly Credential[]): StorePlan | undefined {
  const { secrets, cluster, tier } = settings;
  if (secrets.source !== "aws-secrets-manager") return undefined;
  const stored = storedRoles(settings).map((one) => {
    const credential = credentials.find(({ id, elsewhere }) => id === one.id && elsewhere !== undefined);
    if (credential === undefined) throw new Error(`no credential for ${one.role}`);
    return { ...one, credential };
  });
  const { credentials: key } = secrets;
  return {
    objects: [
      ...storeObjects(settings, secrets),
      ...stored.map((one) => copied(settings, secrets, one, one.credential)),
    ],
    ...(key && {
      key: {
        secretName: secretNames.storeKey(cluster.name),
        labels: { [clusterLabel]: cluster.name },
        ...key,
      },
    }),
    ...(writesSecrets(settings) &&
      secrets.region !== undefined && {
        written: {
          region: secrets.region,
          recoveryDays: tier === "prod" ? 30 : 0,
          secrets: stored.map(({ id, remote, credential }) => ({
            id,
            name: remote.key,
            description: `PostgreSQL ${cluster.namespace}/${cluster.name}: ${credential.why}`,
            content: {
              [remote.username]: credential.role,
              [remote.password]: `{password:${passwordId(id, credential.credentialVersion)}}`,
            },
          })),
        },
      }),
  };
}
