import * as pulumi from "@pulumi/pulumi";
import type { Flow } from "./engine";
import { networkPolicies } from "./networkPolicies";
import { registerObjects } from "./objects";

export interface NetworkArgs {
  /** Name of the cluster; the policies' names begin with it. */
  readonly cluster: string;
  /** Namespace that is closed but for the flows. */
  readonly namespace: string;
  /** All that may pass. A change takes effect at once. */
  readonly flows: readonly Flow[];
}

/** A closed namespace, opened for exactly the listed flows. */
export class Network extends pulumi.ComponentResource {
  constructor(name: string, args: NetworkArgs, options: pulumi.ComponentResourceOptions = {}) {
    super("pgplatform:components:Network", name, {}, options);
    registerObjects(name, networkPolicies(args.cluster, args.namespace, args.flows), { parent: this });
    this.registerOutputs({});
  }
}
