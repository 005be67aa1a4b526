import { type ChildProcess, execFileSync, spawn, spawnSync } from "node:child_process";
import { existsSync, mkdirSync, mkdtempSync, readFileSync, rmSync, utimesSync, writeFileSync } from "node:fs";
import { createServer } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { setTimeout as delay } from "node:timers/promises";
import { goBuild } from "../../local/toolchain/go";
import { originalScripts } from "./scripts";
import { archiveIdToken, type Store } from "../../plan/backup/store";
import { pins } from "../../releases/pins";

/** Real clients against stores of the tests on this machine's loopback: rclone, Barman's cloud tools and boto, versitygw behind local/images/strict-store. */

const root = join(__dirname, "../..");
export const keys = { accessKeyId: "root-of-tests", secretAccessKey: "no-secret-to-anybody-0123456789" };
export const narrow = { accessKeyId: "narrow-of-tests", secretAccessKey: "no-secret-either-0123456789" };
/** The archive that the scripts work on. */
export const ARCHIVE_ID = "0123456789";

export interface Tools {
  readonly rclone: string;
  readonly versitygw: string;
  readonly strictStore: string;
  /** Folder of Barman's tools and of the Python that they run in. */
  readonly barman: string;
}

/** Builds and installs what isn't there; the first time takes minutes. RCLONE: another rclone. */
export async function tools(): Promise<Tools> {
  const images = join(root, "local/images");
  const build = (module: string, binary: string, path = ".") => goBuild({ module, binary, package: path });
  const venv = join(
    process.env.XDG_CACHE_HOME ?? join(process.env.HOME ?? "/tmp", ".cache"),
    "pgp-test-venv",
  );
  const barman = join(venv, "bin");
  if (!existsSync(join(barman, "barman-cloud-backup"))) {
    execFileSync("python3", ["-m", "venv", venv]);
    const packages = [`barman==${pins.barman.version}`, "boto3", "lz4", "zstandard", "psycopg2-binary"];
    execFileSync(join(barman, "pip"), ["install", "-q", ...packages], { stdio: "inherit" });
  }
  return {
    rclone: process.env.RCLONE ?? (await build(join(__dirname, "rclone"), "rclone")),
    versitygw: await build(
      join(images, "versitygw"),
      "versitygw",
      "github.com/versity/versitygw/cmd/versitygw",
    ),
    strictStore: await build(join(images, "strict-store"), "strict-store"),
    barman,
  };
}

const freePort = (): Promise<number> =>
  new Promise((done) => {
    const server = createServer().listen(0, "127.0.0.1", () => {
      const address = server.address();
      server.close(() => done(typeof address === "object" && address !== null ? address.port : 0));
    });
  });

export interface Options {
  readonly dialect: string;
  readonly bucket: string;
  /** The bucket has versions, and a default retention of so many days with `retained`. */
  readonly versions?: boolean;
  readonly retained?: boolean;
  /** Seconds for which what lies below the prefix can be neither deleted nor written over. */
  readonly lock?: { readonly prefix: string; readonly seconds: number };
  /** Prefixes below which the narrow key writes. */
  readonly narrow?: readonly string[];
  /** The bucket's name is in the host's, and the store is reached as a proxy, since no such name is known. */
  readonly virtual?: boolean;
}

/** One store with one bucket. */
export class Loopback {
  private readonly processes: ChildProcess[] = [];
  private output = "";
  readonly folder = mkdtempSync(join(tmpdir(), "pgp-store-"));
  port = 0;

  private constructor(
    private readonly tools: Tools,
    readonly options: Options,
  ) {}

  static async start(all: Tools, options: Options): Promise<Loopback> {
    const store = new Loopback(all, options);
    await store.run();
    return store;
  }

  get endpoint(): string {
    return this.options.virtual === true ? "http://store.test" : `http://127.0.0.1:${this.port}`;
  }

  private async run(): Promise<void> {
    const { dialect, bucket, versions, retained, lock } = this.options;
    const behind = await freePort();
    this.port = await freePort();
    const data = join(this.folder, "data");
    for (const name of ["data", "versions", "iam"]) mkdirSync(join(this.folder, name));
    const upstream = `http://127.0.0.1:${behind}`;
    const root = { ROOT_ACCESS_KEY_ID: keys.accessKeyId, ROOT_SECRET_ACCESS_KEY: keys.secretAccessKey };
    this.launch(
      this.tools.versitygw,
      [
        ...["--port", `127.0.0.1:${behind}`, "--region", "us-east-1", "--health", "/health", "--quiet"],
        ...["--iam-dir", join(this.folder, "iam")],
        ...(this.options.virtual === true ? ["--virtual-domain", "store.test"] : []),
        "posix",
        ...(versions === true || retained === true
          ? ["--versioning-dir", join(this.folder, "versions")]
          : []),
        data,
      ],
      root,
    );
    await this.ready(`${upstream}/health`);
    const admin = ["admin", "--access", keys.accessKeyId, "--secret", keys.secretAccessKey];
    execFileSync(this.tools.versitygw, [
      ...admin,
      ...["--endpoint-url", upstream, "create-user", "--role", "admin"],
      ...["--access", narrow.accessKeyId, "--secret", narrow.secretAccessKey],
    ]);
    const address = this.options.virtual === true ? "http://store.test" : upstream;
    const made = `import boto3
from botocore.config import Config
client = boto3.client("s3", endpoint_url="${address}", config=Config(s3={"addressing_style": "${this.options.virtual === true ? "virtual" : "path"}"}))
client.create_bucket(Bucket="${bucket}"${retained === true ? ", ObjectLockEnabledForBucket=True" : ""})
${versions === true ? `client.put_bucket_versioning(Bucket="${bucket}", VersioningConfiguration={"Status": "Enabled"})` : ""}
${retained === true ? `client.put_object_lock_configuration(Bucket="${bucket}", ObjectLockConfiguration={"ObjectLockEnabled": "Enabled", "Rule": {"DefaultRetention": {"Mode": "GOVERNANCE", "Days": 1}}})` : ""}
`;
    execFileSync(join(this.tools.barman, "python"), ["-c", made], {
      env: this.options.virtual === true ? { ...this.python(), HTTP_PROXY: upstream } : this.python(),
    });
    const out = this.launch(this.tools.strictStore, [], {
      LISTEN: `127.0.0.1:${this.port}`,
      UPSTREAM: upstream,
      DIALECT: dialect,
      ROOT: data,
      ...(lock && { LOCKS: `${bucket}/${lock.prefix}=${lock.seconds}` }),
      ...(retained === true && { RETENTION: bucket }),
      ...(this.options.virtual === true && { DOMAIN: "store.test" }),
      ...(this.options.narrow && { NARROW: `${narrow.accessKeyId}=${this.options.narrow.join(",")}` }),
    });
    out.stdout?.on("data", (text: Buffer) => (this.output += text.toString()));
    await this.ready(`http://127.0.0.1:${this.port}/health`);
  }

  private launch(program: string, args: readonly string[], env: Record<string, string>): ChildProcess {
    const started = spawn(program, args, {
      env: { PATH: process.env.PATH, ...env },
      stdio: ["ignore", "pipe", "inherit"],
    });
    this.processes.push(started);
    return started;
  }

  private async ready(url: string): Promise<void> {
    for (let tries = 0; tries < 300; tries++) {
      const answer = await fetch(url).catch(() => undefined);
      if (answer?.ok === true) return;
      await delay(50);
    }
    throw new Error(`no answer from ${url}`);
  }

  /** What it has refused so far, a line each; the next time, what came since. */
  refusals(): string[] {
    const lines = this.output.split("\n").filter((line) => line.startsWith("refused "));
    this.output = "";
    return lines;
  }

  python(key = keys): Record<string, string> {
    return {
      PATH: `${this.tools.barman}:${process.env.PATH}`,
      AWS_ACCESS_KEY_ID: key.accessKeyId,
      AWS_SECRET_ACCESS_KEY: key.secretAccessKey,
      AWS_DEFAULT_REGION: "us-east-1",
      ...(this.options.virtual === true && { HTTP_PROXY: `http://127.0.0.1:${this.port}` }),
    };
  }

  /** The keys of all objects that the store lists. */
  objects(): string[] {
    const option = (name: string) => `RCLONE_CONFIG_HERE_${name}`;
    return execFileSync(this.tools.rclone, ["lsf", "-R", "--files-only", `here:${this.options.bucket}`], {
      env: {
        ...this.python(),
        [option("TYPE")]: "s3",
        [option("PROVIDER")]: "Other",
        [option("ENDPOINT")]: this.endpoint,
        [option("FORCE_PATH_STYLE")]: String(this.options.virtual !== true),
        [option("ENV_AUTH")]: "true",
        RCLONE_CONFIG: "/dev/null",
      },
      stdio: ["ignore", "pipe", "ignore"],
    })
      .toString()
      .trim()
      .split("\n")
      .filter((key) => key !== "")
      .sort();
  }

  /** Makes every object so many seconds older, which is what a lock goes by. */
  age(seconds: number): void {
    const then = Date.now() / 1000 - seconds;
    for (const key of this.objects())
      utimesSync(join(this.folder, "data", this.options.bucket, key), then, then);
  }

  stop(): void {
    for (const one of this.processes) one.kill("SIGKILL");
    rmSync(this.folder, { recursive: true, force: true });
  }
}

/** Variables of a planned container as its process sees them. */
export function variables(env: readonly object[], key = keys): Record<string, string> {
  const values = env as { name: string; value?: string; valueFrom?: { secretKeyRef?: { key: string } } }[];
  return Object.fromEntries(
    values.map(({ name, value, valueFrom }) => [
      name,
      value?.replaceAll(archiveIdToken, ARCHIVE_ID) ??
        key[valueFrom?.secretKeyRef?.key as keyof typeof key] ??
        "",
    ]),
  );
}

/** The store as settings describe it, where this one listens. */
export const at = (store: Store, loopback: Loopback): Store => ({ ...store, endpoint: loopback.endpoint });

/** The scripts in a folder of their own, as the pods have them in /scripts; SCRIPTS: another folder, to see what older ones do. */
export function scriptsFolder(): string {
  const folder = mkdtempSync(join(tmpdir(), "pgp-scripts-"));
  for (const [name, text] of Object.entries(originalScripts(process.env.SCRIPTS)))
    writeFileSync(join(folder, name), text.replaceAll("/scripts", folder));
  return folder;
}

/** Runs a script, or lines of shell, with these variables; returns what it said and its exit code. */
export function shell(
  command: readonly string[],
  env: Record<string, string>,
): { code: number; said: string } {
  const { status, stdout, stderr } = spawnSync("dash", command, { env, encoding: "utf8", timeout: 300_000 });
  return { code: status ?? -1, said: `${stdout}${stderr}` };
}

export const read = (file: string): string => (existsSync(file) ? readFileSync(file, "utf8") : "");
