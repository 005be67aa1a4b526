import assert from "node:assert/strict";
import { setTimeout as delay } from "node:timers/promises";
import { subjectWith } from "../../operations/context";
import { type Kubectl, type KubeObject } from "../../operations/kubectl";
import type { LogRecord } from "../../operations/logLines";
import { LogFollower, logOptions } from "../../operations/logs";
import { changed, checked, smallest } from "../support/settings";

type OnLine = (line: string) => void;
interface Stream {
  readonly args: readonly string[];
  readonly onLine: OnLine;
  end(): void;
}

/** A stand-in for kubectl: pods that a test gives, and streams into which it writes; a stream ends by the test or by the signal. */
class StandInKubectl {
  readonly open: Stream[] = [];
  pods: KubeObject[] = [];
  past: Record<string, string[]> = {};

  list(_kind: string, _namespace: string, selector: string): Promise<KubeObject[]> {
    return Promise.resolve(
      this.pods.filter(
        (pod) => (pod.metadata.labels?.of ?? "") === (selector.includes("pgbouncer") ? "pooler" : "instance"),
      ),
    );
  }

  stream(args: readonly string[], onLine: OnLine, signal: AbortSignal): Promise<void> {
    if (args.includes("logs") && !args.includes("--follow")) {
      (this.past[args[3] ?? ""] ?? []).forEach(onLine);
      return Promise.resolve();
    }
    return new Promise((resolve) => {
      const stream = {
        args,
        onLine,
        end: () => {
          this.open.splice(this.open.indexOf(stream), 1);
          resolve();
        },
      };
      this.open.push(stream);
      signal.addEventListener("abort", () => stream.end(), { once: true });
    });
  }

  of(...words: string[]): Stream | undefined {
    return this.open.find(({ args }) => words.every((word) => args.some((one) => one.includes(word))));
  }
}

const pod = (name: string, role: "primary" | "replica" | "pooler", uid = `uid of ${name}`): KubeObject =>
  ({
    apiVersion: "v1",
    kind: "Pod",
    metadata: {
      name,
      uid,
      labels: { of: role === "pooler" ? "pooler" : "instance", "cnpg.io/instanceRole": role },
    },
    status: {
      initContainerStatuses: [{ name: "plugin-barman-cloud", containerID: "" }],
      containerStatuses: [
        { name: role === "pooler" ? "pgbouncer" : "postgres", containerID: "containerd://1" },
        { name: "exporter", containerID: "containerd://2" },
      ],
    },
  }) as KubeObject;

const line = (second: string, message: string) =>
  `2026-11-29T16:30:${second}Z ${JSON.stringify({ level: "info", ts: `2026-11-29T16:30:${second}Z`, msg: message })}`;

describe("make logs, with a stand-in for kubectl", () => {
  let kubectl: StandInKubectl;
  let records: LogRecord[];
  let end: AbortController;
  let follower: LogFollower;
  const said: string[] = [];

  beforeEach(() => {
    kubectl = new StandInKubectl();
    records = [];
    end = new AbortController();
    said.length = 0;
    const settings = checked(changed(smallest(), "poolers", [{ name: "app", database: "app" }]));
    const subject = {
      ...subjectWith(settings, { kubeconfig: undefined, context: "none" }, []),
      kubectl: kubectl as unknown as Kubectl,
    };
    const options = logOptions({ follow: true, since: "10m", level: "debug", json: true, colour: false });
    follower = new LogFollower(
      subject,
      options,
      (text) => records.push(JSON.parse(text) as LogRecord),
      (text) => said.push(text),
      end.signal,
    );
  });
  afterEach(() => end.abort());

  const until = async (what: string, holds: () => boolean) => {
    for (const deadline = Date.now() + 10_000; Date.now() < deadline; await delay(10)) if (holds()) return;
    assert.fail(`${what} did not happen`);
  };
  const messages = () => records.map(({ instance, role, message }) => `${instance} ${role}: ${message}`);
  const event = (type: string, object: KubeObject) => {
    const watch = kubectl.of("--watch", object.metadata.labels?.of === "pooler" ? "pgbouncer" : "cnpg.io");
    assert.ok(watch, "nothing watches");
    watch.onLine(JSON.stringify({ type, object }));
  };

  it("sorts what is past, of instances and poolers", async () => {
    kubectl.pods = [pod("main-1", "primary"), pod("main-2", "replica"), pod("main-pooler-app-x", "pooler")];
    kubectl.past = {
      "main-1": [line("20.5", "second"), line("22", "fourth")],
      "main-2": [line("20.12", "first"), "error: of kubectl's own"],
      "main-pooler-app-x": ["2026-11-29T16:30:21.000Z 2026-11-29 16:30:21.000 UTC [1] LOG third"],
    };
    await follower.past();
    assert.deepEqual(messages(), [
      "main-2 standby: first",
      "main-1 primary: second",
      "main-pooler-app-x pooler: third",
      "main-1 primary: fourth",
    ]);
    assert.deepEqual(
      records.map(({ time, namespace, cluster, source }) => [time.slice(17), namespace, cluster, source]),
      [
        ["20.120Z", "postgres", "main", "instance-manager"],
        ["20.500Z", "postgres", "main", "instance-manager"],
        ["21.000Z", "postgres", "main", "pgbouncer"],
        ["22.000Z", "postgres", "main", "instance-manager"],
      ],
    );
  });

  it("notices a new role, and says it in a line of its own", async () => {
    const work = follower.follow();
    await until("the watch", () => kubectl.of("--watch", "cnpg.io") !== undefined);
    event("ADDED", pod("main-1", "replica"));
    const stream = kubectl.of("logs", "main-1");
    assert.ok(stream);
    stream.onLine(line("20", "before"));
    event("MODIFIED", pod("main-1", "primary"));
    event("MODIFIED", pod("main-1", "primary"));
    stream.onLine(line("21", "after"));
    assert.deepEqual(messages(), [
      "main-1 standby: before",
      "main-1 primary: is primary now; it was standby",
      "main-1 primary: after",
    ]);
    assert.equal(kubectl.of("logs", "exporter"), undefined);
    end.abort();
    await work;
    assert.deepEqual(kubectl.open, []);
  });

  it("opens a stream again that has ended, after the last line that it read, and repeats none", async () => {
    const work = follower.follow();
    await until("the watch", () => kubectl.of("--watch", "cnpg.io") !== undefined);
    event("ADDED", pod("main-1", "primary"));
    const first = kubectl.of("logs", "main-1");
    assert.ok(first);
    first.onLine(line("20.5", "one"));
    first.onLine(line("20.5", "one, too"));
    first.end();
    await until("another stream", () => kubectl.of("logs", "main-1") !== undefined);
    const second = kubectl.of("logs", "main-1", "--since-time=2026-11-29T16:30:20.500000000Z");
    assert.ok(second);
    second.onLine(line("20.1", "zero"));
    second.onLine(line("20.5", "one"));
    second.onLine(line("20.51", "two"));
    assert.deepEqual(messages(), ["main-1 primary: one", "main-1 primary: one, too", "main-1 primary: two"]);
    end.abort();
    await work;
  });

  it("takes up a pod of the same name that comes back, and lets the old one go", async () => {
    const work = follower.follow();
    await until("the watch", () => kubectl.of("--watch", "cnpg.io") !== undefined);
    event("ADDED", pod("main-1", "primary", "old"));
    kubectl.of("logs", "main-1")?.onLine(line("20", "old"));
    event("DELETED", pod("main-1", "primary", "old"));
    kubectl.of("logs", "main-1")?.end();
    event("ADDED", pod("main-1", "replica", "new"));
    const streams = () => kubectl.open.filter(({ args }) => args.includes("logs"));
    assert.equal(streams().length, 1);
    streams()[0]?.onLine(line("19", "new"));
    assert.deepEqual(messages(), ["main-1 primary: old", "main-1 standby: new"]);
    end.abort();
    await work;
  });

  it("lets pods go that went while no watch told of it, and says when the API server doesn't answer", async () => {
    const work = follower.follow();
    await until("the watch", () => kubectl.of("--watch", "cnpg.io") !== undefined);
    event("ADDED", pod("main-1", "primary", "old"));
    kubectl.of("--watch", "cnpg.io")?.onLine("Unable to connect to the server: connection refused");
    kubectl.of("--watch", "cnpg.io")?.end();
    await until("another watch", () => kubectl.of("--watch", "cnpg.io") !== undefined);
    assert.deepEqual(said, [
      "the API server doesn't answer: Unable to connect to the server: connection refused; it is asked again until it does",
    ]);
    kubectl.of("logs", "main-1")?.end();
    event("ADDED", pod("main-2", "primary"));
    await until("the new pod's stream", () => kubectl.of("logs", "main-2") !== undefined);
    assert.equal(kubectl.of("logs", "main-1"), undefined);
    end.abort();
    await work;
  });
});
