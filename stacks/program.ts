import { log } from "@pulumi/pulumi";
import { PostgresPlatform } from "../components/platform";
import { rawSettings } from "../checks/configuration";
import { check, sentence } from "../checks/index";
import { plainSecrets } from "../checks/secrets";
import { standing, told } from "../plan/guarded";
import { hasManifest, manifestsOf } from "../releases/manifest";
import { today } from "../settings/day";
import { namespace } from "../settings/problem";
import type { Settings } from "../settings/schema";
import { encrypted } from "../settings/schema/types";
import { outputsOf } from "./outputs";
import { providersOf } from "./providers";
import { UserError } from "../shell/userError";

export { rawSettings };

/** What Pulumi knows of a configuration beside its texts. */
export interface Origin {
  readonly project: string;
  /** Keys of which the value, or a part of it, is encrypted. */
  readonly secretKeys: readonly string[];
}

/** A text in an object is encrypted only if that object's key has a secret in it. */
const plainTexts = (settings: Settings, { secretKeys }: Origin): string[] =>
  plainSecrets(
    settings,
    (path, value) =>
      value !== encrypted && !secretKeys.includes(`${namespace}:${/^\w+/.exec(path)?.[0] ?? path}`),
  );

/** Gets the released manifests of operators where nothing has left them in the cache: `make` has, `pulumi` by itself hasn't. */
async function fetchManifests(settings: Settings): Promise<void> {
  for (const name of manifestsOf(settings)) {
    if ((name !== "monitoring" && !settings.operator.install) || hasManifest(name)) continue;
    // What fetches it is long to load.
    const { manifestFile } = await import("../local/manifests");
    const whose = name === "monitoring" ? "the Prometheus Operator" : `the operator of ${name}`;
    await manifestFile(name).catch((error: unknown) => {
      throw new UserError([
        `The manifest of ${whose} is not in the cache and can't be fetched: ${error instanceof Error ? error.message : String(error)}. ` +
          "Run `make tools` where the network lets you, and keep the folder that PGP_CACHE names.",
      ]);
    });
  }
}

/** The platform that a stack's configuration describes; returns the stack's outputs. */
export async function program(
  config: Readonly<Record<string, string>>,
  origin: Origin,
): Promise<Record<string, unknown>> {
  const checked = check(rawSettings(config, origin.project));
  if ("problems" in checked) throw new UserError(checked.problems.map(sentence));
  const { settings } = checked;
  const plain = plainTexts(settings, origin);
  if (plain.length > 0) throw new UserError(plain);
  const { allowed, problems } = standing(settings.allow, today());
  if (problems.length > 0) throw new UserError(problems.map(sentence));
  await Promise.all(allowed.map((one) => log.warn(told(one))));
  await fetchManifests(settings);
  const platform = new PostgresPlatform(
    settings.cluster.name,
    {
      checked: settings,
    },
    { providers: providersOf(settings) },
  );
  return outputsOf(settings, platform);
}
