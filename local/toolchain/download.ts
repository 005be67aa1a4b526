import { createHash } from "node:crypto";
import { writeFile } from "node:fs/promises";
import { basename } from "node:path";
import { UserError } from "../../shell/userError";

/** A host that hasn't begun to answer within this time is given up, for this file. */
export const ANSWER_TIMEOUT_MS = 30_000;

/** No body may pause for longer than this once it has begun. */
const STALL_TIMEOUT_MS = 30_000;

const MOST_REDIRECTS = 5;

export interface Waiting {
  /** @default ANSWER_TIMEOUT_MS */
  answerMs?: number;
  signal?: AbortSignal;
}

/** Kinds of sums in publishers' lists, by their number of digits, the strongest first. */
const algorithms = [
  { name: "sha256", digits: 64 },
  { name: "sha1", digits: 40 },
] as const;

export type Algorithm = (typeof algorithms)[number]["name"];

export interface Sum {
  algorithm: Algorithm;
  hex: string;
}

/** A release file and the list of sums that its publisher puts beside it. */
export interface Release {
  url: string;
  /** A file of `sum  name` lines, or of one bare sum. */
  checksumsUrl: string;
  /** The weakest kind of sum that is taken from the list. @default "sha256" */
  weakest?: Algorithm;
}

/** The strongest sum for a file in a publisher's list. Accepts `sum  name` lines, `*name`, `./name`, and a sum that is all there is. */
export function sumFor(list: string, file: string): Sum | undefined {
  const lines = list.split("\n").flatMap((line) => (line.trim() === "" ? [] : [line.trim()]));
  const sums = lines.flatMap((line) => {
    const [hex = "", name] = line.split(/\s+\*?/);
    return name === undefined ? (lines.length === 1 ? [hex] : []) : basename(name) === file ? [hex] : [];
  });
  for (const { name, digits } of algorithms) {
    const hex = sums.find((sum) => sum.length === digits && /^[0-9a-f]+$/.test(sum));
    if (hex !== undefined) return { algorithm: name, hex };
  }
  return undefined;
}

/** Lists of sums come from the mirror too: what may change them on the way may change the files. */
const isTrustworthy = (mirror: string): boolean =>
  URL.canParse(mirror) &&
  /^(https:.*|http:\/\/(localhost|127(\.\d+){3}|\[::1\]))$/.test(
    `${new URL(mirror).protocol}//${new URL(mirror).hostname}`,
  );

/** Where a publisher's file is asked for: at the publisher, or below the mirror in a folder with the name of the publisher's host. */
export function addressOf(url: string, mirror = process.env.PGP_MIRROR ?? ""): string {
  if (mirror === "") return url;
  if (!isTrustworthy(mirror))
    throw new UserError([
      `PGP_MIRROR: ${JSON.stringify(mirror)} is not allowed. Allowed: an https:// URL, or http:// on this machine. Fix: correct it, or unset it.`,
    ]);
  return `${mirror.replace(/\/+$/, "")}/${url.replace(/^https:\/\//, "")}`;
}

/** A body that ended before its end: worth a second try, unlike an answer. */
class Interrupted extends Error {}

const whyOf = (error: unknown): string => {
  const { message, code, errors } = error as { message?: string; code?: string; errors?: unknown[] };
  // Of a host with several addresses each has its own reason.
  if (errors?.[0] !== undefined) return whyOf(errors[0]);
  return message === undefined || message === "" ? (code ?? "no connection") : message;
};

/** One request; returns the body, or the address of a redirect. Names the host in whatever goes wrong. */
async function hop(url: string, { answerMs = ANSWER_TIMEOUT_MS, signal }: Waiting): Promise<Buffer | URL> {
  // What reads HTTPS_PROXY, HTTP_PROXY and NO_PROXY, which Node's own fetch of this version doesn't.
  const { EnvHttpProxyAgent, request } = await import("undici");
  const { host } = new URL(url);
  const silence = new AbortController();
  let late = `${host} did not answer within ${Math.round(answerMs / 100) / 10} s`;
  let timer = setTimeout(() => silence.abort(), answerMs);
  const dispatcher = new EnvHttpProxyAgent({ connect: { timeout: 0 }, headersTimeout: 0, bodyTimeout: 0 });
  let bytes: number | undefined;
  try {
    const { statusCode, headers, body } = await request(url, {
      dispatcher,
      signal: signal ? AbortSignal.any([silence.signal, signal]) : silence.signal,
    });
    const { location } = headers;
    if (statusCode >= 300 && statusCode < 400 && typeof location === "string") return new URL(location, url);
    if (statusCode !== 200) throw new Error(`${host} answered ${statusCode}`);
    bytes = 0;
    late = `${host} paused for ${STALL_TIMEOUT_MS / 1000} s in the middle`;
    const chunks: Uint8Array[] = [];
    for await (const chunk of body as AsyncIterable<Uint8Array>) {
      clearTimeout(timer);
      timer = setTimeout(() => silence.abort(), STALL_TIMEOUT_MS);
      bytes += chunk.length;
      chunks.push(chunk);
    }
    return Buffer.concat(chunks);
  } catch (error) {
    if (signal?.aborted === true) throw error;
    if (silence.signal.aborted) throw new Error(late);
    if (bytes !== undefined)
      throw new Interrupted(`${host} broke off after ${bytes} bytes (${whyOf(error)})`);
    const why = whyOf(error);
    throw new Error(why.includes(host) ? why : `${host}: ${why}`);
  } finally {
    clearTimeout(timer);
    await dispatcher.destroy();
  }
}

/** Follows redirects by itself, so that the host that doesn't answer is the one that is named. */
async function received(url: string, waiting: Waiting): Promise<Buffer> {
  let at = new URL(url);
  for (let redirects = 0; redirects <= MOST_REDIRECTS; redirects += 1) {
    const got = await hop(at.href, waiting);
    if (!(got instanceof URL)) return got;
    if (at.protocol === "https:" && got.protocol !== "https:")
      throw new Error(`${at.host} redirects to ${got.protocol}//${got.host}, which is not encrypted`);
    at = got;
  }
  throw new Error(`${at.host} redirects again and again`);
}

async function fetchBytes(url: string, waiting: Waiting): Promise<Buffer> {
  const address = addressOf(url);
  try {
    return await received(address, waiting).catch((error: unknown) => {
      if (error instanceof Interrupted) return received(address, waiting);
      throw error;
    });
  } catch (error) {
    waiting.signal?.throwIfAborted();
    throw new Error(`${address}: ${(error as Error).message}`);
  }
}

async function downloadSummed(url: string, expected: Sum, whose: string, waiting: Waiting): Promise<Buffer> {
  const content = await fetchBytes(url, waiting);
  const actual = createHash(expected.algorithm).update(content).digest("hex");
  const name = expected.algorithm === "sha256" ? "SHA-256" : "SHA-1";
  if (actual !== expected.hex)
    throw new Error(`${addressOf(url)}: ${name} is ${actual}, ${whose} ${expected.hex}`);
  return content;
}

/** Downloads a file whose SHA-256 sum is known here. Throws one sentence when its host doesn't answer, or when the sum is another. */
export const downloadPinned = (url: string, sha256: string, waiting: Waiting = {}): Promise<Buffer> =>
  downloadSummed(
    url,
    { algorithm: "sha256", hex: sha256 },
    "and this version of the project was made for",
    waiting,
  );

/**
 * Downloads a release and checks it against its publisher's list of sums; the file appears only when the sum is right. Returns the
 * kind of sum. Throws one sentence otherwise, also when the list doesn't name the file.
 */
export async function downloadRelease(
  release: Release,
  file: string,
  waiting: Waiting = {},
): Promise<Algorithm> {
  const name = basename(new URL(release.url).pathname);
  const list = (await fetchBytes(release.checksumsUrl, waiting)).toString("utf8");
  const sum = sumFor(list, name);
  const weakest = release.weakest ?? "sha256";
  if (sum === undefined || (sum.algorithm === "sha1" && weakest === "sha256"))
    throw new Error(
      `${addressOf(release.checksumsUrl)} has no ${weakest === "sha256" ? "SHA-256 " : ""}sum for ${name}`,
    );
  await writeFile(file, await downloadSummed(release.url, sum, "and its publisher lists", waiting));
  return sum.algorithm;
}
