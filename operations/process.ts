import { execa, type Options } from "execa";

export interface RunOptions {
  cwd?: string;
  env?: Record<string, string | undefined>;
  /** Text for the command's standard input; without it standard input is empty. */
  input?: string;
  /** Milliseconds after which the command is ended. @default - none */
  timeoutMs?: number;
  /** Ends the command (SIGINT first, SIGKILL 30 s later) when it fires. */
  signal?: AbortSignal;
  /** Called with every line of either stream, as it comes. */
  onLine?: (line: string) => void;
  /** Accept a non-zero exit code. @default false */
  allowFailure?: boolean;
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
  }
}

const TAIL_LINES = 25;

/** Runs a command to its end; throws CommandError with the last lines that it printed when it fails. */
export async function run(
  command: string,
  args: readonly string[] = [],
  options: RunOptions = {},
): Promise<RunResult> {
  const execaOptions: Options = {
    reject: false,
    all: true,
    stdin: options.input === undefined ? "ignore" : "pipe",
    forceKillAfterDelay: 30_000,
    maxBuffer: 256 * 1024 * 1024,
    ...(options.cwd !== undefined && { cwd: options.cwd }),
    ...(options.env !== undefined && { env: options.env as Record<string, string> }),
    ...(options.input !== undefined && { input: options.input }),
    ...(options.timeoutMs !== undefined && { timeout: options.timeoutMs }),
    ...(options.signal !== undefined && { cancelSignal: options.signal, killSignal: "SIGINT" as const }),
  };
  const child = execa(command, [...args], execaOptions);
  if (options.onLine) {
    void (async () => {
      for await (const line of child.iterable({ from: "all" })) options.onLine?.(String(line));
    })().catch(() => undefined);
  }
  const result = await child;
  const exitCode = result.exitCode;
  if (result.failed && !(options.allowFailure === true && exitCode !== undefined)) {
    const shown = [command, ...args].join(" ");
    const tail = String(result.all ?? "")
      .split("\n")
      .slice(-TAIL_LINES);
    const why = result.timedOut
      ? `did not end within ${Math.round((options.timeoutMs ?? 0) / 1000)} s`
      : result.isCanceled
        ? "was interrupted"
        : exitCode === undefined
          ? `could not be run: ${result.shortMessage ?? "unknown reason"}`
          : `failed with exit code ${exitCode}`;
    throw new CommandError(shown.length > 160 ? `${shown.slice(0, 157)}...` : shown, exitCode, tail, why);
  }
  return {
    stdout: String(result.stdout ?? ""),
    stderr: String(result.stderr ?? ""),
    exitCode: exitCode ?? -1,
  };
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
