import assert from "node:assert/strict";
import { storeName, storeNamespace } from "../../components/backup/store";
import { type KubeObject } from "../../operations/kubectl";
import { needs } from "./kit/ability";
import { Writer } from "./kit/clients";
import { environment, type Environment } from "./kit/environment";
import { type Clients, deleteNamespaces, startClients } from "./kit/fixture";
import { type WriterLog } from "./kit/oracle";
import { ChangedStack, type Edit } from "./kit/settings";
import { say, until } from "./kit/wait";

/**
 * Backups in a store that the platform runs beside the cluster (versitygw, built here), over the real S3 protocol. A client writes, the
 * archive is cut off, everything but the store is deleted, and a cluster of the same name is restored from it: to the newest that was
 * archived, and to a moment. It is the log's archive and the base backup together that are judged, by what a query finds.
 *
 * Not proven here: a bucket of AWS, R2 or B2; that a store which refuses what those refuse is content.
 */
/** It destroys the stack twice and makes it four times. */
const suite = process.env.BACKUP === "1" ? describe : describe.skip;

const RPO_MINUTES = 1;
const TARGET = "near";
const TABLE = "backup_oracle";

suite("backup and restore (a store in the cluster, images built here)", () => {
  let env: Environment;
  let clients: Clients;
  let stack: ChangedStack;
  let log: WriterLog;
  let moment = "";
  const generations: string[] = [];

  const archived: Edit = (settings) => {
    settings.backup = { rpoMinutes: RPO_MINUTES, targets: [{ name: TARGET, kind: "local", size: "5Gi" }] };
  };
  const from =
    (generation: string, to: { time?: string } = {}): Edit =>
    (settings) => {
      settings.restore = { target: TARGET, generation, to };
    };

  before(async function () {
    env = await environment();
    needs(this, env, "objectStore");
    clients = await startClients(env);
    stack = await ChangedStack.open();
  });

  after(async () => {
    if (clients === undefined) return;
    await stack.write([]);
    await stack.make("destroy");
    const { cluster } = env.settings;
    await deleteNamespaces(env, [...clients.namespaces, storeNamespace(cluster)]);
    await stack.make("up");
    await stack.close();
  });

  const ask = async (statement: string): Promise<string> =>
    env.cluster.value(await env.cluster.primary(), statement, clients.login.database);

  /** The generation that the cluster archives as. */
  async function generation(): Promise<string> {
    const { name, namespace } = env.settings.cluster;
    const store = await env.kubectl.get("objectstores.barmancloud.cnpg.io", namespace, `${name}-archive`);
    return store?.metadata.annotations?.["pgplatform.io/generation"] ?? "";
  }

  async function up(...edits: Edit[]): Promise<string[]> {
    await stack.write([archived, ...edits]);
    const { exitCode, lines, seconds } = await stack.make("up");
    assert.equal(exitCode, 0, "`make up` ends well");
    say(`it took ${seconds.toFixed(0)} s`);
    generations.push(await generation());
    return lines;
  }

  async function destroy(): Promise<string> {
    const { exitCode, lastLine } = await stack.make("destroy");
    assert.equal(exitCode, 0);
    return lastLine;
  }

  it("`make up` goes on until the log is archived and there is a base backup", async () => {
    await up();
    assert.match(generations[0] ?? "", /^[0-9a-f]{10}$/);
    const { name, namespace } = env.settings.cluster;
    const { items } = JSON.parse(
      (await env.kubectl.run(["-n", namespace, "get", "backups.postgresql.cnpg.io", "-o", "json"])).stdout,
    ) as { items: KubeObject[] };
    const phases = items.map(({ status }) => (status as { phase?: string } | undefined)?.phase);
    assert.ok(phases.includes("completed"), `base backups of ${name}: ${phases.join()}`);
    assert.notEqual(await ask("select last_archived_wal from pg_stat_archiver"), "");
    assert.equal(await ask("show archive_timeout"), "30s");
  });

  it("the store runs restricted, outside the cluster's namespace, and on a volume of its own", async () => {
    const namespace = storeNamespace(env.settings.cluster);
    const space = await env.kubectl.get("namespace", "", namespace);
    assert.equal(space?.metadata.labels?.["pod-security.kubernetes.io/enforce"], "restricted");
    const claims = await env.kubectl.list("persistentvolumeclaims", namespace, "");
    assert.equal(claims.length, 1);
  });

  it("everything but the store is lost: what was acknowledged until the RPO before that is restored", async () => {
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
    await until("rows older than the RPO", 300, () => {
      const seconds = (Date.now() - started) / 1000;
      const why = `${seconds.toFixed(0)} s of rows`;
      return Promise.resolve(seconds > RPO_MINUTES * 60 + 45 ? { done: undefined } : { why });
    });

    // From here on nothing reaches the store any more: what the cluster does while it is deleted can't mend the archive.
    const store = storeName(env.settings.cluster.name, TARGET);
    const namespace = storeNamespace(env.settings.cluster);
    await writer.mark();
    await env.kubectl.run(["-n", namespace, "scale", "statefulset", store, "--replicas=0"]);
    await writer.waitForMore(20, 120);
    ({ log } = await writer.stop());
    const said = await destroy();
    assert.ok(said.includes(generations[0] ?? "?"), `the last line names the generation: ${said}`);
    const left = await env.kubectl.run(["get", "persistentvolumes", "-o", "name"]);
    assert.equal(left.stdout.trim().split("\n").length, 1, "only the store's volume is left");

    await up(from(generations[0] ?? ""));
    const rows = new Set(
      (
        await env.cluster.sql(await env.cluster.primary(), `select id from ${TABLE}`, clients.login.database)
      ).map(Number),
    );
    // The writer's clock begins anywhere.
    const lostAt = log.markedAt ?? 0;
    const due = log.acks.filter(({ at }) => at < lostAt - RPO_MINUTES * 60);
    const missing = log.acks.filter(({ id }) => !rows.has(id));
    assert.ok(due.length > 200, `${due.length} rows were acknowledged before the RPO`);
    assert.deepEqual(
      due.filter(({ id }) => !rows.has(id)),
      [],
    );
    const first = Math.min(...missing.map(({ at }) => at));
    say(
      `${log.acks.length} rows acknowledged, ${missing.length} missing; RPO ${missing.length === 0 ? 0 : (lostAt - first).toFixed(1)} s`,
    );
    assert.ok(missing.length > 0, "rows of the last moments are missing, or the store was never cut off");
    assert.deepEqual(
      [...rows].filter((id) => !log.tried.has(id)),
      [],
      "no row that nobody sent",
    );
  });

  it("the restored cluster archives as a generation of its own, from the first minute", async () => {
    assert.notEqual(generations[1], generations[0]);
    assert.match(generations[1] ?? "", /^[0-9a-f]{10}$/);
    const newest = "last_archived_time > coalesce(last_failed_time, '-infinity')";
    assert.equal(await ask(`select ${newest} from pg_stat_archiver`), "t");
  });

  it("a restore is refused while the cluster is there", async () => {
    await stack.write([archived, from(generations[1] ?? "")]);
    const { exitCode, lines } = await stack.make("up");
    assert.notEqual(exitCode, 0);
    assert.match(lines.join("\n"), /pgplatform:restore is .*, allowed is nothing while the cluster is there/);
  });

  it("restored to a moment, it has the row of before and lacks the one of after", async () => {
    assert.equal(await ask("select count(*) from moments"), "2");
    await destroy();
    await up(from(generations[0] ?? "", { time: moment }));
    assert.equal(await ask("select string_agg(which, ',') from moments"), "before");
    assert.equal(new Set(generations).size, 3);
  });
});
