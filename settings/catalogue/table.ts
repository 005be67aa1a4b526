import { asset } from "../../shell/asset";
import { join } from "node:path";

/** What PostgreSQL tells about its server parameters; `generate.ts` writes it. */
export const catalogueFile = join(__dirname, "parameters.tsv");

/** A server parameter of one major version, in the words of pg_settings. */
export interface Parameter {
  /** As PostgreSQL writes it; the case of letters doesn't count. */
  readonly name: string;
  /** What a change needs: `internal` can't be changed, `postmaster` needs a restart, the others a reload or a new session. */
  readonly context: string;
  readonly type: "bool" | "integer" | "real" | "enum" | "string";
  /** What a bare number counts; amounts of memory and of time have one. */
  readonly unit?: string;
  /** Limits, in the unit. */
  readonly least?: number;
  readonly most?: number;
  /** Values of an `enum`. */
  readonly values: readonly string[];
}

interface Entry {
  readonly from: number;
  readonly to: number;
  readonly parameter: Parameter;
}

let read: ReadonlyMap<string, readonly Entry[]> | undefined;

/** The lines of the file by lower-case name. */
function entries(): ReadonlyMap<string, readonly Entry[]> {
  if (read) return read;
  const byName = new Map<string, Entry[]>();
  for (const line of asset(__dirname, "parameters.tsv").split("\n")) {
    if (line === "" || line.startsWith("#")) continue;
    const [name = "", majors = "", context = "", type = "", unit, least, most, values] = line.split("\t");
    const [from = "", to = ""] = majors.split("-");
    const entry: Entry = {
      from: Number(from),
      to: Number(to),
      parameter: {
        name,
        context,
        type: type as Parameter["type"],
        ...(unit && { unit }),
        ...(least && { least: Number(least) }),
        ...(most && { most: Number(most) }),
        values: values ? values.split(",") : [],
      },
    };
    byName.set(name.toLowerCase(), [...(byName.get(name.toLowerCase()) ?? []), entry]);
  }
  return (read = byName);
}

/** The parameter as the major version knows it; undefined when it doesn't. */
export const parameterOf = (major: string, name: string): Parameter | undefined =>
  entries()
    .get(name.toLowerCase())
    ?.find(({ from, to }) => from <= Number(major) && Number(major) <= to)?.parameter;

/** The first and the last major version known to have the parameter; undefined when none has. */
export function majorsOf(name: string): { readonly first: number; readonly last: number } | undefined {
  const spans = entries().get(name.toLowerCase());
  return (
    spans && {
      first: Math.min(...spans.map(({ from }) => from)),
      last: Math.max(...spans.map(({ to }) => to)),
    }
  );
}

/** Names of all parameters that a user of the major version may set. */
export const namesOf = (major: string): string[] =>
  [...entries().keys()].filter((name) => {
    const parameter = parameterOf(major, name);
    return parameter !== undefined && parameter.context !== "internal";
  });
