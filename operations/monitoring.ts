import { type AddressInfo, createServer } from "node:net";
import { setTimeout as delay } from "node:timers/promises";
import {
  installationOf,
  type Installation,
  grafanaKeys,
  instance,
  names,
  ports,
  services,
} from "../plan/monitoring/install/names";
import type { Settings } from "../settings/schema";
import { type Progress } from "../shell/progress";
import { UserError } from "../shell/userError";
import type { Subject } from "./health";
import type { Kubectl } from "./kubectl";

/** `make monitoring`: the pages of what the stack has installed, at this machine. */

interface Page {
  readonly title: string;
  readonly service: string;
  readonly port: number;
  readonly scheme: "http" | "https";
}

/** The pages of what is installed. */
export function pagesIn({ install }: Installation): Page[] {
  const scheme = install.tls ? "https" : "http";
  return [
    { title: "Prometheus", service: services.prometheus, port: ports.prometheus, scheme },
    { title: "Alertmanager", service: services.alertmanager, port: ports.alertmanager, scheme },
    // It has no certificate: nothing but a port-forward reaches it.
    ...(install.grafana
      ? [{ title: "Grafana", service: names.grafana, port: ports.grafana, scheme: "http" as const }]
      : []),
  ];
}

/** What must be there before the pages are opened, as kubectl names it. */
const waitedFor = ({ install }: Installation): string[] => [
  ...["prometheus", "alertmanager"].map((kind) => `${kind}.monitoring.coreos.com/${instance}`),
  ...(install.grafana ? [`deployment.apps/${names.grafana}`] : []),
];

/** How one gets the password of Grafana, which no output has. */
export const passwordCommand = (namespace: string): string =>
  `kubectl -n ${namespace} get secret ${names.grafanaSecret} -o jsonpath='{.data.${grafanaKeys.password}}' | base64 -d`;

const LOOPBACK = "127.0.0.1";
const AGAIN_MS = 1000;

/** What is installed, and has pages; throws one sentence where the stack installs nothing. */
export function pagesOf(settings: Settings): Installation {
  const installation = installationOf(settings);
  if (installation !== undefined) return installation;
  const { prometheus } = settings.monitoring;
  throw new UserError([
    `pgplatform:monitoring.prometheus is ${prometheus}: this stack has installed no Prometheus whose page could be opened. ` +
      "Allowed: install. Fix: set it to install, and run `make up`.",
  ]);
}

const isFree = (port: number): Promise<boolean> =>
  new Promise((resolve) => {
    const server = createServer()
      .once("error", () => resolve(false))
      .listen(port, LOOPBACK, () => server.close(() => resolve(true)));
  });

/** A port of this machine that nothing listens on. */
export const freePort = (wanted = 0): Promise<number> =>
  new Promise((resolve, reject) => {
    const server = createServer()
      .once("error", reject)
      .listen(wanted, LOOPBACK, () => {
        const { port } = server.address() as AddressInfo;
        server.close(() => resolve(port));
      });
  });

/** The address in the line by which kubectl says where it listens. */
export const addressIn = (line: string): string | undefined =>
  /^Forwarding from (127\.0\.0\.1:\d+) ->/.exec(line)?.[1];

/** Keeps one page open until the signal, also when its pod becomes another one. */
async function keepOpen(
  { title, service, port, scheme }: Page,
  { namespace }: Installation,
  kubectl: Kubectl,
  progress: Progress,
  signal: AbortSignal,
): Promise<void> {
  let local = (await isFree(port)) ? port : 0;
  const opened = (line: string) => {
    const address = addressIn(line);
    if (address === undefined) return;
    // Opened again, it is where it was.
    local = Number(address.split(":").at(-1));
    progress.line(`  ${title}: ${scheme}://${address}`);
  };
  while (!signal.aborted) {
    await kubectl
      .run(
        [
          ...["-n", namespace, "port-forward", "--address", LOOPBACK, `service/${service}`],
          `${local === 0 ? "" : local}:${port}`,
        ],
        { onLine: opened, ownGroup: true, signal },
      )
      .catch((error: unknown) => {
        if (!signal.aborted) progress.line(`  ${title}: ${(error as Error).message}; opened again …`);
      });
    await delay(AGAIN_MS, undefined, { signal }).catch(() => undefined);
  }
}

/** Opens the pages and says their addresses, until the signal. */
export async function openPages(
  { settings, kubectl }: Subject,
  progress: Progress,
  signal: AbortSignal,
): Promise<void> {
  const installation = pagesOf(settings);
  const { namespace } = installation;
  const ready = await kubectl.run(
    [...["-n", namespace, "wait", "--for=condition=Available", "--timeout=60s"], ...waitedFor(installation)],
    { allowFailure: true, signal },
  );
  if (ready.exitCode !== 0)
    throw new UserError([
      `Prometheus${installation.install.grafana ? ", Alertmanager or Grafana" : " or Alertmanager"} in namespace ${namespace} is not available (${ready.stderr.trim().split("\n").at(-1)}). Fix: \`make up\`, which makes them, and says what is wrong.`,
    ]);
  progress.line("the pages, until Ctrl-C:");
  if (installation.install.grafana)
    progress.line(`  Grafana's user is admin, its password: ${passwordCommand(namespace)}`);
  await Promise.all(
    pagesIn(installation).map((page) => keepOpen(page, installation, kubectl, progress, signal)),
  );
}
