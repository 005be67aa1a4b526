import { isDeepStrictEqual } from "node:util";
import { type Document, isMap, isScalar, parseDocument, stringify, type YAMLMap } from "yaml";
import { isRecord } from "../settings/record";

/** Changes in the text of a stack file: the lines that are changed, and no others. */

export interface Change {
  /** Keys from the file's root. */
  readonly path: readonly string[];
  readonly value: string;
}

interface Splice {
  readonly from: number;
  readonly to: number;
  readonly text: string;
}

const plain = (value: string): string => stringify(value, { lineWidth: 0 }).trimEnd();

/** A text in the quotes that the former one had. */
function quoted(value: string, type: string | undefined): string {
  if (type === "QUOTE_DOUBLE") return JSON.stringify(value);
  if (type === "QUOTE_SINGLE") return `'${value.replaceAll("'", "''")}'`;
  return plain(value);
}

/** Where the last text of a map ends; undefined where that is a text of several lines, or nothing. */
function endOf(node: unknown): number | undefined {
  if (isMap(node) || (isRecord(node) && Array.isArray(node.items))) {
    const { items, flow, range } = node as { items: unknown[]; flow?: boolean; range?: number[] };
    if (flow === true) return range?.[1];
    const last = items.at(-1);
    return endOf(isRecord(last) && "value" in last ? last.value : last);
  }
  if (!isScalar(node) || node.range == null || node.value === null) return undefined;
  return node.type?.startsWith("BLOCK") === true ? undefined : node.range[1];
}

/** The innermost map on the way that is there, and the keys that lack in it. */
function reached(document: Document, path: readonly string[]): { map: YAMLMap; rest: string[] } | undefined {
  let map: unknown = document.contents;
  const rest = [...path];
  while (isMap(map) && rest.length > 1 && map.has(rest[0])) map = map.get(rest.shift(), true);
  return isMap(map) && !map.has(rest[0]) ? { map, rest } : undefined;
}

/** The least change of the text that makes a value, where the file's form is one that it knows. */
function splice(text: string, document: Document, { path, value }: Change): Splice | undefined {
  const present = document.getIn(path, true);
  if (isScalar(present) && present.range != null && /^(PLAIN|QUOTE_\w+)$/.test(present.type ?? "")) {
    const [from, to] = present.range;
    return { from, to, text: quoted(value, present.type) };
  }
  const { map, rest = [] } = reached(document, path) ?? {};
  const [first] = map?.items ?? [];
  const end = endOf(map?.items.at(-1)?.value);
  if (map === undefined || !isScalar(first?.key) || first.key.range == null || end === undefined)
    return undefined;
  if (map.flow === true)
    return rest.length === 1
      ? { from: end, to: end, text: `, ${plain(rest[0] ?? "")}: ${plain(value)}` }
      : undefined;
  const start = first.key.range[0];
  const column = start - (text.lastIndexOf("\n", start - 1) + 1);
  const lines = rest.map((key, depth) => {
    const indent = " ".repeat(column + 2 * depth);
    return `${indent}${plain(key)}:${depth === rest.length - 1 ? ` ${plain(value)}` : ""}`;
  });
  const newline = text.indexOf("\n", end);
  return newline < 0
    ? { from: text.length, to: text.length, text: `\n${lines.join("\n")}` }
    : { from: newline, to: newline, text: `\n${lines.join("\n")}` };
}

/** The file as the library would have it. A key without a value becomes a map. */
function rewritten(text: string, { path, value }: Change): Document {
  const document = parseDocument(text);
  for (let depth = 1; depth < path.length; depth++) {
    const above = path.slice(0, depth);
    if (document.hasIn(above) && document.getIn(above) === null)
      document.setIn(above, document.createNode({}));
  }
  document.setIn(path, value);
  return document;
}

function withValue(text: string, change: Change): string {
  const document = parseDocument(text);
  const wanted = rewritten(text, change);
  const found = splice(text, document, change);
  if (found !== undefined) {
    const changed = text.slice(0, found.from) + found.text + text.slice(found.to);
    const read = parseDocument(changed);
    if (read.errors.length === 0 && isDeepStrictEqual(read.toJS(), wanted.toJS())) return changed;
  }
  // A form that isn't known: the library writes the file again, with its comments.
  return wanted.toString({ lineWidth: 0 });
}

/** The text of a stack file with other values; all else of it stays as it is, comments too. */
export const withValues = (text: string, changes: readonly Change[]): string =>
  changes.reduce(withValue, text);
