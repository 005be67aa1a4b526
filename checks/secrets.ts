import { namespace, sentence } from "../settings/problem";
import type { Settings } from "../settings/schema";
import { entries } from "../settings/schema/reference";

/** The places in a value that a pattern such as `registries[].password` names. */
function placesOf(value: unknown, [part, ...rest]: readonly string[], path = ""): [string, unknown][] {
  if (value === undefined || value === null) return [];
  if (part === undefined) return [[path, value]];
  const key = part.replace("[]", "");
  const inner = (value as Record<string, unknown>)[key];
  const at = path === "" ? key : `${path}.${key}`;
  if (!part.endsWith("[]")) return placesOf(inner, rest, at);
  return Array.isArray(inner)
    ? inner.flatMap((one: unknown, index) => placesOf(one, rest, `${at}[${index}]`))
    : [];
}

/** A sentence for each secret among the settings that stands as plain text; `isPlain` judges by its path and its value. */
export function plainSecrets(
  settings: Pick<Settings, "registries" | "backup" | "monitoring" | "secrets">,
  isPlain: (path: string, value: unknown) => boolean,
): string[] {
  return entries()
    .filter(({ secret }) => secret)
    .flatMap(({ path }) => placesOf(settings, path.split(".")))
    .filter(([path, value]) => isPlain(path, value))
    .map(([path]) =>
      sentence({
        path: `${namespace}:${path}`,
        value: undefined,
        wrong: "plain text is not allowed",
        allowed: "a text that Pulumi has encrypted",
        fix: `set it with pulumi config set --secret --path '${namespace}:${path}'`,
      }),
    );
}
