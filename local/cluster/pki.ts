import { chmod, mkdir, readFile, rename, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { exists } from "../../shell/paths";
import { run } from "../../shell/process";
import { nodes, paths, settings } from "./settings";

/** A certificate of the cluster: who it names, who signs it, and under which names its holder is reached. */
export interface Certificate {
  name: string;
  ca: "ca" | "etcd-ca" | "front-proxy-ca";
  subject: string;
  alternativeNames?: readonly string[];
}

const cas = ["ca", "etcd-ca", "front-proxy-ca"] as const;

/** Ten years: the cluster is for trying things out, and nothing renews its certificates. */
const days = "3650";

export const certificates: readonly Certificate[] = [
  {
    name: "apiserver",
    ca: "ca",
    subject: "/CN=kube-apiserver",
    alternativeNames: [
      "DNS:kubernetes",
      "DNS:kubernetes.default",
      "DNS:kubernetes.default.svc",
      "DNS:kubernetes.default.svc.cluster.local",
      `IP:${settings.apiAddress}`,
      `IP:${settings.kubernetesServiceAddress}`,
    ],
  },
  {
    name: "apiserver-kubelet-client",
    ca: "ca",
    subject: "/O=system:masters/CN=kube-apiserver-kubelet-client",
  },
  { name: "front-proxy-client", ca: "front-proxy-ca", subject: "/CN=front-proxy-client" },
  { name: "etcd", ca: "etcd-ca", subject: "/CN=etcd", alternativeNames: ["IP:127.0.0.1"] },
  { name: "admin", ca: "ca", subject: "/O=system:masters/CN=admin" },
  { name: "controller-manager", ca: "ca", subject: "/CN=system:kube-controller-manager" },
  { name: "scheduler", ca: "ca", subject: "/CN=system:kube-scheduler" },
  { name: "proxy", ca: "ca", subject: "/CN=system:kube-proxy" },
  { name: "netpol", ca: "ca", subject: `/CN=${settings.name}:netpol` },
  ...nodes.map((node): Certificate => ({
    name: node.name,
    ca: "ca",
    subject: `/O=system:nodes/CN=system:node:${node.name}`,
    alternativeNames: [`DNS:${node.name}`, `IP:${node.address}`],
  })),
];

export const pkiFile = (name: string): string => join(paths.pki, name);

/** Makes a file under a passing name first, so that an interrupted run leaves no half of it. */
async function once(file: string, make: (unfinished: string) => Promise<void>): Promise<void> {
  if (await exists(file)) return;
  const unfinished = `${file}.unfinished`;
  await make(unfinished);
  await rename(unfinished, file);
}

const newKey = ["-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes"];

async function makeCa(name: string): Promise<void> {
  // The certificate comes last: where it is, its key is.
  await once(pkiFile(`${name}.crt`), async (unfinished) => {
    const key = pkiFile(`${name}.key`);
    await run("openssl", [
      ...["req", "-x509", ...newKey, "-keyout", key, "-out", unfinished, "-days", days],
      ...["-subj", `/CN=${settings.name}-${name}`],
    ]);
  });
}

async function makeCertificate(certificate: Certificate): Promise<void> {
  const { name, ca } = certificate;
  await once(pkiFile(`${name}.crt`), async (unfinished) => {
    const request = pkiFile(`${name}.csr`);
    const extensions = pkiFile(`${name}.ext`);
    const names = certificate.alternativeNames ?? [];
    const usage = "extendedKeyUsage=clientAuth,serverAuth\n";
    await writeFile(extensions, names.length === 0 ? usage : `${usage}subjectAltName=${names.join(",")}\n`);
    const key = pkiFile(`${name}.key`);
    await run("openssl", [
      "req",
      "-new",
      ...newKey,
      "-keyout",
      key,
      "-out",
      request,
      "-subj",
      certificate.subject,
    ]);
    await run("openssl", [
      ...["x509", "-req", "-in", request, "-CA", pkiFile(`${ca}.crt`), "-CAkey", pkiFile(`${ca}.key`)],
      ...["-set_serial", `0x${Buffer.from(crypto.getRandomValues(new Uint8Array(8))).toString("hex")}`],
      ...["-days", days, "-extfile", extensions, "-out", unfinished],
    ]);
  });
}

/** The text of a kubeconfig for one of the certificates. */
export function renderKubeconfig(ca: Buffer, certificate: Buffer, key: Buffer): string {
  const { name } = settings;
  const config = {
    apiVersion: "v1",
    kind: "Config",
    "current-context": name,
    clusters: [
      {
        name,
        cluster: {
          server: `https://${settings.apiAddress}:${settings.apiPort}`,
          "certificate-authority-data": ca.toString("base64"),
        },
      },
    ],
    users: [
      {
        name,
        user: {
          "client-certificate-data": certificate.toString("base64"),
          "client-key-data": key.toString("base64"),
        },
      },
    ],
    contexts: [{ name, context: { cluster: name, user: name } }],
  };
  return `${JSON.stringify(config, undefined, 2)}\n`;
}

async function writeKubeconfig(certificate: string, file: string): Promise<void> {
  const [ca, own, key] = await Promise.all(
    ["ca.crt", `${certificate}.crt`, `${certificate}.key`].map((name) => readFile(pkiFile(name))),
  );
  if (!ca || !own || !key) throw new Error(`The certificate ${certificate} is incomplete.`);
  await writeFile(file, renderKubeconfig(ca, own, key), { mode: 0o600 });
  await chmod(file, 0o600);
}

/** Makes the CAs, certificates and kubeconfigs that are missing; existing ones stay as they are. */
export async function ensurePki(): Promise<void> {
  await mkdir(paths.pki, { recursive: true, mode: 0o700 });
  await chmod(paths.pki, 0o700);
  await Promise.all(cas.map(makeCa));
  await once(pkiFile("service-accounts.key"), async (unfinished) => {
    await run("openssl", ["genrsa", "-out", unfinished, "2048"]);
  });
  await once(pkiFile("service-accounts.pub"), async (unfinished) => {
    await run("openssl", ["rsa", "-in", pkiFile("service-accounts.key"), "-pubout", "-out", unfinished]);
  });
  await Promise.all(certificates.map(makeCertificate));
  const users = ["controller-manager", "scheduler", "proxy", "netpol", ...nodes.map((node) => node.name)];
  await Promise.all(users.map((user) => writeKubeconfig(user, pkiFile(`${user}.kubeconfig`))));
  await writeKubeconfig("admin", paths.kubeconfig);
}
