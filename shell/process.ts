import { spawn } from "node:child_process";

export interface RunOptions {
  cwd?: string;
  /** Added to the environment; `undefined` removes a variable. */
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
  }
}

const TAIL_LINES = 25;
const KILL_AFTER_MS = 30_000;

/** Cuts a stream into lines, whatever its chunks; `flush` hands over a last line without a line end. */
function lineSplitter(onLine: (line: string) => void) {
  let rest = "";
  return {
    push(chunk: string) {
      const lines = (rest + chunk).split("\n");
      rest = lines.pop() ?? "";
      lines.forEach(onLine);
    },
    flush() {
      if (rest !== "") onLine(rest);
      rest = "";
    },
  };
}

/** Runs a command to its end; throws CommandError with the last lines that it printed when it fails. */
export function run(
  command: string,
  args: readonly string[] = [],
  options: RunOptions = {},
): Promise<RunResult> {
  return new Promise((resolve, reject) => {
    const shown = [command, ...args].join(" ").replace(/\s+/g, " ");
    const tail: string[] = [];
    const fail = (exitCode: number | undefined, why: string) =>
      reject(new CommandError(shown.length > 160 ? `${shown.slice(0, 157)}...` : shown, exitCode, tail, why));
    if (options.signal?.aborted === true) return fail(undefined, "was not started: interrupted");

    const child = spawn(command, args, {
      cwd: options.cwd,
      env: { ...process.env, ...options.env },
      detached: options.ownGroup === true,
      stdio: [options.input === undefined ? "ignore" : "pipe", "pipe", "pipe"],
    });
    let stdout = "";
    let stderr = "";
    let ending: "timeout" | "interrupt" | undefined;
    let killTimer: NodeJS.Timeout | undefined;
    const end = (reason: "timeout" | "interrupt") => {
      ending ??= reason;
      child.kill(reason === "interrupt" ? "SIGINT" : "SIGTERM");
      killTimer ??= setTimeout(() => child.kill("SIGKILL"), KILL_AFTER_MS);
    };
    const timeout =
      options.timeoutMs === undefined ? undefined : setTimeout(() => end("timeout"), options.timeoutMs);
    const interrupt = () => end("interrupt");
    options.signal?.addEventListener("abort", interrupt, { once: true });

    const remember = (line: string) => {
      tail.push(line);
      if (tail.length > TAIL_LINES) tail.shift();
      options.onLine?.(line);
    };
    const outLines = lineSplitter(remember);
    const errLines = lineSplitter(remember);
    child.stdout
      ?.setEncoding("utf8")
      .on("data", (chunk: string) => ((stdout += chunk), outLines.push(chunk)));
    child.stderr
      ?.setEncoding("utf8")
      .on("data", (chunk: string) => ((stderr += chunk), errLines.push(chunk)));
    // A command may end without reading its input.
    child.stdin?.on("error", () => undefined).end(options.input);

    const settle = () => {
      clearTimeout(timeout);
      clearTimeout(killTimer);
      options.signal?.removeEventListener("abort", interrupt);
    };
    child.on("error", (error) => {
      settle();
      fail(undefined, `could not be run: ${error.message}`);
    });
    child.on("close", (code, signal) => {
      settle();
      outLines.flush();
      errLines.flush();
      if (ending === "timeout")
        return fail(undefined, `did not end within ${Math.round((options.timeoutMs ?? 0) / 1000)} s`);
      if (ending === "interrupt") return fail(undefined, "was interrupted");
      if (code === null) return fail(undefined, `was ended by ${signal}`);
      if (code !== 0 && options.allowFailure !== true) return fail(code, `failed with exit code ${code}`);
      resolve({ stdout, stderr, exitCode: code });
    });
  });
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
