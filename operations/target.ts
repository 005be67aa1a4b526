import { join } from "node:path";
import { up as clusterUp } from "../local/cluster/cluster";
import { type ClusterChoice } from "./choice";
import { stateDir } from "./paths";
import { type StepContext } from "./progress";
import { run, succeeds } from "./process";
import { type Overlay } from "./pulumi";

/** Name of the k3d cluster that `make up` makes. */
export const K3D_CLUSTER = "pgplatform";

/** A Kubernetes cluster that answers, and what the stack must be told about it. */
export interface Target {
  kubeconfig: string | undefined;
  context: string;
  /** Laid over the stack file's settings. */
  overlay: Overlay;
}

const kubernetes = (kubeconfig: string | undefined, context: string) => ({
  "pgplatform:kubernetes": { ...(kubeconfig !== undefined && { kubeconfig }), context },
});

/** Brings the chosen cluster up, or finds it up. */
export async function provideCluster(
  choice: Exclude<ClusterChoice, { kind: "none" }>,
  context: StepContext,
  signal?: AbortSignal,
): Promise<Target> {
  switch (choice.kind) {
    case "context": {
      if (
        !(await succeeds("kubectl", ["--context", choice.context, "get", "--raw", "/readyz"], {
          timeoutMs: 20_000,
        }))
      ) {
        throw new Error(
          `CONTEXT: "${choice.context}" does not answer; name a context of \`kubectl config get-contexts\` whose cluster runs.`,
        );
      }
      return {
        kubeconfig: undefined,
        context: choice.context,
        overlay: kubernetes(undefined, choice.context),
      };
    }
    case "k3d": {
      const file = join(stateDir, "k3d.kubeconfig");
      if (!(await succeeds("k3d", ["cluster", "get", K3D_CLUSTER]))) {
        const args = [
          "cluster",
          "create",
          K3D_CLUSTER,
          "--agents",
          "2",
          "--wait",
          "--kubeconfig-update-default=false",
        ];
        await run("k3d", args, { onLine: (line) => context.detail(line), ...(signal && { signal }) });
      }
      await run("k3d", ["cluster", "start", K3D_CLUSTER]);
      await run("k3d", ["kubeconfig", "write", K3D_CLUSTER, "--output", file]);
      const name = `k3d-${K3D_CLUSTER}`;
      return {
        kubeconfig: file,
        context: name,
        overlay: { ...kubernetes(file, name), "pgplatform:platform": "k3d" },
      };
    }
    case "built-in": {
      const { kubeconfig, context: name } = await clusterUp(context, signal);
      return {
        kubeconfig,
        context: name,
        overlay: { ...kubernetes(kubeconfig, name), "pgplatform:platform": "local" },
      };
    }
  }
}
