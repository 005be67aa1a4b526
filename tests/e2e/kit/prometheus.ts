import { openPages } from "../../../operations/monitoring";
import { Progress } from "../../../shell/progress";
import { pins } from "../../../releases/pins";
import { type Environment } from "./environment";
import { until } from "./wait";

/** The Prometheus that the stack has installed, asked by its own interface, and a receiver of alerts that is the tests' own. */

export type Labels = Readonly<Record<string, string>>;
interface Answer {
  readonly status: "success" | "error";
  readonly error?: string;
  readonly data?: unknown;
}
interface Series {
  readonly metric: Labels;
}
/** An alert as Prometheus has it, whether Alertmanager tells anybody or not. */
export interface Active {
  readonly labels: Labels;
  readonly state: "pending" | "firing";
}

export class Prometheus {
  private constructor(
    private readonly address: string,
    private readonly closing: AbortController,
  ) {}

  /** Opens its page as `make monitoring` does. */
  static async open(env: Environment): Promise<Prometheus> {
    const closing = new AbortController();
    let address: string | undefined;
    const progress = new Progress((line) => {
      address ??= /Prometheus: (http:\/\/\S+)/.exec(line)?.[1];
    });
    const opening = openPages(env, progress, closing.signal);
    opening.catch(() => undefined);
    const found = await until("Prometheus' page is open", 120, () =>
      Promise.resolve(address === undefined ? { why: "no address yet" } : { done: address }),
    );
    return new Prometheus(found, closing);
  }

  close(): void {
    this.closing.abort();
  }

  private async get(path: string, parameters: Readonly<Record<string, string>> = {}): Promise<unknown> {
    const response = await fetch(
      `${this.address}/api/v1/${path}?${new URLSearchParams(parameters).toString()}`,
    );
    const answer = (await response.json()) as Answer;
    if (answer.status !== "success") throw new Error(answer.error ?? `HTTP ${response.status}`);
    return answer.data;
  }

  /** The label sets of what an expression gives now; throws where it is none. */
  async query(expr: string): Promise<Labels[]> {
    const { resultType, result } = (await this.get("query", { query: expr })) as {
      resultType: string;
      result: unknown;
    };
    return resultType === "vector" ? (result as Series[]).map(({ metric }) => metric) : [{}];
  }

  async series(selector: string): Promise<Labels[]> {
    const since = String(Math.floor(Date.now() / 1000) - 300);
    return (await this.get("series", { "match[]": selector, start: since })) as Labels[];
  }

  async alerts(): Promise<Active[]> {
    return ((await this.get("alerts")) as { alerts: Active[] }).alerts;
  }
}

/** What a message of Alertmanager's says of an alert. */
export interface Told {
  readonly status: "firing" | "resolved";
  readonly labels: Labels;
}

const server = `
import http.server, sys
class Handler(http.server.BaseHTTPRequestHandler):
    def do_POST(self):
        body = self.rfile.read(int(self.headers["Content-Length"]))
        print(body.decode().replace("\\n", " "), flush=True)
        self.send_response(200)
        self.end_headers()
    def log_message(self, *_):
        pass
http.server.HTTPServer(("", 8080), Handler).serve_forever()
`;

/** A pod that prints each message that Alertmanager sends it. */
export const receiver = {
  namespace: "alert-receiver",
  name: "receiver",
  labels: { app: "alert-receiver" },
  port: 8080,

  async start({ kubectl }: Environment): Promise<void> {
    const { namespace, name, labels, port } = receiver;
    const metadata = { name, namespace, labels };
    await kubectl.apply({ apiVersion: "v1", kind: "Namespace", metadata: { name: namespace } });
    await kubectl.apply({
      apiVersion: "v1",
      kind: "Service",
      metadata,
      spec: { selector: labels, ports: [{ port: 80, targetPort: port }] },
    });
    await kubectl.apply({
      apiVersion: "v1",
      kind: "Pod",
      metadata,
      spec: {
        terminationGracePeriodSeconds: 1,
        containers: [{ name, image: pins.images.client, command: ["python3", "-c", server] }],
      },
    });
  },

  /** All that it was told, oldest first. */
  async told({ kubectl }: Environment): Promise<Told[]> {
    const { stdout } = await kubectl.run(["-n", receiver.namespace, "logs", receiver.name, "--tail=-1"]);
    return stdout
      .split("\n")
      .filter((line) => line.startsWith("{"))
      .flatMap((line) => (JSON.parse(line) as { alerts: Told[] }).alerts);
  },
};
