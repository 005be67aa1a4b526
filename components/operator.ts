import * as pulumi from "@pulumi/pulumi";
import type { OperatorPlan } from "./engine";
import { registerObjects, type Overlay } from "./objects";
import { PullSecret, type PullSecretArgs } from "./pullSecret";

export interface OperatorArgs {
  /** The engine's plan of its operator. A change of its image rolls the operator, which then rolls the instances. */
  readonly plan: OperatorPlan;
  /**
   * Logins at private registries, for the operator's own image.
   * @default - none
   */
  readonly pullSecret?: Omit<PullSecretArgs, "namespace">;
  /**
   * Merged into the planned objects, by their ids.
   * @default - the objects as planned
   */
  readonly transform?: Readonly<Record<string, Overlay>>;
}

/** An engine's operator, from its released manifest. Its CRDs outlive the stack: deleting them would delete every cluster. */
export class Operator extends pulumi.ComponentResource {
  /** Namespace that the operator runs in. */
  public readonly namespace: string;

  constructor(name: string, args: OperatorArgs, options: pulumi.ComponentResourceOptions = {}) {
    super("pgplatform:components:Operator", name, {}, options);
    const objects = registerObjects(name, args.plan.objects, { parent: this }, args.transform);
    // Beside the Deployment, which waits for its image and so for this.
    const home = args.plan.objects.find(({ object }) => object.kind === "Namespace");
    const namespace = home && objects[home.id];
    if (args.pullSecret)
      new PullSecret(
        `${name}-registries`,
        { ...args.pullSecret, namespace: args.plan.namespace },
        { parent: this, ...(namespace && { dependsOn: [namespace] }) },
      );
    this.namespace = args.plan.namespace;
    this.registerOutputs({ namespace: this.namespace });
  }
}
