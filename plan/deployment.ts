import type { KubernetesObject } from "./objects";

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

/** A copy of a released Deployment, to be changed. */
export const copyOf = (released: KubernetesObject): Deployment => structuredClone(released) as Deployment;
