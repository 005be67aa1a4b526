import assert from "node:assert/strict";
import { backupNames } from "../../plan/backup/names";
import { listed, rowLine } from "../../operations/targets";
import type { SettingsInput } from "../../settings/schema";
import type { Preset } from "../../settings/schema/targets";
import { environment, type Environment } from "./kit/environment";
import { withoutTime } from "./kit/make";
import { ChangedStack, type Edit } from "./kit/settings";
import { StrictStore } from "./kit/strictStore";
import { say } from "./kit/wait";

/**
 * Backups in two buckets of a store behind a Service that behaves as another one does (local/images/strict-store before versitygw), by DIALECT: WAL archived and base backups made by
 * the engine's own tools, copied, verified twice, what is outside of the window deleted, and restored from both. The platform has a key that writes below the
 * cluster's own place alone.
 *
 * Not proven here: those stores themselves, which may refuse more. That a lock ends is the suite tests/stores' matter.
 */
const dialects: Readonly<Record<string, { preset: Preset; locked?: true; retained?: true }>> = {
  r2: { preset: "r2", locked: true },
  b2: { preset: "b2", retained: true },
  aws: { preset: "other", retained: true },
  minio: { preset: "minio" },
  mega: { preset: "mega" },
};
const name = process.env.DIALECT ?? "";
const behaviour = dialects[name];
/** It destroys the stack three times. */
const suite = name === "" ? describe.skip : describe;

const FIRST = "first";
const SECOND = "second";
const OLD = "20200101T000000";
/** Of random digits, so that a base backup takes several parts. */
const MEBIBYTES = 60;
const UUID_BYTES = 36;

suite(`backup in a store that behaves as ${name || "DIALECT says"} (a stand-in before versitygw)`, () => {
  let env: Environment;
  let store: StrictStore;
  let stack: ChangedStack;
  let archiveId = "";

  before(async () => {
    assert.ok(behaviour, `DIALECT: ${name} is not allowed. Allowed: ${Object.keys(dialects).join(", ")}`);
    env = await environment();
    const { namespace, name: cluster } = env.settings.cluster;
    const place = `${namespace}/${cluster}/`;
    store = await StrictStore.start(env, {
      dialect: name,
      narrow: [place, `_verified/${place}`],
      ...(behaviour.locked && { lockedPrefix: place }),
      ...(behaviour.retained && { retained: true }),
    });
    stack = await ChangedStack.open();
  });

  after(async () => {
    if (stack === undefined) return;
    await stack.giveBack(() => store.remove());
  });

  type Target = Extract<NonNullable<NonNullable<SettingsInput["backup"]>["targets"]>[number], { kind: "s3" }>;
  const targets = (): Target[] =>
    [FIRST, SECOND].map((target, index) => ({
      name: target,
      kind: "s3",
      bucket: StrictStore.buckets[index as 0 | 1],
      endpoint: store.endpointByDefaultPort,
      preset: behaviour?.preset ?? "other",
      pods: store.pods,
      caCertificate: store.ca,
      credentials: { ...store.credentials },
    }));

  /** The stack has to be there: its passphrase encrypts. */
  async function write(...edits: Edit[]): Promise<void> {
    await stack.write([
      (settings) => {
        settings.backup = {
          rpoMinutes: 1,
          recoveryWindowDays: 1,
          targets: targets(),
          copy: { schedule: "* * * * *" },
        };
      },
      ...edits,
    ]);
    for (const index of [0, 1]) {
      const path = `backup.targets[${index}].credentials.secretAccessKey`;
      await stack.encrypt(env.stack, path, store.credentials.secretAccessKey);
    }
  }
  async function up(): Promise<void> {
    const { exitCode, seconds } = await stack.make("up");
    assert.equal(exitCode, 0, "`make up` ends well");
    say(`it took ${seconds.toFixed(0)} s`);
  }
  const restoring =
    (target: string): Edit =>
    (settings) => {
      settings.restore = { target, archiveId, to: {} };
    };

  const database = () => env.settings.cluster.databases[0]?.name ?? "postgres";
  const ask = async (statement: string): Promise<string> =>
    env.cluster.value(await env.cluster.primary(), statement, database());
  const act = async (statement: string): Promise<unknown> =>
    env.cluster.sql(await env.cluster.primary(), statement, database());

  async function inStores(script: string): Promise<string> {
    const { name: cluster, namespace } = env.settings.cluster;
    const command = `set -eu; . /scripts/places.sh; ${script}`;
    const at = ["-n", namespace, "exec", `deployment/${backupNames.watch(cluster)}`, "-c", "watch", "--"];
    return (await env.kubectl.run([...at, "sh", "-c", command])).stdout.trim();
  }

  async function verify(target?: string): Promise<string> {
    const { exitCode, lines } = await stack.make("verify", target === undefined ? {} : { TARGET: target });
    const said = lines.map(withoutTime).join("\n");
    assert.equal(exitCode, 0, said);
    return said;
  }

  it("`make up` waits until WAL is archived and there is a base backup; another one takes several parts", async () => {
    await write();
    await up();
    await act(
      `create table filled as select string_agg(gen_random_uuid()::text, '') as rows from generate_series(1, ${Math.ceil((MEBIBYTES * 2 ** 20) / UUID_BYTES)}) n group by n % 100`,
    );
    // The copy is made from a standby, whose files have what its last checkpoint wrote.
    await act("checkpoint");
    await env.cluster.waitCaughtUp();
    for (const pod of await env.cluster.names()) await env.cluster.sql(pod, "checkpoint");
    assert.equal((await stack.make("backup")).exitCode, 0);
    const bases = (await listed(env)).filter((row) => row.kind === "base" && row.target === FIRST);
    assert.equal(bases.length, 2, bases.map(rowLine).join(" | "));
    const [base] = bases;
    assert.ok(base?.kind === "base");
    archiveId = base.archiveId;
    assert.ok(
      bases.some((one) => one.kind === "base" && (one.bytes ?? 0) > 25 * 2 ** 20),
      bases.map(rowLine).join(" | "),
    );
  });

  it("what is copied and what is restored from both is whole, and again with the same backup", async () => {
    await act("create table told as select 'before' as what");
    for (const target of [undefined, SECOND]) {
      const said = await verify(target);
      for (const one of target === undefined ? [FIRST, SECOND] : [target])
        assert.match(said, new RegExp(`target ${one}, base backup \\w+, is restored and whole`));
      assert.doesNotMatch(said, /expiry:/);
    }
  });

  it("what is outside of the window is deleted where the store lets it, and said to stay where it doesn't", async () => {
    const planted = await inStores(
      `base=$(rclone lsf --dirs-only $PLACE_1/$ARCHIVE_ID/base | tr -d / | sort | head -n 1); ` +
        // Two, since what the window begins with stays.
        `for day in 1 2; do for place in $PLACE_1 $PLACE_2; do rclone cat $PLACE_1/$ARCHIVE_ID/base/$base/backup.info | ` +
        `sed -E "s/^(begin|end)_time=.*/\\1_time=2020-01-0$day 00:00:00.000000+00:00/" | ` +
        `rclone rcat $place/$ARCHIVE_ID/base/2020010\${day}T000000/backup.info; done; done; ` +
        `rclone cat $PLACE_2/$ARCHIVE_ID/base/${OLD}/backup.info | grep end_time`,
    );
    assert.match(planted, /end_time=2020-01-01 00:00:00/);
    const first = await verify(FIRST);
    assert.doesNotMatch(first, /expiry:/);
    const second = await verify(SECOND);
    const left = (await listed(env)).flatMap((row) =>
      row.kind === "base" && row.id === OLD ? [row.target] : [],
    );
    if (behaviour?.locked) {
      assert.match(second, /expiry:/);
      assert.deepEqual(left, [SECOND]);
    } else {
      assert.doesNotMatch(second, /expiry:/);
      assert.deepEqual(left, []);
    }
    if (behaviour?.retained) {
      const { namespace, name: cluster } = env.settings.cluster;
      assert.ok((await store.keptVersions(`${namespace}/${cluster}/${archiveId}/base/${OLD}/`)) > 0);
    }
  });

  if (behaviour?.locked)
    it("no key of ours deletes a copy", async () => {
      const first =
        "$(rclone lsf -R --files-only $PLACE_2/$ARCHIVE_ID/wals --max-depth 2 | head -n 1 | sed 's,^,wals/,')";
      const said = await inStores(
        `rclone --retries 1 deletefile $PLACE_2/$ARCHIVE_ID/${first} 2>&1 && echo deleted || true`,
      );
      assert.match(said, /locked|403/i);
      assert.doesNotMatch(said, /^deleted$/m);
    });

  it("nothing was refused but what is locked", async () => {
    const refusals = await store.refusals();
    assert.deepEqual(
      refusals.filter((line) => !line.includes("locked by the bucket policy")),
      [],
    );
  });

  for (const target of [SECOND, FIRST])
    it(`everything but the store is lost: restored from the ${target} target`, async () => {
      // As a user's stack file does, it outlives the stack with what is encrypted in it.
      await write(restoring(target));
      const { exitCode } = await stack.make("destroy");
      assert.equal(exitCode, 0);
      await up();
      assert.equal(await ask("select what from told"), "before");
      assert.equal(await ask("select count(*) from filled"), "100");
    });
});
