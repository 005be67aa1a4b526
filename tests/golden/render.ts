import { rawSettings } from "../../stacks/program";
import { releasedObjects, shortObjects } from "../support/manifest";
import { platformGraph } from "../support/platform";
import { checked, stackConfig } from "../support/settings";
import { filesOf } from "./files";

/** The resource graph and the outputs of one of the repository's stacks: texts of files by their names. */
export async function render(stack: string): Promise<ReadonlyMap<string, string>> {
  const settings = checked(rawSettings(stackConfig(stack)));
  const { engine } = settings.cluster;
  const short = await shortObjects(engine);
  const graph = await platformGraph(settings, short);
  return filesOf(graph, short, await releasedObjects(engine));
}
