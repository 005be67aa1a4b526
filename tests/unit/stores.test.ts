import assert from "node:assert/strict";
import { check, sentence } from "../../checks";
import { isInCluster, providerOf } from "../../plan/backup/hosts";
import { places } from "../../plan/backup/pods";
import { backupPlan } from "../../plan/backup/plan";
import { endpointOf, storesOf } from "../../plan/backup/store";
import { planners } from "../../plan/engines/select";
import type { KubernetesObject } from "../../plan/objects";
import { providersOf } from "../../policy/backups";
import { presets } from "../../settings/schema/targets";
import type { Settings } from "../../settings/schema";
import { checked, smallest } from "../support/settings";

/** What the description of a store makes of everyone who speaks to it, and which settings it refuses. What the stores themselves do is the suite tests/stores' matter. */

const account = "0123456789abcdef0123456789abcdef";
const credentials = { accessKeyId: "an identifier", secretAccessKey: "a secret key" };
const r2 = { name: "live", kind: "r2", bucket: "shop-live", account };
const b2 = { name: "live", kind: "b2", bucket: "shop-live", region: "eu-central-003", credentials };
const aws = { name: "live", kind: "aws", bucket: "shop-live" };
const s3 = { name: "live", kind: "s3", bucket: "shop-live", endpoint: "https://s3.example.com", credentials };
const pods = { namespace: "minio-tenant", labels: { "v1.min.io/tenant": "minio" }, port: 9000 };
const inCluster = { ...s3, endpoint: "https://minio.minio-tenant.svc", pods };

const input = (targets: readonly object[], engine = "cnpg", more: object = {}) => ({
  ...smallest(),
  platform: "cloud",
  tier: "dev",
  cluster: {
    ...smallest().cluster,
    engine,
    storage: { size: "2Gi", class: "gp3" },
    ...(engine === "standalone" && { instances: 1, durability: "async" }),
  },
  backup: { targets, ...(more as { backup?: object }).backup },
});
const settingsOf = (...of: Parameters<typeof input>): Settings => checked(input(...of));
function refused(...of: Parameters<typeof input>): string[] {
  const result = check(input(...of));
  return "problems" in result ? result.problems.map(sentence) : [];
}
const rclone = (settings: Settings): Record<string, string> =>
  Object.fromEntries(
    (places(storesOf(settings)) as { name: string; value?: string }[]).map(({ name, value }) => [
      name.replace("RCLONE_CONFIG_TARGET1_", ""),
      value ?? "",
    ]),
  );
function objectsOf(settings: Settings): KubernetesObject[] {
  const engine = planners[settings.cluster.engine];
  const plan = engine.plan(settings);
  return [...plan.objects, ...backupPlan(settings, engine, plan).objects].map(({ object }) => object);
}

describe("a kind of store", () => {
  const spoken: [
    target: object,
    provider: string,
    pathStyle: string | undefined,
    cutoff: string | undefined,
  ][] = [
    [r2, "Cloudflare", "true", undefined],
    [b2, "Other", "true", "0"],
    [aws, "AWS", undefined, undefined],
    [{ ...aws, adopt: true }, "AWS", undefined, "0"],
    [{ ...s3, preset: "minio" }, "Minio", "true", "0"],
    [{ ...s3, preset: "ceph" }, "Ceph", "true", "0"],
    [{ ...s3, preset: "wasabi" }, "Wasabi", "true", "0"],
    [{ ...s3, preset: "gcs" }, "GCS", "true", undefined],
    [{ ...s3, preset: "mega" }, "Mega", "true", "0"],
    [{ ...s3, preset: "r2" }, "Cloudflare", "true", undefined],
    [{ ...s3, pathStyle: true }, "Other", "true", "0"],
  ];
  for (const [target, provider, pathStyle, cutoff] of spoken)
    it(`is told to rclone: ${JSON.stringify({ ...target, credentials: undefined })}`, () => {
      const told = rclone(settingsOf([target]));
      assert.deepEqual(
        [told.PROVIDER, told.FORCE_PATH_STYLE, told.UPLOAD_CUTOFF, told.TYPE, told.NO_CHECK_BUCKET],
        [provider, pathStyle, cutoff, "s3", "true"],
      );
    });

  it("keeps what is written again and again outside of what may be locked", () => {
    for (const target of [r2, b2, aws, s3])
      assert.deepEqual(
        storesOf(settingsOf([target])).map(({ prefix, reports }) => reports.startsWith(`${prefix}/`)),
        [false],
      );
  });

  it("has the preset's name in every preset's sentence", () => {
    for (const preset of presets) if (preset !== "oss") assert.deepEqual(refused([{ ...s3, preset }]), []);
  });

  it("listens where its partition does", () => {
    for (const [region, endpoint] of [
      ["eu-west-1", "https://s3.eu-west-1.amazonaws.com"],
      ["cn-north-1", "https://s3.cn-north-1.amazonaws.com.cn"],
      ["us-gov-east-1", "https://s3.us-gov-east-1.amazonaws.com"],
      ["eusc-de-east-1", "https://s3.eusc-de-east-1.amazonaws.eu"],
    ] as const)
      assert.equal(endpointOf(storesOf(settingsOf([{ ...aws, region }]))[0]!), endpoint);
  });

  it("that counts requests is looked at more rarely", () => {
    const lists = (target: object) => {
      const watcher = objectsOf(settingsOf([target])).find(
        ({ kind, metadata }) => kind === "Deployment" && metadata.name === "main-backups",
      );
      const { containers } = (
        watcher?.spec as { template: { spec: { containers: { env: { name: string; value?: string }[] }[] } } }
      ).template.spec;
      return containers[0]?.env.find(({ name }) => name === "LISTS_1")?.value;
    };
    assert.ok(Number(lists(b2)) < 2500);
    assert.ok(Number(lists(r2)) < 1_000_000 / 31);
    assert.equal(lists({ ...s3, preset: "minio" }), undefined);
    assert.equal(lists({ ...s3, preset: "b2" }), lists(b2));
  });
});

describe("parts of one size", () => {
  const packed = (compression: string) => ({ backup: { compression } });
  for (const [target, called] of [
    [r2, "the kind r2"],
    [{ ...s3, preset: "mega" }, "the preset mega"],
    [{ ...s3, preset: "r2" }, "the preset r2"],
  ] as const)
    for (const engine of ["cnpg", "standalone"])
      it(`are asked for by ${called}: lz4 by Barman's tools is refused with ${engine}`, () => {
        assert.deepEqual(refused([target], engine, packed("lz4")), [
          `pgplatform:backup.compression: "lz4" is not allowed. Allowed: gzip, zstd, none with ${called}, which takes only parts of one size. Fix: choose one of them, or leave it out.`,
        ]);
        for (const compression of ["gzip", "zstd", "none"])
          assert.deepEqual(refused([target], engine, packed(compression)), []);
      });
  it("are WAL-G's, whatever it packs by", () =>
    assert.deepEqual(refused([r2], "zalando", packed("lz4")), []));
  it("are those of a copy, which rclone makes", () => {
    const copy = { ...r2, name: "copy", bucket: "shop-copies" };
    assert.deepEqual(refused([s3, copy], "cnpg", packed("lz4")), []);
  });
  it("aren't asked for elsewhere", () => {
    for (const target of [b2, aws, s3, { ...s3, preset: "ceph" }])
      assert.deepEqual(refused([target], "cnpg", packed("lz4")), []);
  });
});

describe("the bucket's name in the host's", () => {
  const oss = {
    ...s3,
    endpoint: "https://s3.oss-cn-hangzhou.aliyuncs.com",
    preset: "oss",
    region: "cn-hangzhou",
  };
  it("is told to Barman's tools, WAL-G and rclone", () => {
    assert.equal(rclone(settingsOf([oss], "standalone")).FORCE_PATH_STYLE, "false");
    const told = JSON.stringify(objectsOf(settingsOf([oss], "standalone")));
    assert.match(told, /"name":"ARCHIVE_ADDRESSING","value":"virtual"/);
    assert.match(told, /"name":"ADDRESSING","value":"virtual"/);
    assert.doesNotMatch(JSON.stringify(objectsOf(settingsOf([oss], "zalando"))), /AWS_S3_FORCE_PATH_STYLE/);
    assert.match(JSON.stringify(objectsOf(settingsOf([s3], "zalando"))), /AWS_S3_FORCE_PATH_STYLE/);
    const own = { ...s3, pathStyle: false };
    assert.match(JSON.stringify(objectsOf(settingsOf([own], "standalone"))), /"ARCHIVE_ADDRESSING"/);
  });
  it("can't be told to CloudNativePG's plugin", () => {
    for (const target of [oss, { ...s3, pathStyle: false }])
      assert.deepEqual(refused([target]), [
        "pgplatform:backup.targets[0].pathStyle: false is not allowed. Allowed: what the engine cnpg can do: its plugin tells not all of Barman's tools where the bucket's name is. Fix: use a store that takes path style, or the engine standalone or zalando.",
      ]);
  });
  it("has no dot, and OSS takes nothing else", () => {
    assert.match(
      refused([{ ...s3, pathStyle: false, bucket: "shop.live" }], "zalando").join("\n"),
      /bucket: "shop\.live" is not allowed\. Allowed: no dot where the bucket's name is in the host's name/,
    );
    assert.match(
      refused([{ ...oss, pathStyle: true }], "zalando").join("\n"),
      /pathStyle: true is not allowed\. Allowed: false with the preset oss/,
    );
  });
});

describe("names of buckets", () => {
  const cases: [target: object, bucket: string, allowed: RegExp | undefined][] = [
    [r2, "shop.live", /no dot with the kind r2/],
    [r2, "shop", undefined],
    [b2, "shop1", /at least 6 characters with the kind b2/],
    [b2, "shop.live", /no dot with the kind b2/],
    [b2, "b2-shop", /another beginning than b2/],
    [b2, "shop-b2", undefined],
    [aws, "shop..live", /labels with a dot between two of them, and no address with the kind aws/],
    [aws, "192.0.2.10", /labels with a dot between two of them/],
    [aws, "xn--shop", /that AWS keeps for itself/],
    [aws, "shop-s3alias", /that AWS keeps for itself/],
    [aws, "shop.live", undefined],
    [{ ...s3, preset: "gcs" }, "google-shop", /without google/],
    [{ ...s3, preset: "b2" }, "shop1", /at least 6 characters with the preset b2/],
    [{ ...s3, endpoint: undefined }, "shop-s3alias", /that AWS keeps for itself with the kind s3 at AWS/],
    [s3, "shop-s3alias", undefined],
  ];
  for (const [target, bucket, allowed] of cases)
    it(`${bucket}: ${allowed === undefined ? "taken" : "refused"} at ${(target as { preset?: string; kind: string }).preset ?? (target as { kind: string }).kind}`, () => {
      const found = refused([{ ...target, bucket }]).join("\n");
      if (allowed === undefined) assert.equal(found, "");
      else
        assert.match(
          found,
          new RegExp(
            `bucket: "${bucket.replaceAll(".", "\\.")}" is not allowed\\. Allowed: .*${allowed.source}`,
          ),
        );
    });
});

describe("a store behind a Service", () => {
  for (const endpoint of [
    "https://minio.minio-tenant.svc",
    "https://minio.minio-tenant.svc.cluster.local:443",
    "https://rgw.rook.svc.example.internal",
    "https://minio",
  ])
    it(`needs to be told where its pods listen: ${endpoint}`, () =>
      assert.deepEqual(refused([{ ...s3, endpoint }]), [
        `pgplatform:backup.targets[0].pods: not set. Allowed: namespace, labels and port of the pods behind ${endpoint}, since network policies see the pods and not the Service. Fix: set pods: { namespace, labels, port }, with the target port of the Service.`,
      ]));

  it("is let through by its pods and their port, from all that speak to it", () => {
    const plan = planners.cnpg.plan(settingsOf([inCluster]));
    const flows = [...plan.flows, ...backupPlan(settingsOf([inCluster]), planners.cnpg, plan).flows].filter(
      ({ name }) => name.endsWith("-live"),
    );
    assert.ok(flows.length >= 3, String(flows.length));
    for (const { to, port } of flows) {
      assert.equal(port, 9000);
      assert.deepEqual(to, {
        kind: "pods",
        name: "store-live",
        namespace: "minio-tenant",
        labels: pods.labels,
      });
    }
  });

  it("is no other provider than another one there, whatever their names are", () => {
    const one = { ...inCluster, name: "a", bucket: "one" };
    const other = {
      ...inCluster,
      name: "b",
      bucket: "two",
      endpoint: "https://ceph.rook.svc",
      credentials: { ...credentials, accessKeyId: "another" },
    };
    const hidden = { ...other, endpoint: "https://s3.internal.example.com" };
    for (const second of [other, hidden])
      assert.match(
        refused([one, second], "cnpg", {}).join("\n") ||
          (() => {
            const result = check({ ...input([one, second]), tier: "prod" });
            return "problems" in result ? result.problems.map(sentence).join("\n") : "";
          })(),
        /a store of another provider than the Kubernetes cluster, where the target a is, in the tier prod/,
      );
    assert.equal(providerOf("https://minio.a.svc"), providerOf("https://ceph.b.svc.cluster.local"));
    const places = [one, other].map(({ endpoint, bucket }) => ({ endpoint, bucket }));
    assert.deepEqual(providersOf(places), ["the Kubernetes cluster"]);
  });

  it("isn't what merely looks so", () => {
    for (const endpoint of ["https://svc.example.com", "https://s3.example.com", "https://192.0.2.10:9000"])
      assert.ok(!isInCluster(endpoint), endpoint);
    assert.deepEqual(refused([{ ...s3, endpoint: "https://svc.example.com" }]), []);
  });

  it("has settings of its own kind alone", () => {
    for (const [key, value] of [
      ["pods", pods],
      ["preset", "minio"],
      ["pathStyle", true],
    ] as const) {
      assert.match(
        refused([{ ...r2, [key]: value }]).join("\n"),
        new RegExp(`${key}: must not be set with the kind r2`),
      );
      assert.match(
        refused([{ ...s3, endpoint: undefined, [key]: value }]).join("\n"),
        new RegExp(`${key}: must not be set without an endpoint`),
      );
    }
  });
});

describe("who runs a store", () => {
  it("is told by the end of its name, below what everybody registers names", () => {
    for (const [one, other, same] of [
      ["https://s3.example.co.uk", "https://s3.other.co.uk", false],
      ["https://a.example.com", "https://b.example.com", true],
      ["https://s3.eu-west-1.amazonaws.com", "https://s3.cn-north-1.amazonaws.com.cn", true],
      ["https://s3.eu-west-1.amazonaws.com", "https://s3.example.com.cn", false],
      ["https://oss.example.com.cn", "https://oss.other.com.cn", false],
    ] as const)
      assert.equal(providerOf(one) === providerOf(other), same, `${one} ${other}`);
  });
});
