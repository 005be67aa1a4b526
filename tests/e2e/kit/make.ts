import { projectDir } from "../../../shell/paths";
import { run } from "../../../shell/process";
import { say } from "./wait";

export interface Made {
  exitCode: number;
  seconds: number;
  lines: string[];
  /** Last line that isn't empty, without its time. */
  lastLine: string;
}

/** Variables as a user writes them behind `make`. */
export const wordsOf = (variables: Readonly<Record<string, string>> = {}): string[] =>
  Object.entries(variables).map(([name, value]) => `${name}=${value}`);

/** Runs a target of the Makefile as a user does; its lines are shown as they come. */
export async function make(
  target: string,
  options: {
    env?: Record<string, string>;
    /** Of the Makefile, behind the target. */
    variables?: Readonly<Record<string, string>>;
    quiet?: boolean;
  } = {},
): Promise<Made> {
  const started = Date.now();
  const lines: string[] = [];
  const { exitCode } = await run("make", ["--no-print-directory", target, ...wordsOf(options.variables)], {
    cwd: projectDir,
    env: { MAKEFLAGS: undefined, MAKELEVEL: undefined, ...options.env },
    allowFailure: true,
    onLine: (line) => {
      lines.push(line);
      if (options.quiet !== true && line !== "") say(`make ${target}: ${line}`);
    },
  });
  return {
    exitCode,
    seconds: (Date.now() - started) / 1000,
    lines,
    lastLine: withoutTime(lines.findLast((line) => line.trim() !== "") ?? ""),
  };
}

export const withoutTime = (line: string): string => line.replace(/^\[\s*\d+:\d\d\] /, "");
