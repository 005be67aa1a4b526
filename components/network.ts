import * as pulumi from "@pulumi/pulumi";
import type { PlannedObject } from "../plan/objects";
import { registerObjects } from "./register";

export interface NetworkArgs {
  /** Network policies of one namespace. A change takes effect at once. */
  readonly policies: readonly PlannedObject[];
}

/** A closed namespace, opened for exactly the planned flows. */
export class Network extends pulumi.ComponentResource {
  constructor(name: string, args: NetworkArgs, options: pulumi.ComponentResourceOptions = {}) {
    super("pgplatform:components:Network", name, {}, options);
    registerObjects(name, args.policies, { parent: this });
    this.registerOutputs({});
  }
}
