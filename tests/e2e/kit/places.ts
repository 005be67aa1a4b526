import { readdir, readFile } from "node:fs/promises";
import { request as http } from "node:http";
import { request as https } from "node:https";
import { join } from "node:path";
import { whileForwarded } from "../../../operations/forward";
import type { KubeObject } from "../../../operations/kubectl";
import { exists, projectDir, stateDir } from "../../../shell/paths";
import { run } from "../../../shell/process";
import { stackName, type Environment } from "./environment";
import { containersOf } from "./podProcesses";
import type { LiveSecret } from "./leaks";

/** Where a secret could come to be read: each place as texts by their names. */

/** Namespaces of Kubernetes itself: objects in them are looked at, their Secrets are not the stack's. */
const kubernetesOwn = ["default", "kube-system", "kube-public", "kube-node-lease"];
/** How many commands at once. */
const AT_ONCE = 4;

/** Works through a list, a few at a time. */
export async function each<T, R>(list: readonly T[], work: (one: T) => Promise<R>): Promise<R[]> {
  const results: R[] = [];
  let next = 0;
  const worker = async () => {
    for (let at = next++; at < list.length; at = next++) results[at] = await work(list[at] as T);
  };
  await Promise.all(Array.from({ length: AT_ONCE }, worker));
  return results;
}

/** Namespaces in which the stack has objects: the cluster's, the operator's, of monitoring, of stores and of clients. */
export async function namespacesOf({ stack, settings }: Environment): Promise<string[]> {
  const objects = (await stack.resources()).filter(({ type }) => type.startsWith("kubernetes:"));
  const named = objects.flatMap(({ inputs }) =>
    inputs?.kind === "Namespace" ? [inputs.metadata.name] : (inputs?.metadata?.namespace ?? []),
  );
  return [...new Set([settings.cluster.namespace, ...named])]
    .filter((name) => !kubernetesOwn.includes(name))
    .sort();
}

export async function secretsIn(
  { kubectl }: Environment,
  namespaces: readonly string[],
): Promise<LiveSecret[]> {
  return (await each(namespaces, (namespace) => kubectl.query("secrets", namespace, {}))).flat();
}

export const podsIn = async (
  { kubectl }: Environment,
  namespaces: readonly string[],
): Promise<KubeObject[]> =>
  (await each(namespaces, (namespace) => kubectl.query("pods", namespace, {}))).flat();

/** The stack's passphrase; undefined where another secrets provider has its keys. */
export async function passphraseOf({ stack }: Environment): Promise<string | undefined> {
  const given: Record<string, string | undefined> = { ...process.env, ...(await stack.environment()) };
  const { PULUMI_CONFIG_PASSPHRASE: text, PULUMI_CONFIG_PASSPHRASE_FILE: file } = given;
  if (text !== undefined && text !== "") return text;
  return file === undefined ? undefined : (await readFile(file, "utf8")).trim();
}

/** `pulumi stack export`; `shown`: with the secrets in plain text. */
export async function exported({ stack }: Environment, shown: boolean): Promise<string> {
  const args = ["stack", "export", "--stack", stackName, ...(shown ? ["--show-secrets"] : [])];
  // Standard output is never in an error: what is shown is secret.
  const { exitCode, stdout, stderr } = await run("pulumi", [...args, "--non-interactive"], {
    cwd: projectDir,
    env: await stack.environment(),
    allowFailure: true,
  });
  if (exitCode !== 0) throw new Error(`pulumi stack export ended with ${exitCode}: ${stderr}`);
  return stdout;
}

/** Folders in which Pulumi and the platform keep states, histories and copies of stack files. */
export const stateFolders = async ({ stack }: Environment): Promise<string[]> => {
  const { PULUMI_BACKEND_URL: backend = "" } = await stack.environment();
  const folders = [join(stateDir, "stacks"), join(stateDir, "pulumi-tmp")];
  return backend.startsWith("file://")
    ? [...folders, join(backend.slice("file://".length), ".pulumi")]
    : folders;
};

/** All files below some folders. */
export async function filesIn(folders: readonly string[]): Promise<string[]> {
  const found = await Promise.all(
    folders.map(async (folder) => {
      if (!(await exists(folder))) return [];
      const entries = await readdir(folder, { withFileTypes: true, recursive: true });
      return entries.filter((entry) => entry.isFile()).map((entry) => join(entry.parentPath, entry.name));
    }),
  );
  return found.flat().sort();
}

/** Every object of the Kubernetes cluster that can be listed, beside Secrets, with who owns each field. `kinds`: how many kinds. */
export async function allObjects({
  kubectl,
}: Environment): Promise<{ objects: KubeObject[]; kinds: number; unread: string[] }> {
  const { stdout } = await kubectl.run(["api-resources", "--verbs=list", "--no-headers", "-o", "name"]);
  const kinds = [...new Set(stdout.split("\n").filter((name) => name !== "" && name !== "secrets"))];
  const unread: string[] = [];
  const lists = await each(kinds, async (kind) => {
    const at = ["get", kind, "--all-namespaces", "--show-managed-fields", "-o", "json"];
    const { exitCode, stdout: text, stderr } = await kubectl.run(at, { allowFailure: true });
    if (exitCode === 0) return (JSON.parse(text) as { items: KubeObject[] }).items;
    unread.push(`${kind}: ${stderr.trim().split("\n").at(-1) ?? ""}`);
    return [];
  });
  return { objects: lists.flat(), kinds: kinds.length, unread };
}

export const placeOf = ({ kind, metadata }: KubeObject): string =>
  `${kind} ${metadata.namespace === undefined ? "" : `${metadata.namespace}/`}${metadata.name}`;

interface Log {
  readonly place: string;
  readonly text: string;
}

/** Logs of all containers, those that start a pod and those that ended before the present ones among them. */
export async function logsOf(
  { kubectl }: Environment,
  pods: readonly KubeObject[],
): Promise<{ logs: Log[]; unread: string[]; gone: string[] }> {
  const asked = pods.flatMap((pod) =>
    containersOf(pod).flatMap(({ name, state, lastState }) => [
      ...(state?.waiting === undefined ? [{ pod, name, previous: false }] : []),
      ...(lastState?.terminated === undefined ? [] : [{ pod, name, previous: true }]),
    ]),
  );
  const unread: string[] = [];
  const gone: string[] = [];
  const logs = await each(asked, async ({ pod, name, previous }) => {
    const { namespace = "default", name: podName } = pod.metadata;
    const place = `${previous ? "previous log" : "log"} of ${namespace}/${podName} ${name}`;
    const at = ["-n", namespace, "logs", podName, "-c", name, ...(previous ? ["--previous"] : [])];
    const { exitCode, stdout, stderr } = await kubectl.run(at, { allowFailure: true });
    // A Job's pod that was deleted meanwhile, or what the node no longer keeps of a container before.
    if (exitCode !== 0) (/not ?found/i.test(stderr) ? gone : unread).push(`${place}: ${stderr.trim()}`);
    return { place, text: stdout };
  });
  return { logs, unread, gone };
}

const ANSWER_MS = 8_000;

/** A page as it is answered; a certificate that isn't trusted here is no obstacle. */
function page(address: string, tls: boolean, path: string): Promise<string> {
  const [host, port] = address.split(":");
  return new Promise((resolve, reject) => {
    const options = { host, port, path, timeout: ANSWER_MS };
    const sent = (tls ? https : http)({ ...options, ...(tls && { rejectUnauthorized: false }) }, (answer) => {
      const parts: Buffer[] = [];
      answer.on("data", (part: Buffer) => parts.push(part));
      answer.on("end", () => resolve(Buffer.concat(parts).toString()));
      answer.on("error", reject);
    });
    sent.on("timeout", () => sent.destroy(new Error("no answer")));
    sent.on("error", reject);
    sent.end();
  });
}

interface Port {
  readonly pod: KubeObject;
  readonly name: string;
  readonly port: number;
}

/** Ports that speak PostgreSQL's protocol. */
const databases = /^postgres/;

const portsOf = (pod: KubeObject): Port[] => {
  type Container = { ports?: { name?: string; containerPort: number; protocol?: string }[] };
  const { containers = [], initContainers = [] } = (pod.spec ?? {}) as Record<string, Container[]>;
  return [...initContainers, ...containers].flatMap(({ ports = [] }) =>
    ports.flatMap(({ name = "", containerPort, protocol = "TCP" }) =>
      protocol === "TCP" && !databases.test(name) && containerPort !== 5432
        ? [{ pod, name, port: containerPort }]
        : [],
    ),
  );
};

/** Where pods say their numbers: the second one is of those that serve a file. */
const paths = ["/metrics", "/metrics.txt"] as const;

/** What every port of running pods says there, with TLS or without; `unread` has the ports that are called metrics and say nothing. */
export async function metricsOf(
  { kubectl }: Environment,
  pods: readonly KubeObject[],
): Promise<{ pages: Log[]; unread: string[] }> {
  const running = pods.filter(({ status }) => status?.phase === "Running");
  const unread: string[] = [];
  const pages = await each(running.flatMap(portsOf), async ({ pod, name, port }) => {
    const { namespace = "default", name: podName } = pod.metadata;
    const place = `metrics of ${namespace}/${podName} at ${port}`;
    const why: string[] = [];
    for (const tls of [false, true])
      try {
        const to = { namespace, to: `pod/${podName}`, port };
        const texts = await whileForwarded(kubectl, to, async (address) => {
          const answers: string[] = [];
          for (const path of paths) answers.push(await page(address, tls, path));
          return answers;
        });
        const numbers = texts.filter((text) => /^# (?:HELP|TYPE) /m.test(text));
        if (numbers.length > 0) return [{ place, text: numbers.join("\n") }];
        why.push("no metrics");
      } catch (error) {
        why.push((error as Error).message);
      }
    if (/metrics/.test(name)) unread.push(`${place}: ${why.join("; ")}`);
    return [];
  });
  return { pages: pages.flat(), unread };
}
