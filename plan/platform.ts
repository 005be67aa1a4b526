import type { Settings } from "../settings/schema";
import { type LocalStores, planLocalStores } from "./backup/localStore";
import { backupPlan } from "./backup/plan";
import { restoredAnnotation, restoreText } from "./backup/restore";
import type { EnginePlanner } from "./engines/planner";
import { plannerOf } from "./engines/select";
import { allFlows } from "./flows";
import { ciliumPolicies } from "./cilium";
import { loginCheck } from "./loginCheck";
import { maintenanceObjects } from "./maintenance";
import { clusterLabel, secretNames } from "./names";
import type { Flow, Labels } from "./network";
import { inhibitRules } from "./monitoring/alerts";
import { readByPrometheus } from "./monitoring/install/flows";
import { monitoringPlan, type MonitoringPlan } from "./monitoring/install/plan";
import { networkPolicies } from "./networkPolicies";
import { planMetrics } from "./monitoring/plan";
import { merge, withLabels, type KubernetesObject, type PlannedObject } from "./objects";
import { poolerCredentials, poolerPlan, type PoolerPlan } from "./pooler/plan";
import type { Credential, OperatorPlan, PasswordFiles, Plan } from "./plan";
import { podSecurity } from "./podSecurity";
import { certificateRequest } from "./tls";
import { reloaderFlows, reloaderObjects } from "./secrets/reloader";
import { sourcedAnnotation } from "./secrets/source";
import { planStore, type StorePlan } from "./secrets/store";
import { rotationAnnotation } from "./postgres/rotation";
import { Transform } from "./transform";
import { clientBindings, type ClientBinding } from "./bindings";

/** All that one platform takes, as plain data: what components register, and what tests, checks and policies look at. */
export interface PlatformPlan {
  /** Labels of everything that is the platform's. */
  readonly labels: Labels;
  /** The operator. @default - the engine has none, or another stack installs it */
  readonly operator?: OperatorPlan;
  /** The cluster's namespace. */
  readonly namespace: {
    readonly name: string;
    /** Whether it is made here. */
    readonly made: boolean;
    readonly labels: Labels;
  };
  /** Logins to image registries, for the cluster's namespace and the operator's. @default - none are needed */
  readonly pullSecret?: {
    readonly secretName: string;
    readonly registries: Settings["registries"];
    readonly labels: Labels;
  };
  /** All that may pass. */
  readonly flows: readonly Flow[];
  /** The flows as network policies; everything else is denied. */
  readonly networkPolicies: readonly PlannedObject[];
  /** Passwords to generate, for the engine and for the poolers. */
  readonly credentials: readonly Credential[];
  /** What copies passwords out of another owner's store. @default - the settings name none */
  readonly store?: StorePlan;
  /** What gives PostgreSQL the passwords of another owner. @default - the stack owns them all */
  readonly reloader: readonly PlannedObject[];
  /** Those that the engine's pods need in one Secret. @default - none */
  readonly passwords?: PasswordFiles;
  /** Labels of the certificates' Secrets, where the platform signs them. @default - the engine signs by itself */
  readonly certificates?: { readonly labels: Labels };
  /** What asks cert-manager for the certificate. @default - another signs it */
  readonly certificateRequest?: readonly PlannedObject[];
  /** What goes over the databases in a window. @default - nothing does */
  readonly maintenance: readonly PlannedObject[];
  /** What watches over, copies and verifies the backups. @default - nothing, without targets */
  readonly backups: readonly PlannedObject[];
  /** Stores beside the cluster. @default - no target is local */
  readonly localStores?: LocalStores;
  /** The database cluster. */
  readonly cluster: Plan;
  /** The poolers in front of it, in the settings' order. */
  readonly poolers: readonly PoolerPlan[];
  /** How a Prometheus finds the metrics, alerts and dashboards. @default - nothing, where none is told */
  readonly metrics: readonly PlannedObject[];
  /** What collects metrics and sends alerts. @default - nothing is installed for that */
  readonly monitoring?: MonitoringPlan;
  /** A Job that tries the logins of a new version of the passwords. @default - passwords were never rotated */
  readonly logins: readonly PlannedObject[];
  /** What the clients' namespaces get. */
  readonly bindings: readonly ClientBinding[];
}

const isCluster = ({ clusterKind }: EnginePlanner, { apiVersion, kind }: KubernetesObject): boolean =>
  apiVersion === clusterKind.apiVersion && kind === clusterKind.kind;

/** The cluster object says how far its passwords are, and whose: `make up` continues from there. */
function withPasswords(
  planned: readonly PlannedObject[],
  engine: EnginePlanner,
  settings: Settings,
): PlannedObject[] {
  const annotations = { ...rotationAnnotation(settings.rotation), ...sourcedAnnotation(settings) };
  return planned.map((one) =>
    Object.keys(annotations).length > 0 && isCluster(engine, one.object)
      ? { ...one, object: merge(one.object, { metadata: { annotations } }) }
      : one,
  );
}

/** The cluster object says what it was made out of: `make up` continues an interrupted restore, and keeps what the cluster has of its source. */
const withRestore = (
  planned: readonly PlannedObject[],
  engine: EnginePlanner,
  settings: Settings,
): PlannedObject[] => {
  const text = restoreText(settings);
  return planned.map((one) =>
    text !== undefined && isCluster(engine, one.object)
      ? { ...one, object: merge(one.object, { metadata: { annotations: { [restoredAnnotation]: text } } }) }
      : one,
  );
};

/** What is made before the source of a restore is looked into: no cluster, and nothing that comes after one. */
const sourceOnly = (platform: PlatformPlan): PlatformPlan => ({
  ...platform,
  backups: platform.backups.filter(({ stage }) => stage === 0),
  cluster: { ...platform.cluster, objects: [] },
  poolers: [],
  metrics: [],
  reloader: [],
  logins: [],
  bindings: [],
});

/** Flows of another namespace that begin or end at pods of this one. */
const flowsInto = (namespace: string, flows: readonly Flow[] = []): Flow[] =>
  flows.filter(({ from, to }) =>
    [from, to].some((peer) => peer.kind === "pods" && peer.namespace === namespace),
  );

/** The plan of the cluster as it is registered: with what `transform` lays over its objects, which `planPlatform` checks. */
export function clusterPlan(settings: Settings, engine: EnginePlanner): Plan {
  const plan = engine.plan(settings);
  return { ...plan, objects: new Transform(settings.transform).over("cluster", plan.objects) };
}

/**
 * Plans a platform: a pure function of checked settings, the same for the same settings. Throws where `transform` names what isn't there.
 *
 * `released` gives the operator's released objects; it is asked only when the settings install the operator. So is `prometheusOperator`.
 */
export function planPlatform(
  settings: Settings,
  released: () => readonly KubernetesObject[],
  engine: EnginePlanner = plannerOf(settings),
  prometheusOperator: () => readonly KubernetesObject[] = () => [],
): PlatformPlan {
  const { labels } = settings;
  const transform = new Transform(settings.transform);
  const { namespace, name } = settings.cluster;
  const own = { ...labels, [clusterLabel]: name };
  const labelled = (objects: readonly PlannedObject[]) => withLabels(objects, labels);
  const labelledSecret = <T extends Credential | PasswordFiles>(one: T): T => ({
    ...one,
    labels: { ...labels, ...one.labels },
  });

  const planned = engine.plan(settings);
  const cluster = {
    ...planned,
    objects: transform.over(
      "cluster",
      labelled(withRestore(withPasswords(planned.objects, engine, settings), engine, settings)),
    ),
  };
  const poolers = settings.poolers
    .map((pooler) => poolerPlan(settings, pooler, cluster))
    .map((pooler) => ({
      ...pooler,
      objects: transform.over("poolers", labelled(pooler.objects)),
    }));
  const operator =
    engine.operator && settings.operator.install ? engine.operator(settings, released()) : undefined;
  const backups = backupPlan(settings, engine, cluster);
  const metrics = planMetrics({ settings, engine, cluster, poolers });
  const clusterFlows = readByPrometheus(
    settings,
    allFlows(settings, cluster, poolers, [
      ...backups.flows,
      ...metrics.flows,
      ...reloaderFlows(settings, cluster, poolers),
    ]),
  );
  const monitoring = monitoringPlan(
    settings,
    engine,
    clusterFlows,
    prometheusOperator,
    settings.monitoring.rules ? inhibitRules() : [],
  );
  const flows = [...clusterFlows, ...flowsInto(namespace, monitoring?.flows)];
  const check = loginCheck(settings, cluster, poolers);
  const store = planStore(settings, cluster.credentials);
  const request = certificateRequest(settings, cluster.tls);
  const localStores = planLocalStores(settings, engine.instancePods.labels(name), flows);

  const platform: PlatformPlan = {
    labels,
    ...(operator && {
      operator: { ...operator, objects: transform.over("operator", operator.objects) },
    }),
    namespace: {
      name: namespace,
      made: settings.cluster.makeNamespace,
      labels: { ...own, ...podSecurity(engine.can.podSecurityRestricted === true) },
    },
    ...(settings.registries.length > 0 && {
      pullSecret: { secretName: secretNames.registries(name), registries: settings.registries, labels: own },
    }),
    flows,
    networkPolicies: transform.over(
      "network",
      labelled([
        ...networkPolicies(name, namespace, flows),
        ...(settings.network.cilium ? ciliumPolicies(name, namespace, flows) : []),
      ]),
    ),
    credentials: [...cluster.credentials, ...poolerCredentials(settings)].map(labelledSecret),
    ...(store && { store: { ...store, objects: labelled(store.objects) } }),
    reloader: labelled(reloaderObjects(settings, cluster, engine)),
    ...(cluster.passwords && { passwords: labelledSecret(cluster.passwords) }),
    ...(cluster.tls.issuer === "platform" && { certificates: { labels: own } }),
    ...(request.length > 0 && { certificateRequest: transform.over("cluster", labelled(request)) }),
    backups: transform.over("backup", labelled(backups.objects)),
    ...(localStores && { localStores }),
    ...(monitoring && {
      monitoring: {
        ...monitoring,
        objects: transform.over("monitoring", monitoring.objects),
      },
    }),
    cluster,
    poolers,
    metrics: transform.over("monitoring", labelled(metrics.objects)),
    logins: check ? labelled([check]) : [],
    maintenance: labelled(maintenanceObjects(settings, cluster)),
    bindings: clientBindings(settings, cluster, poolers),
  };
  transform.finish();
  return settings.restore?.stage === "source" ? sourceOnly(platform) : platform;
}
