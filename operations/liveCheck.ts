import type { Shape } from "../plan/engines/live";
import type { OperatorPlan } from "../plan/plan";
import type { KubernetesObject } from "../plan/objects";
import { sentence } from "../checks/index";
import { readers } from "../plan/engines/readers";
import { plannerOf } from "../plan/engines/select";
import { operatorManifest } from "../releases/manifest";
import { type Settings } from "../settings/schema";
import { UserError } from "../shell/userError";
import { plannedCluster, type Subject } from "./health";
import { imageOf, type LiveFacts, readFacts } from "./liveFacts";
import { preflight } from "./preflight";
import { type Verdict } from "./verdict";
import { type StepContext } from "../shell/progress";
import { archiveIdIn } from "./archive";
import { type Stack, type StateResource } from "./pulumi";

/** The operator as this stack would install it; planned even where another stack installs it, to know it when it is seen. */
export const operatorOf = (settings: Settings): OperatorPlan | undefined =>
  plannerOf(settings).operator?.(settings, operatorManifest(settings.cluster.engine));

const deploymentOf = ({ objects }: OperatorPlan): KubernetesObject => {
  const found = objects.find(({ object }) => object.kind === "Deployment")?.object;
  if (found === undefined) throw new Error("the operator's plan has no Deployment");
  return found;
};

/**
 * A live cluster as far as the stack asks for it, or asked for before: an operator adds parameters of its own to a live object,
 * and defaults to fields of the pods.
 */
export function asked(live: Shape, planned: Shape, before: Shape | undefined): Shape {
  const names = new Set([planned, before].flatMap((shape) => Object.keys(shape?.parameters ?? {})));
  return {
    ...live,
    parameters: Object.fromEntries(Object.entries(live.parameters).filter(([name]) => names.has(name))),
    pods: (before ?? planned).pods,
  };
}

/** Whether a resource of a stack's state is this object. */
const is =
  ({ kind, metadata: { name, namespace } }: KubernetesObject) =>
  ({ inputs }: StateResource): boolean =>
    inputs?.kind === kind && inputs.metadata?.name === name && inputs.metadata.namespace === namespace;

/** The stack that holds a cluster which is there and that this one's state doesn't know, as after an interrupted installation. */
async function holderOf({ object }: { object: KubernetesObject }, stack: Stack) {
  for (const other of await stack.others()) if ((await other.resources()).some(is(object))) return other.name;
  return undefined;
}

/**
 * Asks the Kubernetes cluster and the stack's state what bears on the plan, changes nothing, and says what it found. Throws one
 * error with every problem when something must be refused.
 */
export async function checkLive(
  subject: Subject,
  stack: Stack,
  context: StepContext,
): Promise<{ facts: LiveFacts; shape: Shape; verdict: Verdict }> {
  const { settings, engine, live } = subject;
  const operator = operatorOf(settings);
  const deployment = operator && deploymentOf(operator);
  const [found, resources] = await Promise.all([readFacts(subject, deployment), stack.resources()]);
  const cluster = plannedCluster(subject);
  const { object, shape } = cluster;
  const { requiredHostSpread = false } = readers[engine.name].facts(object) ?? {};
  const before = resources.flatMap(({ inputs }) => (inputs && live.shape(inputs)) ?? [])[0];
  const lostArchive = archiveIdIn(resources);
  const heldBy = found.cluster && before === undefined ? await holderOf(cluster, stack) : undefined;
  const facts = { ...found, ...(found.cluster && { cluster: asked(found.cluster, shape, before) }) };
  const verdict = preflight(
    {
      settings,
      shape,
      requiredHostSpread,
      engine,
      ...(heldBy !== undefined && { heldBy }),
      ...(before && lostArchive !== undefined && { lostArchive }),
      ...(deployment && settings.operator.install && { operator: { image: imageOf(deployment) } }),
      tlsNames: subject.plan.tls.names,
      ownNamespaces: resources.flatMap(({ inputs }) =>
        inputs?.kind === "Namespace" && inputs.metadata?.name !== undefined ? [inputs.metadata.name] : [],
      ),
      ownsOperator: deployment !== undefined && resources.some(is(deployment)),
    },
    facts,
  );
  if (verdict.problems.length > 0) throw new UserError(verdict.problems.map(sentence));
  verdict.warnings.forEach((warning) => context.say(`warning: ${warning}`));
  return { facts, shape, verdict };
}
