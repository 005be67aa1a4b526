import type { LoadBalancer } from "./engines/reader";
import type { Labels } from "./network";

/** The fields of a Service that open it beyond the Kubernetes cluster. */
export interface ServiceFields {
  readonly type?: string;
  readonly loadBalancerSourceRanges?: readonly string[];
  readonly loadBalancerClass?: string;
  readonly externalIPs?: readonly string[];
}

/** How a Service, or what a template makes one of, is open; undefined where it isn't. */
export function openingOf(
  service: string,
  { type, loadBalancerSourceRanges = [], loadBalancerClass, externalIPs = [] }: ServiceFields = {},
  annotations: Labels = {},
): LoadBalancer | undefined {
  const open = type === "LoadBalancer" || type === "NodePort" ? type : undefined;
  if (open === undefined && externalIPs.length === 0) return undefined;
  return {
    service,
    type: open ?? "ClusterIP",
    sourceRanges: loadBalancerSourceRanges,
    annotations: { ...annotations, ...(loadBalancerClass !== undefined && { loadBalancerClass }) },
    ...(externalIPs.length > 0 && { externalIPs }),
  };
}
