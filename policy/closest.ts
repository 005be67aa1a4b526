import { distance } from "fastest-levenshtein";

/** The name that is most like the word, where one is much like it. */
export function closest(word: string, names: readonly string[]): string | undefined {
  const most = Math.max(1, Math.floor(word.length / 4));
  const [best] = names
    .map((name) => ({ name, far: distance(word.toLowerCase(), name.toLowerCase()) }))
    .filter(({ far }) => far <= most)
    .sort((one, other) => one.far - other.far);
  return best?.name;
}
