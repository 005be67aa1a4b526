import * as z from "zod";
import { schema } from "./index";

/** One setting as the reference shows it. */
export interface Entry {
  /** Below `pgplatform:`; `[]` stands for each element of a list. */
  readonly path: string;
  readonly means: string;
  readonly allowed: string;
  /** Undefined when the setting must be given. */
  readonly byDefault?: string;
  readonly change: string;
  /** The schema's own default, where it has one; the text must agree. */
  readonly value?: unknown;
}

interface Words {
  readonly means: string;
  readonly change: string;
  readonly allowed: string;
}

const isWords = (meta: unknown): meta is Words =>
  typeof meta === "object" && meta !== null && "means" in meta && "change" in meta && "allowed" in meta;

/** The sentence that names the default, as the texts of the schema write it. */
const defaultSentence = / ?Default: (.+?)\.(?= |$)/;

function entryOf(path: string, { means, allowed, change }: Words, value: unknown): Entry {
  const byDefault = defaultSentence.exec(means)?.[1];
  return {
    path,
    means: means.replace(defaultSentence, ""),
    allowed,
    ...(byDefault !== undefined && { byDefault }),
    change,
    ...(value !== undefined && { value }),
  };
}

/** Every setting with words of its own, in the schema's order. */
export function entries(node: unknown = schema, path = ""): Entry[] {
  let words: Words | undefined;
  let value: unknown;
  for (;;) {
    const meta: unknown = node instanceof z.ZodType ? node.meta() : undefined;
    if (isWords(meta)) words ??= meta;
    if (node instanceof z.ZodDefault || node instanceof z.ZodPrefault) {
      value ??= node.def.defaultValue;
      node = node.unwrap();
    } else if (node instanceof z.ZodOptional) node = node.unwrap();
    else break;
  }
  const own = words ? [entryOf(path, words, value)] : [];
  // Each setting once, by the first kind that has it: kinds list their settings in one order.
  if (node instanceof z.ZodDiscriminatedUnion) {
    const [first] = node.options as unknown as readonly z.ZodObject[];
    const each = (node.options as unknown as readonly z.ZodObject[]).map((option) => option.shape);
    return Object.keys(first?.shape ?? {}).flatMap((key) => {
      const found = each.map((shape) => entries(shape[key], `${path}.${key}`));
      return found.find((one) => one.length > 0) ?? [];
    });
  }
  if (node instanceof z.ZodUnion)
    node = node.options.find((option: unknown) => option instanceof z.ZodObject);
  if (node instanceof z.ZodArray) return [...own, ...entries(node.element, `${path}[]`)];
  if (!(node instanceof z.ZodObject)) return own;
  const inner = Object.entries(node.shape).flatMap(([key, child]) =>
    entries(child, path === "" ? key : `${path}.${key}`),
  );
  return [...own, ...inner];
}

/** What the groups are about; a group is a key below `pgplatform:`. */
const groups: Readonly<Record<string, string>> = {
  cluster: "Database cluster",
  poolers: "Poolers",
  clients: "Clients",
  rotation: "Rotation of passwords",
  network: "Network",
  monitoring: "Monitoring",
  kubernetes: "Kubernetes",
  operator: "Operator",
  images: "Images",
  registries: "Registries",
};

const section = ({ path, means, allowed, byDefault, change }: Entry): string =>
  [
    `### \`${path}\``,
    "",
    means,
    "",
    `- Allowed: ${allowed}.`,
    `- Default: ${byDefault === undefined ? "none, it must be given" : byDefault}.`,
    `- ${change}`,
  ].join("\n");

/** The settings reference in Markdown. */
export function settingsReference(): string {
  const all = entries();
  const groupOf = ({ path }: Entry) => /^[^.[]*/.exec(path)?.[0] ?? "";
  const general = all.filter((entry) => !(groupOf(entry) in groups));
  const titled = Object.entries(groups).map(([key, title]) => ({
    title,
    entries: all.filter((entry) => groupOf(entry) === key),
  }));
  return [
    "# Settings",
    "",
    "Everything that a stack file may say below `pgplatform:`. Made from the schema by `npm run docs:settings`; not edited by hand.",
    "",
    "Paths are as the settings check writes them; `[]` stands for each element of a list. Relations between settings, which",
    "the check names with path, value, what is allowed and the fix, aren't repeated here.",
    ...[{ title: "General", entries: general }, ...titled]
      .filter(({ entries }) => entries.length > 0)
      .flatMap(({ title, entries }) => [
        "",
        `## ${title}`,
        ...entries.flatMap((entry) => ["", section(entry)]),
      ]),
    "",
  ].join("\n");
}
