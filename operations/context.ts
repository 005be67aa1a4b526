import { readFile } from "node:fs/promises";
import { parse } from "yaml";
import { check, sentence } from "../checks/index";
import { clusterPlan } from "../plan/platform";
import { liveReaderOf, plannerOf } from "../plan/engines/select";
import { type Settings } from "../settings/schema";
import { cluster } from "../settings/schema/cluster";
import { UserError } from "../shell/userError";
import { type Subject } from "./health";
import { Kubectl } from "./kubectl";
import { exists } from "../shell/paths";
import { encrypted, type Overlay, readStackFile, type Stack, type StackFile, withoutSecrets } from "./pulumi";
import { type Target } from "./target";

/** The settings that are secrets, by their paths. */
const secretsIn = ({ registries, backup }: Settings): Record<string, string> =>
  Object.fromEntries([
    ...registries.map(({ password }, index) => [`registries[${index}].password`, password] as const),
    ...(backup?.targets ?? []).flatMap(({ credentials }, index) =>
      credentials === undefined
        ? []
        : [[`backup.targets[${index}].credentials.secretAccessKey`, credentials.secretAccessKey] as const],
    ),
  ]);

/** The settings of a stack file, checked; every problem in one error. */
function settingsIn({ config = {} }: StackFile): Settings {
  const prefix = "pgplatform:";
  const entries = Object.entries(config).filter(([key]) => key.startsWith(prefix));
  const raw = Object.fromEntries(entries.map(([key, value]) => [key.slice(prefix.length), value]));
  const checked = check(withoutSecrets(raw));
  if ("problems" in checked) throw new UserError(checked.problems.map(sentence));
  // What a program is given is decrypted: only the file shows whether it was encrypted.
  const plain = Object.entries(secretsIn(checked.settings)).filter(([, value]) => value !== encrypted);
  if (plain.length > 0)
    throw new UserError(
      plain.map(
        ([path]) =>
          `pgplatform:${path}: plain text is not allowed. Allowed: a text that Pulumi has encrypted. ` +
          `Fix: set it with pulumi config set --secret --path 'pgplatform:${path}'.`,
      ),
    );
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
