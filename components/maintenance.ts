import * as pulumi from "@pulumi/pulumi";
import type { PlannedObject } from "../plan/objects";
import { registerObjects } from "./register";

export interface MaintenanceArgs {
  /** The CronJob that goes over the databases. */
  readonly objects: readonly PlannedObject[];
}

/** VACUUM and ANALYZE in a window. */
export class Maintenance extends pulumi.ComponentResource {
  constructor(name: string, args: MaintenanceArgs, options: pulumi.ComponentResourceOptions = {}) {
    super("pgplatform:components:Maintenance", name, {}, options);
    registerObjects(name, args.objects, { parent: this });
    this.registerOutputs({});
  }
}
