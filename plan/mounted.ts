import { Deferred } from "./engines/reader";
import { type KubernetesObject, namespaceOf, type Variable } from "./objects";

/** What pods get of ConfigMaps: files that they mount, and variables. */

interface MapReference {
  readonly name?: string;
  /** Which of its texts become files, and their names. @default - all, by their own names */
  readonly items?: readonly { readonly key?: string; readonly path?: string }[];
}

export interface Volume {
  readonly name?: string;
  readonly configMap?: MapReference;
  readonly projected?: { readonly sources?: readonly { readonly configMap?: MapReference }[] };
}

/** What a container takes of them. */
export interface Configured {
  readonly env?: readonly Variable[];
  readonly envFrom?: readonly { readonly prefix?: string; readonly configMapRef?: MapReference }[];
  readonly volumeMounts?: readonly {
    readonly name?: string;
    readonly mountPath?: string;
    readonly subPath?: string;
  }[];
}

interface WithPods extends KubernetesObject {
  readonly spec?: {
    readonly template?: {
      readonly spec?: {
        readonly volumes?: readonly Volume[];
        readonly containers?: readonly Configured[];
      };
    };
  };
}

type Objects = readonly KubernetesObject[] | undefined;

/** The texts of a ConfigMap beside an object; none where it is in another stack. */
function dataOf(
  object: KubernetesObject,
  name: string | undefined,
  objects: Objects,
): Record<string, string> {
  if (objects === undefined) throw new Deferred("its configuration");
  const map = objects.find(
    (one) =>
      one.kind === "ConfigMap" && one.metadata.name === name && namespaceOf(one) === namespaceOf(object),
  );
  return (map?.data as Record<string, string> | undefined) ?? {};
}

const lastPart = (path: string): string => path.split("/").at(-1) ?? "";

/** Name and text of each file that an object's pods have of ConfigMaps; without folders. */
export function mountedFiles(object: WithPods, objects: Objects): [name: string, text: string][] {
  const { volumes = [], containers = [] } = object.spec?.template?.spec ?? {};
  const mounts = containers.flatMap(({ volumeMounts = [] }) => volumeMounts);
  const filesOf = ({ name, items }: MapReference): [string, string][] => {
    const data = dataOf(object, name, objects);
    return items === undefined
      ? Object.entries(data)
      : items.flatMap(({ key = "", path = key }): [string, string][] =>
          data[key] === undefined ? [] : [[path, data[key]]],
        );
  };
  return volumes.flatMap(({ name: volume, configMap, projected }) =>
    [configMap, ...(projected?.sources ?? []).map((source) => source.configMap)]
      .filter((map) => map !== undefined)
      .flatMap(filesOf)
      .flatMap(([path, text]): [string, string][] => {
        const single = mounts.filter(({ name, subPath }) => name === volume && subPath === path);
        const names = new Set([path, ...single.map(({ mountPath = path }) => mountPath)].map(lastPart));
        return [...names].map((name) => [name, text]);
      }),
  );
}

/**
 * The value of a container's variable, as far as it is no Secret's. Of several with one name the last counts, and one of its own before those of whole
 * ConfigMaps.
 */
export function variableOf(
  object: KubernetesObject,
  { env = [], envFrom = [] }: Configured,
  name: string,
  objects: Objects,
): string | undefined {
  const own = env.findLast((one) => one.name === name);
  if (own !== undefined) {
    const { configMapKeyRef: from } = own.valueFrom ?? {};
    return from === undefined ? own.value : dataOf(object, from.name, objects)[from.key ?? ""];
  }
  for (const { prefix = "", configMapRef } of envFrom.toReversed()) {
    if (configMapRef === undefined || !name.startsWith(prefix)) continue;
    const value = dataOf(object, configMapRef.name, objects)[name.slice(prefix.length)];
    if (value !== undefined) return value;
  }
  return undefined;
}
