import { NetworkPolicy } from "@pulumi/kubernetes/networking/v1/networkPolicy";
import { Provider } from "@pulumi/kubernetes/provider";
import { PostgresPlatform } from "../../../components/platform";
import { engineOf } from "../../../stacks/engine";
import { mutations, settingsOf } from "./mutations";

/**
 * The platform of the stack local, once for each policy in a namespace of the policy's name, changed behind the settings
 * check's back so that only the policy stands in the way.
 */

const provider = new Provider("kubernetes", { kubeconfig: process.env.NO_CLUSTER_KUBECONFIG ?? "" });

for (const [policy, { transform, open }] of Object.entries(mutations)) {
  const settings = settingsOf(policy);
  new PostgresPlatform(
    policy,
    { settings, engine: engineOf(settings), operatorManifest: () => [], ...(transform && { transform }) },
    { providers: { kubernetes: provider } },
  );
  if (open)
    new NetworkPolicy(
      `${policy}-open`,
      { metadata: { name: "open", namespace: policy }, spec: { podSelector: {}, ingress: [{}] } },
      { provider },
    );
}
