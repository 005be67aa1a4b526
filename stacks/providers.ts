import { Provider as KubernetesProvider } from "@pulumi/kubernetes/provider";
import type * as pulumi from "@pulumi/pulumi";
import { Provider as RandomProvider } from "@pulumi/random/provider";
import type { Settings } from "../settings/schema";

/**
 * The providers of a stack. Buckets at Cloudflare are made by the default one, and those at AWS by one for the bucket's region, which take their login from the environment
 * or the stack's configuration, as in any Pulumi program.
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
