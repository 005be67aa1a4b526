import { Provider } from "@pulumi/kubernetes/provider";
import { Config, runtime } from "@pulumi/pulumi";
import { PostgresPlatform } from "../../../components/platform";
import type { EnginePlanner } from "../../../plan/engines/planner";
import { plannerOf } from "../../../plan/engines/select";
import { rawSettings } from "../../../stacks/program";
import { checked } from "../../support/settings";

/**
 * The platform of a stack's configuration, as Pulumi's program makes it, but for its cluster: the Kubernetes provider writes each object as a file, and deletes
 * the file with the object. So updates and deletions are the engine's own, and what is there afterwards can be looked at.
 */

/** The operator's CA would be read out of a cluster: here the platform signs for each engine. */
const signing = (engine: EnginePlanner): EnginePlanner => ({
  ...engine,
  plan: (settings) => {
    const plan = engine.plan(settings);
    return { ...plan, tls: { ...plan.tls, issuer: "platform" } };
  },
});

const own = new Config("guard");
const config = Object.fromEntries(
  Object.entries(runtime.allConfig()).filter(([key]) => key.startsWith("pgplatform:")),
);
if (own.get("without") !== "platform") {
  const settings = checked(rawSettings(config));
  new PostgresPlatform(
    "main",
    { checked: settings, engine: signing(plannerOf(settings)) },
    {
      providers: {
        kubernetes: new Provider("kubernetes", { renderYamlToDirectory: own.require("folder") }),
      },
    },
  );
}
