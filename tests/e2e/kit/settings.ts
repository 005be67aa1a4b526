import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { parse, stringify } from "yaml";
import { projectDir } from "../../../shell/paths";
import { run } from "../../../shell/process";
import { readStackFile, type Stack, type StackFile } from "../../../operations/pulumi";
import { check } from "../../../checks/index";
import type { Settings, SettingsInput } from "../../../settings/schema";
import { stackName } from "./environment";
import { make, withoutTime, type Made } from "./make";

/** The stack file's settings below `pgplatform:`, by their keys. */
export type Edit = (settings: SettingsInput) => void;

/** Settings of a stack file as they are with an engine: standalone has one instance and no standby. */
export function settingsWith(given: SettingsInput, engine: Settings["cluster"]["engine"]): Settings {
  const alone = engine === "standalone" && ({ instances: 1, durability: "async" } as const);
  const result = check({ ...given, cluster: { ...given.cluster, engine, ...alone } });
  if ("problems" in result) throw new Error(JSON.stringify(result.problems));
  return result.settings;
}

/** The tests' stack file with changed settings, in a folder of its own: the tree stays as it is. */
export class ChangedStack {
  private constructor(
    private readonly folder: string,
    private readonly original: StackFile,
  ) {}

  static async open(): Promise<ChangedStack> {
    return new ChangedStack(await mkdtemp(join(tmpdir(), "pgp-changes-")), await readStackFile(stackName));
  }

  /** Writes the file: the tree's settings with all edits, in order; returns them. */
  async write(edits: readonly Edit[]): Promise<SettingsInput> {
    const prefix = "pgplatform:";
    const config = (parse(stringify(this.original.config)) ?? {}) as Record<string, unknown>;
    const settings = Object.fromEntries(
      Object.entries(config).map(([key, value]) => [key.slice(prefix.length), value]),
    );
    for (const edit of edits) edit(settings as SettingsInput);
    const changed = Object.fromEntries(
      Object.entries(settings).map(([key, value]) => [`${prefix}${key}`, value]),
    );
    await writeFile(
      join(this.folder, `Pulumi.${stackName}.yaml`),
      stringify({ ...this.original, config: changed }),
    );
    return settings as SettingsInput;
  }

  /** Encrypts a setting of the file, as a user does; the path is the one below `pgplatform:`. */
  async encrypt(stack: Stack, path: string, value: string): Promise<void> {
    const file = join(this.folder, `Pulumi.${stackName}.yaml`);
    const at = ["--stack", stackName, "--config-file", file];
    await run("pulumi", ["config", "set", "--secret", "--path", `pgplatform:${path}`, value, ...at], {
      cwd: projectDir,
      env: await stack.environment(),
    });
  }

  /** What the commands must be told to work on this file. */
  variables(): Record<string, string> {
    return { PGP_STACKS: this.folder, STACK: stackName };
  }

  /** `variables`: further ones of the Makefile. */
  make(
    target: "up" | "preview" | "destroy" | "backup" | "backups" | "verify" | "forget" | "restore" | "status",
    variables: Readonly<Record<string, string>> = {},
  ): Promise<Made> {
    return make(target, {
      env: this.variables(),
      variables: { ...variables, ...(target === "destroy" && { FORCE: "1" }) },
    });
  }

  /** The steps that `make preview` shows, each as `<op> <type> <name>`. */
  async planned(): Promise<{ steps: string[]; notes: string[] }> {
    const { exitCode, lines } = await this.make("preview");
    if (exitCode !== 0) throw new Error(`\`make preview\` failed: ${lines.slice(-5).join(" | ")}`);
    const shown = lines.map(withoutTime);
    return {
      steps: shown.flatMap(
        (line) => /^ {2}([a-z-]+ (?:kubernetes|random|pgplatform|pulumi):.*)$/.exec(line)?.[1] ?? [],
      ),
      notes: shown.flatMap((line) => /^ {2}note: (.*)$/.exec(line)?.[1] ?? []),
    };
  }

  /** Deletes what a suite has made, by `remove` what the stack doesn't delete, and makes the tree's stack again for the next one. `LEAVE=1` leaves all as it is. */
  async giveBack(remove: () => Promise<void>): Promise<void> {
    if (process.env.LEAVE !== "1") {
      await this.write([]);
      await this.make("destroy");
      await remove();
      await this.make("up");
    }
    await this.close();
  }

  close(): Promise<void> {
    return rm(this.folder, { recursive: true, force: true });
  }
}
