import { randomBytes } from "node:crypto";
import type { KubeObject } from "../../../operations/kubectl";
import { clientImage } from "./clients";
import type { Environment } from "./environment";
import { containersOf } from "./podProcesses";
import { until } from "./wait";

/**
 * A secret of the tests' own that leaks in every way at once: what looks for leaks must find it in each place, and nothing else. A new one is drawn each
 * time, so that what stays of it, in PostgreSQL's log say, is no secret the next time.
 */
export const controlName = "leak-control";
const name = controlName;
const labels = { "app.kubernetes.io/name": name };

/** What it has in it is spelled otherwise in JSON, URLs, CSV and metrics. */
export const drawControl = (): string => `leak-"${randomBytes(12).toString("hex")}"/+&\\%20z`;

/** The spellings that are planted in a ConfigMap, made here without what looks for them. */
export function plantedSpellings(value: string): Record<string, string> {
  const base64 = (text: string) => Buffer.from(text).toString("base64");
  return {
    plain: `before ${value} after`,
    json: JSON.stringify({ password: value }),
    "json-in-json": JSON.stringify({ applied: JSON.stringify({ password: value }) }),
    url: `postgresql://app:${encodeURIComponent(value)}@main-rw:5432/app`,
    csv: `1,"${value.replaceAll('"', '""')}",2`,
    base64: base64(value),
    "base64-behind-one": base64(`x${value}`),
    "base64-behind-two": base64(`u:${value}`),
    "base64-for-urls": Buffer.from(value).toString("base64url"),
    hex: Buffer.from(value).toString("hex"),
  };
}

const server = `
import http.server, json, os, sys
print("log of the present container:", sys.argv[1], flush=True)
page = "# TYPE leak_control gauge\\nleak_control{value=" + json.dumps(sys.argv[1]) + "} 1\\n"
class Handler(http.server.BaseHTTPRequestHandler):
    def do_GET(self):
        self.send_response(200)
        self.end_headers()
        self.wfile.write(page.encode())
    def log_message(self, *_):
        pass
http.server.HTTPServer(("", 9100), Handler).serve_forever()
`;

/** Prints it in its first run, and ends; its second run says nothing. */
const twice = `
import os, sys, time
if not os.path.exists("/data/once"):
    open("/data/once", "w").close()
    print("log of the container before:", sys.argv[1], flush=True)
    sys.exit(1)
time.sleep(86400)
`;

function objects(namespace: string, value: string): object[] {
  const metadata = { name, namespace, labels };
  const container = (containerName: string, script: string, more: object = {}) => ({
    name: containerName,
    image: clientImage,
    imagePullPolicy: "IfNotPresent",
    command: ["python3", "-c", script, value],
    securityContext: { allowPrivilegeEscalation: false, capabilities: { drop: ["ALL"] } },
    resources: { requests: { cpu: "10m", memory: "32Mi" }, limits: { cpu: "200m", memory: "128Mi" } },
    volumeMounts: [{ name: "data", mountPath: "/data" }],
    ...more,
  });
  const now = new Date().toISOString();
  return [
    { apiVersion: "v1", kind: "Secret", metadata, stringData: { planted: value } },
    {
      apiVersion: "v1",
      kind: "ConfigMap",
      metadata: { ...metadata, annotations: { "pgplatform.io/leak-control": value } },
      data: plantedSpellings(value),
    },
    {
      apiVersion: "v1",
      kind: "Event",
      metadata,
      involvedObject: { apiVersion: "v1", kind: "ConfigMap", name, namespace },
      reason: "LeakControl",
      message: `planted by a test: ${value}`,
      type: "Normal",
      source: { component: name },
      firstTimestamp: now.replace(/\.\d+Z$/, "Z"),
      lastTimestamp: now.replace(/\.\d+Z$/, "Z"),
      count: 1,
    },
    {
      apiVersion: "v1",
      kind: "Pod",
      metadata,
      spec: {
        terminationGracePeriodSeconds: 1,
        automountServiceAccountToken: false,
        enableServiceLinks: false,
        securityContext: {
          runAsNonRoot: true,
          runAsUser: 65532,
          runAsGroup: 65532,
          fsGroup: 65532,
          seccompProfile: { type: "RuntimeDefault" },
        },
        initContainers: [
          container(
            "first",
            'import sys; print("log of a container of the start:", sys.argv[1], flush=True)',
          ),
        ],
        containers: [
          container("server", server, {
            env: [
              { name: "PLANTED", value },
              // One that the table lets pass, out of another Secret than it says.
              { name: "PGPASSWORD", value },
            ],
            ports: [{ name: "metrics", containerPort: 9100, protocol: "TCP" }],
          }),
          container("twice", twice),
        ],
        volumes: [{ name: "data", emptyDir: {} }],
      },
    },
  ];
}

/** A control that is planted, and where. */
export class Control {
  private constructor(
    private readonly env: Environment,
    readonly value: string,
  ) {}

  /** What a hit is called by. */
  get at(): string {
    return `${this.env.settings.cluster.namespace}/${name} planted`;
  }

  /** Plants it: objects, an event, a pod that leaks, and a statement that fails. Waits until all of it can be seen. */
  static async plant(env: Environment): Promise<Control> {
    const control = new Control(env, drawControl());
    await removeControl(env);
    const { namespace } = env.settings.cluster;
    for (const object of objects(namespace, control.value)) await env.kubectl.apply(object);
    await until("the pod that leaks", 180, async () => {
      const pod = await env.kubectl.get("pod", namespace, name);
      return pod !== undefined && leaks(pod)
        ? { done: undefined }
        : { why: JSON.stringify(pod?.status ?? "no pod").slice(0, 300) };
    });
    await control.failStatement();
    return control;
  }

  /** PostgreSQL logs a statement that fails, values and all. */
  private async failStatement(): Promise<void> {
    const { cluster } = this.env;
    const statement = `select 1/0 as leak_control, '${this.value}'`;
    await cluster.sql(await cluster.primary(), statement).then(
      () => Promise.reject(new Error("the statement didn't fail")),
      (error: unknown) => {
        if (!/exit code/.test((error as Error).message)) throw error;
      },
    );
  }
}

/** Deletes what was planted, of an interrupted run too. */
export async function removeControl({ kubectl, settings }: Environment): Promise<void> {
  const what = ["pod", "configmap", "secret", "event"].map((kind) => `${kind}/${name}`);
  const at = ["-n", settings.cluster.namespace, "delete", "--ignore-not-found", "--timeout=60s"];
  await kubectl.run([...at, ...what]);
}

/** Both containers run, one of them for the second time. */
function leaks(pod: KubeObject): boolean {
  const found = containersOf(pod);
  const running = (container: string) =>
    found.find((one) => one.name === container && one.state?.running !== undefined);
  return running("server") !== undefined && (running("twice")?.restartCount ?? 0) > 0;
}
