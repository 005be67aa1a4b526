import * as pulumi from "@pulumi/pulumi";
import type { PlannedObject } from "../plan/objects";
import { registerObjects } from "./register";

export interface ObjectsArgs {
  /** What is registered, stage after stage. */
  readonly objects: readonly PlannedObject[];
}

/** A component that is its planned objects and no more; `type` is the last part of its type. */
export abstract class Objects extends pulumi.ComponentResource {
  /** By the ids that the plan gives them. */
  protected readonly registered: Readonly<Record<string, pulumi.CustomResource>>;

  protected constructor(
    type: string,
    name: string,
    { objects }: ObjectsArgs,
    options: pulumi.ComponentResourceOptions,
  ) {
    super(`pgplatform:components:${type}`, name, {}, options);
    this.registered = registerObjects(name, objects, { parent: this });
    this.registerOutputs({});
  }
}
