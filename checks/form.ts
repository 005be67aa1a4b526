import * as z from "zod";
import { schema } from "../settings/schema";
import { namespace, type Problem } from "../settings/problem";

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
function schemaAt(raw: unknown, keys: readonly PropertyKey[]): { hints?: Hints; keys?: string[] } {
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
    if (node instanceof z.ZodObject) node = (node.shape as Record<PropertyKey, unknown>)[key];
    else if (node instanceof z.ZodArray) node = node.element;
    else break;
    value = valueAt(value, [key]);
    hints = undefined;
    unwrap();
  }
  objectOfUnion();
  return {
    ...(hints && { hints }),
    ...(node instanceof z.ZodObject && { keys: proposed(node.shape) }),
  };
}

/** What zod found wrong with the form of settings, in our words. */
export function problemsOf(raw: unknown, issues: readonly z.core.$ZodIssue[]): Problem[] {
  return issues.flatMap((issue) => {
    const at = schemaAt(raw, issue.path);
    if (issue.code === "unrecognized_keys") {
      return issue.keys.map((key) => ({
        path: pathOf([...issue.path, key]),
        value: valueAt(raw, [...issue.path, key]),
        wrong: "no such setting",
        allowed: (at.keys ?? []).join(", "),
        fix: "remove it, or correct its spelling",
      }));
    }
    const missing = valueAt(raw, issue.path) === undefined;
    return [
      {
        path: pathOf(issue.path),
        value: missing ? undefined : (at.hints?.shown ?? valueAt(raw, issue.path)),
        allowed:
          (missing ? at.hints?.missing : undefined) ??
          at.hints?.allowed ??
          (at.keys ? `an object with ${at.keys.join(", ")}` : issue.message),
        fix: missing ? "set it" : (at.hints?.fix ?? "give it that form"),
      },
    ];
  });
}
