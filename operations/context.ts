import { readFile } from "node:fs/promises";
import { parse } from "yaml";
import { rawSettings } from "../checks/configuration";
import { check, sentence } from "../checks/index";
import { plainSecrets } from "../checks/secrets";
import { encrypted } from "../settings/schema/types";
import { clusterPlan } from "../plan/platform";
import { liveReaderOf, plannerOf } from "../plan/engines/select";
import { type Settings } from "../settings/schema";
import { cluster } from "../settings/schema/cluster";
import { UserError } from "../shell/userError";
import { type Subject } from "./health";
import { Kubectl } from "./kubectl";
import { exists } from "../shell/paths";
import { type Overlay, PROJECT, readStackFile, type Stack, type StackFile, withoutSecrets } from "./pulumi";
import { type Target } from "./target";

/** The settings of a stack file, checked; every problem in one error. */
export function settingsIn({ config = {} }: StackFile): Settings {
  const checked = check(rawSettings(withoutSecrets(config) as Record<string, unknown>, PROJECT));
  if ("problems" in checked) throw new UserError(checked.problems.map(sentence));
  // What a program is given is decrypted: only the file shows whether each text was encrypted.
  const plain = plainSecrets(checked.settings, (_path, value) => value !== encrypted);
  if (plain.length > 0) throw new UserError(plain);
  // Refused here already, before anything is built or touched for an engine that can't plan.
  plannerOf(checked.settings);
  return checked.settings;
}

/** The settings in a stack file, with what the machine decides laid over them. */
export const settingsOfTree = async (stackName: string, overlay: Overlay): Promise<Settings> =>
  settingsIn({ config: { ...(await readStackFile(stackName)).config, ...overlay } });

/** The settings in the copy of the stack file that Pulumi works on. */
export const readSettings = async (stack: Stack): Promise<Settings> =>
  settingsIn(parse(await readFile(stack.file, "utf8")) as StackFile);

/** Refuses another engine than the one that a stack was made with: it would begin with an empty database beside data that it can't read. */
export async function keepEngine(
  { name, file }: Pick<Stack, "name" | "file">,
  asked: Settings["cluster"]["engine"] | undefined,
): Promise<void> {
  if (asked === undefined || !(await exists(file))) return;
  const { config = {} } = parse(await readFile(file, "utf8")) as StackFile;
  const { engine } = (config["pgplatform:cluster"] ?? {}) as { engine?: unknown };
  const made = cluster.shape.engine.safeParse(engine).data;
  if (made === undefined || made === asked) return;
  throw new UserError([
    `Stack ${name} runs with the engine ${made}, whose data ${asked} can't take over: continue with ENGINE=${made}, ` +
      `or delete that data first with \`ENGINE=${made} STACK=${name} make destroy\`.`,
  ]);
}

/** The settings with their plan, aimed at a cluster: what checks, the health check and the status look at. */
export function subjectWith(
  settings: Settings,
  target: Pick<Target, "kubeconfig" | "context">,
  toolFolders: readonly string[],
  signal?: AbortSignal,
): Subject {
  const engine = plannerOf(settings);
  return {
    kubectl: new Kubectl(target, toolFolders, signal),
    settings,
    engine,
    live: liveReaderOf(settings),
    plan: clusterPlan(settings, engine),
  };
}

/** The same with the settings in the copy of the stack file that Pulumi works on. */
export const subjectOf = async (
  stack: Stack,
  target: Pick<Target, "kubeconfig" | "context">,
  toolFolders: readonly string[],
  signal?: AbortSignal,
): Promise<Subject> => subjectWith(await readSettings(stack), target, toolFolders, signal);
