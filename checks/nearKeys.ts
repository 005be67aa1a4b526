import { distance } from "fastest-levenshtein";
import { namespace } from "../settings/problem";
import { entries } from "../settings/schema/reference";

const plain = (key: string): string => key.toLowerCase().replace(/[-_ ]/g, "");

/** The names that are nearest to a misspelt one, however it writes capitals and hyphens; none when none is near. */
export function nearest(name: string, known: readonly string[]): string[] {
  const wanted = plain(name);
  // A beginning is near, however much of the name is missing.
  const stepsTo = (one: string) =>
    wanted.length >= 3 && plain(one).startsWith(wanted) ? 1 : distance(plain(one), wanted);
  const found = known
    .map((one) => ({ one, steps: stepsTo(one) }))
    .filter(({ steps }) => steps <= Math.max(1, Math.floor(wanted.length / 3)))
    .sort((a, b) => a.steps - b.steps || (a.one < b.one ? -1 : 1));
  return found.filter(({ steps }) => steps === found[0]?.steps).map(({ one }) => one);
}

let all: readonly string[] | undefined;

/** The setting of that very name at another place: the only one, or the one that lies above all others. */
function elsewhere(name: string): string | undefined {
  all ??= [
    ...new Set(
      entries().flatMap(({ path }) => {
        const parts = path.split(".");
        return parts.map((_part, index) =>
          parts
            .slice(0, index + 1)
            .join(".")
            .replace(/\[\]$/, ""),
        );
      }),
    ),
  ];
  const depth = (path: string) => path.split(".").length;
  const [first, second] = all
    .filter((path) => plain(path.split(".").at(-1) ?? "") === plain(name))
    .sort((a, b) => depth(a) - depth(b));
  return first !== undefined && (second === undefined || depth(second) > depth(first)) ? first : undefined;
}

/** The fix for a key that is no setting, at a path below the namespace. */
export function nearKeys(path: string, key: string, known: readonly string[]): string {
  if (path === "" && /[.[]/.test(key))
    return `write it as \`pulumi config set --path '${namespace}:${key}'\` does, which makes an object of it`;
  const near = nearest(key, known);
  if (near.length > 0) return `did you mean ${near.join(" or ")}? Correct it, or remove it`;
  const other = elsewhere(key);
  return other === undefined
    ? "remove it, or correct its spelling"
    : `did you mean ${namespace}:${other}? Move it there, or remove it`;
}
