import { Namespace } from "@pulumi/kubernetes/core/v1/namespace";
import * as pulumi from "@pulumi/pulumi";
import type { Settings } from "../settings/schema";
import { Backup } from "./backup";
import { backupPlan } from "../plan/backup/plan";
import { Certificates } from "./certificates";
import { Cluster } from "./cluster";
import { Credentials } from "./credentials";
import type { Plan } from "../plan/plan";
import type { Engine } from "../plan/engines/engine";
import { allFlows } from "../plan/flows";
import { loginCheck } from "../plan/loginCheck";
import { Logins } from "./logins";
import { clusterLabel, secretNames } from "../plan/names";
import { Network } from "./network";
import { merge, withLabels, type Overlay, type KubernetesObject, type PlannedObject } from "../plan/objects";
import { Operator } from "./operator";
import { podSecurity } from "../plan/podSecurity";
import { poolerCredentials, poolerPlan, type PoolerPlan } from "../plan/pgbouncer/plan";
import { Pooler } from "./pooler";
import { rotationAnnotation } from "../plan/postgres/rotation";
import { PullSecret } from "./pullSecret";
import { Wiring } from "./wiring";
import { clientWirings, type ClientWiring } from "../plan/wiringPlan";

export interface PostgresPlatformArgs {
  /** Checked settings. */
  readonly settings: Settings;
  /** What runs PostgreSQL. */
  readonly engine: Engine;
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

/** The cluster object says how far its passwords are: `make up` goes on from there. */
const withRotation = (
  planned: readonly PlannedObject[],
  engine: Engine,
  { rotation }: Settings,
): PlannedObject[] =>
  planned.map((one) =>
    rotation.generation > 1 && engine.shape(one.object)
      ? {
          ...one,
          object: merge(one.object, { metadata: { annotations: rotationAnnotation(rotation) } }),
        }
      : one,
  );

/** A PostgreSQL with everything that belongs to it, in a namespace of its own. */
export class PostgresPlatform extends pulumi.ComponentResource {
  /** What the engine planned. */
  public readonly plan: Plan;
  /** What stands in front of it. */
  public readonly poolers: readonly PoolerPlan[];
  /** What the clients' namespaces get. */
  public readonly wiring: readonly ClientWiring[];
  /** Generated passwords, by the ids of the plan's credentials. */
  public readonly passwords: Readonly<Record<string, pulumi.Output<string>>>;
  /** Certificate of the authority that clients must trust, in PEM. */
  public readonly authorityPem: pulumi.Output<string>;

  constructor(name: string, args: PostgresPlatformArgs, options: pulumi.ComponentResourceOptions = {}) {
    super("pgplatform:components:PostgresPlatform", name, {}, options);
    const { settings, engine, transform = {} } = args;
    const { namespace, name: clusterName } = settings.cluster;

    const { labels } = settings;
    const planned = engine.plan(settings);
    this.plan = {
      ...planned,
      objects: withLabels(withRotation(planned.objects, engine, settings), labels),
    };
    this.poolers = settings.poolers
      .map((pooler) => poolerPlan(settings, pooler, this.plan))
      .map((pooler) => ({ ...pooler, objects: withLabels(pooler.objects, labels) }));

    this.wiring = clientWirings(settings, this.plan, this.poolers);

    const pullSecret = settings.registries.length > 0 && {
      secretName: secretNames.registries(clusterName),
      registries: settings.registries,
      labels: { ...labels, [clusterLabel]: clusterName },
    };

    const operator =
      engine.operator && settings.operator.install
        ? new Operator(
            `${name}-operator`,
            {
              plan: engine.operator(settings, args.operatorManifest()),
              ...(pullSecret && { pullSecret }),
              ...(transform.operator && { transform: transform.operator }),
            },
            { parent: this },
          )
        : undefined;

    const home = new Namespace(
      `${name}-namespace`,
      {
        metadata: {
          name: namespace,
          labels: {
            ...labels,
            [clusterLabel]: clusterName,
            ...podSecurity(engine.can.podSecurityRestricted === true),
          },
        },
      },
      // In prod nobody deletes the databases by deleting their namespace.
      { parent: this, protect: settings.tier === "prod" },
    );

    const backups = backupPlan(settings, engine, this.plan);
    const flows = allFlows(settings, this.plan, this.poolers, backups.flows);
    const network = new Network(
      `${name}-network`,
      { cluster: clusterName, namespace, flows, labels },
      { parent: this, dependsOn: [home] },
    );

    const { passwords: together } = this.plan;
    const wanted = [...this.plan.credentials, ...poolerCredentials(settings)];
    const credentials = new Credentials(
      `${name}-credentials`,
      {
        namespace,
        credentials: wanted.map((one) => ({ ...one, labels: { ...labels, ...one.labels } })),
        ...(together && { together: { ...together, labels: { ...labels, ...together.labels } } }),
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
      this.plan.tls.issuer === "platform"
        ? new Certificates(
            `${name}-certificates`,
            { tls: this.plan.tls, namespace, labels: { ...labels, [clusterLabel]: clusterName } },
            { parent: this, dependsOn: [home] },
          )
        : undefined;

    const backup =
      (settings.backup?.targets.length ?? 0) > 0 &&
      new Backup(
        `${name}-backup`,
        {
          settings,
          instances: engine.instancePods.labels(clusterName),
          flows,
          objects: withLabels(backups.objects, labels),
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
        ...(certificates && { authorityPem: certificates.authorityPem }),
        ...(backup && { generation: backup.generation }),
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

    const check = loginCheck(settings, this.plan, this.poolers);
    const logins = check && [
      new Logins(`${name}-logins`, { check, labels }, { parent: this, dependsOn: [cluster, ...poolers] }),
    ];

    if (this.wiring.length > 0)
      new Wiring(
        `${name}-wiring`,
        {
          cluster: clusterName,
          clients: this.wiring,
          passwords: credentials.passwords,
          authorityPem: cluster.authorityPem,
          labels,
        },
        { parent: this, dependsOn: [cluster, ...poolers, ...(logins ?? [])] },
      );

    this.passwords = credentials.passwords;
    this.authorityPem = cluster.authorityPem;
    this.registerOutputs({ authorityPem: this.authorityPem });
  }
}
