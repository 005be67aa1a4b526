import { createHash } from "node:crypto";
import { writeFile } from "node:fs/promises";
import { basename } from "node:path";

/** A host that doesn't answer within this time is given up. */
export const ANSWER_TIMEOUT_MS = 5_000;

/** No body may pause for longer than this once it has begun. */
const STALL_TIMEOUT_MS = 30_000;

/** A release file and the list of SHA-256 sums that its publisher puts beside it. */
export interface Release {
  url: string;
  /** A file of `sum  name` lines, or of one bare sum. */
  checksumsUrl: string;
}

/** The sum for a file in a publisher's list, or undefined. Accepts `sum  name` lines, `*name`, and a lone sum. */
export function checksumFor(list: string, file: string): string | undefined {
  for (const line of list.split("\n")) {
    const [sum, name] = line.trim().split(/\s+\*?/);
    if (
      sum !== undefined &&
      /^[0-9a-f]{64}$/.test(sum) &&
      (name === undefined || name === "" || basename(name) === file)
    ) {
      return sum;
    }
  }
  return undefined;
}

/** Hosts that have not answered in this run: they aren't asked again. */
const silentHosts = new Set<string>();

async function fetchBytes(url: string, answerTimeoutMs: number): Promise<Buffer> {
  const { host } = new URL(url);
  if (silentHosts.has(host)) throw new Error(`${host} did not answer before`);
  const controller = new AbortController();
  let timer = setTimeout(() => controller.abort(), answerTimeoutMs);
  try {
    const response = await fetch(url, { signal: controller.signal });
    if (!response.ok || !response.body) throw new Error(`answered ${response.status}`);
    const chunks: Uint8Array[] = [];
    for await (const chunk of response.body as unknown as AsyncIterable<Uint8Array>) {
      clearTimeout(timer);
      timer = setTimeout(() => controller.abort(), STALL_TIMEOUT_MS);
      chunks.push(chunk);
    }
    return Buffer.concat(chunks);
  } catch (error) {
    if (!controller.signal.aborted) throw new Error(`${url}: ${(error as Error).message}`);
    silentHosts.add(host);
    throw new Error(`${url}: did not answer in time`);
  } finally {
    clearTimeout(timer);
  }
}

/**
 * Downloads a file and compares it with its SHA-256 sum. Throws one sentence when the host doesn't answer within 5 s, or when the
 * sum is another.
 */
export async function downloadChecked(
  url: string,
  expected: string,
  whose: string,
  answerTimeoutMs = ANSWER_TIMEOUT_MS,
): Promise<Buffer> {
  const content = await fetchBytes(url, answerTimeoutMs);
  const actual = createHash("sha256").update(content).digest("hex");
  if (actual !== expected) throw new Error(`${url}: SHA-256 is ${actual}, ${whose} ${expected}`);
  return content;
}

/**
 * Downloads a release and checks it against its publisher's checksum list; the file appears only when the sum is right.
 * Throws one sentence otherwise, also when the list doesn't name the file.
 */
export async function downloadRelease(
  release: Release,
  file: string,
  answerTimeoutMs = ANSWER_TIMEOUT_MS,
): Promise<void> {
  const name = basename(new URL(release.url).pathname);
  const list = (await fetchBytes(release.checksumsUrl, answerTimeoutMs)).toString("utf8");
  const expected = checksumFor(list, name);
  if (expected === undefined) throw new Error(`${release.checksumsUrl} has no SHA-256 sum for ${name}`);
  await writeFile(file, await downloadChecked(release.url, expected, "its publisher says", answerTimeoutMs));
}
