import { CommandError, run } from "../../shell/process";
import type { StepContext } from "../../shell/progress";
import { referenceOf } from "../../policy/invariants/images";
import type { Answer } from "./report";

/** Which digests tags have today, asked by crane. */

export interface Asking {
  readonly crane: string;
  /** For how long a registry is waited for. */
  readonly timeoutMs: number;
  readonly signal: AbortSignal;
}

/** How many are asked at the same time. */
export const AT_ONCE = 6;

/** What a program's last words mean, in a sentence's half. */
export function reasonOf(words: string): string {
  const said =
    words
      .replace(/^.*?\bError: /s, "")
      .trim()
      .split("\n")
      .at(-1) ?? "";
  const unreached = /no such host|connection refused|network is unreachable|no route to host/.exec(said)?.[0];
  if (unreached !== undefined) return `its registry can't be reached: ${unreached}`;
  if (/TOOMANYREQUESTS|status code 429/.test(said))
    return "its registry refuses so many questions: wait, or log in";
  if (/UNAUTHORIZED|DENIED|status code 40[13]/.test(said))
    return "its registry wants a login, or has no such repository: `docker login` or `crane auth login` there";
  if (/MANIFEST_UNKNOWN|NAME_UNKNOWN|status code 404/.test(said))
    return "its registry has no such tag: correct the name, or copy the image there";
  return said === "" ? "its registry gave no answer" : said.slice(0, 200);
}

/** The digest that a tag has, of all platforms together. */
export async function askDigest(image: string, { crane, timeoutMs, signal }: Asking): Promise<Answer> {
  const name = image.replace(/@.*/, "");
  try {
    // Its own group, so that a Ctrl-C comes once, through the signal.
    const { stdout, stderr, exitCode } = await run(crane, ["digest", name], {
      timeoutMs,
      signal,
      ownGroup: true,
      allowFailure: true,
    });
    const digest = stdout.trim();
    if (exitCode === 0 && /^sha256:[0-9a-f]{64}$/.test(digest)) return { digest };
    return { unknown: reasonOf(exitCode === 0 ? `it says ${digest}` : stderr) };
  } catch (error) {
    signal.throwIfAborted();
    if (!(error instanceof CommandError)) throw error;
    return {
      unknown: /did not end within/.test(error.message)
        ? `its registry didn't answer within ${Math.round(timeoutMs / 1000)} s: see that this machine reaches it`
        : error.message,
    };
  }
}

/** Some at a time; the order stays. */
export async function someAtOnce<T, R>(
  list: readonly T[],
  width: number,
  work: (item: T) => Promise<R>,
): Promise<R[]> {
  const results = new Map<number, R>();
  const queue = [...list.entries()];
  const worker = async () => {
    for (let next = queue.shift(); next !== undefined; next = queue.shift())
      results.set(next[0], await work(next[1]));
  };
  await Promise.all(Array.from({ length: Math.min(width, list.length) }, worker));
  return list.map((_, index) => results.get(index) as R);
}

/** What each image's registry says. An image without a tag, or that is built here, isn't asked about. */
export async function askAll(
  images: readonly string[],
  asking: Asking,
  context: StepContext,
): Promise<Map<string, Answer>> {
  const asked = images.filter((image) => referenceOf(image).tag !== undefined);
  let done = 0;
  const waiting = new Set<string>();
  const answers = await someAtOnce(asked, AT_ONCE, async (image) => {
    waiting.add(image);
    const answer = await askDigest(image, asking);
    waiting.delete(image);
    done += 1;
    context.detail(
      `${done} of ${asked.length}${waiting.size > 0 ? `, waiting for ${[...waiting].join(" ")}` : ""}`,
    );
    return [image, answer] as const;
  });
  return new Map(answers);
}
