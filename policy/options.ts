import type { Problem } from "../settings/problem";
import { misspelt } from "./closest";
import type { Invariant } from "./invariants/invariant";

/** What the pack was configured with: options by the policy's name. */
export type PackConfig = Readonly<Record<string, Readonly<Record<string, unknown>>>>;

/** What Pulumi applies to every policy. */
const everyPolicy = "all";

/** Names in the pack's configuration that no policy and no option has: they change nothing. */
export function unknownNames(
  given: PackConfig,
  names: readonly string[],
  invariants: readonly Invariant[],
): Problem[] {
  return Object.entries(given).flatMap(([name, options]): Problem[] => {
    if (name === everyPolicy) return [];
    if (!names.includes(name))
      return [
        misspelt(
          { path: name, wrong: "no such policy" },
          { word: name, names, otherwise: "the name of a policy of this pack" },
        ),
      ];
    const known = Object.keys(invariants.find((one) => one.name === name)?.options ?? {});
    return Object.keys(options)
      .filter((option) => !known.includes(option))
      .map((option) =>
        misspelt(
          { path: `${name}.${option}`, wrong: "no such option" },
          {
            word: option,
            names: known,
            otherwise: known.length === 0 ? "none: the policy has no options" : known.join(", "),
          },
        ),
      );
  });
}
