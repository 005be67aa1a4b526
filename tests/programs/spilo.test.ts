import assert from "node:assert/strict";
import { spawnSync } from "node:child_process";
import {
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  utimesSync,
  writeFileSync,
} from "node:fs";
import { createServer } from "node:http";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { check, sentence } from "../../checks/index";
import { backUp, firstBackup, lastError, missingSource } from "../../operations/backup";
import type { Subject } from "../../operations/health";
import { backupPlan } from "../../plan/backup/plan";
import { parseResults } from "../../plan/backup/results";
import { liveReaders } from "../../plan/engines/select";
import { planner as zalando } from "../../plan/engines/zalando/planner";
import type { SettingsInput } from "../../settings/schema";
import { run } from "../../shell/process";
import { bucket, changed, checked, smallest } from "../support/settings";

/**
 * Spilo and WAL-G as they are, in the plan, the scripts and the operations, and in the image that stands in for Spilo (with FAKES of the tools that
 * it runs). Neither Spilo nor WAL-G runs here.
 */

const image = join(__dirname, "../../local/images/patroni-for-zalando");
const scripts = join(__dirname, "../../plan/backup/scripts");
const fakes = join(__dirname, "../fakes/walg");
const near = { name: "near", kind: "local" } as const;
const restore = { target: "near", archiveId: "0123456789" };
const withBackup = (more: object = {}, backup: object = {}): SettingsInput => ({
  ...changed(smallest(), "cluster.engine", "zalando"),
  backup: { targets: [near], ...backup },
  ...more,
});
/** Where Spilo itself runs. */
const inCloud = (cluster: object = {}): SettingsInput => {
  const settings = withBackup({ platform: "cloud", tier: "dev" }, { targets: [bucket()] });
  return {
    ...settings,
    cluster: { ...settings.cluster, storage: { size: "2Gi", class: "any" }, ...cluster },
  };
};
interface Spec {
  env?: { name: string; value?: string }[];
  postgresql: { parameters: Record<string, string> };
}
const specOf = (input: unknown): Spec =>
  zalando.plan(checked(input)).objects.find(({ id }) => id === "cluster")!.object.spec as Spec;
const variables = (input: unknown): Record<string, string | undefined> =>
  Object.fromEntries((specOf(input).env ?? []).map(({ name, value }) => [name, value]));
const refused = (input: unknown): string => {
  const result = check(input);
  return "problems" in result ? result.problems.map(sentence).join("\n") : "";
};

describe("Spilo as it is (the image that stands in for it, and FAKES of its tools)", () => {
  let folder: string;
  let env: NodeJS.ProcessEnv;
  beforeEach(() => {
    folder = mkdtempSync(join(tmpdir(), "pgp-spilo-"));
    mkdirSync(join(folder, "bin"));
    env = { PATH: `${folder}/bin:${process.env.PATH}`, HOME: folder, TMPDIR: folder };
  });
  afterEach(() => rmSync(folder, { recursive: true, force: true }));
  const fake = (name: string, script: string) =>
    writeFileSync(join(folder, "bin", name), `#!/bin/sh\n${script}\n`, { mode: 0o755 });
  const read = (name: string) => readFileSync(join(folder, name), "utf8");

  describe("a restore that can't end at its moment", () => {
    const restored = (target: string[]) => {
      fake("barman-cloud-backup-list", `printf '{"backups_list": [%s]}' "$LISTED"`);
      fake("barman-cloud-restore", 'for data; do :; done; echo 17 >"$data/PG_VERSION"');
      // It refuses to end before a target, and leads without one.
      fake(
        "postgres",
        `conf=\${4#config_file=}; cat "$conf" >>'${folder}/confs'; echo end >>'${folder}/confs'; ` +
          `! grep -q "recovery_target_time =" "$conf" || { echo "FATAL:  recovery ended before configured recovery target was reached"; echo "LOG:  bye"; exit 1; }; ` +
          `[ ! -e '${folder}/broken' ] || { echo "FATAL:  no"; echo "LOG:  bye"; exit 1; }; : >'${folder}/leads'; while [ -e '${folder}/leads' ]; do sleep 0.05; done`,
      );
      fake("pg_isready", `[ -e '${folder}/leads' ]`);
      fake("pg_ctl", `rm '${folder}/leads'`);
      const modules = `import importlib, sys, types, datetime
sys.path.insert(0, ${JSON.stringify(image)})
import archive
at = lambda Bucket, Key: {"LastModified": datetime.datetime(2026, 1, 2, tzinfo=datetime.timezone.utc)}
archive.import_module = lambda name: types.SimpleNamespace(client=lambda *_, **__: types.SimpleNamespace(head_object=at))
sys.argv[1:] = ${JSON.stringify(["restore", "--scope=main", `--datadir=${folder}/data`, "--fetch=fetch it", ...target])}
archive.main()`;
      return spawnSync("python3", ["-B", "-c", modules], {
        env: {
          ...env,
          WALG_S3_PREFIX: "s3://backups/postgres/main/aaaaaaaaaa",
          LISTED: '{"backup_id": "one", "status": "DONE", "end_time_iso": "2026-01-01T00:00:00+00:00"}',
        },
        encoding: "utf8",
      });
    };
    const targets = () =>
      read("confs")
        .split("end\n")
        .slice(0, -1)
        .map((conf) => /recovery_target_time = '(.*)'/.exec(conf)?.[1]);

    it("ends without one in the image that stands in, as in Spilo: only its history tells", () => {
      const { status, stdout, stderr } = restored(["--time=2026-01-03T00:00:00+00:00"]);
      assert.equal(status, 0, stderr);
      assert.deepEqual(targets(), ["2026-01-03T00:00:00+00:00", undefined]);
      assert.match(stdout, /RESTORE: again, without a target/);
      assert.match(read("confs"), /restore_command = 'fetch it'/);
    });

    it("isn't tried twice where PostgreSQL has another reason", () => {
      writeFileSync(join(folder, "broken"), "");
      const { status, stderr } = restored([]);
      assert.deepEqual([status, targets()], [1, [undefined]]);
      assert.match(stderr, /^RESTORE: FATAL: {2}no$/m);
    });

    it("takes when a base backup came to the store for its time, as Spilo does", () => {
      const { status, stderr } = restored(["--time=2026-01-01T12:00:00+00:00"]);
      assert.equal(status, 1);
      assert.match(stderr, /none of the 1 base backups in s3:.* was there then/);
    });
  });

  describe("fetching WAL", () => {
    it("has a limit, which is longer while a cluster is restored: a late file is the end of the WAL then", () => {
      const limit = (durability: string, more: object = {}) =>
        variables(
          changed(changed(withBackup(more), "cluster.instances", 3), "cluster.durability", durability),
        ).WAL_RESTORE_TIMEOUT;
      assert.deepEqual(
        ["async", "balanced", "zero-loss"].map((durability) => limit(durability)),
        ["5", "2", "2"],
      );
      assert.equal(limit("zero-loss", { restore }), "600");
    });

    const fetched = (code: number, seconds: string) => {
      fake("barman-cloud-wal-restore", `echo "$*" >>'${folder}/calls'; exit ${code}`);
      const { status } = spawnSync("timeout", [seconds, join(image, "restore_command.sh"), "name", "path"], {
        env: { ...env, WALG_S3_PREFIX: "s3://b/postgres/main/id/", AWS_ENDPOINT: "https://store" },
      });
      return status;
    };

    it("ends with WAL-G's codes: 74 where there is none, and 1 at once where the store refuses", () => {
      assert.deepEqual(
        [0, 1, 3, 4].map((code) => fetched(code, "20")),
        [0, 74, 1, 1],
      );
      assert.equal(
        read("calls").split("\n")[0],
        "--endpoint-url https://store s3://b/postgres/main id name path",
      );
    });

    it("doesn't end while the store can't be reached: only the limit ends it", () => {
      assert.equal(fetched(2, "2.5"), 124);
      assert.ok(read("calls").trim().split("\n").length > 1);
    });
  });

  describe("roles of its own", () => {
    const own = () =>
      [...readFileSync(join(image, "post_init.sh"), "utf8").matchAll(/^ {2}role (\w+) /gm)].map(
        ([, name]) => name!,
      );

    it("that it sets at every promotion are the engine's, as is that of standbys", () => {
      assert.deepEqual(own(), ["admin", "cron_admin", "zalandos", "robot_zmon"]);
      for (const name of [...own(), "standby"]) {
        assert.ok(zalando.systemRoles.includes(name), name);
        const cluster = changed(smallest(), "cluster.engine", "zalando").cluster;
        const asRole = refused({ ...smallest(), cluster: { ...cluster, roles: [{ name, login: true }] } });
        assert.match(asRole, new RegExp(`cluster\\.roles\\[0\\]\\.name: "${name}" is not allowed`));
        const asOwner = refused({
          ...smallest(),
          cluster: { ...cluster, databases: [{ name: "app", owner: name }] },
        });
        assert.match(asOwner, new RegExp(`owner: "${name}" is not allowed`));
      }
    });

    it("and extensions in every database, template1 too, so that the scratch server preloads them", () => {
      const script = readFileSync(join(image, "post_init.sh"), "utf8");
      const made = /for extension in (.*); do/.exec(script)?.[1]?.split(" ");
      assert.deepEqual(zalando.backups?.preload, made);
      const settings = checked(
        changed(withBackup(), "cluster.databases.0.extensions", ["timescaledb", "pg_stat_statements"]),
      );
      const { objects } = backupPlan(settings, zalando, zalando.plan(settings));
      const text = JSON.stringify(objects.find(({ id }) => id.startsWith("verify-")));
      assert.match(text, /"LIBRARIES","value":"pg_stat_statements,pg_stat_kcache,set_user,timescaledb"/);
    });

    it("by Patroni's callback once a new primary leads, and not at a standby", () => {
      fake("psql", `echo t; cat >>'${folder}/sql' </dev/stdin`);
      const text = readFileSync(join(image, "on_role_change.sh"), "utf8").replace(
        "/scripts/post_init.sh",
        `${folder}/bin/post_init`,
      );
      writeFileSync(join(folder, "callback.sh"), text);
      fake("post_init", `echo done >>'${folder}/inits'`);
      for (const role of ["replica", "primary", "master"])
        spawnSync("sh", [join(folder, "callback.sh"), "on_role_change", role, "main"], { env, input: "" });
      assert.equal(read("inits"), "done\ndone\n");
    });
  });

  describe("a base backup", () => {
    const subjectOf = (kubectl: object): Subject => {
      const settings = checked(withBackup());
      return {
        kubectl: { list: () => Promise.resolve([{ metadata: { name: "main-0" } }]), ...kubectl },
        settings,
        engine: zalando,
        live: liveReaders.zalando,
        plan: zalando.plan(settings),
      } as unknown as Subject;
    };
    const quiet = { say: () => undefined, detail: () => undefined };
    const made = (stdout: string, stderr = "") =>
      backUp(subjectOf({ run: () => Promise.resolve({ exitCode: 0, stdout, stderr }) }), quiet).catch(
        (error: Error) => error,
      );

    it("is made when WAL-G says so, under its name, and not because the command ended well", async () => {
      assert.equal(
        await made("", "INFO: 2026/01/01 00:00:00.1 Wrote backup with name base_000000010000000000000004"),
        "base_000000010000000000000004",
      );
      const error = await made(
        "producing a new backup",
        "ERROR: 2026/01/01 00:00:00.1 failed to list s3 folder: SignatureDoesNotMatch\nNo backups found",
      );
      assert.ok(error instanceof Error);
      assert.match(error.message, /^no base backup was made: ERROR: .*SignatureDoesNotMatch$/);
    });

    it("isn't made on a standby, where the script ends well too, nor where nothing is said", async () => {
      const standby = await made("postgres_backup.sh - Cluster is in recovery, not running backup");
      assert.ok(standby instanceof Error);
      assert.match(standby.message, /no base backup was made: .*in recovery/);
      assert.match(((await made("")) as Error).message, /nothing was said/);
      assert.equal(lastError("one\nERROR: two\n\nthree\n"), "ERROR: two");
    });

    it("ends well whatever came of it in the image that stands in, too", () => {
      fake("python3", "echo 'ERROR: SignatureDoesNotMatch' >&2; exit 1");
      const { status, stderr } = spawnSync("sh", [join(image, "postgres_backup.sh"), "/data"], {
        env,
        encoding: "utf8",
      });
      assert.equal(status, 0);
      assert.match(stderr, /SignatureDoesNotMatch/);
    });

    it("is asked for where the primary makes none by itself, as after a restore of more than an hour", async () => {
      const answers = (base?: object) =>
        JSON.stringify({
          kind: "answers",
          target: "near",
          archiveId: "0123456789",
          wal: { segment: "0".repeat(24), at: "2026-01-01 00:00:00" },
          ...(base && { base }),
        });
      for (const underway of [3, 0]) {
        let looks = 0;
        let backups = 0;
        const said: string[] = [];
        const subject = subjectOf({
          run: (args: string[]) => {
            const answer = (exitCode: number, stdout = "") =>
              Promise.resolve({ exitCode, stdout, stderr: "" });
            if (args.includes("pgrep")) return answer(looks++ < underway ? 0 : 1);
            if (args.some((one) => one.includes("postgres_backup.sh"))) {
              backups++;
              return answer(0, "Wrote backup with name base_1");
            }
            return answer(0, answers(backups > 0 ? { id: "base_1", at: "2026-01-01 00:00:00" } : undefined));
          },
        });
        const context = { say: (text: string) => said.push(text), detail: () => undefined };
        await firstBackup(subject, context, new AbortController().signal, undefined, { quietMs: 0 });
        assert.deepEqual([backups, looks], [1, underway + 1]);
        assert.match(said[0] ?? "", /makes no base backup by itself: one is asked for/);
      }
    }).timeout(30_000);
  });

  describe("in a copy", () => {
    const place = () => join(folder, "place/gen");
    const base = (id: string, finished: string, uploadedAt: string) => {
      mkdirSync(join(place(), "basebackups_005", id, "tar_partitions"), { recursive: true });
      const sentinel = join(place(), "basebackups_005", `${id}_backup_stop_sentinel.json`);
      writeFileSync(
        sentinel,
        JSON.stringify({ LSN: 1, StartTime: finished, FinishTime: finished, DateFmt: "%Y" }),
      );
      utimesSync(sentinel, new Date(uploadedAt), new Date(uploadedAt));
    };
    const first = "base_000000010000000000000002";
    const second = `base_000000010000000000000006_D_000000010000000000000002`;
    const ran = (script: string, more: NodeJS.ProcessEnv) =>
      spawnSync("dash", [join(folder, script)], {
        env: { ...env, PATH: `${folder}/bin:${fakes}:${process.env.PATH}`, TZ: "UTC", ...more },
        encoding: "utf8",
      });
    beforeEach(() => {
      for (const name of readdirSync(scripts))
        writeFileSync(
          join(folder, name),
          readFileSync(join(scripts, name), "utf8").replaceAll("/scripts/", `${folder}/`),
        );
      mkdirSync(join(place(), "wal_005"), { recursive: true });
      for (const number of [2, 3, 4, 5, 6])
        writeFileSync(join(place(), "wal_005", `00000001000000000000000${number}.br`), "");
      base(first, "2026-01-01T00:00:10.123456Z", "2026-02-01T00:00:00Z");
      base(second, "2026-01-02T00:00:10Z", "2026-02-01T00:00:00Z");
    });
    const targets = () => ({
      TARGETS: "1",
      TARGET_1: "near",
      PLACE_1: join(folder, "place"),
      REPORTS_1: join(folder, "reports"),
      ARCHIVE_ID: "gen",
      NUMBER: "1",
      WORK: folder,
      TOOL: "walg",
      WINDOW_DAYS: "7",
      WAIT_SECONDS: "0",
    });
    const at = (time: string) => String(Date.parse(time) / 1000);

    it("a base backup is as old as its sentinel says, not as its copy", () => {
      for (const [time, id] of [
        ["2026-01-03T00:00:00Z", second],
        ["2026-01-02T00:00:00Z", first],
      ] as const) {
        rmSync(join(folder, "backup"), { force: true });
        const { stdout } = ran("choose.sh", { ...targets(), TO: time, TO_SECONDS: at(time) });
        assert.equal(read("backup").trim(), id, stdout);
      }
      assert.match(
        ran("list.sh", targets()).stdout,
        /"begin":"2026-01-01 00:00:10","end":"2026-01-01 00:00:10"/,
      );
    });

    it("has no base backup from before the copying to Spilo, and no cluster is made then", async () => {
      const source = (more: NodeJS.ProcessEnv) =>
        ran("source.sh", {
          ...targets(),
          ARCHIVE_ID: "new",
          SOURCE: place(),
          WORDS: join(folder, "words"),
          TO_SECONDS: at("2026-01-03T00:00:00Z"),
          ...more,
        });
      assert.equal(source({}).status, 0, "another engine takes it");
      assert.equal(source({ BASE_TIME: "uploaded", TO_SECONDS: at("2026-02-02T00:00:00Z") }).status, 0);
      assert.equal(source({ BASE_TIME: "uploaded" }).status, 1);
      const words = read("words");
      assert.deepEqual(parseResults(words, "late"), [
        { kind: "late", base: second, at: "2026-02-01 00:00:00" },
      ]);
      const settings = checked(withBackup({ restore: { ...restore, to: { time: "2026-01-03T00:00:00Z" } } }));
      const pod = { status: { containerStatuses: [{ state: { terminated: { message: words } } }] } };
      assert.equal(
        await missingSource({
          kubectl: { list: () => Promise.resolve([pod]) },
          settings,
        } as unknown as Subject),
        'pgplatform:restore.to.time: "2026-01-03T00:00:00Z" is not allowed, and no cluster was made. Allowed: a moment after 2026-02-01 00:00:00 (UTC), when base backup ' +
          `${second} came to target near, which the engine zalando takes for its time. Fix: restore from the target that it was made in, or to a later moment.`,
      );
      const { objects } = backupPlan(settings, zalando, zalando.plan(settings));
      assert.match(
        JSON.stringify(objects.find(({ id }) => id === "restore-source")),
        /"BASE_TIME","value":"uploaded"/,
      );
    });

    it("the oldest base backup comes first, its sentinel last: LATEST is the newest, and a difference has what it needs", () => {
      const rclone = join(fakes, "rclone");
      fake(
        "rclone",
        `case "$*" in copy*) for last; do :; done; echo "\${last#${folder}/}" >>'${folder}/copied' ;; *) exec ${rclone} "$@" ;; esac`,
      );
      ran("copy.sh", {
        ...targets(),
        TARGETS: "2",
        TARGET_2: "far",
        PLACE_2: join(folder, "far"),
        REPORTS_2: folder,
      });
      assert.deepEqual(
        read("copied")
          .trim()
          .split("\n")
          .map((path) => path.replace("far/gen/basebackups_005/", "")),
        [
          first,
          `${first}_backup_stop_sentinel.json`,
          second,
          `${second}_backup_stop_sentinel.json`,
          "far/gen/wal_005",
        ],
      );
    });

    it("the watcher lists a flat folder of WAL as rarely as it has pages", () => {
      const script = readFileSync(join(scripts, "watch.sh"), "utf8");
      const pause = /^pause\(\) \{[^]*?^\}/m.exec(script)?.[0];
      const listed = join(folder, "listed");
      const seconds = (count: number): string => {
        writeFileSync(listed, "name;time\n".repeat(count));
        const command = `LISTED='${listed}' LISTS=8 HURRY=90 hurried=0 missing=no; ${pause}; pause 1`;
        return spawnSync("dash", ["-c", command], { env, encoding: "utf8" }).stdout.trim();
      };
      assert.deepEqual([256, 999, 2500, 20_000].map(seconds), ["30", "30", "90", "630"]);
    });
  });

  describe("Patroni's settings that the custom resource has no field for", () => {
    const wanted = {
      primary_start_timeout: 0,
      postgresql: {
        remove_data_directory_on_rewind_failure: true,
        remove_data_directory_on_diverged_timelines: true,
      },
    };
    async function settled(present: object): Promise<unknown[]> {
      const patches: unknown[] = [];
      const server = createServer((request, response) => {
        let body = "";
        request.on("data", (part: Buffer) => (body += part.toString()));
        request.on("end", () => {
          if (request.method === "PATCH") patches.push(JSON.parse(body));
          response.end(JSON.stringify(present));
        });
      });
      await new Promise<void>((listening) => server.listen(0, "127.0.0.1", listening));
      const { port } = server.address() as { port: number };
      try {
        await run("python3", ["-B", join(__dirname, "../../plan/engines/zalando/patroni.py")], {
          env: {
            PATRONI_URL: `http://127.0.0.1:${port}`,
            PATRONI_CONFIGURATION: JSON.stringify(wanted),
            http_proxy: undefined,
          },
        });
      } finally {
        server.close();
      }
      return patches;
    }

    it("are set key by key, and what is so already stays untouched", async () => {
      assert.deepEqual(await settled({ ttl: 20, postgresql: { use_slots: true } }), [wanted]);
      const { remove_data_directory_on_rewind_failure: one } = wanted.postgresql;
      assert.deepEqual(
        await settled({
          ...wanted,
          postgresql: { remove_data_directory_on_rewind_failure: one, use_slots: true },
        }),
        [{ postgresql: { remove_data_directory_on_diverged_timelines: true } }],
      );
      assert.deepEqual(await settled({ ...wanted, ttl: 20 }), []);
      assert.deepEqual(await settled({}), [wanted]);
    });

    it("aren't in the image that stands in, so that they come from there", () =>
      assert.doesNotMatch(readFileSync(join(image, "run.py"), "utf8"), /remove_data_directory/));
  });

  it("without a lock the data volume isn't held, as in Spilo", () => {
    const code = `import sys; sys.path.insert(0, ${JSON.stringify(image)})
from pathlib import Path
import run
volume = Path(${JSON.stringify(join(folder, "volume"))})
with run.hold(volume, ""):
    with run.hold(volume, "none"):
        print("both")`;
    const { stdout } = spawnSync("python3", ["-B", "-c", code], { env, encoding: "utf8", timeout: 20_000 });
    assert.match(stdout, /nothing holds the data volume, as in Spilo\nboth\n$/);
  });

  describe("memory and processors", () => {
    const cluster = (cpu: string, memory: string) => ({
      resources: { requests: { cpu: "500m", memory }, limits: { cpu, memory } },
    });

    it("uploads are as many as the limit of processors, and not as the node's", () => {
      for (const [cpu, count] of [
        ["500m", "2"],
        ["2", "2"],
        ["2500m", "3"],
        ["16", "10"],
      ] as const) {
        const told = variables(inCloud(cluster(cpu, "4Gi")));
        assert.deepEqual([told.WALG_UPLOAD_CONCURRENCY, told.WALG_DOWNLOAD_CONCURRENCY], [count, count]);
      }
    });

    it("of WAL-G is left to it: work_mem is smaller, and too little memory is refused by name", () => {
      const work = (input: unknown) => parseInt(specOf(input).postgresql.parameters.work_mem!);
      const with10 = work(inCloud(cluster("16", "2Gi")));
      assert.ok(with10 < work(inCloud(cluster("2", "2Gi"))));
      const parameters = { parameters: { work_mem: "4MB" } };
      assert.equal(refused(inCloud({ ...cluster("2", "2Gi"), ...parameters })), "");
      assert.match(
        refused(inCloud({ ...cluster("16", "1536Mi"), ...parameters, maxConnections: 120 })),
        /cluster\.resources\.limits\.memory: "1536Mi" is not allowed\. Allowed: at least \d+Mi: .*, 417MB for WAL-G\./,
      );
    });

    it("isn't counted where nothing is archived, and where the image built here archives without WAL-G", () => {
      const work = (input: unknown) => specOf(input).postgresql.parameters.work_mem;
      assert.equal(work(withBackup()), work(changed(smallest(), "cluster.engine", "zalando")));
    });

    it("autovacuum has as many workers as are counted, not Spilo's five", () => {
      const workers = (parameters: object) =>
        specOf(inCloud({ parameters })).postgresql.parameters.autovacuum_max_workers;
      assert.equal(workers({}), "3");
      assert.equal(workers({ autovacuum_max_workers: 7 }), "7");
      assert.match(readFileSync(join(image, "run.py"), "utf8"), /"autovacuum_max_workers": 5/);
    });
  });
});
