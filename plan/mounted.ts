import { type KubernetesObject, namespaceOf } from "./objects";

interface WithPods extends KubernetesObject {
  readonly spec?: {
    readonly template?: {
      readonly spec?: { readonly volumes?: readonly { configMap?: { name?: string } }[] };
    };
  };
}

/** Names of the ConfigMaps that an object's pods mount. */
export const mountedNames = ({ spec }: WithPods): string[] =>
  (spec?.template?.spec?.volumes ?? []).flatMap(({ configMap }) => configMap?.name ?? []);

/** Name and text of each file in those of them that are among `objects`. */
export function mountedFiles(object: WithPods, objects: readonly KubernetesObject[]): [string, string][] {
  const names = mountedNames(object);
  return objects
    .filter(
      (one) =>
        one.kind === "ConfigMap" &&
        names.includes(one.metadata.name) &&
        namespaceOf(one) === namespaceOf(object),
    )
    .flatMap((one) => Object.entries((one.data as Record<string, string> | undefined) ?? {}));
}
