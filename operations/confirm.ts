import { createInterface } from "node:readline/promises";
import { UserError } from "../shell/userError";

/** Asks before something that can't be taken back. `FORCE=1` answers yes; without a terminal and without it the answer is no. */
export async function confirm(question: string): Promise<void> {
  if (process.env.FORCE === "1") return;
  if (!process.stdin.isTTY)
    throw new UserError([`${question} There is no terminal to ask on: run it with FORCE=1 to continue.`]);
  // Standard output may be for the answer alone.
  const output = process.stdout.isTTY ? process.stdout : process.stderr;
  const terminal = createInterface({ input: process.stdin, output });
  try {
    const answer = await terminal.question(`${question} [y/N] `);
    if (!/^y(es)?$/i.test(answer.trim())) throw new UserError(["Nothing was done."]);
  } finally {
    terminal.close();
  }
}
