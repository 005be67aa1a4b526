import * as z from "zod";
import { documented, integer, labelKey, labelValue, oneOf } from "./types";

/** Which nodes pods go to: the same form for all pods, for the instances and for the operator. */

export const moved =
  "A change moves pods: instances restart one after another, the primary last, by a switchover; poolers' pods are rolled; Jobs follow when " +
  "they start.";

const labelText = "`key: value` as Kubernetes takes labels";

const toleration = z.strictObject({
  key: documented(labelKey, {
    means: "Key of the taint. Default: every taint, with the operator Exists.",
    change: moved,
    allowed: "the key of a taint, such as dedicated",
    fix: "copy it from the node's spec.taints",
  }).optional(),
  operator: oneOf(
    ["Equal", "Exists"],
    "Whether the taint's value must be `value`, or may be any. Default: Equal where value is given, else Exists.",
    moved,
  ).optional(),
  value: documented(labelValue, {
    means: "Value of the taint. Default: any, with the operator Exists.",
    change: moved,
    allowed: "the value of a taint",
    fix: "copy it from the node's spec.taints",
  }).optional(),
  effect: oneOf(
    ["NoSchedule", "PreferNoSchedule", "NoExecute"],
    "Effect of the taint. Default: all of them.",
    moved,
  ).optional(),
  tolerationSeconds: integer(
    "How long a pod stays on a node after it got the taint; only with the effect NoExecute. Default: as long as the node is there.",
    0,
    86_400,
    moved,
    "seconds",
  ).optional(),
});

const topologySpread = z.strictObject({
  topologyKey: documented(labelKey, {
    means: "Label of nodes whose values are the places, such as topology.kubernetes.io/zone.",
    change: moved,
    allowed: "the key of a label of nodes",
  }),
  maxSkew: integer("How many more pods one place may have than another. Default: 1.", 1, 100, moved).default(
    1,
  ),
  whenUnsatisfiable: oneOf(
    ["DoNotSchedule", "ScheduleAnyway"],
    "What happens to a pod that fits nowhere: it waits, or it goes where it fits least badly. Default: DoNotSchedule.",
    moved,
  ).default("DoNotSchedule"),
});

export const scheduling = (what: string, byDefault: string) =>
  documented(
    z.strictObject({
      nodeSelector: documented(z.record(labelKey, labelValue), {
        means: "Labels that a node must have for these pods. Default: none, every node will do.",
        change: moved,
        allowed: labelText,
        fix: "copy them from the nodes' metadata.labels",
      }).default({}),
      tolerations: documented(z.array(toleration), {
        means: "Taints of nodes that these pods tolerate. Default: none.",
        change: moved,
        allowed: "a list of { key, operator, value, effect, tolerationSeconds }",
      }).default([]),
      priorityClassName: documented(
        z
          .string()
          .regex(/^[a-z0-9]([-a-z0-9.]*[a-z0-9])?$/)
          .max(253),
        {
          means:
            "Name of a PriorityClass, which must be there: pods of a lower one make room. Default: none, the Kubernetes cluster's default.",
          change: moved,
          allowed: "the name of a PriorityClass; `kubectl get priorityclasses` lists them",
          fix: "correct it",
        },
      ).optional(),
      topologySpread: documented(z.array(topologySpread), {
        means:
          "How instances, and the pods of a pooler, are spread over places beside nodes; for the same topologyKey it replaces what the platform does by itself, " +
          "which spreads over zones as well as it can. Default: none.",
        change: moved,
        allowed: "a list of { topologyKey, maxSkew, whenUnsatisfiable } of which topologyKey must be there",
      }).default([]),
    }),
    {
      means: `${what} Default: ${byDefault}.`,
      change: moved,
      allowed: "{ nodeSelector, tolerations, priorityClassName, topologySpread }",
      fix: "write only what nodes ask for",
    },
  );

export type SchedulingSettings = z.output<ReturnType<typeof scheduling>>;
