import type * as pulumi from "@pulumi/pulumi";
import { Objects, type ObjectsArgs } from "../objects";

/** The pod that gives PostgreSQL's logins the passwords of their Secrets, which another owner has; complete when each login works. */
export class LoginReloader extends Objects {
  constructor(name: string, args: ObjectsArgs, options: pulumi.ComponentResourceOptions = {}) {
    super("LoginReloader", name, args, options);
  }
}
