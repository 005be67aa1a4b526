import type { KubernetesObject } from "../../plan/objects";
import type { Problem } from "../../settings/problem";
import { misspelt } from "../closest";
import { each, kept } from "../notKnown";
import schemas from "../schemas.json";
import { rawOf } from "../shape";
import type { ObjectInvariant } from "./invariant";
import { isRecord } from "../../settings/record";

/** A type's fields: of a record, of each of a list's elements (in a list), or a form. `*` is whatever the API takes. */
type Fields = { readonly [field: string]: Fields } | readonly [Fields] | string;

interface Schemas {
  readonly versions: Readonly<Record<string, string>>;
  readonly kinds: Readonly<Record<string, Fields>>;
}

const { versions, kinds } = schemas as unknown as Schemas;

const forms: Readonly<Record<string, readonly [name: string, is: (value: unknown) => boolean]>> = {
  string: ["text", (value) => typeof value === "string"],
  integer: ["a whole number", (value) => Number.isInteger(value)],
  number: ["a number", (value) => typeof value === "number"],
  boolean: ["true or false", (value) => typeof value === "boolean"],
};

function odd(path: string, value: unknown, form: string): Problem[] {
  return [{ path, value, allowed: form, fix: "write it so" }];
}

function walk(value: unknown, fields: Fields, path: string): Problem[] {
  if (value === undefined || value === null || fields === "*") return [];
  if (typeof fields === "string") {
    const [name, is] = forms[fields] ?? ["", () => true];
    return is(value) ? [] : odd(path, value, name);
  }
  if (Array.isArray(fields)) {
    const [inner] = fields as readonly [Fields];
    return Array.isArray(value)
      ? each(value, (one: unknown, index) => walk(one, inner, `${path}[${index}]`))
      : odd(path, value, "a list");
  }
  if (!isRecord(value)) return odd(path, value, "fields");
  const own = fields as { readonly [field: string]: Fields };
  return each(Object.keys(value), (key) => {
    const at = path === "" ? key : `${path}.${key}`;
    const inner = Object.hasOwn(own, key) ? own[key] : own["*"];
    if (inner !== undefined) return walk(value[key], inner, at);
    return [
      misspelt(
        { path: at, wrong: "no such field" },
        { word: key, names: Object.keys(own), otherwise: "a field that the API has" },
      ),
    ];
  });
}

const own = new Set(["apiVersion", "kind", "metadata", "status", "id"]);

export const unknownFieldsInvariant: ObjectInvariant = {
  number: "36",
  name: "known-fields",
  description: `Objects of operators have no fields that their API doesn't know: ${Object.entries(versions)
    .map(([name, version]) => `${name} ${version}`)
    .join(", ")}.`,
  severity: "medium",
  mandatory: "prod",
  remediation:
    "Correct the field's name: the API drops one that it doesn't know, or refuses the object. Fields of a newer release than this pack's: list them in `known`.",
  options: {
    known: {
      type: "array",
      items: { type: "string" },
      default: [],
      description: "Paths of fields that a newer operator has, such as `Cluster spec.newField`.",
    },
  },
  on: "object",
  check(object: KubernetesObject, { known }): Problem[] {
    const fields = kinds[`${object.apiVersion} ${object.kind}`];
    if (fields === undefined) return [];
    const raw = rawOf(object);
    return kept(
      () =>
        each(
          Object.keys(raw).filter((key) => !own.has(key)),
          (key) => walk({ [key]: raw[key] }, fields, ""),
        ),
      ({ path }) => !(known as readonly string[]).includes(`${object.kind} ${path}`),
    );
  },
};
