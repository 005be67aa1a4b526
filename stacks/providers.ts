import { createRequire } from "node:module";
import { Provider as KubernetesProvider } from "@pulumi/kubernetes/provider";
import * as pulumi from "@pulumi/pulumi";
import { Provider as RandomProvider } from "@pulumi/random/provider";
import { storeOf } from "../plan/backup/store";
import type { Settings } from "../settings/schema";

// Read only where a target needs it.
const read = createRequire(__filename);
const awsProvider = () => (read("@pulumi/aws/provider") as typeof import("@pulumi/aws/provider")).Provider;
const b2 = () => read("../components/buckets/b2") as typeof import("../components/buckets/b2");

/** The providers of a stack; no other place builds any. */
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

/**
 * Providers for the buckets at B2, by their targets' names. Buckets at Cloudflare and AWS are made by the stack's own providers, which take their
 * login from the environment or the stack's configuration, as in any Pulumi program.
 */
export function storeProvidersOf(settings: Settings): Record<string, pulumi.ProviderResource> {
  return Object.fromEntries(
    (settings.backup?.targets ?? []).flatMap((target) =>
      target.kind === "b2" && !target.adopt
        ? [
            [
              target.name,
              new (awsProvider())(`b2-${target.name}`, b2().b2Provider(target, storeOf(settings, target))),
            ],
          ]
        : [],
    ),
  );
}
