import * as z from "zod";
import { isRecord } from "./record";

/**
 * Values as `pulumi config set --path` writes them, and as YAML reads them without quotes: a number for the text 16, a text for the number 3.
 * What means the same in the setting's own type is taken as that; everything else stays, for the schema to refuse.
 */

/** Whole numbers that are exact. */
const wholeNumber = /^\d{1,15}$/;
const number = /^-?\d+(\.\d+)?$/;

const asText = (value: number, digits = wholeNumber): unknown => {
  const text = String(value);
  return digits.test(text) ? text : value;
};

const asNumber = (text: string): unknown => (number.test(text) ? Number(text) : text);

const asBoolean = (text: string): unknown => (text === "true" ? true : text === "false" ? false : text);

const isText = (node: unknown): boolean =>
  node instanceof z.ZodString || node instanceof z.ZodStringFormat || node instanceof z.ZodEnum;

const digitsOf = (node: z.ZodType): RegExp | undefined => {
  const { numbers } = (node.meta() ?? {}) as { numbers?: RegExp };
  return numbers;
};

/** The option of a union that a value is meant for; the first text, number or boolean where it is none of an object. */
function optionFor({ options }: z.ZodUnion, value: unknown): unknown {
  if (isRecord(value)) return options.find((option) => option instanceof z.ZodObject);
  const plain = options.filter((option) => !(option instanceof z.ZodObject));
  // Where several types are taken, the value is as it is meant.
  return plain.length === 1 ? plain[0] : undefined;
}

/** The value in the types of the schema's node, as far as it means the same. */
export function spelled(node: unknown, value: unknown, digits?: RegExp): unknown {
  if (!(node instanceof z.ZodType)) return value;
  const own = digitsOf(node) ?? digits;
  if (node instanceof z.ZodOptional || node instanceof z.ZodDefault || node instanceof z.ZodPrefault)
    return spelled(node.unwrap(), value, own);
  if (node instanceof z.ZodDiscriminatedUnion) {
    if (!isRecord(value)) return value;
    const { discriminator } = node.def;
    const option = node.options.find(
      (one) =>
        one instanceof z.ZodObject &&
        (one.shape[discriminator] as z.ZodType).safeParse(value[discriminator]).success,
    );
    return spelled(option, value);
  }
  if (node instanceof z.ZodUnion) return spelled(optionFor(node, value), value, own);
  if (node instanceof z.ZodArray)
    return Array.isArray(value) ? value.map((one: unknown) => spelled(node.element, one)) : value;
  if (node instanceof z.ZodRecord) return isRecord(value) ? mapped(value, () => node.valueType) : value;
  if (node instanceof z.ZodObject)
    return isRecord(value)
      ? mapped(value, (key) => (Object.hasOwn(node.shape, key) ? node.shape[key] : undefined))
      : value;
  if (typeof value === "number") return isText(node) ? asText(value, own) : value;
  if (typeof value !== "string") return value;
  if (node instanceof z.ZodNumber) return asNumber(value);
  return node instanceof z.ZodBoolean ? asBoolean(value) : value;
}

const mapped = (value: Record<string, unknown>, nodeOf: (key: string) => unknown): Record<string, unknown> =>
  Object.fromEntries(Object.entries(value).map(([key, inner]) => [key, spelled(nodeOf(key), inner)]));
