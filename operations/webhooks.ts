import type { OperatorPlan } from "../plan/plan";
import { type Subject } from "./health";
import { resourceOf } from "./kubectl";
import { type StepContext } from "../shell/progress";

/**
 * Deletes the operator's webhook configurations where its Deployment isn't there, as after an interrupted installation: without it the
 * API server refuses every object of the operator, even a plan of it. The update recreates them.
 */
export async function removeUnanswered(
  { kubectl, settings }: Pick<Subject, "kubectl" | "settings">,
  operator: OperatorPlan | undefined,
  context: StepContext,
): Promise<void> {
  const objects = settings.operator.install ? (operator?.objects ?? []).map(({ object }) => object) : [];
  const webhooks = objects.filter(({ kind }) => kind.endsWith("WebhookConfiguration"));
  if (webhooks.length === 0) return;
  // The operator's own comes first.
  const deployment = objects.find(({ kind }) => kind === "Deployment");
  if (deployment === undefined) return;
  const { namespace = "", name } = deployment.metadata;
  const resource = resourceOf(deployment.apiVersion, deployment.kind);
  if ((await kubectl.get(resource, namespace, name)) !== undefined) return;
  for (const { apiVersion, kind, metadata } of webhooks) {
    const { stdout } = await kubectl.run([
      "delete",
      resourceOf(apiVersion, kind),
      metadata.name,
      "--ignore-not-found",
    ]);
    if (stdout.trim() !== "")
      context.say(`${kind} ${metadata.name} is deleted: the operator that answers it isn't there`);
  }
}
