import * as pulumi from "@pulumi/pulumi";
import type { Endpoint } from "../plan/network";
import { registerObjects } from "./register";
import type { PoolerPlan } from "../plan/pooler/plan";

export interface PoolerArgs {
  /** What the pooler consists of. A change of its configuration rolls its pods, which drain their sessions. */
  readonly plan: PoolerPlan;
}

/** PgBouncer in front of a cluster of any engine. */
export class Pooler extends pulumi.ComponentResource {
  /** Where clients connect to. */
  public readonly endpoint: Endpoint;

  constructor(name: string, args: PoolerArgs, options: pulumi.ComponentResourceOptions = {}) {
    super("pgplatform:components:Pooler", name, {}, options);
    registerObjects(name, args.plan.objects, { parent: this });
    this.endpoint = args.plan.endpoint;
    this.registerOutputs({ endpoint: this.endpoint });
  }
}
