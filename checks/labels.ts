import { listed, matches, type Rule } from "./rule";

/** Labels that Kubernetes' own controllers write on the pods of Deployments, StatefulSets and Jobs. */
const ofKubernetes = ["pod-template-hash", "controller-revision-hash", "controller-uid", "job-name"];

/** Labels for everything mustn't be those by which an operator, or Kubernetes, finds its own. */
export const labels: Rule = ({ labels }, report, { name, operatorLabels }) => {
  const reserved = [...operatorLabels, ...ofKubernetes];
  for (const [key, value] of Object.entries(labels))
    if (reserved.some((pattern) => matches(pattern, key)))
      report(
        `labels.${key}`,
        value,
        `any key but those that the engine ${name} or Kubernetes writes itself (${listed(reserved)})`,
        "choose another key, such as one with a prefix of your own",
      );
};
