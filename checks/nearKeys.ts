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

/** The value that a misspelt one can only mean: a step between short words leads to the opposite as well, as from sync to async. */
export function nearValue(given: string, known: readonly string[]): string | undefined {
  const wanted = plain(given);
  const near = (one: string) =>
    one === wanted ||
    (wanted.length >= 3 && one.startsWith(wanted)) ||
    (wanted.length >= 6 && distance(one, wanted) === 1);
  const found = known.filter((one) => near(plain(one)));
  return found.length === 1 ? found[0] : undefined;
}

/** What other programs call a setting. */
const otherNames: Readonly<Record<string, string>> = {
  maxclientconn: "maxClients",
  numberofinstances: "instances",
  poolmode: "mode",
  postgresqlversion: "postgresVersion",
  replicas: "instances",
  retentiondays: "recoveryWindowDays",
  storageclass: "class",
  users: "roles",
  version: "postgresVersion",
};

/** Names that say nothing without the place that they stand at. */
const anywhere = ["enabled"];

let all: readonly string[] | undefined;

/** The setting of that very name below a path, or at the top; of several the one that lies above all others. */
function elsewhere(path: string, name: string): string | undefined {
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
  const parent = path === "" ? "" : `${path}.`;
  const ofLists = parent.replace(/\[\d+\]/g, "[]");
  const below = all
    .filter((one) => one.startsWith(ofLists) && !one.slice(ofLists.length).includes("["))
    .map((one) => `${parent}${one.slice(ofLists.length)}`);
  const [first, second] = [...new Set([...below, ...all.filter((one) => depth(one) === 1)])]
    .filter((one) => plain(one.split(".").at(-1) ?? "") === plain(name))
    .sort((a, b) => depth(a) - depth(b));
  return first !== undefined && (second === undefined || depth(second) > depth(first)) ? first : undefined;
}

/** The fix for a key that is no setting, at a path below the namespace. */
export function nearKeys(path: string, key: string, known: readonly string[]): string {
  if (path === "" && /[.[]/.test(key))
    return `write it as \`pulumi config set --path '${namespace}:${key}'\` does, which makes an object of it`;
  const meant = otherNames[plain(key)] ?? key;
  const near = nearest(meant, known);
  if (near.length > 0) return `did you mean ${near.join(" or ")}? Correct it, or remove it`;
  const other = anywhere.includes(plain(key)) ? undefined : elsewhere(path, meant);
  return other === undefined
    ? "remove it, or correct its spelling"
    : `did you mean ${namespace}:${other}? Move it there, or remove it`;
}
