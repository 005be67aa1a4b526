import { Secret } from "@pulumi/kubernetes/core/v1/secret";
import * as pulumi from "@pulumi/pulumi";
import type { SettingsArgs } from "./args";
import { base64 } from "../plan/base64";
import { plannerOf } from "../plan/engines/select";
import { clusterLabel, secretNames } from "../plan/names";
import type { KubernetesObject, Overlay } from "../plan/objects";
import type { OperatorPlan } from "../plan/plan";
import { Transform } from "../plan/transform";
import { operatorManifest } from "../releases/manifest";
import type { Settings, SettingsInput } from "../settings/schema";
import { UserError } from "../shell/userError";
import { Issued } from "./certificates";
import { failPlainly } from "./failure";
import { Inputs } from "./inputs";
import { PullSecret, type PullSecretArgs } from "./pullSecret";
import { registerObjects } from "./register";

/** An engine's operator for all clusters of a Kubernetes cluster. */
export interface OperatorArgs {
  /** Which operator: cnpg (CloudNativePG, with its plugin for backups) or zalando. */
  readonly engine: "cnpg" | "zalando";
  /** What Kubernetes this is; it decides the images. @default "cloud" */
  readonly platform?: SettingsInput["platform"];
  /** Images in the place of the default ones, or a mirror of their registries. A change rolls the operator. */
  readonly images?: SettingsInput["images"];
  /** Logins at private registries, for the operator's own image. @default - none */
  readonly registries?: NonNullable<SettingsArgs["registries"]>;
  /**
   * Keys of labels that clusters hand to their pods and volumes; only zalando needs to know them here. Each cluster's `labels` must be among them.
   * @default - none
   */
  readonly labelKeys?: readonly string[];
  /** Whether instances must keep to nodes of their own; with zalando it holds for all clusters. @default "required" */
  readonly spread?: Settings["cluster"]["spread"];
  /** Whether clusters archive to object stores; cnpg has a plugin for that. @default true */
  readonly backups?: boolean;
  /** Fields laid over the operator's objects, by their ids or kinds. @default - the objects as planned */
  readonly transform?: Readonly<Record<string, Overlay>>;
  /** The operator's released objects. @default - those of the pinned release */
  readonly released?: () => readonly KubernetesObject[];
}

/** An operator that a platform has planned. */
interface PlannedOperator {
  readonly plan: OperatorPlan;
  /** Logins at private registries. @default - none */
  readonly pullSecret?: Omit<PullSecretArgs, "namespace">;
}

/** What clusters of an operator that isn't theirs have to agree with. */
export interface OperatorScope {
  readonly engine: Settings["cluster"]["engine"];
  readonly spread: Settings["cluster"]["spread"];
  readonly labelKeys: readonly string[];
  readonly backups: boolean;
}

/** An engine's operator, from its released manifest. Its CRDs outlive the stack: deleting them would delete every cluster. */
export class Operator extends pulumi.ComponentResource {
  /** Namespace that the operator runs in. */
  public readonly namespace: string;
  /** What its clusters have to agree with; undefined for one that a platform has for itself. */
  public readonly scope: OperatorScope | undefined;

  constructor(
    name: string,
    args: OperatorArgs | PlannedOperator,
    options: pulumi.ComponentResourceOptions = {},
  ) {
    super("pgplatform:components:Operator", name, {}, options);
    const { plan, pullSecret, scope } = "plan" in args ? { ...args, scope: undefined } : planned(name, args);
    if (scope !== undefined)
      failPlainly(`Operator ${name}`, () => installOnce(`operator ${name}`, scope.engine, this));
    const objects = registerObjects(name, plan.objects, { parent: this });
    // Beside the Deployment, which waits for its image and so for this.
    const first = plan.objects.find(({ object }) => object.kind === "Namespace");
    const namespace = first && objects[first.id];
    if (pullSecret)
      new PullSecret(
        `${name}-registries`,
        { ...pullSecret, namespace: plan.namespace },
        { parent: this, ...(namespace && { dependsOn: [namespace] }) },
      );
    for (const { id, names, use, secretName } of plan.certificates ?? []) {
      const issued = new Issued(`${name}-${id}`, { names, use }, { parent: this });
      new Secret(
        `${name}-${id}-secret`,
        {
          metadata: { name: secretName, namespace: plan.namespace },
          type: "kubernetes.io/tls",
          data: {
            // With its CA behind it: a client shows its certificate only to a server that names who signed it.
            "tls.crt": pulumi.concat(issued.certificate, "\n", issued.ca).apply(base64),
            "tls.key": issued.privateKey.apply(base64),
          },
        },
        { parent: this, ...(namespace && { dependsOn: [namespace] }) },
      );
    }
    this.namespace = plan.namespace;
    this.scope = scope;
    this.registerOutputs({ namespace: this.namespace });
  }
}

/** Plans an operator without a cluster: the settings' checks and defaults serve it, for a cluster that nobody makes. */
function planned(
  name: string,
  { engine, platform = "cloud", labelKeys = [], spread = "required", backups = true, ...args }: OperatorArgs,
): PlannedOperator & { scope: OperatorScope } {
  const { transform, released = () => operatorManifest(engine), ...rest } = args;
  return failPlainly(`Operator ${name}`, () => {
    const inputs = new Inputs(rest);
    const raw = {
      ...(inputs.plain as object),
      platform,
      // What prod asks of a cluster is nothing that an operator could hold.
      tier: "dev",
      cluster: {
        name,
        namespace: "operator",
        engine,
        spread,
        storage: { class: "none", size: "1Gi" },
        databases: [{ name: "app", owner: "app" }],
      },
      labels: Object.fromEntries(labelKeys.map((key) => [key, "x"])),
      ...(backups && { backup: { targets: [{ name: "store", kind: "local" }] } }),
    };
    const settings = inputs.settings(raw);
    const plan = plannerOf(settings).operator?.(settings, released());
    if (plan === undefined) throw new UserError([`The engine ${engine} has no operator.`]);
    const overlays = new Transform({ operator: transform });
    const objects = overlays.over("operator", plan.objects);
    overlays.finish();
    return {
      plan: { ...plan, objects },
      ...(settings.registries.length > 0 && {
        pullSecret: {
          secretName: secretNames.registries(name),
          registries: settings.registries,
          labels: { [clusterLabel]: name },
          value: inputs.value,
        },
      }),
      scope: { engine, spread, labelKeys, backups },
    };
  });
}

/** What installs an operator in this program, by engine, for each Kubernetes provider. */
const installers = new WeakMap<object, Map<string, string>>();

/** Refuses a second operator of an engine in one Kubernetes cluster: both would change the same objects. */
export function installOnce(installer: string, engine: string, component: pulumi.Resource): void {
  const provider = component.getProvider("kubernetes:core/v1:Namespace");
  // Each run of a program has a connection to the engine of its own; so has each test.
  const key = provider ?? pulumi.runtime.getMonitor() ?? installers;
  const ofCluster = installers.get(key) ?? new Map<string, string>();
  installers.set(key, ofCluster);
  const other = ofCluster.get(engine);
  if (other !== undefined)
    throw new UserError([
      `The ${other} installs the operator of ${engine} already, and a Kubernetes cluster has one. ` +
        "Allowed: one operator. Fix: make it once with `new Operator(…)` and give it to each platform as operator.",
    ]);
  ofCluster.set(engine, installer);
}
