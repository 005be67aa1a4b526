import { createHash } from "node:crypto";
import { join } from "node:path";
import { rawSettings } from "../../stacks/program";
import type { Registered } from "../support/graph";
import { releasedObjects } from "../support/manifest";
import { platformGraph } from "../support/platform";
import { checked, stackConfig } from "../support/settings";

export const goldenFile = (stack: string): string => join(__dirname, `${stack}.json`);

/** Foreign and long: the operator's released CRDs stand in the graph by their digests. */
function short(resource: Registered): Registered {
  if (!resource.type.endsWith(":CustomResourceDefinition")) return resource;
  const { spec, ...inputs } = resource.inputs;
  const digest = createHash("sha256").update(JSON.stringify(spec)).digest("hex");
  return { ...resource, inputs: { ...inputs, spec: `sha256:${digest}` } };
}

/** Objects with their keys in order, so that the order in which a program builds them is no difference. */
function sorted(value: unknown): unknown {
  if (Array.isArray(value)) return value.map(sorted);
  if (typeof value !== "object" || value === null) return value;
  return Object.fromEntries(
    Object.entries(value)
      .sort(([a], [b]) => (a < b ? -1 : 1))
      .map(([key, inner]) => [key, sorted(inner)]),
  );
}

/** The resource graph and the outputs of one of the repository's stacks, as text. */
export async function render(stack: string): Promise<string> {
  const settings = checked(rawSettings(stackConfig(stack)));
  const { resources, outputs, reads } = await platformGraph(
    settings,
    await releasedObjects(settings.cluster.engine),
  );
  const byName = [...resources]
    .map(short)
    .sort((a, b) => (`${a.type} ${a.name}` < `${b.type} ${b.name}` ? -1 : 1));
  return `${JSON.stringify(sorted({ resources: byName, outputs, reads }), null, 1)}\n`;
}
