import { Namespace } from "@pulumi/kubernetes/core/v1/namespace";
import * as pulumi from "@pulumi/pulumi";
import type { Settings } from "../settings/schema";
import { Backup } from "./backup";
import { Certificates } from "./certificates";
import { Cluster } from "./cluster";
import { Credentials } from "./credentials";
import type { Plan } from "../plan/plan";
import type { EnginePlanner } from "../plan/engines/planner";
import { Logins } from "./logins";
import { Network } from "./network";
import type { KubernetesObject, Overlay } from "../plan/objects";
import { Operator } from "./operator";
import type { PoolerPlan } from "../plan/pgbouncer/plan";
import { planPlatform } from "../plan/platform";
import { Pooler } from "./pooler";
import { PullSecret } from "./pullSecret";
import { Bindings } from "./bindings";
import type { ClientBinding } from "../plan/bindings";

export interface PostgresPlatformArgs {
  /** Checked settings. */
  readonly settings: Settings;
  /** What runs PostgreSQL. */
  readonly engine: EnginePlanner;
  /** The operator's released objects; read only when the settings install the operator. */
  readonly operatorManifest: () => readonly KubernetesObject[];
  /** Providers for the buckets of backup targets, by the targets' names. @default - the stack's own */
  readonly storeProviders?: Readonly<Record<string, pulumi.ProviderResource>>;
  /**
   * Merged into planned objects, by part and object id.
   * @default - the objects as planned
   */
  readonly transform?: {
    readonly operator?: Readonly<Record<string, Overlay>>;
    readonly cluster?: Readonly<Record<string, Overlay>>;
    readonly pooler?: Readonly<Record<string, Overlay>>;
  };
}

/** A PostgreSQL with everything that belongs to it, in a namespace of its own. */
export class PostgresPlatform extends pulumi.ComponentResource {
  /** What the engine planned. */
  public readonly plan: Plan;
  /** What stands in front of it. */
  public readonly poolers: readonly PoolerPlan[];
  /** What the clients' namespaces get. */
  public readonly bindings: readonly ClientBinding[];
  /** Generated passwords, by the ids of the plan's credentials. */
  public readonly passwords: Readonly<Record<string, pulumi.Output<string>>>;
  /** Certificate of the CA that clients must trust, in PEM. */
  public readonly caCertificate: pulumi.Output<string>;

  constructor(name: string, args: PostgresPlatformArgs, options: pulumi.ComponentResourceOptions = {}) {
    super("pgplatform:components:PostgresPlatform", name, {}, options);
    const { settings, engine, transform = {} } = args;
    const { name: clusterName } = settings.cluster;
    const platform = planPlatform(settings, args.operatorManifest, engine);
    const { labels, flows, pullSecret } = platform;
    const namespace = platform.namespace.name;
    this.plan = platform.cluster;
    this.poolers = platform.poolers;
    this.bindings = platform.bindings;

    const operator =
      platform.operator &&
      new Operator(
        `${name}-operator`,
        {
          plan: platform.operator,
          ...(pullSecret && { pullSecret }),
          ...(transform.operator && { transform: transform.operator }),
        },
        { parent: this },
      );

    const home = new Namespace(
      `${name}-namespace`,
      { metadata: { name: namespace, labels: platform.namespace.labels } },
      { parent: this, protect: platform.namespace.protect },
    );

    const network = new Network(
      `${name}-network`,
      { policies: platform.networkPolicies },
      { parent: this, dependsOn: [home] },
    );

    const credentials = new Credentials(
      `${name}-credentials`,
      {
        namespace,
        credentials: platform.credentials,
        ...(platform.passwords && { combined: platform.passwords }),
      },
      { parent: this, dependsOn: [home] },
    );

    const pullSecrets = pullSecret
      ? [
          new PullSecret(
            `${name}-registries`,
            { ...pullSecret, namespace },
            { parent: this, dependsOn: [home] },
          ),
        ]
      : [];

    const certificates =
      platform.certificates &&
      new Certificates(
        `${name}-certificates`,
        { tls: this.plan.tls, namespace, labels: platform.certificates.labels },
        { parent: this, dependsOn: [home] },
      );

    const backup =
      (settings.backup?.targets.length ?? 0) > 0 &&
      new Backup(
        `${name}-backup`,
        {
          settings,
          instances: engine.instancePods.labels(clusterName),
          flows,
          objects: platform.backups,
          ...(args.storeProviders && { storeProviders: args.storeProviders }),
        },
        { parent: this, dependsOn: [home, ...pullSecrets] },
      );

    const before = [network, credentials, ...pullSecrets, certificates, operator, backup];
    const cluster = new Cluster(
      `${name}-cluster`,
      {
        plan: this.plan,
        namespace,
        ...(certificates && { caCertificate: certificates.caCertificate }),
        ...(backup && { archiveId: backup.archiveId }),
        ...(transform.cluster && { transform: transform.cluster }),
      },
      { parent: this, dependsOn: before.filter((one) => one !== undefined && one !== false) },
    );

    const poolers = this.poolers.map(
      (plan) =>
        new Pooler(
          `${name}-pooler-${plan.name}`,
          { plan, ...(transform.pooler && { transform: transform.pooler }) },
          { parent: this, dependsOn: [cluster] },
        ),
    );

    const logins =
      platform.logins.length > 0
        ? [
            new Logins(
              `${name}-logins`,
              { objects: platform.logins },
              { parent: this, dependsOn: [cluster, ...poolers] },
            ),
          ]
        : [];

    if (this.bindings.length > 0)
      new Bindings(
        `${name}-bindings`,
        {
          cluster: clusterName,
          clients: this.bindings,
          passwords: credentials.passwords,
          caCertificate: cluster.caCertificate,
          labels,
        },
        { parent: this, dependsOn: [cluster, ...poolers, ...logins] },
      );

    this.passwords = credentials.passwords;
    this.caCertificate = cluster.caCertificate;
    this.registerOutputs({ caCertificate: this.caCertificate });
  }
}
