import assert from "node:assert/strict";
import { type ChildProcess, spawn, spawnSync } from "node:child_process";
import {
  chmodSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readFileSync,
  renameSync,
  rmSync,
  writeFileSync,
} from "node:fs";
import { createServer, type Server as HttpServer } from "node:http";
import type { AddressInfo } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { setTimeout as delay } from "node:timers/promises";
import { roles } from "../../plan/names";
import { scriptsOf } from "../../plan/postgres/sql/scripts";
import { checked, smallest } from "../support/settings";
import { hasPsql, type Pair, pairOf } from "./servers";

/**
 * The login reloader, its functions and its script, on real servers of each major version. Stand-ins: files that this test changes for a mounted Secret, a
 * `getent` that names one instance and one pooler, and a pooler that has metrics and nothing else. The network has no TLS here.
 */

const ADDRESS = "127.0.77.1";
const POOLER = "127.0.77.2";
const script = join(__dirname, "../../plan/secrets/reload.sh");

const input = { ...smallest(), secrets: { source: "external" as const } };
input.cluster = { ...input.cluster, engine: "standalone", instances: 1, durability: "async" };

async function until(said: () => string, what: string, holds: () => boolean): Promise<void> {
  for (let left = 1200; !holds(); left--) {
    if (left === 0) assert.fail(`never: ${what}; it says ${said()}`);
    await delay(100);
  }
}

for (const major of [15, 16, 17, 18])
  describe(`the login reloader on PostgreSQL ${major} (stand-ins of Secrets, DNS and a pooler's metrics)`, function () {
    this.timeout(300_000);
    let pair: Pair;
    let folder: string;
    let reloader: ChildProcess;
    let said = "";
    let held: ChildProcess | undefined;
    const log = () => said;
    let metrics: HttpServer;
    let pooled = "";

    /** As the kubelet does: all at once. */
    function secret(id: string, username: string, password: string): void {
      const own = join(folder, "logins", id);
      const made = mkdtempSync(join(folder, "made-"));
      writeFileSync(join(made, "username"), username);
      writeFileSync(join(made, "password"), password);
      rmSync(own, { recursive: true, force: true });
      renameSync(made, own);
    }

    /** Who a session is and acts as; or why there is none. */
    function session(user: string, password: string): string {
      const { status, stdout, stderr } = spawnSync(
        "psql",
        [
          "-XAtqw",
          "-d",
          `host=${ADDRESS} port=5432 user=${user} dbname=postgres`,
          "-c",
          "SELECT session_user, current_user",
        ],
        { encoding: "utf8", env: { ...process.env, PGPASSWORD: password } },
      );
      return status === 0 ? stdout.trim() : stderr;
    }
    const works = (user: string, password: string, as = user) => session(user, password) === `${user}|${as}`;
    const refused = (user: string, password: string) =>
      /password authentication failed/.test(session(user, password));

    before(async function () {
      if (!hasPsql) return this.skip();
      folder = mkdtempSync(join(tmpdir(), "pgp-logins-"));
      for (const name of ["logins", "state", "bin"]) mkdirSync(join(folder, name));
      writeFileSync(
        join(folder, "bin", "getent"),
        `#!/bin/sh\ncase $2 in instances) echo "${ADDRESS} STREAM" ;; pooler) echo "${POOLER} STREAM" ;; esac\n`,
      );
      chmodSync(join(folder, "bin", "getent"), 0o755);
      metrics = createServer((_, response) => response.end(`pgbouncer_up 1\n${pooled}`));
      await new Promise<void>((resolve) => metrics.listen(0, POOLER, resolve));

      pair = pairOf(major, [
        `listen_addresses = '${ADDRESS}'`,
        "log_statement = all",
        "log_min_duration_statement = 0",
      ]);
      writeFileSync(
        join(pair.primary.data, "pg_hba.conf"),
        "local all all trust\nlocal replication all trust\nhost all all all scram-sha-256\n",
      );
      const settings = checked(input);
      pair.primary.psql("SELECT pg_reload_conf()");
      for (const { database, sql } of scriptsOf(settings)) pair.primary.psql(sql, { database });
      // They may run again at any time.
      for (const { database, sql } of scriptsOf(settings)) pair.primary.psql(sql, { database });
      pair.primary.psql(`ALTER ROLE ${roles.logins} PASSWORD 'own'`);

      secret("app", "app", "one");
      secret("admin", roles.admin, "admin-one");
      reloader = spawn("bash", [script, "app|app|app_b", `admin|${roles.admin}|${roles.admin}_b`], {
        stdio: ["ignore", "ignore", "pipe"],
        env: {
          ...process.env,
          PATH: `${join(folder, "bin")}:${process.env.PATH}`,
          PGHOST: ADDRESS,
          PGPORT: "5432",
          PGUSER: roles.logins,
          PGPASSWORD: "own",
          LOGINS: join(folder, "logins"),
          STATE: join(folder, "state"),
          OVERLAP_SECONDS: "1",
          INSTANCES: "instances",
          INSTANCES_HOST: ADDRESS,
          POOLERS: "pooler",
          POOLER_METRICS: String((metrics.address() as AddressInfo).port),
        },
      });
      reloader.stderr?.on("data", (text: Buffer) => (said += text.toString()));
    });

    after(() => {
      held?.kill();
      reloader?.kill();
      metrics?.close();
      pair?.end();
      if (folder) rmSync(folder, { recursive: true, force: true });
    });

    const isReady = () => existsSync(join(folder, "state", "ready"));

    it("gives each login the password of its Secret", async () => {
      await until(log, "ready", isReady);
      assert.ok(works("app", "one"));
      assert.ok(works(roles.admin, "admin-one"));
    });

    it("no session of a second login is ever its own, where its role was made without the setting (as CloudNativePG's operator does)", async () => {
      pair.primary.psql("ALTER ROLE app_b RESET role");
      const seen = new Set<string>();
      secret("app", "app_b", "early");
      await until(log, "the new login works", () => {
        const answer = session("app_b", "early");
        if (!/password authentication failed/.test(answer)) seen.add(answer);
        return seen.size > 0 && said.includes("app_b has the password of its Secret");
      });
      seen.add(session("app_b", "early"));
      assert.deepEqual([...seen], ["app_b|app"]);
      secret("app", "app", "one");
      await until(log, "the old login is closed", () => refused("app_b", "early"));
      assert.ok(works("app", "one"));
    });

    it("keeps the old login while somebody uses it, and closes it then", async () => {
      held = spawn("psql", ["-Xqw", "-d", `host=${ADDRESS} port=5432 user=app dbname=postgres`], {
        stdio: ["pipe", "ignore", "ignore"],
        env: { ...process.env, PGPASSWORD: "one" },
      });
      const sessions = () =>
        pair.primary.psql("SELECT count(*) FROM pg_stat_activity WHERE usename = 'app'").trim();
      await until(log, "a session of app", () => sessions() === "1");
      secret("app", "app_b", "two");
      await until(log, "the new login works", () => works("app_b", "two", "app"));
      await until(log, "it says who stays", () => said.includes("app stays open: 1 sessions use it"));
      assert.ok(works("app", "one"), "the old login works beside it");
      held.stdin?.end();
      await until(log, "the old login is closed", () => refused("app", "one"));
      assert.ok(works("app_b", "two", "app"));
    });

    it("keeps it while a pooler's client uses it, and while the pooler can't be asked", async () => {
      pooled = 'pgbouncer_pools_client_active_connections{database="app",user="app_b"} 2\n';
      secret("app", "app", "three");
      await until(log, "the new login works", () => works("app", "three"));
      await until(log, "it says who stays", () => said.includes("app_b stays open: 2 sessions use it"));
      assert.ok(works("app_b", "two", "app"));
      const { port } = metrics.address() as AddressInfo;
      await new Promise((resolve) => metrics.close(resolve));
      await until(log, "it says what it can't ask", () =>
        said.includes(`app_b stays open: the pooler's pod ${POOLER} can't be asked`),
      );
      assert.ok(works("app_b", "two", "app"));
      pooled = "";
      await new Promise<void>((resolve) => metrics.listen(port, POOLER, resolve));
      await until(log, "the old login is closed", () => refused("app_b", "two"));
    });

    it("follows a password that changes under the same name, at once and with any letters", async () => {
      const password = `it's "four" $HOME \\ \`x\` ü`;
      secret("app", "app", password);
      await until(log, "the new password works", () => works("app", password));
      assert.ok(refused("app", "three"));
    });

    it("doesn't set a password again that holds: its verifier stays", async () => {
      const verifier = () =>
        pair.primary.psql("SELECT rolpassword FROM pg_authid WHERE rolname = 'pgp_admin'");
      const before = verifier();
      const [user, password] = ["username", "password"].map((key) =>
        readFileSync(join(folder, "logins", "admin", key), "utf8"),
      );
      secret("admin", user ?? "", `${password}-new`);
      await until(log, "the new password works", () => works(roles.admin, "admin-one-new"));
      const set = verifier();
      assert.notEqual(set, before);
      secret("admin", user ?? "", "admin-one-new");
      secret("app", "app", "five");
      await until(log, "a later one works", () => works("app", "five"));
      assert.equal(verifier(), set);
    });

    it("sets again what was changed in PostgreSQL", async () => {
      pair.primary.psql("ALTER ROLE app PASSWORD 'by hand'");
      await until(log, "the Secret's password works again", () => works("app", "five"));
    });

    it("isn't ready, and changes nothing, where a Secret names another user, or lacks a key", async () => {
      secret("app", "postgres", "six");
      await until(log, "not ready", () => !isReady());
      assert.match(said, /the Secret with the login of app names another user than app or app_b/);
      assert.ok(works("app", "five"));
      secret("app", "app", "");
      await until(log, "it says so", () =>
        said.includes("the Secret with the login of app is missing, or a key of it"),
      );
      secret("app", "app", "five");
      await until(log, "ready", isReady);
    });

    it("its role may set these passwords and no other one", () => {
      const as = (statement: string) => () => pair.primary.psql(statement, { user: roles.logins });
      for (const other of ["postgres", roles.pooler, roles.health, roles.logins])
        for (const name of ["begin_login", "close_login"])
          assert.throws(
            as(`SELECT pgplatform.${name}('${other}')`),
            /not one that its source owns|the only login/,
          );
      for (const other of ["postgres", roles.pooler])
        assert.throws(
          as(`ALTER ROLE ${other} PASSWORD 'x'`),
          /permission denied|must be superuser|must have CREATEROLE|to alter/i,
        );
      assert.throws(as("SELECT pgplatform.accept_login('app')"), /no verifier was made/);
      assert.throws(as("SELECT pgplatform.close_login('app')"), /is the only login that works/);
      assert.throws(as("SELECT rolpassword FROM pg_authid"), /permission denied/);
      const byOthers = (statement: string) => () => pair.primary.psql(statement, { user: "app" });
      for (const call of ["begin_login('app')", "accept_login('app')", "close_login('app')", "open_logins()"])
        assert.throws(byOthers(`SELECT pgplatform.${call}`), /permission denied/);
    });

    it("a session that sets the search path or the noted verifier gains nothing", () => {
      const verifier = () =>
        pair.primary.psql("SELECT rolpassword FROM pg_authid WHERE rolname = 'pgp_pooler'");
      const before = verifier();
      const hostile =
        "SET search_path = pg_temp; SET pgplatform.own_verifier = 'SCRAM-SHA-256$4096:x'; SELECT pgplatform.accept_login('pgp_pooler')";
      assert.throws(() => pair.primary.psql(hostile, { user: roles.logins }), /not one that its source owns/);
      assert.equal(verifier(), before);
    });

    it("no password or verifier is in what it says, in the server's log or among its statements", () => {
      const server = readFileSync(`${pair.primary.data}.log`, "utf8");
      const statements = pair.primary.psql(
        "CREATE EXTENSION IF NOT EXISTS pg_stat_statements; SELECT query FROM pg_stat_statements",
      );
      const own = server
        .split("\n")
        .filter(
          (line) =>
            !line.includes("pgp_logins PASSWORD 'own'") &&
            !line.includes("by hand") &&
            !line.includes("own_verifier ="),
        );
      for (const text of [said, own.join("\n"), statements])
        for (const secretText of [
          /SCRAM-SHA-256\$4096:[A-Za-z0-9+/=]{8}/,
          /admin-one/,
          /it's "four"/,
          /\bfive\b/,
        ])
          assert.doesNotMatch(text, secretText);
      // What shows that the log would have it.
      assert.match(server, /statement: ALTER ROLE app PASSWORD 'by hand'/);
    });
  });
