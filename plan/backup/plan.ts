import type { Plan } from "../plan";
import type { KubernetesObject, PlannedObject } from "../objects";
import { type Flow, podsOfRole, tcp } from "../network";
import { clusterLabel, roleLabels, targetRole } from "../names";
import { originOf } from "./restore";
import { identityFlows, roleAccount, roleOf } from "./role";
import { type Store, storesOf, targetFacts } from "./store";
import { storeName } from "./storeNames";
import { backupNames, backupRoles, metricsPort } from "./names";
import { copy } from "./copy";
import { scripts } from "./pods";
import { source } from "./source";
import { verification } from "./verification";
import { watch } from "./watch";
import type { EnginePlanner } from "../engines/planner";
import type { Images, Settings } from "../../settings/schema";

/**
 * What happens to backups after they were made, the same for every engine: they are watched, copied to the
 * second target, and restored on a schedule to prove that they can be.
 */
export interface BackupPlan {
  readonly objects: readonly PlannedObject[];
  readonly flows: readonly Flow[];
}

/** The settings' images that they run beside those of the engine. */
export const backupPlanImages = ["backupTools", "backupRestore"] as const satisfies readonly (keyof Images)[];

function configMap({ cluster }: Settings, name: string, data: Readonly<Record<string, string>>) {
  return {
    apiVersion: "v1",
    kind: "ConfigMap",
    metadata: { name, namespace: cluster.namespace, labels: { [clusterLabel]: cluster.name } },
    data,
  };
}

/** What stands for a target that has a role, where others have the Secret of their key: policies look for both. */
const roleTarget = (settings: Settings, store: Store): KubernetesObject => ({
  apiVersion: "v1",
  kind: "ConfigMap",
  metadata: {
    name: storeName(settings.cluster.name, store.name),
    namespace: settings.cluster.namespace,
    labels: roleLabels(settings.cluster.name, targetRole),
    annotations: targetFacts(settings, store),
  },
});

/** All of it for these settings; nothing without a backup. */
export function backupPlan(settings: Settings, engine: EnginePlanner, plan: Plan): BackupPlan {
  const { cluster, backup, monitoring } = settings;
  const stores = storesOf(settings);
  if (backup === undefined || stores.length === 0) return { objects: [], flows: [] };
  const object = (id: string, object: KubernetesObject, stage = 1): PlannedObject => ({ id, stage, object });
  const { verify } = backup;
  const origin = settings.restore?.stage === "ended" ? undefined : originOf(settings);
  const roleArn = roleOf(stores);
  const queries = Object.fromEntries(
    verify.queries.map(({ name, database, sql }) => [
      `${database ?? cluster.databases[0]?.name}.${name}`,
      `${sql}\n`,
    ]),
  );
  const objects = [
    object("scripts", configMap(settings, backupNames.watch(cluster.name), scripts), 0),
    ...(Object.keys(queries).length > 0
      ? [object("queries", configMap(settings, backupNames.queries(cluster.name), queries), 0)]
      : []),
    ...(roleArn === undefined ? [] : [object("account", roleAccount(settings, roleArn), 0)]),
    ...stores
      .filter(({ login }) => "roleArn" in login)
      .map((store) => object(`target-${store.name}`, roleTarget(settings, store), 0)),
    object("watch", watch(settings, plan, stores)),
    ...(origin ? [object("restore-source", source(settings, stores, origin, engine.backups?.baseTime))] : []),
    ...(stores.length > 1 ? [object("copy", copy(settings, stores, backup.copy.schedule))] : []),
    ...(verify.enabled
      ? stores.map((_, index) =>
          object(`verify-${index + 1}`, verification(settings, engine, plan, stores, index, verify)),
        )
      : []),
  ];

  const why: Record<string, string> = {
    [backupRoles.watch]: "a watcher checks all the time that backups are where they should be",
    ...(origin && { [backupRoles.source]: "a restore begins only where there is something to restore" }),
    ...(stores.length > 1 && { [backupRoles.copy]: "the first target's archive is copied to the second" }),
    ...(verify.enabled && {
      [backupRoles.verification]: "a restore from each target is tried on a schedule",
    }),
  };
  const flows = [
    ...Object.entries(why).flatMap(([role, reason]) =>
      stores.map(({ name, peer, port }) =>
        tcp(`${role}-${name}`, podsOfRole(settings.cluster, role), peer, port, reason),
      ),
    ),
    tcp(
      "backups-instances",
      podsOfRole(settings.cluster, backupRoles.watch),
      plan.pods,
      plan.ports.postgres,
      "the watcher asks the primary what isn't archived",
    ),
    ...Object.keys(why).flatMap((role) => identityFlows(settings, podsOfRole(settings.cluster, role))),
    ...(verify.enabled
      ? [
          tcp(
            "verification-instances",
            podsOfRole(settings.cluster, backupRoles.verification),
            plan.pods,
            plan.ports.postgres,
            "a row is written before a restore is tried, which must have it",
          ),
        ]
      : []),
    ...(monitoring.namespace === undefined
      ? []
      : [
          tcp(
            "metrics-backups",
            { kind: "namespace", namespace: monitoring.namespace },
            podsOfRole(settings.cluster, backupRoles.watch),
            metricsPort,
            "monitoring reads what is seen of the backups",
          ),
        ]),
  ];
  return { objects, flows };
}
