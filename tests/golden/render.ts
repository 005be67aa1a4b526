import { rawSettings } from "../../stacks/program";
import { releasedObjects, shortObjects } from "../support/manifest";
import { platformGraph } from "../support/platform";
import { checked, stackConfig } from "../support/settings";
import { filesOf } from "./files";
import { variants } from "./stacks";

export const configOf = (name: string): Record<string, string> => {
  const variant = variants[name];
  return variant === undefined
    ? stackConfig(name)
    : { ...stackConfig(variant.of), "pgplatform:secrets": JSON.stringify(variant.secrets) };
};

/** The resource graph and the outputs of one of the repository's stacks, or of a variant: texts of files by their names. */
export async function render(stack: string): Promise<ReadonlyMap<string, string>> {
  const settings = checked(rawSettings(configOf(stack)));
  const { engine } = settings.cluster;
  const short = await shortObjects(engine);
  const graph = await platformGraph(settings, short);
  return filesOf(graph, short, await releasedObjects(engine));
}
