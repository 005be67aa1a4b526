import { stringify } from "yaml";
import type { KubernetesObject } from "../../plan/objects";
import { isRecord } from "../../settings/record";
import type { Graph, Registered } from "../support/graph";
import { digestOf, sorted } from "../support/manifest";

/** What stands in a golden file of a resource: everything that was registered but its component, which the file's head names. */
function entryOf(resource: Registered, component: string, reads: Graph["reads"]): Record<string, unknown> {
  const { name, parent, custom, dependsOn, inputs, ...options } = resource;
  return {
    ...(parent !== component && { parent }),
    ...(dependsOn.length > 0 && { dependsOn }),
    ...(sorted({ ...options, type: undefined }) as object),
    ...(name in reads && { read: reads[name] }),
    ...(custom && { inputs: sorted(scriptsByDigest(inputs)) }),
  };
}

const isScript = (key: string): boolean => /\.(sh|py|json)$/.test(key);

/** Scripts and dashboards are files of this repository, with tests of their own: a digest says that one has changed. */
function scriptsByDigest(value: unknown): unknown {
  if (Array.isArray(value)) return value.map(scriptsByDigest);
  if (!isRecord(value)) return value;
  return Object.fromEntries(
    Object.entries(value).map(([key, inner]) => [
      key,
      isScript(key) && typeof inner === "string" ? digestOf(inner) : scriptsByDigest(inner),
    ]),
  );
}

const text = (value: unknown): string => JSON.stringify(sorted(value));

const idOf = ({ apiVersion, kind, metadata }: KubernetesObject): string =>
  text([apiVersion, kind, metadata.namespace, metadata.name]);

/** A released object as it came, with the annotations that were added to it; nothing when it was changed otherwise. */
function released(
  inputs: Record<string, unknown>,
  manifest: ReadonlyMap<string, KubernetesObject>,
): Record<string, string> | undefined {
  if (!isRecord(inputs.metadata)) return undefined;
  const object = inputs as unknown as KubernetesObject;
  const original = manifest.get(idOf(object));
  if (original === undefined) return undefined;
  const { annotations: own = {}, ...metadata } = original.metadata;
  const { annotations = {}, ...rest } = object.metadata;
  const kept = Object.entries(own).every(([key, value]) => annotations[key] === value);
  if (!kept || text({ ...object, metadata: rest }) !== text({ ...original, metadata })) return undefined;
  return Object.fromEntries(Object.entries(annotations).filter(([key]) => !(key in own)));
}

interface Group {
  readonly options: Record<string, unknown>;
  /** Kind, name and digest of each released object, by the resource's name. */
  readonly objects: Record<string, string>;
}

/** One component's resources, foreign ones by a line each, in groups with the same options. */
function fileOf(
  component: Registered,
  children: readonly Registered[],
  { reads }: Graph,
  short: ReadonlyMap<string, KubernetesObject>,
  full: ReadonlyMap<string, KubernetesObject>,
): Record<string, unknown> {
  const groups = new Map<string, Group>();
  const resources: Record<string, unknown> = {};
  for (const child of children) {
    const entry = entryOf(child, component.name, reads);
    const added = released(child.inputs, short);
    if (added === undefined) {
      resources[`${child.type} ${child.name}`] = entry;
      continue;
    }
    const options = {
      ...entry,
      inputs: undefined,
      ...(Object.keys(added).length > 0 && { addedAnnotations: sorted(added) }),
    };
    const group: Group = groups.get(text(options)) ?? { options, objects: {} };
    groups.set(text(options), group);
    const object = child.inputs as unknown as KubernetesObject;
    group.objects[child.name] = `${object.kind} ${object.metadata.name} ${digestOf(full.get(idOf(object)))}`;
  }
  return {
    component: `${component.type} ${component.name}`,
    ...entryOf(component, "", reads),
    ...(groups.size > 0 && {
      released: [...groups.values()].map(({ options, objects }) => ({ ...options, objects })),
    }),
    ...(Object.keys(resources).length > 0 && { resources }),
  };
}

const byId = (manifest: readonly KubernetesObject[]): ReadonlyMap<string, KubernetesObject> =>
  new Map(manifest.map((object) => [idOf(object), object]));

const written = (value: unknown): string => stringify(value, { lineWidth: 0, aliasDuplicateObjects: false });

/**
 * A graph as one text a component, by the names of their files. `short` is the manifest that the graph was made of, `full` the same
 * with its CRDs' specs.
 */
export function filesOf(
  graph: Graph,
  short: readonly KubernetesObject[],
  full: readonly KubernetesObject[],
): Map<string, string> {
  const ordered = [...graph.resources].sort((a, b) =>
    `${a.type} ${a.name}` < `${b.type} ${b.name}` ? -1 : 1,
  );
  const byName = new Map(ordered.map((resource) => [resource.name, resource]));
  const componentOf = (resource: Registered): string => {
    const parent = resource.parent === undefined ? undefined : byName.get(resource.parent);
    if (parent === undefined) throw new Error(`${resource.type} ${resource.name} has no component above it`);
    return parent.custom ? componentOf(parent) : parent.name;
  };
  const root = ordered.find(({ custom, parent }) => !custom && parent === undefined)?.name ?? "";
  const files = new Map([["outputs.yaml", written(sorted(graph.outputs))]]);
  const manifests = [byId(short), byId(full)] as const;
  for (const component of ordered.filter(({ custom }) => !custom)) {
    const children = ordered.filter((one) => one.custom && componentOf(one) === component.name);
    const file = `${component.name === root ? "platform" : component.name.replace(`${root}-`, "")}.yaml`;
    if (files.has(file)) throw new Error(`two components would stand in ${file}`);
    files.set(file, written(fileOf(component, children, graph, ...manifests)));
  }
  return files;
}
