import { setMaxListeners } from "node:events";
import type { Readable } from "node:stream";

export interface RunOptions {
  cwd?: string;
  /** Added to the environment; `undefined` removes a variable. */
  env?: Record<string, string | undefined>;
  /** For the command's standard input: a text, or what comes while it runs. Without it standard input is empty. */
  input?: string | Readable;
  /** Milliseconds after which the command is ended. @default - none */
  timeoutMs?: number;
  /** Ends the command (SIGINT first, SIGKILL 30 s later) when it fires. */
  signal?: AbortSignal;
  /** Called with every line of either stream, as it comes. */
  onLine?: (line: string) => void;
  /** Keeps no output beyond the last lines: for a command that runs for hours and is read by `onLine`. @default false */
  streams?: boolean;
  /** Accept a non-zero exit code. @default false */
  allowFailure?: boolean;
  /** A process group of its own: a Ctrl-C at the terminal reaches it only through `signal`, once. @default false */
  ownGroup?: boolean;
}

export interface RunResult {
  stdout: string;
  stderr: string;
  exitCode: number;
}

/** A command that failed: its message is one sentence, `tail` holds the last lines that it printed. */
export class CommandError extends Error {
  constructor(
    readonly command: string,
    readonly exitCode: number | undefined,
    readonly tail: string[],
    why: string,
  ) {
    super(`\`${command}\` ${why}`);
    this.name = "CommandError";
    // Where nobody prints `tail`, as in tests.
    this.stack = [this.stack, ...tail.map((line) => `    | ${line}`)].join("\n");
  }
}

const TAIL_LINES = 25;
const KILL_AFTER_MS = 30_000;

/** Runs a command to its end; throws CommandError with the last lines that it printed when it fails. */
export async function run(
  command: string,
  args: readonly string[] = [],
  options: RunOptions = {},
): Promise<RunResult> {
  const { input, signal, timeoutMs, ownGroup = false } = options;
  const shown = [command, ...args].join(" ").replace(/\s+/g, " ");
  const tail: string[] = [];
  const failure = (exitCode: number | undefined, why: string) =>
    new CommandError(shown.length > 160 ? `${shown.slice(0, 157)}...` : shown, exitCode, tail, why);
  if (signal?.aborted === true) throw failure(undefined, "was not started: interrupted");

  // Many commands at once listen to one signal; Node would take that for a leak, and say so on the screen.
  if (signal) setMaxListeners(0, signal);

  // execa exists as an ES module only, and tsx can't turn one of its dependencies into CommonJS.
  const { execa } = await import("execa");
  const child = execa(command, args, {
    ...(options.cwd !== undefined && { cwd: options.cwd }),
    ...(options.env && { env: options.env }),
    ...(input === undefined ? { stdin: "ignore" } : { input }),
    ...(timeoutMs !== undefined && { timeout: timeoutMs }),
    ...(signal && { cancelSignal: signal, killSignal: "SIGINT" }),
    forceKillAfterDelay: KILL_AFTER_MS,
    detached: ownGroup,
    stripFinalNewline: false,
    maxBuffer: Infinity,
    buffer: options.streams !== true,
    reject: false,
    // A command that is half done, dpkg for one, isn't ended because this process ends.
    cleanup: false,
  });
  // A command is told to end once, and sees to its own processes; what is left of its group then is killed.
  child.once("exit", () => {
    if (!ownGroup || !child.killed || child.pid === undefined) return;
    try {
      process.kill(-child.pid, "SIGKILL");
    } catch {
      // Nothing is left of it.
    }
  });
  const read = async (from: "stdout" | "stderr") => {
    for await (const line of child.iterable({ from })) {
      tail.push(line);
      if (tail.length > TAIL_LINES) tail.shift();
      options.onLine?.(line);
    }
  };
  const reading = child.pid === undefined ? [] : [read("stdout"), read("stderr")];
  const [{ stdout = "", stderr = "", exitCode, ...ending }] = await Promise.all([child, ...reading]);
  if (ending.timedOut)
    throw failure(undefined, `did not end within ${Math.round((timeoutMs ?? 0) / 1000)} s`);
  if (ending.isCanceled) throw failure(undefined, "was interrupted");
  if (ending.signal !== undefined) throw failure(undefined, `was ended by ${ending.signal}`);
  if (exitCode === undefined) throw failure(undefined, `could not be run: ${ending.originalMessage}`);
  if (exitCode !== 0 && options.allowFailure !== true)
    throw failure(exitCode, `failed with exit code ${exitCode}`);
  return { stdout, stderr, exitCode };
}

/** True when the command is there and ends with 0. */
export async function succeeds(
  command: string,
  args: readonly string[] = [],
  options: RunOptions = {},
): Promise<boolean> {
  try {
    await run(command, args, options);
    return true;
  } catch {
    return false;
  }
}
