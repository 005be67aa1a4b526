import { join } from "node:path";
import { projectDir } from "../../operations/paths";
import { type Environment } from "../e2e/kit/environment";
import { interleave, roundName } from "./interleave";
import { projectPreview, type PreviewSamples } from "./preview";

/** What the policy pack adds to a preview: the stack's preview with it and without it, in turn. */
export const policyPack = join(projectDir, "policy");

export async function measurePolicies(
  env: Environment,
  rounds: number,
  say: (text: string) => void,
): Promise<PreviewSamples<"with" | "without">> {
  const environment = await env.stack.environment();
  const config = join(policyPack, `${env.settings.tier}.json`);
  const pack = ["--policy-pack", policyPack, "--policy-pack-config", config];
  return interleave(
    {
      with: projectPreview(env, environment, pack),
      without: projectPreview(env, environment),
    },
    rounds,
    (round, sample) =>
      say(
        `${roundName(round, rounds)}: ${sample.with.toFixed(2)} s with policies, ${sample.without.toFixed(2)} s without`,
      ),
  );
}
