import { setTimeout as delay } from "node:timers/promises";
import { interruptible, InterruptedError } from "../session";
import { Progress } from "../../shell/progress";
import { type Found } from "../platform";
import { assess } from "./assess";
import { DEADLINE_MS, gather } from "./gather";
import type { Report } from "./report";
import { type Look, screen } from "./screen";

/** Exit codes of `pgp status` beside those of every command. */
export const statusExits = {
  3: "writes do not work, or whether they do is not known",
  4: "writes work, and something is wrong",
} as const;

export const exitOf = ({ writes, problems }: Pick<Report, "writes" | "problems">): number =>
  writes.work !== true ? 3 : problems.length > 0 ? 4 : 0;

/** A command ends within 5 s of its start; what is read gets a moment in any case. */
const ALL_MS = 4_700;
const LEAST_MS = 1_500;

export const readReport = async (found: Found, begun = 0): Promise<Report> =>
  assess(found, await gather(found, Math.max(LEAST_MS, Math.min(DEADLINE_MS, ALL_MS - begun * 1000))));

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
