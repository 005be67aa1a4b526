import { join } from "node:path";
import type { StepContext } from "../../shell/progress";
import { pins } from "../../releases/pins";
import { goBuild } from "../toolchain/go";

const core = join(__dirname, "core");
const dns = join(__dirname, "dns");

/** Paths of the programs that the built-in cluster is made of. */
export interface KubernetesPrograms {
  /** etcd, kube-apiserver, kube-controller-manager, kube-scheduler, kubelet and kube-proxy in one. */
  node: string;
  /** Enforces NetworkPolicies on one node. */
  netpol: string;
  /** Holds a pod's namespaces. */
  pause: string;
  coredns: string;
  localPathProvisioner: string;
}

/** What `--version` prints and the API reports; without it Kubernetes calls itself v0.0.0 and clients refuse it. */
export function versionFlags(version: string): string {
  const [major, minor] = version.split(".");
  const values = {
    gitVersion: `v${version}`,
    gitMajor: major,
    gitMinor: minor,
    gitTreeState: "clean",
    gitCommit: "built-from-modules",
    buildDate: "1970-01-01T00:00:00Z",
  };
  return Object.entries(values)
    .map(([name, value]) => `-X k8s.io/component-base/version.${name}=${value ?? ""}`)
    .join(" ");
}

/** Builds what isn't built yet, one after the other: each build uses every core by itself. */
export async function buildKubernetes(
  context: StepContext,
  signal?: AbortSignal,
): Promise<KubernetesPrograms> {
  const build = (binary: string, module: string, package_: string, ldflags?: string) =>
    goBuild({
      module,
      package: package_,
      binary,
      ...(ldflags !== undefined && { ldflags }),
      onLine: (line) => context.detail(`${binary}: ${line}`),
      ...(signal && { signal }),
    });
  return {
    node: await build("node", core, "./node", versionFlags(pins.kubernetes.version)),
    netpol: await build("netpol", core, "./netpol"),
    pause: await build("pause", core, "./pause"),
    localPathProvisioner: await build(
      "local-path-provisioner",
      core,
      "github.com/rancher/local-path-provisioner",
      `-X main.VERSION=v${pins.kubernetes.localPathProvisioner}`,
    ),
    coredns: await build("coredns", dns, "."),
  };
}

/** Builds kubectl in the cluster's own version; returns its path. */
export function buildKubectl(context: StepContext, signal?: AbortSignal): Promise<string> {
  return goBuild({
    module: core,
    package: "./kubectl",
    binary: "kubectl",
    ldflags: versionFlags(pins.tools.kubectl.version),
    onLine: (line) => context.detail(`kubectl: ${line}`),
    ...(signal && { signal }),
  });
}
