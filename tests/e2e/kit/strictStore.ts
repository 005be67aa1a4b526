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
const narrowKeys = { accessKeyId: "narrow-key-of-tests", secretAccessKey: "no-secret-either-0123456789" };
const VOLUME = "/volume";
const DATA = `${VOLUME}/data`;

/** How the store behaves; see local/images/strict-store. */
export interface Behaviour {
  /** @default - what B2 and R2 refuse, at once */
  readonly dialect?: string;
  /** Prefixes below which the only key that is handed out may write. @default - everywhere */
  readonly narrow?: readonly string[];
  /** What can be neither deleted nor written over in the second bucket, for an hour. */
  readonly lockedPrefix?: string;
  /** The second bucket has versions, and a default retention of a day. */
  readonly retained?: boolean;
}

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
  /** Where the pods behind the Service listen, which has another port too: the default one. */
  readonly pods = { namespace: NAMESPACE, labels: { app: NAME }, port: PORT };
  readonly endpointByDefaultPort = `https://${serviceHost(NAME, NAMESPACE)}`;

  private constructor(
    private readonly env: Environment,
    private readonly behaviour: Behaviour,
    /** Certificate of the CA that signed its own. */
    readonly ca: string,
  ) {}

  get credentials(): typeof keys {
    return this.behaviour.narrow === undefined ? keys : narrowKeys;
  }

  static async start(env: Environment, behaviour: Behaviour = {}): Promise<StrictStore> {
    const { versitygw, strictStore, barmanSidecar } = pins.images;
    await loadBuiltImages([versitygw, strictStore, barmanSidecar]);
    const { ca, certificate, privateKey } = await issue(tlsNames(NAME, NAMESPACE));
    const store = new StrictStore(env, behaviour, ca);
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
      spec: {
        selector: { app: NAME },
        ports: [
          { name: "own", port: PORT },
          { name: "default", port: 443, targetPort: PORT },
        ],
      },
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
              ...this.told(),
            }),
            readinessProbe: {
              httpGet: { path: "/health", port: PORT, scheme: "HTTPS" },
              periodSeconds: 1,
            },
            volumeMounts: [mount("tls", "/tls"), mount("volume", VOLUME)],
          },
          {
            ...common,
            name: "store",
            image: versitygw,
            args: ["--iam-dir", `${VOLUME}/iam`, "posix", "--versioning-dir", `${VOLUME}/versions`, DATA],
            env: variables({
              ROOT_ACCESS_KEY_ID: keys.accessKeyId,
              ROOT_SECRET_ACCESS_KEY: keys.secretAccessKey,
              VGW_PORT: `127.0.0.1:${BEHIND}`,
              VGW_REGION: REGION,
              VGW_HEALTH: "/health",
              VGW_QUIET: "true",
            }),
            volumeMounts: [mount("volume", VOLUME)],
          },
        ],
        initContainers: [
          {
            ...common,
            name: "folders",
            image: barmanSidecar,
            // Versions are moved from one to another, which no two volumes let.
            command: ["mkdir", "-p", DATA, `${VOLUME}/versions`, `${VOLUME}/iam`],
            volumeMounts: [mount("volume", VOLUME)],
          },
        ],
        volumes: [
          { name: "tls", secret: { secretName: SECRET, defaultMode: 0o440 } },
          { name: "volume", emptyDir: {} },
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
    await this.furnish();
  }

  private told(): Record<string, string> {
    const { dialect, narrow, lockedPrefix, retained } = this.behaviour;
    const [, second] = StrictStore.buckets;
    return {
      ROOT: DATA,
      ...(dialect !== undefined && { DIALECT: dialect }),
      ...(narrow && { NARROW: `${narrowKeys.accessKeyId}=${narrow.join(",")}` }),
      ...(lockedPrefix !== undefined && { LOCKS: `${second}/${lockedPrefix}=3600` }),
      ...(retained === true && { RETENTION: second }),
    };
  }

  /** Makes the buckets, and the key that is handed out. */
  private async furnish(): Promise<void> {
    const [first, second] = StrictStore.buckets;
    const admin = ["admin", "--access", keys.accessKeyId, "--secret", keys.secretAccessKey];
    const user = ["--access", narrowKeys.accessKeyId, "--secret", narrowKeys.secretAccessKey];
    const at = ["--endpoint-url", `http://127.0.0.1:${BEHIND}`];
    await this.env.kubectl.run([
      ...["-n", NAMESPACE, "exec", NAME, "-c", "store", "--", "/usr/local/bin/versitygw"],
      ...[...admin, ...at, "create-user", "--role", "admin", ...user],
    ]);
    const locked = this.behaviour.retained === true;
    const program =
      // Some dialects know no checksum but Content-MD5, of a bucket's configuration too.
      `import boto3, sitecustomize\nclient = boto3.client("s3", endpoint_url="${this.endpoint}")\n` +
      `client.meta.events.register("before-call.s3.PutObjectLockConfiguration", sitecustomize.plain)\n` +
      `client.create_bucket(Bucket="${first}")\n` +
      `client.create_bucket(Bucket="${second}"${locked ? ", ObjectLockEnabledForBucket=True" : ""})\n` +
      (locked
        ? `client.put_object_lock_configuration(Bucket="${second}", ObjectLockConfiguration={"ObjectLockEnabled": "Enabled", "Rule": {"DefaultRetention": {"Mode": "GOVERNANCE", "Days": 1}}})\n`
        : "");
    const help = await readFile(join(__dirname, "../../../plan/backup/scripts/sitecustomize.py"), "utf8");
    const command = `mkdir -p /tmp/help; cat >/tmp/help/sitecustomize.py <<'END'\n${help}END\nAWS_REQUEST_CHECKSUM_CALCULATION=when_required PYTHONPATH=/tmp/help python3 - <<'END'\n${program}END\n`;
    await this.env.kubectl.run(["-n", NAMESPACE, "exec", "tools", "--", "sh", "-c", command]);
  }

  /** Keys of the second bucket's versions that are no longer there as objects. */
  async keptVersions(prefix: string): Promise<number> {
    const [, second] = StrictStore.buckets;
    const program =
      `import boto3\nclient = boto3.client("s3", endpoint_url="${this.endpoint}")\n` +
      `print(sum(not one["IsLatest"] for one in client.list_object_versions(Bucket="${second}", Prefix="${prefix}").get("Versions", [])))\n`;
    const command = `python3 - <<'END'\n${program}END\n`;
    const { stdout } = await this.env.kubectl.run([
      ...["-n", NAMESPACE, "exec", "tools", "--", "sh", "-c", command],
    ]);
    return Number(stdout);
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
