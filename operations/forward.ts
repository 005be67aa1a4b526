import { request as http } from "node:http";
import { request as https } from "node:https";
import { addressIn } from "./monitoring";
import type { Kubectl } from "./kubectl";

interface To {
  readonly namespace: string;
  readonly service: string;
  readonly port: number;
}

interface Asked {
  readonly path: string;
  readonly tls: boolean;
}

const PATIENCE_MS = 4_000;

/** One GET. The way through the API server to the very pod is authenticated: the certificate, which names the Service, adds nothing. */
function get(address: string, { path, tls }: Asked, signal: AbortSignal): Promise<string> {
  const [host, port] = address.split(":");
  const options = { host, port, path, signal, headers: { accept: "application/json" } };
  return new Promise((resolve, reject) => {
    const sent = (tls ? https : http)({ ...options, ...(tls && { rejectUnauthorized: false }) }, (answer) => {
      const parts: Buffer[] = [];
      answer.on("data", (part: Buffer) => parts.push(part));
      answer.on("end", () => {
        const text = Buffer.concat(parts).toString();
        if (answer.statusCode === 200) resolve(text);
        else reject(new Error(`HTTP ${answer.statusCode}`));
      });
      answer.on("error", reject);
    });
    sent.on("error", reject);
    sent.end();
  });
}

/** Works through kubectl's port-forward to a port of `pod/…` or `service/…`, which is gone afterwards; `work` gets the address on this machine. */
export async function whileForwarded<T>(
  kubectl: Kubectl,
  { namespace, to, port }: { readonly namespace: string; readonly to: string; readonly port: number },
  work: (address: string) => Promise<T>,
  end = new AbortController(),
): Promise<T> {
  let opened: ((address: string) => void) | undefined;
  const address = new Promise<string>((resolve) => (opened = resolve));
  const forward = kubectl.stream(
    ["-n", namespace, "port-forward", "--address", "127.0.0.1", to, `:${port}`],
    (line) => {
      const found = addressIn(line);
      if (found !== undefined) opened?.(found);
    },
    end.signal,
  );
  try {
    const closed = forward.then(() => Promise.reject(new Error(`${to} can't be reached`)));
    closed.catch(() => undefined);
    return await work(await Promise.race([address, closed]));
  } finally {
    end.abort();
    await forward;
  }
}

/** Asks a Service's pod one thing through kubectl's port-forward. */
export async function throughForward(
  kubectl: Kubectl,
  { namespace, service, port }: To,
  asked: Asked,
): Promise<string> {
  const end = new AbortController();
  // A status has been shown by then.
  const late = setTimeout(() => end.abort(), PATIENCE_MS);
  try {
    const to = { namespace, to: `service/${service}`, port };
    return await whileForwarded(kubectl, to, (address) => get(address, asked, end.signal), end);
  } finally {
    clearTimeout(late);
  }
}
