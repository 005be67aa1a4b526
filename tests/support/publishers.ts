import { spawnSync } from "node:child_process";
import { createHash } from "node:crypto";
import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { createServer, type IncomingMessage, type Server, type ServerResponse } from "node:http";
import { createServer as createTlsServer } from "node:https";
import { type AddressInfo, connect, type Socket } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { releasedModule } from "../../local/toolchain/go";
import { pins } from "../../releases/pins";

/** Stand-ins on loopback for the hosts that publish tools and manifests. They speak the formats that the real ones speak. */

export type Answer = (request: IncomingMessage, response: ServerResponse) => void;

export const body =
  (content: string | Buffer, status = 200): Answer =>
  (_request, response) => {
    const bytes = Buffer.from(content);
    response.writeHead(status, { "content-length": bytes.length }).end(bytes);
  };

export const redirect =
  (location: string): Answer =>
  (_request, response) => {
    response.writeHead(302, { location }).end();
  };

/** Says how long the body is, and breaks off after half of it. */
export const half =
  (content: string): Answer =>
  (_request, response) => {
    response.writeHead(200, { "content-length": content.length });
    response.write(content.slice(0, content.length / 2), () => response.destroy());
  };

/** A body of no said length that ends in the middle of a chunk. */
export const halfChunked =
  (content: string): Answer =>
  (_request, response) => {
    response.writeHead(200, { "transfer-encoding": "chunked" });
    response.write(content.slice(0, content.length / 2), () => response.destroy());
  };

export const silent: Answer = () => undefined;

/** One answer after the other; the last one stays. */
export function inTurn(...answers: [Answer, ...Answer[]]): Answer {
  let asked = 0;
  return (request, response) => answers[Math.min(asked++, answers.length - 1)]!(request, response);
}

export const hexOf = (algorithm: "sha256" | "sha1", content: string | Buffer): string =>
  createHash(algorithm).update(content).digest("hex");

export interface Listening {
  readonly port: number;
  /** What was asked for: paths, or the targets of a proxy. */
  readonly asked: string[];
  close(): Promise<void>;
}

function listening(server: Server, asked: string[]): Promise<Listening> {
  const sockets = new Set<Socket>();
  server.on("connection", (socket: Socket) => {
    sockets.add(socket);
    socket.once("close", () => sockets.delete(socket));
  });
  return new Promise((resolve) => {
    server.listen(0, "127.0.0.1", () =>
      resolve({
        port: (server.address() as AddressInfo).port,
        asked,
        close: () =>
          new Promise((closed) => {
            server.close(() => closed());
            sockets.forEach((socket) => socket.destroy());
          }),
      }),
    );
  });
}

/** Answers by path, over TLS where there is a certificate; 404 for all others. */
export function serve(
  answers: Readonly<Record<string, Answer>>,
  tls?: { cert: string; key: string },
): Promise<Listening> {
  const asked: string[] = [];
  const handle: Answer = (request, response) => {
    const path = request.url ?? "";
    asked.push(path);
    (answers[path] ?? body("Not Found", 404))(request, response);
  };
  return listening(tls ? createTlsServer(tls, handle) : createServer(handle), asked);
}

/** An HTTP proxy that knows one host by name, which no resolver does: `CONNECT` for TLS, and whole addresses for plain HTTP. */
export function serveProxy(name: string, port: number): Promise<Listening> {
  const asked: string[] = [];
  const known = (host: string) => host === name;
  const server = createServer((request, response) => {
    asked.push(`${request.method} ${request.url}`);
    const target = new URL(request.url ?? "");
    if (!known(target.hostname)) return void response.writeHead(403).end();
    const upstream = connect(port, "127.0.0.1", () =>
      upstream.write(`GET ${target.pathname} HTTP/1.1\r\nhost: ${target.host}\r\nconnection: close\r\n\r\n`),
    );
    upstream.pipe(response.socket!);
  });
  server.on("connect", (request: IncomingMessage, socket: Socket) => {
    asked.push(`CONNECT ${request.url}`);
    if (!known((request.url ?? "").split(":")[0]!)) return void socket.end("HTTP/1.1 403 Forbidden\r\n\r\n");
    const upstream = connect(port, "127.0.0.1", () => {
      socket.write("HTTP/1.1 200 Connection established\r\n\r\n");
      upstream.pipe(socket);
      socket.pipe(upstream);
    });
    for (const end of [upstream, socket])
      end.on("error", () => [upstream, socket].forEach((one) => one.destroy()));
  });
  return listening(server, asked);
}

function archive(folder: string, files: readonly string[]): Buffer {
  const root = mkdtempSync(join(tmpdir(), "pgp-archive-"));
  mkdirSync(join(root, folder), { recursive: true });
  for (const file of files)
    writeFileSync(join(root, folder, file), `#!/bin/sh\necho ${file}\n`, { mode: 0o755 });
  const entries = folder === "." ? files : [folder];
  // The publisher's build has a user of its own.
  const owner = ["--owner=runner:1001", "--group=runner:1001"];
  const packed = spawnSync("tar", ["-C", root, ...owner, "-czf", "-", ...entries], { maxBuffer: 1 << 24 });
  rmSync(root, { recursive: true });
  return packed.stdout;
}

/** What a moved tag has in the place of the release. */
export const moved = "kind: ConfigMap # of another commit\n";

/** Every file that `make tools` takes, at the paths that a mirror has: the publisher's host is the first folder. */
export async function publications(): Promise<Record<string, Answer>> {
  const os = process.platform;
  const cpu = process.arch === "x64" ? "amd64" : process.arch;
  const answers: Record<string, Answer> = {};
  const { pulumi, kubectl, pulumiKubernetes, pulumiRandom } = pins.tools;

  /** GitHub answers with an address of another host that holds for minutes. */
  const asset = (repository: string, version: string, name: string, content: string | Buffer) => {
    const stored = `/release-assets.githubusercontent.com/${repository}/${name}?sp=r&sig=abc`;
    answers[`/github.com/${repository}/releases/download/v${version}/${name}`] = redirect(stored);
    answers[stored] = body(content);
  };

  const cli = archive("pulumi", ["pulumi", "pulumi-language-nodejs", "pulumi-watch"]);
  const cliName = `pulumi-v${pulumi.version}-${os}-${process.arch}.tar.gz`;
  answers[`/get.pulumi.com/releases/sdk/${cliName}`] = body(cli);
  const cliSums = `${"0".repeat(64)}  pulumi-v${pulumi.version}-windows-x64.zip\n${hexOf("sha256", cli)}  ${cliName}\n`;
  asset("pulumi/pulumi", pulumi.version, `pulumi-${pulumi.version}-checksums.txt`, cliSums);

  const provider = (name: string, version: string, sums: (file: string, content: Buffer) => string) => {
    const file = `pulumi-resource-${name}-v${version}-${os}-${cpu}.tar.gz`;
    const content = archive(".", [`pulumi-resource-${name}`, "README.md"]);
    asset(`pulumi/pulumi-${name}`, version, file, content);
    asset(`pulumi/pulumi-${name}`, version, `pulumi-${name}_${version}_checksums.txt`, sums(file, content));
  };
  provider(
    "kubernetes",
    pulumiKubernetes.version,
    (file, content) => `${hexOf("sha256", content)}  ${file}\n`,
  );
  // `shasum ./*.tar.gz`
  provider("random", pulumiRandom.version, (file, content) => `${hexOf("sha1", content)}  ./${file}\n`);

  const program = "#!/bin/sh\necho kubectl\n";
  for (const [name, content] of [
    ["kubectl", program],
    ["kubectl.sha256", hexOf("sha256", program)],
  ] as const) {
    const path = `release/v${kubectl.version}/bin/${os}/${cpu}/${name}`;
    answers[`/dl.k8s.io/${path}`] = redirect(`/cdn.dl.k8s.io/${path}`);
    answers[`/cdn.dl.k8s.io/${path}`] = body(content);
  }

  const manifests = {
    cnpg: ["cloudnative-pg/cloudnative-pg", pins.operators.cnpg],
    barmanPlugin: ["cloudnative-pg/plugin-barman-cloud", pins.backupPlugin],
    zalando: ["zalando/postgres-operator", pins.operators.zalando],
    prometheusOperator: ["prometheus-operator/prometheus-operator", pins.monitoring.operator],
  } as const;
  for (const [part, [repository, version]] of Object.entries(manifests)) {
    const key = part as keyof typeof manifests;
    const folder = await releasedModule(`github.com/${repository}`, version);
    for (const file of Object.keys(pins.manifests[key])) {
      const at = (reference: string) => `/raw.githubusercontent.com/${repository}/${reference}/${file}`;
      answers[at(pins.commits[key])] = body(readFileSync(join(folder, file)));
      answers[at(`v${version}`)] = body(moved);
    }
  }
  return answers;
}
