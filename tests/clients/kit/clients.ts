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

/** Drivers whose clients are written in other languages than Python. */
const others: Readonly<Record<string, () => [string, ...string[]]>> = {
  ...Object.fromEntries(
    ["node-pg", "drizzle", "prisma"].map((driver) => [
      driver,
      () => [process.execPath, "--import", "tsx", join(made("CLIENTS_NODE"), "main.ts")],
    ]),
  ),
  pgx: () => [made("CLIENTS_GO")],
  pgjdbc: () => ["java", "-Xmx256m", "-XX:TieredStopAtLevel=1", "-cp", made("CLIENTS_JAVA"), "Client"],
};

/** How a program is started; that of a driver has its name as first argument. */
function command(program: string, args: readonly string[]): [string, string[]] {
  const other = others[args[0] ?? ""]?.();
  if (other === undefined) return [made("CLIENTS_PYTHON"), [join(programs, `${program}.py`), ...args]];
  const [file, ...first] = other;
  return [file, [...first, program, ...args]];
}

/** What a client's program says, as one line of JSON, when it has done its work. */
export async function client<Answer>(
  program: string,
  args: readonly string[],
  env: Readonly<Record<string, string>>,
  onLine?: (line: string) => void,
): Promise<Answer> {
  const { stdout } = await run(...command(program, args), { env, ...(onLine && { onLine }) }).catch(
    (error: unknown) => {
      throw error instanceof CommandError ? new Error(`${error.message}\n${error.tail.join("\n")}`) : error;
    },
  );
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
export function begin<Answer>(
  program: string,
  args: readonly string[],
  env: Readonly<Record<string, string>>,
) {
  const child = spawn(...command(program, args), {
    env: { ...process.env, ...env },
    stdio: ["pipe", "pipe", "inherit"],
  });
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
