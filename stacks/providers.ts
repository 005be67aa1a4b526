import { createRequire } from "node:module";
import type { ProviderArgs as AwsProviderArgs } from "@pulumi/aws/provider";
import { Provider as KubernetesProvider } from "@pulumi/kubernetes/provider";
import * as pulumi from "@pulumi/pulumi";
import { Provider as RandomProvider } from "@pulumi/random/provider";
import { storeOf } from "../plan/backup/store";
import type { Settings } from "../settings/schema";

// Read only where a target needs it.
const read = createRequire(__filename);
const awsProvider = () => (read("@pulumi/aws/provider") as typeof import("@pulumi/aws/provider")).Provider;

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

type Target = NonNullable<Settings["backup"]>["targets"][number];

/** AWS's provider, aimed at B2's S3 API with the target's key. */
export function b2Provider(settings: Settings, target: Target): AwsProviderArgs {
  const { endpoint = "", region, pathStyle } = storeOf(settings, target);
  return {
    region,
    ...(target.credentials && {
      accessKey: target.credentials.accessKeyId,
      secretKey: pulumi.secret(target.credentials.secretAccessKey),
    }),
    endpoints: [{ s3: endpoint }],
    s3UsePathStyle: pathStyle,
    // All of these ask AWS, which knows neither the key nor the region.
    skipCredentialsValidation: true,
    skipMetadataApiCheck: true,
    skipRegionValidation: true,
    skipRequestingAccountId: true,
  };
}

/**
 * Providers for the buckets at B2, by their targets' names. Buckets at Cloudflare and AWS are made by the stack's own providers, which take their
 * login from the environment or the stack's configuration, as in any Pulumi program.
 */
export function storeProvidersOf(settings: Settings): Record<string, pulumi.ProviderResource> {
  const made = (settings.backup?.targets ?? []).filter(({ kind, adopt }) => kind === "b2" && !adopt);
  return Object.fromEntries(
    made.map((target) => [
      target.name,
      new (awsProvider())(`b2-${target.name}`, b2Provider(settings, target)),
    ]),
  );
}
