import { isDeepStrictEqual } from "node:util";
import { isRecord } from "../../settings/record";
import { MASK, masker, secretName, withoutValues } from "../masking";

/** A step of a way: from a text into the JSON that it has. */
export const JSON_TEXT = "(JSON)";

/** One field that differs; undefined where it isn't there. */
export interface FieldChange {
  readonly path: string;
  /** The way to it, or to the list that it is in where elements come or go. */
  readonly keys: readonly (string | number)[];
  readonly before: unknown;
  readonly after: unknown;
}

const key = (one: string): string => (/^[A-Za-z_][\w-]*$/.test(one) ? `.${one}` : `[${JSON.stringify(one)}]`);

/** Lists of what has a name each are compared by the names; other lists of one length by place, and all others as one value. */
function paired(
  before: readonly unknown[],
  after: readonly unknown[],
): [label: string, from: number, to: number][] | undefined {
  const names = (list: readonly unknown[]) =>
    list.map((one) => (isRecord(one) && typeof one.name === "string" ? one.name : undefined));
  const [one, other] = [names(before), names(after)];
  const unique = (list: readonly (string | undefined)[]) =>
    !list.includes(undefined) && new Set(list).size === list.length;
  if (unique(one) && unique(other) && one.length + other.length > 0)
    return [...new Set([...one, ...other])].map((name) => [
      name ?? "",
      one.indexOf(name),
      other.indexOf(name),
    ]);
  return before.length === after.length ? before.map((_, index) => [String(index), index, index]) : undefined;
}

const parsed = (value: unknown): unknown => {
  if (typeof value !== "string" || !/^\s*[{[]/.test(value)) return undefined;
  try {
    return JSON.parse(value);
  } catch {
    return undefined;
  }
};

/** Every field that differs, at the deepest place. */
export function fieldChanges(
  before: unknown,
  after: unknown,
  path = "",
  keys: FieldChange["keys"] = [],
): FieldChange[] {
  if (isDeepStrictEqual(before, after)) return [];
  const here = { path: path.replace(/^\./, ""), keys, before, after };
  if (isRecord(before) && isRecord(after))
    return [...new Set([...Object.keys(before), ...Object.keys(after)])].flatMap((one) =>
      fieldChanges(before[one], after[one], `${path}${key(one)}`, [...keys, one]),
    );
  if (Array.isArray(before) && Array.isArray(after)) {
    const pairs = paired(before, after);
    // An element that comes or goes moves the others: as a value to be set, the list is one.
    const whole = before.length !== after.length;
    return (
      pairs?.flatMap(([label, from, to]) =>
        fieldChanges(before[from], after[to], `${path}[${label}]`, whole ? keys : [...keys, to]).map((one) =>
          whole ? { ...one, keys } : one,
        ),
      ) ?? [here]
    );
  }
  // JSON within a text, as annotations have it.
  const [one, other] = [parsed(before), parsed(after)];
  if (one !== undefined && other !== undefined) return fieldChanges(one, other, path, [...keys, JSON_TEXT]);
  return [here];
}

/** `before` with what `after` has at the end of a way. */
export function withField(before: unknown, after: unknown, keys: FieldChange["keys"]): unknown {
  const [first, ...rest] = keys;
  if (first === undefined) return after;
  if (first === JSON_TEXT) return JSON.stringify(withField(parsed(before), parsed(after), rest));
  const [one, other] = [before, after].map((value) => (value ?? {}) as Record<string | number, unknown>) as [
    Record<string | number, unknown>,
    Record<string | number, unknown>,
  ];
  const copy = (Array.isArray(before) ? [...(before as unknown[])] : { ...one }) as typeof one;
  if (other[first] === undefined) delete copy[first];
  else copy[first] = withField(one[first], other[first], rest);
  return copy;
}

const LONGEST = 100;
const mask = masker([]);

/** How many lines only one of two texts has. */
function lines(before: string, after: string): [before: string, after: string] {
  const [one, other] = [before.split("\n"), after.split("\n")];
  const gone = one.filter((line) => !other.includes(line)).length;
  const come = other.filter((line) => !one.includes(line)).length;
  return [`${one.length} lines`, `${other.length} lines (${come} new, ${gone} gone)`];
}

/** A value in one line, without what is secret by its form or its name. */
function shown(name: string, value: unknown): string {
  if (value === undefined) return "(not set)";
  if (secretName.test(name) && typeof value === "string" && !/name$/i.test(name)) return MASK;
  const text = typeof value === "string" ? value : JSON.stringify(withoutValues(value));
  return mask(`${name}: ${text}`).slice(name.length + 2);
}

/** Long values, from a little before the place where they begin to differ. */
function cut(one: string, other: string): [string, string] {
  if (Math.max(one.length, other.length) <= LONGEST) return [one, other];
  let same = 0;
  while (same < one.length && one[same] === other[same]) same++;
  const from = Math.max(0, same - 20);
  const part = (text: string) =>
    (from > 0 ? "…" : "") + text.slice(from, from + LONGEST) + (text.length > from + LONGEST ? "…" : "");
  return [part(one), part(other)];
}

/** Both values as a line shows them. `secret`: the object holds nothing else. */
export function valuesOf(
  { path, before, after }: FieldChange,
  secret: boolean,
): [before: string, after: string] {
  const inSecret = secret && /^(data|stringData)\b/.test(path);
  const named = /\[([^\]]*)\]\.value$/.exec(path)?.[1];
  if (inSecret || (named !== undefined && secretName.test(named)))
    return [before, after].map((value) => (value === undefined ? "(not set)" : MASK)) as [string, string];
  if (typeof before === "string" && typeof after === "string" && (before + after).includes("\n"))
    return lines(before, after);
  const name =
    path
      .split(/[.[\]"]+/)
      .filter(Boolean)
      .at(-1) ?? "";
  return cut(shown(name, before), shown(name, after));
}
