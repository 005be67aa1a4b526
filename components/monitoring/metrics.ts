import type * as pulumi from "@pulumi/pulumi";
import { Objects, type ObjectsArgs } from "../objects";

/** What a Prometheus and a Grafana are told of a cluster: how the metrics are found, alerts, dashboards. A change restarts nothing of PostgreSQL. */
export class Metrics extends Objects {
  constructor(name: string, args: ObjectsArgs, options: pulumi.ComponentResourceOptions = {}) {
    super("Metrics", name, args, options);
  }
}
