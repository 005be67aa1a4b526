import { readFile } from "node:fs/promises";
import { join } from "node:path";
import { pins } from "../../../releases/pins";
import { isReady, type Kubectl } from "../../../operations/kubectl";
import { type RunResult } from "../../../shell/process";
import { podStatus } from "./cluster";
import { parseWriterLog, type WriterLog } from "./oracle";
import { until } from "./wait";

/** Image with psql and Python; the built-in cluster has ours. */
export const clientImage = process.env.E2E_CLIENT_IMAGE ?? pins.images.client;

const SCRIPTS = ["writer.py", "sampler.py", "scan.py", "idle.py"];
/** Run by the container when it starts. */
const AUTOSTART = "/data/autostart";
const LOGIN = "pgp-e2e-login";
const SCRIPTS_MAP = "pgp-e2e-scripts";

/** Whom the client logs in as and whom it trusts. */
export interface Login {
  database: string;
  user: string;
  password: string;
  ca: string;
}

/** One key of a Secret in clear. */
export async function secretValue(
  kubectl: Kubectl,
  namespace: string,
  name: string,
  key: string,
): Promise<string> {
  const { stdout } = await kubectl.run(["-n", namespace, "get", "secret", name, "-o", "json"]);
  const value = (JSON.parse(stdout) as { data?: Record<string, string> }).data?.[key];
  if (value === undefined) throw new Error(`Secret ${namespace}/${name} has no key ${key}`);
  return Buffer.from(value, "base64").toString();
}

/** Makes a namespace with what client pods need: the login, the CA's certificate, the scripts. */
export async function prepareNamespace(
  kubectl: Kubectl,
  namespace: string,
  login: Login,
  options: { make?: boolean } = {},
): Promise<void> {
  if (options.make !== false) {
    await kubectl.apply({ apiVersion: "v1", kind: "Namespace", metadata: { name: namespace } });
  }
  const scripts = await Promise.all(
    SCRIPTS.map(async (file) => [file, await readFile(join(__dirname, file), "utf8")] as const),
  );
  await kubectl.apply({
    apiVersion: "v1",
    kind: "ConfigMap",
    metadata: { name: SCRIPTS_MAP, namespace },
    data: Object.fromEntries(scripts),
  });
  await kubectl.apply({
    apiVersion: "v1",
    kind: "Secret",
    metadata: { name: LOGIN, namespace },
    stringData: { ...login },
  });
}

export async function removePreparations(kubectl: Kubectl, namespace: string): Promise<void> {
  const names = [`secret/${LOGIN}`, `configmap/${SCRIPTS_MAP}`];
  await kubectl.run(["-n", namespace, "delete", "--ignore-not-found", ...names]);
}

export interface PodOptions {
  /** @default - the clients' image */
  image?: string;
  /** @default 256Mi */
  memory?: string;
  /** Nodes that it must not run on. @default - none */
  awayFrom?: readonly string[];
  /** Secret that is mounted at `secretFolder`. @default - none */
  secret?: string;
}

/** Where a pod finds its mounted Secret. */
export const secretFolder = "/database";

const quoted = (word: string): string => `'${word.replaceAll("'", "'\\''")}'`;

/** A pod in which a client of the database runs. */
export class ClientPod {
  private constructor(
    private readonly kubectl: Kubectl,
    readonly namespace: string,
    readonly name: string,
    private readonly labels: Record<string, string>,
    private readonly options: PodOptions,
    /** The node that it runs on. */
    readonly node: string,
  ) {}

  /** Starts the pod and waits until it runs. A pod of that name from an earlier run is recreated. */
  static async start(
    kubectl: Kubectl,
    namespace: string,
    name: string,
    labels: Record<string, string>,
    options: PodOptions = {},
  ): Promise<ClientPod> {
    await kubectl.run(["-n", namespace, "delete", "pod", name, "--ignore-not-found", "--grace-period=1"]);
    await kubectl.apply(podOf(namespace, name, labels, options));
    const node = await until(`client pod ${namespace}/${name} runs`, 120, async () => {
      const pod = await kubectl.get("pod", namespace, name);
      return pod !== undefined && isReady(pod)
        ? { done: String(pod.spec?.nodeName) }
        : { why: JSON.stringify(pod === undefined ? "no pod" : podStatus(pod)).slice(0, 300) };
    });
    return new ClientPod(kubectl, namespace, name, labels, options, node);
  }

  /** This pod, or the same one recreated elsewhere when it runs on one of these nodes. */
  async awayFrom(nodes: readonly string[]): Promise<ClientPod> {
    if (!nodes.includes(this.node)) return this;
    const options = { ...this.options, awayFrom: nodes };
    return ClientPod.start(this.kubectl, this.namespace, this.name, this.labels, options);
  }

  async remove(): Promise<void> {
    const at = ["-n", this.namespace, "delete", "pod", this.name];
    await this.kubectl.run([...at, "--ignore-not-found", "--grace-period=1"]);
  }

  exec(command: readonly string[], options: { allowFailure?: boolean } = {}): Promise<RunResult> {
    return this.kubectl.run(["-n", this.namespace, "exec", this.name, "--", ...command], {
      timeoutMs: 120_000,
      ...(options.allowFailure === true && { allowFailure: true }),
    });
  }

  /** One statement over the network, with verify-full unless `env` says something else. */
  psql(host: string, statement: string, env: Record<string, string> = {}): Promise<RunResult> {
    const variables = Object.entries({ PGHOST: host, ...env }).map(([key, value]) => `${key}=${value}`);
    const psql = ["psql", "-XAtq", "-v", "ON_ERROR_STOP=1", "-c", statement];
    return this.exec(["env", ...variables, ...psql], { allowFailure: true });
  }

  /** One statement that must succeed. */
  async query(host: string, statement: string): Promise<string> {
    const { exitCode, stdout, stderr } = await this.psql(host, statement);
    if (exitCode !== 0) throw new Error(`${statement}\n${stderr}`);
    return stdout.trim();
  }

  /** Which of the targets (`<address>:<port>`) accept a TCP connection from this pod. */
  async open(targets: readonly string[]): Promise<Set<string>> {
    const { stdout } = await this.exec(["python3", "/oracle/scan.py", ...targets]);
    const lines = stdout.trim().split("\n");
    if (lines.length !== targets.length) throw new Error(`the scan is not complete: ${stdout}`);
    return new Set(
      lines.flatMap((line) => (line.split(" ")[1] === "open" ? [line.split(" ")[0] ?? ""] : [])),
    );
  }

  /**
   * Starts a script in the background; its output goes to `<log>.out`.
   *
   * @param env variables that replace the pod's
   * @param revive start it again with the container, so that it survives its node's power failure
   */
  async background(
    host: string,
    script: string,
    log: string,
    args: readonly string[],
    env: Readonly<Record<string, string>> = {},
    revive = false,
  ): Promise<void> {
    const variables = Object.entries({ ...env, PGHOST: host }).map(([key, value]) => `${key}=${value}`);
    const command = ["env", ...variables, "python3", `/oracle/${script}`, "--log", log, ...args];
    const line = `setsid nohup ${command.map(quoted).join(" ")} >>${log}.out 2>&1 </dev/null &`;
    const save = `cat >${AUTOSTART} <<'END'\n${line}\nEND\n`;
    await this.exec(["bash", "-c", `${revive ? save : ""}${line}`]);
  }

  /** Tells a script in the background something. */
  async tell(log: string, what: "mark" | "heal" | "stop"): Promise<void> {
    await this.exec(["touch", `${log}.${what}`]);
  }

  async file(path: string): Promise<string> {
    return (await this.exec(["cat", path])).stdout;
  }
}

/** A writer in the background of a client pod. */
export class Writer {
  private constructor(
    private readonly pod: ClientPod,
    readonly arm: string,
    private readonly log: string,
  ) {}

  static async start(options: {
    pod: ClientPod;
    /** What this writer stands for: `direct` or `pooled`. */
    arm: string;
    run: string;
    host: string;
    table: string;
    firstId: number;
    /** Refuse sessions with a standby; PgBouncer takes no such wish. */
    readWrite: boolean;
    /** Variables that replace the pod's. */
    env?: Readonly<Record<string, string>>;
    /** Resumes after its node's power failure. @default false */
    revive?: boolean;
    /** Logs in with the pod's mounted Secret, and takes a changed one up. @default - with the pod's variables */
    mountedLogin?: boolean;
    /** Seconds to wait for the answer to a row. @default 3 */
    patience?: number;
  }): Promise<Writer> {
    const { pod, arm, run, host, table, firstId, readWrite, env, revive, mountedLogin, patience } = options;
    const writer = new Writer(pod, arm, `/data/${run}-${arm}`);
    const args = [
      ...["--table", table, "--first-id", String(firstId)],
      ...(readWrite ? ["--read-write"] : []),
      ...(mountedLogin === true ? ["--login", secretFolder] : []),
      ...(patience === undefined ? [] : ["--patience", String(patience)]),
    ];
    await pod.background(host, "writer.py", writer.log, args, env, revive);
    return writer;
  }

  async acknowledged(): Promise<number> {
    const { stdout } = await this.pod.exec(["grep", "-c", "^ack", this.log], { allowFailure: true });
    return Number(stdout.trim() || 0);
  }

  /** Waits until so many more rows than now are acknowledged. */
  async waitForMore(rows: number, seconds: number): Promise<void> {
    const goal = (await this.acknowledged()) + rows;
    await until(`${this.arm} writer: ${rows} more rows`, seconds, async () => {
      const now = await this.acknowledged();
      if (now >= goal) return { done: undefined };
      const { stdout } = await this.pod.exec(["tail", "-n", "2", this.log, `${this.log}.out`], {
        allowFailure: true,
      });
      return { why: `${goal - now} rows missing; its log ends: ${stdout.trim()}` };
    });
  }

  /** The fault begins now. */
  mark(): Promise<void> {
    return this.pod.tell(this.log, "mark");
  }

  /** The fault ends now. */
  heal(): Promise<void> {
    return this.pod.tell(this.log, "heal");
  }

  /** Its log as far as it is written. */
  async logSoFar(): Promise<WriterLog> {
    const text = await this.pod.file(this.log);
    return parseWriterLog(text.slice(0, text.lastIndexOf("\n") + 1));
  }

  /** Ends the writer without waiting for it. */
  abandon(): Promise<void> {
    return this.pod.tell(this.log, "stop");
  }

  /** Ends the writer and returns its whole log with the text it came from. */
  async stop(): Promise<{ log: WriterLog; text: string }> {
    await this.pod.tell(this.log, "stop");
    return until(`${this.arm} writer ended`, 60, async () => {
      const text = await this.pod.file(this.log);
      const log = parseWriterLog(text.slice(0, text.lastIndexOf("\n") + 1));
      return log.ended ? { done: { log, text } } : { why: "its log has no end yet" };
    });
  }
}

const avoiding = (nodes: readonly string[]): object => ({
  requiredDuringSchedulingIgnoredDuringExecution: {
    nodeSelectorTerms: [
      { matchExpressions: [{ key: "kubernetes.io/hostname", operator: "NotIn", values: nodes }] },
    ],
  },
});

function podOf(
  namespace: string,
  name: string,
  labels: Record<string, string>,
  { image = clientImage, memory = "256Mi", awayFrom = [], secret }: PodOptions,
): object {
  const key = (variable: string, field: keyof Login) => ({
    name: variable,
    valueFrom: { secretKeyRef: { name: LOGIN, key: field } },
  });
  return {
    apiVersion: "v1",
    kind: "Pod",
    metadata: { name, namespace, labels },
    spec: {
      terminationGracePeriodSeconds: 1,
      // A client outlives its node's absence: it is what remembers the acknowledgements.
      tolerations: [{ operator: "Exists", effect: "NoExecute" }],
      ...(awayFrom.length > 0 && { affinity: { nodeAffinity: avoiding(awayFrom) } }),
      automountServiceAccountToken: false,
      enableServiceLinks: false,
      securityContext: {
        runAsNonRoot: true,
        runAsUser: 65532,
        runAsGroup: 65532,
        fsGroup: 65532,
        seccompProfile: { type: "RuntimeDefault" },
      },
      containers: [
        {
          name: "client",
          image,
          imagePullPolicy: "IfNotPresent",
          command: [
            "bash",
            "-c",
            `[ ! -f ${AUTOSTART} ] || . ${AUTOSTART}; trap 'exit 0' TERM; sleep infinity & wait $!`,
          ],
          env: [
            key("PGUSER", "user"),
            key("PGDATABASE", "database"),
            key("PGPASSWORD", "password"),
            { name: "PGPORT", value: "5432" },
            { name: "PGSSLMODE", value: "verify-full" },
            { name: "PGSSLROOTCERT", value: "/login/ca" },
            { name: "PGCONNECT_TIMEOUT", value: "5" },
          ],
          securityContext: { allowPrivilegeEscalation: false, capabilities: { drop: ["ALL"] } },
          resources: { requests: { cpu: "20m", memory: "32Mi" }, limits: { memory } },
          volumeMounts: [
            { name: "scripts", mountPath: "/oracle", readOnly: true },
            { name: "login", mountPath: "/login", readOnly: true },
            { name: "stranger-ca", mountPath: "/stranger-ca", readOnly: true },
            { name: "data", mountPath: "/data" },
            ...(secret === undefined ? [] : [{ name: "secret", mountPath: secretFolder, readOnly: true }]),
          ],
        },
      ],
      volumes: [
        { name: "scripts", configMap: { name: SCRIPTS_MAP } },
        { name: "login", secret: { secretName: LOGIN, items: [{ key: "ca", path: "ca" }] } },
        // A sound CA that has nothing to do with the database: that of the Kubernetes API server.
        { name: "stranger-ca", configMap: { name: "kube-root-ca.crt" } },
        { name: "data", emptyDir: {} },
        ...(secret === undefined ? [] : [{ name: "secret", secret: { secretName: secret } }]),
      ],
    },
  };
}
