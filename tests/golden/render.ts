import { join } from "node:path";
import { rawSettings } from "../../stacks/program";
import { shortObjects, sorted } from "../support/manifest";
import { platformGraph } from "../support/platform";
import { checked, stackConfig } from "../support/settings";

export const goldenFile = (stack: string): string => join(__dirname, `${stack}.json`);

/** The resource graph and the outputs of one of the repository's stacks, as text. */
export async function render(stack: string): Promise<string> {
  const settings = checked(rawSettings(stackConfig(stack)));
  const { resources, outputs, reads } = await platformGraph(
    settings,
    await shortObjects(settings.cluster.engine),
  );
  const byName = [...resources].sort((a, b) => (`${a.type} ${a.name}` < `${b.type} ${b.name}` ? -1 : 1));
  return `${JSON.stringify(sorted({ resources: byName, outputs, reads }), null, 1)}\n`;
}
