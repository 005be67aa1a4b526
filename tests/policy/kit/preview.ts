import { mkdir, mkdtemp, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { parse, stringify } from "yaml";
import { provideTools } from "../../../local/toolchain/tools";
import { manifestFiles } from "../../../local/manifests";
import { run, type RunResult } from "../../../shell/process";
import type { StepContext } from "../../../shell/progress";
import { installFakeCloud } from "../../fakes/cloud/install";

/** `pulumi preview` through the real engine, with the pack, a state of its own and no cluster. */

export interface Violation {
  readonly level: "mandatory" | "advisory";
  readonly policy: string;
  /** Type and name of the resource, as Pulumi prints them. */
  readonly resource: string;
  readonly message: string;
}

export interface Previewed {
  readonly exitCode: number;
  readonly seconds: number;
  readonly violations: readonly Violation[];
  readonly output: string;
}

/** A kubeconfig whose cluster doesn't answer: Pulumi's Kubernetes provider then plans without asking it. */
const nowhere = JSON.stringify({
  apiVersion: "v1",
  kind: "Config",
  clusters: [{ name: "nowhere", cluster: { server: "https://127.0.0.1:9" } }],
  users: [{ name: "nobody", user: {} }],
  contexts: [{ name: "nowhere", context: { cluster: "nowhere", user: "nobody" } }],
  "current-context": "nowhere",
});

const head = /^\s*- \[(mandatory|advisory)\](?: \[severity: \w+\])?\s+(\S+)\s+\((.*)\)$/;

/** The violations in what Pulumi prints: a head, the policy's description and steps, and the message. */
export function violationsIn(output: string): Violation[] {
  const lines = output.split("\n");
  const from = lines.findIndex((line) => line.startsWith("Policies:"));
  if (from < 0) return [];
  const violations: Violation[] = [];
  for (const line of lines.slice(from + 1)) {
    if (/^\S/.test(line)) break;
    const [, level, policy, resource] = head.exec(line) ?? [];
    if (level !== undefined && policy !== undefined && resource !== undefined)
      violations.push({ level: level as Violation["level"], policy, resource, message: "" });
    else {
      const last = violations.at(-1);
      if (last && line.trim() !== "")
        violations[violations.length - 1] = { ...last, message: `${last.message}\n${line.trim()}`.trim() };
    }
  }
  return violations;
}

const quiet: StepContext = { say: () => undefined, detail: () => undefined };

/** Commands of one stack. */
export interface PreviewedStack {
  (words: readonly string[]): Promise<RunResult>;
  /** Sets keys of its stack file, and removes those that are undefined: quicker than `pulumi config set`. */
  configure(changes: Readonly<Record<string, unknown>>): Promise<void>;
}

export class Previews {
  private constructor(
    private readonly folder: string,
    private readonly environment: Record<string, string>,
  ) {}

  static async make(): Promise<Previews> {
    const folders = await provideTools(quiet);
    await manifestFiles();
    const folder = await mkdtemp(join(tmpdir(), "pgp-policy-"));
    await mkdir(join(folder, "state"));
    await writeFile(join(folder, "kubeconfig"), nowhere, { mode: 0o600 });
    const fakeCloud = await installFakeCloud(folder);
    return new Previews(folder, {
      ...fakeCloud.env,
      PATH: [...folders, fakeCloud.path, process.env.PATH ?? ""].join(":"),
      PULUMI_BACKEND_URL: `file://${join(folder, "state")}`,
      PULUMI_CONFIG_PASSPHRASE: "not-a-secret",
      PULUMI_SKIP_UPDATE_CHECK: "true",
      PULUMI_DISABLE_AUTOMATIC_PLUGIN_ACQUISITION: "true",
      NO_CLUSTER_KUBECONFIG: nowhere,
      // The Kubernetes provider leaves copies of the kubeconfig there.
      TMPDIR: folder,
    });
  }

  /** What makes Pulumi's CLI and its plugins found. */
  get tools(): Record<string, string> {
    return this.environment;
  }

  /** Path of the kubeconfig that leads nowhere. */
  get kubeconfig(): string {
    return join(this.folder, "kubeconfig");
  }

  /** Where the FAKE cloud keeps what was made in it. */
  get fakeCloud(): string {
    return this.environment.FAKE_CLOUD ?? "";
  }

  /** A new stack of a program; the commands that it is given end with its name. */
  async stack(program: string, config: Record<string, unknown>): Promise<PreviewedStack> {
    const stack = `s${Math.random().toString(36).slice(2, 8)}`;
    const file = join(this.folder, `Pulumi.${stack}.yaml`);
    await writeFile(file, stringify({ config }));
    const init = await run("pulumi", ["stack", "init", stack, "--non-interactive"], {
      // `stack init` writes the stack's salt beside a Pulumi.yaml: not into the tree.
      cwd: await this.emptyProject(program),
      env: this.environment,
    });
    if (init.exitCode !== 0) throw new Error(init.stderr);
    const pulumi = ([command = "", ...words]: readonly string[]) =>
      run(
        "pulumi",
        [
          command,
          ...words,
          // What works on the state alone knows no configuration.
          ...(["state", "stack"].includes(command) ? [] : ["--config-file", file]),
          ...["--stack", stack, "--non-interactive", "--color", "never"],
        ],
        { cwd: program, env: this.environment, allowFailure: true },
      );
    const configure = async (changes: Readonly<Record<string, unknown>>) => {
      const written = parse(await readFile(file, "utf8")) as { config: Record<string, unknown> };
      await writeFile(file, stringify({ ...written, config: { ...written.config, ...changes } }));
    };
    return Object.assign(pulumi, { configure });
  }

  /** Previews a program with a configuration; `args` are the pack's, `secrets` values by their paths, which a user sets encrypted. */
  async preview(
    program: string,
    config: Record<string, unknown>,
    args: readonly string[],
    secrets: Readonly<Record<string, string>> = {},
  ): Promise<Previewed> {
    const pulumi = await this.stack(program, config);
    for (const [path, value] of Object.entries(secrets)) {
      const { exitCode, stderr } = await pulumi(["config", "set", "--secret", "--path", path, value]);
      if (exitCode !== 0) throw new Error(stderr);
    }
    const started = performance.now();
    const result = await pulumi(["preview", ...args]);
    const output = result.stdout + result.stderr;
    return {
      exitCode: result.exitCode,
      seconds: (performance.now() - started) / 1000,
      violations: violationsIn(result.stdout),
      output,
    };
  }

  private async emptyProject(program: string): Promise<string> {
    const { name } = parse(await readFile(join(program, "Pulumi.yaml"), "utf8")) as { name: string };
    const folder = join(this.folder, name);
    await mkdir(folder, { recursive: true });
    await writeFile(join(folder, "Pulumi.yaml"), stringify({ name, runtime: "nodejs" }));
    return folder;
  }

  close(): Promise<void> {
    return rm(this.folder, { recursive: true, force: true });
  }
}
