import { PostgresPlatform } from "../components/platform";
import { check, sentence } from "../checks/index";
import { hasManifest, isOperated } from "../releases/manifest";
import type { Settings } from "../settings/schema";
import { outputsOf } from "./outputs";
import { providersOf } from "./providers";
import { UserError } from "../shell/userError";

const prefix = "pgplatform:";

/** Pulumi's flat configuration as the settings of this program; objects and lists come as JSON. */
export function rawSettings(config: Readonly<Record<string, string>>): Record<string, unknown> {
  return Object.fromEntries(
    Object.entries(config)
      .filter(([key]) => key.startsWith(prefix))
      .map(([key, text]) => [key.slice(prefix.length), /^\s*[[{]/.test(text) ? parsed(key, text) : text]),
  );
}

const goTime = /^(\d{4}-\d\d-\d\d) (\d\d:\d\d:\d\d(?:\.\d{1,6})?)\d* ([+-]\d\d)(\d\d) \S+$/;

/** Pulumi reads a time without quotes as a time, and hands it on as Go prints it. */
const asWritten = (_key: string, value: unknown): unknown =>
  typeof value === "string" ? value.replace(goTime, "$1T$2$3:$4") : value;

function parsed(key: string, text: string): unknown {
  try {
    return JSON.parse(text, asWritten);
  } catch {
    throw new UserError([
      `${key} begins like an object or a list and isn't one: write it in the stack file as YAML.`,
    ]);
  }
}

/** Gets the released manifest of the operator where nothing has left it in the cache: `make` has, `pulumi` by itself hasn't. */
async function manifestOf({ cluster: { engine }, operator }: Settings): Promise<void> {
  if (!isOperated(engine) || !operator.install || hasManifest(engine)) return;
  // What fetches it is long to load.
  const { manifestFile } = await import("../local/manifests");
  await manifestFile(engine).catch((error: unknown) => {
    throw new UserError([
      `The manifest of the operator of ${engine} is not in the cache and can't be fetched: ${error instanceof Error ? error.message : String(error)}. ` +
        "Run `make tools` where the network lets you, and keep the folder that PGP_CACHE names.",
    ]);
  });
}

/** The platform that a stack's configuration describes; returns the stack's outputs. */
export async function program(config: Readonly<Record<string, string>>): Promise<Record<string, unknown>> {
  const checked = check(rawSettings(config));
  if ("problems" in checked) throw new UserError(checked.problems.map(sentence));
  const { settings } = checked;
  await manifestOf(settings);
  const platform = new PostgresPlatform(
    settings.cluster.name,
    {
      checked: settings,
    },
    { providers: providersOf(settings) },
  );
  return outputsOf(settings, platform);
}
