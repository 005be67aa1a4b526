import type { KubernetesObject } from "../plan/objects";
import { run, type RunOptions, type RunResult } from "../shell/process";

/** A Kubernetes object as the API server returns it. */
export interface KubeObject extends KubernetesObject {
  readonly metadata: KubernetesObject["metadata"] & {
    readonly creationTimestamp?: string;
    /** By when it should be gone; only on one that is being deleted. */
    readonly deletionTimestamp?: string;
  };
  spec?: Record<string, unknown>;
  status?: Record<string, unknown>;
}

/** kubectl's spelling of a kind that can't be mistaken for one of another group. */
export const resourceOf = (apiVersion: string, kind: string): string =>
  apiVersion.includes("/") ? `${kind}.${apiVersion.replace(/(.*)\/(.*)/, "$2.$1")}` : kind;

/** Whether an object, a pod or a node say, calls itself ready. */
export const isReady = ({ status }: KubeObject): boolean =>
  ((status?.conditions ?? []) as { type: string; status: string }[]).some(
    (condition) => condition.type === "Ready" && condition.status === "True",
  );

/** A label selector as kubectl takes it. */
export const selectorOf = (labels: Readonly<Record<string, string>>): string =>
  Object.entries(labels)
    .map(([key, value]) => `${key}=${value}`)
    .join(",");

/** kubectl, aimed at one cluster. */
export class Kubectl {
  constructor(
    private readonly target: { kubeconfig: string | undefined; context: string },
    private readonly toolFolders: readonly string[] = [],
    private readonly signal?: AbortSignal,
  ) {}

  /** What stands between `kubectl` and its verb, for a command that a person can copy. */
  get flags(): string[] {
    const { kubeconfig, context } = this.target;
    return [...(kubeconfig === undefined ? [] : ["--kubeconfig", kubeconfig]), "--context", context];
  }

  /** A command that a person can copy: `rest` is what stands behind the flags. */
  line(rest: string): string {
    return ["kubectl", ...this.flags, rest].join(" ");
  }

  /** What it was made with. */
  get parts(): ConstructorParameters<typeof Kubectl> {
    return this.signal === undefined
      ? [this.target, this.toolFolders]
      : [this.target, this.toolFolders, this.signal];
  }

  /** What a kubectl that is started otherwise needs to be found. */
  get environment(): Record<string, string> {
    return { PATH: [...this.toolFolders, process.env.PATH ?? ""].join(":") };
  }

  run(args: readonly string[], options: RunOptions = {}): Promise<RunResult> {
    return run("kubectl", [...this.flags, ...args], {
      env: this.environment,
      ...(this.signal && { signal: this.signal }),
      ...options,
    });
  }

  /** kubectl's lines as they come, until it ends; a signal ends it. */
  async stream(args: readonly string[], onLine: (line: string) => void, signal: AbortSignal): Promise<void> {
    await this.run(args, { onLine, signal, streams: true, allowFailure: true }).catch((error: unknown) => {
      if (!signal.aborted) throw error;
    });
  }

  /** Whether the API server answers within 20 s. */
  answers(): Promise<boolean> {
    return this.run(["get", "--raw", "/readyz"], { timeoutMs: 20_000 }).then(
      () => true,
      () => false,
    );
  }

  /** One object, or undefined when it isn't there. */
  async get(kind: string, namespace: string, name: string): Promise<KubeObject | undefined> {
    const args = ["-n", namespace, "get", kind, name, "-o", "json", "--ignore-not-found"];
    const { stdout } = await this.run(args);
    return stdout.trim() === "" ? undefined : (JSON.parse(stdout) as KubeObject);
  }

  async list(kind: string, namespace: string, selector: string): Promise<KubeObject[]> {
    return this.query(kind, namespace, { labelSelector: selector });
  }

  /** Versions of a custom kind that are served, by its plural and group; undefined where nothing defines it. */
  async served(plural: string): Promise<string[] | undefined> {
    const crd = await this.get("customresourcedefinitions.apiextensions.k8s.io", "default", plural);
    if (crd === undefined) return undefined;
    const { versions = [] } = (crd.spec ?? {}) as { versions?: { name: string; served: boolean }[] };
    return versions.filter(({ served }) => served).map(({ name }) => name);
  }

  /** Objects of a kind that fit; no selector means every one. */
  async query(
    kind: string,
    namespace: string,
    { labelSelector, fieldSelector }: { readonly labelSelector?: string; readonly fieldSelector?: string },
  ): Promise<KubeObject[]> {
    const { stdout } = await this.run([
      ...["-n", namespace, "get", kind],
      ...(labelSelector === undefined ? [] : ["-l", labelSelector]),
      ...(fieldSelector === undefined ? [] : ["--field-selector", fieldSelector]),
      ...["-o", "json"],
    ]);
    return (JSON.parse(stdout) as { items: KubeObject[] }).items;
  }

  /** The newest lines of a container of a pod, no older than so many seconds. */
  async logsOf(
    namespace: string,
    pod: string,
    container: string,
    { sinceSeconds, lines }: { readonly sinceSeconds: number; readonly lines: number },
    options: RunOptions = {},
  ): Promise<string> {
    const args = ["-n", namespace, "logs", pod, "-c", container];
    const { stdout } = await this.run([...args, `--since=${sinceSeconds}s`, `--tail=${lines}`], options);
    return stdout;
  }

  async apply(object: object): Promise<void> {
    await this.run(["apply", "-f", "-"], { input: JSON.stringify(object) });
  }
}

/** A live object by a planned one; undefined also when its kind isn't known yet. */
export async function liveOf(kubectl: Kubectl, planned: KubernetesObject): Promise<KubeObject | undefined> {
  const { name, namespace = "default" } = planned.metadata;
  const args = ["-n", namespace, "get", resourceOf(planned.apiVersion, planned.kind), name];
  const result = await kubectl.run([...args, "-o", "json", "--ignore-not-found"], { allowFailure: true });
  if (result.exitCode !== 0 && !/doesn't have a resource type/.test(result.stderr))
    throw new Error(`kubectl ${args.join(" ")}: ${result.stderr.trim()}`);
  return result.stdout.trim() === "" ? undefined : (JSON.parse(result.stdout) as KubeObject);
}
