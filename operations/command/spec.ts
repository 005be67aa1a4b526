import { type Progress } from "../../shell/progress";

/** What a command is, as plain data: help, completion and docs/pgp.md are made out of it, and `program.ts` runs it. */
export interface CommandSpec {
  /** Its words, such as `up` or `pooler show`. */
  readonly name: string;
  readonly group: Group;
  /** What it does, in one line that begins with a verb. */
  readonly summary: string;
  /** What else a user must know, a sentence a line. @default - nothing */
  readonly text?: readonly string[];
  /** What it works on, which decides its common options: see `commonOptions`. */
  readonly on: "stack" | "platform" | "machine";
  readonly positional?: readonly Positional[];
  readonly options?: readonly OptionSpec[];
  readonly examples: readonly Example[];
  /** Exit codes beside those of every command. @default - none */
  readonly exits?: Readonly<Record<number, string>>;
  /** Whether what it prints is the answer: it alone is on standard output, and progress is on standard error. @default - it isn't */
  readonly answers?: boolean;
  /** Whether it takes `--yes`, since it asks. @default - it doesn't ask */
  readonly asks?: boolean;
  /** Schema of what `--json` prints. @default - `Result`: whether it was done, and the last line */
  readonly json?: () => Promise<{ readonly title: string; readonly schema: object }>;
  /** Whether `--json` is its own: a line for each of many objects. @default - it prints one object at the end */
  readonly jsonLines?: boolean;
  /** The target of the Makefile that calls it. @default - none */
  readonly make?: string;
  readonly run: (call: Call) => Promise<Outcome>;
}

export interface Positional {
  /** As help shows it: `<standby>`, `[arguments...]`. */
  readonly syntax: string;
  readonly meaning: string;
}

export interface OptionSpec {
  /** As commander has it: `-t, --target <name>`. */
  readonly flags: string;
  readonly meaning: string;
  readonly fallback?: string | boolean;
  readonly choices?: readonly string[];
}

export interface Example {
  /** Behind `pgp`. */
  readonly command: string;
  readonly does: string;
}

export interface Call {
  /** By their long names in camel case. */
  readonly options: Readonly<Record<string, string | boolean | undefined>>;
  readonly positional: readonly string[];
  readonly progress: Progress;
  readonly json: boolean;
}

/** What a command has come to. */
export interface Outcome {
  /** The closing line. @default - none */
  readonly line?: string;
  /** What `--json` prints. @default - whether it was done, and the closing line */
  readonly data?: unknown;
  /** @default 0 */
  readonly exit?: number;
}

/** Groups in the order in which help shows them. */
export const groups = {
  look: "Look",
  act: "Act on a running platform",
  backups: "Backups",
  setup: "Set up and remove",
  more: "The command itself",
} as const;
export type Group = keyof typeof groups;

/** What every command may end with. */
export const exits: Readonly<Record<number, string>> = {
  0: "done, or all is well",
  1: "it failed, or was refused: the last line says why",
  2: "wrong arguments",
  130: "interrupted",
};

export const stackOption: OptionSpec = {
  flags: "-s, --stack <name>",
  meaning: "stack file to use: Pulumi.<name>.yaml",
  fallback: "local",
};

const context: OptionSpec = {
  flags: "--context <context>",
  meaning: "Kubernetes cluster: a context of the kubeconfig (default: k3d, else the built-in cluster)",
};

export const commonOptions = ({ on, asks }: Pick<CommandSpec, "on" | "asks">): OptionSpec[] => [
  ...(on === "machine" ? [] : [stackOption, context]),
  ...(on === "platform"
    ? [
        {
          flags: "-n, --namespace <name>",
          meaning: "without the stack at hand: find the platform by its live objects in this namespace",
        },
        {
          flags: "-c, --cluster <name>",
          meaning: "without the stack at hand: find the platform of this name (default: the only one)",
        },
      ]
    : []),
  ...(asks === true ? [{ flags: "-y, --yes", meaning: "ask nothing (FORCE=1 does the same)" }] : []),
  { flags: "--json", meaning: "print the answer as JSON, and progress on standard error" },
];

/** `--archive-id` of `-a, --archive-id <id>`. */
export const longFlag = (flags: string): string => /--[a-z-]+/.exec(flags)?.[0] ?? flags;

/** A text option of a call. */
export const text = ({ options }: Call, name: string): string | undefined => {
  const value = options[name];
  return typeof value === "string" ? value : undefined;
};
/** The stack that a call is about. */
export const stackOf = (call: Call): string => text(call, "stack") ?? "local";
