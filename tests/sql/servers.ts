import { type ChildProcess, spawn, spawnSync } from "node:child_process";
import { createHash } from "node:crypto";
import {
  appendFileSync,
  chmodSync,
  chownSync,
  copyFileSync,
  cpSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readFileSync,
  rmSync,
  writeFileSync,
} from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { cacheDir } from "../../shell/paths";

/**
 * Real servers of each major version without Kubernetes: a primary and a standby on Unix sockets of a temporary folder, run by nobody where the
 * test is run by root. Their programs are an npm package, pinned by tests/sql/package-lock.json and installed in the cache; psql is the machine's.
 */

/** PostgreSQL runs as no root. */
const NOBODY = 65534;
const isRoot = process.getuid?.() === 0;

function must(
  command: string,
  args: readonly string[],
  options: { cwd?: string; env?: NodeJS.ProcessEnv } = {},
): string {
  const { status, stdout, stderr, error } = spawnSync(command, args, { encoding: "utf8", ...options });
  if (status !== 0) throw new Error(`${command} ${args.join(" ")}: ${error?.message ?? stdout + stderr}`);
  return stdout;
}

/** Folder of the programs of a version. */
function programsOf(major: number): string {
  const lock = readFileSync(join(__dirname, "package-lock.json"));
  const folder = join(
    cacheDir,
    "postgres-servers",
    createHash("sha256").update(lock).digest("hex").slice(0, 16),
  );
  if (!existsSync(join(folder, ".made"))) {
    mkdirSync(folder, { recursive: true });
    for (const file of ["package.json", "package-lock.json"])
      copyFileSync(join(__dirname, file), join(folder, file));
    must("npm", ["ci", "--ignore-scripts", "--no-audit", "--no-fund"], { cwd: folder });
    for (const one of [15, 16, 17, 18])
      must("node", ["scripts/hydrate-symlinks.js"], { cwd: join(folder, "node_modules", `postgres-${one}`) });
    writeFileSync(join(folder, ".made"), "");
  }
  return join(folder, "node_modules", `postgres-${major}`, "native");
}

export const hasPsql = spawnSync("psql", ["--version"]).status === 0;

export interface Answer {
  readonly types: readonly (readonly [name: string, type: string])[];
  readonly rows: readonly Record<string, unknown>[];
}

const MARK = "@@";

/** A server, or its standby. */
export class Server {
  constructor(
    readonly folder: string,
    private readonly programs: string,
    readonly data: string,
    readonly port: number,
  ) {}

  private run(program: string, ...args: string[]): string {
    const command = [join(this.programs, "bin", program), ...args];
    const env = { ...process.env, LD_LIBRARY_PATH: join(this.programs, "lib"), LC_ALL: "C" };
    return isRoot
      ? must("setpriv", [`--reuid=${NOBODY}`, `--regid=${NOBODY}`, "--clear-groups", ...command], {
          env,
          cwd: this.folder,
        })
      : must(command[0] ?? "", command.slice(1), { env, cwd: this.folder });
  }

  init(configuration: readonly string[]): void {
    this.run("initdb", "-D", this.data, "-U", "postgres", "-A", "trust", "--encoding=UTF8", "--locale=C");
    appendFileSync(
      join(this.data, "postgresql.conf"),
      [`unix_socket_directories = '${this.folder}'`, "listen_addresses = ''", ...configuration, ""].join(
        "\n",
      ),
    );
  }

  start(): void {
    this.run("pg_ctl", "-D", this.data, "-l", `${this.data}.log`, "-o", `-p ${this.port}`, "-w", "start");
  }

  stop(how: "immediate" | "fast" = "immediate"): void {
    this.run("pg_ctl", "-D", this.data, "-m", how, "-w", "stop");
  }

  /** Why the server wouldn't start with a value of a parameter; undefined where it would, as far as it knows before. */
  refusalOf(parameter: string, value: string): string | undefined {
    try {
      this.run("postgres", "-D", this.data, "-c", `${parameter}=${value}`, "-C", parameter);
      return undefined;
    } catch (error) {
      return (error as Error).message;
    }
  }

  /** It starts as a standby that follows nobody. */
  becomeStandby(): void {
    const signal = join(this.data, "standby.signal");
    writeFileSync(signal, "");
    if (isRoot) chownSync(signal, NOBODY, NOBODY);
  }

  get runs(): boolean {
    return existsSync(join(this.data, "postmaster.pid"));
  }

  /** Runs psql's input; throws what it says where anything fails. */
  psql(
    input: string,
    { user = "postgres", database = "postgres", flags = ["-At"] as readonly string[] } = {},
  ): string {
    const { status, stdout, stderr } = spawnSync(
      "psql",
      [
        "-X",
        "-q",
        "-v",
        "ON_ERROR_STOP=1",
        ...flags,
        "-h",
        this.folder,
        "-p",
        String(this.port),
        "-U",
        user,
        "-d",
        database,
      ],
      { encoding: "utf8", input, maxBuffer: Infinity },
    );
    if (status !== 0) throw new Error(`${stderr}${stdout}\nin ${database} as ${user}:\n${input}`);
    return stdout;
  }

  /** A session that runs something for as long as it takes; its end ends the session. */
  hold(sql: string, database: string): ChildProcess {
    const args = [
      "-X",
      "-q",
      "-h",
      this.folder,
      "-p",
      String(this.port),
      "-U",
      "postgres",
      "-d",
      database,
      "-c",
      sql,
    ];
    return spawn("psql", args, { stdio: "ignore" });
  }

  /**
   * Each query in a read-only transaction of its own, in one session: the names and types of its columns, and its rows; nothing where its condition, which
   * runs before it in the transaction, doesn't hold.
   */
  answers(
    queries: readonly { readonly sql: string; readonly condition: string }[],
    options: { user: string; database: string },
  ): (Answer | undefined)[] {
    const input = queries.map(
      ({ sql, condition }) => `\\echo ${MARK}
BEGIN READ ONLY;
SET LOCAL search_path = pg_catalog, public, pg_temp;
SELECT coalesce((${condition}), false) AS go \\gset
\\if :go
${sql} \\gdesc
SELECT coalesce(jsonb_agg(to_jsonb(x)), '[]') FROM (
${sql}
) x;
\\endif
COMMIT;`,
    );
    const output = this.psql(input.join("\n"), { ...options, flags: ["-At", "-F", "\x1f"] });
    return output
      .split(`${MARK}\n`)
      .slice(1)
      .map((part) => {
        const lines = part.trimEnd().split("\n");
        const rows = lines.pop();
        if (rows === undefined || rows === "") return undefined;
        return {
          types: lines.map((line) => line.split("\x1f") as [string, string]),
          rows: JSON.parse(rows) as Record<string, unknown>[],
        };
      });
  }
}

export interface Pair {
  readonly primary: Server;
  readonly standby: Server;
  /** Where both keep what is theirs; it goes with them. */
  readonly folder: string;
  end(): void;
}

/**
 * A primary with a standby that streams from it, of one major version; `more`: lines of the configuration; `beside`: a folder whose files are laid over those
 * of the programs.
 */
export function pairOf(major: number, more: readonly string[] = [], beside?: string): Pair {
  const folder = mkdtempSync(join(tmpdir(), `pgp-sql-${major}-`));
  // Nobody can't reach the cache of root.
  const copied = isRoot || beside !== undefined;
  const programs = copied ? join(folder, "programs") : programsOf(major);
  for (const from of copied ? [programsOf(major), ...(beside === undefined ? [] : [beside])] : [])
    cpSync(from, programs, { recursive: true, verbatimSymlinks: true });
  if (isRoot) {
    chmodSync(folder, 0o755);
    chownSync(folder, NOBODY, NOBODY);
  }
  const primary = new Server(folder, programs, join(folder, "primary"), 5432);
  const standby = new Server(folder, programs, join(folder, "standby"), 5433);
  primary.init([
    "shared_preload_libraries = 'pg_stat_statements'",
    "max_prepared_transactions = 5",
    "wal_level = logical",
    "archive_mode = on",
    "archive_command = 'false'",
    "track_io_timing = on",
    "autovacuum = off",
    "hot_standby_feedback = on",
    "fsync = off",
    ...more,
  ]);
  primary.start();
  primary.psql("SELECT pg_create_physical_replication_slot('standby', true);");
  // One session makes the copy: a backup ends with it.
  const label = primary
    .psql(
      [
        "SELECT pg_backup_start('standby', true) \\g /dev/null",
        `\\! cp -a ${primary.data} ${standby.data} && rm -rf ${standby.data}/pg_wal/* ${standby.data}/postmaster.* ${standby.data}/pg_replslot/*`,
        "SELECT labelfile FROM pg_backup_stop(false);",
      ].join("\n"),
    )
    .trimEnd();
  writeFileSync(join(standby.data, "backup_label"), `${label}\n`);
  writeFileSync(join(standby.data, "standby.signal"), "");
  appendFileSync(
    join(standby.data, "postgresql.conf"),
    `primary_conninfo = 'host=${folder} port=5432 user=postgres application_name=standby-1'\nprimary_slot_name = 'standby'\n`,
  );
  if (isRoot)
    for (const file of ["backup_label", "standby.signal"])
      chownSync(join(standby.data, file), NOBODY, NOBODY);
  standby.start();
  standby.psql("SELECT pg_create_physical_replication_slot('cascade', true)");
  return {
    primary,
    standby,
    folder,
    end: () => {
      for (const server of [standby, primary]) if (server.runs) server.stop();
      rmSync(folder, { recursive: true, force: true });
    },
  };
}
