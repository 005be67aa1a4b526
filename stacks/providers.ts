import { Provider as KubernetesProvider } from "@pulumi/kubernetes/provider";
import type * as pulumi from "@pulumi/pulumi";
import { Provider as RandomProvider } from "@pulumi/random/provider";
import type { Settings } from "../settings/schema";

/**
 * The providers of a stack. Buckets at Cloudflare and AWS are made by the default ones, which take their login from the environment or the stack's
 * configuration, as in any Pulumi program; one at B2 has a provider of its own.
 */
export function providersOf({ kubernetes }: Settings): Record<string, pulumi.ProviderResource> {
  return {
    kubernetes: new KubernetesProvider("kubernetes", {
      ...(kubernetes.kubeconfig !== undefined && { kubeconfig: kubernetes.kubeconfig }),
      ...(kubernetes.context !== undefined && { context: kubernetes.context }),
      enableServerSideApply: true,
      // Changed in place, under the names that others know; what reads them is rolled or reloaded by its own means.
      enableConfigMapMutable: true,
      enableSecretMutable: true,
    }),
    random: new RandomProvider("random"),
  };
}
