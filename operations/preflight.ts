import { coerce, satisfies } from "semver";
import type { VolumeShape } from "../plan/engines/live";
import { liveReaders } from "../plan/engines/select";
import { namespace } from "../settings/problem";
import { bytesOf } from "../settings/quantity";
import { type LiveFacts, type StorageClass } from "./liveFacts";
import { localeProblems } from "./locales";
import { prometheusOperator } from "./monitoringRule";
import { networkFindings } from "./networkRules";
import { nodesForInstances, nodesForPoolers, priorityClasses, zones } from "./nodeRules";
import { queryProblems, queryWarnings } from "./queries";
import { otherOwners, takenBack } from "./secretRule";
import { certificates } from "./tlsRule";
import { restoring } from "./restoreRule";
import { listed, merged, type Planned, problem, type Rule, type Verdict } from "./verdict";

export { type Planned, type Verdict } from "./verdict";

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
      `PostgreSQL ${from} becomes ${to}: the database stops for the upgrade, and there is no way back${
        (settings.backup?.targets.length ?? 0) > 0
          ? ` but a restore: version ${to} begins a new archive with a base backup of its own, and the one of ${from} stays as it is.`
          : "."
      }`,
    ],
  };
};

const certificatesAlone: Rule = ({ settings, engine, shape }, { cluster }) => {
  const apart = cluster && liveReaders[engine.name].certificatesApart?.(cluster, shape);
  return apart
    ? problem(
        "tls.issuer",
        settings.tls.issuer,
        `what it is now while ${apart.beside}: ${apart.because}`,
        "change one of both, run `make up`, then change the other",
      )
    : {};
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

/**
 * A namespace that the stack would make and that is there already: server-side apply would take it over without a word, and `make destroy` delete it with all
 * in it. One that this cluster's stack made is its own though its state was lost.
 */
const takenOver: Rule = ({ settings: { cluster, monitoring }, ownNamespaces }, { namespaces, madeFor }) => {
  const judge = (path: string, name: string, fix: string) => {
    if (!namespaces.includes(name) || ownNamespaces.includes(name) || madeFor[name] === cluster.name)
      return {};
    const maker = madeFor[name];
    return problem(
      path,
      name,
      "a namespace that isn't there yet, since the stack would take this one over, close its network, and delete it with all in it when it goes" +
        (maker === undefined ? "" : `; the stack of the cluster ${maker} made it`),
      fix,
    );
  };
  return merged([
    cluster.makeNamespace
      ? judge(
          "cluster.namespace",
          cluster.namespace,
          "name another one, or set cluster.makeNamespace to false to share it",
        )
      : {},
    monitoring.prometheus === "install" && monitoring.namespace !== undefined
      ? judge("monitoring.namespace", monitoring.namespace, "name another one, or leave it out")
      : {},
  ]);
};

/** Others' pods in a namespace that is shared: what the policies close is closed for them too. */
const sharedNamespace: Rule = ({ settings: { cluster } }, { cluster: there, otherPods }) => {
  if (cluster.makeNamespace || there !== undefined || otherPods.length === 0) return {};
  const [first = "", ...rest] = otherPods;
  const which = rest.length === 0 ? `pod ${first}` : `pods ${first} and ${rest.length} more`;
  return {
    questions: [
      `Network policies close the namespace ${cluster.namespace}: its ${which}, which no platform made, will reach and be reached by what policies of their own open, and nothing else.`,
    ],
  };
};

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

const locales: Rule = ({ settings }, { locales: live }) => ({ problems: localeProblems(settings, live) });

const queries: Rule = ({ settings }, { queries: tried }) => ({
  problems: queryProblems(settings, tried),
  warnings: queryWarnings(settings, tried),
});

const network: Rule = ({ settings, engine }, facts) => {
  const { problems, warnings } = networkFindings(settings, engine, facts);
  return {
    problems: problems.map(({ path, ...rest }) => ({ path: `${namespace}:${path}`, ...rest })),
    warnings,
  };
};

const rules: readonly Rule[] = [
  certificatesAlone,
  kubernetesVersion,
  network,
  storageClass,
  volumes,
  nodesForInstances,
  nodesForPoolers,
  priorityClasses,
  autoscaling,
  wiredNamespaces,
  namespaceThere,
  takenOver,
  sharedNamespace,
  zones,
  otherOperator,
  otherStack,
  majorVersion,
  locales,
  queries,
  versions,
  prometheusOperator,
  otherOwners,
  takenBack,
  certificates,
  restoring,
];

/** Judges a plan by the live facts: everything at once, nothing is asked of the cluster here. */
export const preflight = (planned: Planned, facts: LiveFacts): Verdict =>
  merged(rules.map((rule) => rule(planned, facts)));
