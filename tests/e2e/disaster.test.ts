import assert from "node:assert/strict";
import { mkdtemp, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { storeName, storeNamespace } from "../../plan/backup/storeNames";
import { check } from "../../checks/index";
import { storesOf } from "../../plan/backup/store";
import { listed } from "../../operations/targets";
import { pins } from "../../releases/pins";
import { projectDir } from "../../shell/paths";
import { run } from "../../shell/process";
import { type Block, blocksIn, withValues } from "../support/blocks";
import { archiveAll, archiveSeen } from "./kit/archive";
import { environment, type Environment } from "./kit/environment";
import { deleteNamespaces } from "./kit/fixture";
import { loadBuiltImages } from "./kit/images";
import { ChangedStack, type Edit } from "./kit/settings";
import { say, until } from "./kit/wait";

/**
 * docs/disaster.md, run as it stands: every block of commands that is marked `sh`, in the page's order, with nothing added but the reader's own values behind
 * its examples. CloudNativePG, two instances, one store beside the cluster (versitygw, built here).
 *
 * Not proven here: the blocks marked `console`, Zalando and WAL-G, and upstream's image: PostgreSQL with Barman's tools is an image built here, whose program
 * that fetches WAL is our own.
 */
const suite = process.env.DISASTER === "1" ? describe : describe.skip;

const TARGET = "near";
const TABLE = "disaster_oracle";

suite("disasters (the page's commands; a store in the cluster, images built here)", () => {
  let env: Environment;
  let stack: ChangedStack;
  let folder = "";
  let page: Block[] = [];
  const values: Record<string, string> = {};
  const done = new Set<Block>();

  const archived: Edit = (settings) => {
    settings.cluster.instances = 2;
    settings.cluster.durability = "async";
    settings.backup = {
      rpoMinutes: 1,
      targets: [{ name: TARGET, kind: "local", size: "5Gi" }],
      verify: { enabled: false },
    };
  };

  const ask = async (statement: string): Promise<string> =>
    env.cluster.value(await env.cluster.primary(), statement, "app");
  const act = async (statement: string): Promise<unknown> =>
    env.cluster.sql(await env.cluster.primary(), statement, "app");
  const rows = () => ask(`select count(*) from ${TABLE}`);

  const archiveId = async (): Promise<string> => (await archiveSeen(env)).id;

  /** Runs the next blocks of a section, as one shell of the reader's; returns what they print. */
  async function follow(section: string, count = Infinity): Promise<string> {
    const blocks = page
      .filter((one) => one.section === section && one.language === "sh" && !done.has(one))
      .slice(0, count);
    assert.ok(blocks.length > 0, `the page has a block of commands in "${section}"`);
    const state = join(folder, "exported");
    let printed = "";
    for (const block of blocks) {
      done.add(block);
      const script = `set -e\n. "${state}"\n${withValues(block.text, values)}\nexport -p >"${state}"\n`;
      const { exitCode } = await run("bash", ["-c", script], {
        cwd: projectDir,
        env: {
          ...stack.variables(),
          ...{ MAKEFLAGS: undefined, MAKELEVEL: undefined, FORCE: "1" },
          PATH: [...env.toolFolders, process.env.PATH ?? ""].join(":"),
        },
        allowFailure: true,
        onLine: (line) => {
          printed += `${line}\n`;
          if (line !== "") say(`${section}: ${line}`);
        },
      });
      assert.equal(exitCode, 0, `in "${section}":\n${block.text}`);
    }
    return printed;
  }

  before(async () => {
    env = await environment();
    stack = await ChangedStack.open();
    folder = await mkdtemp(join(tmpdir(), "pgp-disaster-"));
    await writeFile(join(folder, "exported"), "");
    page = blocksIn(await readFile(join(projectDir, "docs/disaster.md"), "utf8"));
    await stack.write([archived]);
    await stack.make("destroy");
    assert.equal((await stack.make("up")).exitCode, 0);
    await act(`create table ${TABLE} as select generate_series(1, 100) as id`);
    Object.assign(values, {
      STACK: stack.variables().STACK,
      NAMESPACE: env.settings.cluster.namespace,
      CLUSTER: env.settings.cluster.name,
      // Empty, kubectl takes its own.
      STORES: storeNamespace(env.settings.cluster),
      KUBECONFIG: env.settings.kubernetes.kubeconfig ?? process.env.KUBECONFIG ?? "",
      TARGET,
      ARCHIVE_ID: await archiveId(),
    });
  });

  after(async () => {
    if (stack === undefined) return;
    await stack.giveBack(() =>
      deleteNamespaces(env, [env.settings.cluster.namespace, storeNamespace(env.settings.cluster)]),
    );
    await rm(folder, { recursive: true });
  });

  it("first: what is there is seen", async () => {
    const printed = await follow("First");
    assert.ok(printed.includes(values.ARCHIVE_ID ?? "?"), "the archive's ID is named");
  });

  it("a former primary's volume is lost: the instance that leads since has the data", async () => {
    const lost = await env.cluster.primary();
    await env.cluster.waitCaughtUp();
    await env.cluster.deletePod(lost);
    await until("another instance leads", 120, async () => {
      const primary = await env.cluster.primary();
      return primary === lost ? { why: `${primary} leads` } : { done: undefined };
    });
    values.LOST = lost;
    await follow("Nothing to restore");
    await env.cluster.waitHealthy(300, { instances: 2, synchronous: false });
    assert.equal(await rows(), "100");
  });

  it("a wrong DELETE: back to the moment before it", async () => {
    values.MOMENT = await ask(
      `select to_char(clock_timestamp() at time zone 'UTC', 'YYYY-MM-DD HH24:MI:SS.US"+00"')`,
    );
    await act(`delete from ${TABLE}`);
    assert.equal(await rows(), "0");
    await archiveAll(env);
    await follow("Back to a moment");
    assert.equal(await rows(), "100");
  });

  it("the namespace is deleted: everything is back", async () => {
    await act(`insert into ${TABLE} select generate_series(101, 200)`);
    await archiveAll(env);
    values.ARCHIVE_ID = await archiveId();
    await deleteNamespaces(env, [env.settings.cluster.namespace]);
    await writeFile(
      join(folder, "exported"),
      `${await readFile(join(folder, "exported"), "utf8")}\nexport ARCHIVE_ID=${values.ARCHIVE_ID}\n`,
    );
    await follow("The cluster is gone");
    assert.equal(await rows(), "200");
  });

  it("without this program: a dump from the store alone", async () => {
    await act(`insert into ${TABLE} select generate_series(201, 300)`);
    await archiveAll(env);
    // The environment knows the stack file before the suite's change.
    const changed = check(await stack.write([archived]));
    assert.ok("settings" in changed);
    const [store] = storesOf(changed.settings);
    const bases = (await listed(env)).flatMap((row) =>
      row.kind === "base" && row.status === "DONE" ? row : [],
    );
    values.ARCHIVE_ID = await archiveId();
    const base = bases.filter((row) => row.archiveId === values.ARCHIVE_ID).at(-1)?.id;
    assert.ok(store !== undefined && base !== undefined);
    await loadBuiltImages([pins.images.patroniForZalando]);
    Object.assign(values, {
      ...{ BUCKET: store.bucket, ENDPOINT: store.endpoint ?? "", REGION: store.region, BASE: base },
      ...{ CA_FILE: join(folder, "ca.crt"), IMAGE: pins.images.patroniForZalando },
    });
    await writeFile(
      join(folder, "exported"),
      `${await readFile(join(folder, "exported"), "utf8")}\nexport ARCHIVE_ID=${values.ARCHIVE_ID} DATABASE=app\n`,
    );
    await deleteNamespaces(env, [env.settings.cluster.namespace]);
    assert.ok(storeName(env.settings.cluster.name, TARGET).endsWith(`-store-${TARGET}`));
    try {
      await follow("Without this program");
      const { stdout } = await run("bash", ["-c", "strings app.dump | head -c 100000; ls -l app.dump"], {
        cwd: projectDir,
      });
      assert.match(stdout, new RegExp(TABLE));
    } finally {
      await rm(join(projectDir, "app.dump"), { force: true });
    }
  });

  it("leaves no block of the page out", () =>
    assert.deepEqual(
      page.filter((one) => one.language === "sh" && !done.has(one)).map(({ text }) => text),
      [],
    ));
});
