import { clusterLabel, roleLabel } from "../../plan/names";
import type { KubeObject } from "../kubectl";
import type { Platform } from "../platform";

/** The platform's own pods beside servers and poolers: what nobody misses until it is needed. */

const idle = ({ spec, status }: KubeObject): boolean =>
  Number(spec?.replicas ?? 1) > 0 && Number(status?.readyReplicas ?? 0) === 0;

/** A Deployment of which no pod is ready, with its role. */
export interface Idle {
  readonly name: string;
  readonly role: string;
}

/** The role of a Deployment's pods; a pooler's have none. */
export const helperRole = ({ spec }: Pick<KubeObject, "spec">): string | undefined =>
  (spec as { selector?: { matchLabels?: Record<string, string> } } | undefined)?.selector?.matchLabels?.[
    roleLabel
  ];

export async function idleHelpers({ kubectl: api, settings }: Platform): Promise<Idle[]> {
  const { name, namespace } = settings.cluster;
  const all = await api.query("deployments.apps", namespace, { labelSelector: `${clusterLabel}=${name}` });
  return all.filter(idle).flatMap((one) => {
    const role = helperRole(one);
    return role === undefined ? [] : [{ name: one.metadata.name, role }];
  });
}
