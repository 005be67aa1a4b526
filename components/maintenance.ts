import type * as pulumi from "@pulumi/pulumi";
import { Objects, type ObjectsArgs } from "./objects";

/** VACUUM and ANALYZE in a window: the CronJob that goes over the databases. */
export class Maintenance extends Objects {
  constructor(name: string, args: ObjectsArgs, options: pulumi.ComponentResourceOptions = {}) {
    super("Maintenance", name, args, options);
  }
}
