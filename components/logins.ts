import type * as pulumi from "@pulumi/pulumi";
import { Objects, type ObjectsArgs } from "./objects";

/** The Job that tries the logins of a version of the passwords; complete when each of them works. Another version is another Job. */
export class Logins extends Objects {
  constructor(name: string, args: ObjectsArgs, options: pulumi.ComponentResourceOptions = {}) {
    super("Logins", name, args, options);
  }
}
