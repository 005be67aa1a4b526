import { MutatingWebhookConfiguration } from "@pulumi/kubernetes/admissionregistration/v1/mutatingWebhookConfiguration";
import { ValidatingWebhookConfiguration } from "@pulumi/kubernetes/admissionregistration/v1/validatingWebhookConfiguration";
import { CustomResource } from "@pulumi/kubernetes/apiextensions/customResource";
import { CustomResourceDefinition } from "@pulumi/kubernetes/apiextensions/v1/customResourceDefinition";
import { Deployment } from "@pulumi/kubernetes/apps/v1/deployment";
import { StatefulSet } from "@pulumi/kubernetes/apps/v1/statefulSet";
import { HorizontalPodAutoscaler } from "@pulumi/kubernetes/autoscaling/v2/horizontalPodAutoscaler";
import { CronJob } from "@pulumi/kubernetes/batch/v1/cronJob";
import { Job } from "@pulumi/kubernetes/batch/v1/job";
import { ConfigMap } from "@pulumi/kubernetes/core/v1/configMap";
import { Namespace } from "@pulumi/kubernetes/core/v1/namespace";
import { PersistentVolumeClaim } from "@pulumi/kubernetes/core/v1/persistentVolumeClaim";
import { Secret } from "@pulumi/kubernetes/core/v1/secret";
import { Service } from "@pulumi/kubernetes/core/v1/service";
import { ServiceAccount } from "@pulumi/kubernetes/core/v1/serviceAccount";
import { NetworkPolicy } from "@pulumi/kubernetes/networking/v1/networkPolicy";
import { PodDisruptionBudget } from "@pulumi/kubernetes/policy/v1/podDisruptionBudget";
import { ClusterRole } from "@pulumi/kubernetes/rbac/v1/clusterRole";
import { ClusterRoleBinding } from "@pulumi/kubernetes/rbac/v1/clusterRoleBinding";
import { Role } from "@pulumi/kubernetes/rbac/v1/role";
import { RoleBinding } from "@pulumi/kubernetes/rbac/v1/roleBinding";
import * as pulumi from "@pulumi/pulumi";
import { archiveIdToken } from "../plan/backup/store";
import { merge, type KubernetesObject, type Overlay, type PlannedObject } from "../plan/objects";
import { withTokens } from "./tokens";

/** The resource class of each kind that plans hold; everything else is a custom resource. */
type ResourceClass = new (
  name: string,
  args: never,
  options?: pulumi.CustomResourceOptions,
) => pulumi.CustomResource;

const classes: Readonly<Record<string, ResourceClass>> = {
  "v1/Namespace": Namespace,
  "v1/ConfigMap": ConfigMap,
  "v1/PersistentVolumeClaim": PersistentVolumeClaim,
  "v1/Secret": Secret,
  "v1/Service": Service,
  "v1/ServiceAccount": ServiceAccount,
  "apps/v1/Deployment": Deployment,
  "apps/v1/StatefulSet": StatefulSet,
  "autoscaling/v2/HorizontalPodAutoscaler": HorizontalPodAutoscaler,
  "batch/v1/CronJob": CronJob,
  "batch/v1/Job": Job,
  "policy/v1/PodDisruptionBudget": PodDisruptionBudget,
  "networking.k8s.io/v1/NetworkPolicy": NetworkPolicy,
  "rbac.authorization.k8s.io/v1/ClusterRole": ClusterRole,
  "rbac.authorization.k8s.io/v1/ClusterRoleBinding": ClusterRoleBinding,
  "rbac.authorization.k8s.io/v1/Role": Role,
  "rbac.authorization.k8s.io/v1/RoleBinding": RoleBinding,
  "apiextensions.k8s.io/v1/CustomResourceDefinition": CustomResourceDefinition,
  "admissionregistration.k8s.io/v1/MutatingWebhookConfiguration": MutatingWebhookConfiguration,
  "admissionregistration.k8s.io/v1/ValidatingWebhookConfiguration": ValidatingWebhookConfiguration,
};

function annotated(planned: PlannedObject): KubernetesObject {
  if (planned.waitFor === undefined) return planned.object;
  return merge(planned.object, {
    metadata: { annotations: { "pulumi.com/waitFor": planned.waitFor } },
  });
}

/** Registers a plan's objects as `<name>-<id>`, stage after stage. */
export function registerObjects(
  name: string,
  planned: readonly PlannedObject[],
  options: pulumi.CustomResourceOptions & { parent: pulumi.Resource },
  overlays: Readonly<Record<string, Overlay | undefined>> = {},
  archiveId?: pulumi.Output<string>,
): Record<string, pulumi.CustomResource> {
  const { dependsOn: given, ...rest } = options;
  const registered: Record<string, pulumi.CustomResource> = {};
  const stages = [...new Set(planned.map(({ stage }) => stage))].sort((a, b) => a - b);
  let before: pulumi.Resource[] = [];
  for (const stage of stages) {
    const current = planned.filter((object) => object.stage === stage);
    const dependsOn = before.length > 0 ? before : given;
    before = current.map((one) => {
      const complete = merge(annotated(one), overlays[one.id]);
      const object = archiveId
        ? (withTokens(complete, new Map([[archiveIdToken, archiveId]])) as KubernetesObject)
        : complete;
      const timeouts = {
        ...(one.timeoutMinutes !== undefined && {
          create: `${one.timeoutMinutes}m`,
          update: `${one.timeoutMinutes}m`,
        }),
        ...(one.createMinutes !== undefined && { create: `${one.createMinutes}m` }),
      };
      const own: pulumi.CustomResourceOptions = {
        ...rest,
        ...(dependsOn !== undefined && { dependsOn }),
        // The plan gives the reason of each.
        ...(one.retain !== undefined && { retainOnDelete: true }),
        // When a Job's end was waited for in vain and the one before it is wanted again, that one is still there to be
        // deleted: made before that, the new one of the same name would go with it.
        ...(object.kind === "Job" && { deleteBeforeReplace: true }),
        ...(one.goesWith !== undefined && { deletedWith: registered[one.goesWith] }),
        ...(one.leave && { ignoreChanges: [...one.leave.fields] }),
        ...(Object.keys(timeouts).length > 0 && { customTimeouts: timeouts }),
      };
      const known = classes[`${object.apiVersion}/${object.kind}`];
      const resource = known
        ? new known(`${name}-${one.id}`, object as never, own)
        : new CustomResource(`${name}-${one.id}`, object, own);
      registered[one.id] = resource;
      return resource;
    });
  }
  return registered;
}
