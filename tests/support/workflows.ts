import { spawn } from "node:child_process";
import { mkdirSync, readdirSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { parse } from "yaml";
import { projectDir } from "../../shell/paths";
import { filledIn, isTrue } from "./expressions";

/** A runner of workflows, step by step: `run` is executed as GitHub's runner does, and actions are stand-ins of the test's own. */

export interface Step {
  readonly id?: string;
  readonly if?: string;
  readonly uses?: string;
  readonly run?: string;
  readonly with?: Readonly<Record<string, unknown>>;
  readonly env?: Readonly<Record<string, unknown>>;
}

export interface Job {
  readonly if?: string;
  readonly needs?: string | readonly string[];
  readonly env?: Readonly<Record<string, unknown>>;
  readonly outputs?: Readonly<Record<string, string>>;
  readonly permissions?: Readonly<Record<string, string>>;
  readonly environment?: string;
  readonly strategy?: { readonly "fail-fast"?: boolean; readonly matrix: Readonly<Record<string, unknown>> };
  readonly steps: readonly Step[];
}

export interface Workflow {
  readonly on: unknown;
  readonly permissions: unknown;
  readonly jobs: Readonly<Record<string, Job>>;
}

const folder = join(projectDir, ".github", "workflows");

/** Every workflow, by its file's name. */
export const workflows = (): Record<string, { readonly text: string; readonly workflow: Workflow }> =>
  Object.fromEntries(
    readdirSync(folder).map((file) => {
      const text = readFileSync(join(folder, file), "utf8");
      return [file.replace(/\.ya?ml$/, ""), { text, workflow: parse(text) as Workflow }];
    }),
  );

export type Action = (given: Readonly<Record<string, unknown>>, workspace: string) => void;

export interface Runner {
  /** A folder for this job alone. */
  readonly workspace: string;
  /** What the expressions know: github, vars, secrets, needs, matrix. */
  readonly scope: Readonly<Record<string, unknown>>;
  /** By the action's name, without its version. */
  readonly actions: Readonly<Record<string, Action>>;
  readonly env: Readonly<Record<string, string>>;
}

export interface Result {
  /** False where the job's condition isn't fulfilled. */
  readonly ran: boolean;
  readonly failed: boolean;
  readonly outputs: Readonly<Record<string, unknown>>;
  readonly summary: string;
  /** What the steps printed. */
  readonly printed: string;
}

const asText = (value: unknown): string =>
  typeof value === "object" && value !== null
    ? JSON.stringify(value)
    : String((value as string | undefined) ?? "");

const texts = (
  given: Readonly<Record<string, unknown>> = {},
  scope: Runner["scope"],
): Record<string, string> =>
  Object.fromEntries(Object.entries(given).map(([key, value]) => [key, asText(filledIn(value, scope))]));

const conditionOf = (text: string | undefined, scope: Runner["scope"]): boolean =>
  text === undefined || isTrue(filledIn(/\$\{\{/.test(text) ? text : `\${{ ${text} }}`, scope));

/** As GitHub's runner does by default: `bash -e`. */
const execute = (
  script: string,
  cwd: string,
  env: Record<string, string>,
): Promise<{ code: number; printed: string }> =>
  new Promise((resolve, reject) => {
    const child = spawn("bash", ["-e", "-c", script], { cwd, env, stdio: ["ignore", "pipe", "pipe"] });
    let printed = "";
    for (const stream of [child.stdout, child.stderr])
      stream.on("data", (data: Buffer) => (printed += data.toString()));
    child.on("error", reject).on("close", (code) => resolve({ code: code ?? 1, printed }));
  });

/** Runs a job for one of its matrix. */
export async function runJob(job: Job, { workspace, scope: given, actions, env }: Runner): Promise<Result> {
  const steps: Record<string, { outputs: Record<string, string> }> = {};
  const scope = { steps, ...given };
  const result = { ran: false, failed: false, outputs: {}, summary: "", printed: "" };
  if (!conditionOf(job.if, scope)) return result;
  mkdirSync(workspace, { recursive: true });
  const files = { GITHUB_OUTPUT: `${workspace}.output`, GITHUB_STEP_SUMMARY: `${workspace}.summary` };
  let failed = false;
  let printed = "";
  for (const path of Object.values(files)) writeFileSync(path, "");
  for (const step of job.steps) {
    // A step without a condition runs as long as none has failed.
    if (step.if === undefined ? failed : !conditionOf(step.if, scope)) continue;
    if (step.uses !== undefined) {
      const name = step.uses.split("@")[0] ?? "";
      const action = actions[name];
      if (action === undefined) throw new Error(`no stand-in for ${name}`);
      action(
        Object.fromEntries(
          Object.entries(step.with ?? {}).map(([key, value]) => [key, filledIn(value, scope)]),
        ),
        workspace,
      );
      continue;
    }
    writeFileSync(files.GITHUB_OUTPUT, "");
    const all = { ...env, ...files, ...texts(job.env, scope), ...texts(step.env, scope) };
    const done = await execute(String(filledIn(step.run, scope)), workspace, all);
    printed += done.printed;
    if (done.code !== 0) failed = true;
    const lines = readFileSync(files.GITHUB_OUTPUT, "utf8").trim().split("\n");
    if (step.id !== undefined)
      steps[step.id] = {
        outputs: Object.fromEntries(
          lines.map((line) => [line.slice(0, line.indexOf("=")), line.slice(line.indexOf("=") + 1)]),
        ),
      };
  }
  return {
    ran: true,
    failed,
    outputs: texts(job.outputs, scope),
    summary: readFileSync(files.GITHUB_STEP_SUMMARY, "utf8"),
    printed,
  };
}

/** The values of a job's matrix, of one name. */
export const matrixOf = (job: Job, name: string, scope: Runner["scope"]): string[] =>
  filledIn(job.strategy?.matrix[name], scope) as string[];
