import { RunError, runtime } from "@pulumi/pulumi";
import { program } from "./stacks/program";
import { UserError } from "./shell/userError";

/** Keys of which the value has a secret in it, as Pulumi's language host names them. */
const secretKeys = (): string[] =>
  (JSON.parse(process.env.PULUMI_CONFIG_SECRET_KEYS ?? "[]") as string[]).map((key) =>
    key.replace(":config:", ":"),
  );

async function outputs(): Promise<Record<string, unknown>> {
  try {
    return await program(runtime.allConfig(), { project: runtime.getProject(), secretKeys: secretKeys() });
  } catch (error) {
    // Pulumi prints a RunError's message alone; a stack trace would help nobody with a wrong setting.
    if (error instanceof UserError) throw new RunError(`\n  ${error.problems.join("\n  ")}`);
    throw error;
  }
}

export = outputs;
