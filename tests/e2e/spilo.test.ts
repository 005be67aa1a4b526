import assert from "node:assert/strict";
import { chmod } from "node:fs/promises";
import { join } from "node:path";
import { backupNames } from "../../plan/backup/names";
import { storeName, storeNamespace } from "../../plan/backup/storeNames";
import { engineAsked } from "../../operations/layers";
import { readStatus } from "../../operations/targets";
import { stateDir } from "../../shell/paths";
import { run } from "../../shell/process";
import { Writer } from "./kit/clients";
import { environment, type Environment } from "./kit/environment";
import { type Clients, deleteNamespaces, startClients } from "./kit/fixture";
import { ChangedStack, type Edit } from "./kit/settings";
import { withoutTime } from "./kit/make";
import { longestGap } from "./kit/oracle";
import { say, until } from "./kit/wait";

/**
 * What Spilo does that one must reckon with, by the image that stands in for it: with Barman's tools in the place of WAL-G, which it hangs like
 * where the store can't be reached.
 *
 * Not proven here: Spilo and WAL-G themselves.
 */
/** It destroys the stack four times. */
const suite = process.env.BACKUP === "1" && engineAsked() === "zalando" ? describe : describe.skip;

const FAILOVER_SECONDS = 30;
const STANDBY_SECONDS = 20;
const NEAR = "near";

suite("Spilo as it is (an image that stands in for it)", () => {
  let env: Environment;
  let clients: Clients;
  let stack: ChangedStack;
  let archiveId = "";

  const archived: Edit = (settings) => {
    settings.backup = { rpoMinutes: 1, targets: [{ name: NEAR, kind: "local", size: "2Gi" }] };
  };

  before(async () => {
    env = await environment();
    clients = await startClients(env);
    stack = await ChangedStack.open();
    await stack.write([archived]);
    assert.equal((await stack.make("up")).exitCode, 0);
    const [seen] = (await readStatus(env)) ?? [];
    archiveId = seen?.kind === "answers" ? seen.archiveId : "";
  });

  after(async () => {
    if (clients === undefined) return;
    await stack.giveBack(() =>
      deleteNamespaces(env, [...clients.namespaces, storeNamespace(env.settings.cluster)]),
    );
  });

  const ask = async (statement: string, database = "postgres"): Promise<string> =>
    env.cluster.value(await env.cluster.primary(), statement, database);

  async function inPrimary(script: string): Promise<string> {
    return env.cluster.exec(await env.cluster.primary(), ["sh", "-c", script]);
  }

  async function inStore(script: string): Promise<string> {
    const { name, namespace } = env.settings.cluster;
    const pod = `deployment/${backupNames.watch(name)}`;
    const command = `set -eu; . /scripts/places.sh; at=$PLACE_1/${archiveId}; ${script}`;
    const args = ["-n", namespace, "exec", pod, "-c", "watch", "--", "sh", "-c", command];
    return (await env.kubectl.run(args)).stdout.trim();
  }

  /** Ends the store's pod, or starts it, and waits for that. */
  async function scaleStore(replicas: number): Promise<void> {
    const name = storeName(env.settings.cluster.name, NEAR);
    const at = ["-n", storeNamespace(env.settings.cluster)];
    await env.kubectl.run([...at, "scale", "statefulset", name, `--replicas=${replicas}`]);
    await until(`the store has ${replicas} pods that are ready`, 120, async () => {
      const { status = {} } = (await env.kubectl.get("statefulset", at[1]!, name)) ?? {};
      const { replicas: there = 0, readyReplicas: ready = 0 } = status as Record<string, number>;
      return there === replicas && ready === replicas ? { done: undefined } : { why: `${ready} of ${there}` };
    });
  }

  it("`make backup` ends with the store's words where the key is wrong, though Spilo's script ends well", async () => {
    const key = "/run/etc/wal-e.d/env/AWS_SECRET_ACCESS_KEY";
    await inPrimary(`cp ${key} /tmp/key; printf wrong >${key}`);
    try {
      const { exitCode, lines } = await stack.make("backup");
      assert.notEqual(exitCode, 0);
      assert.match(lines.join("\n"), /no base backup was made: .*(SignatureDoesNotMatch|Forbidden|403)/);
    } finally {
      await inPrimary(`cp /tmp/key ${key}; rm /tmp/key`);
    }
    const { exitCode, lastLine } = await stack.make("backup");
    assert.equal(exitCode, 0);
    assert.match(lastLine, /The base backup \w+ is made/);
  });

  it("Patroni has what the custom resource has no field for, and autovacuum as many workers as are counted", async () => {
    const configuration = await inPrimary("patronictl show-config");
    assert.match(configuration, /remove_data_directory_on_diverged_timelines: true/);
    assert.match(configuration, /remove_data_directory_on_rewind_failure: true/);
    assert.equal(await ask("show autovacuum_max_workers"), "3");
  });

  describe("while the store can't be reached", () => {
    before(() => scaleStore(0));
    after(() => scaleStore(1));

    it(`a failover writes again within ${FAILOVER_SECONDS} s, and the engine's own roles are as Spilo makes them`, async () => {
      const host = env.plan.endpoints.primary.host;
      await clients.direct.query(host, "create table if not exists spilo_away (id bigint not null)");
      await ask("alter role admin login createrole; select 1");
      const writer = await Writer.start({
        pod: clients.direct,
        arm: "direct",
        run: "spilo-away",
        host,
        table: "spilo_away",
        firstId: 1,
        readWrite: true,
      });
      await writer.waitForMore(100, 120);
      const former = await env.cluster.leadership();
      await writer.mark();
      await env.cluster.deletePod(former.primary);
      await until("another timeline", 1200, async () => {
        const { timeline } = await env.cluster.leadership();
        return timeline > former.timeline ? { done: undefined } : { why: `timeline ${timeline}` };
      });
      await writer.waitForMore(100, 1200);
      const { log } = await writer.stop();
      const gap = longestGap(log);
      say(`no write for ${gap.toFixed(1)} s`);
      assert.ok(gap <= FAILOVER_SECONDS, `${gap} s`);
      assert.ok(gap > 0.5, "the primary was away");
      await until("the roles", 60, async () => {
        const role = await ask(
          "select rolcanlogin, rolcreaterole, rolcreatedb from pg_roles where rolname = 'admin'",
        );
        return role === "f|f|t" ? { done: undefined } : { why: role };
      });
    });

    it(`a restarted standby streams within ${STANDBY_SECONDS} s`, async () => {
      await env.cluster.waitHealthy(300);
      const primary = await env.cluster.primary();
      const [standby = ""] = (await env.cluster.names()).filter((name) => name !== primary);
      const uid = async () =>
        (
          (await env.kubectl.get("pod", env.cluster.namespace, standby))?.metadata as
            { uid?: string } | undefined
        )?.uid;
      const old = await uid();
      await env.cluster.deletePod(standby);
      const streams = `select count(*) from pg_stat_replication where application_name = '${standby}' and state = 'streaming'`;
      await until("that it streams", 1200, async () => {
        const [now, count] = [await uid(), await ask(streams)];
        return now !== undefined && now !== old && count === "1"
          ? { done: undefined }
          : { why: `${count} streams` };
      });
      // By the server's own clocks: how soon a pod starts is another matter.
      const connected = `select extract(epoch from backend_start) from pg_stat_replication where application_name = '${standby}'`;
      const started = "select extract(epoch from pg_postmaster_start_time())";
      const seconds = Number(await ask(connected)) - Number(await env.cluster.value(standby, started));
      say(`it streams ${seconds.toFixed(1)} s after its server started`);
      assert.ok(seconds <= STANDBY_SECONDS, `${seconds} s`);
    });
  });

  describe("a restore to a moment", () => {
    let moment = "";
    /** What has the row from shortly before the moment. */
    let segment = "";

    /** Ends a segment, and returns its name. */
    async function switched(row: string): Promise<string> {
      await ask(`insert into spilo_moments values ('${row}') returning 1`, clients.login.database);
      return ask("select pg_walfile_name(pg_switch_wal())");
    }

    const object = () => inStore(`rclone lsf -R --files-only $at/wals | grep '/${segment}'`);

    const restored = async () => {
      assert.equal((await stack.make("destroy")).exitCode, 0);
      await stack.write([
        archived,
        (settings) => {
          settings.restore = { target: NEAR, archiveId, to: { time: moment } };
        },
      ]);
      const { exitCode, lines } = await stack.make("up");
      return { exitCode, said: lines.map(withoutTime).join("\n") };
    };
    const rows = () =>
      ask("select string_agg(which, ',' order by which) from spilo_moments", clients.login.database);
    const sentence = () =>
      new RegExp(
        `pgplatform:restore\\.to\\.time: "${moment}" was not reached: (the WAL that came from target ${NEAR} ends before it|PostgreSQL ended recovery elsewhere \\("no recovery target specified"\\))`,
      );

    before(async () => {
      await env.cluster.waitHealthy(300);
      await ask("create table spilo_moments as select 'a first' as which; select 1", clients.login.database);
      assert.equal((await stack.make("backup")).exitCode, 0);
      await switched("b early");
      segment = await switched("c before");
      moment = await ask(
        "select to_char(clock_timestamp() at time zone 'UTC', 'YYYY-MM-DD\"T\"HH24:MI:SS.US\"Z\"')",
      );
      const last = await switched("d after");
      await until(`the segment ${last} in the store`, 120, async () =>
        (await inStore("rclone lsf -R $at/wals")).includes(last) ? { done: undefined } : { why: "not yet" },
      );
    });

    it("of which a segment is missing comes up at an earlier moment, as Spilo brings it up, and `make up` ends with a sentence", async () => {
      const path = await object();
      const kept = await inStore(`rclone cat $at/wals/${path} | base64 -w 0`);
      await inStore(`rclone deletefile $at/wals/${path}`);
      try {
        const { exitCode, said } = await restored();
        assert.notEqual(exitCode, 0);
        assert.match(said, sentence());
        // Spilo tries again without the moment, whatever `make up` says of it.
        await until("the rows from before the gap", 300, async () =>
          (await rows()) === "a first,b early" ? { done: undefined } : { why: await rows() },
        );
      } finally {
        await inStore(`echo ${kept} | base64 -d | rclone rcat $at/wals/${path}`);
      }
    });

    it("of which the store refuses a segment ends with that sentence too", async function () {
      const path = await object();
      const nodes = join(stateDir, "cluster/nodes");
      const { stdout } = await run("find", [nodes, "-path", `*/${archiveId}/wals/${path}`], {
        allowFailure: true,
      });
      const file = stdout.trim();
      // Only where the store's volume is a folder of this machine.
      if (file === "") return this.skip();
      await chmod(file, 0);
      try {
        const { exitCode, said } = await restored();
        assert.notEqual(exitCode, 0);
        assert.match(said, sentence());
      } finally {
        await chmod(file, 0o600);
      }
    });

    it("whose WAL is all there ends at the moment", async () => {
      const { exitCode, said } = await restored();
      assert.equal(exitCode, 0, said);
      assert.match(said, /the restore ended where it was told to/);
      assert.equal(await rows(), "a first,b early,c before");
    });

    it("is judged again by the next `make up`, after a failover too", async () => {
      await env.cluster.renewPod(await env.cluster.primary());
      const { exitCode } = await stack.make("up");
      assert.equal(exitCode, 0);
    });
  });
});
