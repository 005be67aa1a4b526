import type { Problem } from "../../settings/problem";
import { loadBalancerOf } from "../kubernetes";
import type { ObjectInvariant } from "./invariant";

const anyAddress = ["0.0.0.0/0", "::/0"];

export const loadBalancersInvariant: ObjectInvariant = {
  number: "29",
  name: "load-balancer-ranges",
  description: "A load balancer lets in listed ranges of addresses only.",
  severity: "critical",
  mandatory: "everywhere",
  remediation:
    "Set `spec.loadBalancerSourceRanges` to the clients' addresses, or make the Service a ClusterIP.",
  on: "object",
  check(object, _options, facts): Problem[] {
    const own = loadBalancerOf(object);
    return [...(own ? [own] : []), ...(facts?.loadBalancers ?? [])].flatMap(({ service, sourceRanges }) => {
      const wide = sourceRanges.filter((range) => anyAddress.includes(range));
      if (sourceRanges.length > 0 && wide.length === 0) return [];
      return [
        {
          path: `loadBalancerSourceRanges of the Service ${service}`,
          value: sourceRanges.length === 0 ? undefined : sourceRanges,
          allowed: "ranges of the clients' addresses",
          fix: "list them, or use a ClusterIP",
        },
      ];
    });
  },
};
