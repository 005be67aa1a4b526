import { type ChildProcess, spawn } from "node:child_process";
import {
  chownSync,
  createWriteStream,
  cpSync,
  existsSync,
  mkdirSync,
  readFileSync,
  writeFileSync,
} from "node:fs";
import { connect } from "node:net";
import { join } from "node:path";
import { setTimeout as delay } from "node:timers/promises";
import { run } from "../../../shell/process";
import { addressOf, plugIn } from "./network";

export interface Container {
  readonly name: string;
  readonly command: readonly string[];
  readonly env: readonly { readonly name: string; readonly value?: string; readonly valueFrom?: object }[];
}

/** Files of the image of PgBouncer; tests/clients/run.ts lays them out. */
const image = () => {
  const folder = process.env.CLIENTS_POOLER_IMAGE;
  if (folder === undefined) throw new Error("run `npm run clients`, which makes what these tests need");
  return folder;
};

const POOLER = { user: 998, group: 996 };

/** A pod of a pooler. */
export class Pod {
  readonly address: string;
  private child: ChildProcess | undefined;
  private ended: Promise<void> | undefined;

  /** `mounts`: files by folder, each a text or, where it is one, the path of a file to copy. */
  constructor(
    private readonly number: number,
    private readonly folder: string,
    private readonly container: Container,
    mounts: Readonly<Record<string, Readonly<Record<string, string>>>>,
  ) {
    this.address = addressOf(number);
    for (const [mount, files] of Object.entries(mounts)) {
      mkdirSync(join(folder, mount), { recursive: true });
      for (const [name, content] of Object.entries(files)) {
        const path = join(folder, mount, name);
        if (content.startsWith("/") && existsSync(content)) cpSync(content, path);
        else writeFileSync(path, content);
      }
    }
    const sockets = join(folder, "run/pgbouncer");
    mkdirSync(sockets, { recursive: true });
    chownSync(sockets, POOLER.user, POOLER.group);
  }

  write(file: string, content: string): void {
    writeFileSync(join(this.folder, file), content);
  }

  get log(): string {
    return readFileSync(join(this.folder, "log"), "utf8");
  }

  async start(): Promise<void> {
    const environment = Object.fromEntries(
      this.container.env.map(({ name, value }) => [name, value ?? this.address]),
    );
    const [command = "", ...args] = this.container.command;
    const child = spawn(
      "unshare",
      [
        "--net",
        "--mount",
        "--pid",
        "--fork",
        "--kill-child",
        "bash",
        join(__dirname, "pod.sh"),
        image(),
        this.folder,
        command,
        ...args,
      ],
      { env: { PATH: process.env.PATH, ...environment }, stdio: ["ignore", "pipe", "pipe"] },
    );
    const log = createWriteStream(join(this.folder, "log"));
    child.stdout.pipe(log, { end: false });
    child.stderr.pipe(log, { end: false });
    this.child = child;
    this.ended = new Promise((resolve) => child.on("exit", () => resolve()));
    await plugIn(await this.firstProcess(), this.number);
    while (!(await listens(this.address))) {
      if (child.exitCode !== null) throw new Error(`the pod ended:\n${this.log}`);
      await delay(50);
    }
  }

  /** What is process 1 in the pod. */
  private async firstProcess(): Promise<number> {
    for (;;) {
      const pid = this.child?.pid;
      const children = readFileSync(`/proc/${pid}/task/${pid}/children`, "utf8").trim();
      if (children !== "") return Number(children);
      await delay(20);
    }
  }

  /** Ends it, by what Kubernetes sends. */
  async kill(signal: "SIGTERM" | "SIGKILL"): Promise<void> {
    if (this.child === undefined || this.child.exitCode !== null) return;
    process.kill(await this.firstProcess(), signal);
    await this.ended;
  }

  /** Runs a command in the container, as kubectl exec does. */
  async exec(command: readonly string[]): Promise<string> {
    const pid = String(await this.firstProcess());
    const inside = [
      "-t",
      pid,
      "-n",
      "-m",
      "-p",
      "-r",
      "-w",
      "setpriv",
      `--reuid=${POOLER.user}`,
      `--regid=${POOLER.group}`,
      "--clear-groups",
    ];
    return (await run("nsenter", [...inside, ...command])).stdout;
  }
}

const listens = (address: string): Promise<boolean> =>
  new Promise((resolve) => {
    const socket = connect(6432, address);
    socket.setTimeout(500);
    const tell = (answer: boolean) => {
      socket.destroy();
      resolve(answer);
    };
    socket.on("connect", () => tell(true));
    socket.on("error", () => tell(false));
    socket.on("timeout", () => tell(false));
  });
