import { serverContainer } from "../plan/names";

/** kubectl's arguments before a command that runs in a container of a pod; `flags` such as `-i`. */
export const inContainer = (
  namespace: string,
  pod: string,
  container: string,
  ...flags: string[]
): string[] => ["-n", namespace, "exec", ...flags, pod, "-c", container, "--"];

/** The same in an instance's own container. */
export const inServer = (
  { settings }: { readonly settings: { readonly cluster: { readonly namespace: string } } },
  pod: string,
  ...flags: string[]
): string[] => inContainer(settings.cluster.namespace, pod, serverContainer, ...flags);

/** A command that prints what an exporter in the same pod says: no network policy lets this machine in. `read` is what reads the answer. */
export const metricsCommand = (port: number, read = "cat"): string[] => [
  "bash",
  "-c",
  `exec 3<>/dev/tcp/127.0.0.1/${port}; printf 'GET /metrics HTTP/1.0\\r\\n\\r\\n' >&3; ${read} <&3`,
];
