import assert from "node:assert/strict";
import { createHash } from "node:crypto";
import { mkdirSync, mkdtempSync, readdirSync, rmSync, utimesSync, writeFileSync } from "node:fs";
import { readFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { setTimeout as delay } from "node:timers/promises";
import { cached, keepNewest, keyOf } from "../../local/cache";
import { published } from "../../releases/images";
import { pins } from "../../releases/pins";
import { goFits, releasedModule } from "../../local/toolchain/go";

const sha = (text: string) => createHash("sha256").update(text).digest("hex");

describe("Go", () => {
  it("is good enough from the pinned version on", () => {
    const cases: [string | undefined, boolean][] = [
      [undefined, false],
      ["1.25.9", false],
      ["1.26", true],
      ["1.26.8", true],
      ["1.30.1", true],
    ];
    for (const [version, fits] of cases) assert.equal(goFits(version), fits, version);
  });
});

describe("cache keys", () => {
  it("change with every input, their order and their borders", () => {
    const keys = [["a", "b"], ["b", "a"], ["ab"], ["a", "b", ""], ["a"]].map((inputs) => keyOf(inputs));
    assert.equal(new Set(keys).size, keys.length);
    assert.equal(keyOf(["a", Buffer.from("b")]), keyOf(["a", "b"]));
  });
});

describe("the cache", () => {
  it("takes several who make the same at once, what a killed one left, and a broken folder", async () => {
    const cache = mkdtempSync(join(tmpdir(), "pgp-cache-"));
    const key = keyOf(["input"]);
    mkdirSync(join(cache, "one", `${key}.unfinished-999999999-0`, "half"), { recursive: true });
    mkdirSync(join(cache, "one", key, "broken"), { recursive: true });
    let made = 0;
    const make = () =>
      cached(
        "one",
        ["input"],
        async (folder) => {
          const own = String(made++);
          await delay(20);
          writeFileSync(join(folder, "by"), own);
        },
        cache,
      );
    const folders = await Promise.all([make(), make(), make()]);
    assert.deepEqual([...new Set(folders)], [join(cache, "one", key)]);
    assert.equal(made, 3);
    assert.deepEqual(readdirSync(join(cache, "one")), [key]);
    assert.deepEqual(readdirSync(join(cache, "one", key)).sort(), [".made", "by"]);
    await make();
    assert.equal(made, 3);
    rmSync(cache, { recursive: true });
  });

  it("keeps the folders that were used last, and those that aren't finished", async () => {
    const cache = mkdtempSync(join(tmpdir(), "pgp-cache-"));
    const made = (key: string, used: number) => {
      mkdirSync(join(cache, "big", key), { recursive: true });
      if (used === 0) return;
      writeFileSync(join(cache, "big", key, ".made"), "");
      utimesSync(join(cache, "big", key, ".made"), used, used);
    };
    made("oldest", 100);
    made("newest", 400);
    made("old", 200);
    made("newer", 300);
    made("unfinished", 0);
    await keepNewest("big", 2, cache);
    assert.deepEqual(readdirSync(join(cache, "big")).sort(), ["newer", "newest", "unfinished"]);
    rmSync(cache, { recursive: true });
  });
});

describe("pins", () => {
  it("hold the sums of the manifests that the Go modules bring", async () => {
    const modules = {
      cnpg: ["cloudnative-pg/cloudnative-pg", pins.operators.cnpg],
      barmanPlugin: ["cloudnative-pg/plugin-barman-cloud", pins.backupPlugin],
      zalando: ["zalando/postgres-operator", pins.operators.zalando],
    } as const;
    for (const [part, [name, version]] of Object.entries(modules)) {
      const module = await releasedModule(`github.com/${name}`, version);
      for (const [file, sum] of Object.entries(pins.manifests[part as keyof typeof modules]))
        assert.equal(sha(await readFile(join(module, file), "utf8")), sum, file);
    }
  }).timeout(120_000);

  const root = join(__dirname, "../..");
  const required = async (module: string, name: string) =>
    new RegExp(`^\\s*(?:require )?${name.replaceAll("/", "\\/").replaceAll(".", "\\.")} v(\\S+)`, "m").exec(
      await readFile(join(root, module, "go.mod"), "utf8"),
    )?.[1];

  it("say what the Go modules say", async () => {
    assert.equal(
      await required("local/toolchain/pulumi", "github.com/pulumi/pulumi/pkg/v3"),
      pins.tools.pulumi.version,
    );
    assert.equal(
      await required("local/toolchain/crane", "github.com/google/go-containerregistry"),
      pins.tools.crane.version,
    );
    assert.equal(await required("local/kubernetes/core", "k8s.io/kubernetes"), pins.kubernetes.version);
    assert.equal(await required("local/kubernetes/core", "go.etcd.io/etcd/server/v3"), pins.kubernetes.etcd);
    assert.equal(
      await required("local/kubernetes/core", "github.com/rancher/local-path-provisioner"),
      pins.kubernetes.localPathProvisioner,
    );
    assert.equal(
      await required("local/kubernetes/dns", "github.com/coredns/coredns"),
      pins.kubernetes.coredns,
    );
    assert.equal(
      await required("local/images/cnpg-operator", "github.com/cloudnative-pg/cloudnative-pg"),
      pins.builtOperators.cnpg,
    );
    assert.equal(
      await required("local/images/zalando-operator", "github.com/zalando/postgres-operator"),
      pins.builtOperators.zalando,
    );
  });

  it("are what a stack's images and their stand-ins are made of", async () => {
    assert.equal(await required("local/images/rclone", "github.com/rclone/rclone"), pins.rclone);
    const versitygw = await required("local/images/versitygw", "github.com/versity/versitygw");
    assert.ok(published.objectStore.endsWith(`:v${versitygw}`));
    assert.ok(pins.images.backupTools.includes(`:${pins.rclone}-`));
  });

  it("say what the npm packages say", async () => {
    const { devDependencies } = JSON.parse(await readFile(join(root, "package.json"), "utf8")) as {
      devDependencies: Record<string, string>;
    };
    assert.equal(devDependencies["@pulumi/pulumi"], pins.tools.pulumi.version);
    assert.equal(devDependencies["@pulumi/kubernetes"], pins.tools.pulumiKubernetes.version);
    assert.equal(devDependencies["@pulumi/random"], pins.tools.pulumiRandom.version);
  });
});
