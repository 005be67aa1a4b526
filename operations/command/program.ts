import { Command, CommanderError, Option } from "commander";
import { type Progress, Progress as Lines } from "../../shell/progress";
import { CommandError } from "../../shell/process";
import { UserError } from "../../shell/userError";
import { type Call, type CommandSpec, commonOptions, exits, groups, type Outcome } from "./spec";

/** What a run prints into; tests give their own. */
export interface Streams {
  readonly out: (text: string) => void;
  readonly err: (text: string) => void;
}

const standard: Streams = {
  out: (text) => process.stdout.write(text),
  err: (text) => process.stderr.write(text),
};

/** What of a failure a user reads: never a stack trace for a user's mistake. */
function told(error: unknown, err: (text: string) => void): { exit: number; problems: string[] } {
  const { name, message } = error as Error;
  if (name === "InterruptedError") return { exit: 130, problems: [message] };
  if (error instanceof CommandError) {
    error.tail.forEach((line) => err(`  | ${line}\n`));
    return { exit: 1, problems: [`${message}; its last lines are above.`] };
  }
  if (process.env.DEBUG !== undefined && !(error instanceof UserError))
    err(`${(error as Error).stack ?? message}\n`);
  return { exit: 1, problems: message.split("\n") };
}

/** Runs a command, prints its closing line or its answer, and gives its exit code. */
export async function execute(
  spec: CommandSpec,
  given: Omit<Call, "progress" | "json">,
  streams: Streams = standard,
): Promise<number> {
  const json = given.options.json === true;
  const aside = json || spec.answers === true;
  const progress: Progress = new Lines((line) => (aside ? streams.err : streams.out)(`${line}\n`));
  const answer = (value: unknown) => streams.out(`${JSON.stringify(value, undefined, 2)}\n`);
  try {
    // Before anything else: a name that is no engine's is refused at once.
    if ((process.env.ENGINE ?? "") !== "") (await import("../layers")).engineAsked();
    const outcome: Outcome = await spec.run({ ...given, json, progress });
    const { line = "", exit = 0 } = outcome;
    if (json && spec.jsonLines !== true)
      answer(outcome.data ?? { command: spec.name, ok: exit === 0, message: line });
    else if (line !== "") {
      if (spec.answers === true && spec.jsonLines !== true) streams.out(`${line}\n`);
      else progress.line(line);
    }
    return exit;
  } catch (error) {
    const { exit, problems } = told(error, streams.err);
    problems.forEach((problem) => progress.line(exit === 130 ? problem : `error: ${problem}`));
    if (json && spec.jsonLines !== true)
      answer({ command: spec.name, ok: false, message: problems[0] ?? "", problems });
    return exit;
  }
}

/** Options that stand for variables, which everything below reads. */
function intoEnvironment({ context, yes }: Call["options"]): void {
  if (typeof context === "string") process.env.CONTEXT = context;
  if (yes === true) process.env.FORCE = "1";
}

/** What help says behind the options. */
export function helpOf(spec: CommandSpec): string {
  const { examples, text = [], exits: own = {}, make } = spec;
  const width = Math.max(...examples.map(({ command }) => command.length));
  const codes = Object.entries({ ...exits, ...own });
  return [
    ...text.map((sentence) => `\n${sentence}`),
    "\nExamples:",
    ...examples.map(({ command, does }) => `  pgp ${command.padEnd(width)}  ${does}`),
    "\nExit codes:",
    ...codes.map(([code, meaning]) => `  ${code.padStart(3)}  ${meaning}`),
    "\n`--schema` prints the JSON schema of what `--json` prints.",
    ...(make === undefined ? [] : [`\`make ${make}\` is a short name of it.`]),
  ].join("\n");
}

async function schemaText(spec: CommandSpec): Promise<string> {
  const { result, schemaOf } = await import("./schemas");
  const schema = spec.json ? (await spec.json()).schema : schemaOf(result);
  return JSON.stringify(schema, undefined, 2);
}

/** Adds one command where its words lead to. */
function add(
  parent: Command,
  spec: CommandSpec,
  word: string,
  end: (exit: number) => void,
  streams: Streams,
): void {
  const command = parent
    .command(word)
    .description(spec.summary)
    .helpGroup(`${groups[spec.group]}:`)
    .addHelpText("after", helpOf(spec));
  for (const { syntax, meaning } of spec.positional ?? []) command.argument(syntax, meaning);
  // What follows the words of psql is psql's.
  if (spec.positional?.some(({ syntax }) => syntax.includes("..."))) command.passThroughOptions();
  for (const { flags, meaning, fallback, choices } of [...(spec.options ?? []), ...commonOptions(spec)]) {
    const option = new Option(flags, meaning);
    if (fallback !== undefined) option.default(fallback);
    if (choices !== undefined) option.choices(choices);
    command.addOption(option);
  }
  command.addOption(new Option("--schema", "print the JSON schema of what --json prints").hideHelp());
  command.action(async (...all: unknown[]) => {
    // Commander gives what stands behind the command, then the options, then itself.
    const behind = all.slice(0, -2).flat() as (string | undefined)[];
    const options = command.opts<Call["options"]>();
    if (options.schema === true) {
      streams.out(`${await schemaText(spec)}\n`);
      return;
    }
    intoEnvironment(options);
    const positional = behind.filter((one) => one !== undefined);
    end(await execute(spec, { options, positional }, streams));
  });
}

const environment = `
Environment:
  ENGINE=<engine>        what runs PostgreSQL, instead of the stack file's engine: cnpg, zalando or standalone
  CONTEXT=<context>      use the Kubernetes cluster of this kubeconfig context (default: k3d, else the built-in cluster)
  FORCE=1                answer every question with yes
  POLICY=0               preview without the policy pack
  NO_COLOR=1             no colours, on a terminal too
  PGP_STACKS=<folder>    look for Pulumi.<stack>.yaml there (default: the project's root)
  PGP_MIRROR=<url>       fetch tools and manifests from <url>/<publisher's host>/<path> (HTTPS_PROXY and NO_PROXY count, too)
  PGP_STATE, PGP_CACHE   folders for what must be kept and for what can be made again
  DEBUG=1                stack traces of unexpected errors`;

const parents: Readonly<Record<string, string>> = {
  ci: "what workflows call",
  pooler: "look into the poolers, and have them connect again",
  upgrade: "upgrade PostgreSQL",
};

/** The whole program; `end` gets the exit code of what was run. */
export function programOf(
  specs: readonly CommandSpec[],
  end: (exit: number) => void,
  streams: Streams = standard,
): Command {
  const configure = (command: Command): Command =>
    command
      .exitOverride()
      .configureOutput({ writeOut: streams.out, writeErr: streams.err })
      .enablePositionalOptions()
      .showHelpAfterError("(--help lists what is allowed)");
  const program = configure(new Command("pgp"))
    .description("High availability PostgreSQL on Kubernetes, from nothing to a written row.")
    .commandsGroup(`${groups.more}:`)
    .addHelpText("after", environment);
  const families = new Map<string, Command>();
  for (const spec of specs) {
    const [first = "", second] = spec.name.split(" ");
    if (second === undefined) {
      add(program, spec, first, end, streams);
      continue;
    }
    const known = families.get(first);
    const family =
      known ??
      program
        .command(first)
        .description(parents[first] ?? first)
        .helpGroup(`${groups[spec.group]}:`);
    families.set(first, family);
    add(family, spec, second, end, streams);
  }
  return program;
}

/** Parses a command line and runs it; gives the exit code. */
export async function runLine(
  specs: readonly CommandSpec[],
  line: readonly string[],
  streams: Streams = standard,
): Promise<number> {
  let exit = 0;
  const program = programOf(specs, (code) => (exit = code), streams);
  try {
    await program.parseAsync(line, { from: "user" });
    return exit;
  } catch (error) {
    if (!(error instanceof CommanderError)) throw error;
    return error.exitCode === 0 ? 0 : 2;
  }
}
