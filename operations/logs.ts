import { setTimeout as delay } from "node:timers/promises";
import type { Labels } from "../plan/network";
import { type Level, levels, type LineReader, reaches } from "../plan/logs/record";
import { poolerLabels } from "../plan/names";
import { logs as poolerReaders } from "../plan/pooler/logs";
import { Progress } from "../shell/progress";
import { UserError } from "../shell/userError";
import { type KubeObject, selectorOf } from "./kubectl";
import {
  comparable,
  eventIn,
  jsonLine,
  type LogRecord,
  shownLine,
  stamped,
  type WatchEvent,
} from "./logLines";
import { InterruptedError, interruptible } from "./session";
import { begunContainers } from "./status/pods";
import { type Platform } from "./platform";

export interface LogOptions {
  readonly follow: boolean;
  /** How far back, such as 10m. */
  readonly since: string;
  readonly level: Level;
  readonly json: boolean;
  readonly colour: boolean;
}

/** What a person gave, checked. */
export function logOptions(given: {
  follow: boolean;
  since: string;
  level: string;
  json: boolean;
  colour: boolean;
}): LogOptions {
  const { level, since } = given;
  const problems = [
    ...(/^[1-9]\d{0,6}[smh]$/.test(since)
      ? []
      : [`--since: "${since}" is not allowed. Allowed: a duration such as 30s, 10m or 2h. Fix: write one.`]),
    ...(levels.some((one) => one === level)
      ? []
      : [`--level: "${level}" is not allowed. Allowed: ${levels.join(", ")}. Fix: choose one.`]),
  ];
  if (problems.length > 0) throw new UserError(problems);
  return { ...given, level: level as Level };
}

/** How long what has ended, a container's log or a watch, waits until it is asked for again. */
const AGAIN_MS = 1000;

/** Pods of one kind: how they are found, what each is, and how the lines of its containers are read. */
interface Kind {
  readonly selector: Labels;
  readonly role: (pod: KubeObject) => string;
  readonly readers: Readonly<Record<string, LineReader>>;
}

function kindsOf({ settings, engine, live }: Platform): Kind[] {
  const { name } = settings.cluster;
  const { role } = engine.instancePods;
  return [
    {
      selector: engine.instancePods.labels(name),
      role: ({ metadata }) =>
        role === undefined || metadata.labels?.[role.label] === role.primary ? "primary" : "standby",
      readers: live.logs,
    },
    ...settings.poolers.map((pooler) => ({
      selector: poolerLabels(name, pooler.name),
      role: () => "pooler",
      readers: poolerReaders,
    })),
  ];
}

const uidOf = ({ metadata }: KubeObject): string => (metadata as { uid?: string }).uid ?? "";

/** A pod that is followed. */
interface Followed {
  readonly name: string;
  readonly kind: Kind;
  role: string;
  readonly gone: AbortController;
  readonly containers: Set<string>;
}

/** Reads the logs of a platform's instances and poolers. */
export class LogFollower {
  private readonly pods = new Map<string, Followed>();
  private readonly reached = new Map<string, string>();
  private readonly work = new Set<Promise<void>>();
  private width = 0;
  /** Lines that were printed. */
  printed = 0;

  constructor(
    private readonly subject: Platform,
    private readonly options: LogOptions,
    private readonly print: (line: string) => void,
    private readonly say: (text: string) => void,
    private readonly signal: AbortSignal,
  ) {}

  private get namespace(): string {
    return this.subject.settings.cluster.namespace;
  }

  private write(record: LogRecord): void {
    if (!reaches(record.level, this.options.level)) return;
    this.printed++;
    this.width = Math.max(this.width, record.instance.length);
    const { json, colour } = this.options;
    this.print(json ? jsonLine(record) : shownLine(record, colour, { instance: this.width }));
  }

  /** A line of a container, unless it was read before this stream was opened, which had come as far as `before`. */
  private record(
    key: string,
    line: string,
    reader: LineReader,
    { instance, role, before }: { instance: string; role: string; before: string },
  ) {
    const found = stamped(line);
    if (found === undefined || found.stamp <= before) return undefined;
    this.reached.set(key, found.stamp);
    const fields = reader(found.text);
    return {
      ...fields,
      time: fields.time ?? `${found.stamp.slice(0, 23)}Z`,
      namespace: this.namespace,
      cluster: this.subject.settings.cluster.name,
      instance,
      role,
    } satisfies LogRecord;
  }

  /** What was logged up to now, by time. */
  async past(): Promise<void> {
    const { kubectl } = this.subject;
    const records: LogRecord[] = [];
    for (const { selector, role, readers } of kindsOf(this.subject)) {
      for (const pod of await kubectl.list("pods", this.namespace, selectorOf(selector))) {
        const { name } = pod.metadata;
        this.width = Math.max(this.width, name.length);
        for (const container of begunContainers(pod)) {
          const reader = readers[container];
          if (reader === undefined) continue;
          const args = this.logsOf(name, container, `--since=${this.options.since}`);
          const onLine = (line: string) => {
            const record = this.record(`${uidOf(pod)}/${container}`, line, reader, {
              instance: name,
              role: role(pod),
              before: "",
            });
            if (record) records.push(record);
          };
          await kubectl.stream(args, onLine, this.signal);
        }
      }
    }
    records.sort((one, other) => (one.time < other.time ? -1 : one.time > other.time ? 1 : 0));
    records.forEach((record) => this.write(record));
  }

  /** Follows every pod, those that come later too, until it is told to end. */
  async follow(): Promise<void> {
    const started = new Date().toISOString();
    await Promise.all(kindsOf(this.subject).map((kind) => this.watch(kind, started)));
    await Promise.all(this.work);
  }

  private logsOf(pod: string, container: string, ...further: string[]): string[] {
    return ["-n", this.namespace, "logs", pod, "-c", container, "--timestamps", ...further];
  }

  /** Pods as they come, change and go. The API server ends a watch from time to time. */
  private async watch(kind: Kind, started: string): Promise<void> {
    const { kubectl } = this.subject;
    const at = ["-n", this.namespace, "get", "pods", "-l", selectorOf(kind.selector)];
    let answers = true;
    for (let first = true; !this.signal.aborted; first = false) {
      if (!first) await this.forgetGone(kind);
      let silent: string | undefined;
      const onLine = (line: string) => {
        const event = eventIn(line);
        if (event === undefined) silent = line;
        else {
          answers = true;
          this.pod(kind, event, started);
        }
      };
      await kubectl.stream([...at, "--watch", "--output-watch-events", "-o", "json"], onLine, this.signal);
      if (this.signal.aborted) return;
      if (answers && silent !== undefined) {
        answers = false;
        this.say(`the API server doesn't answer: ${silent}; it is asked again until it does`);
      }
      await this.pause();
    }
  }

  /** Pods that went while no watch told of it. */
  private async forgetGone(kind: Kind): Promise<void> {
    const { kubectl } = this.subject;
    const list = await kubectl.list("pods", this.namespace, selectorOf(kind.selector)).catch(() => undefined);
    if (list === undefined) return;
    const there = new Set(list.map(uidOf));
    for (const [uid, pod] of this.pods)
      if (pod.kind === kind && !there.has(uid)) {
        pod.gone.abort();
        this.pods.delete(uid);
      }
  }

  private pause(): Promise<unknown> {
    return delay(AGAIN_MS, undefined, { signal: this.signal }).catch(() => undefined);
  }

  private pod(kind: Kind, { type, object }: WatchEvent, started: string): void {
    const uid = uidOf(object);
    const { name } = object.metadata;
    const known = this.pods.get(uid);
    if (type === "DELETED") {
      known?.gone.abort();
      this.pods.delete(uid);
      return;
    }
    if (type !== "ADDED" && type !== "MODIFIED") return;
    const role = kind.role(object);
    if (known !== undefined && known.role !== role) {
      this.note(name, role, `is ${role} now; it was ${known.role}`);
      known.role = role;
    }
    const pod = known ?? { name, kind, role, gone: new AbortController(), containers: new Set<string>() };
    this.pods.set(uid, pod);
    for (const container of begunContainers(object)) {
      const reader = kind.readers[container];
      if (reader === undefined || pod.containers.has(container)) continue;
      pod.containers.add(container);
      const work = this.container(uid, pod, container, reader, started).finally(() => this.work.delete(work));
      this.work.add(work);
    }
  }

  /** What the command itself has seen, as a line among the others. */
  private note(instance: string, role: string, message: string): void {
    this.write({
      time: new Date().toISOString(),
      level: "notice",
      source: "pgplatform",
      message,
      namespace: this.namespace,
      cluster: this.subject.settings.cluster.name,
      instance,
      role,
    });
  }

  /** Lines of a container, of those that it is restarted as too, for as long as its pod is there. */
  private async container(
    uid: string,
    pod: Followed,
    name: string,
    reader: LineReader,
    started: string,
  ): Promise<void> {
    const key = `${uid}/${name}`;
    const end = AbortSignal.any([pod.gone.signal, this.signal]);
    while (!end.aborted) {
      const before = this.reached.get(key) ?? "";
      const since = before === "" ? comparable(started) : before;
      await this.subject.kubectl.stream(
        this.logsOf(pod.name, name, "--follow", `--since-time=${since}`),
        (line) => {
          const record = this.record(key, line, reader, { instance: pod.name, role: pod.role, before });
          if (record) this.write(record);
        },
        // A pod that goes still says its last lines: kubectl ends by itself when it is gone.
        this.signal,
      );
      if (!end.aborted) await delay(AGAIN_MS, undefined, { signal: end }).catch(() => undefined);
    }
  }
}

/** Prints what a running platform logs; returns the closing line, which is empty after Ctrl-C. */
export async function showLogs(subject: Platform, options: LogOptions, progress: Progress): Promise<string> {
  const quiet = new Progress(() => undefined);
  try {
    return await interruptible(quiet, async (signal) => {
      // Who reads no further (`| head`) has seen enough.
      const enough = new AbortController();
      process.stdout.once("error", () => enough.abort());
      const follower = new LogFollower(
        subject,
        options,
        (line) => process.stdout.write(`${line}\n`),
        (text) => progress.line(text),
        AbortSignal.any([signal, enough.signal]),
      );
      await follower.past();
      if (options.follow) await follower.follow();
      return follower.printed === 0 && !options.follow
        ? `Nothing of level ${options.level} or worse was logged in the last ${options.since}.`
        : "";
    });
  } catch (error) {
    // It is how following ends.
    if (error instanceof InterruptedError && options.follow) return "";
    throw error;
  }
}
