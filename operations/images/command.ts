import { crane as findCrane } from "../../local/toolchain/crane";
import { rawSettings } from "../../checks/configuration";
import { isRecord } from "../../settings/record";
import type { Settings } from "../../settings/schema";
import type { Progress } from "../../shell/progress";
import { UserError } from "../../shell/userError";
import { confirm } from "../confirm";
import { prepareManifests } from "../diff";
import { engineAsked } from "../layers";
import { PROJECT, readStackFile, withoutSecrets } from "../pulumi";
import { settingsAlone } from "../trees";
import { collectImages, type Collected } from "./collect";
import { askAll } from "./digests";
import { countText } from "./render";
import type { Answer, ImageReport, ImagesReport } from "./report";
import { reportOf } from "./states";
import { hasCosign, verifyAll } from "./verify";
import { planLines, planWriting, write } from "./write";

/** `pgp images`: what a stack runs, by which digest, and who signed it. */

export interface ImagesOptions {
  readonly write: boolean;
  readonly updateMoved: boolean;
  readonly verify: boolean;
  /** As it is given. */
  readonly timeout: string;
}

export const exits = { notPinned: 3, noCosign: 4, notVerified: 5 } as const;

const NO_COSIGN = "no signature was verified: cosign is not on PATH";

/** The mirror that a stack file names. */
function mirrorOf(config: Record<string, unknown> = {}): string | undefined {
  const { images } = rawSettings(withoutSecrets(config) as Record<string, unknown>, PROJECT);
  return isRecord(images) && typeof images.registry === "string" ? images.registry : undefined;
}

export function timeoutOf(text: string): number {
  const seconds = /^\d{1,3}$/.test(text) ? Number(text) : 0;
  if (seconds < 1 || seconds > 600)
    throw new UserError([
      `--timeout: "${text}" is not allowed. Allowed: a whole number of seconds from 1 to 600. Fix: write one.`,
    ]);
  return seconds * 1000;
}

/** Options that have no meaning together, before anything is asked. */
export function checkOptions({ write: writes, updateMoved }: ImagesOptions): void {
  if (updateMoved && !writes)
    throw new UserError(["--update-moved: it is for writing. Allowed: with --write. Fix: add --write."]);
  if (writes && engineAsked() !== undefined)
    throw new UserError([
      "ENGINE: it is set, and a stack file has the images of its own engine. Allowed: --write without it. Fix: unset ENGINE.",
    ]);
}

const reportsOf = (
  { images }: Collected,
  answers: ReadonlyMap<string, Answer>,
  mirror: string | undefined,
): ImageReport[] => images.map((image) => reportOf(image, answers.get(image.image), mirror));

/** Answers for the names with digests that were written: the same tags. */
const renamed = (
  answers: ReadonlyMap<string, Answer>,
  images: readonly { readonly image: string }[],
): Map<string, Answer> => {
  const byName = new Map([...answers].map(([image, answer]) => [image.replace(/@.*/, ""), answer]));
  return new Map(
    images.flatMap(({ image }) => {
      const answer = byName.get(image.replace(/@.*/, ""));
      return answer ? [[image, answer] as const] : [];
    }),
  );
};

export function exitOf(images: readonly ImageReport[], cosign: boolean | undefined): number {
  if (images.some(({ signature }) => signature.state === "failed")) return exits.notVerified;
  if (cosign === false) return exits.noCosign;
  return images.every(({ state }) => state === "pinned" || state === "built here") ? 0 : exits.notPinned;
}

interface Seen {
  readonly settings: Settings;
  readonly mirror: string | undefined;
  readonly collected: Collected;
  readonly answers: ReadonlyMap<string, Answer>;
}

async function look(
  stackName: string,
  timeoutMs: number,
  progress: Progress,
  signal: AbortSignal,
): Promise<Seen> {
  const file = await readStackFile(stackName);
  const settings = settingsAlone(file);
  await prepareManifests(settings);
  const mirror = mirrorOf(file.config);
  const collected = collectImages(settings, mirror);
  const asked = collected.images.filter(({ builtHere }) => !builtHere).map(({ image }) => image);
  if (asked.length === 0) return { settings, mirror, collected, answers: new Map() };
  const crane = await progress.step("crane", (context) =>
    findCrane({ onLine: (line) => context.detail(line), signal }),
  );
  const answers = await progress.step(`digests of ${asked.length} images`, (context) =>
    askAll(asked, { crane, timeoutMs, signal }, context),
  );
  return { settings, mirror, collected, answers };
}

/** Shows the images, writes their digests where it is asked to, and verifies who signed them. */
export async function images(
  stackName: string,
  options: ImagesOptions,
  progress: Progress,
  signal: AbortSignal,
): Promise<{ readonly report: ImagesReport; readonly exit: number }> {
  checkOptions(options);
  const timeoutMs = timeoutOf(options.timeout);
  const seen = await look(stackName, timeoutMs, progress, signal);
  const { mirror, answers } = seen;
  let { collected } = seen;
  let reports = reportsOf(collected, answers, mirror);
  let written: readonly string[] = [];
  const said: string[] = [];

  if (options.write) {
    const plan = await planWriting(stackName, collected.images, reports, options.updateMoved);
    plan.left.forEach((line) => progress.line(`left as it is: ${line}`));
    if ("file" in plan) {
      planLines(plan).forEach((line) => progress.line(line));
      signal.throwIfAborted();
      await confirm(`Write ${plan.written.length} digests into ${plan.file} now?`);
      signal.throwIfAborted();
      await write(plan);
      written = plan.written;
      collected = collectImages(plan.settings, mirror);
      reports = reportsOf(collected, renamed(answers, collected.images), mirror);
      said.push(`${written.length} written into ${plan.file}; \`make up\` takes them.`);
    } else said.push("Nothing to write.");
  }

  const cosign = options.verify ? await hasCosign(signal) : undefined;
  if (cosign === true)
    reports = await progress.step("signatures", (context) =>
      verifyAll(reports, mirror, 3 * timeoutMs, context, signal),
    );
  if (cosign === false) said.push(`${NO_COSIGN}.`);
  const moved = reports.filter(({ state }) => state === "moved").length;
  if (moved > 0 && !options.updateMoved)
    said.push(
      `${moved} moved: what you run is not what the tag is today; \`--write --update-moved\` takes today's.`,
    );
  else if (!options.write && reports.some(({ state }) => state === "not pinned"))
    said.push("`pgp images --write` pins them.");
  const message = [countText(reports), ...said].join(" ");
  return {
    report: {
      stack: stackName,
      images: reports,
      dormant: [...collected.dormant],
      written: [...written],
      message,
    },
    exit: exitOf(reports, cosign),
  };
}
