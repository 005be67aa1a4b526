import { Namespace } from "@pulumi/kubernetes/core/v1/namespace";
import * as pulumi from "@pulumi/pulumi";
import { forReading } from "../plan/bindings";
import type { EnginePlanner } from "../plan/engines/planner";
import type { Endpoint } from "../plan/network";
import type { KubernetesObject } from "../plan/objects";
import { clusterLabel } from "../plan/names";
import { planPlatform, type PlatformPlan } from "../plan/platform";
import { monitoringManifest, operatorManifest } from "../releases/manifest";
import type { Settings } from "../settings/schema";
import type { PoolerArgs, SettingsArgs } from "./args";
import { Backup } from "./backup";
import { Bindings } from "./bindings";
import { CertificateRequest, Certificates } from "./certificates";
import { Cluster } from "./cluster";
import { ownerLogin, uriOf } from "./connection";
import { Credentials } from "./credentials";
import { failPlainly } from "./failure";
import { guard } from "./guard";
import { Inputs } from "./inputs";
import { Logins } from "./logins";
import { Monitoring } from "./monitoring/monitoring";
import { Maintenance } from "./maintenance";
import { Metrics } from "./monitoring/metrics";
import { Network } from "./network";
import { installOnce, Operator } from "./operator";
import { Pooler } from "./pooler";
import { PullSecret } from "./pullSecret";
import { LoginReloader } from "./secrets/reloader";
import { SecretStore } from "./secrets/store";

interface Surroundings {
  /** The operator's released objects; read only where the platform installs the operator. @default - those of the pinned release */
  readonly released?: () => readonly KubernetesObject[];
}

/** A platform: the settings of a stack file, as arguments. */
export interface PostgresPlatformArgs<PoolerName extends string = string> extends SettingsArgs, Surroundings {
  /**
   * The operator that runs the cluster: one that the program made for all its platforms, or whether the platform installs its own.
   * @default - its own, for the engines that have one
   */
  readonly operator?: Operator | { readonly install?: boolean };
  /** PgBouncer poolers in front of the cluster. @default - none */
  readonly poolers?: readonly PoolerArgs<PoolerName>[];
}

/** Settings that were checked already, as a stack's program does. */
export interface CheckedArgs extends Surroundings {
  readonly checked: Settings;
  /** What plans the cluster. @default - the settings' engine */
  readonly engine?: EnginePlanner;
}

/** Where something listens. What depends on it waits until it can be used. */
export interface Address {
  /** Host name that holds in every namespace. */
  readonly host: pulumi.Output<string>;
  readonly port: number;
}

/** How an application reaches its database. What depends on it waits until the database can be used. */
export interface Connection extends Address {
  readonly database: string;
  /** Role that the application logs in as: the database's owner. */
  readonly role: string;
  /** Secret in the cluster's namespace with `username` and `password`. */
  readonly secretName: pulumi.Output<string>;
  /** Certificate of the CA that the application must trust, in PEM. */
  readonly caCertificate: pulumi.Output<string>;
  /** URI with the password in it, unless another owner than the stack gives that; a secret. `sslrootcert` is `ca.crt` in the working folder. */
  readonly uri: pulumi.Output<string>;
}

/** A PostgreSQL with everything that belongs to it. */
export class PostgresPlatform<const PoolerName extends string = string> extends pulumi.ComponentResource {
  /**
   * What was planned; outputs among the arguments are texts in it.
   * @internal
   */
  public readonly planned: PlatformPlan;
  /** Where the standbys listen, for reading; a single instance is the one to read from, too. */
  public readonly standbys: Address;
  /** Where each pooler listens, by its name. */
  public readonly poolers: Readonly<Record<PoolerName, Address>>;
  /** Generated passwords, by the ids of the plan's credentials. */
  public readonly passwords: Readonly<Record<string, pulumi.Output<string>>>;
  /** Certificate of the CA that clients must trust, in PEM. */
  public readonly caCertificate: pulumi.Output<string>;

  private readonly settings: Settings;
  private readonly inputs: Inputs;
  private readonly ready: Readonly<Record<string, pulumi.Resource>>;

  /**
   * Checks the arguments, plans, and registers what was planned. Throws with one sentence for each wrong argument.
   *
   * Providers come by `options.providers`, as for every component.
   */
  constructor(
    name: string,
    args: PostgresPlatformArgs<PoolerName> | CheckedArgs,
    options: pulumi.ComponentResourceOptions = {},
  ) {
    const { settings, inputs, platform, given } = failPlainly(`PostgresPlatform ${name}`, () =>
      planned(args),
    );
    super(
      "pgplatform:components:PostgresPlatform",
      name,
      {},
      {
        ...options,
        transformations: [
          ...(settings.protection.enabled ? [guard] : []),
          ...(options.transformations ?? []),
          ...inputs.transformations,
        ],
      },
    );
    const { name: clusterName } = settings.cluster;
    const { labels, pullSecret } = platform;
    const namespace = platform.namespace.name;
    if (platform.operator)
      failPlainly(`PostgresPlatform ${name}`, () =>
        installOnce(`platform ${name}`, settings.cluster.engine, this),
      );

    const operator =
      platform.operator &&
      new Operator(
        `${name}-operator`,
        {
          plan: platform.operator,
          ...(pullSecret && { pullSecret: { ...pullSecret, value: inputs.value } }),
        },
        { parent: this },
      );

    const made = platform.namespace.made
      ? [
          new Namespace(
            `${name}-namespace`,
            { metadata: { name: namespace, labels: platform.namespace.labels } },
            { parent: this },
          ),
        ]
      : [];

    const network = new Network(
      `${name}-network`,
      { policies: platform.networkPolicies },
      { parent: this, dependsOn: made },
    );

    const monitoring = platform.monitoring
      ? [
          new Monitoring(
            `${name}-monitoring`,
            {
              plan: platform.monitoring,
              labels: { ...labels, [clusterLabel]: clusterName },
              value: inputs.value,
              ...(pullSecret && { pullSecret: { ...pullSecret, value: inputs.value } }),
            },
            // Rights in the namespaces of both; and while the cluster comes up, there is time for it.
            { parent: this, dependsOn: [...made, ...(operator ? [operator] : [])] },
          ),
        ]
      : [];

    const credentials = new Credentials(
      `${name}-credentials`,
      {
        namespace,
        credentials: platform.credentials,
        ...(platform.passwords && { combined: platform.passwords }),
      },
      { parent: this, dependsOn: made },
    );

    const store =
      platform.store &&
      new SecretStore(
        `${name}-secrets`,
        {
          plan: platform.store,
          namespace,
          passwords: credentials.passwords,
          value: inputs.value,
        },
        { parent: this, dependsOn: made },
      );

    const pullSecrets = pullSecret
      ? [
          new PullSecret(
            `${name}-registries`,
            { ...pullSecret, namespace, value: inputs.value },
            { parent: this, dependsOn: made },
          ),
        ]
      : [];

    const certificates =
      platform.certificates &&
      new Certificates(
        `${name}-certificates`,
        { tls: platform.cluster.tls, namespace, labels: platform.certificates.labels },
        { parent: this, dependsOn: made },
      );

    const request =
      platform.certificateRequest &&
      new CertificateRequest(
        `${name}-certificate-request`,
        { objects: platform.certificateRequest },
        { parent: this, dependsOn: made },
      );

    const backup =
      (settings.backup?.targets.length ?? 0) > 0 &&
      new Backup(
        `${name}-backup`,
        {
          settings,
          objects: platform.backups,
          ...(platform.localStores && { localStores: platform.localStores }),
          value: inputs.value,
        },
        { parent: this, dependsOn: [...made, ...pullSecrets] },
      );

    const before = [
      network,
      credentials,
      store,
      ...pullSecrets,
      certificates,
      request,
      operator,
      given,
      backup,
    ];
    const cluster = new Cluster(
      `${name}-cluster`,
      {
        plan: platform.cluster,
        namespace,
        ...(certificates && { caCertificate: certificates.caCertificate }),
        ...(request && { after: request.made }),
        ...(backup && { archiveId: backup.archiveId }),
      },
      { parent: this, dependsOn: before.filter((one) => one !== undefined && one !== false) },
    );

    const poolers = platform.poolers.map(
      (plan) => new Pooler(`${name}-pooler-${plan.name}`, { plan }, { parent: this, dependsOn: [cluster] }),
    );

    if (platform.metrics.length > 0)
      new Metrics(
        `${name}-metrics`,
        { objects: platform.metrics },
        { parent: this, dependsOn: [cluster, ...poolers, ...monitoring] },
      );

    const reloader =
      platform.reloader.length > 0
        ? [
            new LoginReloader(
              `${name}-login-reloader`,
              { objects: platform.reloader },
              { parent: this, dependsOn: [cluster, ...poolers] },
            ),
          ]
        : [];

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

    if (platform.maintenance.length > 0)
      new Maintenance(
        `${name}-maintenance`,
        { objects: platform.maintenance },
        { parent: this, dependsOn: [cluster] },
      );

    if (platform.bindings.length > 0)
      new Bindings(
        `${name}-bindings`,
        {
          cluster: clusterName,
          clients: platform.bindings,
          passwords: credentials.passwords,
          caCertificate: cluster.caCertificate,
          labels,
        },
        { parent: this, dependsOn: [cluster, ...poolers, ...reloader, ...logins] },
      );

    this.planned = platform;
    this.settings = settings;
    this.inputs = inputs;
    this.ready = {
      "": cluster,
      ...Object.fromEntries(platform.poolers.map((plan, index) => [plan.name, poolers[index] ?? cluster])),
    };
    this.passwords = credentials.passwords;
    this.caCertificate = cluster.caCertificate;
    this.standbys = this.address("", forReading(settings, platform.cluster));
    this.poolers = Object.fromEntries(
      platform.poolers.map((plan) => [plan.name, this.address(plan.name, plan.endpoint)]),
    ) as typeof this.poolers;
    this.registerOutputs({ caCertificate: this.caCertificate });
  }

  /**
   * How an application connects: through a pooler, or to the primary itself where no name is given.
   * Throws when there is no pooler of that name.
   */
  connection(pooler?: PoolerName): Connection {
    const { cluster, poolers } = this.planned;
    const asked = pooler === undefined ? undefined : poolers.find(({ name }) => name === pooler);
    if (pooler !== undefined && asked === undefined)
      throw new pulumi.RunError(
        `connection("${pooler}") names no pooler. Allowed: ${poolers.map(({ name }) => name).join(", ") || "none, there are none"}. ` +
          "Fix: name one of them, or leave it out for the primary.",
      );
    const { databases } = this.settings.cluster;
    const served = this.settings.poolers.find(({ name }) => name === pooler)?.database;
    const login = ownerLogin(
      cluster,
      this.passwords,
      databases.find(({ name }) => name === served) ?? databases[0],
    );
    const at = this.address(pooler ?? "", asked?.endpoint ?? cluster.endpoints.primary);
    return {
      ...at,
      database: login.database,
      role: login.role,
      secretName: this.once(pooler ?? "", login.secretName),
      caCertificate: this.caCertificate,
      uri: uriOf(login, at),
    };
  }

  private address(pooler: string, { host, port }: Endpoint): Address {
    return { host: this.once(pooler, host), port };
  }

  /** A text that is known at a preview; what depends on it waits for a pooler, or for the cluster. */
  private once(pooler: string, text: string): pulumi.Output<string> {
    const filled = this.inputs.filled(text);
    return this.ready[pooler]?.urn.apply(() => filled) ?? filled;
  }
}

interface Planned {
  readonly settings: Settings;
  readonly inputs: Inputs;
  readonly platform: PlatformPlan;
  /** The operator that the program made. */
  readonly given?: Operator;
}

function planned(args: PostgresPlatformArgs | CheckedArgs): Planned {
  if ("checked" in args) {
    const { checked: settings, released, engine } = args;
    return { settings, inputs: new Inputs({}), platform: planOf(settings, released, engine) };
  }
  const { operator, released, ...rest } = args;
  const given = operator instanceof Operator ? operator : undefined;
  const inputs = new Inputs({ ...rest, operator: given ? { install: false } : operator });
  const settings = inputs.settings(inputs.plain, (one) => [...connected(one), ...disagreements(one, given)]);
  return { settings, inputs, platform: planOf(settings, released), ...(given && { given }) };
}

const planOf = (
  settings: Settings,
  released = () => operatorManifest(settings.cluster.engine) as readonly KubernetesObject[],
  engine?: EnginePlanner,
): PlatformPlan => planPlatform(settings, released, engine, monitoringManifest);

/** A component gets its provider by its options; a kubeconfig among the settings would have no effect. */
const connected = ({ kubernetes: { kubeconfig, context } }: Settings): string[] =>
  kubeconfig === undefined && context === undefined
    ? []
    : [
        "pgplatform:kubernetes must not be set for a component. Allowed: nothing. Fix: give a Kubernetes provider by the option `providers`.",
      ];

/** What a cluster wants that the operator it was given doesn't do. */
function disagreements({ cluster, labels, backup }: Settings, operator: Operator | undefined): string[] {
  if (operator === undefined) return [];
  if (operator.scope === undefined)
    return [
      "operator is another platform's own. Allowed: one made with `new Operator(…)`. Fix: make it once and give it to all platforms.",
    ];
  const { engine, spread, labelKeys, backups } = operator.scope;
  if (engine !== cluster.engine)
    return [
      `pgplatform:cluster.engine is ${cluster.engine}, and the operator is that of ${engine}. Allowed: ${engine}. Fix: give the operator of the cluster's engine.`,
    ];
  const missing = Object.keys(labels).filter((key) => !labelKeys.includes(key));
  return [
    ...(engine === "zalando" && missing.length > 0
      ? [
          `pgplatform:labels has ${missing.join(", ")}, which the operator doesn't hand on. Allowed: ${labelKeys.join(", ") || "none"}. Fix: add the key to the operator's labelKeys.`,
        ]
      : []),
    ...(engine === "zalando" && spread !== cluster.spread
      ? [
          `pgplatform:cluster.spread is ${cluster.spread}, and the operator spreads all its clusters alike. Allowed: ${spread}. Fix: set the operator's spread.`,
        ]
      : []),
    ...(engine === "cnpg" && !backups && backup !== undefined
      ? [
          "pgplatform:backup is set, and the operator was made without its plugin. Allowed: no backup. Fix: make the operator with backups: true.",
        ]
      : []),
  ];
}
