import assert from "node:assert/strict";
import { once } from "node:events";
import { backupNames } from "../../plan/backup/names";
import { storeNamespace } from "../../plan/backup/storeNames";
import { plannedCluster } from "../../operations/health";
import { liveOf, selectorOf } from "../../operations/kubectl";
import { readRestored } from "../../operations/restored";
import { readStatus } from "../../operations/targets";
import { projectDir } from "../../shell/paths";
import { poolerName } from "../../plan/names";
import { archiveAll, archiveSeen } from "./kit/archive";
import { environment, type Environment } from "./kit/environment";
import { deleteNamespaces } from "./kit/fixture";
import { withoutTime, wordsOf } from "./kit/make";
import { ChangedStack, type Edit } from "./kit/settings";
import { say, until } from "./kit/wait";

/**
 * `make restore` as a frightened person runs it: interrupted by Ctrl-C and by SIGKILL at five moments, each followed by the same command; with a moment that
 * can't be reached, before and while it restores; with the setting that stays, that is removed too early, and that is removed afterwards; and with a namespace that
 * somebody has deleted. One store beside the cluster (versitygw, built here), one instance.
 *
 * Not proven here: a bucket of AWS, R2 or B2; that a store which fails meanwhile is survived (backup.test.ts damages backups).
 */
const suite = process.env.RESTORE === "1" ? describe : describe.skip;

const TARGET = "near";
const TABLE = "restore_oracle";

suite("interrupted restores (a store in the cluster, images built here)", () => {
  let env: Environment;
  let stack: ChangedStack;
  let archiveId = "";
  /** A moment between the first hundred rows and the second. */
  let between = "";
  /** The first moment behind all that was archived. */
  let behind = "";

  const archived: Edit = (settings) => {
    settings.cluster.instances = 1;
    settings.cluster.durability = "async";
    settings.backup = {
      rpoMinutes: 1,
      targets: [{ name: TARGET, kind: "local", size: "5Gi" }],
      verify: { enabled: false },
    };
  };
  const restored: Edit = (settings) => {
    settings.restore = { target: TARGET, archiveId };
  };

  const ask = async (statement: string, database = "app"): Promise<string> =>
    env.cluster.value(await env.cluster.primary(), statement, database);
  const act = async (statement: string): Promise<unknown> =>
    env.cluster.sql(await env.cluster.primary(), statement, "app");
  const rows = () => ask(`select count(*) from ${TABLE}`);
  const now = () =>
    ask(`select to_char(clock_timestamp() at time zone 'UTC', 'YYYY-MM-DD HH24:MI:SS.US"+00"')`);

  async function up(...edits: Edit[]) {
    await stack.write([archived, ...edits]);
    return stack.make("up");
  }
  const destroy = async () => {
    const made = await stack.make("destroy");
    assert.equal(made.exitCode, 0);
    return made.lastLine;
  };
  const variables = (more: Readonly<Record<string, string>> = {}) => ({
    ...{ TARGET, ARCHIVE_ID: archiveId, FORCE: "1" },
    ...more,
  });
  const restore = (more?: Readonly<Record<string, string>>) => stack.make("restore", variables(more));
  const said = (lines: readonly string[]) => lines.map(withoutTime).join("\n");
  const namespaceThere = async () =>
    (await env.kubectl.get("namespace", "", env.settings.cluster.namespace)) !== undefined;

  before(async () => {
    env = await environment();
    stack = await ChangedStack.open();
    await stack.write([]);
    await destroy();
    const made = await up();
    assert.equal(made.exitCode, 0);
    await act(`create table ${TABLE} as select generate_series(1, 100) as id`);
    between = await now();
    await act(`insert into ${TABLE} select generate_series(101, 200)`);
    await archiveAll(env);
    archiveId = (await archiveSeen(env)).id;
    assert.match(archiveId, /^[0-9a-f]{10}$/);
    assert.match(await destroy(), new RegExp(`Its backups stay: .*"${archiveId}"`));
    // Until its end the server commits and archives, what an operator and a health check write. One machine has one clock.
    behind = new Date().toISOString();
  });

  after(async () => {
    if (stack === undefined) return;
    await stack.giveBack(() => deleteNamespaces(env, [storeNamespace(env.settings.cluster)]));
  });

  describe("before anything is made", () => {
    before(() => stack.write([archived]));

    it("what is there is told to one who names nothing", async () => {
      const { exitCode, lines } = await stack.make("restore", { FORCE: "1" });
      assert.notEqual(exitCode, 0);
      assert.match(said(lines), new RegExp(`archiveId: not set; nothing was made.*${archiveId} \\(`));
      assert.equal(await namespaceThere(), false, "what was made to look is gone");
    });

    for (const [title, time] of [
      ["of years ago", () => "2020-01-01 00:00:00Z"],
      ["behind all that was archived", () => behind],
    ] as const)
      it(`a moment ${title} is refused with both ends`, async () => {
        const { exitCode, lines } = await restore({ TIME: time() });
        assert.notEqual(exitCode, 0);
        assert.match(
          said(lines),
          /is not allowed; nothing was made\. Allowed: a moment from .* UTC to (before|about) .* UTC/,
        );
        assert.equal(await namespaceThere(), false);
      });

    it("a moment that has not come is refused with a sentence", async () => {
      const { exitCode, lines } = await restore({ TIME: "2099-01-01 00:00+00" });
      assert.notEqual(exitCode, 0);
      assert.match(said(lines), /to\.time: .* is not allowed\. Allowed: a moment that has passed/);
    });

    it("a moment without its zone is refused with a sentence", async () => {
      const { exitCode, lines } = await restore({ TIME: "2026-11-29 02:55:37" });
      assert.notEqual(exitCode, 0);
      assert.match(
        said(lines),
        /to\.time: "2026-11-29 02:55:37" is not allowed\. Allowed: a time with its zone/,
      );
    });

    it("a command that looks says where the data are", async () => {
      const { exitCode, lines } = await stack.make("backups");
      assert.notEqual(exitCode, 0);
      assert.match(said(lines), new RegExp(`\`make restore TARGET=${TARGET}\` lists them and makes nothing`));
    });
  });

  /** `make restore` in a process group of its own, as a terminal has it. */
  async function begin(more?: Readonly<Record<string, string>>) {
    const { execa } = await import("execa");
    const child = execa("make", ["--no-print-directory", "restore", ...wordsOf(variables(more))], {
      cwd: projectDir,
      env: stack.variables(),
      detached: true,
      stdin: "ignore",
      all: true,
      reject: false,
    });
    const listen = async () => {
      for await (const line of child.iterable({ from: "all" })) if (line !== "") say(`make restore: ${line}`);
    };
    void listen();
    const exited = once(child, "exit");
    return {
      reach: (moment: string, look: () => Promise<boolean>) =>
        until(
          moment,
          1200,
          async () => {
            if (child.exitCode !== null) return { done: false };
            return (await look()) ? { done: true } : { why: "not yet" };
          },
          100,
        ).then((reached) => assert.ok(reached, `\`make restore\` ended before: ${moment}`)),
      async end(signal: "SIGINT" | "SIGKILL"): Promise<void> {
        assert.ok(child.pid);
        process.kill(-child.pid, signal);
        await exited;
        say(`make restore: ended by ${signal}`);
      },
    };
  }

  const there = async (kind: string, name: string) =>
    (await env.kubectl.get(kind, env.settings.cluster.namespace, name).catch(() => undefined)) !== undefined;
  const clusterThere = () =>
    liveOf(env.kubectl, plannedCluster(env).object).then(
      (object) => object !== undefined,
      () => false,
    );
  const begun = async () => (await readRestored(env).catch(() => undefined))?.begun === true;
  const recovering = async () => {
    const { name, namespace } = env.settings.cluster;
    const pods = await env.kubectl.list("pods", namespace, selectorOf(env.live.restore.pods.labels(name)));
    return pods.some(({ spec }) => spec?.nodeName !== undefined);
  };
  const moments: [title: string, look: () => Promise<boolean>][] = [
    ["while its source is looked into", () => there("pod", backupNames.look(env.settings.cluster.name))],
    ["once the cluster's object is there", clusterThere],
    ["while the base backup is fetched", () => recovering().catch(() => false)],
    ["once the database has begun", begun],
    [
      "while the poolers are made",
      () => there("deployment", poolerName(env.settings.cluster.name, env.settings.poolers[0]?.name ?? "")),
    ],
  ];

  for (const signal of ["SIGINT", "SIGKILL"] as const)
    for (const [title, look] of moments)
      it(`${signal} ${title}: the same command brings every row`, async () => {
        await stack.write([archived]);
        const run = await begin();
        await run.reach(title, look);
        await run.end(signal);
        const { exitCode } = await restore();
        assert.equal(exitCode, 0, "the same command ends well");
        assert.equal(await rows(), "200");
        await destroy();
      });

  it("an earlier moment brings what was there then", async () => {
    await stack.write([archived]);
    const { exitCode, lines } = await restore({ TIME: between });
    assert.equal(exitCode, 0);
    assert.match(said(lines), /base backup: \w+, which ended at .* UTC, .* MiB in the store, PostgreSQL 17/);
    assert.match(said(lines), /reachable: from .* UTC to (before|about) .* UTC/);
    assert.match(said(lines), /how long: about \d+ minutes/);
    assert.equal(await rows(), "100");
    await destroy();
  });

  describe("a moment behind the last transaction", () => {
    after(destroy);

    it("ends with a sentence that says the way on", async () => {
      await stack.write([archived]);
      const { exitCode, lines } = await restore({ TIME: behind });
      assert.notEqual(exitCode, 0);
      assert.match(
        said(lines),
        /was not reached: the WAL .* ends before it|is not allowed; nothing was made/,
      );
    });

    it("is no way to an empty database: `make up` without restore is refused", async () => {
      if (!(await clusterThere())) return;
      const { exitCode, lines } = await up();
      assert.notEqual(exitCode, 0);
      assert.match(said(lines), /restore: not set\. Allowed: the restore that cluster .* is being made by/);
    });

    it("is corrected by the same command with an earlier one", async () => {
      const { exitCode } = await restore({ TIME: between });
      assert.equal(exitCode, 0);
      assert.equal(await rows(), "100");
    });
  });

  describe("the setting in the stack file", () => {
    let pods: string[] = [];
    const uids = async () =>
      (await env.cluster.instances())
        .map(({ metadata }) => String((metadata as { uid?: string }).uid))
        .sort();

    it("restores by `make up`, too", async () => {
      const { exitCode } = await up(restored);
      assert.equal(exitCode, 0);
      assert.equal(await rows(), "200");
      pods = await uids();
    });

    it("may stay: nothing changes", async () => {
      const { exitCode, lines } = await up(restored);
      assert.equal(exitCode, 0);
      assert.match(said(lines), /no changes/);
      assert.deepEqual(await uids(), pods);
    });

    it("may go: nothing restarts", async () => {
      const { exitCode, lines } = await up();
      assert.equal(exitCode, 0);
      assert.match(said(lines), /laid over .*: restore, which the cluster was made by/);
      assert.deepEqual(await uids(), pods);
      await stack.write([archived]);
      assert.deepEqual((await stack.planned()).steps, []);
    });

    it("can't name another source while the cluster is there", async () => {
      const { exitCode, lines } = await restore({ TIME: between });
      assert.notEqual(exitCode, 0);
      assert.match(said(lines), /must not be set once the cluster exists, unless it was restored from there/);
      assert.equal(await rows(), "200");
    });
  });

  describe("a namespace that somebody deleted", () => {
    let newer = "";
    before(async () => {
      await act(`insert into ${TABLE} select generate_series(201, 300)`);
      await archiveAll(env);
      newer = (await archiveSeen(env)).id;
      assert.notEqual(newer, archiveId, "a restored cluster begins an archive of its own");
      await deleteNamespaces(env, [env.settings.cluster.namespace]);
      await stack.write([archived]);
    });

    for (const target of ["status", "backups", "up"] as const)
      it(`\`make ${target}\` names the restore`, async () => {
        const { exitCode, lines } = await stack.make(target);
        assert.notEqual(exitCode, 0);
        assert.match(said(lines), new RegExp(`\`make restore TARGET=${TARGET} ARCHIVE_ID=${newer}\``));
        assert.equal(await clusterThere(), false, "no empty database was made");
      });

    it("is restored by the command that was named, into an archive of its own", async () => {
      const { exitCode } = await stack.make("restore", { ...variables(), ARCHIVE_ID: newer });
      assert.equal(exitCode, 0);
      assert.equal(await rows(), "300");
      const archive = (await readStatus(env))?.find((one) => one.kind === "answers");
      assert.ok(archive?.kind === "answers");
      assert.ok(![archiveId, newer].includes(archive.archiveId));
    });
  });
});
