import assert from "node:assert/strict";
import { createHash } from "node:crypto";
import { mkdtemp, readdir, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { stringify } from "yaml";
import { stateDir } from "../../shell/paths";
import { type Refusal, refusals, settingsOf, shortly } from "../support/refusals";
import { environment, stackName, type Environment } from "./kit/environment";
import { make, withoutTime } from "./kit/make";

/**
 * Bad stack files for the running stack, each given to `make up`: what is printed, and that nothing is touched.
 * This doesn't prove anything about what only the live cluster can refuse: the preflight has tests of its own.
 */
/** The first of each group of settings, and of each part of the cluster's: `make up` goes the same way for all, and every sentence has a unit test. */
function oneOfEach(all: readonly Refusal[]): Refusal[] {
  const groups = new Map<string, Refusal>();
  for (const one of all) {
    const [path = ""] = Object.keys(one.change);
    const group = path
      .split(/[.[]/)
      .slice(0, path.startsWith("cluster") ? 2 : 1)
      .join(".");
    if (!groups.has(group)) groups.set(group, one);
  }
  return [...groups.values()];
}

describe("refused settings (make up itself, against the running stack)", () => {
  /** Decided by the machine, and laid over the stack file before it is checked. */
  const decided = /^(platform|kubernetes)\b/;
  const refused = oneOfEach(
    refusals.filter(({ change }) => !Object.keys(change).some((path) => decided.test(path))),
  );

  let env: Environment;
  let folder: string;
  before(async () => {
    env = await environment();
    folder = await mkdtemp(join(tmpdir(), "pgp-refused-"));
    await env.cluster.waitHealthy();
  });
  after(() => rm(folder, { recursive: true }));

  /** Digests of all that Pulumi keeps: state, history, and the copies of stack files. */
  async function state(): Promise<Record<string, string>> {
    const digests: Record<string, string> = {};
    for (const part of ["pulumi", "stacks"])
      for (const entry of await readdir(join(stateDir, part), { recursive: true, withFileTypes: true }))
        if (entry.isFile()) {
          const file = join(entry.parentPath, entry.name);
          digests[file] = createHash("sha256")
            .update(await readFile(file))
            .digest("hex");
        }
    return digests;
  }

  /**
   * What every object in the cluster's namespace is, but for what changes by itself: Patroni and the controllers write endpoints, leases, events and
   * the Jobs of a CronJob, and all the time some field of a pod.
   */
  async function versions(): Promise<Record<string, string>> {
    const { kubectl, settings } = env;
    const kinds = await kubectl.run(["api-resources", "--namespaced", "--verbs=list", "-o", "name"]);
    const steady = kinds.stdout
      .trim()
      .split("\n")
      .filter((kind) => !/^(leases|events|endpoints|endpointslices|jobs)\b|\bmetrics\b/.test(kind));
    const { stdout } = await kubectl.run([
      "-n",
      settings.cluster.namespace,
      "get",
      steady.join(","),
      "-o",
      "json",
    ]);
    const { items } = JSON.parse(stdout) as {
      items: {
        kind: string;
        metadata: {
          name: string;
          uid: string;
          generation?: number;
          resourceVersion: string;
          ownerReferences?: { kind: string }[];
        };
      }[];
    };
    const ofJob = (owners: readonly { kind: string }[] = []) => owners.some(({ kind }) => kind === "Job");
    return Object.fromEntries(
      items
        .filter(({ kind, metadata }) => kind !== "Pod" || !ofJob(metadata.ownerReferences))
        .map(({ kind, metadata: { name, uid, generation, resourceVersion } }) => [
          `${kind} ${name}`,
          // A controller's status is no change of the object; a pod is another one when it is recreated.
          kind === "Pod" ? uid : `${uid} ${generation ?? resourceVersion}`,
        ]),
    );
  }

  /** `make up` with these settings in the place of the stack's own; an engine that is asked for would be laid over them. */
  async function up(refusal: Refusal) {
    const config = Object.entries(settingsOf(refusal) as Record<string, unknown>).map(
      ([key, value]): [string, unknown] => [`pgplatform:${key}`, value],
    );
    await writeFile(
      join(folder, `Pulumi.${stackName}.yaml`),
      stringify({ config: Object.fromEntries(config) }),
    );
    return make("up", { env: { PGP_STACKS: folder, STACK: stackName, ENGINE: "" }, quiet: true });
  }

  it("are refused each, with all of their sentences and nothing else, and touch neither state nor objects", async () => {
    assert.ok(refused.length >= 12, `only ${refused.length} settings`);
    const before = { state: await state(), versions: await versions() };
    assert.ok(Object.keys(before.state).some((file) => file.endsWith(`${stackName}.json`)));
    assert.ok(Object.keys(before.versions).length > 10);

    for (const refusal of refused) {
      const { exitCode, lines } = await up(refusal);
      const errors = lines.flatMap((line) => /^error: (pgplatform:.*)$/.exec(withoutTime(line))?.[1] ?? []);
      assert.notEqual(exitCode, 0, shortly(refusal));
      assert.deepEqual(errors, refusal.sentences, shortly(refusal));
      assert.doesNotMatch(lines.join("\n"), /^\s+at .*:\d+:\d+\)?$/m, "a stack trace");
    }

    assert.deepEqual(await state(), before.state);
    assert.deepEqual(await versions(), before.versions);
  });

  it("would have been touched by a change that passes, so that the comparison can fail", async () => {
    const { kubectl, settings } = env;
    const before = await versions();
    const args = ["-n", settings.cluster.namespace, "create", "configmap", "pgp-e2e-witness"];
    await kubectl.run(args);
    try {
      assert.notDeepEqual(await versions(), before);
    } finally {
      await kubectl.run(["-n", settings.cluster.namespace, "delete", "configmap", "pgp-e2e-witness"]);
    }
  });
});
