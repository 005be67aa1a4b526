import { createHash } from "node:crypto";
import { Namespace } from "@pulumi/kubernetes/core/v1/namespace";
import { Secret } from "@pulumi/kubernetes/core/v1/secret";
import * as pulumi from "@pulumi/pulumi";
import { RandomId } from "@pulumi/random/randomId";
import { RandomPassword } from "@pulumi/random/randomPassword";
import { base64 } from "../plan/base64";
import type { Settings } from "../settings/schema";
import { archiveIdOf } from "./archiveId";
import type { Keys } from "./buckets/bucket";
import { makeBucket } from "./buckets";
import type { LocalStores } from "../plan/backup/localStore";
import { archiveCa, type Store, storeKeys, storeOf, targetMetadata } from "../plan/backup/store";
import type { Target } from "../settings/schema/targets";
import { Certificates } from "./certificates";
import { clusterLabel } from "../plan/names";
import { registerObjects } from "./register";
import type { PlannedObject } from "../plan/objects";

export interface BackupArgs {
  /** Checked settings with a backup. */
  readonly settings: Settings;
  /** Stores beside the cluster. @default - no target is local */
  readonly localStores?: LocalStores;
  /** What watches over the backups. */
  readonly objects: readonly PlannedObject[];
  /** The access key that a target's setting stands for. @default - the setting itself */
  readonly value?: (text: string) => pulumi.Output<string>;
}

/** Where backups go: the targets' Secrets, and the stores that run beside the cluster. */
export class Backup extends pulumi.ComponentResource {
  /**
   * The archive's ID, drawn for each cluster that is made and for each of its major versions: one that is recreated under the same name, or
   * upgraded, never writes into the former's archive.
   */
  public readonly archiveId: pulumi.Output<string>;

  constructor(
    private readonly name: string,
    args: BackupArgs,
    options: pulumi.ComponentResourceOptions = {},
  ) {
    super("pgplatform:components:Backup", name, {}, options);
    const { settings } = args;
    const { cluster, backup } = settings;
    const targets = backup?.targets ?? [];

    this.archiveId = archiveIdOf(name, settings, this);

    const storesNamespace = args.localStores && this.storesNamespace(args.localStores);
    const all: Keys[] = [];
    const secrets = targets.flatMap((target, index) => {
      const store = storeOf(settings, target);
      const made = this.bucket(args, target, store);
      if ("roleArn" in store.login) return [];
      const keys = this.keysOf(target, made, args.value);
      all.push(keys);
      const signedBy = storesNamespace && this.localStore(args, target, store, keys, storesNamespace);
      const certificate = signedBy ?? target.caCertificate;
      return [
        this.credentials(`${target.name}-credentials`, store, keys, settings, cluster.namespace),
        ...(target.caCertificate !== undefined && store.ca !== undefined
          ? [this.ca(`${target.name}-ca`, store.ca, target.caCertificate, settings)]
          : []),
        // Of one name for Pulumi and for Kubernetes, so that another first target changes it in place.
        ...(index === 0 && certificate !== undefined
          ? [this.ca("ca", archiveCa(cluster.name), certificate, settings)]
          : []),
      ];
    });
    // It reads the keys when it starts, and another one may be in the same Secret.
    const annotations = { [keysAnnotation]: fingerprint(all) };
    registerObjects(
      name,
      args.objects,
      { parent: this, dependsOn: secrets },
      { watch: { spec: { template: { metadata: { annotations } } } } },
      this.archiveId,
    );
    this.registerOutputs({ archiveId: this.archiveId });
  }

  private labels({ labels, cluster }: Settings): Record<string, string> {
    return { ...labels, [clusterLabel]: cluster.name };
  }

  /** The namespace of the local stores, closed but for what the flows open. */
  private storesNamespace({ namespace, networkPolicies }: LocalStores): Namespace {
    const made = new Namespace(
      `${this.name}-stores`,
      { metadata: namespace },
      { parent: this, retainOnDelete: true },
    );
    registerObjects(`${this.name}-stores`, networkPolicies, { parent: this, dependsOn: [made] });
    return made;
  }

  /** Makes the target's bucket where its kind says so; the key for it, if one was made. */
  private bucket({ settings, value }: BackupArgs, target: Target, store: Store): Keys | undefined {
    return makeBucket(
      `${this.name}-${target.name}`,
      {
        target,
        store,
        ...(target.credentials && { given: this.keysOf(target, undefined, value) }),
        recoveryWindowDays: settings.backup?.recoveryWindowDays ?? 0,
        protect: settings.protection.enabled,
      },
      { parent: this },
    )?.keys;
  }

  /** The access key that a target's settings give, or one that was made for its bucket, or one that is drawn. */
  private keysOf(
    { name, credentials }: Target,
    made: Keys | undefined,
    value: NonNullable<BackupArgs["value"]> = (text) => pulumi.output(text),
  ): Keys {
    const part = (suffix: string) => `${this.name}-${name}-${suffix}`;
    if (credentials !== undefined)
      return {
        accessKeyId: value(credentials.accessKeyId),
        secretAccessKey: pulumi.secret(value(credentials.secretAccessKey)),
      };
    if (made) return made;
    return {
      accessKeyId: new RandomId(part("key-id"), { byteLength: 10 }, { parent: this }).hex,
      secretAccessKey: new RandomPassword(part("key"), { length: 40, special: false }, { parent: this })
        .result,
    };
  }

  private credentials(
    suffix: string,
    store: Store,
    keys: Keys,
    settings: Settings,
    namespace: string,
    options: pulumi.CustomResourceOptions = {},
  ): Secret {
    return new Secret(
      `${this.name}-${suffix}`,
      {
        metadata: targetMetadata(settings, store, namespace),
        data: pulumi.secret({
          [storeKeys.accessKeyId]: keys.accessKeyId.apply(base64),
          [storeKeys.secretAccessKey]: keys.secretAccessKey.apply(base64),
        }),
      },
      { parent: this, ...options },
    );
  }

  /** The certificate of a store's CA in a Secret, though it is no secret: that is where everything finds it. */
  private ca(
    suffix: string,
    { secretName, key }: NonNullable<Store["ca"]>,
    certificate: pulumi.Input<string>,
    settings: Settings,
  ): Secret {
    return new Secret(
      `${this.name}-${suffix}`,
      {
        metadata: {
          name: secretName,
          namespace: settings.cluster.namespace,
          labels: this.labels(settings),
        },
        data: { [key]: pulumi.output(certificate).apply(base64) },
      },
      { parent: this },
    );
  }

  /** Returns the certificate of its CA; undefined for a target that isn't local. */
  private localStore(
    { settings, localStores }: BackupArgs,
    target: Target,
    store: Store,
    keys: Keys,
    storesNamespace: Namespace,
  ): pulumi.Output<string> | undefined {
    const planned = localStores?.stores.find((one) => one.target === target.name);
    if (localStores === undefined || planned === undefined) return undefined;
    const namespace = localStores.namespace.name;
    const dependsOn = [storesNamespace];
    const credentials = this.credentials(`${target.name}-own-credentials`, store, keys, settings, namespace, {
      dependsOn,
      retainOnDelete: true,
    });
    const certificates = new Certificates(
      `${this.name}-${target.name}-certificates`,
      {
        tls: planned.tls,
        namespace,
        caNamespace: settings.cluster.namespace,
        retained: true,
        labels: this.labels(settings),
      },
      { parent: this, dependsOn },
    );
    const id = `store-${target.name}`;
    registerObjects(
      this.name,
      planned.objects,
      { parent: this, dependsOn: [credentials, certificates] },
      // It reads its keys when it starts.
      { [id]: { spec: { template: { metadata: { annotations: { [keysAnnotation]: keys.accessKeyId } } } } } },
    );
    return certificates.caCertificate;
  }
}

/** Annotation of pods that read access keys when they start: what they were started with. */
const keysAnnotation = "pgplatform.io/access-key-id";

/** Another text for other keys, from which they can't be told. */
const fingerprint = (all: readonly Keys[]): pulumi.Output<string> =>
  pulumi.unsecret(
    pulumi
      .all(all.map(({ accessKeyId, secretAccessKey }) => pulumi.all([accessKeyId, secretAccessKey])))
      .apply((keys) => createHash("sha256").update(JSON.stringify(keys)).digest("hex").slice(0, 12)),
  );
