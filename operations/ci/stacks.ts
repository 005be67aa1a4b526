import { readdir } from "node:fs/promises";
import { stacksDir } from "../../shell/paths";
import { withBase } from "./base";

/** Names of the stacks whose files are in a folder. */
export const stacksIn = async (folder: string): Promise<string[]> =>
  (await readdir(folder)).flatMap((file) => /^Pulumi\.([\w-]+)\.yaml$/.exec(file)?.[1] ?? []);

/** The stacks that a change may be about: those of now, and those of before whose files go. */
export const stacksOfChange = (against: string | undefined): Promise<string[]> =>
  withBase(against, async (place) =>
    [...new Set((await Promise.all([stacksIn(stacksDir), stacksIn(place)])).flat())].sort(),
  );
