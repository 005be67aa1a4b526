import * as pulumi from "@pulumi/pulumi";
import type { PlannedObject } from "../../plan/objects";
import { registerObjects } from "../register";

export interface MetricsArgs {
  /** How a Prometheus finds the metrics, alerts and dashboards. A change restarts nothing of PostgreSQL. */
  readonly objects: readonly PlannedObject[];
}

/** What a Prometheus and a Grafana are told of a cluster. */
export class Metrics extends pulumi.ComponentResource {
  constructor(name: string, args: MetricsArgs, options: pulumi.ComponentResourceOptions = {}) {
    super("pgplatform:components:Metrics", name, {}, options);
    registerObjects(name, args.objects, { parent: this });
    this.registerOutputs({});
  }
}
