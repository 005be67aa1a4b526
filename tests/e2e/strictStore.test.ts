import assert from "node:assert/strict";
import { listed, rowLine } from "../../operations/targets";
import { type SettingsInput } from "../../settings/schema";
import { environment, type Environment } from "./kit/environment";
import { withoutTime } from "./kit/make";
import { ChangedStack } from "./kit/settings";
import { StrictStore } from "./kit/strictStore";
import { say } from "./kit/wait";

/**
 * Backups of the kind s3 in a store in one's own network, with a CA of its own, that refuses what Backblaze B2 and Cloudflare R2 refuse, with their
 * answers as users of both have reported them; and what is said when the store refuses for other reasons.
 *
 * Not proven here: B2 and R2 themselves, which may refuse more.
 */
/** It destroys the stack and recreates it. */
const suite = process.env.BACKUP === "1" ? describe : describe.skip;

type Target = Extract<NonNullable<NonNullable<SettingsInput["backup"]>["targets"]>[number], { kind: "s3" }>;
/** How long `make up` may take after the update: it waits 45 s for a store that may be starting, and one that is away is asked for 15 s. */
const SAID_SECONDS = 90;

suite("backup in a store that refuses what B2 and R2 refuse (a fake of both before versitygw)", () => {
  let env: Environment;
  let store: StrictStore;
  let stack: ChangedStack;

  before(async () => {
    env = await environment();
    store = await StrictStore.start(env);
    stack = await ChangedStack.open();
  });

  after(async () => {
    if (stack === undefined) return;
    await stack.giveBack(() => store.remove());
  });

  const targetAt = (index: 0 | 1): Target => ({
    name: index === 0 ? "first" : "second",
    kind: "s3",
    bucket: StrictStore.buckets[index],
    endpoint: store.endpoint,
    caCertificate: store.ca,
    pods: store.pods,
    credentials: { ...store.credentials },
  });
  async function write(...targets: Target[]): Promise<void> {
    await stack.write([
      (settings) => {
        settings.backup = { rpoMinutes: 1, targets, copy: { schedule: "* * * * *" } };
      },
    ]);
    for (const [index, { credentials }] of targets.entries()) {
      const path = `backup.targets[${index}].credentials.secretAccessKey`;
      await stack.encrypt(env.stack, path, credentials?.secretAccessKey ?? "");
    }
  }

  describe("with the platform's presets", () => {
    it("`make up` waits until WAL is archived and there is a base backup", async () => {
      await write(targetAt(0), targetAt(1));
      const { exitCode } = await stack.make("up");
      assert.equal(exitCode, 0);
      const lines = (await listed(env)).map(rowLine);
      assert.ok(
        lines.some((line) => /^first {2}[0-9a-f]{10} {2}2/.test(line) && line.includes(" MiB  from ")),
        lines.join(" | "),
      );
    });

    it("what is copied and what is restored from both is whole", async () => {
      const { exitCode, lines } = await stack.make("verify");
      const said = lines.map(withoutTime).join("\n");
      assert.equal(exitCode, 0, said);
      for (const name of ["first", "second"])
        assert.match(said, new RegExp(`target ${name}, base backup \\w+, is restored and whole`));
      assert.doesNotMatch(said, /expiry:/);
    });

    // Nothing is too old yet, so that no verification has deleted anything.
    it("what Barman deletes is deleted as a verification has it done", async () => {
      const { stdout, stderr } = await store.deleteTwo(true);
      assert.match(stdout, /^0 left$/m, stderr);
    });

    it("nothing was refused", async () => assert.deepEqual(await store.refusals(), []));
  });

  describe("without them", () => {
    it("WAL is archived by hand with them, so that what follows shows what they do", async () => {
      const { exitCode, stderr } = await store.archive("000000010000000000000001", true);
      assert.equal(exitCode, 0, stderr);
    });

    it("it isn't without the plain checksums: as B2 answers", async () => {
      const { exitCode, stderr } = await store.archive("000000010000000000000002", false);
      assert.notEqual(exitCode, 0);
      assert.match(stderr, /InvalidArgument.*Unsupported header 'x-amz-(sdk-)?checksum/);
    });

    it("nothing is deleted by boto alone, whatever it is told of checksums: as B2 answers", async () => {
      const { exitCode, stderr } = await store.deleteTwo(false);
      assert.notEqual(exitCode, 0);
      assert.match(stderr, /InvalidArgument.*DeleteObjects.*Unsupported header 'x-amz-(sdk-)?checksum/);
    });

    it("it isn't when the store is asked to encrypt: as R2 answers", async () => {
      const { exitCode, stderr } = await store.archive("000000010000000000000003", true, "-e AES256");
      assert.notEqual(exitCode, 0);
      assert.match(stderr, /NotImplemented.*'x-amz-server-side-encryption' with value 'AES256'/);
      assert.equal((await store.refusals()).length, 3);
    });
  });

  describe("`make up` ends with the store's own words soon after the update", () => {
    const wrong: [title: string, change: () => Partial<Target>, sentence: RegExp][] = [
      [
        "a wrong key",
        () => ({
          credentials: { accessKeyId: store.credentials.accessKeyId, secretAccessKey: "another-key" },
        }),
        /target first can't be read: .*(403|Forbidden|SignatureDoesNotMatch|AccessDenied)/,
      ],
      [
        "a wrong bucket",
        () => ({ bucket: "missing-bucket" }),
        /target first can't be read: .*(it has no bucket missing-bucket|NoSuchBucket|404)/,
      ],
      [
        "an endpoint where no store listens",
        () => ({ endpoint: store.endpoint.replace(/\d+$/, "7099") }),
        /target first can't be read: .*(refused|unreachable|timeout|timed out|doesn't answer)/,
      ],
    ];
    for (const [title, change, sentence] of wrong)
      it(title, async () => {
        await write({ ...targetAt(0), ...change() });
        const { exitCode, lines, seconds } = await stack.make("up");
        assert.notEqual(exitCode, 0);
        const last = lines.findLast((line) => line.includes("can't be read")) ?? "";
        assert.match(withoutTime(last), sentence);
        assert.match(last, /pgplatform:backup\.targets\[0\]/);
        const updated = lines.findLast((line) => /pulumi up: .*\d+ (updated|created|unchanged)/.test(line));
        const [, minute, second] = /^\[\s*(\d+):(\d\d)\]/.exec(updated ?? "") ?? [];
        const took = Math.ceil(seconds - Number(minute) * 60 - Number(second));
        say(`${title}: said ${took} s after the update`);
        assert.ok(took <= SAID_SECONDS, `${took} s`);
      });
  });
});
