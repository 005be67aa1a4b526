import { poolerName } from "../plan/names";
import { namespace } from "../settings/problem";
import { bytesOf, milliCoresOf } from "../settings/quantity";
import { type Settings } from "../settings/schema";
import { afterZoneLoss } from "../settings/sums/availability";
import { type Node } from "./liveFacts";
import { nodesFor } from "./nodes";
import { listed, merged, problem, type Rule, type Verdict } from "./verdict";

/** Whether the nodes that there are take the pods that are planned. */

/** Nodes on which a pod with these requests finds room when nothing else is there. */
const bigEnough = (nodes: readonly Node[], requests: Settings["cluster"]["resources"]["requests"]): Node[] =>
  nodes.filter(
    ({ memoryBytes, milliCores, hugePageBytes }) =>
      memoryBytes >= (bytesOf(requests.memory) ?? 0) &&
      milliCores >= (milliCoresOf(requests.cpu) ?? 0) &&
      (["2Mi", "1Gi"] as const).every(
        (size) => hugePageBytes[size] >= (bytesOf(requests[`hugepages-${size}`] ?? "0") ?? 0),
      ),
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

export const nodesForInstances: Rule = ({ settings, shape, requiredHostSpread }, { nodes, cluster }) => {
  const taking = nodesFor(nodes, settings.cluster.scheduling);
  const fitting = bigEnough(taking, settings.cluster.resources.requests);
  // Without that rule instances may share a node, and one that is big enough will do.
  const wanted = requiredHostSpread ? shape.instances : Math.min(1, shape.instances);
  const fix = "add nodes, or ask for fewer instances, smaller requests, or another scheduling";
  return spreadOver("cluster.instances", wanted, cluster?.instances ?? 0, fitting, fix);
};

export const nodesForPoolers: Rule = ({ settings }, { nodes, poolerPods }) => {
  const taking = nodesFor(nodes, settings.scheduling);
  const verdicts = settings.poolers.map(({ name, instances }, index) =>
    spreadOver(
      `poolers[${index}].instances`,
      instances,
      poolerPods[poolerName(settings.cluster.name, name)] ?? 0,
      taking,
      "add nodes, or ask for fewer pods or another scheduling",
    ),
  );
  return merged(verdicts);
};

/** A pod that names a class which isn't there is refused by the API server. */
export const priorityClasses: Rule = ({ settings: { scheduling, cluster, operator } }, facts) => {
  const places = [
    ["scheduling", scheduling],
    ["cluster.scheduling", cluster.scheduling],
    ["operator.scheduling", operator.scheduling],
  ] as const;
  return merged(
    places
      .filter(([, one], index) => index === 0 || one !== scheduling)
      .map(([path, { priorityClassName: name }]) =>
        name === undefined || facts.priorityClasses.includes(name)
          ? {}
          : problem(
              `${path}.priorityClassName`,
              name,
              `one of ${listed(facts.priorityClasses)}`,
              "make the PriorityClass, or name one that is there",
            ),
      ),
  );
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

export const zones: Rule = ({ settings, shape }, { nodes }) => {
  if (settings.tier !== "prod" || shape.instances < 2) return {};
  const names = new Set(
    nodesFor(nodes, settings.cluster.scheduling).flatMap(({ zone }) => (zone ? [zone] : [])),
  );
  if (names.size >= 2) return partlySurvived(settings.cluster, names.size);
  const where =
    names.size === 0
      ? "no node says in which zone it is (label topology.kubernetes.io/zone)"
      : `all nodes are in zone ${[...names].join()}`;
  return { warnings: [`The loss of a zone is not survived: ${where}.`] };
};
