import { isRecord, type KubernetesObject } from "../../plan/objects";
import { rawSettings } from "../../stacks/program";
import { configOf } from "../golden/render";
import type { Registered } from "../support/graph";
import { shortObjects } from "../support/manifest";
import { platformGraph } from "../support/platform";
import { checked, everything } from "../support/settings";

const kubernetesObjects = (resources: readonly Registered[]): KubernetesObject[] =>
  resources
    .filter(({ type, inputs }) => type.startsWith("kubernetes:") && isRecord(inputs.metadata))
    .map(({ inputs }) => inputs as unknown as KubernetesObject)
    .filter(({ kind }) => kind !== "CustomResourceDefinition");

/** Kubernetes' objects of one of the graphs that tests/golden keeps, in full. */
export async function objectsOf(stack: string): Promise<KubernetesObject[]> {
  const settings = checked(rawSettings(configOf(stack)));
  return kubernetesObjects(
    (await platformGraph(settings, await shortObjects(settings.cluster.engine))).resources,
  );
}

/** Those of the settings with everything in use, monitoring that the stack installs among them. */
export async function withEverything(): Promise<KubernetesObject[]> {
  const settings = checked(everything());
  return kubernetesObjects((await platformGraph(settings, await shortObjects("cnpg"))).resources);
}
