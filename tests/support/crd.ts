import Ajv, { type ValidateFunction } from "ajv";
import type { KubernetesObject } from "../../plan/objects";
import { releasedObjects } from "./manifest";

type Schema = Record<string, unknown>;

/** A CRD's schema as strict as the API server's strict validation: fields that it doesn't know are wrong. */
function strict(schema: unknown): unknown {
  if (Array.isArray(schema)) return schema.map(strict);
  if (typeof schema !== "object" || schema === null) return schema;
  const copy: Schema = Object.fromEntries(
    Object.entries(schema)
      // JavaScript has no flags inside of a pattern.
      .filter(([key, inner]) => !(key === "pattern" && typeof inner === "string" && inner.includes("(?i)")))
      .map(([key, inner]): [string, unknown] => [
        key,
        // The values of `properties` are schemas by name; a name is not a keyword.
        key === "properties"
          ? Object.fromEntries(
              Object.entries(inner as Schema).map(([name, one]): [string, unknown] => [name, strict(one)]),
            )
          : key === "enum" || key === "default" || key === "required"
            ? inner
            : strict(inner),
      ]),
  );
  if (
    copy.properties &&
    copy.additionalProperties === undefined &&
    copy["x-kubernetes-preserve-unknown-fields"] !== true
  )
    copy.additionalProperties = false;
  return copy;
}

interface Crd extends KubernetesObject {
  spec: {
    group: string;
    names: { kind: string };
    versions: { name: string; schema: { openAPIV3Schema: Schema } }[];
  };
}

/** Validates custom resources against released CRDs; returns what is wrong. */
export class CrdValidator {
  private readonly compiled = new Map<string, ValidateFunction>();

  constructor(private readonly released: readonly KubernetesObject[]) {}

  problems(object: KubernetesObject): string[] {
    const validate = this.validatorOf(object);
    if (validate(object)) return [];
    return (validate.errors ?? []).map(
      ({ instancePath, message, params }) => `${instancePath} ${message ?? ""} ${JSON.stringify(params)}`,
    );
  }

  private validatorOf({ apiVersion, kind }: KubernetesObject): ValidateFunction {
    const key = `${apiVersion}/${kind}`;
    const known = this.compiled.get(key);
    if (known) return known;
    const version = this.released
      .filter((object): object is Crd => object.kind === "CustomResourceDefinition")
      .filter(({ spec }) => spec.names.kind === kind)
      .flatMap(({ spec }) =>
        spec.versions.map((one) => ({ ...one, apiVersion: `${spec.group}/${one.name}` })),
      )
      .find((one) => one.apiVersion === apiVersion);
    if (!version) throw new Error(`no released CRD for ${key}`);
    const schema = strict(version.schema.openAPIV3Schema) as { properties: Schema };
    // The schema says `metadata: object`; what is in it is Kubernetes' matter.
    schema.properties.metadata = { type: "object" };
    // Patterns of CRDs are Go's, some of which have escapes that JavaScript refuses in its Unicode mode.
    const validate = new Ajv({
      strict: false,
      validateFormats: false,
      allErrors: true,
      unicodeRegExp: false,
    }).compile(schema);
    this.compiled.set(key, validate);
    return validate;
  }
}

const validators = new Map<string, Promise<CrdValidator>>();

/** The validator for an engine's pinned CRDs, which are compiled once for all tests. */
export function validatorOf(engine: string): Promise<CrdValidator> {
  const known =
    validators.get(engine) ?? releasedObjects(engine).then((released) => new CrdValidator(released));
  validators.set(engine, known);
  return known;
}
