import * as pulumi from "@pulumi/pulumi";
import { registerObjects } from "./register";
import { withLabels, type PlannedObject } from "../plan/objects";

export interface LoginsArgs {
  /** The Job that tries the logins. Another generation is another Job. */
  readonly check: PlannedObject;
  /** Further labels of the Job. */
  readonly labels: Readonly<Record<string, string>>;
}

/** The logins of a generation of passwords, tried; complete when each of them works. */
export class Logins extends pulumi.ComponentResource {
  constructor(name: string, args: LoginsArgs, options: pulumi.ComponentResourceOptions = {}) {
    super("pgplatform:components:Logins", name, {}, options);
    registerObjects(name, withLabels([args.check], args.labels), { parent: this });
    this.registerOutputs({});
  }
}
