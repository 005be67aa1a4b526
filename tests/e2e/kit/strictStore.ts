import { readFile } from "node:fs/promises";
import { join } from "node:path";
import { plainChecksums } from "../../../plan/backup/store";
import { localBucket } from "../../../plan/backup/storeNames";
import { environment as variables, hardened } from "../../../plan/containers";
import { issue } from "../../../components/issuing";
import { serviceHost, tlsNames } from "../../../plan/names";
import { pins } from "../../../releases/pins";
import { isReady } from "../../../operations/kubectl";
import { type RunResult } from "../../../shell/process";
import { type Environment } from "./environment";
import { loadBuiltImages } from "./images";
import { until } from "./wait";

const NAMESPACE = "pgp-e2e-strict";
const NAME = "strict";
const SECRET = "strict";
const PORT = 7070;
const BEHIND = 7071;
const REGION = "us-east-1";
const keys = { accessKeyId: "strict-store-of-tests", secretAccessKey: "no-secret-to-anybody-0123456789" };

const security = {
  runAsNonRoot: true,
  runAsUser: 65532,
  runAsGroup: 65532,
  fsGroup: 65532,
  seccompProfile: { type: "RuntimeDefault" },
};

/**
 * A store in one's own network, with a CA of its own, which refuses what B2 and R2 refuse (local/images/strict-store), before versitygw in the
 * same pod. Beside it a pod with Barman's cloud tools. What lies in it goes with it.
 */
export class StrictStore {
  static readonly buckets = [localBucket, "copies"] as const;
  readonly endpoint = `https://${serviceHost(NAME, NAMESPACE)}:${PORT}`;
  readonly credentials = keys;

  private constructor(
    private readonly env: Environment,
    /** Certificate of the CA that signed its own. */
    readonly ca: string,
  ) {}

  static async start(env: Environment): Promise<StrictStore> {
    const { versitygw, strictStore, barmanSidecar } = pins.images;
    await loadBuiltImages([versitygw, strictStore, barmanSidecar]);
    const { ca, certificate, privateKey } = await issue(tlsNames(NAME, NAMESPACE));
    const store = new StrictStore(env, ca);
    try {
      // What a killed run left has another CA.
      await store.remove();
      await store.make(certificate, privateKey);
    } catch (error) {
      await store.remove();
      throw error;
    }
    return store;
  }

  private async make(certificate: string, privateKey: string): Promise<void> {
    const { versitygw, strictStore, barmanSidecar } = pins.images;
    const metadata = (name: string) => ({ name, namespace: NAMESPACE, labels: { app: name } });
    const mount = (name: string, mountPath: string) => ({ name, mountPath });
    const { kubectl } = this.env;
    await kubectl.apply({ apiVersion: "v1", kind: "Namespace", metadata: { name: NAMESPACE } });
    await kubectl.apply({
      apiVersion: "v1",
      kind: "Secret",
      metadata: metadata(SECRET),
      stringData: { "tls.crt": certificate, "tls.key": privateKey, "ca.crt": this.ca },
    });
    await kubectl.apply({
      apiVersion: "v1",
      kind: "Service",
      metadata: metadata(NAME),
      spec: { selector: { app: NAME }, ports: [{ port: PORT }] },
    });
    const common = { imagePullPolicy: "IfNotPresent", securityContext: hardened };
    await kubectl.apply({
      apiVersion: "v1",
      kind: "Pod",
      metadata: metadata(NAME),
      spec: {
        automountServiceAccountToken: false,
        terminationGracePeriodSeconds: 2,
        securityContext: security,
        containers: [
          {
            ...common,
            name: "strict",
            image: strictStore,
            env: variables({
              LISTEN: `:${PORT}`,
              UPSTREAM: `http://127.0.0.1:${BEHIND}`,
              TLS_CERT: "/tls/tls.crt",
              TLS_KEY: "/tls/tls.key",
            }),
            readinessProbe: {
              httpGet: { path: "/health", port: PORT, scheme: "HTTPS" },
              periodSeconds: 1,
            },
            volumeMounts: [mount("tls", "/tls")],
          },
          {
            ...common,
            name: "store",
            image: versitygw,
            args: ["posix", "/data"],
            env: variables({
              ROOT_ACCESS_KEY_ID: keys.accessKeyId,
              ROOT_SECRET_ACCESS_KEY: keys.secretAccessKey,
              VGW_PORT: `127.0.0.1:${BEHIND}`,
              VGW_REGION: REGION,
              VGW_HEALTH: "/health",
              VGW_QUIET: "true",
            }),
            // A folder below the root is a bucket.
            volumeMounts: [
              mount("root", "/data"),
              ...StrictStore.buckets.map((bucket) => mount(bucket, `/data/${bucket}`)),
            ],
          },
        ],
        volumes: [
          { name: "tls", secret: { secretName: SECRET, defaultMode: 0o440 } },
          ...["root", ...StrictStore.buckets].map((name) => ({ name, emptyDir: {} })),
        ],
      },
    });
    await kubectl.apply({
      apiVersion: "v1",
      kind: "Pod",
      metadata: metadata("tools"),
      spec: {
        automountServiceAccountToken: false,
        terminationGracePeriodSeconds: 2,
        securityContext: security,
        containers: [
          {
            ...common,
            name: "tools",
            image: barmanSidecar,
            command: ["sleep", "86400"],
            env: variables({
              HOME: "/tmp",
              AWS_DEFAULT_REGION: REGION,
              AWS_ACCESS_KEY_ID: keys.accessKeyId,
              AWS_SECRET_ACCESS_KEY: keys.secretAccessKey,
              AWS_CA_BUNDLE: "/tls/ca.crt",
            }),
            volumeMounts: [mount("tls", "/tls"), mount("tmp", "/tmp")],
          },
        ],
        volumes: [
          {
            name: "tls",
            secret: { secretName: SECRET, items: [{ key: "ca.crt", path: "ca.crt" }], defaultMode: 0o440 },
          },
          { name: "tmp", emptyDir: {} },
        ],
      },
    });
    for (const name of [NAME, "tools"])
      await until(`pod ${NAMESPACE}/${name}`, 120, async () => {
        const pod = await kubectl.get("pod", NAMESPACE, name);
        return pod !== undefined && isReady(pod) ? { done: undefined } : { why: "it isn't ready" };
      });
  }

  /** What it has refused, a line each, since it was started. */
  async refusals(): Promise<string[]> {
    const { stdout } = await this.env.kubectl.run(["-n", NAMESPACE, "logs", NAME, "-c", "strict"]);
    return stdout.split("\n").filter((line) => line.startsWith("refused "));
  }

  /** Archives a file that is called as a segment, by hand and by Barman's own tool, before which the image has ours; `plain`: with the variables that the platform gives Barman's tools for such a store. */
  archive(segment: string, plain: boolean, options = ""): Promise<RunResult> {
    const given = Object.entries(plain ? plainChecksums : {}).map((pair) => pair.join("="));
    const command =
      `head -c 1048576 /dev/urandom >/tmp/${segment} && ` +
      `env ${given.join(" ")} /usr/local/bin/barman-cloud-wal-archive ${options} --endpoint-url ${this.endpoint} s3://${localBucket}/by-hand one /tmp/${segment}`;
    const args = ["-n", NAMESPACE, "exec", "tools", "--", "sh", "-c", command];
    return this.env.kubectl.run(args, { allowFailure: true });
  }

  /** Deletes two objects with one request, as Barman does it; `helped`: with the file by which a verification has it done. */
  async deleteTwo(helped: boolean): Promise<RunResult> {
    const folder = join(__dirname, "../../../plan/backup/scripts");
    const help = await readFile(join(folder, "sitecustomize.py"), "utf8");
    const program =
      `import boto3\nclient = boto3.client("s3", endpoint_url="${this.endpoint}")\n` +
      `objects = [{"Key": "two/" + name} for name in "ab"]\n` +
      `for one in objects: client.put_object(Bucket="${localBucket}", Body=b"x", **one)\n` +
      `client.delete_objects(Bucket="${localBucket}", Delete={"Objects": objects, "Quiet": True})\n` +
      `print(client.list_objects_v2(Bucket="${localBucket}", Prefix="two/")["KeyCount"], "left")\n`;
    const given = [...Object.entries(plainChecksums), ...(helped ? [["PYTHONPATH", "/tmp/help"]] : [])];
    const command =
      `mkdir -p /tmp/help; cat >/tmp/help/sitecustomize.py <<'END'\n${help}END\n` +
      `env ${given.map((pair) => pair.join("=")).join(" ")} python3 - <<'END'\n${program}END\n`;
    const args = ["-n", NAMESPACE, "exec", "tools", "--", "sh", "-c", command];
    return this.env.kubectl.run(args, { allowFailure: true });
  }

  async remove(): Promise<void> {
    await this.env.kubectl.run(["delete", "namespace", NAMESPACE, "--ignore-not-found", "--timeout=180s"]);
  }
}
