import { join } from "node:path";
import { up as clusterUp } from "../local/cluster/cluster";
import { paths, settings } from "../local/cluster/settings";
import { type ClusterChoice } from "./choice";
import { pins } from "../releases/pins";
import { UserError } from "../shell/userError";
import { Kubectl } from "./kubectl";
import { stateDir } from "../shell/paths";
import { type StepContext } from "../shell/progress";
import { run, succeeds } from "../shell/process";
import { type Overlay } from "./pulumi";

/** Name of the k3d cluster that `make up` makes. */
export const K3D_CLUSTER = "pgplatform";

/** The command that makes it. Without an image, k3d takes the k3s of its own release, which can be older than what operators run on. */
export const k3dCreation = [
  ...["cluster", "create", K3D_CLUSTER],
  ...["--image", pins.k3sImage],
  ...["--agents", "2", "--wait", "--kubeconfig-update-default=false"],
];

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

/** Where the chosen cluster is, for commands that change nothing; it need not run. */
export function findCluster(choice: Exclude<ClusterChoice, { kind: "none" }>): Target {
  switch (choice.kind) {
    case "context":
      return {
        kubeconfig: undefined,
        context: choice.context,
        overlay: kubernetes(undefined, choice.context),
      };
    case "k3d": {
      const file = join(stateDir, "k3d.kubeconfig");
      const context = `k3d-${K3D_CLUSTER}`;
      return {
        kubeconfig: file,
        context,
        overlay: { ...kubernetes(file, context), "pgplatform:platform": "k3d" },
      };
    }
    case "built-in": {
      const { name } = settings;
      const overlay = { ...kubernetes(paths.kubeconfig, name), "pgplatform:platform": "local" };
      return { kubeconfig: paths.kubeconfig, context: name, overlay };
    }
  }
}

interface Provided {
  readonly choice: Exclude<ClusterChoice, { kind: "none" }>;
  /** Those of the built-in cluster that are built for it. */
  readonly images?: readonly string[];
  readonly toolFolders: readonly string[];
}

/** Starts the chosen cluster, which is there, or finds it started; a context's is somebody else's to start. */
export async function startCluster(
  { choice, images = [], toolFolders }: Provided,
  context: StepContext,
  signal?: AbortSignal,
): Promise<Target> {
  const target = findCluster(choice);
  const options = { onLine: (line: string) => context.detail(line), ...(signal && { signal }) };
  if (choice.kind === "built-in") await clusterUp(context, images, signal);
  if (choice.kind === "k3d") {
    await run("k3d", ["cluster", "start", K3D_CLUSTER], options);
    await run("k3d", ["kubeconfig", "write", K3D_CLUSTER, "--output", target.kubeconfig ?? ""], options);
  }
  if (!(await new Kubectl(target, toolFolders, signal).answers())) {
    const fix = "name one of `kubectl config get-contexts` whose cluster runs";
    throw new UserError([`The Kubernetes cluster of context "${target.context}" does not answer; ${fix}.`]);
  }
  return target;
}

/** Whether k3d has the cluster that `make up` makes, started or not. */
export const hasK3dCluster = (): Promise<boolean> => succeeds("k3d", ["cluster", "get", K3D_CLUSTER]);

/** Brings the chosen cluster up, or finds it up; the built-in one gets those of the stack's images that are built for it. */
export async function provideCluster(
  provided: Provided,
  context: StepContext,
  signal?: AbortSignal,
): Promise<Target> {
  if (provided.choice.kind === "k3d" && !(await hasK3dCluster())) {
    const onLine = (line: string) => context.detail(line);
    await run("k3d", k3dCreation, { onLine, ...(signal && { signal }) });
  }
  return startCluster(provided, context, signal);
}
