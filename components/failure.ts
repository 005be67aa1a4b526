import * as pulumi from "@pulumi/pulumi";
import { UserError } from "../shell/userError";

/** Does a component's work; what a user has to change is told without a stack trace, all of it at once. */
export function failPlainly<T>(subject: string, work: () => T): T {
  try {
    return work();
  } catch (error) {
    if (error instanceof UserError) throw new pulumi.RunError([subject, ...error.problems].join("\n  "));
    throw error;
  }
}
