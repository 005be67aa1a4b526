import * as z from "zod";
import { schema } from "../settings/schema";
import { namespace, type Problem } from "../settings/problem";
import { nearKeys, nearValue } from "./nearKeys";

/** `pgplatform:cluster.databases[0].name` */
const pathOf = (keys: readonly PropertyKey[]): string =>
  keys.reduce<string>((path, key, index) => {
    if (index === 0) return `${namespace}:${String(key)}`;
    return typeof key === "number" ? `${path}[${key}]` : `${path}.${String(key)}`;
  }, namespace);

const valueAt = (raw: unknown, keys: readonly PropertyKey[]): unknown =>
  keys.reduce<unknown>(
    (value, key) =>
      typeof value === "object" && value !== null ? (value as Record<PropertyKey, unknown>)[key] : undefined,
    raw,
  );

interface Hints {
  allowed?: string;
  fix?: string;
  /** What is said in place of the value. @default - the value */
  shown?: string;
  /** What is allowed, where the setting is missing. @default - as for a wrong value */
  missing?: string;
  /** Whether the setting is another kind's, and not to be proposed. */
  foreign?: boolean;
}

const isHints = (meta: unknown): meta is Hints =>
  typeof meta === "object" && meta !== null && ("allowed" in meta || "missing" in meta);

/** The form of a discriminated union that a value chooses; the first where it chooses none. */
const chosen = ({ options, def }: z.ZodDiscriminatedUnion, value: unknown): unknown =>
  options.find(
    (option) =>
      option instanceof z.ZodObject &&
      (option.shape[def.discriminator] as z.ZodType).safeParse(valueAt(value, [def.discriminator])).success,
  ) ?? options[0];

const proposed = (shape: Readonly<Record<string, z.ZodType>>): string[] =>
  Object.entries(shape)
    .filter(([, field]) => (field.meta() as Partial<Hints> | undefined)?.foreign !== true)
    .map(([key]) => key);

/** What the schema says about the setting at a path: its own hints and the keys that it may have. */
function schemaAt(
  raw: unknown,
  keys: readonly PropertyKey[],
): { hints?: Hints; keyHints?: Hints; keys?: string[]; values?: readonly string[] } {
  let node: unknown = schema;
  let value = raw;
  let hints: Hints | undefined;
  const unwrap = () => {
    for (;;) {
      const meta: unknown = node instanceof z.ZodType ? node.meta() : undefined;
      if (isHints(meta)) hints = meta;
      if (node instanceof z.ZodOptional || node instanceof z.ZodDefault || node instanceof z.ZodPrefault)
        node = node.unwrap();
      else return;
    }
  };
  unwrap();
  const objectOfUnion = () => {
    if (node instanceof z.ZodDiscriminatedUnion) node = chosen(node, value);
    else if (node instanceof z.ZodUnion)
      node = node.options.find((option: unknown) => option instanceof z.ZodObject) ?? node;
  };
  for (const key of keys) {
    objectOfUnion();
    const inRecord = node instanceof z.ZodRecord;
    if (node instanceof z.ZodObject) node = (node.shape as Record<PropertyKey, unknown>)[key];
    else if (node instanceof z.ZodArray) node = node.element;
    // What stands below a name that the user gives has its own words, or those of the list.
    else if (node instanceof z.ZodRecord) node = node.valueType;
    else break;
    value = valueAt(value, [key]);
    const above = hints;
    hints = undefined;
    unwrap();
    if (hints === undefined && inRecord) hints = above;
  }
  objectOfUnion();
  const keyHints = node instanceof z.ZodRecord ? (node.keyType as z.ZodType).meta() : undefined;
  return {
    ...(hints && { hints }),
    ...(isHints(keyHints) && { keyHints }),
    ...(node instanceof z.ZodEnum && { values: node.options.map(String) }),
    ...(node instanceof z.ZodObject && { keys: proposed(node.shape) }),
  };
}

/** What the schema itself objects to, in its words. */
function objectionIn(issue: z.core.$ZodIssue): Hints | undefined {
  if (issue.code === "custom" && isHints(issue.params)) return issue.params;
  return undefined;
}

const isObject = (value: unknown): boolean =>
  typeof value === "object" && value !== null && !Array.isArray(value);

/** Of a value that none of several forms takes, what is wrong with it as the object that it is meant to be. */
function insideUnion(raw: unknown, issue: z.core.$ZodIssue): z.core.$ZodIssue[] | undefined {
  if (issue.code !== "invalid_union") return undefined;
  const objections = issue.errors.flat().filter((one) => objectionIn(one));
  const inside = isObject(valueAt(raw, issue.path))
    ? issue.errors.find((errors) =>
        errors.every(({ path, code }) => path.length > 0 || code === "unrecognized_keys"),
      )
    : objections.slice(0, 1);
  return inside === undefined || inside.length === 0
    ? undefined
    : inside.map((one) => ({ ...one, path: [...issue.path, ...one.path] }));
}

/** Keys that are no setting; a misspelt one may be told from what is near to it. */
const strayKey = (
  raw: unknown,
  path: readonly PropertyKey[],
  key: string,
  known: readonly string[],
): Problem => ({
  path: pathOf([...path, key]),
  value: valueAt(raw, [...path, key]),
  wrong: "no such setting",
  allowed: known.join(", "),
  fix: nearKeys(pathOf(path).slice(namespace.length + 1), key, known),
});

/** A key that a list of keys and values doesn't take. */
function strayName(raw: unknown, issue: z.core.$ZodIssue): Problem | undefined {
  if (issue.code !== "invalid_key") return undefined;
  const path = issue.path.slice(0, -1);
  const { keyHints, hints } = schemaAt(raw, path);
  const objection = issue.issues.map(objectionIn).find((one) => one !== undefined) ?? keyHints ?? hints;
  return {
    path: pathOf(path),
    value: String(issue.path.at(-1)),
    allowed: objection?.allowed ?? issue.message,
    fix: objection?.fix ?? "correct it",
  };
}

/** What zod found wrong with the form of settings, in our words. */
export function problemsOf(raw: unknown, issues: readonly z.core.$ZodIssue[]): Problem[] {
  return issues.flatMap((issue): Problem[] => {
    const at = schemaAt(raw, issue.path);
    if (issue.code === "unrecognized_keys")
      return issue.keys.map((key) => strayKey(raw, issue.path, key, at.keys ?? []));
    const inside = insideUnion(raw, issue);
    if (inside) return problemsOf(raw, inside);
    const name = strayName(raw, issue);
    if (name) return [name];
    const missing = valueAt(raw, issue.path) === undefined;
    const hints = objectionIn(issue) ?? at.hints;
    const value = valueAt(raw, issue.path);
    const near = typeof value === "string" ? nearValue(value, at.values ?? []) : undefined;
    return [
      {
        path: pathOf(issue.path),
        value: missing ? undefined : (at.hints?.shown ?? value),
        allowed:
          (missing ? hints?.missing : undefined) ??
          hints?.allowed ??
          (at.keys ? `an object with ${at.keys.join(", ")}` : issue.message),
        fix: missing ? "set it" : near !== undefined ? `write ${near}` : (hints?.fix ?? "give it that form"),
      },
    ];
  });
}
