import type { KubernetesObject } from "../../plan/objects";
import { clusterLabel } from "../../plan/names";
import type { Problem } from "../../settings/problem";
import { displayName, type StackFacts, type StackInvariant } from "./invariant";

interface Claim extends KubernetesObject {
  spec?: { storageClassName?: string };
}

interface StorageClass extends KubernetesObject {
  allowVolumeExpansion?: boolean;
  reclaimPolicy?: string;
}

/** Classes of the clusters' volumes, with who has them; a class that isn't named is the Kubernetes cluster's default, and unknown. */
function used({ clusters, objects }: StackFacts): { who: string; path: string; name: string }[] {
  return [
    ...clusters.flatMap((cluster) =>
      cluster.storageClasses.map((name) => ({
        who: displayName("Cluster", cluster),
        path: "storage class",
        name,
      })),
    ),
    ...objects.flatMap((object) => {
      const { kind, metadata, spec } = object as Claim;
      const name = spec?.storageClassName;
      return kind === "PersistentVolumeClaim" && metadata.labels?.[clusterLabel] !== undefined && name
        ? [{ who: displayName(kind, { namespace: "default", ...metadata }), path: "storageClassName", name }]
        : [];
    }),
  ];
}

export const storageClassInvariant: StackInvariant = {
  number: "22",
  name: "storage-class",
  description: "Volumes are not bound to one node, can grow, and outlive their claims.",
  severity: "medium",
  mandatory: "prod",
  remediation:
    "Set `pgplatform:cluster.storage.class` to a class of the network's storage with `allowVolumeExpansion: true` and `reclaimPolicy: Retain`. Where instances that replicate are meant to have the disks of their nodes, leave that class out of `local`.",
  options: {
    local: {
      type: "array",
      items: { type: "string" },
      default: ["local-path", "hostpath", "microk8s-hostpath"],
      description: "Names of classes whose volumes are on one node.",
    },
  },
  on: "stack",
  check: (stack, { local }): Problem[] => {
    const all = used(stack);
    const onNode = all
      .filter(({ name }) => (local as readonly string[]).includes(name))
      .map(({ who, path, name }) => ({
        path: `${who}: ${path}`,
        value: name,
        allowed: "a class whose volumes aren't lost with a node",
        fix: "choose another one",
      }));
    const classes = stack.objects.filter(
      ({ kind, apiVersion, metadata }) =>
        kind === "StorageClass" &&
        apiVersion.startsWith("storage.k8s.io/") &&
        all.some(({ name }) => name === metadata.name),
    ) as StorageClass[];
    const unfit = classes.flatMap(({ metadata, allowVolumeExpansion, reclaimPolicy }): Problem[] => [
      ...(allowVolumeExpansion === true
        ? []
        : [
            {
              path: `StorageClass ${metadata.name}: allowVolumeExpansion`,
              value: allowVolumeExpansion,
              allowed: "true, since a full volume that can't grow stops the database",
              fix: "set it",
            },
          ]),
      ...(reclaimPolicy === "Retain"
        ? []
        : [
            {
              path: `StorageClass ${metadata.name}: reclaimPolicy`,
              value: reclaimPolicy,
              allowed: "Retain, since a claim that is deleted by mistake would delete the data",
              fix: "set it",
            },
          ]),
    ]);
    return [...onNode, ...unfit];
  },
};
