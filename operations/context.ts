import { readFile } from "node:fs/promises";
import { parse } from "yaml";
import { engines } from "../components/engines";
import { check, sentence } from "../stacks/check";
import { type Settings } from "../stacks/schema";
import { UserError } from "../stacks/userError";
import { type Subject } from "./health";
import { Kubectl } from "./kubectl";
import { type Stack } from "./pulumi";
import { type Target } from "./target";

/** The settings in the copy of the stack file, checked; every problem in one error. */
export async function readSettings(stack: Stack): Promise<Settings> {
  const { config = {} } = parse(await readFile(stack.file, "utf8")) as { config?: Record<string, unknown> };
  const prefix = "pgplatform:";
  const entries = Object.entries(config).filter(([key]) => key.startsWith(prefix));
  const checked = check(Object.fromEntries(entries.map(([key, value]) => [key.slice(prefix.length), value])));
  if ("problems" in checked) throw new UserError(checked.problems.map(sentence));
  return checked.settings;
}

/** What the health check and the status look at. */
export async function subjectOf(
  stack: Stack,
  target: Pick<Target, "kubeconfig" | "context">,
  toolFolders: readonly string[],
  signal?: AbortSignal,
): Promise<Subject> {
  const settings = await readSettings(stack);
  const engine = engines[settings.cluster.engine];
  return { kubectl: new Kubectl(target, toolFolders, signal), settings, engine, plan: engine.plan(settings) };
}
