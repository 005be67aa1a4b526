import { distance } from "fastest-levenshtein";
import type { Problem } from "../settings/problem";

/** The name that is most like the word, where one is much like it. */
export function closest(word: string, names: readonly string[]): string | undefined {
  const most = Math.max(1, Math.floor(word.length / 4));
  const [best] = names
    .map((name) => ({ name, far: distance(word.toLowerCase(), name.toLowerCase()) }))
    .filter(({ far }) => far <= most)
    .sort((one, other) => one.far - other.far);
  return best?.name;
}

/** The problem that a name is none of those that there are. */
export function misspelt(
  { path, wrong }: { readonly path: string; readonly wrong: string },
  {
    word,
    names,
    otherwise,
  }: { readonly word: string; readonly names: readonly string[]; readonly otherwise: string },
): Problem {
  const near = closest(word, names);
  return {
    path,
    value: undefined,
    wrong,
    allowed: near ?? otherwise,
    fix: near === undefined ? "remove it" : `did you mean ${near}? Correct it, or remove it`,
  };
}
