import { coerce, satisfies } from "semver";
import type { VolumeShape } from "../plan/engines/live";
import { poolerName } from "../plan/names";
import { namespace } from "../settings/problem";
import { bytesOf, milliCoresOf } from "../settings/quantity";
import { type Settings } from "../settings/schema";
import { afterZoneLoss } from "../settings/sums/availability";
import { type LiveFacts, type Node, type StorageClass } from "./liveFacts";
import { restoring } from "./restoreRule";
import { type Planned, type Verdict } from "./verdict";

type Rule = (planned: Planned, facts: LiveFacts) => Partial<Verdict>;

const problem = (path: string, value: unknown, allowed: string, fix: string): Partial<Verdict> => ({
  problems: [{ path: `${namespace}:${path}`, value, allowed, fix }],
});

const listed = (names: readonly string[]): string => (names.length === 0 ? "none" : names.join(", "));

const kubernetesVersion: Rule = ({ settings, engine: { name: engine, kubernetes } }, facts) => {
  const version = coerce(facts.kubernetes) ?? "0.0.0";
  if (!satisfies(version, kubernetes.runs))
    return problem(
      "kubernetes.context",
      settings.kubernetes.context,
      `a cluster of Kubernetes ${kubernetes.runs.replace(">=", "")} or newer for the engine ${engine}, and it has ${facts.kubernetes}`,
      "upgrade that cluster, or name another one",
    );
  if (satisfies(version, kubernetes.tested)) return {};
  const tested = kubernetes.tested.replace(" - ", " to ");
  return {
    warnings: [
      `Kubernetes ${facts.kubernetes} is not among the versions that the operator supports (${tested}).`,
    ],
  };
};

/** The class that volumes without one get. */
const classOf = ({ class: name }: VolumeShape, classes: readonly StorageClass[]): StorageClass | undefined =>
  classes.find((one) => (name === undefined ? one.isDefault : one.name === name));

const storageClass: Rule = ({ settings, shape }, { storageClasses, cluster }) => {
  const { class: name } = settings.cluster.storage;
  const known = listed(storageClasses.map((one) => one.name));
  if (!classOf(shape.data, storageClasses))
    return problem(
      "cluster.storage.class",
      name,
      name === undefined ? `one of ${known}, since no class is the default` : `one of ${known}`,
      "name a storage class that the Kubernetes cluster has",
    );
  if (cluster !== undefined && cluster.data.class !== shape.data.class)
    return {
      warnings: [
        `The storage class changes from ${cluster.data.class} to ${shape.data.class}: volumes that are there stay where they are.`,
      ],
    };
  return {};
};

/** One volume's way from what is there to what is asked for. */
function resized(
  setting: string,
  live: VolumeShape,
  wanted: VolumeShape,
  classes: readonly StorageClass[],
): Partial<Verdict> {
  const [from, to] = [bytesOf(live.size), bytesOf(wanted.size)];
  if (from === undefined || to === undefined || from === to) return {};
  const path = `cluster.storage.${setting}`;
  if (to < from)
    return problem(
      path,
      wanted.size,
      `at least ${live.size}, which the volumes have`,
      "volumes don't shrink; keep the size, or restore into a new cluster with smaller ones",
    );
  const own = classOf(live, classes);
  if (own?.expands === true) return {};
  return problem(
    path,
    wanted.size,
    `${live.size}, since the storage class ${own?.name ?? live.class} can't grow volumes`,
    "keep the size, set allowVolumeExpansion on the class if its driver can, or restore into a new cluster with another class",
  );
}

const volumes: Rule = ({ settings, shape }, { cluster, storageClasses }) => {
  if (cluster === undefined) return {};
  const data = resized("size", cluster.data, shape.data, storageClasses);
  if (cluster.log === undefined) return data;
  const log =
    shape.log === undefined
      ? problem(
          "cluster.storage.walSize",
          settings.cluster.storage.walSize,
          `at least ${cluster.log.size}, which the WAL volumes have`,
          "a WAL volume can't be removed; keep walSize",
        )
      : resized("walSize", cluster.log, shape.log, storageClasses);
  return { problems: [...(data.problems ?? []), ...(log.problems ?? [])] };
};

/** Nodes on which a pod with these requests finds room when nothing else is there. */
const bigEnough = (nodes: readonly Node[], { cpu, memory }: { cpu: string; memory: string }): Node[] =>
  nodes.filter(
    (node) => node.memoryBytes >= (bytesOf(memory) ?? 0) && node.milliCores >= (milliCoresOf(cpu) ?? 0),
  );

/**
 * Enough nodes for pods that keep apart. A cluster that has its pods already may keep fewer nodes than it should
 * have, a lost one say: that is a warning, or an update could never be made while a node is down.
 */
function spreadOver(
  setting: string,
  wanted: number,
  live: number,
  nodes: readonly Node[],
  fix: string,
): Partial<Verdict> {
  const hosts = [...new Set(nodes.map(({ host }) => host))].sort();
  if (wanted <= hosts.length) return {};
  if (wanted <= live)
    return {
      warnings: [
        `${namespace}:${setting} is ${wanted} and only ${hosts.length} nodes take such pods (${listed(hosts)}).`,
      ],
    };
  return problem(
    setting,
    wanted,
    `at most ${hosts.length}, each on a node of its own that takes pods and is big enough (${listed(hosts)})`,
    fix,
  );
}

const nodesForInstances: Rule = ({ settings, shape, requiredHostSpread }, { nodes, cluster }) => {
  const taking = nodes.filter(({ takesPods }) => takesPods);
  const fitting = bigEnough(taking, settings.cluster.resources.requests);
  // Without that rule instances may share a node, and one that is big enough will do.
  const wanted = requiredHostSpread ? shape.instances : Math.min(1, shape.instances);
  const fix = "add nodes, or ask for fewer instances or smaller requests";
  return spreadOver("cluster.instances", wanted, cluster?.instances ?? 0, fitting, fix);
};

const nodesForPoolers: Rule = ({ settings }, { nodes, poolerPods }) => {
  const taking = nodes.filter(({ takesPods }) => takesPods);
  const verdicts = settings.poolers.map(({ name, instances }, index) =>
    spreadOver(
      `poolers[${index}].instances`,
      instances,
      poolerPods[poolerName(settings.cluster.name, name)] ?? 0,
      taking,
      "add nodes, or ask for fewer pods",
    ),
  );
  return merged(verdicts);
};

const METRICS = "metrics.k8s.io";

/** On the built-in cluster autoscaling plans nothing: see the setting. */
const autoscaling: Rule = ({ settings }, { apiGroups }) => {
  if (settings.platform === "local" || apiGroups.includes(METRICS)) return {};
  const verdicts = settings.poolers.flatMap((pooler, index) =>
    pooler.autoscaling === undefined
      ? []
      : [
          problem(
            `poolers[${index}].autoscaling`,
            pooler.autoscaling,
            `only where the API ${METRICS} is served`,
            "install metrics-server, or remove autoscaling",
          ),
        ],
  );
  return merged(verdicts);
};

/** What the loss of one of several zones leaves, where it isn't everything that the durability promises. */
function partlySurvived(cluster: Settings["cluster"], zones: number): Partial<Verdict> {
  const { failover, writes, commits } = afterZoneLoss(cluster, zones);
  const missing = !failover
    ? "no instance takes over by itself, since those left may miss acknowledged commits"
    : !writes
      ? "writes wait until its instances are back"
      : !commits && cluster.durability !== "async"
        ? "acknowledged commits may be lost"
        : undefined;
  if (missing === undefined) return {};
  const lost = Math.ceil(cluster.instances / zones);
  return {
    warnings: [
      `The loss of a zone is not fully survived: ${lost} of ${cluster.instances} instances are in one of ${zones} zones, and without them ${missing}.`,
    ],
  };
}

const zones: Rule = ({ settings, shape }, { nodes }) => {
  if (settings.tier !== "prod" || shape.instances < 2) return {};
  const names = new Set(nodes.flatMap(({ zone, takesPods }) => (takesPods && zone ? [zone] : [])));
  if (names.size >= 2) return partlySurvived(settings.cluster, names.size);
  const where =
    names.size === 0
      ? "no node says in which zone it is (label topology.kubernetes.io/zone)"
      : `all nodes are in zone ${[...names].join()}`;
  return { warnings: [`The loss of a zone is not survived: ${where}.`] };
};

const otherOperator: Rule = ({ settings, engine, operator, ownsOperator }, { operator: running }) => {
  if (engine.can.operator !== true) return {};
  if (operator === undefined) {
    if (running !== undefined) return {};
    return problem(
      "operator.install",
      false,
      "true where no operator runs",
      "set it to true, or install the operator first",
    );
  }
  if (running === undefined || ownsOperator) return {};
  const { name, namespace: own } = settings.cluster;
  if (running.installedBy === `${own}/${name}`) return {};
  const who =
    running.installedBy === undefined
      ? "something else than this platform"
      : `the stack of cluster ${running.installedBy}`;
  return problem(
    "operator.install",
    true,
    `false, since ${who} installed the operator (${running.image})`,
    "set it to false to use that operator, or have it removed where it was installed",
  );
};

const otherStack: Rule = ({ settings, heldBy }) => {
  if (heldBy === undefined) return {};
  const { name, namespace: own } = settings.cluster;
  return problem(
    "cluster.name",
    name,
    `another name or namespace, since cluster ${own}/${name} is the stack ${heldBy}'s`,
    `rename this one, or remove that stack first (\`STACK=${heldBy} make destroy\`)`,
  );
};

const majorVersion: Rule = ({ settings, shape, engine }, { cluster }) => {
  const [from, to] = [cluster?.major, shape.major];
  if (from === undefined || to === undefined || from === to) return {};
  const { postgresVersion } = settings.cluster;
  if (to < from)
    return problem(
      "cluster.postgresVersion",
      postgresVersion,
      `at least ${from}, which the data has`,
      "PostgreSQL can't go back; restore a dump into a new cluster of the older version",
    );
  const ability = engine.can.majorUpgrade;
  if (ability !== true)
    return problem(
      "cluster.postgresVersion",
      postgresVersion,
      `${from}, which the data has: the engine ${engine.name} can't upgrade them, since ${ability.because}`,
      ability.instead,
    );
  return {
    questions: [
      `PostgreSQL ${from} becomes ${to}: the database stops for the upgrade, and there is no way back.`,
    ],
  };
};

/** A namespace that the platform is told not to make. */
const namespaceThere: Rule = ({ settings: { cluster } }, { namespaces }) =>
  cluster.makeNamespace || namespaces.includes(cluster.namespace)
    ? {}
    : problem(
        "cluster.namespace",
        cluster.namespace,
        "a namespace that is there, since cluster.makeNamespace is false",
        `make it (kubectl create namespace ${cluster.namespace}), or leave makeNamespace out`,
      );

/** Where clients are told how to connect. The cluster's own namespace may be made with it. */
const wiredNamespaces: Rule = ({ settings }, { namespaces }) => {
  const { cluster, clients } = settings;
  const there = new Set([...namespaces, ...(cluster.makeNamespace ? [cluster.namespace] : [])]);
  clients.forEach(({ namespace, binding }) => {
    if (typeof binding === "object" && binding.makeNamespace) there.add(namespace);
  });
  return merged(
    clients.map(({ namespace, binding }, index) =>
      binding === false || there.has(namespace)
        ? {}
        : problem(
            `clients[${index}].namespace`,
            namespace,
            "a namespace that is there, since the client's binding goes into it",
            `make it (kubectl create namespace ${namespace}), or set binding to { makeNamespace: true }`,
          ),
    ),
  );
};

/** A credential version more has the login that is in use, and one less was given up: only the next one can be tried before it is. */
const versions: Rule = ({ settings }, { rotation }) => {
  const { credentialVersion } = settings.rotation;
  if (rotation === undefined || rotation.credentialVersion === credentialVersion) return {};
  const { credentialVersion: live, stage } = rotation;
  if (stage !== "only")
    return problem(
      "rotation.credentialVersion",
      credentialVersion,
      `${live}, whose rotation is under way`,
      `set ${live} and let \`make up\` end it first`,
    );
  if (credentialVersion === live + 1) return {};
  return problem(
    "rotation.credentialVersion",
    credentialVersion,
    `${live}, which is in use, or ${live + 1}`,
    `set ${live + 1} to rotate, or ${live} to keep the passwords`,
  );
};

const rules: readonly Rule[] = [
  kubernetesVersion,
  storageClass,
  volumes,
  nodesForInstances,
  nodesForPoolers,
  autoscaling,
  wiredNamespaces,
  namespaceThere,
  zones,
  otherOperator,
  otherStack,
  majorVersion,
  versions,
  restoring,
];

function merged(verdicts: readonly Partial<Verdict>[]): Verdict {
  return {
    problems: verdicts.flatMap(({ problems = [] }) => problems),
    warnings: verdicts.flatMap(({ warnings = [] }) => warnings),
    questions: verdicts.flatMap(({ questions = [] }) => questions),
    ...(verdicts.some(({ remakes }) => remakes === true) && { remakes: true }),
  };
}

/** Judges a plan by the live facts: everything at once, nothing is asked of the cluster here. */
export const preflight = (planned: Planned, facts: LiveFacts): Verdict =>
  merged(rules.map((rule) => rule(planned, facts)));
