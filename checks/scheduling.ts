import type { SchedulingSettings } from "../settings/schema/scheduling";
import { withOperator } from "./sizes";
import { type Report, type Rule, twice } from "./rule";

/** What Kubernetes would refuse of a pod, said before there is one. */
function checked(at: string, { tolerations, topologySpread }: SchedulingSettings, report: Report): void {
  tolerations.forEach(({ key, operator, value, effect, tolerationSeconds }, index) => {
    const path = (name: string) => `${at}.tolerations[${index}].${name}`;
    if (operator === "Exists" && value !== undefined)
      report(
        path("value"),
        value,
        "must not be set: the operator Exists takes every value",
        "leave out one of them",
      );
    if (operator === "Equal" && value === undefined)
      report(path("value"), undefined, "a value with the operator Equal", "set it, or leave operator out");
    if (key === undefined && value !== undefined)
      report(path("key"), undefined, "the key of the taint that has the value", "set it");
    if (tolerationSeconds !== undefined && effect !== "NoExecute")
      report(
        path("tolerationSeconds"),
        tolerationSeconds,
        "must not be set: the effect NoExecute alone ends pods",
        "leave it out, or set effect to NoExecute",
      );
  });
  const doubled = twice(topologySpread.map(({ topologyKey }) => topologyKey));
  topologySpread.forEach(({ topologyKey }, index) => {
    if (doubled.has(topologyKey))
      report(
        `${at}.topologySpread[${index}].topologyKey`,
        topologyKey,
        "a key that is listed once",
        "remove one",
      );
  });
}

/** Each place of the settings that says which nodes pods go to; one that is left out is the first. */
export const scheduling: Rule = (settings, report, engine) => {
  const { scheduling: all, cluster, operator } = settings;
  checked("scheduling", all, report);
  if (cluster.scheduling !== all) checked("cluster.scheduling", cluster.scheduling, report);
  if (operator.scheduling === all) return;
  withOperator(settings, report, engine, "scheduling");
  checked("operator.scheduling", operator.scheduling, report);
  if (operator.scheduling.topologySpread.length > 0)
    report(
      "operator.scheduling.topologySpread",
      operator.scheduling.topologySpread,
      "must not be set: the operator's pods keep to nodes of their own",
      "leave it out",
    );
};
