import { spawn } from "node:child_process";
import { join } from "node:path";
import { setTimeout as delay } from "node:timers/promises";
import { CommandError, run } from "../../../shell/process";

const programs = join(__dirname, "..", "programs");

const made = (name: string): string => {
  const path = process.env[name];
  if (path === undefined) throw new Error("run `npm run clients`, which makes what these tests need");
  return path;
};

export type Language = "python" | "node" | "go" | "java";

const command = {
  python: ([program = "", ...args]: readonly string[]) => [made("CLIENTS_PYTHON"), join(programs, `${program}.py`), ...args],
  node: (args: readonly string[]) => ["node", join(made("CLIENTS_NODE"), "client.js"), ...args],
  go: (args: readonly string[]) => [made("CLIENTS_GO"), ...args],
  java: (args: readonly string[]) => ["java", "-cp", `${made("CLIENTS_JAVA")}:${made("CLIENTS_JAVA")}/jars/*`, "Client", ...args],
} as const;

/** What a client's program says, as one line of JSON, when it has done its work. */
export async function client<Answer>(
  language: Language,
  args: readonly string[],
  env: Readonly<Record<string, string>>,
  onLine?: (line: string) => void,
): Promise<Answer> {
  const [program = "", ...rest] = command[language](args);
  const { stdout } = await run(program, rest, { env, ...(onLine && { onLine }) }).catch((error: unknown) => {
    throw error instanceof CommandError ? new Error(`${error.message}\n${error.tail.join("\n")}`) : error;
  });
  return JSON.parse(stdout.trim().split("\n").at(-1) ?? "") as Answer;
}

export interface Written {
  /** Rows that were acknowledged. */
  readonly acknowledged: readonly string[];
  /** How often each error came. */
  readonly errors: Readonly<Record<string, number>>;
  /** Longest time without an acknowledgement, in seconds. */
  readonly gap: number;
  /** Sessions of one write that began and ended. */
  readonly logins: number;
}

/** Starts a client that works until it is told to stop, by the end of its input. */
export function begin<Answer>(language: Language, args: readonly string[], env: Readonly<Record<string, string>>) {
  const [program = "", ...rest] = command[language](args);
  const child = spawn(program, rest, { env: { ...process.env, ...env }, stdio: ["pipe", "pipe", "inherit"] });
  let output = "";
  child.stdout.setEncoding("utf8").on("data", (text: string) => (output += text));
  const ended = new Promise<void>((resolve) => child.on("close", () => resolve()));
  return {
    /** Its first line. */
    line: async () => {
      while (!output.includes("\n") && child.exitCode === null) await delay(50);
    },
    /** What it says at its end. */
    end: async (): Promise<Answer> => {
      child.stdin.end();
      await ended;
      return JSON.parse(output.trim().split("\n").at(-1) ?? "") as Answer;
    },
  };
}
