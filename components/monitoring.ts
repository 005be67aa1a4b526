import * as pulumi from "@pulumi/pulumi";
import type { PlannedObject } from "../plan/objects";
import { registerObjects } from "./register";

export interface MonitoringArgs {
  /** How a Prometheus finds the metrics, alerts and dashboards. A change restarts nothing of PostgreSQL. */
  readonly objects: readonly PlannedObject[];
}

/** What a Prometheus and a Grafana are told of a cluster. */
export class Monitoring extends pulumi.ComponentResource {
  constructor(name: string, args: MonitoringArgs, options: pulumi.ComponentResourceOptions = {}) {
    super("pgplatform:components:Monitoring", name, {}, options);
    registerObjects(name, args.objects, { parent: this });
    this.registerOutputs({});
  }
}
