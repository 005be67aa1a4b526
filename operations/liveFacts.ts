import { bytesOf, milliCoresOf } from "../settings/quantity";
import { clusterLabel, installedBy } from "../plan/names";
import type { Shape } from "../plan/engines/live";
import type { Labels } from "../plan/network";
import type { KubernetesObject } from "../plan/objects";
import { type Rotation, rotationOf } from "../plan/postgres/rotation";
import { sourcedIn } from "../plan/secrets/source";
import { planners } from "../plan/engines/select";
import { plannedCluster, type Subject } from "./health";
import { hasLocale } from "../plan/postgres/locale";
import { type LiveLocale, localeQuery, localesOf } from "./locales";
import { askPrimary } from "./primary";
import { type MonitoringFacts, readMonitoring } from "./monitoringFacts";
import { type TriedQuery, triedIn, trials } from "./queries";
import { type NetworkFacts, readNetwork } from "./networkFacts";
import { isReady, type KubeObject, liveOf, selectorOf } from "./kubectl";
import { readSecrets, type SecretFacts } from "./secretFacts";
import { readRestored, type Restored } from "./restored";
import { readTls, type TlsFacts } from "./tlsFacts";
import { waitsForImage } from "./stuck";

/** What is asked of a Kubernetes cluster before anything is changed; plain data, read once. */
export interface LiveFacts {
  /** Version of the API server, such as `1.34.1`. */
  readonly kubernetes: string;
  readonly storageClasses: readonly StorageClass[];
  readonly nodes: readonly Node[];
  readonly namespaces: readonly string[];
  /** Those that a platform has made, with the cluster that it made them for. */
  readonly madeFor: Readonly<Record<string, string>>;
  /** Pods in the cluster's namespace that are no platform's; asked for only where the platform doesn't make it. */
  readonly otherPods: readonly string[];
  readonly priorityClasses: readonly string[];
  /** How pods reach the API server and DNS. @default - it couldn't be read, and nothing is said of it */
  readonly network?: NetworkFacts;
  /** Names of the API groups that are served. */
  readonly apiGroups: readonly string[];
  /** The database cluster, when there is one. */
  readonly cluster?: Shape;
  /** What it was made out of. @default - it began empty */
  readonly restored?: Restored;
  /** How far its rotation are. */
  readonly rotation?: Rotation;
  /** Roles whose passwords another owner has in it. */
  readonly sourcedRoles?: readonly string[];
  /** Encoding and locale of each database. @default - no setting names one, or no primary answers */
  readonly locales?: Readonly<Record<string, LiveLocale>>;
  /** The settings' own queries, as the databases take them. @default - the settings have none, or no primary answers */
  readonly queries?: readonly TriedQuery[];
  /** Pods that each pooler's Deployment asks for, by the Deployment's name. */
  readonly poolerPods: Readonly<Record<string, number>>;
  /** Who collects metrics. @default - the settings don't ask for it */
  readonly monitoring?: MonitoringFacts;
  /** Passwords of another owner. @default - the stack owns all of them */
  readonly secrets?: SecretFacts;
  /** A certificate that another signs. @default - the engine or the stack signs */
  readonly tls?: TlsFacts;
  /** The operator, when one runs. */
  readonly operator?: { readonly image: string; readonly installedBy?: string };
}

export interface StorageClass {
  readonly name: string;
  readonly isDefault: boolean;
  readonly expands: boolean;
}

export interface Node {
  readonly host: string;
  readonly zone?: string;
  /** Ready, not cordoned. */
  readonly takesPods: boolean;
  /** Those that keep pods away which don't tolerate them. */
  readonly taints: readonly Taint[];
  readonly labels: Labels;
  /** What pods may ask for, in all. */
  readonly memoryBytes: number;
  readonly milliCores: number;
  /** By their size. */
  readonly hugePageBytes: { readonly "2Mi": number; readonly "1Gi": number };
}

export interface Taint {
  readonly key: string;
  readonly value?: string;
  readonly effect: string;
}

interface RawNode extends KubeObject {
  spec?: { unschedulable?: boolean; taints?: Taint[] };
  status?: {
    allocatable?: Record<string, string>;
  };
}

export function nodeOf(object: KubeObject): Node {
  const { metadata, spec = {}, status = {} }: RawNode = object;
  const zone = metadata.labels?.["topology.kubernetes.io/zone"];
  const huge = (size: string) => bytesOf(status.allocatable?.[`hugepages-${size}`] ?? "") ?? 0;
  return {
    host: metadata.labels?.["kubernetes.io/hostname"] ?? metadata.name,
    ...(zone !== undefined && { zone }),
    takesPods: isReady(object) && spec.unschedulable !== true,
    taints: (spec.taints ?? []).filter(({ effect }) => effect === "NoSchedule" || effect === "NoExecute"),
    labels: metadata.labels ?? {},
    memoryBytes: bytesOf(status.allocatable?.memory ?? "") ?? Infinity,
    milliCores: milliCoresOf(status.allocatable?.cpu ?? "") ?? Infinity,
    hugePageBytes: { "2Mi": huge("2Mi"), "1Gi": huge("1Gi") },
  };
}

export function storageClassOf(object: KubeObject): StorageClass {
  return {
    name: object.metadata.name,
    isDefault: object.metadata.annotations?.["storageclass.kubernetes.io/is-default-class"] === "true",
    expands: object.allowVolumeExpansion === true,
  };
}

/** The first container's image of a Deployment. */
export const imageOf = (deployment: KubernetesObject): string =>
  (deployment as { spec?: { template?: { spec?: { containers?: { image?: string }[] } } } }).spec?.template
    ?.spec?.containers?.[0]?.image ?? "";

/** One database after the other: a new one isn't there yet, and says nothing. */
async function triedQueries(subject: Subject): Promise<TriedQuery[]> {
  const tried: TriedQuery[] = [];
  for (const { database, statements } of trials(subject.settings))
    tried.push(
      ...triedIn(database, await askPrimary(subject, statements, 20_000, database).catch(() => undefined)),
    );
  return tried;
}

/** The labels, all of a set, by which a pod is one of a cluster's, whichever engine it has. */
const platformLabels = [
  [clusterLabel],
  ...Object.values(planners).map(({ instancePods }) => Object.keys(instancePods.labels(""))),
];

/** The pods that no platform's cluster has. */
export const othersOf = (pods: readonly KubeObject[]): string[] =>
  pods
    .filter(
      ({ metadata: { labels = {} } }) => !platformLabels.some((all) => all.every((label) => label in labels)),
    )
    .map(({ metadata }) => metadata.name);

/** Reads the facts; `operator` is the planned Deployment of the operator, where the engine has one. */
export async function readFacts(
  subject: Subject,
  operator: KubernetesObject | undefined,
): Promise<LiveFacts> {
  const { kubectl, settings, engine, live } = subject;
  const { name, namespace } = settings.cluster;
  const json = async (args: readonly string[]): Promise<unknown> =>
    JSON.parse((await kubectl.run(args)).stdout);
  const items = async (args: readonly string[]) =>
    ((await json([...args, "-o", "json"])) as { items: KubeObject[] }).items;
  const [
    version,
    network,
    classes,
    nodes,
    namespaces,
    priorities,
    groups,
    deployments,
    pods,
    inNamespace,
    cluster,
    running,
    restored,
    monitoring,
    secrets,
    tls,
  ] = await Promise.all([
    json(["version", "-o", "json"]),
    readNetwork(kubectl),
    items(["get", "storageclasses.storage.k8s.io"]),
    items(["get", "nodes"]),
    items(["get", "namespaces"]),
    items(["get", "priorityclasses.scheduling.k8s.io"]),
    json(["get", "--raw", "/apis"]),
    kubectl.list("deployments.apps", namespace, `${clusterLabel}=${name}`),
    kubectl.list("pods", namespace, selectorOf(engine.instancePods.labels(name))),
    // Only a namespace that is shared can have others' pods.
    settings.cluster.makeNamespace ? [] : items(["get", "pods", "-n", namespace]),
    liveOf(kubectl, plannedCluster(subject).object),
    operator && liveOf(kubectl, operator),
    readRestored(subject),
    readMonitoring(kubectl, settings),
    readSecrets(kubectl, settings),
    readTls(kubectl, settings),
  ]);
  const locales =
    cluster && settings.cluster.databases.some(hasLocale)
      ? localesOf((await askPrimary(subject, [localeQuery]).catch(() => undefined)) ?? "")
      : undefined;
  const queries = cluster ? await triedQueries(subject) : [];
  const { gitVersion } = (version as { serverVersion: { gitVersion: string } }).serverVersion;
  const shape = cluster && live.shape(cluster);
  const installer = running?.metadata.annotations?.[installedBy];
  return {
    kubernetes: gitVersion.replace(/^v/, ""),
    storageClasses: classes.map(storageClassOf),
    nodes: nodes.map(nodeOf),
    namespaces: namespaces.map(({ metadata }) => metadata.name),
    madeFor: Object.fromEntries(
      namespaces.flatMap(({ metadata: { name: one, labels = {} } }) =>
        labels[clusterLabel] === undefined ? [] : [[one, labels[clusterLabel]]],
      ),
    ),
    otherPods: othersOf(inNamespace),
    priorityClasses: priorities.map(({ metadata }) => metadata.name),
    ...(network && { network }),
    ...(monitoring && { monitoring }),
    ...(secrets && { secrets }),
    ...(tls && { tls }),
    ...(locales && { locales }),
    ...(queries.length > 0 && { queries }),
    apiGroups: (groups as { groups: { name: string }[] }).groups.map((group) => group.name),
    ...(shape && {
      cluster: { ...shape, imageFails: pods.some(waitsForImage) },
      rotation: rotationOf(cluster),
      sourcedRoles: sourcedIn(cluster),
      ...(restored && { restored }),
    }),
    poolerPods: Object.fromEntries(
      deployments.map(({ metadata, spec }) => [metadata.name, Number(spec?.replicas ?? 1)]),
    ),
    ...(running && {
      operator: { image: imageOf(running), ...(installer !== undefined && { installedBy: installer }) },
    }),
  };
}
