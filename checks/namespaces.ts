import { planners } from "../plan/engines/select";
import { listed, matches, type Rule } from "./rule";

const operators = Object.values(planners).flatMap(({ operatorNamespace }) => operatorNamespace ?? []);

/** Namespaces of Kubernetes itself, of its distributions, and of the operators: a policy that denies everything would cut off what runs there. */
const foreign = ["default", "kube-*", "openshift", "openshift-*", ...operators];

/** The namespaces in which network policies close everything, and those that the platform makes, must be the user's own. */
export const namespaces: Rule = ({ cluster, clients, monitoring }, report) => {
  const isForeign = (name: string) => foreign.some((pattern) => matches(pattern, name));
  const own = `a namespace of the database's own: not ${listed(foreign)}`;
  if (isForeign(cluster.namespace))
    report(
      "cluster.namespace",
      cluster.namespace,
      `${own}, where network policies that close everything would cut off what runs there, the cluster's DNS say`,
      "name another one",
    );
  if (monitoring.namespace === cluster.namespace)
    report(
      "monitoring.namespace",
      monitoring.namespace,
      "another namespace than cluster.namespace, whose network policies would cut monitoring off from all that it reads elsewhere",
      "run monitoring in a namespace of its own",
    );
  if (monitoring.prometheus === "install" && isForeign(monitoring.namespace ?? ""))
    report(
      "monitoring.namespace",
      monitoring.namespace,
      `a namespace of monitoring's own, which the stack makes: not ${listed(foreign)}`,
      "name another one, or leave it out",
    );
  clients.forEach(({ namespace, binding }, index) => {
    if (typeof binding === "object" && binding.makeNamespace && isForeign(namespace))
      report(
        `clients[${index}].binding.makeNamespace`,
        true,
        `false with the namespace ${namespace}, which isn't the platform's to make`,
        "leave it out",
      );
  });
};
