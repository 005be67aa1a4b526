import { packArguments } from "../../policy/arguments";
import { type Environment } from "../e2e/kit/environment";
import { interleave, roundName } from "./interleave";
import { projectPreview, type PreviewSamples } from "./preview";

/** What the policy pack adds to a preview: the stack's preview with it, as strict as the stack's tier, and without it, in turn. */
export async function measurePolicies(
  env: Environment,
  rounds: number,
  say: (text: string) => void,
): Promise<PreviewSamples<"with" | "without">> {
  const environment = await env.stack.environment();
  return interleave(
    {
      with: projectPreview(env, environment, packArguments),
      without: projectPreview(env, environment),
    },
    rounds,
    (round, sample) =>
      say(
        `${roundName(round, rounds)}: ${sample.with.toFixed(2)} s with policies, ${sample.without.toFixed(2)} s without`,
      ),
  );
}
