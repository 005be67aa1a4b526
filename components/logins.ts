import * as pulumi from "@pulumi/pulumi";
import type { PlannedObject } from "../plan/objects";
import { registerObjects } from "./register";

export interface LoginsArgs {
  /** The Job that tries the logins. Another version of the passwords is another Job. */
  readonly objects: readonly PlannedObject[];
}

/** The logins of a version of the passwords, tried; complete when each of them works. */
export class Logins extends pulumi.ComponentResource {
  constructor(name: string, args: LoginsArgs, options: pulumi.ComponentResourceOptions = {}) {
    super("pgplatform:components:Logins", name, {}, options);
    registerObjects(name, args.objects, { parent: this });
    this.registerOutputs({});
  }
}
