import type { KubernetesObject } from "../../plan/objects";
import { isRecord } from "../../settings/record";
import type { Settings } from "../../settings/schema";
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

const objectsWith = async (settings: Settings): Promise<KubernetesObject[]> =>
  kubernetesObjects((await platformGraph(settings, await shortObjects(settings.cluster.engine))).resources);

/** Kubernetes' objects of one of the graphs that tests/golden keeps, in full. */
export const objectsOf = (stack: string): Promise<KubernetesObject[]> =>
  objectsWith(checked(rawSettings(configOf(stack))));

/** Those of the settings with everything in use, monitoring that the stack installs among them. */
export const withEverything = (): Promise<KubernetesObject[]> => objectsWith(checked(everything()));
