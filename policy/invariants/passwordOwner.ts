import type { Facts } from "../../plan/engines/reader";
import { type KubernetesObject, namespaceOf } from "../../plan/objects";
import type { Problem } from "../../settings/problem";
import { each, together } from "../notKnown";
import { displayName, type StackInvariant } from "./invariant";

interface Secret extends KubernetesObject {
  spec?: { readonly target?: { readonly name?: string } };
}

/** The Secret that an object writes: itself, or what a controller makes of it. */
function written(object: KubernetesObject): string | undefined {
  if (object.kind === "Secret" && object.apiVersion === "v1") return object.metadata.name;
  if (object.kind === "SealedSecret") return object.metadata.name;
  if (object.kind === "ExternalSecret") return (object as Secret).spec?.target?.name ?? object.metadata.name;
  return undefined;
}

/** Roles that get their password from two Secrets: whichever is read last counts. */
function twice(cluster: Facts): Problem[] {
  const found = new Map<string, string>();
  return (cluster.passwords ?? []).flatMap(({ role, secret }): Problem[] => {
    const first = found.get(role) ?? secret;
    found.set(role, first);
    return first === secret
      ? []
      : [
          {
            path: `${displayName("Cluster", cluster)}: password of the role ${role}`,
            value: [first, secret],
            allowed: "one Secret, since whichever is read last counts",
            fix: "name the same Secret in both places, or in one only",
          },
        ];
  });
}

export const passwordOwnerInvariant: StackInvariant = {
  number: "34",
  name: "one-password-owner",
  description: "Each password has one place where it is written.",
  severity: "high",
  mandatory: "everywhere",
  remediation:
    "Keep one object that writes the Secret, and one Secret for each role: `bootstrap.initdb.secret` and `managed.roles[].passwordSecret` of CloudNativePG name the " +
    "same one.",
  on: "stack",
  check({ clusters, objects }): Problem[] {
    const writers = new Map<string, KubernetesObject>();
    return together(
      () => each(clusters, twice),
      () =>
        each(objects, (object) => {
          const name = written(object);
          if (name === undefined) return [];
          const key = `${namespaceOf(object)}/${name}`;
          const first = writers.get(key);
          writers.set(key, first ?? object);
          return first === undefined
            ? []
            : [
                {
                  path: `${object.kind} ${namespaceOf(object)}/${object.metadata.name}: the Secret ${name}`,
                  value: "written twice",
                  allowed: `one owner, and the ${displayName(first.kind, { namespace: namespaceOf(first), name: first.metadata.name })} writes it`,
                  fix: "keep one of them",
                },
              ];
        }),
    );
  },
};
