import { storesOf, targetMetadata } from "../backup/store";
import type { Credential } from "../plan";
import type { PlatformPlan } from "../platform";
import type { PlannedObject } from "../objects";
import type { Settings } from "../../settings/schema";
import { bucketKind, usedBucketKind } from "./data";
import type { Registered } from "./review";

/** A Secret as far as a plan knows it: whose login it has, and no password. */
const ofCredential = (
  { id, role, secretName, credentialVersion, elsewhere }: Credential,
  namespace: string,
) => ({
  apiVersion: "v1",
  kind: "Secret",
  metadata: { name: secretName, namespace },
  login: {
    id,
    role,
    ...(credentialVersion !== undefined && { version: credentialVersion }),
    ...(elsewhere && { elsewhere }),
  },
});

/** Buckets that the stack makes, or uses; a local store's objects are the plan's. */
const buckets = (settings: Settings): Registered[] =>
  storesOf(settings).flatMap(({ name, bucket, region, endpoint }, index) => {
    const target = settings.backup?.targets[index];
    if (target === undefined || target.kind === "local") return [];
    const made = (target.kind === "r2" || target.kind === "aws") && !target.adopt;
    return [
      {
        component: `bucket ${name}`,
        object: {
          ...bucketKind,
          ...(!made && { kind: usedBucketKind }),
          metadata: { name },
          bucket,
          region,
          ...(endpoint !== undefined && { endpoint }),
        },
      },
    ];
  });

/** Everything that a plan registers, with the component that does; without what is drawn or made by a cloud. */
export function registeredOf(plan: PlatformPlan, settings: Settings): Registered[] {
  const { namespace, cluster } = plan;
  const of = (component: string, objects: readonly PlannedObject[] = []): Registered[] =>
    objects.map(({ object, leave }) => ({ component, object, ...(leave && { leave: leave.fields }) }));
  const space = (name: string, labels: object, component: string): Registered => ({
    component,
    object: { apiVersion: "v1", kind: "Namespace", metadata: { name, labels: { ...labels } } },
  });
  // The cluster reads its logins' Secrets under both of a rotation's names: the first one stands for it.
  const logins = [...new Map(plan.credentials.map((one) => [one.secretName, one])).values()];
  return [
    ...of("operator", plan.operator?.objects),
    ...(namespace.made ? [space(namespace.name, namespace.labels, "namespace")] : []),
    ...of("network", plan.networkPolicies),
    ...logins.map((one) => ({ component: "credentials", object: ofCredential(one, namespace.name) })),
    ...of("secrets", [...(plan.store?.objects ?? []), ...plan.reloader, ...plan.logins]),
    ...of("cluster", cluster.objects),
    ...plan.poolers.flatMap(({ name, objects }) => of(`pooler ${name}`, objects)),
    ...of("backup", plan.backups),
    ...(plan.localStores?.stores ?? []).flatMap(({ target, objects }) => of(`store ${target}`, objects)),
    ...of("network", plan.localStores?.networkPolicies),
    ...storesOf(settings).flatMap((store) =>
      "roleArn" in store.login
        ? []
        : of("backup", [
            {
              id: store.name,
              stage: 0,
              object: {
                apiVersion: "v1",
                kind: "Secret",
                metadata: targetMetadata(settings, store, namespace.name),
              },
            },
          ]),
    ),
    ...buckets(settings),
    ...of("metrics", plan.metrics),
    ...of("monitoring", [...(plan.monitoring?.networkPolicies ?? []), ...(plan.monitoring?.objects ?? [])]),
    ...plan.bindings.map(({ client, namespace: there, name, data }) => ({
      component: `binding ${client}`,
      object: {
        apiVersion: "v1",
        kind: "ConfigMap",
        metadata: { name, namespace: there },
        data: { ...data },
      },
    })),
  ];
}
