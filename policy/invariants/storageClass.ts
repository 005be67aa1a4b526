import type { KubernetesObject } from "../../plan/objects";
import { clusterLabel } from "../../plan/names";
import type { Problem } from "../../settings/problem";
import { each, together } from "../notKnown";
import { displayName, type StackInvariant } from "./invariant";

interface Claim extends KubernetesObject {
  spec?: { storageClassName?: string };
}

interface StorageClass extends KubernetesObject {
  allowVolumeExpansion?: boolean;
  reclaimPolicy?: string;
}

/** A class that isn't named is the Kubernetes cluster's default, and unknown. */
interface Used {
  readonly who: string;
  readonly path: string;
  readonly name: string;
}

function usedBy(object: KubernetesObject): Used[] {
  const { kind, metadata, spec } = object as Claim;
  if (kind !== "PersistentVolumeClaim" || metadata.labels?.[clusterLabel] === undefined) return [];
  const name = spec?.storageClassName;
  return name
    ? [{ who: displayName(kind, { namespace: "default", ...metadata }), path: "storageClassName", name }]
    : [];
}

const isClass = (object: KubernetesObject): object is StorageClass =>
  object.kind === "StorageClass" && object.apiVersion.startsWith("storage.k8s.io/");

const unfit = ({ metadata, allowVolumeExpansion, reclaimPolicy }: StorageClass): Problem[] => [
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
];

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
    const names = new Set<string>();
    const onNode = ({ who, path, name }: Used): Problem[] => {
      names.add(name);
      return (local as readonly string[]).includes(name)
        ? [
            {
              path: `${who}: ${path}`,
              value: name,
              allowed: "a class whose volumes aren't lost with a node",
              fix: "choose another one",
            },
          ]
        : [];
    };
    return together(
      () =>
        each(stack.clusters, (cluster) =>
          each(cluster.storageClasses, (name) =>
            onNode({ who: displayName("Cluster", cluster), path: "storage class", name }),
          ),
        ),
      () => each(stack.objects, (object) => each(usedBy(object), onNode)),
      () =>
        each(stack.objects, (object) =>
          isClass(object) && names.has(object.metadata.name) ? unfit(object) : [],
        ),
    );
  },
};
