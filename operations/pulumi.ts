import { randomBytes } from "node:crypto";
import { mkdir, readdir, readFile, rm, writeFile } from "node:fs/promises";
import { hostname } from "node:os";
import { join } from "node:path";
import { setTimeout as delay } from "node:timers/promises";
import { parse, stringify } from "yaml";
import { encrypted } from "../settings/schema/types";
import type { KubernetesObject } from "../plan/objects";
import { packArguments, protectionName } from "../policy/arguments";
import {
  changing,
  isProtection,
  type PlannedStep,
  previewErrors,
  ProtectedPlan,
  stepsIn,
  violationsIn,
} from "./previewReport";
import { UserError } from "../shell/userError";
import { exists, projectDir, stacksDir, stateDir } from "../shell/paths";
import { type StepContext } from "../shell/progress";
import { run, type RunResult } from "../shell/process";

export type { PlannedStep } from "./previewReport";
export { ProtectedPlan } from "./previewReport";

export const PROJECT = "postgres-platform";

/** For temporary files of the CLI, its providers and the program: only this user can read them. */
const temporary = join(stateDir, "pulumi-tmp");

/** The Kubernetes provider copies the kubeconfig, credentials and all, into a temporary file, and leaves it there. */
async function removeKubeconfigs(): Promise<void> {
  const files = (await readdir(temporary)).filter((file) => file.startsWith("kubeconfig"));
  await Promise.all(files.map((file) => rm(join(temporary, file), { force: true })));
}

/** Settings that the machine, not the stack file, decides: laid over the copy of the stack file. */
export type Overlay = Record<string, unknown>;

/** A resource in the state, as far as it is used here. */
export interface StateResource {
  readonly urn: string;
  readonly type: string;
  readonly inputs?: KubernetesObject;
  readonly outputs?: Record<string, unknown>;
  readonly protect?: boolean;
  readonly retainOnDelete?: boolean;
}

export interface PreviewOptions {
  /** Compare with the cluster, not only with the state. */
  readonly refresh: boolean;
  readonly context?: StepContext;
  /** Hold the plan to the policy pack. @default false */
  readonly policies?: boolean;
  /** Called with what violates a policy that is advisory; a mandatory one fails the preview. */
  readonly onAdvice?: (sentence: string) => void;
  /** Whether what violates the policy of protected data is another's to judge. @default false */
  readonly judged?: boolean;
}

/** A Pulumi stack file, as far as it is used here. */
export interface StackFile {
  encryptionsalt?: string;
  config?: Record<string, unknown>;
}

/** Values as Pulumi has encrypted them stand for texts that only the program sees. */
export function withoutSecrets(value: unknown): unknown {
  if (Array.isArray(value)) return value.map(withoutSecrets);
  if (typeof value !== "object" || value === null) return value;
  const entries = Object.entries(value);
  if (entries.length === 1 && entries[0]?.[0] === "secure") return encrypted;
  return Object.fromEntries(entries.map(([key, inner]) => [key, withoutSecrets(inner)]));
}

/** A stack file's configuration for a state with another passphrase; logins of providers are those of the environment then. */
export const undecrypted = (config: Record<string, unknown>): Record<string, unknown> =>
  Object.fromEntries(
    Object.entries(config)
      .map(([key, value]) => [key, withoutSecrets(value)] as const)
      .filter(([, value]) => value !== encrypted),
  );

/** The stack file of that name, from the project's root or the folder in `PGP_STACKS`; one sentence when there is none. */
export async function readStackFile(name: string, folder = stacksDir): Promise<StackFile> {
  const path = join(folder, `Pulumi.${name}.yaml`);
  if (await exists(path)) return (parse(await readFile(path, "utf8")) as StackFile | null) ?? {};
  const files = await readdir(folder).catch(() => {
    throw new UserError([
      `PGP_STACKS: "${folder}" is not a folder; name one that holds Pulumi.<stack>.yaml.`,
    ]);
  });
  const known = files.flatMap((file) => /^Pulumi\.([\w-]+)\.yaml$/.exec(file)?.[1] ?? []);

  throw new UserError([`STACK: "${name}" has no stack file; the stacks are ${known.join(", ") || "none"}.`]);
}

/** How long a Pulumi process of an earlier, killed run may still take to end. */
const ORPHAN_WAIT_MS = 10 * 60_000;
/** How long it may go on by itself before it is told to end. */
const ORPHAN_PATIENCE_MS = 60_000;

/**
 * One stack of this project, driven through the Pulumi CLI. State and stack file are copies in the state folder, so that the
 * tree stays clean; Pulumi's usual variables (PULUMI_BACKEND_URL, PULUMI_CONFIG_PASSPHRASE…) take precedence.
 */
export class Stack {
  private readonly folder: string;
  /** The copy of the stack file that Pulumi works on. */
  readonly file: string;

  constructor(
    readonly name: string,
    private readonly toolFolders: readonly string[],
    private readonly signal?: AbortSignal,
    /** A folder for a state of its own that is thrown away; Pulumi's usual variables count for nothing then. */
    private readonly scratch?: string,
  ) {
    this.folder = join(scratch ?? stateDir, "stacks");
    this.file = join(this.folder, `Pulumi.${name}.yaml`);
  }

  /** The environment that the Pulumi CLI needs, for this process's commands and for a user's own. */
  async environment(): Promise<Record<string, string>> {
    const home = this.scratch ?? stateDir;
    const env = this.scratch === undefined ? process.env : {};
    const passphrase = join(home, "passphrase");
    const given = env.PULUMI_CONFIG_PASSPHRASE ?? env.PULUMI_CONFIG_PASSPHRASE_FILE;
    await mkdir(join(home, "pulumi"), { recursive: true, mode: 0o700 });
    if (given === undefined && !(await exists(passphrase))) {
      await writeFile(passphrase, `${randomBytes(24).toString("base64url")}\n`, { mode: 0o600, flag: "wx" });
    }
    return {
      PATH: [...this.toolFolders, process.env.PATH ?? ""].join(":"),
      PULUMI_BACKEND_URL: env.PULUMI_BACKEND_URL ?? `file://${join(home, "pulumi")}`,
      ...(given === undefined && { PULUMI_CONFIG_PASSPHRASE_FILE: passphrase }),
      PULUMI_SKIP_UPDATE_CHECK: "true",
      PULUMI_DISABLE_AUTOMATIC_PLUGIN_ACQUISITION: "true",
      // Knows --event-log then.
      PULUMI_DEBUG_COMMANDS: "true",
      // A field that someone changed by hand belongs to another field manager: take it back instead of failing.
      PULUMI_K8S_ENABLE_PATCH_FORCE: "true",
      // The operator's CRDs pass through engine and provider several times: collect their garbage less often.
      GOGC: process.env.GOGC ?? "400",
    };
  }

  private async pulumi(
    args: readonly string[],
    options: { context?: StepContext; cwd?: string; allowFailure?: boolean; signal?: AbortSignal } = {},
  ): Promise<RunResult> {
    const signals = [this.signal, options.signal].filter((signal) => signal !== undefined);
    await mkdir(temporary, { recursive: true, mode: 0o700 });
    const work = run("pulumi", [...args, "--non-interactive", "--color", "never"], {
      cwd: options.cwd ?? projectDir,
      env: { ...(await this.environment()), TMPDIR: temporary },
      ownGroup: true,
      ...(options.context && {
        onLine: (line: string) =>
          tells(line) && options.context?.detail(line.replace(/^@ |kubernetes:/g, "")),
      }),
      ...(options.allowFailure === true && { allowFailure: true }),
      ...(signals.length > 0 && { signal: AbortSignal.any(signals) }),
    });
    return work.finally(removeKubeconfigs);
  }

  private get target(): string[] {
    return ["--stack", this.name, "--config-file", this.file];
  }

  /** True when the stack has been made. */
  async exists(): Promise<boolean> {
    return (await this.state()) !== undefined && (await exists(this.file));
  }

  /** Makes the stack if need be and refreshes the copy of its file: the tree's settings with the overlay over them. */
  async prepare(overlay: Overlay): Promise<void> {
    const tree = await readStackFile(this.name);
    await mkdir(this.folder, { recursive: true, mode: 0o700 });
    await writeFile(join(this.folder, "Pulumi.yaml"), stringify({ name: PROJECT, runtime: "nodejs" }));
    if (!(await this.exists())) {
      // `stack init` writes the encryption salt beside the Pulumi.yaml of its working folder: that is the copy.
      const { exitCode } = await this.pulumi(["stack", "select", this.name], {
        cwd: this.folder,
        allowFailure: true,
      });
      if (exitCode !== 0) await this.pulumi(["stack", "init", this.name], { cwd: this.folder });
    }
    const copy: StackFile = (await exists(this.file))
      ? ((parse(await readFile(this.file, "utf8")) as StackFile) ?? {})
      : {};
    // Secrets in the tree's file are encrypted with its own salt.
    const { encryptionsalt = copy.encryptionsalt } = tree;
    const salt = encryptionsalt === undefined ? {} : { encryptionsalt };
    const config = { ...tree.config, ...overlay };
    const merged: StackFile =
      this.scratch === undefined ? { ...copy, ...salt, config } : { ...copy, config: undecrypted(config) };
    await writeFile(this.file, stringify(merged), { mode: 0o600 });
  }

  /** Removes what a killed run left behind: its lock, once its process is gone, and operations that it never finished. */
  async recover(context: StepContext): Promise<void> {
    const locks = await this.locks();
    if (locks.length === 0) return;
    const deadline = Date.now() + ORPHAN_WAIT_MS;
    for (const lock of locks) {
      const patience = Date.now() + ORPHAN_PATIENCE_MS;
      let asked = false;
      while (lock.hostname === hostname() && (await isPulumi(lock.pid))) {
        if (Date.now() > deadline || this.signal?.aborted === true) {
          throw new Error(
            `a Pulumi process (${lock.pid}) of an earlier run still works on stack ${this.name}; wait for it or end it.`,
          );
        }
        context.detail(`waiting for an earlier run's Pulumi (process ${lock.pid}) to end`);
        if (Date.now() > patience && !asked) {
          // It may wait for hours, as for a restore; what it has begun is continued. It ends in order and keeps what it knows.
          context.say(`an earlier run's Pulumi (process ${lock.pid}) still waits: it is told to end`);
          asked = true;
          try {
            process.kill(lock.pid, "SIGINT");
          } catch {
            // It has ended meanwhile.
          }
        }
        await delay(500);
      }
    }
    if ((await this.locks()).length === 0) return;
    context.say("an earlier run was killed: its lock is removed");
    await this.pulumi(["cancel", "--yes", "--stack", this.name]);
  }

  /** Looks at what is really there, so that the next plan repairs what was changed or deleted by hand, or never finished. */
  async refresh(context: StepContext): Promise<void> {
    await this.pulumi(["refresh", "--yes", "--skip-preview", "--clear-pending-creates", ...this.target], {
      context,
    });
  }

  private async locks(): Promise<{ pid: number; hostname: string }[]> {
    const { PULUMI_BACKEND_URL: backend = "" } = await this.environment();
    if (!backend.startsWith("file://")) return [];
    const folder = join(backend.slice("file://".length), ".pulumi/locks/organization", PROJECT, this.name);
    const files = (await exists(folder)) ? await readdir(folder) : [];
    const contents = await Promise.all(
      files
        .filter((file) => file.endsWith(".json"))
        .map((file) => readFile(join(folder, file), "utf8").catch(() => "")),
    );
    // A lock that is half written has no owner.
    return contents.map((text) => {
      try {
        return JSON.parse(text) as { pid: number; hostname: string };
      } catch {
        return { pid: -1, hostname: "" };
      }
    });
  }

  /** What an update would change. */
  async preview(options: PreviewOptions): Promise<PlannedStep[]> {
    const { policies, onAdvice, judged, ...unjudged } = options;
    if (options.refresh && policies === true) {
      // In one run Pulumi would show the policies what it has just refreshed and is about to delete, too.
      await this.preview({ ...options, refresh: false }).catch((error: unknown) => {
        // The other one finds it too.
        if (!(options.judged === true && error instanceof ProtectedPlan)) throw error;
      });
      return this.preview(unjudged);
    }
    // The report on standard output tells nothing of policies; the engine's events do.
    const events = join(this.folder, `${this.name}.events.json`);
    const args = [
      "preview",
      "--json",
      ...this.target,
      ...(options.refresh ? ["--refresh"] : []),
      ...(policies === true ? [...packArguments, "--event-log", events] : []),
    ];
    const result = await this.pulumi(args, { allowFailure: true });
    const violations =
      policies === true && (await exists(events)) ? violationsIn(await readFile(events, "utf8")) : [];
    await rm(events, { force: true });
    const others =
      judged === true ? violations.filter(({ policy }) => policy !== protectionName) : violations;
    const mandatory = others.filter((violation) => violation.mandatory).map(({ sentence }) => sentence);
    if (mandatory.length > 0) throw new UserError(mandatory);
    const isRefused = others.length < violations.length;
    if (result.exitCode !== 0) {
      const why = previewErrors(result);
      if (isProtection(why, isRefused)) throw new ProtectedPlan(why, await this.wholePlan(stepsIn(result)));
      throw new Error(why);
    }
    others.forEach(({ sentence }) => onAdvice?.(sentence));
    return changing(stepsIn(result));
  }

  /** All that a refused plan would do: the engine ends at the first thing that it doesn't delete, and has told of all that stays before. */
  private async wholePlan(steps: readonly PlannedStep[]): Promise<PlannedStep[]> {
    const told = new Set(steps.filter(({ op }) => op !== "refresh").map(({ urn }) => urn));
    const gone = (await this.resources()).filter(({ urn }) => !told.has(urn));
    return [
      ...changing(steps),
      ...gone.map((resource): PlannedStep => ({ op: "delete", urn: resource.urn, oldState: resource })),
    ];
  }

  /**
   * Applies the copy of the stack file; `signal` ends it in order, beside the signal of the whole command. `replaced`: URNs of what is made again though
   * nothing of it has changed.
   */
  async up(context: StepContext, signal?: AbortSignal, replaced: readonly string[] = []): Promise<string> {
    const again = replaced.flatMap((urn) => ["--replace", urn]);
    const args = ["up", "--yes", "--skip-preview", "--suppress-outputs", ...again, ...this.target];
    return (await this.pulumi(args, { context, ...(signal && { signal }) })).stdout;
  }

  /**
   * Takes protection from resources in the state, so that the next update may delete or replace them, and the retention of those that `kept` doesn't name.
   * An update of a program that has them still protects them again.
   */
  async lift(urns: readonly string[], kept: (resource: StateResource) => boolean): Promise<void> {
    const text = urns.length === 0 ? undefined : await this.state();
    if (text === undefined) return;
    const state = JSON.parse(text) as { deployment?: { resources?: Record<string, unknown>[] } };
    let lifted = false;
    for (const resource of state.deployment?.resources ?? []) {
      if (!urns.includes(String(resource.urn))) continue;
      const fields = kept(resource as unknown as StateResource) ? ["protect"] : ["protect", "retainOnDelete"];
      for (const field of fields) {
        lifted ||= resource[field] === true;
        resource[field] = false;
      }
    }
    if (!lifted) return;
    const file = join(this.folder, `${this.name}.state.json`);
    try {
      await writeFile(file, JSON.stringify(state), { mode: 0o600 });
      await this.pulumi(["stack", "import", "--stack", this.name, "--file", file]);
    } finally {
      await rm(file, { force: true });
    }
  }

  /** The resources in the stack's state; none when the stack has not been made. */
  async resources(): Promise<StateResource[]> {
    const state = await this.state();
    if (state === undefined) return [];
    return (JSON.parse(state) as { deployment?: { resources?: [] } }).deployment?.resources ?? [];
  }

  /** The other stacks whose states lie in the same place. */
  async others(): Promise<Stack[]> {
    const { stdout } = await this.pulumi(["stack", "ls", "--json"]);
    const names = (JSON.parse(stdout) as { name: string }[]).map(({ name }) => name);
    return names.filter((name) => name !== this.name).map((name) => new Stack(name, this.toolFolders));
  }

  /** The stack's state as Pulumi exports it; undefined when there is no such stack. */
  private async state(): Promise<string | undefined> {
    const { exitCode, stdout, stderr } = await this.pulumi(["stack", "export", "--stack", this.name], {
      allowFailure: true,
    });
    if (exitCode === 0) return stdout;
    if (/no stack named/.test(stderr)) return undefined;
    // A place that doesn't answer must not count as one without the stack: what is there would be made again, or deleted unasked.
    throw new UserError([
      `the state of stack ${this.name} can't be read (${stderr.trim().split("\n").at(-1) ?? `pulumi ended with ${exitCode}`}): see that its place answers, and run it again.`,
    ]);
  }

  async destroy(context: StepContext): Promise<void> {
    await this.pulumi(["destroy", "--yes", "--skip-preview", "--suppress-outputs", ...this.target], {
      context,
    });
    await this.pulumi(["stack", "rm", "--yes", "--preserve-config", this.name], { cwd: this.folder });
    await rm(this.file, { force: true });
  }
}

/** Whether a line of Pulumi's output says what it is at. */
const tells = (line: string): boolean => line.trim() !== "" && !line.includes("warning: using pulumi-");

async function isPulumi(pid: number): Promise<boolean> {
  if (pid <= 0) return false;
  try {
    return (await readFile(`/proc/${pid}/cmdline`, "utf8")).split("\0")[0]?.endsWith("pulumi") ?? false;
  } catch {
    return false;
  }
}
