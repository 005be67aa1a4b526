import {
  extensionPrefixes,
  isForeign,
  nearest,
  ofTransaction,
  parameterOf,
  parameterText,
  whyMissing,
  wrong,
} from "../settings/catalogue/index";
import type { EngineTraits } from "../plan/engines/planner";
import type { Settings } from "../settings/schema";
import { extensionOfParameter } from "../plan/postgres/extensions";
import { dangerOf } from "./dangers";
import { knownLibraries } from "./extensions";
import { matches, type Rule } from "./rule";
import { textRefusal } from "./texts";

type Refusal = { readonly allowed: string; readonly fix: string };

const unset = (why: string): Refusal => ({ allowed: `must not be set: ${why}`, fix: "remove it" });

function unknown(major: string, name: string): Refusal {
  const why = whyMissing(major, name);
  if (why !== undefined) return unset(why);
  const near = nearest(major, name);
  const prefixes = extensionPrefixes(major);
  const [prefix = ""] = name.split(".");
  return {
    allowed:
      name.includes(".") && !prefixes.includes(prefix)
        ? `a parameter of PostgreSQL ${major}, or of an extension: ${prefixes.join(", ")}`
        : `a parameter of PostgreSQL ${major}`,
    fix:
      near.length === 0
        ? "correct it or remove it"
        : `did you mean ${near.join(", ")}? Correct it or remove it`,
  };
}

/** Why a parameter isn't the user's to set, by the one that does; undefined for one that is. */
export const ownerOf = (engine: EngineTraits, name: string): string | undefined =>
  Object.entries(engine.ownedParameters).find(([key]) => matches(key, name))?.[1];

/** Whether the parameter belongs to a library that is preloaded because the settings name it. */
const isPreloaded = ({ preloadLibraries }: Settings["cluster"], name: string): boolean =>
  preloadLibraries.includes(extensionOfParameter(name) ?? "");

/** Why no server of the major version would take the parameter, or why it isn't the user's to set. */
function refusal(
  cluster: Settings["cluster"],
  name: string,
  text: string,
  engine: EngineTraits,
): Refusal | undefined {
  const { postgresVersion: major } = cluster;
  const owner = ownerOf(engine, name);
  if (owner !== undefined) return unset(owner);
  const parameter = parameterOf(major, name);
  if (!parameter) return isForeign(name) || isPreloaded(cluster, name) ? undefined : unknown(major, name);
  if (ofTransaction(name)) return unset(`each transaction has its own; default_${name} is for all of them`);
  if (parameter.context === "internal") return unset("the server reports it, and it is read-only");
  return wrong(parameter, text);
}

/** Libraries of PostgreSQL's own that have parameters and no extension, and that the platform doesn't preload. */
const neverLoaded = ["auth_delay", "basebackup_to_shell", "basic_archive", "passwordcheck", "sepgsql"];

/** Why a parameter of an extension would have no effect. */
function withoutEffect(settings: Settings, name: string, engine: EngineTraits): Refusal | undefined {
  const extension = extensionOfParameter(name);
  if (extension === undefined) return undefined;
  if (isPreloaded(settings.cluster, name)) return undefined;
  if (neverLoaded.includes(extension)) return unset(`nothing loads ${extension}`);
  const known = knownLibraries(settings, engine);
  return known === undefined || known.includes(extension)
    ? undefined
    : unset(`the image ${settings.images.postgresql} doesn't have ${extension}`);
}

export const parameters: Rule = (settings, report, engine) => {
  const { cluster } = settings;
  for (const [name, value] of Object.entries(cluster.parameters)) {
    const text = parameterText(value);
    const problem =
      refusal(cluster, name, text, engine) ??
      withoutEffect(settings, name, engine) ??
      textRefusal(settings, name, text, engine) ??
      dangerOf(settings, name, text);
    if (problem) report(`cluster.parameters.${name}`, value, problem.allowed, problem.fix);
  }
};
