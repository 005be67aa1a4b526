import { readFile, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { pins } from "../releases/pins";
import { packFolder } from "../policy/arguments";
import { manifestFiles } from "./manifests";

/** `npm run policy:schemas`: which fields the operators' objects have, out of the CRDs of their pinned releases. */

interface Schema {
  readonly type?: string;
  readonly properties?: Readonly<Record<string, Schema>>;
  readonly items?: Schema;
  readonly additionalProperties?: Schema | boolean;
  readonly "x-kubernetes-preserve-unknown-fields"?: boolean;
  readonly "x-kubernetes-int-or-string"?: boolean;
}

interface Definition {
  readonly kind: string;
  readonly spec: {
    readonly group: string;
    readonly names: { readonly kind: string };
    readonly versions: readonly {
      readonly name: string;
      readonly schema?: { readonly openAPIV3Schema?: Schema };
    }[];
  };
}

type Fields = { [field: string]: Fields } | [Fields] | string;

/** A schema as far as it names fields and forms; `*` takes everything. */
function fieldsOf(schema: Schema | undefined): Fields {
  if (
    schema === undefined ||
    schema["x-kubernetes-preserve-unknown-fields"] === true ||
    schema["x-kubernetes-int-or-string"] === true
  )
    return "*";
  if (schema.type === "array") {
    const inner = fieldsOf(schema.items);
    return inner === "*" ? "*" : [inner];
  }
  if (schema.properties)
    return Object.fromEntries(
      Object.entries(schema.properties)
        .sort(([one], [other]) => (one < other ? -1 : 1))
        .map(([name, inner]) => [name, fieldsOf(inner)]),
    );
  if (schema.type !== "object") return schema.type ?? "*";
  const { additionalProperties: more } = schema;
  const inner = typeof more === "object" ? fieldsOf(more) : "*";
  return inner === "*" ? "*" : { "*": inner };
}

/** Resources whose fields are the pack's matter. */
const groups = /^(postgresql\.cnpg\.io|barmancloud\.cnpg\.io|acid\.zalan\.do)$/;

/** The file's text. */
export async function policySchemas(): Promise<string> {
  const files = Object.values(await manifestFiles());
  const definitions = (
    await Promise.all(files.map(async (file) => JSON.parse(await readFile(file, "utf8")) as Definition[]))
  )
    .flat()
    .filter(({ kind, spec }) => kind === "CustomResourceDefinition" && groups.test(spec.group));
  const kinds = definitions.flatMap(({ spec }) =>
    spec.versions.map(({ name, schema }): [string, Fields] => {
      const fields = fieldsOf(schema?.openAPIV3Schema);
      if (typeof fields === "object" && !Array.isArray(fields)) delete fields.status;
      return [`${spec.group}/${name} ${spec.names.kind}`, fields];
    }),
  );
  const versions = {
    CloudNativePG: pins.operators.cnpg,
    "plugin-barman-cloud": pins.backupPlugin,
    "postgres-operator": pins.operators.zalando,
  };
  const lines = kinds
    .sort(([one], [other]) => (one < other ? -1 : 1))
    .map(([name, fields]) => `${JSON.stringify(name)}:${JSON.stringify(fields)}`);
  return `{"versions":${JSON.stringify(versions)},\n"kinds":{\n${lines.join(",\n")}\n}}\n`;
}

export const schemasFile = join(packFolder, "schemas.json");

if (require.main === module)
  void policySchemas()
    .then((text) => writeFile(schemasFile, text))
    .catch((error: unknown) => {
      console.error(error);
      process.exitCode = 1;
    });
