import * as z from "zod";
import { type Group, groups } from "./groups";
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
  /** Whether it stands in stack files as Pulumi has encrypted it. */
  readonly secret: boolean;
}

interface Words {
  readonly secret?: boolean;
  readonly means: string;
  readonly change: string;
  readonly allowed: string;
}

const isWords = (meta: unknown): meta is Words =>
  typeof meta === "object" && meta !== null && "means" in meta && "change" in meta && "allowed" in meta;

/** The sentence that names the default, as the texts of the schema write it. */
const defaultSentence = / ?Default: (.+?)\.(?= |$)/;

function entryOf(path: string, { means, allowed, change, secret = false }: Words, value: unknown): Entry {
  const byDefault = defaultSentence.exec(means)?.[1];
  return {
    path,
    means: means.replace(defaultSentence, ""),
    allowed,
    ...(byDefault !== undefined && { byDefault }),
    change,
    secret,
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

const WIDTH = 110;

/** A word that would begin a list, a heading or a quotation at the start of a line. */
const marks = /^([*+>-]|#+|\d+[.)])$/;

/** Fills lines of a paragraph; `indent` is what all lines but the first begin with. */
export function filled(text: string, indent = ""): string {
  const lines: string[] = [];
  let line = "";
  for (const word of text.split(" ")) {
    const longer = line === "" ? word : `${line} ${word}`;
    const room = WIDTH - (lines.length > 0 ? indent.length : 0);
    if (line !== "" && longer.length > room && !marks.test(word)) {
      lines.push(line);
      line = word;
    } else line = longer;
  }
  return [...lines, line].join(`\n${indent}`);
}

/** Schedules as code: Markdown would read their stars as emphasis. */
const plain = (text: string): string =>
  text.replace(/(?<![\w`])(?:[\d*/,-]+ ){4}[\d*/-]+/g, (schedule) => `\`${schedule}\``);

const section = ({ path, means, allowed, byDefault, change }: Entry): string =>
  [
    `### \`${path}\``,
    "",
    filled(plain(means)),
    "",
    filled(plain(`- Allowed: ${allowed}.`), "  "),
    filled(
      plain(`- Default: ${byDefault === undefined ? "none; the setting is required" : byDefault}.`),
      "  ",
    ),
    filled(plain(`- ${change}`), "  "),
  ].join("\n");

/** How much of a path a group names; 0 when the path is another group's. */
const claim = (path: string, { paths }: Group): number =>
  Math.max(
    0,
    ...paths.map((one) =>
      path === one || (/^[.[]/.test(path.slice(one.length)) && path.startsWith(one)) ? one.length : 0,
    ),
  );

/** The settings of each group, in the schema's order. Throws for a setting that no group claims. */
export function grouped(all: readonly Entry[] = entries()): { group: Group; entries: Entry[] }[] {
  const found = groups.map((group) => ({ group, entries: [] as Entry[] }));
  for (const entry of all) {
    const [best] = [...found].sort((a, b) => claim(entry.path, b.group) - claim(entry.path, a.group));
    if (best === undefined || claim(entry.path, best.group) === 0)
      throw new Error(`${entry.path} is in no group of settings/schema/groups.ts`);
    best.entries.push(entry);
  }
  return found;
}

const anchor = (title: string): string =>
  title
    .toLowerCase()
    .replace(/[^a-z ]/g, "")
    .replaceAll(" ", "-");

/** The settings reference in Markdown. */
export function settingsReference(): string {
  const all = grouped();
  return [
    "# Settings",
    "",
    "Write settings into `Pulumi.<stack>.yaml`, below `config:`, and run `make preview`: it refuses a wrong value with",
    "its path, the value, what is allowed and the fix, before anything is changed. This page is generated from the",
    "schema (`npm run docs:settings`); do not edit it.",
    "",
    "`pulumi config set --path 'pgplatform:cluster.instances' 5` writes into the same file; the number 16 and the text",
    '"16" are one value there. Keys without `pgplatform:` are refused.',
    "",
    "To encrypt a value of a stack that `make` made, tell `pulumi` where its state and passphrase are: below `PGP_STATE`, or",
    "where your own variables (`PULUMI_BACKEND_URL`) say. Before the first `make up` of the stack make that folder and a file",
    "with a passphrase, and run `pulumi stack init local`.",
    "",
    "```console",
    "export PATH=<the folders that make tools names, with colons between them>:$PATH",
    "export PULUMI_BACKEND_URL=file://$HOME/.local/state/postgres-platform/pulumi",
    "export PULUMI_CONFIG_PASSPHRASE_FILE=$HOME/.local/state/postgres-platform/passphrase",
    "pulumi config set --stack local --secret --path 'pgplatform:registries[0].password' # asks for the value",
    "```",
    "",
    "`[]` in a path stands for each element of a list. Rules between settings are not repeated here: the check names",
    "them. Each example passes the check together with the required settings; a unit test holds that.",
    "",
    ...all.map(({ group }) => `- [${group.title}](#${anchor(group.title)})`),
    ...all.flatMap(({ group, entries: own }) => [
      "",
      `## ${group.title}`,
      "",
      filled(group.intro),
      "",
      "```yaml",
      group.example,
      "```",
      ...own.flatMap((entry) => ["", section(entry)]),
    ]),
    "",
  ].join("\n");
}
