import type { Settings } from "../settings/schema";
import { choosesUsers } from "./containers";
import type { KubernetesObject } from "./objects";
import { podScheduling } from "./scheduling";

/** The fields of a released Deployment that engines change. */
export interface Deployment extends KubernetesObject {
  spec: {
    replicas?: number;
    template: {
      metadata: { annotations?: Record<string, string> };
      spec: {
        containers: DeploymentContainer[];
        affinity?: object;
        imagePullSecrets?: { name: string }[];
        nodeSelector?: Record<string, string>;
        tolerations?: object[];
        priorityClassName?: string;
        securityContext?: Record<string, unknown>;
      };
    };
  };
}

interface DeploymentContainer {
  name: string;
  image: string;
  imagePullPolicy?: string;
  args: string[];
  env: { name: string; value?: string; valueFrom?: object }[];
  resources: object;
  securityContext?: Record<string, unknown>;
}

/** A copy of an operator's released Deployment, to be changed: on the settings' nodes, and without fixed users where the Kubernetes cluster chooses them. */
export function copyOf(released: KubernetesObject, settings: Settings): Deployment {
  const deployment = structuredClone(released) as Deployment;
  const { spec } = deployment.spec.template;
  Object.assign(spec, podScheduling(settings.operator.scheduling));
  if (choosesUsers(settings))
    for (const context of [spec.securityContext, ...spec.containers.map((one) => one.securityContext)]) {
      delete context?.runAsUser;
      delete context?.runAsGroup;
      delete context?.fsGroup;
    }
  return deployment;
}
