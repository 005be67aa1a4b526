import * as pulumi from "@pulumi/pulumi";
import type { Flow } from "../plan/network";
import { networkPolicies } from "../plan/networkPolicies";
import { registerObjects } from "./register";
import { withLabels } from "../plan/objects";

export interface NetworkArgs {
  /** Name of the cluster; the policies' names begin with it. */
  readonly cluster: string;
  /** Namespace that is closed but for the flows. */
  readonly namespace: string;
  /** All that may pass. A change takes effect at once. */
  readonly flows: readonly Flow[];
  /** Further labels of the policies. */
  readonly labels: Readonly<Record<string, string>>;
}

/** A closed namespace, opened for exactly the listed flows. */
export class Network extends pulumi.ComponentResource {
  constructor(name: string, args: NetworkArgs, options: pulumi.ComponentResourceOptions = {}) {
    super("pgplatform:components:Network", name, {}, options);
    const policies = networkPolicies(args.cluster, args.namespace, args.flows);
    registerObjects(name, withLabels(policies, args.labels), { parent: this });
    this.registerOutputs({});
  }
}
