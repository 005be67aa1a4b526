import assert from "node:assert/strict";
import { switchWal } from "../../operations/archive";
import { resourceOf } from "../../operations/kubectl";
import { listed, readStatus } from "../../operations/targets";
import { storeNamespace } from "../../plan/backup/storeNames";
import { pins } from "../../releases/pins";
import { archiveAll } from "./kit/archive";
import { environment, type Environment } from "./kit/environment";
import { deleteNamespaces, startClients } from "./kit/fixture";
import { damage, disturbance } from "./kit/observation";
import { ChangedStack, type Edit } from "./kit/settings";
import { say, until } from "./kit/wait";

/**
 * An archive belongs to one database cluster and one major version: one that is made again beside the same state begins another archive, a major upgrade does, and so does the
 * setting; two promotions later the newest base backup still restores. A store beside the cluster, images built here, CloudNativePG.
 *
 * Not proven here: upstream's images. Those of the upgrade have both majors, the older one from an older release of Debian.
 */
const suite = process.env.BACKUP === "1" ? describe : describe.skip;

suite("archive (a store in the cluster, images built here)", function () {
  this.timeout(40 * 60_000);
  let env: Environment;
  let stack: ChangedStack;
  const archiveIds: string[] = [];

  const archived =
    (archiveNumber: number): Edit =>
    (settings) => {
      settings.backup = {
        archiveNumber,
        rpoMinutes: 1,
        targets: [{ name: "near", kind: "local", size: "5Gi" }],
      };
    };

  async function seen() {
    const [near] = (await readStatus(env)) ?? [];
    return near?.kind === "answers" ? near : undefined;
  }

  async function up(archiveNumber = 1, ...edits: Edit[]): Promise<void> {
    await stack.write([archived(archiveNumber), ...edits]);
    // A new major version is asked about.
    assert.equal((await stack.make("up", { FORCE: "1" })).exitCode, 0, "`make up` ends well");
    const near = await seen();
    assert.ok(near?.base && near.wal, "there is a base backup in it, and WAL");
    assert.equal(near.problem, undefined);
    archiveIds.push(near.archiveId);
  }

  /** The primary's pod is deleted, and another instance takes over. */
  async function promote(): Promise<void> {
    const before = await env.cluster.primary();
    await env.cluster.deletePod(before);
    await until("another primary", 120, async () => {
      const now = await env.cluster.primary();
      return now === before ? { why: `${now} is` } : { done: undefined };
    });
    await env.cluster.waitHealthy();
  }

  async function restoresAfterTwoPromotions(): Promise<void> {
    const base = (await seen())?.base?.id;
    await promote();
    await promote();
    const timeline = await switchWal(env);
    const near = await until("WAL of the newest timeline in the store", 120, async () => {
      const one = await seen();
      return (one?.wal?.segment ?? "") >= timeline ? { done: one } : { why: one?.wal?.segment ?? "none" };
    });
    assert.equal(near?.problem, undefined);
    assert.equal(near?.base?.id, base, "it is the base backup of before");
    const { exitCode, lines } = await stack.make("verify", { TARGET: "near" });
    assert.equal(exitCode, 0, lines.slice(-3).join(" | "));
    say(lines.at(-1) ?? "");
  }

  before(async function () {
    env = await environment();
    if (env.engine.name !== "cnpg") this.skip();
    stack = await ChangedStack.open();
  });

  after(async () => {
    if (stack === undefined) return;
    await stack.giveBack(() => deleteNamespaces(env, [storeNamespace(env.settings.cluster)]));
  });

  it("restores to the newest timeline from a base backup of before two promotions", async () => {
    await up();
    await restoresAfterTwoPromotions();
  });

  it("is another one for a cluster that was deleted and is made again; the former one is listed", async () => {
    const { apiVersion, kind } = env.engine.clusterKind;
    const { name, namespace } = env.settings.cluster;
    await env.kubectl.run(["-n", namespace, "delete", resourceOf(apiVersion, kind), name, "--wait=true"]);
    await stack.write([archived(1)]);
    const { exitCode, lines } = await stack.make("up", { FORCE: "1" });
    assert.notEqual(exitCode, 0, "an empty database in the place of one that has an archive is refused");
    assert.match(lines.join("\n"), /make restore TARGET=near .*or `make destroy` first/);
    assert.equal((await stack.make("destroy")).exitCode, 0);
    await up();
    assert.notEqual(archiveIds[1], archiveIds[0]);
    const rows = await listed(env);
    for (const archiveId of archiveIds)
      assert.ok(
        rows.some((row) => row.kind === "base" && row.archiveId === archiveId && row.status === "DONE"),
        archiveId,
      );
    await restoresAfterTwoPromotions();
  });

  it("is another one where the settings ask for it, and stays that one", async () => {
    await up(2);
    await up(2);
    assert.notEqual(archiveIds[2], archiveIds[1]);
    assert.equal(archiveIds[3], archiveIds[2]);
  });

  describe("of a new major version", () => {
    const older = pins.olderPostgresMajor.major;
    const version =
      (major: typeof older | typeof pins.postgresMajor): Edit =>
      (settings) => {
        settings.cluster.postgresVersion = major;
        const { postgresqlBeforeUpgrade, postgresqlAfterUpgrade } = pins.images;
        settings.images = { postgresql: major === older ? postgresqlBeforeUpgrade : postgresqlAfterUpgrade };
      };
    const ask = async (statement: string): Promise<string> =>
      env.cluster.value(await env.cluster.primary(), statement, "app");
    const act = async (statement: string): Promise<unknown> =>
      env.cluster.sql(await env.cluster.primary(), statement, "app");
    const destroy = async () => assert.equal((await stack.make("destroy")).exitCode, 0);
    let [former, newer] = ["", ""];

    it("is another one, begun under a client that loses nothing", async () => {
      if (!(await ask("show server_version")).startsWith(`${older}.`)) await destroy();
      await up(2, version(older));
      former = archiveIds.at(-1) ?? "";
      await act("drop table if exists told");
      await act("create table told as select generate_series(1, 100) as id");
      const clients = await startClients(env);
      const seen = await disturbance(env, clients, async () => {
        await up(2, version(pins.postgresMajor));
        newer = archiveIds.at(-1) ?? "";
        await act("insert into told select generate_series(101, 200)");
      });
      say(
        `writes paused for ${seen.gap.direct.toFixed(0)} s directly, ${seen.gap.pooled.toFixed(0)} s pooled`,
      );
      assert.deepEqual(damage(seen), []);
      await deleteNamespaces(env, clients.namespaces);
      assert.notEqual(newer, former);
      assert.match(await ask("show server_version"), new RegExp(`^${pins.postgresMajor}\\.`));
    });

    it("restores to the newest timeline after two promotions", restoresAfterTwoPromotions);

    for (const [title, major, archive, rows] of [
      ["before", older, () => former, "100"],
      ["after", pins.postgresMajor, () => newer, "200"],
    ] as const)
      it(`and the former one stay for a restore: to ${title} the upgrade`, async () => {
        if (major === older) await archiveAll(env);
        await destroy();
        await stack.write([archived(2), version(major)]);
        const variables = { TARGET: "near", ARCHIVE_ID: archive(), FORCE: "1" };
        assert.equal((await stack.make("restore", variables)).exitCode, 0);
        assert.match(await ask("show server_version"), new RegExp(`^${major}\\.`));
        assert.equal(await ask("select count(*) from told"), rows);
      });
  });
});
