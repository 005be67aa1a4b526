import { R2Bucket } from "@pulumi/cloudflare/r2bucket";
import { R2BucketLock } from "@pulumi/cloudflare/r2bucketLock";
import { R2ManagedDomain } from "@pulumi/cloudflare/r2managedDomain";
import { CustomResource } from "@pulumi/kubernetes/apiextensions/customResource";
import { Namespace } from "@pulumi/kubernetes/core/v1/namespace";
import { NetworkPolicy } from "@pulumi/kubernetes/networking/v1/networkPolicy";
import { Provider } from "@pulumi/kubernetes/provider";
import { registerStackTransformation } from "@pulumi/pulumi/runtime";
import { merge, type Overlay } from "../../../plan/objects";
import { PostgresPlatform } from "../../../components/platform";
import { plannerOf } from "../../../plan/engines/select";
import type { Settings } from "../../../settings/schema";
import { type Mutation, mutations, settingsOf } from "./mutations";

/**
 * The platform of the stack local with backups, once for each policy in a namespace of the policy's name, changed behind the settings
 * check's back so that only the policy can refuse them.
 */

const provider = new Provider("kubernetes", { kubeconfig: process.env.NO_CLUSTER_KUBECONFIG ?? "" });

/** An archive that is known before it is drawn, so that a preview can judge what reads it. */
const archiveId = "0123456789";
const knownArchiveId: Record<string, Overlay> = {
  cluster: {
    spec: {
      plugins: [
        {
          name: "barman-cloud.cloudnative-pg.io",
          isWALArchiver: true,
          parameters: { barmanObjectName: "main-archive", serverName: archiveId },
        },
      ],
    },
  },
  archive: { metadata: { annotations: { "pgplatform.io/archive-id": archiveId } } },
};

/** Another cluster under the same name in the same archive. */
function twinOf(settings: Settings): void {
  const planned = plannerOf(settings)
    .plan(settings)
    .objects.find(({ id }) => id === "cluster");
  if (!planned) throw new Error("the plan has no cluster");
  const name = `${settings.cluster.namespace}-twin`;
  new CustomResource(
    name,
    merge(merge(planned.object, knownArchiveId.cluster), { metadata: { name: "twin" } }),
    { provider },
  );
}

/** The bucket of the copy, under the policy's name, at a FAKE of Cloudflare. */
function bucketOf(policy: string, { protect, open, lockDays }: NonNullable<Mutation["bucket"]>): void {
  const at = { accountId: "0123456789abcdef0123456789abcdef", bucketName: policy };
  new R2Bucket(`${policy}/bucket`, { accountId: at.accountId, name: at.bucketName }, { protect });
  if (open) new R2ManagedDomain(`${policy}/domain`, { ...at, enabled: true });
  if (lockDays !== undefined)
    new R2BucketLock(`${policy}/lock`, {
      ...at,
      rules: [{ id: "all", enabled: true, condition: { type: "Age", maxAgeSeconds: lockDays * 86_400 } }],
    });
}

// No policy but that of protection is about it.
registerStackTransformation(({ type, name, props, opts }) =>
  type.startsWith("kubernetes:") && !name.startsWith("protected-cluster")
    ? { props: props, opts: { ...opts, protect: true } }
    : undefined,
);

for (const [policy, { transform, open, loose, twin, bucket, others = [] }] of Object.entries(mutations)) {
  const settings = settingsOf(policy);
  if (loose) new Namespace(`${policy}-namespace`, { metadata: { name: policy } }, { provider });
  new PostgresPlatform(
    policy,
    {
      checked: { ...settings, transform: merge({ cluster: knownArchiveId }, transform) },
      released: () => [],
    },
    { providers: { kubernetes: provider } },
  );
  others.forEach((object, index) => {
    const given = object as { apiVersion: string; kind: string; metadata: { name: string } };
    new CustomResource(
      `${policy}-other-${index}`,
      { ...given, metadata: { ...given.metadata, namespace: policy } },
      { provider },
    );
  });
  if (twin) twinOf(settings);
  if (bucket) bucketOf(policy, bucket);
  if (open)
    new NetworkPolicy(
      `${policy}-open`,
      { metadata: { name: "open", namespace: policy }, spec: { podSelector: {}, ingress: [{}] } },
      { provider },
    );
}
