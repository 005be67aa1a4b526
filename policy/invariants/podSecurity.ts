import type { Problem } from "../../settings/problem";
import { each } from "../notKnown";
import { displayName, type StackInvariant } from "./invariant";

const label = "pod-security.kubernetes.io/enforce";
const levels = ["privileged", "baseline", "restricted"] as const;

export const podSecurityInvariant: StackInvariant = {
  number: "27",
  name: "pod-security",
  description:
    "The cluster's namespace enforces Pod Security, as strictly as the engine's pods can fulfil it.",
  severity: "medium",
  mandatory: "everywhere",
  remediation:
    "Leave `pgplatform:cluster.makeNamespace` on. Other programs: the label `pod-security.kubernetes.io/enforce` of the namespace, `restricted`, or `baseline` with the engine zalando.",
  options: {
    waived: {
      type: "array",
      items: { type: "string" },
      default: [],
      description: "Names of namespaces that something else keeps.",
    },
  },
  on: "stack",
  check: ({ clusters, objects }, { waived }): Problem[] =>
    each(clusters, (cluster): Problem[] => {
      if ((waived as readonly string[]).includes(cluster.namespace)) return [];
      const { podSecurity: wanted } = cluster;
      const namespace = objects.find(
        ({ kind, apiVersion, metadata }) =>
          kind === "Namespace" && apiVersion === "v1" && metadata.name === cluster.namespace,
      );
      // One that another stack makes isn't seen here.
      if (namespace === undefined) return [];
      const value = namespace.metadata.labels?.[label];
      if (levels.findIndex((level) => level === value) >= levels.indexOf(wanted)) return [];
      return [
        {
          path: `Namespace ${cluster.namespace}: ${label}`,
          value,
          allowed: `${wanted}${wanted === "restricted" ? "" : " or restricted"}, for the pods of ${displayName("cluster", cluster)}`,
          fix: "set the label",
        },
      ];
    }),
};
