import { setTimeout as delay } from "node:timers/promises";

/** What a condition says about itself: the value when it holds, else why it doesn't yet. */
export type Look<T> = { done: T } | { why: string };

/**
 * Looks again and again until a condition holds; throws with the last reason at the deadline. An error while looking
 * is a reason too: what is looked at is being broken on purpose.
 */
export async function until<T>(
  what: string,
  seconds: number,
  look: () => Promise<Look<T>>,
  everyMs = 500,
): Promise<T> {
  const deadline = Date.now() + seconds * 1000;
  let nextWord = Date.now() + 10_000;
  for (;;) {
    let why: string;
    try {
      const seen = await look();
      if ("done" in seen) return seen.done;
      why = seen.why;
    } catch (error) {
      why = (error as Error).message;
    }
    if (Date.now() > deadline) throw new Error(`${what}: not within ${seconds} s; at the end: ${why}`);
    if (Date.now() > nextWord) {
      say(`waiting: ${what} (${why.slice(0, 120)})`);
      nextWord += 10_000;
    }
    await delay(everyMs);
  }
}

/** One line of progress, set apart from mocha's own. */
export const say = (text: string): void => void process.stdout.write(`      | ${text}\n`);
