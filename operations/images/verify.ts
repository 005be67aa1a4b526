import { referenceOf } from "../../policy/invariants/images";
import { publisherOf, type Signature } from "../../releases/publishers";
import { CommandError, run } from "../../shell/process";
import type { StepContext } from "../../shell/progress";
import { someAtOnce } from "./digests";
import type { ImageReport } from "./report";

/** Signatures, verified by cosign. */

/** cosign's arguments: who must have signed, by whose word, and the digest. */
export const verifyArguments = (
  { identity, issuer }: Signature,
  repository: string,
  digest: string,
): string[] => [
  "verify",
  ...("is" in identity
    ? ["--certificate-identity", identity.is]
    : ["--certificate-identity-regexp", identity.matches]),
  "--certificate-oidc-issuer",
  issuer,
  `${repository}@${digest}`,
];

export const hasCosign = (signal: AbortSignal): Promise<boolean> =>
  run("cosign", ["version"], { timeoutMs: 20_000, signal, allowFailure: true }).then(
    () => true,
    () => {
      signal.throwIfAborted();
      return false;
    },
  );

/** What is known of an image's signature before cosign is asked. */
export function knownSignature(
  image: string,
  isBuiltHere: boolean,
  mirror?: string,
): ImageReport["signature"] {
  if (isBuiltHere) return { state: "built here" };
  const signature = publisherOf(referenceOf(image).repository, mirror)?.signature;
  if (signature === undefined) return { state: "not known" };
  const { identity, issuer, source } = signature;
  return {
    state: "not verified",
    identity: "is" in identity ? identity.is : identity.matches,
    issuer,
    source,
  };
}

async function verified(
  image: ImageReport,
  signature: Signature,
  timeoutMs: number,
  signal: AbortSignal,
): Promise<ImageReport["signature"]> {
  const digest = image.pinned ?? image.today;
  if (digest === undefined) return { ...image.signature, why: "its digest isn't known" };
  try {
    const { exitCode, stderr } = await run("cosign", verifyArguments(signature, image.repository, digest), {
      timeoutMs,
      signal,
      ownGroup: true,
      allowFailure: true,
    });
    if (exitCode === 0) return { ...image.signature, state: "verified" };
    const said = stderr.trim().split("\n").at(-1) ?? "";
    const note = signature.note === undefined ? "" : ` (${signature.note})`;
    return {
      ...image.signature,
      state: "failed",
      why: `cosign says: ${said.slice(0, 200) || "nothing"}${note}`,
    };
  } catch (error) {
    signal.throwIfAborted();
    if (!(error instanceof CommandError)) throw error;
    return { ...image.signature, state: "failed", why: error.message.replace(/^`.*` /s, "cosign ") };
  }
}

/** Asks cosign for each image whose publisher is known to sign, of the digest that is pinned, else of today's. */
export async function verifyAll(
  images: readonly ImageReport[],
  mirror: string | undefined,
  timeoutMs: number,
  context: StepContext,
  signal: AbortSignal,
): Promise<ImageReport[]> {
  let done = 0;
  return someAtOnce(images, 2, async (image) => {
    const signature =
      image.state === "built here" ? undefined : publisherOf(image.repository, mirror)?.signature;
    const found = signature && (await verified(image, signature, timeoutMs, signal));
    done += 1;
    context.detail(`${done} of ${images.length}`);
    return found ? { ...image, signature: found } : image;
  });
}
