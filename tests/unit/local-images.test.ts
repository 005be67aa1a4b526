import assert from "node:assert/strict";
import { createHash } from "node:crypto";
import { mkdir, mkdtemp, readFile, rm, stat, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { stackImages } from "../../plan/images";
import { imageArchitecture, reproducibleTar, sha256OfFile, writeOciImage } from "../../local/images/oci";
import { clusterImages, neededImages, recipes, testImages } from "../../local/images/recipes";
import { versionFlags } from "../../local/kubernetes/build";
import { pins, type ImageName } from "../../releases/pins";
import { run } from "../../shell/process";
import { plannerOf } from "../../plan/engines/select";
import { checked, smallest } from "../support/settings";

interface Descriptor {
  digest: string;
  size: number;
  annotations?: Record<string, string>;
}

describe("an image archive", () => {
  const reference = "pgplatform.local/example:1.2-3";
  let folder: string;

  const write = async (tar: string) => {
    const root = join(folder, "root");
    await mkdir(root, { recursive: true });
    await writeFile(join(root, "hello"), "hello\n");
    const layer = join(folder, "layer.tar");
    await run("tar", [...reproducibleTar, "-C", root, "-cf", layer, "."]);
    const config = { User: "26", Cmd: ["/hello"], Labels: { title: "example" } };
    await writeOciImage({ reference, layer, config }, tar, join(folder, "scratch"));
    return layer;
  };

  before(async () => {
    folder = await mkdtemp(join(tmpdir(), "image-"));
  });
  after(() => rm(folder, { recursive: true }));

  it("holds one image whose every part has the digest and size that is said of it", async () => {
    const tar = join(folder, "image.tar");
    const layer = await write(tar);
    const unpacked = join(folder, "unpacked");
    await mkdir(unpacked);
    await run("tar", ["-C", unpacked, "-xf", tar]);
    const json = async <T>(path: string) => JSON.parse(await readFile(join(unpacked, path), "utf8")) as T;
    const blob = async <T>({ digest, size }: Descriptor) => {
      const path = join("blobs", "sha256", digest.slice("sha256:".length));
      const bytes = await readFile(join(unpacked, path));
      assert.equal(`sha256:${createHash("sha256").update(bytes).digest("hex")}`, digest);
      assert.equal(bytes.length, size);
      return digest.endsWith(await sha256OfFile(layer)) ? (undefined as T) : json<T>(path);
    };
    assert.deepEqual(await json("oci-layout"), { imageLayoutVersion: "1.0.0" });
    const index = await json<{ manifests: Descriptor[] }>("index.json");
    assert.equal(index.manifests.length, 1);
    const described = index.manifests[0] as Descriptor;
    assert.deepEqual(described.annotations, {
      "io.containerd.image.name": reference,
      "org.opencontainers.image.ref.name": "1.2-3",
    });
    const manifest = await blob<{ config: Descriptor; layers: Descriptor[] }>(described);
    const config = await blob<{ architecture: string; config: object; rootfs: { diff_ids: string[] } }>(
      manifest.config,
    );
    assert.equal(manifest.layers.length, 1);
    await blob(manifest.layers[0] as Descriptor);
    assert.deepEqual(config.rootfs.diff_ids, [manifest.layers[0]?.digest]);
    assert.deepEqual(config.config, { User: "26", Cmd: ["/hello"], Labels: { title: "example" } });
    assert.equal(config.architecture, imageArchitecture());
  });

  it("is the same, byte by byte, from the same source", async () => {
    const tars = [join(folder, "one.tar"), join(folder, "two.tar")];
    for (const tar of tars) await write(tar);
    const [one, two] = await Promise.all(tars.map(sha256OfFile));
    assert.equal(one, two);
  });

  it("leaves no scratch folder", async () => {
    await write(join(folder, "three.tar"));
    await assert.rejects(stat(join(folder, "scratch")));
  });

  it("names architectures as Go does", () => {
    assert.equal(imageArchitecture("x64"), "amd64");
    assert.equal(imageArchitecture("arm64"), "arm64");
  });
});

describe("the image recipes", () => {
  it("are one for each pinned name", () => {
    assert.deepEqual(Object.keys(recipes).sort(), Object.keys(pins.images).sort());
  });

  it("run the databases and their helpers as the users that the operators expect, never as root", () => {
    const users: Partial<Record<ImageName, string>> = {
      postgresql: "26",
      pgbouncer: "998:996",
      cnpgOperator: "65532:65532",
      pgbouncerExporter: "65534:65534",
      zalandoOperator: "1000:1000",
      patroniForZalando: "101:103",
      client: "65532:65532",
    };
    for (const [name, user] of Object.entries(users))
      assert.equal(recipes[name as ImageName].config.User, user);
  });

  it("give PostgreSQL's image a tag that begins with the major version", () => {
    for (const name of [pins.images.postgresql, pins.images.patroniForZalando])
      assert.match(name, new RegExp(`:${pins.postgresMajor}[-.]`));
  });
});

describe("the images to build", () => {
  const pooler = { name: "app", database: "app", serverConnections: 30 };
  const on = (engine: string, more: object = {}) => {
    const input = { ...smallest(), ...more };
    const cluster = {
      ...input.cluster,
      engine,
      ...(engine === "standalone" && { instances: 1, durability: "async" }),
    };
    const settings = checked({ ...input, cluster });
    return neededImages(stackImages(settings, plannerOf(settings)))
      .filter((name) => !clusterImages.includes(name))
      .sort();
  };

  it("are the cluster's own and those of the stack's engine, and no other engine's", () => {
    assert.deepEqual(on("cnpg"), ["cnpgOperator", "postgresql"]);
    assert.deepEqual(on("zalando"), ["patroniForZalando", "postgresExporter", "zalandoOperator"]);
    assert.deepEqual(on("standalone"), ["postgresExporter", "postgresqlStandalone"]);
    assert.deepEqual(neededImages([]).sort(), [...clusterImages].sort());
  });

  it("are the poolers' too where there is a pooler, and no operator's where the stack installs none", () => {
    assert.deepEqual(on("standalone", { poolers: [pooler] }), [
      "pgbouncer",
      "pgbouncerExporter",
      "postgresExporter",
      "postgresqlStandalone",
    ]);
    assert.deepEqual(on("cnpg", { operator: { install: false } }), ["postgresql"]);
  });

  it("follow the settings' names: one of another registry's isn't built", () => {
    assert.deepEqual(on("cnpg", { images: { postgresql: "registry.example.com/postgresql:17" } }), [
      "cnpgOperator",
    ]);
  });

  it("leave no recipe over that nothing needs", () => {
    const backup = { targets: [{ name: "near", kind: "local" }] };
    const stacks = ["cnpg", "zalando", "standalone"].flatMap((engine) =>
      on(engine, {
        poolers: [pooler],
        ...(engine === "cnpg" && { backup, monitoring: { prometheus: "install" } }),
      }),
    );
    const needed = new Set([...stacks, ...clusterImages, ...testImages]);
    assert.deepEqual([...needed].sort(), Object.keys(recipes).sort());
  });
});

describe("the Kubernetes programs", () => {
  it("know their version", () => {
    const flags = versionFlags("1.34.1");
    assert.match(flags, /version\.gitVersion=v1\.34\.1 /);
    assert.match(flags, /version\.gitMajor=1 /);
    assert.match(flags, /version\.gitMinor=34 /);
  });
});
