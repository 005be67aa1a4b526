import { succeeds } from "../shell/process";

/** What the choice of a cluster depends on. */
export interface Machine {
  /** `CONTEXT=…`: a context of the user's own kubeconfig. */
  context: string | undefined;
  dockerAnswers: boolean;
  k3dInstalled: boolean;
  linux: boolean;
  root: boolean;
}

export type ClusterChoice =
  | { kind: "context"; context: string }
  | { kind: "k3d" }
  | { kind: "built-in" }
  | { kind: "none"; why: string };

/** Which cluster `make up` uses: the one that is asked for, else k3d, else the built-in one. */
export function chooseCluster(machine: Machine): ClusterChoice {
  if (machine.context !== undefined && machine.context !== "")
    return { kind: "context", context: machine.context };
  if (machine.dockerAnswers && machine.k3dInstalled) return { kind: "k3d" };
  if (machine.linux && machine.root) return { kind: "built-in" };
  const docker = machine.dockerAnswers ? "k3d is not installed" : "Docker does not answer";
  const builtIn = machine.linux ? "the built-in cluster needs root" : "the built-in cluster needs Linux";
  return {
    kind: "none",
    why: `no cluster to use: ${docker}, and ${builtIn}; install Docker and k3d, or become root on Linux, or name a cluster with CONTEXT=<kubeconfig context>.`,
  };
}

/** Looks at this machine. Docker gets 5 s to answer. */
export async function inspectMachine(): Promise<Machine> {
  const [dockerAnswers, k3dInstalled] = await Promise.all([
    succeeds("docker", ["info"], { timeoutMs: 5_000 }),
    succeeds("k3d", ["version"], { timeoutMs: 5_000 }),
  ]);
  return {
    context: process.env.CONTEXT,
    dockerAnswers,
    k3dInstalled,
    linux: process.platform === "linux",
    root: process.getuid?.() === 0,
  };
}
