import * as pulumi from "@pulumi/pulumi";
import type { PlannedObject } from "../../plan/objects";
import { registerObjects } from "../register";

export interface LoginReloaderArgs {
  /** The pod that gives PostgreSQL's logins the passwords of their Secrets. */
  readonly objects: readonly PlannedObject[];
}

/** Passwords of another owner in PostgreSQL; complete when each login that its Secret names works. */
export class LoginReloader extends pulumi.ComponentResource {
  constructor(name: string, args: LoginReloaderArgs, options: pulumi.ComponentResourceOptions = {}) {
    super("pgplatform:components:LoginReloader", name, {}, options);
    registerObjects(name, args.objects, { parent: this });
    this.registerOutputs({});
  }
}
