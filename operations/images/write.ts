import { readFile, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { isDeepStrictEqual } from "node:util";
import { structuredPatch } from "diff";
import { parse } from "yaml";
import { reviewLines } from "../../plan/changes/render";
import type { Settings } from "../../settings/schema";
import { isRecord } from "../../settings/record";
import { stacksDir } from "../../shell/paths";
import { UserError } from "../../shell/userError";
import { restartPause, reviewOf } from "../diff";
import type { StackFile } from "../pulumi";
import { type Change, withValues } from "../stackText";
import { settingsAlone } from "../trees";
import { imageSettings, type StackImage } from "./collect";
import { pinningOf } from "./states";
import type { ImageReport } from "./report";

/** Digests in a stack file. */

export const stackFilePath = (stackName: string): string => join(stacksDir, `Pulumi.${stackName}.yaml`);

export interface Plan {
  readonly file: string;
  readonly before: string;
  readonly after: string;
  /** Settings that are written. */
  readonly written: readonly string[];
  readonly settings: Settings;
  /** Images that stay as they are, with the reason. */
  readonly left: readonly string[];
}

/** The lines that differ, with their numbers. */
export const changedLines = (before: string, after: string): string[] =>
  structuredPatch("", "", before, after, "", "", { context: 0 }).hunks.flatMap((hunk) => [
    `line ${hunk.oldStart}:`,
    ...hunk.lines.filter((line) => !line.startsWith("\\")),
  ]);

/** Refuses what can't be written as a whole: then nothing is. */
function changesOf(
  images: readonly StackImage[],
  reports: readonly ImageReport[],
  updateMoved: boolean,
): { changes: Change[]; written: string[]; left: string[] } {
  const refused: string[] = [];
  const left: string[] = [];
  const changes: Change[] = [];
  const written: string[] = [];
  for (const [index, report] of reports.entries()) {
    const pinning = pinningOf(report, updateMoved);
    if (pinning === undefined) continue;
    if ("refused" in pinning) refused.push(`${report.image}: ${pinning.refused}.`);
    else if ("left" in pinning) left.push(`${report.image}: ${pinning.left}`);
    else
      for (const { name, path } of images[index]?.settings ?? []) {
        changes.push({ path, value: pinning.image });
        written.push(name);
      }
  }
  if (refused.length > 0)
    throw new UserError([...refused, "Nothing was written, since not every digest is known."]);
  return { changes, written, left };
}

/** Everything but the images that are to change, which must be equal before and after. */
function withoutImages(settings: Settings): unknown {
  const { monitoring, ...rest } = { ...settings, images: undefined };
  const grafana = monitoring.install?.grafana;
  return {
    ...rest,
    monitoring: {
      ...monitoring,
      ...(grafana && { install: { ...monitoring.install, grafana: { ...grafana, image: "" } } }),
    },
  };
}

/** What the file would be; undefined where there is nothing to write. */
export async function planWriting(
  stackName: string,
  images: readonly StackImage[],
  reports: readonly ImageReport[],
  updateMoved: boolean,
): Promise<Plan | { readonly left: readonly string[] }> {
  const { changes, written, left } = changesOf(images, reports, updateMoved);
  if (changes.length === 0) return { left };
  const file = stackFilePath(stackName);
  const before = await readFile(file, "utf8");
  const { config = {} } = (parse(before) as StackFile | null) ?? {};
  for (const key of new Set(changes.map(({ path }) => path[1] ?? ""))) {
    if (config[key] === undefined || config[key] === null || isRecord(config[key])) continue;
    throw new UserError([`${key} in ${file} is no map of YAML. Allowed: key and value. Fix: write it so.`]);
  }
  const after = withValues(before, changes);
  const settings = settingsAlone((parse(after) as StackFile | null) ?? {});
  const has = new Map(imageSettings(settings).map(({ name, image }) => [name, image]));
  const wrong = written.filter((name, index) => has.get(name) !== changes[index]?.value);
  const former = settingsAlone({ config });
  if (wrong.length > 0 || !isDeepStrictEqual(withoutImages(former), withoutImages(settings)))
    throw new UserError([
      `${file} can't be changed without changing more of it. Nothing was written. Fix: write ${written.join(", ")} by hand.`,
    ]);
  return { file, before, after, written, settings, left };
}

/** The lines that change, and what the next update does because of them. */
export function planLines({ file, before, after, settings }: Plan): string[] {
  const former = settingsAlone((parse(before) as StackFile | null) ?? {});
  const found = reviewOf(former, settings);
  const felt = found.lines.filter(({ effect }) => effect !== "nothing");
  const unfelt = found.lines.length - felt.length;
  return [
    `${file}:`,
    ...changedLines(before, after).map((line) => `  ${line}`),
    "the next `make up`, where it made the stack as the file is now:",
    ...(felt.length > 0 ? reviewLines({ ...found, lines: felt }, restartPause(settings)) : []).map(
      (line) => `  ${line}`,
    ),
    `  nothing: ${unfelt} more changes, of pods beside the database, or that it doesn't notice`,
  ];
}

/** Writes the file, unless it has been changed meanwhile. */
export async function write({ file, before, after }: Plan): Promise<void> {
  if ((await readFile(file, "utf8")) !== before)
    throw new UserError([`${file} was changed meanwhile. Nothing was written. Fix: run it again.`]);
  await writeFile(file, after);
}
