import { Secret } from "@pulumi/kubernetes/core/v1/secret";
import * as pulumi from "@pulumi/pulumi";
import { base64 } from "../plan/base64";
import { Issued } from "./certificates";
import type { OperatorPlan } from "../plan/plan";
import { registerObjects } from "./register";
import { type Overlay } from "../plan/objects";
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
    for (const { id, names, use, secretName } of args.plan.certificates ?? []) {
      const issued = new Issued(`${name}-${id}`, { names, use }, { parent: this });
      new Secret(
        `${name}-${id}-secret`,
        {
          metadata: { name: secretName, namespace: args.plan.namespace },
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
    this.namespace = args.plan.namespace;
    this.registerOutputs({ namespace: this.namespace });
  }
}
