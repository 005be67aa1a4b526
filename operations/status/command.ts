import { setTimeout as delay } from "node:timers/promises";
import { interruptible, InterruptedError } from "../session";
import { Progress } from "../../shell/progress";
import { type Found } from "../platform";
import { assess } from "./assess";
import { gather } from "./gather";
import type { Report } from "./report";
import { type Look, screen } from "./screen";

/** Exit codes of `pgp status` beside those of every command. */
export const statusExits = { 3: "writes do not work", 4: "writes work, and something is wrong" } as const;

export const exitOf = ({ writes, problems }: Pick<Report, "writes" | "problems">): number =>
  !writes.work ? 3 : problems.length > 0 ? 4 : 0;

export const readReport = async (found: Found): Promise<Report> => assess(found, await gather(found));

/** How a terminal, or what isn't one, is written to. */
export const lookOf = (stream: { isTTY?: boolean; columns?: number }): Look => ({
  width: stream.isTTY === true ? Math.max(60, stream.columns ?? 80) : 200,
  colour: stream.isTTY === true && (process.env.NO_COLOR ?? "") === "",
});

const WATCH_MS = 2_000;

/** Shows the status again and again until Ctrl-C: on a terminal in its place, elsewhere one below the other. */
export async function watchStatus(found: Found, print: (text: string) => void): Promise<void> {
  const clear = process.stdout.isTTY ? "\u001b[H\u001b[2J" : "";
  try {
    await interruptible(new Progress(() => undefined), async (signal) => {
      while (!signal.aborted) {
        const lines = screen(await readReport(found), lookOf(process.stdout));
        if (signal.aborted) break;
        print(`${clear}${lines.join("\n")}\n${clear === "" ? "\n" : ""}`);
        await delay(WATCH_MS, undefined, { signal }).catch(() => undefined);
      }
    });
  } catch (error) {
    // It is how watching ends.
    if (!(error instanceof InterruptedError)) throw error;
  }
}
