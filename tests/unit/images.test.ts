import assert from "node:assert/strict";
import { plannerOf } from "../../plan/engines/select";
import { dormantPlaces, imagePlaces } from "../../plan/imagePlaces";
import { stackImages } from "../../plan/images";
import type { KubernetesObject } from "../../plan/objects";
import { planPlatform } from "../../plan/platform";
import { registeredOf } from "../../plan/changes/objects";
import { collectImages, imageSettings } from "../../operations/images/collect";
import { clusterFacts } from "../../policy/stackFacts";
import { imageDigestsInvariant } from "../../policy/invariants/imageDigests";
import { imagesOf } from "../../checks/images";
import type { Settings, SettingsInput } from "../../settings/schema";
import { releasedObjects } from "../support/manifest";
import { read } from "../support/pages";
import { bucket, checked, everything, inCloud } from "../support/settings";

const digest = (letter: string) => `sha256:${letter.repeat(64)}`;

const object = (kind: string, rest: object, apiVersion = "v1"): KubernetesObject => ({
  apiVersion,
  kind,
  metadata: { name: "one", namespace: "shop" },
  ...rest,
});

const found = (given: KubernetesObject, known: string[] = []) =>
  imagePlaces([given], new Set(known)).map(({ path, image }) => `${path} ${image}`);

describe("places that name images", () => {
  it("are containers, fields, variables, arguments, mounted images and keys of configurations", () => {
    const template = {
      spec: {
        initContainers: [{ name: "a", image: "r.example.com/a:1" }],
        containers: [
          {
            name: "b",
            image: "b:2",
            imagePullPolicy: "Always",
            args: [
              "--prometheus-config-reloader=r.example.com/c:3",
              "--web=0.0.0.0:9090",
              "r.example.com:5000/d:4",
            ],
            env: [
              { name: "SIDECAR_IMAGE", value: "e:5" },
              { name: "OPERATOR_IMAGE_NAME", value: "f:6" },
              { name: "OTHER", value: "r.example.com/g@" + digest("a") },
              { name: "URL", value: "http://r.example.com/path:7" },
              { name: "HOST", value: "r.example.com:8" },
            ],
          },
        ],
        volumes: [{ name: "extension", image: { reference: "h:9" } }],
      },
    };
    assert.deepEqual(found(object("Deployment", { spec: { template } }, "apps/v1")), [
      "spec.template.spec.initContainers[0].image r.example.com/a:1",
      "spec.template.spec.containers[0].image b:2",
      "spec.template.spec.containers[0].args[0] r.example.com/c:3",
      "spec.template.spec.containers[0].args[2] r.example.com:5000/d:4",
      "spec.template.spec.containers[0].env[0].value e:5",
      "spec.template.spec.containers[0].env[1].value f:6",
      `spec.template.spec.containers[0].env[2].value r.example.com/g@${digest("a")}`,
      "spec.template.spec.volumes[0].image.reference h:9",
    ]);
    assert.deepEqual(found(object("Cluster", { spec: { imageName: "i:1" } })), ["spec.imageName i:1"]);
    assert.deepEqual(
      found(object("ConfigMap", { data: { POSTGRES_IMAGE_NAME: "j:1", script: "run k:1\n" } })),
      ["data.POSTGRES_IMAGE_NAME j:1"],
    );
    assert.deepEqual(found(object("ConfigMap", { data: { any: "k:1" } }), ["k:1"]), ["data.any k:1"]);
  });

  it("are none in the definition of a kind", () =>
    assert.deepEqual(found(object("CustomResourceDefinition", { spec: { image: "a:1" } }), ["a:1"]), []));
});

/** Everything that a stack could run, with a name of its own for each setting. */
function whole(engine: NonNullable<SettingsInput["cluster"]["engine"]>): Settings {
  const all = everything();
  const base = inCloud(engine);
  const settings = checked({
    ...base,
    ...(engine !== "standalone" && { operator: { install: true } }),
    poolers: [{ name: "app", database: "app", serverConnections: 30 }],
    monitoring: { ...all.monitoring, queries: [] },
    backup: {
      targets: [
        { ...bucket(), name: "far" },
        { name: "near", kind: "local", size: "20Gi" },
      ],
      copy: {},
      verify: {},
    },
    ...(engine === "cnpg" && { cluster: { ...base.cluster, instances: 3, watchdogSeconds: 20 } }),
  });
  const images = Object.fromEntries(
    Object.entries(settings.images).map(([key, image]) => [
      key,
      image === "" ? "" : `r.example.com/own/${key.toLowerCase()}:17`,
    ]),
  ) as unknown as Settings["images"];
  return { ...settings, images };
}

async function objectsOf(settings: Settings): Promise<KubernetesObject[]> {
  const [operator, monitoring] = await Promise.all([
    releasedObjects(settings.cluster.engine),
    releasedObjects("monitoring"),
  ]);
  const plan = planPlatform(
    settings,
    () => operator,
    plannerOf(settings),
    () => monitoring,
  );
  return registeredOf(plan, settings).map(({ object: one }) => one);
}

const definitions = (one: KubernetesObject) => one.kind === "CustomResourceDefinition";

describe("the images of a stack", function () {
  // The operators' manifests are fetched where they aren't there.
  this.timeout(120_000);

  for (const engine of ["cnpg", "zalando", "standalone"] as const)
    it(`are all found in the objects: ${engine}`, async () => {
      const settings = whole(engine);
      const objects = await objectsOf(settings);
      const places = imagePlaces(objects, new Set());
      const text = JSON.stringify(objects.filter((one) => !definitions(one)));
      // By their own names: each time that one is written is a place, without the names being known.
      const written = [...text.matchAll(/r\.example\.com\/own\/\w+:17/g)].map(([image]) => image);
      const named = places.filter(({ image }) => image.startsWith("r.example.com/own/"));
      assert.deepEqual(named.map(({ image }) => image).sort(), written.sort());
      assert.deepEqual(
        [...new Set(places.map(({ image }) => image))]
          .filter(
            (image) =>
              !image.startsWith("registry.opensource.zalan.do/") && !image.includes("/logical-backup:"),
          )
          .sort(),
        // With WAL-G the instances' image restores, outside of the built-in cluster.
        stackImages(settings, plannerOf(settings))
          .filter((image) => engine !== "zalando" || image !== settings.images.backupRestore)
          .sort(),
      );
      // And what looks like the name of an image, whoever wrote it.
      const looks = [
        ...text.matchAll(
          /\b(?:ghcr\.io|quay\.io|docker\.io|gcr\.io|registry\.[\w.]+)\/[\w./-]+(?::[\w.-]+)?/g,
        ),
      ]
        .map(([image]) => image)
        .filter((image) => image.includes(":"));
      for (const image of looks)
        assert.ok(
          places.some((place) => place.image.startsWith(image)),
          image,
        );
    });

  it("of Zalando's configuration run only where a cluster asks for them", async () => {
    const engine = plannerOf(whole("zalando"));
    const objects = await objectsOf(whole("zalando"));
    const asleep = (all: KubernetesObject[]) =>
      dormantPlaces(imagePlaces(all), engine.dormantImages ?? [], all).map(({ what }) => what);
    assert.deepEqual(asleep(objects).sort(), ["the operator's own dumps", "the operator's own pooler"]);
    const asking = (spec: object) =>
      objects.map((one) =>
        one.kind === "postgresql" ? { ...one, spec: { ...(one.spec as object), ...spec } } : one,
      );
    assert.deepEqual(asleep(asking({ enableLogicalBackup: true })), ["the operator's own pooler"]);
    assert.deepEqual(asleep(asking({ enableConnectionPooler: true })), ["the operator's own dumps"]);
    assert.deepEqual(asleep(asking({ enableReplicaConnectionPooler: true })), ["the operator's own dumps"]);
    assert.deepEqual(asleep(asking({ connectionPooler: {} })), ["the operator's own dumps"]);
    assert.deepEqual(asleep(asking({ connectionPooler: {}, enableConnectionPooler: false })).length, 2);
  });

  it("are named by every setting that names an image", () => {
    const settings = whole("cnpg");
    const documented = read("docs/settings.md").match(
      /^- Allowed: the name of an image with tag or digest\.$/gm,
    );
    assert.equal(imageSettings(settings).length, documented?.length);
  });

  it("are told with their settings and places, built ones as such, and what the release runs", () => {
    const standalone = checked({
      ...inCloud("standalone"),
      poolers: [{ name: "app", database: "app", serverConnections: 30 }],
    });
    const { images, dormant } = collectImages({
      ...standalone,
      images: { ...standalone.images, postgresql: `docker.io/library/postgres:17.1-trixie@${digest("a")}` },
    });
    const [pgbouncer, server] = ["pgbouncer", "postgresql"].map((key) =>
      images.find(({ settings }) => settings.some(({ name }) => name === `pgplatform:images.${key}`)),
    );
    assert.deepEqual(dormant, []);
    assert.ok(pgbouncer?.places.some((place) => /^Deployment postgres\/main-pooler-app: spec\./.test(place)));
    assert.equal(pgbouncer?.newer, undefined);
    assert.match(server?.newer ?? "", /^docker\.io\/library\/postgres:17\.\d\d/);
    assert.ok(images.every(({ builtHere }) => !builtHere));
    const local = collectImages(checked({ ...inCloud("standalone"), platform: "local" }));
    assert.ok(
      local.images.length > 0 &&
        local.images.every(({ builtHere, newer }) => builtHere && newer === undefined),
    );
  });

  it("that one name stands for in two settings have both", () => {
    const settings = checked(inCloud("standalone"));
    const own = "r.example.com/pg:17";
    const { images } = collectImages({
      ...settings,
      images: { ...settings.images, postgresql: own, backupTools: own },
    });
    assert.deepEqual(
      images
        .find(({ image }) => image === own)
        ?.settings.map(({ name }) => name)
        .sort(),
      ["pgplatform:images.backupTools", "pgplatform:images.postgresql"],
    );
  });
});

describe("images with digests", () => {
  for (const engine of ["cnpg", "zalando", "standalone"] as const)
    it(`pass the settings check and the policy image-digests without a waiver: ${engine}`, async () => {
      const input = { ...inCloud(engine), ...(engine !== "standalone" && { operator: { install: true } }) };
      const defaults = imagesOf("cloud", plannerOf(checked(input)), "17");
      const images = Object.fromEntries(
        Object.entries(defaults).flatMap(([key, name]) =>
          name === "" ? [] : [[key, `${name}@${digest("a")}`]],
        ),
      );
      const settings = checked({ ...input, images });
      const objects = await objectsOf(settings);
      const refused = (all: readonly KubernetesObject[]) =>
        all.filter(
          (one) => imageDigestsInvariant.check(one, { waived: [] }, clusterFacts(one, all)).length > 0,
        ).length;
      assert.equal(refused(objects), 0);
      assert.ok(refused(await objectsOf(checked(input))) > 0);
      assert.ok(imagePlaces(objects).some(({ image: name }) => name === images.postgresql));
      // What is known of the makers' image still holds.
      const extension = {
        ...input.cluster,
        databases: [{ name: "app", owner: "app", extensions: ["no_such_extension"] }],
      };
      assert.throws(() => checked({ ...input, images, cluster: extension }), /no_such_extension/);
    });
});
