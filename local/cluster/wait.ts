import { setTimeout as pause } from "node:timers/promises";

export interface WaitOptions {
  /** What is waited for, as the end of the sentence "… did not come within". */
  what: string;
  timeoutMs: number;
  /** Pause between two looks. @default 100 */
  everyMs?: number;
  signal?: AbortSignal | undefined;
  /** Added to the error: why it may have failed, and where to look. */
  hint?: () => string | Promise<string>;
}

/** Looks until `look` returns something other than `undefined` or `false`, and returns it. */
export async function waitFor<T>(
  look: () => Promise<T | undefined | false> | T | undefined | false,
  options: WaitOptions,
): Promise<T> {
  const end = Date.now() + options.timeoutMs;
  for (;;) {
    options.signal?.throwIfAborted();
    const found = await look();
    if (found !== undefined && found !== false) return found;
    if (Date.now() >= end) {
      const hint = (await options.hint?.()) ?? "";
      throw new Error(
        `${options.what} did not come within ${Math.round(options.timeoutMs / 1000)} s.${hint === "" ? "" : ` ${hint}`}`,
      );
    }
    await pause(options.everyMs ?? 100);
  }
}
