import { distance } from "fastest-levenshtein";
import { namespace, type Problem, sentence } from "../settings/problem";
import { schema } from "../settings/schema";
import { UserError } from "../shell/userError";
import { nearest } from "./nearKeys";

/** A stack's configuration: which of its keys are settings, and which would be read by no one. */

/** Namespaces of keys that Pulumi or a provider reads. */
const providers = [
  "pulumi",
  "kubernetes",
  "aws",
  "cloudflare",
  "random",
  "command",
  "tls",
  "b2",
  "gcp",
  "azure",
  "azure-native",
];

const names = Object.keys(schema.shape);

/** Old configurations have `config:` in the middle of a key, which Pulumi leaves out. */
const clean = (key: string): string => key.replace(/^([^:]+):config:/, "$1:");

/** Whether a namespace is another one misspelt: short names are near to too many others. */
const near = (one: string, other: string): boolean => {
  const [given, meant] = [one, other].map((name) => name.toLowerCase().replace(/[-_]/g, "")) as [
    string,
    string,
  ];
  return distance(given, meant) <= Math.floor(meant.length / 4);
};

/** The way to the first value below a key, as `--path` writes it: what someone has just set. */
function firstPath(value: unknown): string {
  const object: unknown = typeof value === "string" && /^\s*[[{]/.test(value) ? tried(value) : value;
  if (typeof object !== "object" || object === null) return "";
  const [[key, inner] = []] = Object.entries(object);
  if (key === undefined) return "";
  return `${Array.isArray(object) ? `[${key}]` : `.${key}`}${firstPath(inner)}`;
}

function tried(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}

/**
 * What is wrong with a key that isn't a setting's: `pulumi config set` without a namespace writes below the project's name, and a misspelt
 * namespace belongs to no program. Undefined for a key that another program may read.
 */
function strayKey(key: string, value: unknown, project: string): Problem | undefined {
  const [space = "", ...rest] = key.includes(":") ? key.split(":") : [project, key];
  const [, name = "", below = ""] = /^([^.[]*)(.*)$/.exec(rest.join(":")) ?? [];
  if (space === namespace || providers.includes(space)) return undefined;
  const meant = names.includes(name) ? name : nearest(name, names)[0];
  const misspelt = space === project || near(space, namespace) || near(space, project);
  const shortened = names.includes(name) && namespace.startsWith(space.toLowerCase());
  if (!misspelt && !shortened) return undefined;
  const right = `${namespace}:${meant ?? "…"}${below}`;
  const path = `${right}${below === "" ? firstPath(value) : ""}`;
  return {
    path: key,
    value: undefined,
    wrong: "no setting has this key, and it would be ignored",
    allowed: meant === undefined ? `keys such as ${namespace}:cluster` : right,
    fix:
      meant === undefined
        ? "remove it, or correct its spelling"
        : `write it as ${right}, such as by \`pulumi config set --path '${path}'\`, and remove this key by \`pulumi config rm '${key}'\``,
  };
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

/** A stack's configuration as the settings of this program; objects and lists may be texts of JSON. Refuses keys that nothing would read. */
export function rawSettings(
  config: Readonly<Record<string, unknown>>,
  project = "postgres-platform",
): Record<string, unknown> {
  const entries = Object.entries(config).map(([key, value]) => [clean(key), value] as const);
  const stray = entries.flatMap(([key, value]) => strayKey(key, value, project) ?? []);
  if (stray.length > 0) throw new UserError(stray.map(sentence));
  return Object.fromEntries(
    entries
      .filter(([key]) => key.startsWith(`${namespace}:`))
      .map(([key, value]) => [
        key.slice(namespace.length + 1),
        typeof value === "string" && /^\s*[[{]/.test(value) ? parsed(key, value) : value,
      ]),
  );
}
