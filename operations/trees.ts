import { readFile, stat } from "node:fs/promises";
import { parse } from "yaml";
import type { Settings } from "../settings/schema";
import { UserError } from "../shell/userError";
import { chooseCluster, inspectMachine } from "./choice";
import { settingsIn } from "./context";
import { engineAsked, layersOver } from "./layers";
import { readStackFile, type StackFile } from "./pulumi";

/** Settings of a stack in a folder of stack files, or in a file, to be looked at alone: without its user's keys, and without a cluster. */

/** A stack file in a folder, or the file itself; one sentence when there is none. */
async function stackFileAt(stackName: string, place: string): Promise<StackFile> {
  const found = await stat(place).catch(() => undefined);
  if (found === undefined)
    throw new UserError([
      `--against: "${place}" is not there. Allowed: a folder with Pulumi.${stackName}.yaml, or a stack file. Fix: correct the path.`,
    ]);
  if (found.isDirectory()) return readStackFile(stackName, place);
  return (parse(await readFile(place, "utf8")) as StackFile | null) ?? {};
}

/** What a stack file asks for, as it is written, with the engine that `ENGINE` asks for. */
export function settingsAlone(file: StackFile, builtIn = false): Settings {
  const { overlay } = layersOver(file, { engine: engineAsked(), builtIn, withoutKeys: true });
  return settingsIn({ config: { ...file.config, ...overlay } });
}

/** The settings of a stack at `place`; those of the project where there is none. */
export const settingsAt = async (stackName: string, place?: string): Promise<Settings> =>
  settingsAlone(place === undefined ? await readStackFile(stackName) : await stackFileAt(stackName, place));

/** The settings as `make up` would take them on this machine. */
export async function settingsHere(stackName: string): Promise<Settings> {
  const choice = chooseCluster(await inspectMachine());
  return settingsAlone(await readStackFile(stackName), choice.kind === "built-in");
}
