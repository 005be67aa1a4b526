import * as pulumi from "@pulumi/pulumi";

/** Reads a module whose provider not every program has; `load` is `require` of who asks, and `what` needs it. */
export function onDemand(load: NodeJS.Require, module: string, provider: string, what: string): unknown {
  try {
    return load(module);
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== "MODULE_NOT_FOUND") throw error;
    throw new pulumi.RunError(
      `${what} needs the package ${provider}, which is not installed. Fix: npm install ${provider}.`,
    );
  }
}
