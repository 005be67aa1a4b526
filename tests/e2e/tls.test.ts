import assert from "node:assert/strict";
import { readdir, readFile } from "node:fs/promises";
import { connect as open, type Socket } from "node:net";
import { join } from "node:path";
import { connect, type TLSSocket } from "node:tls";
import { X509Certificate } from "node:crypto";
import { parse } from "yaml";
import { issue, type Issued } from "../../components/issuing";
import { releasedModule } from "../../local/toolchain/go";
import { whileForwarded } from "../../operations/forward";
import { isReady, selectorOf } from "../../operations/kubectl";
import { poolerLabels } from "../../plan/names";
import { pins } from "../../releases/pins";
import { projectDir } from "../../shell/paths";
import { run } from "../../shell/process";
import { environment, stackName, type Environment } from "./kit/environment";
import { deleteNamespaces } from "./kit/fixture";
import { loadBuiltImages } from "./kit/images";
import { ChangedStack, type Edit } from "./kit/settings";
import { say, until } from "./kit/wait";

/**
 * Certificates that neither the engine nor the stack signs: by a Secret, and by cert-manager's own controller (1.11.5, built here; no webhook of it). A client writes with
 * verify-full each time, since that is how `make up` and `pgp health` end. It doesn't prove an issuer other than a CA, nor a newer cert-manager.
 */

const SECRET = "pgp-e2e-certificate";
const BUNDLE = "pgp-e2e-trusted";
const MANAGER = "cert-manager";

/** The certificate that a pod shows behind PostgreSQL's own request for TLS. */
async function shownBy(
  { kubectl }: Environment,
  namespace: string,
  pod: string,
  port: number,
): Promise<X509Certificate> {
  return whileForwarded(kubectl, { namespace, to: `pod/${pod}`, port }, shownAt);
}

/** The same at an address of this machine. */
async function shownAt(address: string): Promise<X509Certificate> {
  let socket: Socket | TLSSocket | undefined;
  try {
    const [host = "", local] = address.split(":");
    socket = open({ host, port: Number(local) });
    return await new Promise<X509Certificate>((resolve, reject) => {
      const plain = socket as Socket;
      plain.once("error", reject);
      // Length 8, and the code of a request for TLS.
      plain.once("connect", () => plain.write(Buffer.from([0, 0, 0, 8, 4, 210, 22, 47])));
      plain.once("data", (answer) => {
        if (answer.toString() !== "S") return reject(new Error(`no TLS: ${answer.toString()}`));
        socket = connect({ socket: plain, rejectUnauthorized: false }, () => {
          const certificate = (socket as TLSSocket).getPeerX509Certificate();
          if (certificate === undefined) reject(new Error("no certificate"));
          else resolve(certificate);
        });
        socket.once("error", reject);
      });
    });
  } finally {
    socket?.destroy();
  }
}

(process.env.TLS === "1" ? describe : describe.skip)(
  "certificates that another signs (cert-manager built here)",
  () => {
    let env: Environment;
    let stack: ChangedStack;
    let names: string[] = [];
    let first: Issued;
    const crds: string[] = [];

    const base64 = (text: string) => Buffer.from(text).toString("base64");
    const apply = async (...items: object[]) => {
      const input = JSON.stringify({ apiVersion: "v1", kind: "List", items });
      await env.kubectl.run(["apply", "--server-side", "--force-conflicts", "-f", "-"], { input });
    };
    const secret = (
      name: string,
      data: Record<string, string>,
      namespace = env.settings.cluster.namespace,
    ) => ({
      apiVersion: "v1",
      kind: "Secret",
      metadata: { name, namespace, labels: { "cnpg.io/reload": "true" } },
      data: Object.fromEntries(Object.entries(data).map(([key, text]) => [key, base64(text)])),
    });
    const certificate = ({ ca, certificate: own, privateKey }: Issued) =>
      secret(SECRET, { "tls.crt": own, "tls.key": privateKey, "ca.crt": ca });
    const tls =
      (value: object): Edit =>
      (settings) => {
        (settings as { tls?: object }).tls = value;
      };
    const up = async (value: object) => {
      await stack.write([tls(value)]);
      return stack.make("up");
    };
    const healthy = async () => {
      const { exitCode, stdout, stderr } = await run("./pgp", ["health", "--stack", stackName], {
        cwd: projectDir,
        allowFailure: true,
      });
      assert.equal(exitCode, 0, stdout + stderr);
    };
    /** What every instance and every pooler pod shows. */
    async function shown(): Promise<X509Certificate[]> {
      const { namespace, name } = env.settings.cluster;
      const poolers = await Promise.all(
        env.settings.poolers.map((one) =>
          env.kubectl.list("pods", namespace, selectorOf(poolerLabels(name, one.name))),
        ),
      );
      const all: X509Certificate[] = [];
      for (const pod of await env.cluster.names()) all.push(await shownBy(env, namespace, pod, 5432));
      for (const pod of poolers.flat().filter(isReady))
        all.push(await shownBy(env, namespace, pod.metadata.name, 6432));
      return all;
    }
    const shows = (what: string, fits: (one: X509Certificate) => boolean) =>
      until(what, 240, async () => {
        const all = await shown();
        const fitting = all.filter(fits);
        return fitting.length === all.length && all.length > 0
          ? { done: undefined }
          : { why: `${fitting.length} of ${all.length} pods` };
      });

    before(async () => {
      env = await environment();
      stack = await ChangedStack.open();
      await env.cluster.waitHealthy();
    });
    after(async () => {
      if (process.env.LEAVE === "1") return stack?.close();
      await stack.write([]);
      await stack.make("up");
      await stack.close();
      const { namespace } = env.settings.cluster;
      await env.kubectl.run(["-n", namespace, "delete", "secret", "--ignore-not-found", SECRET, BUNDLE]);
      await deleteNamespaces(env, [MANAGER]);
      await env.kubectl.run(["delete", "clusterrolebinding", "--ignore-not-found", MANAGER]);
      if (crds.length > 0)
        await env.kubectl.run(["delete", "customresourcedefinition", "--ignore-not-found", ...crds]);
    });

    it("is refused by `make up` where it is missing, with all names that it must have", async () => {
      const { exitCode, lines } = await up({ issuer: "provided", secretName: SECRET });
      assert.notEqual(exitCode, 0);
      const said = lines.join("\n");
      const found = /tls\.secretName: .* for the names (.*); it is missing\./.exec(said);
      assert.ok(found, said);
      names = (found[1] ?? "").split(", ");
      assert.ok(names.includes(env.pooler.host), names.join());
    });

    it("is shown by every server and pooler, out of a Secret that another program has made", async () => {
      first = await issue(names);
      await apply(certificate(first));
      const { exitCode, lines } = await up({ issuer: "provided", secretName: SECRET });
      assert.equal(exitCode, 0, lines.slice(-5).join("\n"));
      const own = new X509Certificate(first.certificate);
      await shows("its certificate", ({ fingerprint256 }) => fingerprint256 === own.fingerprint256);
    });

    it("is loaded without a restart when it is another one, and a client that trusts the CA connects", async () => {
      const starts = await env.cluster.starts();
      const renewed = await issue(names, "server", first);
      await apply(certificate(renewed));
      const own = new X509Certificate(renewed.certificate);
      await shows("the renewed certificate", ({ fingerprint256 }) => fingerprint256 === own.fingerprint256);
      assert.deepEqual(await env.cluster.starts(), starts);
      await healthy();
    });

    it("comes from another CA, without a restart, where clients trust both", async () => {
      const other = await issue(names);
      await apply(secret(BUNDLE, { "ca.crt": `${first.ca.trim()}\n${other.ca.trim()}\n` }));
      const { exitCode, lines } = await up({ issuer: "provided", secretName: SECRET, caSecretName: BUNDLE });
      assert.equal(exitCode, 0, lines.slice(-5).join("\n"));
      const starts = await env.cluster.starts();
      await apply(certificate({ ...other, ca: `${first.ca.trim()}\n${other.ca.trim()}\n` }));
      const own = new X509Certificate(other.certificate);
      await shows(
        "the other CA's certificate",
        ({ fingerprint256 }) => fingerprint256 === own.fingerprint256,
      );
      assert.deepEqual(await env.cluster.starts(), starts);
      await healthy();
    });

    it("is signed by cert-manager, which is asked for it", async () => {
      await loadBuiltImages([pins.images.certManager]);
      const folder = join(
        await releasedModule("github.com/cert-manager/cert-manager", pins.certManager),
        "deploy/crds",
      );
      for (const file of (await readdir(folder)).filter((one) => one.endsWith(".yaml"))) {
        const text = (await readFile(join(folder, file), "utf8"))
          .split("\n")
          .filter((line) => !line.includes("{{"));
        const crd = parse(text.join("\n")) as { metadata: { name: string; labels?: unknown } };
        delete crd.metadata.labels;
        crds.push(crd.metadata.name);
        await apply(crd);
      }
      const ca = await issue(["unused"]);
      const metadata = { name: MANAGER, namespace: MANAGER };
      const labels = { app: MANAGER };
      await apply(
        { apiVersion: "v1", kind: "Namespace", metadata: { name: MANAGER } },
        { apiVersion: "v1", kind: "ServiceAccount", metadata },
        {
          apiVersion: "rbac.authorization.k8s.io/v1",
          kind: "ClusterRoleBinding",
          metadata: { name: MANAGER },
          roleRef: { apiGroup: "rbac.authorization.k8s.io", kind: "ClusterRole", name: "cluster-admin" },
          subjects: [{ kind: "ServiceAccount", ...metadata }],
        },
        secret("internal-ca", { "tls.crt": ca.ca, "tls.key": ca.caKey }, MANAGER),
        {
          apiVersion: "apps/v1",
          kind: "Deployment",
          metadata,
          spec: {
            selector: { matchLabels: labels },
            template: {
              metadata: { labels },
              spec: {
                serviceAccountName: MANAGER,
                containers: [
                  {
                    name: "controller",
                    image: pins.images.certManager,
                    args: [
                      `--cluster-resource-namespace=${MANAGER}`,
                      `--leader-election-namespace=${MANAGER}`,
                    ],
                  },
                ],
              },
            },
          },
        },
      );
      await until("the kind ClusterIssuer", 60, async () => {
        const { exitCode } = await env.kubectl.run(["get", "clusterissuers.cert-manager.io"], {
          allowFailure: true,
        });
        return exitCode === 0 ? { done: undefined } : { why: "not served yet" };
      });
      await apply({
        apiVersion: "cert-manager.io/v1",
        kind: "ClusterIssuer",
        metadata: { name: "internal-ca" },
        spec: { ca: { secretName: "internal-ca" } },
      });
      await until("an issuer that is ready", 180, async () => {
        const issuer = await env.kubectl.get("clusterissuers.cert-manager.io", "default", "internal-ca");
        return issuer && isReady(issuer) ? { done: undefined } : { why: JSON.stringify(issuer?.status) };
      });
      const missing = await up({
        issuer: "cert-manager",
        issuerRef: { kind: "ClusterIssuer", name: "internal" },
      });
      assert.notEqual(missing.exitCode, 0);
      assert.match(missing.lines.join("\n"), /tls\.issuerRef\.name: "internal" .* it is missing/);

      const { exitCode, lines } = await up({
        issuer: "cert-manager",
        issuerRef: { kind: "ClusterIssuer", name: "internal-ca" },
      });
      assert.equal(exitCode, 0, lines.slice(-5).join("\n"));
      const signer = new X509Certificate(ca.ca);
      await shows(
        "a certificate of cert-manager",
        (one) => one.checkIssued(signer) && one.verify(signer.publicKey),
      );
    });

    it("is renewed by cert-manager, and loaded without a restart", async () => {
      const starts = await env.cluster.starts();
      const [before] = await shown();
      const { namespace, name } = env.settings.cluster;
      // What its own command for that does.
      const condition = {
        type: "Issuing",
        status: "True",
        reason: "ManuallyTriggered",
        message: "by a test",
        lastTransitionTime: new Date().toISOString(),
      };
      const live = await env.kubectl.get("certificates.cert-manager.io", namespace, `${name}-tls`);
      const { conditions = [] } = (live?.status ?? {}) as { conditions?: object[] };
      const patch = JSON.stringify({ status: { conditions: [...conditions, condition] } });
      await env.kubectl.run([
        "-n",
        namespace,
        "patch",
        "certificates.cert-manager.io",
        `${name}-tls`,
        "--subresource=status",
        "--type=merge",
        "-p",
        patch,
      ]);
      await shows("another certificate", ({ fingerprint256 }) => fingerprint256 !== before?.fingerprint256);
      assert.deepEqual(await env.cluster.starts(), starts);
      await healthy();
      say("renewed by cert-manager");
    });
  },
);
