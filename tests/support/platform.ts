import type { KubernetesObject } from "../../plan/objects";
import { PostgresPlatform, type CheckedArgs } from "../../components/platform";
import { outputsOf } from "../../stacks/outputs";
import type { Settings } from "../../settings/schema";
import { graphOf, type Graph } from "./graph";

/** The resource graph of a whole platform under mocks. */
export const platformGraph = (
  settings: Settings,
  manifest: readonly KubernetesObject[],
  more: Partial<CheckedArgs> = {},
): Promise<Graph> =>
  graphOf((options) => {
    const platform = new PostgresPlatform(
      settings.cluster.name,
      {
        checked: settings,
        released: () => manifest,
        ...more,
      },
      options,
    );
    return outputsOf(settings, platform);
  });
