import assert from "node:assert/strict";
import { backupNames } from "../../plan/backup/names";
import { storeName, storeNamespace } from "../../plan/backup/storeNames";
import { waitingLog } from "../../operations/primary";
import { listed, readStatus, rowLine } from "../../operations/targets";
import { Writer } from "./kit/clients";
import { environment, type Environment } from "./kit/environment";
import { type Clients, deleteNamespaces, startClients } from "./kit/fixture";
import { type WriterLog } from "./kit/oracle";
import { ChangedStack, type Edit } from "./kit/settings";
import { withoutTime } from "./kit/make";
import { say, until } from "./kit/wait";

/**
 * Backups in two stores that the platform runs beside the cluster (versitygw, built here), over the real S3 protocol. A client writes, the
 * stores are cut off, everything but the stores is deleted, and a cluster of the same name is restored from each of them: to the newest that
 * was archived, and to a moment. WAL archive and base backup are judged together, by what a query finds. Backups are
 * damaged to see that a verification finds it, and the first store is lost for good.
 *
 * Not proven here: a bucket of AWS, R2 or B2; what a store that refuses what those refuse says is another suite's (strictStore).
 */
/** For how long the first store is away; AWAY=600 are the ten minutes that docs/backup.md tells of. */
const AWAY_SECONDS = Number(process.env.AWAY ?? 120);
/** It destroys the stack three times and makes it five times. */
const suite = process.env.BACKUP === "1" ? describe : describe.skip;

const RPO_MINUTES = 1;
/** How old the copy may be, which is made every minute and takes a moment. */
const COPY_SECONDS = 120;
const NEAR = "near";
const FAR = "far";
const TABLE = "backup_oracle";

suite("backup and restore (a store in the cluster, images built here)", () => {
  let env: Environment;
  let clients: Clients;
  let stack: ChangedStack;
  let log: WriterLog;
  let moment = "";
  const archiveIds: string[] = [];

  const archived: Edit = (settings) => {
    settings.backup = {
      rpoMinutes: RPO_MINUTES,
      targets: [NEAR, FAR].map((name) => ({ name, kind: "local", size: "5Gi" })),
      copy: { schedule: "* * * * *" },
      verify: {
        dump: true,
        queries: [{ name: "heartbeat", sql: "select count(*) > 0 from pgplatform.heartbeat" }],
      },
    };
  };
  const from =
    (target: string, archiveId: string, to: { time?: string } = {}): Edit =>
    (settings) => {
      settings.restore = { target, archiveId, to };
    };

  before(async () => {
    env = await environment();
    clients = await startClients(env);
    stack = await ChangedStack.open();
  });

  after(async () => {
    if (clients === undefined) return;
    await stack.giveBack(() =>
      deleteNamespaces(env, [...clients.namespaces, storeNamespace(env.settings.cluster)]),
    );
  });

  const ask = async (statement: string): Promise<string> =>
    env.cluster.value(await env.cluster.primary(), statement, clients.login.database);

  /** What the platform sees in a target; undefined while it sees nothing. */
  const seen = async (target: string) =>
    (await readStatus(env))?.find((one) => "target" in one && one.target === target);

  /** The archive that the cluster archives as. */
  async function archiveId(): Promise<string> {
    const one = await seen(NEAR);
    return one?.kind === "answers" ? one.archiveId : "";
  }

  /** Runs a script where the platform looks into the stores: $PLACE_1 and $PLACE_2 are the targets' places. */
  async function inStores(script: string): Promise<string> {
    const { name, namespace } = env.settings.cluster;
    const pod = `deployment/${backupNames.watch(name)}`;
    const command = `set -eu; . /scripts/places.sh; at=$PLACE_1/$ARCHIVE_ID; ${script}`;
    const args = ["-n", namespace, "exec", pod, "-c", "watch", "--", "sh", "-c", command];
    return (await env.kubectl.run(args)).stdout.trim();
  }

  /** Writes a row, and waits until the segment with it is in the first store. */
  async function segmentStored(value: string, seconds: number): Promise<void> {
    await ask(`insert into pgplatform.heartbeat (value) values ('${value}') returning value`);
    // Where the server has just switched by itself, this is the segment before.
    const name = await ask("select pg_walfile_name(pg_switch_wal())");
    await until(`the segment ${name} in the first store`, seconds, async () =>
      (await inStores(`rclone lsf -R $at/wals`)).includes(name)
        ? { done: undefined }
        : { why: "it isn't there" },
    );
  }

  /** `make verify`; returns whether it ended well, and its last line. */
  async function verified(target?: string, time?: string): Promise<{ passed: boolean; said: string }> {
    const { exitCode, lines } = await stack.make("verify", {
      ...(target !== undefined && { TARGET: target }),
      ...(time !== undefined && { TIME: time }),
    });
    return {
      passed: exitCode === 0,
      said: lines.map(withoutTime).findLast((line) => /^(error: the restore|target)/.test(line)) ?? "",
    };
  }

  /** Every row that was acknowledged until that many seconds before the loss is there. */
  async function restoredFrom(target: string, seconds: number): Promise<void> {
    const rows = new Set(
      (
        await env.cluster.sql(await env.cluster.primary(), `select id from ${TABLE}`, clients.login.database)
      ).map(Number),
    );
    // The writer's clock begins anywhere.
    const lostAt = log.markedAt ?? 0;
    const due = log.acks.filter(({ at }) => at < lostAt - seconds);
    const missing = log.acks.filter(({ id }) => !rows.has(id));
    assert.ok(due.length > 200, `${due.length} rows were acknowledged before the RPO`);
    assert.deepEqual(
      due.filter(({ id }) => !rows.has(id)),
      [],
    );
    const first = Math.min(...missing.map(({ at }) => at));
    say(
      `from ${target}: ${log.acks.length} rows acknowledged, ${missing.length} missing; RPO ${missing.length === 0 ? 0 : (lostAt - first).toFixed(1)} s`,
    );
    assert.ok(missing.length > 0, "rows of the last moments are missing, or the store was never cut off");
    assert.deepEqual(
      [...rows].filter((id) => !log.tried.has(id)),
      [],
      "no row that no client sent",
    );
  }

  const scaleStore = (target: string, replicas: number) =>
    env.kubectl.run([
      "-n",
      storeNamespace(env.settings.cluster),
      "scale",
      "statefulset",
      storeName(env.settings.cluster.name, target),
      `--replicas=${replicas}`,
    ]);

  async function up(...edits: Edit[]): Promise<string[]> {
    await stack.write([archived, ...edits]);
    const { exitCode, lines, seconds } = await stack.make("up");
    assert.equal(exitCode, 0, "`make up` ends well");
    say(`it took ${seconds.toFixed(0)} s`);
    archiveIds.push(await archiveId());
    return lines;
  }

  async function destroy(): Promise<string> {
    const { exitCode, lastLine } = await stack.make("destroy");
    assert.equal(exitCode, 0);
    return lastLine;
  }

  it("`make up` waits until WAL is archived and there is a base backup", async () => {
    await up();
    assert.match(archiveIds[0] ?? "", /^[0-9a-f]{10}$/);
    const lines = (await listed(env)).map(rowLine);
    assert.ok(
      lines.some((line) => line.startsWith(`${NEAR}  ${archiveIds[0]}  2`) && line.includes(" MiB  from ")),
      `the base backups: ${lines.join(" | ")}`,
    );
    assert.notEqual(await ask("select last_archived_wal from pg_stat_archiver"), "");
    assert.equal(await ask("show archive_timeout"), "30s");
  });

  it("the stores run restricted, outside the cluster's namespace, and on volumes of their own", async () => {
    const namespace = storeNamespace(env.settings.cluster);
    const space = await env.kubectl.get("namespace", "", namespace);
    assert.equal(space?.metadata.labels?.["pod-security.kubernetes.io/enforce"], "restricted");
    const claims = await env.kubectl.list("persistentvolumeclaims", namespace, "");
    assert.equal(claims.length, 2);
  });

  it("a restore from each target is tried beside everything else, and found whole", async () => {
    const { passed, said } = await verified();
    assert.ok(passed, said);
    for (const target of [NEAR, FAR])
      assert.match(
        said,
        new RegExp(`target ${target}, base backup \\w+, is restored and whole: \\d+ MiB in \\d+ s`),
      );
    const dump = (await listed(env)).find((row) => row.kind === "dump" && row.target === FAR);
    const id = dump?.kind === "dump" && dump.bytes !== null ? dump.id : undefined;
    assert.ok(
      id !== undefined && said.includes(`dump ${id} of `),
      `the copy's dump is listed: ${dump && rowLine(dump)}; ${said}`,
    );
    const { database } = clients.login;
    const stored = await inStores(
      `rclone cat $PLACE_2/$ARCHIVE_ID/dumps/${id}/${database}.dump | base64 -w 0`,
    );
    const rows = "base64 -d | pg_restore --data-only -n pgplatform -t heartbeat -f -";
    assert.match(
      await env.cluster.exec(await env.cluster.primary(), ["bash", "-c", rows], stored),
      /\t\S*-verify-\d-\S+\t/,
      "the dump has the row that was written before",
    );
    await until("the results as metrics", 90, async () => {
      const metrics = await inStores("cat /state/metrics.txt");
      const good = metrics.match(/verification_passed\{[^}]*\} 1/g) ?? [];
      return good.length === 2 ? { done: undefined } : { why: `${good.length} of 2` };
    });
    const claims = await env.kubectl.list(
      "persistentvolumeclaims",
      env.settings.cluster.namespace,
      "pgplatform.io/role=verification",
    );
    assert.deepEqual(claims, [], "the scratch volume is gone");
  });

  it("a restore to a moment is tried too, and refused where the backups don't reach", async () => {
    const now = `select to_char(clock_timestamp() at time zone 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS"Z"')`;
    const then = await ask(now);
    await ask("insert into pgplatform.heartbeat (value) values ('after the moment') returning value");
    await ask("select pg_switch_wal()");
    await until("that log in the first store", 120, async () => {
      const waiting = await ask("select count(*) from pg_ls_archive_statusdir() where name like '%.ready'");
      return waiting === "0" ? { done: undefined } : { why: `${waiting} segments wait` };
    });
    const good = await verified(NEAR, then);
    assert.ok(good.passed, good.said);
    assert.match(good.said, new RegExp(`is restored to ${then} and whole: .* s old then`));
    const late = await verified(NEAR, "2099-01-01T00:00:00Z");
    assert.ok(!late.passed, late.said);
    assert.match(late.said, /recovery ended before configured recovery target was reached/);
    const early = await verified(NEAR, "2020-01-01T00:00:00Z");
    assert.ok(!early.passed, early.said);
    assert.match(early.said, /no finished base backup of archive \w+ from before 2020-01-01T00:00:00Z/);
  });

  describe("damage to the first target", () => {
    /** The segment before the newest one, and the newest base backup. */
    const segment = `$(rclone lsf -R --files-only $at/wals | grep -E '/[0-9A-F]{24}[.][a-z0-9]+$' | sort | tail -n 2 | head -n 1)`;
    const base = "$(rclone lsf --dirs-only $at/base | tr -d / | sort | tail -n 1)";
    // Near the beginning: the zeros behind are compressed so that other bytes may stand for the same.
    const flip =
      "cp $w/good $w/bad; printf '\\377\\377\\377\\377' | dd of=$w/bad bs=1 seek=200 conv=notrunc 2>/dev/null; " +
      "case $object in *.gz) if gzip -t $w/bad 2>/dev/null; then echo no damage; exit 1; fi ;; esac";
    const half = "head -c $(($(wc -c <$w/good) / 2)) $w/good >$w/bad";
    const cases: [title: string, object: string, damage: string, named: RegExp][] = [
      [
        "a flipped byte in a base backup",
        `base/${base}/data.tar.gz`,
        flip,
        /the base backup \w+ can't be restored/,
      ],
      ["a truncated base backup", `base/${base}/data.tar.gz`, half, /the base backup \w+ can't be restored/],
      [
        "a flipped byte in a segment",
        `wals/${segment}`,
        flip,
        /the WAL can't be replayed: [0-9A-F]{24} can't be fetched|the segment [0-9A-F]{24} is damaged/,
      ],
      [
        "a truncated segment",
        `wals/${segment}`,
        half,
        /the WAL can't be replayed: [0-9A-F]{24} can't be fetched/,
      ],
      [
        "a missing segment",
        `wals/${segment}`,
        "rm -f $w/bad",
        /a segment behind [0-9A-F]{24} is missing: the archive continues with [0-9A-F]{24}/,
      ],
    ];

    // Segments that are written now, of which the newest but one isn't what a base backup begins with.
    before(async () => {
      for (let count = 0; count < 3; count++) {
        await segmentStored(`segment ${count}`, 120);
      }
    });

    // What isn't in the copy yet would be copied as it is: damaged.
    beforeEach(async () => {
      const objects =
        "lsf -R --files-only --filter '- **/annotations/**' --filter '+ /{base,wals}/**' --filter '- **'";
      const lacking = `rclone ${objects} $at | sort >/tmp/first; rclone ${objects} $PLACE_2/$ARCHIVE_ID | sort | comm -23 /tmp/first -`;
      await until("the copy of all that", COPY_SECONDS + 60, async () => {
        const missing = await inStores(lacking);
        return missing === "" ? { done: undefined } : { why: `it lacks ${missing.split("\n")[0]}` };
      });
    });

    for (const [title, object, damage, named] of cases)
      it(`${title} is found and named`, async () => {
        const path = await inStores(
          `object=${object}; w=/tmp/damage; mkdir -p $w; rclone cat $at/$object >$w/good; ${damage}; ` +
            "rclone deletefile $at/$object; if [ -e $w/bad ]; then rclone rcat $at/$object <$w/bad; fi; echo $object",
        );
        say(`damaged: ${path}`);
        try {
          const { passed, said } = await verified(NEAR);
          assert.ok(!passed, `it was found good: ${said}`);
          assert.match(said, named);
        } finally {
          await inStores(`rclone rcat $at/${path} </tmp/damage/good; rm -r /tmp/damage`);
        }
      });

    it("doesn't reach the copy, which is never written over", async () => {
      const { passed, said } = await verified(FAR);
      assert.ok(passed, said);
    });

    it("is gone when the objects are put back", async () => {
      const { passed, said } = await verified(NEAR);
      assert.ok(passed, said);
    });
  });

  it(`the store is away for ${AWAY_SECONDS} s: writes continue, it is said within one, and the archive has no gap after it`, async () => {
    const host = env.plan.endpoints.primary.host;
    await clients.direct.query(host, `create table away (id bigint not null)`);
    const writer = await Writer.start({
      pod: clients.direct,
      arm: "direct",
      run: "away",
      host,
      table: "away",
      firstId: 1,
      readWrite: true,
    });
    await writer.waitForMore(50, 120);
    await scaleStore(NEAR, 0);
    const began = Date.now();
    try {
      const said = await until("that the store is away", 75, async () => {
        const one = await seen(NEAR);
        return one?.kind === "refused" ? { done: one.why } : { why: "no status says so" };
      });
      say(`after ${((Date.now() - began) / 1000).toFixed(0)} s: ${said}`);
      await writer.waitForMore(50, 120);
      await ask("select pg_switch_wal()");
      await until(`${AWAY_SECONDS} s`, AWAY_SECONDS + 10, () =>
        Promise.resolve(Date.now() - began > AWAY_SECONDS * 1000 ? { done: undefined } : { why: "not yet" }),
      );
      await writer.waitForMore(50, 120);
      const waiting = await waitingLog(env);
      say(`WAL that waits: ${JSON.stringify(waiting)}`);
      assert.ok(waiting && waiting.segments > 0 && waiting.seconds > 30, "WAL that waits is seen");
    } finally {
      await scaleStore(NEAR, 1);
    }
    await until("the archive has caught up", 300, async () => {
      const waiting = await ask("select count(*) from pg_ls_archive_statusdir() where name like '%.ready'");
      const one = await seen(NEAR);
      return waiting === "0" && one?.kind === "answers" && one.wal
        ? { done: undefined }
        : { why: `${waiting} segments wait` };
    });
    const { log: acknowledged } = await writer.stop();
    assert.ok(acknowledged.acks.length > 150);
    const { passed, said: verdict } = await verified(NEAR);
    assert.ok(passed, verdict);
  });

  it("everything but the stores is lost: what was acknowledged until the RPO before that is restored from the first", async () => {
    const host = env.plan.endpoints.primary.host;
    await clients.direct.query(host, `create table ${TABLE} (id bigint not null)`);
    const writer = await Writer.start({
      pod: clients.direct,
      arm: "direct",
      run: "backup",
      host,
      table: TABLE,
      firstId: 1,
      readWrite: true,
    });
    await writer.waitForMore(200, 120);
    await clients.pooled.query(env.pooler.host, `create table moments as select 'before' as which`);
    moment = await ask(
      "select to_char(clock_timestamp() at time zone 'UTC', 'YYYY-MM-DD\"T\"HH24:MI:SS.US\"Z\"')",
    );
    await clients.pooled.query(env.pooler.host, `insert into moments values ('after')`);
    const started = Date.now();
    await until("rows older than the RPO", 600, () => {
      const seconds = (Date.now() - started) / 1000;
      const why = `${seconds.toFixed(0)} s of rows`;
      return Promise.resolve(seconds > RPO_MINUTES * 60 + COPY_SECONDS + 45 ? { done: undefined } : { why });
    });

    // From here on nothing reaches the store any more: what the cluster does while it is deleted can't repair the archive.
    await writer.mark();
    await Promise.all([NEAR, FAR].map((target) => scaleStore(target, 0)));
    await writer.waitForMore(20, 120);
    ({ log } = await writer.stop());
    const said = await destroy();
    assert.ok(said.includes(archiveIds[0] ?? "?"), `the last line names the archive: ${said}`);
    await until("that only the stores' volumes are left", 120, async () => {
      const { stdout } = await env.kubectl.run(["get", "persistentvolumes", "-o", "name"]);
      const left = stdout.trim().split("\n").length;
      return left === 2 ? { done: undefined } : { why: `${left} volumes` };
    });

    await up(from(NEAR, archiveIds[0] ?? ""));
    await restoredFrom(NEAR, RPO_MINUTES * 60);
  });

  it("the restored cluster archives as an archive of its own, from the first minute", async () => {
    assert.notEqual(archiveIds[1], archiveIds[0]);
    assert.match(archiveIds[1] ?? "", /^[0-9a-f]{10}$/);
    const newest = "last_archived_time > coalesce(last_failed_time, '-infinity')";
    assert.equal(await ask(`select ${newest} from pg_stat_archiver`), "t");
  });

  it("a restore is refused while the cluster is there", async () => {
    await stack.write([archived, from(NEAR, archiveIds[1] ?? "")]);
    const { exitCode, lines } = await stack.make("up");
    assert.notEqual(exitCode, 0);
    assert.match(lines.join("\n"), /pgplatform:restore: must not be set once the cluster exists/);
  });

  it("the copy restores too: what was acknowledged until the RPO and the copy's schedule before the loss is there", async () => {
    await destroy();
    await up(from(FAR, archiveIds[0] ?? ""));
    await restoredFrom(FAR, RPO_MINUTES * 60 + COPY_SECONDS);
  });

  it("restored to a moment from the copy, it has the row of before and lacks the one of after", async () => {
    assert.equal(await ask("select count(*) from moments"), "2");
    await destroy();
    await up(from(FAR, archiveIds[0] ?? "", { time: moment }));
    assert.equal(await ask("select string_agg(which, ',') from moments"), "before");
    assert.equal(new Set(archiveIds).size, 4);
  });

  it("an archive that has ended is deleted when asked, once one of the present was found good", async () => {
    const [ended = ""] = archiveIds;
    const asked = () => stack.make("forget", { TARGET: NEAR, ARCHIVE_ID: ended, FORCE: "1" });
    const early = await asked();
    assert.notEqual(early.exitCode, 0);
    assert.match(early.lines.join("\n"), /was found good there, so this may be the last that is/);
    const { passed, said } = await verified(NEAR);
    assert.ok(passed, said);
    assert.equal((await asked()).exitCode, 0);
    const left = (await listed(env)).map(rowLine).filter((line) => line.includes(`  ${ended}  `));
    assert.ok(left.length > 0, "the copy's is still there");
    assert.deepEqual(
      left.filter((line) => line.startsWith(NEAR)),
      [],
    );
  });

  // Behind everything that needs it.
  describe("a first store that is lost for good", () => {
    it("is replaced: with the copy's in its place and a new one behind, it archives there, and what is there restores", async () => {
      const namespace = storeNamespace(env.settings.cluster);
      const store = storeName(env.settings.cluster.name, NEAR);
      const lost = [`statefulset/${store}`, `persistentvolumeclaim/data-${store}-0`];
      await env.kubectl.run(["-n", namespace, "delete", "--timeout=120s", ...lost]);
      const replaced: Edit = (settings) => {
        if (settings.backup)
          settings.backup.targets = [FAR, "new"].map((name) => ({ name, kind: "local", size: "5Gi" }));
      };
      const lines = await up(replaced);
      assert.match(lines.join("\n"), /WAL goes to another archive: a base backup is made there/);
      await segmentStored("after the loss", 60);
      for (const target of [FAR, "new"]) {
        const { passed, said } = await verified(target);
        assert.ok(passed, said);
      }
    });
  });
});
