import assert from "node:assert/strict";
import { planners } from "../../plan/engines/select";
import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { stringify } from "yaml";
import { keepEngine } from "../../operations/context";
import { engineAsked, layersOver } from "../../operations/layers";
import { projectDir } from "../../shell/paths";
import { readStackFile, undecrypted } from "../../operations/pulumi";
import { rawSettings } from "../../stacks/program";
import { UserError } from "../../shell/userError";
import { checked } from "../support/settings";

const share = () => ({ milliCpus: 666, memoryMiB: 7352 });
const stacks = ["local", "cnpg", "dev", "prod", "standalone"];
const engineNames = [undefined, "cnpg", "zalando", "standalone"] as const;

/** The settings of a stack file with the layers over it. */
async function settingsOf(
  stack: string,
  engine: (typeof engineNames)[number],
  builtIn: boolean,
  withoutKeys = false,
) {
  const file = await readStackFile(stack, projectDir);
  const { overlay } = layersOver(file, { engine, builtIn, withoutKeys, share });
  const config = Object.entries(undecrypted({ ...file.config, ...overlay })).flatMap(([key, value]) =>
    value === undefined ? [] : [[key, typeof value === "string" ? value : JSON.stringify(value)]],
  );
  return checked(rawSettings(Object.fromEntries(config) as Record<string, string>));
}

describe("ENGINE", () => {
  it("names an engine, or nothing is asked", () => {
    assert.equal(engineAsked(undefined), undefined);
    assert.equal(engineAsked(""), undefined);
    assert.equal(engineAsked("zalando"), "zalando");
  });

  it("is refused in one sentence when there is no such engine", () => {
    assert.throws(
      () => engineAsked("mysql"),
      (error) => {
        assert.ok(error instanceof UserError);
        assert.deepEqual(error.problems, [
          'ENGINE: "mysql" is no engine; the engines are cnpg, zalando, standalone.',
        ]);
        return true;
      },
    );
  });

  it("lays the engine over the file, and what a standalone server needs", async () => {
    const file = await readStackFile("local", projectDir);
    assert.deepEqual(layersOver(file, { engine: "zalando", builtIn: true, share }).said, [
      "cluster.engine zalando (ENGINE)",
    ]);
    assert.deepEqual(layersOver(file, { engine: "standalone", builtIn: true, share }).said, [
      "cluster.engine standalone (ENGINE)",
      "cluster.instances 1 instead of 3 (it is one PostgreSQL server in a StatefulSet, which nothing replicates)",
      "cluster.durability async instead of zero-loss (no standby could confirm a commit)",
    ]);
  });

  it("leaves an archive's volume out where the engine has none, and makes it fit where it has one", async () => {
    const file = await readStackFile("standalone", projectDir);
    const said = (engine: "cnpg" | "standalone") =>
      layersOver(file, { engine, builtIn: true, share }).said.filter((line) => line.includes("archiveSize"));
    assert.deepEqual(said("cnpg"), [
      "cluster.storage.archiveSize left out instead of 50Gi (its operator archives to an object store)",
    ]);
    assert.deepEqual(said("standalone"), ["cluster.storage.archiveSize 5Gi instead of 50Gi"]);
  });

  for (const { name } of Object.values(planners))
    it(`keeps a file's backups with ${name}`, async () => {
      const file = await readStackFile("cnpg", projectDir);
      const config = { ...file.config, "pgplatform:restore": { target: "live" } };
      const { said, overlay } = layersOver({ config }, { engine: name, builtIn: false, share });
      assert.deepEqual(
        said.filter((line) => /^(backup|restore)/.test(line)),
        [],
      );
      assert.ok(!("pgplatform:backup" in overlay));
    });

  it("leaves base backups on an archive's volume out where the engine has none, and keeps a store", () => {
    const on = (backup: object) => {
      const config = { "pgplatform:cluster": {}, "pgplatform:backup": backup };
      return layersOver({ config }, { engine: "cnpg", builtIn: false, share }).overlay["pgplatform:backup"];
    };
    const targets = [{ name: "near", kind: "local" }];
    assert.equal(on({ volume: { walRetentionDays: 3 } }), undefined);
    assert.deepEqual(on({ targets, volume: { walRetentionDays: 3 } }), { targets, volume: undefined });
  });

  it("changes nothing in the file that was read", async () => {
    const file = await readStackFile("cnpg", projectDir);
    const before = structuredClone(file);
    layersOver(file, { engine: "standalone", builtIn: true, share });
    assert.deepEqual(file, before);
  });
});

describe("the layers over every stack file, for every engine", () => {
  for (const stack of stacks)
    for (const engine of engineNames)
      it(`${stack}, ENGINE ${engine ?? "not given"}: pass the settings check on the built-in cluster`, async () => {
        const { platform, tier, cluster } = await settingsOf(stack, engine, true);
        if (engine !== undefined) assert.equal(cluster.engine, engine);
        assert.deepEqual([platform, tier], ["local", "dev"]);
        assert.deepEqual([cluster.postgresVersion, cluster.storage.class], ["17", "local-path"]);
      });

  it("leave the platform elsewhere as it is, and what its tier asks for", async () => {
    const { platform, cluster } = await settingsOf("prod", "cnpg", false, true);
    assert.deepEqual([platform, cluster.engine, cluster.storage.class], ["cloud", "cnpg", "longhorn"]);
    await assert.rejects(settingsOf("prod", "standalone", false, true), /at least 3 in the tier prod/);
  });

  it("ask for the keys that a file lacks, but not on the built-in cluster, nor where a stack is only looked at", async () => {
    await assert.rejects(
      settingsOf("prod", undefined, false),
      /^Error: pgplatform:backup\.targets\[1\]\.credentials: not set\. Allowed: an access key with the kind b2\. Fix: set it\.$/,
    );
    const kinds = async (builtIn: boolean, withoutKeys: boolean) =>
      (await settingsOf("prod", undefined, builtIn, withoutKeys)).backup?.targets.map(
        ({ name, kind, credentials }) => [name, kind, credentials?.accessKeyId],
      );
    assert.deepEqual(await kinds(true, false), [
      ["r2", "local", undefined],
      ["b2", "local", undefined],
    ]);
    assert.deepEqual(await kinds(false, true), [
      ["r2", "r2", undefined],
      ["b2", "b2", "stand-in"],
    ]);
    const { said } = layersOver(await readStackFile("prod", projectDir), {
      engine: undefined,
      builtIn: false,
      withoutKeys: true,
    });
    assert.deepEqual(said, [
      "backup.targets[1].credentials a stand-in (a preview from nothing needs no key; `make up` does)",
    ]);
  });

  it("leave a key that the file gives as it is", () => {
    const targets = [{ name: "far", kind: "s3", bucket: "b", credentials: { accessKeyId: "an id" } }];
    const config = { "pgplatform:backup": { targets } };
    assert.deepEqual(
      layersOver({ config }, { engine: undefined, builtIn: false, withoutKeys: true }).said,
      [],
    );
  });
});

describe("a file for another platform on the built-in cluster", () => {
  const onBuiltIn = async (stack: string) =>
    layersOver(await readStackFile(stack, projectDir), { engine: undefined, builtIn: true, share }).said;

  it("gets that cluster's class, version, sizes and resources, and each is said", async () => {
    assert.deepEqual(await onBuiltIn("cnpg"), [
      "platform local instead of cloud (the built-in cluster, with images built here)",
      "cluster.postgresVersion 17 instead of 16 (the version of the images built here)",
      "cluster.storage.class local-path instead of nfs-postgres-v2",
      "cluster.storage.size 5Gi instead of 50Gi",
      "cluster.resources.requests.cpu 300m instead of 1 (a node here has 666m and 7352Mi)",
      "cluster.resources.requests.memory 3584Mi instead of 4Gi (a node here has 666m and 7352Mi)",
      "cluster.resources.limits.memory 3584Mi instead of 4Gi (a node here has 666m and 7352Mi)",
      "backup.targets live (local), copy (local) instead of live (aws), copy (r2) (what is made here is no business of the buckets')",
    ]);
  });

  it("leaves the tier prod, whose databases could not be destroyed, and images with digests", () => {
    const config = {
      "pgplatform:platform": "cloud",
      "pgplatform:tier": "prod",
      "pgplatform:images": { postgresql: "registry.example.com/postgresql:17" },
    };
    const { said, overlay } = layersOver({ config }, { engine: undefined, builtIn: true, share });
    assert.deepEqual(said.slice(1, 3), [
      "tier dev instead of prod (what is made here may be destroyed again)",
      'images left out instead of {"postgresql":"registry.example.com/postgresql:17"} (images built here)',
    ]);
    assert.equal(overlay["pgplatform:images"], undefined);
    assert.ok("pgplatform:images" in overlay);
  });

  it("keeps backups beside the cluster in place of buckets, under the targets' names, and says no key", () => {
    const targets = [
      {
        name: "far",
        kind: "s3",
        bucket: "b",
        credentials: { accessKeyId: "an id", secretAccessKey: "a key" },
      },
      { name: "near", kind: "local", size: "9Gi" },
    ];
    const over = (given: readonly object[]) =>
      layersOver(
        {
          config: { "pgplatform:platform": "cloud", "pgplatform:backup": { rpoMinutes: 5, targets: given } },
        },
        { engine: undefined, builtIn: true, share },
      );
    const { said, overlay } = over(targets);
    assert.deepEqual(overlay["pgplatform:backup"], {
      rpoMinutes: 5,
      targets: [
        { name: "far", kind: "local", size: "5Gi" },
        { name: "near", kind: "local", size: "5Gi" },
      ],
    });
    assert.deepEqual(
      said.filter((line) => line.startsWith("backup")),
      [
        "backup.targets far (local), near (local) instead of far (s3), near (local) (what is made here is no business of the buckets')",
      ],
    );
    assert.ok(!over([targets[1]!]).said.some((line) => line.startsWith("backup")));
  });

  it("and the built-in cluster's own file stays as it is", async () => {
    assert.deepEqual(await onBuiltIn("local"), []);
  });

  it("leaves a wrong file to the settings check", () => {
    const config = { "pgplatform:cluster": "not an object", "pgplatform:platform": "cloud" };
    const { overlay } = layersOver({ config }, { engine: "zalando", builtIn: true, share });
    assert.equal(overlay["pgplatform:platform"], "local");
  });
});

describe("a file whose secrets can't be decrypted here", () => {
  it("has texts in their place, and leaves the providers' logins to the environment", () => {
    const config = {
      "cloudflare:apiToken": { secure: "v1:abc" },
      "pgplatform:platform": "cloud",
      "pgplatform:registries": [{ server: "registry.example.com", password: { secure: "v1:def" } }],
    };
    assert.deepEqual(undecrypted(config), {
      "pgplatform:platform": "cloud",
      "pgplatform:registries": [{ server: "registry.example.com", password: "(encrypted)" }],
    });
  });
});

describe("the engine of a stack that has been made", () => {
  let folder: string;
  before(async () => {
    folder = await mkdtemp(join(tmpdir(), "pgp-engine-"));
  });
  after(() => rm(folder, { recursive: true }));

  const made = async (engine?: string) => {
    const file = join(folder, "Pulumi.local.yaml");
    const cluster = engine === undefined ? {} : { engine };
    await writeFile(file, stringify({ config: { "pgplatform:cluster": cluster } }));
    return { name: "local", file };
  };

  it("stays: another one is refused before anything is touched", async () => {
    await assert.rejects(
      async () => keepEngine(await made(), "zalando"),
      (error) => {
        assert.ok(error instanceof UserError);
        assert.deepEqual(error.problems, [
          "Stack local runs with the engine cnpg, whose data zalando can't take over: continue with ENGINE=cnpg, or delete that data first with `ENGINE=cnpg STACK=local make destroy`.",
        ]);
        return true;
      },
    );
    await assert.rejects(
      async () => keepEngine(await made("standalone"), "cnpg"),
      /^UserError: Stack local runs with the engine standalone, whose data cnpg can't take over/,
    );
  });

  it("doesn't matter when nothing else is asked, or nothing was made", async () => {
    await keepEngine(await made("zalando"), "zalando");
    await keepEngine(await made("zalando"), undefined);
    await keepEngine({ name: "local", file: join(folder, "none.yaml") }, "zalando");
  });
});
