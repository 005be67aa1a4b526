import assert from "node:assert/strict";
import { planner as cnpg } from "../../../plan/engines/cnpg/planner";
import type { KubernetesObject } from "../../../plan/objects";
import { invariants, valuesOf } from "../../../policy/invariants";
import { problemsOfObject } from "../../../policy/policies";
import { stackFacts } from "../../../policy/stackFacts";
import { sentence } from "../../../settings/problem";
import { changed, checked, everything } from "../../support/settings";
import { good, goodStack, judgedStack, mutated, violationsInStack, violationsOf } from "./kit";

/** Policies of archives, base backups, targets and verifications: each on a hand-written object, right and wrong. */

const plugin = "barman-cloud.cloudnative-pg.io";
const archivers = (...names: readonly string[]) =>
  names.map((barmanObjectName) => ({ name: plugin, isWALArchiver: true, parameters: { barmanObjectName } }));
const r2 = "https://0123456789abcdef0123456789abcdef.r2.cloudflarestorage.com";
const b2 = "https://s3.eu-central-003.backblazeb2.com";
const cluster = (change: Record<string, unknown>) => ({ cluster: mutated("cluster", change) });
const inTree = {
  "spec.plugins": undefined,
  "spec.backup.barmanObjectStore": { destinationPath: "s3://a/b" },
};

it("the policies of backups have nothing to say about the platform's own CloudNativePG", () => {
  const input = changed(everything(), "cluster.storage", {
    class: "longhorn",
    size: "100Gi",
    writeMiBPerSecond: 1,
    toleratedOutageHours: 12,
  });
  const objects = cnpg.plan(checked(input)).objects.map(({ object }) => structuredClone(object));
  const names = [
    "wal-archiving",
    "base-backups",
    "daily-base-backups",
    "base-backup-schedule",
    "one-archive",
    "archive-of-its-own",
    "current-archiver",
    "explicit-backup-method",
    "plain-checksums",
    "no-encryption-header-at-r2",
    "wal-volume",
  ];
  const found = invariants
    .filter(({ name }) => names.includes(name))
    .flatMap((invariant) =>
      invariant.on === "stack"
        ? invariant.check(stackFacts(objects), valuesOf(invariant)).map(sentence)
        : objects.flatMap((object) => problemsOfObject(invariant, object, {}).map(sentence)),
    );
  assert.deepEqual(found, []);
});

describe("the invariant wal-archiving", () => {
  const says = [
    'Cluster shop/orders: WAL archive: "none" is not allowed. Allowed: one, since what isn\'t archived is lost with the cluster. Fix: set pgplatform:backup, or name an archiver.',
  ];
  const find = (plugins: unknown) =>
    violationsOf("wal-archiving", mutated("cluster", { "spec.plugins": plugins }));
  const [archiver] = archivers("orders-archive");

  it("has nothing to say about an archiver, whichever it is", () => {
    assert.deepEqual(violationsOf("wal-archiving", good("cluster")), []);
    assert.deepEqual(find([{ name: "other.example.com", isWALArchiver: true }]), []);
    assert.deepEqual(violationsOf("wal-archiving", mutated("cluster", inTree)), []);
  });
  it("refuses none, a plugin that is switched off, and one that doesn't archive", () => {
    for (const plugins of [
      undefined,
      [],
      [{ ...archiver, enabled: false }],
      [{ ...archiver, isWALArchiver: false }],
      [{ name: plugin }],
    ])
      assert.deepEqual(find(plugins), says);
  });
});

describe("the invariant base-backups", () => {
  const find = (changes: Record<string, KubernetesObject | undefined>) =>
    violationsInStack("base-backups", goodStack(changes));
  const says = (value: string) => [
    `Cluster shop/orders: base backups: "${value}" is not allowed. Allowed: a schedule, since archived WAL alone restores nothing. Fix: add one to the stack, or resume it.`,
  ];
  it("has nothing to say about the good program, and about a cluster without an archive", () => {
    assert.deepEqual(find({}), []);
    assert.deepEqual(find({ ...cluster({ "spec.plugins": [] }), "base-backups": undefined }), []);
  });
  it("refuses none, and one of another cluster or namespace", () => {
    assert.deepEqual(find({ "base-backups": undefined }), says("none"));
    for (const change of [{ "spec.cluster.name": "other" }, { "metadata.namespace": "other" }])
      assert.deepEqual(find({ "base-backups": mutated("base-backups", change) }), says("none"));
  });
  it("refuses one that is suspended", () =>
    assert.deepEqual(
      find({ "base-backups": mutated("base-backups", { "spec.suspend": true }) }),
      says("suspended"),
    ));
});

describe("the invariants about the schedule of base backups", () => {
  const find = (name: string, change: Record<string, unknown>, options?: object) =>
    violationsOf(name, mutated("base-backups", change), options);
  const schedule = (text: string) => ({ "spec.schedule": text });
  const at = "ScheduledBackup shop/orders";

  it("have nothing to say about what fires daily or more often", () => {
    for (const text of [
      "0 0 2 * * *",
      "0 0 */6 * * *",
      "0 0 2 * * SUN-SAT",
      "0 0 2 ? * 0-6",
      "@daily",
      "@every 12h",
      "@every 90m",
      "@every 1h30m",
      "@every 12h0m0s",
    ])
      for (const name of ["daily-base-backups", "base-backup-schedule"])
        assert.deepEqual(find(name, schedule(text)), [], text);
  });
  it("refuse what fires less often, up to the option's days", () => {
    const sentenceOf = (text: string, often: string) => [
      `${at}: schedule: "${text}" is not allowed. Allowed: at least ${often}: a restore replays all WAL since the last base backup. Fix: write a schedule that fires more often.`,
    ];
    for (const text of ["0 0 2 * * 1-5", "0 0 2 * * 0", "@every 25h"])
      assert.deepEqual(find("daily-base-backups", schedule(text)), sentenceOf(text, "daily"));
    assert.deepEqual(find("daily-base-backups", schedule("0 0 2 * * 0"), { most: 7 }), []);
    assert.deepEqual(
      find("daily-base-backups", schedule("0 0 2 1 * *"), { most: 7 }),
      sentenceOf("0 0 2 1 * *", "every 7 days"),
    );
  });
  it("refuse five fields, which the operator reads as if the first were seconds, and what is none to it", () => {
    for (const text of [
      "0 2 * * *",
      "0 0 25 * * *",
      "tomorrow",
      "",
      "0 0 2 * * 1-7",
      "0 0 2 * * 0-7",
      "0 0 2 * * MON-SUN",
      "CRON_TZ=Europe/Berlin 0 30 3 * * *",
      "@every 1d",
    ]) {
      assert.deepEqual(find("base-backup-schedule", schedule(text)), [
        `${at}: schedule: "${text}" is not allowed. Allowed: six fields, of which the first are the seconds, with 0 to 6 for the days of the week, and no time zone. Fix: write it so.`,
      ]);
      assert.deepEqual(find("daily-base-backups", schedule(text)), []);
    }
  });
  it("refuse a method that is left to the default", () => {
    assert.deepEqual(find("explicit-backup-method", { "spec.method": undefined }), [
      `${at}: method: not set. Allowed: a method that is named, since an update removes the default. Fix: name it.`,
    ]);
    assert.deepEqual(find("explicit-backup-method", { "spec.method": "volumeSnapshot" }), []);
  });
});

describe("the invariant two-targets", () => {
  const find = (changes: Record<string, KubernetesObject | undefined>) =>
    violationsInStack("two-targets", goodStack(changes));
  const says = (value: string) => [
    `Cluster shop/orders: backup targets: "${value}" is not allowed. Allowed: two at different providers, so that no provider, account or key takes both. Fix: copy to another provider.`,
  ];
  const secret = (change: (object: KubernetesObject) => void) => {
    const object = good("second-target");
    change(object);
    return { "second-target": object };
  };
  const at = (url: string) =>
    secret(({ metadata }) => (metadata.annotations!["pgplatform.io/store-endpoint"] = url));
  const archiveAt = (url: string | undefined) => ({
    archive: mutated("archive", { "spec.configuration.endpointURL": url }),
  });

  it("has nothing to say about R2 and B2, AWS and B2, and a cluster without an archive", () => {
    assert.deepEqual(find({}), []);
    assert.deepEqual(find(archiveAt(undefined)), []);
    assert.deepEqual(find({ ...cluster({ "spec.plugins": [] }), "second-target": undefined }), []);
  });
  it("refuses one target, a Secret of another cluster or role, and the archive's own", () => {
    assert.deepEqual(find({ "second-target": undefined }), says("one"));
    for (const [label, value] of [
      ["pgplatform.io/cluster", "other"],
      ["pgplatform.io/role", "other"],
    ] as const)
      assert.deepEqual(find(secret(({ metadata }) => (metadata.labels![label] = value))), says("one"));
    const own = secret(({ metadata }) => {
      metadata.annotations = {
        "pgplatform.io/store-endpoint": r2,
        "pgplatform.io/store-bucket": "orders-backups",
      };
    });
    assert.deepEqual(find(own), says("one"));
  });
  it("refuses two buckets at one provider, in another account or region too", () => {
    assert.deepEqual(find(at(r2)), says("2 at cloudflarestorage.com"));
    assert.deepEqual(
      find({ ...archiveAt("https://s3.us-west-004.backblazeb2.com") }),
      says("2 at backblazeb2.com"),
    );
    assert.deepEqual(
      find({ ...archiveAt(undefined), ...at("https://s3.eu-west-1.amazonaws.com") }),
      says("2 at AWS"),
    );
    assert.deepEqual(find(at(b2)), []);
    for (const endpoint of ["", undefined])
      for (const second of ["", "https://s3.eu-west-1.amazonaws.com"])
        assert.deepEqual(find({ ...archiveAt(endpoint), ...at(second) }), says("2 at AWS"), second);
  });
  it("counts no target that names no bucket, or no address", () => {
    const says = (annotations: Record<string, string> | undefined) =>
      find(secret(({ metadata }) => Object.assign(metadata, { annotations })));
    const endpoint = { "pgplatform.io/store-endpoint": b2 };
    const bucket = { "pgplatform.io/store-bucket": "orders-copies" };
    assert.deepEqual(says({ ...endpoint, ...bucket }), []);
    for (const annotations of [
      undefined,
      endpoint,
      { ...endpoint, "pgplatform.io/store-bucket": "" },
      { ...bucket, "pgplatform.io/store-endpoint": "s3.eu-central-1.amazonaws.com" },
    ])
      assert.match(says(annotations).join(), /: "one" is not allowed/);
  });
  it("knows Google and Azure by the place itself", () => {
    const archiveIn = (destinationPath: string, endpointURL?: string) => ({
      archive: mutated("archive", {
        "spec.configuration.destinationPath": destinationPath,
        "spec.configuration.endpointURL": endpointURL,
      }),
    });
    const google = "https://storage.googleapis.com";
    const azure = "https://other.blob.core.windows.net";
    for (const [destination, second, expected] of [
      ["gs://orders/live", google, says("2 at googleapis.com")],
      ["https://orders.blob.core.windows.net/live", azure, says("2 at windows.net")],
      ["gs://orders/live", "https://s3.eu-west-1.amazonaws.com", []],
      ["https://orders.blob.core.windows.net/live", "https://s3.eu-west-1.amazonaws.com", []],
      ["gs://orders/live", azure, []],
    ] as const)
      assert.deepEqual(find({ ...archiveIn(destination), ...at(second) }), expected, destination);
  });
  it("refuses one key for both", () => {
    const keys = (name: string) => ({
      archive: mutated("archive", {
        "spec.configuration.s3Credentials": {
          accessKeyId: { name, key: "id" },
          secretAccessKey: { name, key: "key" },
        },
      }),
    });
    assert.deepEqual(find(keys("orders-b2")), says("two with one key"));
    assert.deepEqual(find(keys("orders-r2")), []);
    // The object of the archive's own key may be labelled as a target, too.
    const own = {
      ...good("second-target"),
      metadata: {
        ...good("second-target").metadata,
        name: "orders-r2",
        annotations: { "pgplatform.io/store-endpoint": r2, "pgplatform.io/store-bucket": "orders-backups" },
      },
    };
    assert.deepEqual(find({ own }), []);
  });
});

describe("the invariant one-archive", () => {
  const find = (changes: Record<string, KubernetesObject | undefined>) =>
    violationsInStack("one-archive", goodStack(changes));
  it("has nothing to say about one archiver, and base backups that name its store or none", () => {
    assert.deepEqual(find({}), []);
    const named = { "spec.pluginConfiguration.parameters": { barmanObjectName: "orders-archive" } };
    assert.deepEqual(find({ "base-backups": mutated("base-backups", named) }), []);
    const off = [...archivers("orders-archive"), { ...archivers("other")[0], enabled: false }];
    assert.deepEqual(find(cluster({ "spec.plugins": off })), []);
  });
  it("refuses two archivers", () => {
    const says = [
      "Cluster shop/orders: archivers: 2 is not allowed. Allowed: 1, since one of them gets the WAL and the other nothing. Fix: keep one, and copy from its store.",
    ];
    assert.deepEqual(find(cluster({ "spec.plugins": archivers("orders-archive", "other") })), says);
    assert.deepEqual(find(cluster({ "spec.backup": { barmanObjectStore: {} } })), says);
  });
  it("refuses base backups to another store", () => {
    const other = { "spec.pluginConfiguration.parameters": { barmanObjectName: "other" } };
    assert.deepEqual(find({ "base-backups": mutated("base-backups", other) }), [
      "ScheduledBackup shop/orders: store: \"other\" is not allowed. Allowed: orders-archive, the archive's, since base backups without their WAL are no second target. Fix: leave it out, and copy from the archive's store.",
    ]);
  });
});

describe("the invariant archive-of-its-own", () => {
  const second = (change: Record<string, unknown>) => ({
    second: mutated("cluster", { "metadata.name": "second", ...change }),
  });
  const find = (changes: Record<string, KubernetesObject | undefined>) =>
    violationsInStack("archive-of-its-own", goodStack(changes));
  const parameters = (serverName: string | undefined, barmanObjectName = "orders-archive") => ({
    "spec.plugins": [{ name: plugin, isWALArchiver: true, parameters: { barmanObjectName, serverName } }],
  });

  it("has nothing to say about other names in one store, and about one name in other stores", () => {
    assert.deepEqual(find(second(parameters("second"))), []);
    assert.deepEqual(find(second(parameters(undefined))), []);
    const elsewhere = mutated("archive", {
      "metadata.name": "elsewhere",
      "spec.configuration.destinationPath": "s3://orders-backups/other",
    });
    assert.deepEqual(find({ ...second(parameters("orders-2", "elsewhere")), elsewhere }), []);
    const abroad = mutated("archive", {
      "metadata.name": "abroad",
      "spec.configuration.endpointURL": b2,
    });
    assert.deepEqual(find({ ...second(parameters("orders-2", "abroad")), abroad }), []);
  });
  it("refuses one name in one place, by whichever object the place is named", () => {
    const copy = mutated("archive", {
      "metadata.name": "copy",
      "spec.configuration.destinationPath": "s3://orders-backups/live/",
    });
    const slash = mutated("archive", {
      "metadata.name": "slash",
      "spec.configuration.endpointURL": `${r2.replace("https", "HTTPS")}/`,
    });
    for (const found of [
      find(second(parameters("orders-2"))),
      find({ ...second(parameters("orders-2", "copy")), copy }),
      find({ ...second(parameters("orders-2", "slash")), slash }),
    ]) {
      assert.equal(found.length, 1);
      assert.match(found[0]!, /^Cluster shop\/second: archive: "https:/);
      assert.match(found[0]!, /Allowed: another place or name than that of the cluster shop\/orders/);
    }
  });
  it("refuses one name in one object of another stack", () => {
    const elsewhere = (change: Record<string, unknown>) => find({ archive: undefined, ...second(change) });
    assert.deepEqual(elsewhere(parameters("orders-2")), [
      'Cluster shop/second: archive: "ObjectStore shop/orders-archive/orders-2" is not allowed. Allowed: another place or name than that of the cluster shop/orders. Fix: give it a prefix or a name of its own.',
    ]);
    assert.deepEqual(elsewhere(parameters("second")), []);
    assert.deepEqual(elsewhere(parameters("orders-2", "other")), []);
    assert.deepEqual(elsewhere({ ...parameters("orders-2"), "metadata.namespace": "web" }), []);
  });
  it("reads no name, which a preview may not know, where the places differ", () => {
    const unknown = good("cluster");
    const [archiver] = (unknown.spec as { plugins: { parameters: object }[] }).plugins;
    Object.defineProperty(archiver!.parameters, "serverName", {
      enumerable: true,
      get() {
        throw new Error("not known");
      },
    });
    assert.deepEqual(find({ cluster: unknown }), []);
    const { said, later } = judgedStack(
      "archive-of-its-own",
      goodStack({ cluster: unknown, ...second(parameters("x")) }),
    );
    assert.deepEqual(said, []);
    assert.match(later.join(), /serverName is known only when the update makes it/);
  });
});

describe("the invariant current-archiver", () => {
  const old = mutated("cluster", inTree);
  it("refuses what the next version of the operator no longer has", () =>
    assert.deepEqual(violationsOf("current-archiver", old), [
      `Cluster shop/orders: archiver: "spec.backup.barmanObjectStore" is not allowed. Allowed: the plugin ${plugin} with an ObjectStore: CloudNativePG 1.31 removed the other. Fix: move the archive.`,
    ]));
  it("allows the plugin, and the old way by option", () => {
    assert.deepEqual(violationsOf("current-archiver", good("cluster")), []);
    assert.deepEqual(violationsOf("current-archiver", old, { allowed: true }), []);
  });
});

describe("the invariants about stores", () => {
  const endpoint = "spec.configuration.endpointURL";
  const environment = "spec.instanceSidecarConfiguration.env";
  const pair = ["AWS_REQUEST_CHECKSUM_CALCULATION", "AWS_RESPONSE_CHECKSUM_VALIDATION"];
  const says = (title: string, url: string) => [
    `${title}: checksums: "sent always" is not allowed. Allowed: when_required in both directions at ${url}, which is not AWS. Fix: set AWS_REQUEST_CHECKSUM_CALCULATION and AWS_RESPONSE_CHECKSUM_VALIDATION.`,
  ];

  it("have nothing to say about the good store, and about AWS with whatever checksums", () => {
    assert.deepEqual(violationsOf("plain-checksums", good("archive")), []);
    for (const url of [undefined, "", "https://s3.eu-west-1.amazonaws.com"])
      assert.deepEqual(
        violationsOf("plain-checksums", mutated("archive", { [endpoint]: url, [environment]: undefined })),
        [],
      );
  });
  it("refuse one variable of the pair alone, none, and another value", () => {
    const when = (name: string) => ({ name, value: "when_required" });
    for (const list of [
      undefined,
      [when(pair[0]!)],
      [when(pair[1]!)],
      [when(pair[0]!), { name: pair[1], value: "when_supported" }],
    ])
      assert.deepEqual(
        violationsOf("plain-checksums", mutated("archive", { [environment]: list })),
        says("ObjectStore shop/orders-archive", r2),
      );
    const disguised = "https://amazonaws.com.example.net";
    assert.deepEqual(
      violationsOf(
        "plain-checksums",
        mutated("archive", { [endpoint]: disguised, [environment]: undefined }),
      ),
      says("ObjectStore shop/orders-archive", disguised),
    );
  });
  it("read the store that a Cluster itself names", () => {
    const own = (env: unknown) =>
      mutated("cluster", {
        "spec.plugins": undefined,
        "spec.backup.barmanObjectStore": { destinationPath: "s3://a/b", endpointURL: b2 },
        "spec.env": env,
      });
    assert.deepEqual(violationsOf("plain-checksums", own(undefined)), says("Cluster shop/orders", b2));
    const both = pair.map((name) => ({ name, value: "when_required" }));
    assert.deepEqual(violationsOf("plain-checksums", own(both)), []);
  });
  it("refuse encryption that R2 is asked for, and allow it elsewhere", () => {
    for (const part of ["data", "wal"]) {
      const asked = { [`spec.configuration.${part}`]: { encryption: "AES256" } };
      assert.deepEqual(violationsOf("no-encryption-header-at-r2", mutated("archive", asked)), [
        'ObjectStore shop/orders-archive: encryption: "AES256" is not allowed. Allowed: none at R2, which refuses the header and encrypts by itself. Fix: remove it.',
      ]);
      assert.deepEqual(
        violationsOf("no-encryption-header-at-r2", mutated("archive", { ...asked, [endpoint]: b2 })),
        [],
      );
    }
    assert.deepEqual(violationsOf("no-encryption-header-at-r2", good("archive")), []);
  });
});

describe("the invariant no-plain-credentials", () => {
  it("finds a store's key in the environment of the archiver, and allows one that refers to a Secret", () => {
    const environment = (variable: object) =>
      violationsOf(
        "no-plain-credentials",
        mutated("archive", { "spec.instanceSidecarConfiguration.env": [variable] }),
      );
    const name = "AWS_SECRET_ACCESS_KEY";
    assert.equal(environment({ name, value: "hunter2hunter2" }).length, 1);
    assert.deepEqual(environment({ name, valueFrom: { secretKeyRef: { name: "x", key: "y" } } }), []);
  });
});

describe("the names of a plugin's certificates", () => {
  it("are no secrets, though their annotations end like ones that are", () => {
    const annotated = (key: string) =>
      violationsOf(
        "no-plain-credentials",
        mutated("archive", { "metadata.annotations": { [key]: "hunter2" } }),
      ).length;
    assert.deepEqual(
      ["cnpg.io/pluginClientSecret", "cnpg.io/pluginServerSecret", "example.com/pluginClientSecret"].map(
        annotated,
      ),
      [0, 0, 1],
    );
  });
});

describe("the invariant wal-volume", () => {
  const rateKey = "pgplatform.io/write-mib-per-second";
  const hoursKey = "pgplatform.io/tolerated-outage-hours";
  const claim = (rate: string, hours: string) => ({
    "metadata.annotations": { [rateKey]: rate, [hoursKey]: hours },
  });
  const find = (change: Record<string, unknown>) => violationsOf("wal-volume", mutated("cluster", change));
  const size = (text: string) => ({ "spec.walStorage": { size: text } });
  it("has nothing to say without a claim, and where the volume holds what is claimed", () => {
    assert.deepEqual(find(size("1Gi")), []);
    assert.deepEqual(find({ ...claim("2", "12"), ...size("85Gi") }), []);
    assert.deepEqual(find({ ...claim("0.5", "1e1"), ...size("18Gi") }), []);
  });
  it("refuses half of a claim, and one that is no amount", () => {
    const says = (key: string, value: string, other: string) => [
      `Cluster shop/orders: ${key}: ${value}. Allowed: a number above 0, beside one in ${other}. Fix: write it, or remove both.`,
    ];
    const half = (key: string) => find({ "metadata.annotations": { [key]: "9" }, ...size("999Gi") });
    assert.deepEqual(half(rateKey), says(hoursKey, "not set", rateKey));
    assert.deepEqual(half(hoursKey), says(rateKey, "not set", hoursKey));
    for (const odd of ["24h", "-5", "0", "", "Infinity"]) {
      const wrong = `${JSON.stringify(odd)} is not allowed`;
      assert.deepEqual(find({ ...claim("2", odd), ...size("999Gi") }), says(hoursKey, wrong, rateKey));
      assert.deepEqual(find({ ...claim(odd, "12"), ...size("999Gi") }), says(rateKey, wrong, hoursKey));
    }
  });
  it("refuses a volume that is too small, and none", () => {
    const says = (value: string) => [
      `Cluster shop/orders: WAL volume: ${value}. Allowed: at least 85Gi: 2 MiB a second for 12 h without the store. Fix: raise it, or claim less.`,
    ];
    assert.deepEqual(find({ ...claim("2", "12"), ...size("84Gi") }), says('"84Gi" is not allowed'));
    assert.deepEqual(find(claim("2", "12")), says("not set"));
  });
});

describe("the invariant weekly-verification", () => {
  const find = (change: Record<string, unknown> | undefined, options?: object) =>
    violationsInStack(
      "weekly-verification",
      goodStack({ verification: change === undefined ? undefined : mutated("verification", change) }),
      options,
    );
  const says = (value: string, days = 7) => [
    `Cluster shop/orders: verification of backups: "${value}" is not allowed. Allowed: one at least every ${days} days, since only a restore proves a backup. Fix: schedule one.`,
  ];
  it("has nothing to say about weekly and more often, and about a cluster without an archive", () => {
    assert.deepEqual(find({}), []);
    assert.deepEqual(find({ "spec.schedule": "@daily" }), []);
    assert.deepEqual(
      violationsInStack(
        "weekly-verification",
        goodStack({ ...cluster({ "spec.plugins": [] }), verification: undefined }),
      ),
      [],
    );
  });
  it("refuses none, one that is suspended, and one of another cluster, namespace or role", () => {
    assert.deepEqual(find(undefined), says("none"));
    for (const change of [
      { "spec.suspend": true },
      { "metadata.namespace": "other" },
      { "metadata.labels": { "pgplatform.io/cluster": "other", "pgplatform.io/role": "verification" } },
      { "metadata.labels": { "pgplatform.io/cluster": "orders", "pgplatform.io/role": "copy" } },
    ])
      assert.deepEqual(find(change), says("none"));
  });
  it("refuses what fires less often, and what never does", () => {
    for (const schedule of ["0 5 1 * *", "0 5 * * 0 extra words here"])
      assert.deepEqual(find({ "spec.schedule": schedule }), says(schedule));
    assert.deepEqual(find({ "spec.schedule": "0 5 1 * *" }, { most: 31 }), []);
    assert.deepEqual(find({}, { most: 1 }), says("0 5 * * 0", 1));
  });
});
