import { RunError, runtime } from "@pulumi/pulumi";
import { program } from "./stacks/program";
import { UserError } from "./shell/userError";

async function outputs(): Promise<Record<string, unknown>> {
  try {
    return await program(runtime.allConfig());
  } catch (error) {
    // Pulumi prints a RunError's message alone; a stack trace would help nobody with a wrong setting.
    if (error instanceof UserError) throw new RunError(`\n  ${error.problems.join("\n  ")}`);
    throw error;
  }
}

export = outputs;
