import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { setTimeout as delay } from "node:timers/promises";
import { Agent, request, WebSocket } from "undici";
import type { RunOptions, RunResult } from "../shell/process";
import { Kubectl, type KubeObject } from "./kubectl";

/**
 * The same questions as kubectl's, over one kubectl that stays: `kubectl proxy` on a socket that this user alone can reach. A process for each of many
 * questions would take seconds on a machine that has work to do, and a status is wanted just then.
 */

/** Path of a kind's objects: of kubectl's spellings those that are used here. */
export function pathOf(kind: string, namespace: string): string {
  const [resource = "", ...group] = kind.split(".");
  // `Cluster.v1.postgresql.cnpg.io` is a kind with its version; `deployments.apps` a resource with its group alone.
  const versioned = /^v\d+\w*$/.test(group[0] ?? "");
  const version = versioned ? group[0] : "v1";
  const name = (versioned ? group.slice(1) : group).join(".");
  const plural = resource.toLowerCase().replace(/s?$/, "s");
  const api = name === "" ? `/api/${version}` : `/apis/${name}/${version}`;
  return plural === "nodes" ? `${api}/nodes` : `${api}/namespaces/${namespace}/${plural}`;
}

/** The parts of `-n <namespace> exec <pod> -c <container> -- <command>`; undefined for anything else. */
export function execIn(args: readonly string[]): { path: string; query: URLSearchParams } | undefined {
  const [flag, namespace, verb, pod = "", option, container = "", dashes, ...command] = args;
  if (flag !== "-n" || verb !== "exec" || option !== "-c" || dashes !== "--" || pod.includes("/"))
    return undefined;
  const query = new URLSearchParams([
    ["container", container],
    ["stdout", "true"],
    ["stderr", "true"],
    ...command.map((word): [string, string] => ["command", word]),
  ]);
  return { path: `/api/v1/namespaces/${namespace}/pods/${pod}/exec`, query };
}

/** What the API server says at the end of a command. */
interface Ending {
  readonly status?: string;
  readonly message?: string;
  readonly details?: { readonly causes?: readonly { reason?: string; message?: string }[] };
}

export function exitIn(text: string): { exitCode: number; message: string } {
  const { status, message = "", details } = JSON.parse(text === "" ? "{}" : text) as Ending;
  if (status === "Success") return { exitCode: 0, message: "" };
  const code = details?.causes?.find(({ reason }) => reason === "ExitCode")?.message;
  return { exitCode: Number(code ?? 1), message };
}

export class ProxyKubectl extends Kubectl {
  private agent: Agent | undefined;
  private readonly closing = new AbortController();
  private folder = "";
  private serving: Promise<void> = Promise.resolve();

  /** Starts it; what it can't do, kubectl does. */
  static async open(kubectl: Kubectl): Promise<ProxyKubectl> {
    const proxy = new ProxyKubectl(...kubectl.parts);
    try {
      await proxy.start();
    } catch (error) {
      await proxy.close();
      throw error;
    }
    return proxy;
  }

  private async start(): Promise<void> {
    this.folder = await mkdtemp(join(tmpdir(), "pgp-api-"));
    const socketPath = join(this.folder, "socket");
    let ready = (): void => undefined;
    const listens = new Promise<void>((resolve) => (ready = resolve));
    // Ctrl-C at the terminal ends it, too: what is asked after that fails, and the command is ending.
    this.serving = super
      .stream(
        ["proxy", `--unix-socket=${socketPath}`, "--reject-paths=^/no-such-path$"],
        (line) => {
          if (line.startsWith("Starting to serve")) ready();
        },
        this.closing.signal,
      )
      .catch(() => undefined);
    await Promise.race([
      listens,
      this.serving.then(() => Promise.reject(new Error("kubectl proxy has ended"))),
    ]);
    this.agent = new Agent({ connect: { socketPath } });
  }

  /** Whether the API server answers within so many milliseconds. */
  isReady(withinMs: number): Promise<boolean> {
    const late = delay(withinMs, false, { ref: false });
    const asked = this.read("/readyz").then(
      ({ status }) => status === 200,
      () => false,
    );
    return Promise.race([asked, late]);
  }

  async close(): Promise<void> {
    this.closing.abort();
    await this.agent?.destroy();
    await rm(this.folder, { recursive: true, force: true });
    await this.serving;
  }

  private async read(path: string): Promise<{ status: number; text: string }> {
    const { statusCode, body } = await request(`http://localhost${path}`, {
      dispatcher: this.agent as Agent,
      signal: this.closing.signal,
    });
    return { status: statusCode, text: await body.text() };
  }

  override async get(kind: string, namespace: string, name: string): Promise<KubeObject | undefined> {
    const { status, text } = await this.read(`${pathOf(kind, namespace)}/${name}`);
    if (status === 404) return undefined;
    if (status !== 200) throw new Error(`${kind} ${name}: ${messageIn(text, status)}`);
    return JSON.parse(text) as KubeObject;
  }

  override async list(kind: string, namespace: string, selector: string): Promise<KubeObject[]> {
    return this.query(kind, namespace, { labelSelector: selector });
  }

  override async query(
    kind: string,
    namespace: string,
    selectors: { readonly labelSelector?: string; readonly fieldSelector?: string },
  ): Promise<KubeObject[]> {
    const query = new URLSearchParams(selectors).toString();
    const { status, text } = await this.read(`${pathOf(kind, namespace)}?${query}`);
    if (status !== 200) throw new Error(`${kind}: ${messageIn(text, status)}`);
    return (JSON.parse(text) as { items: KubeObject[] }).items;
  }

  override async logsOf(
    namespace: string,
    pod: string,
    container: string,
    { sinceSeconds, lines }: { readonly sinceSeconds: number; readonly lines: number },
  ): Promise<string> {
    const query = new URLSearchParams({
      container,
      sinceSeconds: String(sinceSeconds),
      tailLines: String(lines),
    }).toString();
    const { status, text } = await this.read(`/api/v1/namespaces/${namespace}/pods/${pod}/log?${query}`);
    if (status !== 200) throw new Error(`what ${pod} logs: ${messageIn(text, status)}`);
    return text;
  }

  override run(args: readonly string[], options: RunOptions = {}): Promise<RunResult> {
    const exec = execIn(args);
    return exec === undefined || options.input !== undefined
      ? super.run(args, options)
      : this.exec(exec, options);
  }

  private exec(
    { path, query }: { path: string; query: URLSearchParams },
    { timeoutMs, allowFailure, onLine, signal }: RunOptions,
  ): Promise<RunResult> {
    const url = `ws://localhost${path}?${query.toString()}`;
    const socket = new WebSocket(url, {
      protocols: ["v4.channel.k8s.io"],
      dispatcher: this.agent as Agent,
    });
    socket.binaryType = "arraybuffer";
    const texts: Record<number, string[]> = { 1: [], 2: [], 3: [] };
    const decoders: Record<number, InstanceType<typeof TextDecoder>> = {
      1: new TextDecoder(),
      2: new TextDecoder(),
      3: new TextDecoder(),
    };
    return new Promise<RunResult>((resolve, reject) => {
      const timer =
        timeoutMs === undefined
          ? undefined
          : setTimeout(() => end(() => reject(new Error(`no answer within ${timeoutMs} ms`))), timeoutMs);
      const stop = () => end(() => reject(new Error("interrupted")));
      let line = "";
      const end = (settle: () => void) => {
        clearTimeout(timer);
        signal?.removeEventListener("abort", stop);
        settle();
        socket.close();
      };
      if (signal?.aborted === true) return stop();
      signal?.addEventListener("abort", stop, { once: true });
      socket.addEventListener("message", ({ data }: { data: unknown }) => {
        const bytes = new Uint8Array(data as ArrayBuffer);
        const channel = bytes[0] ?? 0;
        const text = decoders[channel]?.decode(bytes.subarray(1), { stream: true }) ?? "";
        texts[channel]?.push(text);
        if (channel === 1 && onLine) {
          const lines = (line + text).split("\n");
          line = lines.pop() ?? "";
          lines.forEach(onLine);
        }
        if (channel !== 3) return;
        const { exitCode, message } = exitIn((texts[3] ?? []).join(""));
        const [stdout = "", stderr = ""] = [1, 2].map((one) => (texts[one] ?? []).join(""));
        const result = { stdout, stderr: stderr === "" ? message : stderr, exitCode };
        end(() =>
          exitCode === 0 || allowFailure === true
            ? resolve(result)
            : reject(new Error(result.stderr.trim() || `exit code ${exitCode}`)),
        );
      });
      socket.addEventListener("error", () => end(() => reject(new Error("the pod can't be reached"))));
      socket.addEventListener("close", () => end(() => reject(new Error("the way to the pod was closed"))));
    });
  }
}

const messageIn = (text: string, status: number): string => {
  try {
    return (JSON.parse(text) as { message?: string }).message ?? `HTTP ${status}`;
  } catch {
    return `HTTP ${status}`;
  }
};
