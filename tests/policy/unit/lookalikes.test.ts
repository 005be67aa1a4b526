import assert from "node:assert/strict";
import type { KubernetesObject } from "../../../plan/objects";
import { isAws, isR2 } from "../../../policy/backups";
import type { CloudResource } from "../../../policy/buckets";
import { referenceOf } from "../../../policy/invariants/images";
import { valuesOf } from "../../../policy/invariants";
import { containersOf, isEmpty, titleOf } from "../../../policy/kubernetes";
import {
  closesAll,
  isNetworkPolicy,
  type NetworkPolicy,
  opens,
  reaches,
} from "../../../policy/networkPolicies";
import { objectOf } from "../../../policy/objects";
import { policiesOf } from "../../../policy/policies";
import { stackFacts } from "../../../policy/stackFacts";
import { sentence } from "../../../settings/problem";
import { violationsOf, violationsInStack, good, goodStack, mutated, named } from "./kit";

/** What only looks like what a policy asks for, and fields that an object may leave out. */

const unknown = (key: string, record: object = {}): object =>
  Object.defineProperty(record, key, {
    enumerable: true,
    get() {
      throw new Error(`${key} is not known`);
    },
  });

describe("network policies", () => {
  const policy = (spec: NetworkPolicy["spec"], more: object = {}): NetworkPolicy => ({
    apiVersion: "networking.k8s.io/v1",
    kind: "NetworkPolicy",
    metadata: { name: "x", namespace: "shop" },
    ...(spec && { spec }),
    ...more,
  });

  it("are Kubernetes' own", () => {
    const own = policy({});
    const others = [policy({}, { kind: "Ingress" }), policy({}, { apiVersion: "crd.projectcalico.org/v1" })];
    assert.deepEqual([...others, own].filter(isNetworkPolicy), [own]);
  });

  const deniesAll = (...policies: NetworkPolicy[]) =>
    closesAll(policies, "shop", "Ingress") && closesAll(policies, "shop", "Egress");
  it("close a namespace only when they are for every pod, one for both directions or one for each", () => {
    const both = ["Ingress", "Egress"];
    assert.ok(deniesAll(policy({ policyTypes: both })));
    assert.ok(!deniesAll(policy({ policyTypes: both }, { metadata: { name: "x", namespace: "web" } })));
    assert.ok(!deniesAll(policy(undefined)));
    for (const spec of [
      { policyTypes: ["Egress"] },
      { policyTypes: ["Ingress"] },
      { policyTypes: both, podSelector: { matchLabels: { app: "x" } } },
      { policyTypes: both, podSelector: { matchExpressions: [{ key: "app", operator: "Exists" }] } },
    ])
      assert.ok(!deniesAll(policy(spec)), JSON.stringify(spec));
    assert.ok(deniesAll(policy({ policyTypes: ["Egress"] }), policy({ policyTypes: ["Ingress"] })));
  });

  const pod = { namespace: "shop", labels: { app: "db" } };
  const web = { namespace: "web", labels: { app: "web" } };
  const near = { namespace: "shop", labels: { app: "web" } };
  const passes = (
    policies: NetworkPolicy[],
    direction: "ingress" | "egress",
    other: typeof web,
    port: number,
  ) =>
    opens(policies, {
      direction,
      pod,
      ports: [port],
      isRight: (peer) => reaches(peer, other, pod.namespace),
    });
  const lets = (rule: object, other = web, port = 5432) => [
    passes([policy({ ingress: [rule] })], "ingress", other, port),
    passes([policy({ egress: [rule] })], "egress", other, port),
  ];
  const peer = (selector: object) => ({ from: [selector], to: [selector] });

  it("let nothing through that no policy opens", () => {
    assert.ok(!passes([], "ingress", web, 5432));
    assert.ok(!passes([policy(undefined)], "egress", web, 5432));
  });
  it("let everybody through, by every port, where they name none", () => {
    assert.deepEqual(lets({}), [true, true]);
    assert.deepEqual(lets({ from: [], to: [], ports: [] }), [true, true]);
    assert.deepEqual(lets({ ports: [{ protocol: "TCP" }] }), [true, true]);
  });
  it("let only listed peers through, the namespace's own where they name no other", () => {
    const labels = { podSelector: { matchLabels: { app: "web" } } };
    assert.deepEqual(lets(peer(labels), near), [true, true]);
    assert.deepEqual(lets(peer(labels), web), [false, false]);
    assert.deepEqual(lets(peer({ namespaceSelector: {} }), web), [true, true]);
    assert.deepEqual(lets({ from: [labels] }, near), [true, true]);
    assert.deepEqual(lets({ to: [{ podSelector: { matchLabels: { app: "x" } } }] }, near), [true, false]);
  });
  it("let listed ports through, and ranges with both of their ends", () => {
    for (const [port, passes] of [
      [6999, false],
      [7000, true],
      [7002, true],
      [7003, false],
    ] as const)
      assert.deepEqual(lets({ ports: [{ port: 7000, endPort: 7002 }] }, web, port), [passes, passes]);
    assert.deepEqual(lets({ ports: [{ port: 5432 }] }, web, 5433), [false, false]);
  });
  it("of the default namespace are told by that", () =>
    assert.deepEqual(
      violationsInStack("closed-network", [
        { ...mutated("cluster", {}), metadata: { name: "orders" } },
        { ...mutated("deny-all", {}), metadata: { name: "open" }, spec: { ingress: [{}] } },
      ]).map((text) => text.split(": ").slice(0, 2).join(": ")),
      [
        "Namespace default: network",
        "NetworkPolicy default/open: ingress[0] peers",
        "NetworkPolicy default/open: ingress[0] ports",
      ],
    ));
  it("of one namespace say nothing for a cluster of another", () => {
    const away = mutated("cluster", { "metadata.namespace": "away", "metadata.name": "second" });
    assert.deepEqual(violationsInStack("closed-network", goodStack({ away })), [
      'Namespace away: network: "open" is not allowed. Allowed: a NetworkPolicy that denies everything, and others that open listed flows. Fix: add them to the stack.',
    ]);
  });
});

describe("objects as policies read them", () => {
  it("are called by kind, namespace and name, as far as these are known", () => {
    const object = (metadata: object) =>
      ({ apiVersion: "v1", kind: "ConfigMap", metadata }) as KubernetesObject;
    assert.equal(titleOf(object({ name: "x", namespace: "shop" })), "ConfigMap shop/x");
    assert.equal(titleOf(object({ name: "x" })), "ConfigMap x");
    assert.equal(
      titleOf(object(unknown("namespace", { name: "x" }))),
      "ConfigMap x (namespace not known yet)",
    );
  });
  it("have containers in a Pod's own spec, and none where there is no pod", () => {
    const pod = (kind: string, spec: object) =>
      containersOf({ apiVersion: "v1", kind, metadata: { name: "x" }, spec }).map(
        ({ path, name, image, resources }) => ({ path, name, image, resources }),
      );
    assert.deepEqual(pod("Pod", { containers: [{ name: "a", image: "b" }, {}] }), [
      { path: "containers[0]", name: "a", image: "b", resources: {} },
      { path: "containers[1]", name: "", image: "", resources: {} },
    ]);
    for (const spec of [{}, { containers: [{}] }, { jobTemplate: {} }, { jobTemplate: { spec: {} } }])
      assert.deepEqual(pod("CronJob", spec), []);
  });
  it("select everything only without any condition", () => {
    assert.ok(isEmpty({}) && isEmpty({ matchLabels: {}, matchExpressions: [] }));
    assert.ok(!isEmpty({ matchLabels: { app: "x" } }));
    assert.ok(!isEmpty({ matchExpressions: [{ key: "app", operator: "Exists" }] }));
  });
  it("are none without a kind or a version of their API", () => {
    const of = (props: Record<string, unknown>) => objectOf("kubernetes:core/v1:ConfigMap", "x", props);
    assert.equal(of({ kind: "ConfigMap" }), undefined);
    assert.equal(of({ apiVersion: "v1" }), undefined);
    const metadata = unknown("name");
    assert.deepEqual(Object.entries(of({ kind: "ConfigMap", apiVersion: "v1", metadata })?.metadata ?? {}), [
      ["name", "x"],
    ]);
  });
});

describe("images", () => {
  it("are of Docker's registry unless their first part is a host", () => {
    for (const [image, repository] of [
      ["postgres:17", "docker.io/library/postgres"],
      ["localhost/app:1", "localhost/app"],
      ["localhosts/app:1", "docker.io/localhosts/app"],
      ["mylocalhost/app:1", "docker.io/mylocalhost/app"],
      ["registry:5000/app:1", "registry:5000/app"],
    ] as const)
      assert.equal(referenceOf(image).repository, repository);
    assert.deepEqual(referenceOf("ghcr.io/a/b"), { repository: "ghcr.io/a/b" });
    assert.deepEqual(referenceOf("ghcr.io/a/b:1"), { repository: "ghcr.io/a/b", tag: "1" });
    const digest = `sha256:${"0".repeat(64)}`;
    assert.deepEqual(referenceOf(`ghcr.io/a/b@${digest}`), { repository: "ghcr.io/a/b", digest });
  });
});

describe("stores", () => {
  it("are AWS's and R2's by the end of their host's name", () => {
    for (const host of [undefined, "https://amazonaws.com", "https://s3.cn-north-1.amazonaws.com.cn"])
      assert.ok(isAws(host), host);
    for (const host of ["https://notamazonaws.com", "https://amazonaws.com.example.net"])
      assert.ok(!isAws(host), host);
    assert.ok(isR2("https://x.r2.cloudflarestorage.com"));
    for (const host of [undefined, "https://x.r2.cloudflarestorage.com.example.net"]) assert.ok(!isR2(host));
  });
  it("of one name in two namespaces are two", () => {
    const elsewhere = mutated("archive", {
      "metadata.namespace": "web",
      "spec.configuration.destinationPath": "s3://web-backups/live",
    });
    const second = mutated("cluster", { "metadata.namespace": "web" });
    const plain = (objects: Record<string, KubernetesObject>) =>
      violationsInStack("archive-of-its-own", Object.values({ ...objects }));
    assert.deepEqual(plain({ elsewhere, archive: good("archive"), cluster: good("cluster"), second }), []);
  });
  it("at AWS are told without an endpoint when two clusters share one", () => {
    const archive = mutated("archive", { "spec.configuration.endpointURL": undefined });
    const second = mutated("cluster", { "metadata.name": "second" });
    assert.deepEqual(violationsInStack("archive-of-its-own", goodStack({ archive, second })), [
      'Cluster shop/second: archive: "s3://orders-backups/live/orders-2" is not allowed. Allowed: another place or name than that of the cluster shop/orders. Fix: give it a prefix or a name of its own.',
    ]);
  });
  it("of another cluster or namespace may be where its own base backups go", () => {
    const other = { "spec.pluginConfiguration.parameters": { barmanObjectName: "other" } };
    for (const change of [{ "spec.cluster.name": "second" }, { "metadata.namespace": "web" }])
      assert.deepEqual(
        violationsInStack(
          "one-archive",
          goodStack({ more: mutated("base-backups", { ...other, ...change }) }),
        ),
        [],
      );
  });
  it("of base backups are one too many where nothing is archived", () => {
    const other = { "spec.pluginConfiguration.parameters": { barmanObjectName: "other" } };
    const cluster = mutated("cluster", { "spec.plugins": undefined });
    assert.deepEqual(
      violationsInStack(
        "one-archive",
        goodStack({ cluster, "base-backups": mutated("base-backups", other) }),
      ),
      [
        "ScheduledBackup shop/orders: store: \"other\" is not allowed. Allowed: none, the archive's, since base backups without their WAL are no second target. Fix: leave it out, and copy from the archive's store.",
      ],
    );
  });
});

describe("verifications", () => {
  it("are CronJobs, whatever else has their labels", () => {
    for (const change of [
      { kind: "Job" },
      { apiVersion: "example.com/v1" },
      { "metadata.labels": undefined },
    ])
      assert.deepEqual(
        violationsInStack(
          "weekly-verification",
          goodStack({ verification: mutated("verification", change) }),
        ),
        [
          'Cluster shop/orders: verification of backups: "none" is not allowed. Allowed: one at least every 7 days, since only a restore proves a backup. Fix: schedule one.',
        ],
      );
  });
  it("without a schedule never come", () => {
    for (const change of [{ "spec.schedule": undefined }, { spec: undefined }])
      assert.match(
        violationsInStack(
          "weekly-verification",
          goodStack({ verification: mutated("verification", change) }),
        ).join(),
        /^Cluster shop\/orders: verification of backups: "" is not allowed. Allowed: one/,
      );
  });
});

describe("buckets", () => {
  const live = "orders-backups";
  const copies = "orders-copies";
  const resource = (
    type: string,
    name: string,
    props: Record<string, unknown>,
    more: Partial<CloudResource> = {},
  ): CloudResource => ({ type, name, props, protect: true, ...more });
  const r2 = resource("cloudflare:index/r2Bucket:R2Bucket", "live", { name: live });
  const aws = (bucket: string, more: Partial<CloudResource> = {}) =>
    resource("aws:s3/bucket:Bucket", "bucket", { bucket }, more);
  const r2Lock = (prefix: string, days: number | undefined) =>
    resource("cloudflare:index/r2BucketLock:R2BucketLock", "lock", {
      bucketName: live,
      rules: [{ enabled: true, prefix, condition: { maxAgeSeconds: days && days * 86_400 } }],
    });
  const awsLock = (bucket: string, defaultRetention: object | undefined, more: Partial<CloudResource> = {}) =>
    resource(
      "aws:s3/bucketObjectLockConfiguration:BucketObjectLockConfiguration",
      "lock",
      { bucket, rule: { defaultRetention } },
      more,
    );
  const find = (policy: string, clouds: CloudResource[], objects = goodStack()): string[] => {
    const invariant = named(policy);
    if (invariant.on !== "stack") throw new Error(`${policy} is about single objects`);
    return invariant.check(stackFacts(objects, clouds), valuesOf(invariant)).map(sentence);
  };
  const archive = (change: Record<string, unknown>) => goodStack({ archive: mutated("archive", change) });
  const refusedAt = (on: string, value: string, where: string) => [
    `Bucket live: lock on ${on} in ${live}: "${value}" is not allowed. Allowed: none on ${where}, where a cluster archives. Fix: lock the copy in another bucket or under another prefix.`,
  ];
  const window = (
    name: string,
    bucket: string,
    days: string | undefined,
    kind = "Secret",
  ): KubernetesObject => ({
    apiVersion: "v1",
    kind,
    metadata: {
      name,
      namespace: "shop",
      annotations: {
        "pgplatform.io/store-bucket": bucket,
        ...(days !== undefined && { "pgplatform.io/recovery-window-days": days }),
      },
    },
  });

  it("are locked for ever, or above where a cluster archives", () => {
    assert.deepEqual(find("bucket-locks", [r2, r2Lock("li", 1)]), refusedAt("li", "1 days", "live"));
    assert.deepEqual(
      find("bucket-locks", [r2, r2Lock("live", undefined)]),
      refusedAt("live", "for ever", "live"),
    );
    const whole = archive({ "spec.configuration.destinationPath": "s3://orders-backups" });
    assert.deepEqual(
      find("bucket-locks", [r2, r2Lock("copies/", 1)], whole),
      refusedAt("copies/", "1 days", ""),
    );
  });
  it("that nothing says how long they are kept for may be locked, but not for ever", () => {
    const silent = archive({ "spec.retentionPolicy": undefined });
    assert.deepEqual(find("bucket-locks", [r2, r2Lock("copies/", 999)], silent), []);
    assert.deepEqual(find("bucket-locks", [r2, r2Lock("copies/", undefined)], silent), [
      'Bucket live: lock on copies/ in orders-backups: "for ever" is not allowed. Allowed: at most as long as backups are kept. Fix: shorten it.',
    ]);
  });
  it("are kept for as long as the longest of those that put backups there says, and of no other", () => {
    const objects = (...more: KubernetesObject[]) => [...goodStack(), ...more];
    const says = (days: number) => [
      `Bucket bucket: lock on everything in orders-copies: "365 days" is not allowed. Allowed: at most ${days} days, as long as backups are kept. Fix: shorten it.`,
    ];
    const clouds = [aws(copies), awsLock(copies, { years: 1 })];
    const long = window("a", copies, "300");
    const short = window("b", copies, "30", "ConfigMap");
    assert.deepEqual(find("bucket-locks", clouds, objects(long, short)), says(300));
    assert.deepEqual(find("bucket-locks", clouds, objects(short, long)), says(300));
    assert.deepEqual(find("bucket-locks", clouds, objects(short)), says(30));
    assert.deepEqual(find("bucket-locks", clouds, objects(short, window("c", "another", "300"))), says(30));
    assert.deepEqual(
      find("bucket-locks", clouds, objects(short, window("d", copies, "300", "Service"))),
      says(30),
    );
    assert.deepEqual(find("bucket-locks", clouds, objects(short, window("e", copies, undefined))), says(30));
  });
  it("count when a Secret or a ConfigMap names them, and not because anything else does", () => {
    const open = (objects: KubernetesObject[]) => find("private-buckets", [aws("more")], objects).length;
    assert.equal(open(goodStack()), 0);
    for (const kind of ["Secret", "ConfigMap"]) assert.equal(open([window("x", "more", undefined, kind)]), 1);
    assert.equal(open([window("x", "more", undefined, "Service")]), 0);
  });
  it("at AWS without a retention lock nothing, where a cluster archives too", () => {
    const there = archive({ "spec.configuration.destinationPath": `s3://${live}/live` });
    assert.deepEqual(find("bucket-locks", [aws(live), awsLock(live, undefined)], there), []);
    assert.equal(find("bucket-locks", [aws(live), awsLock(live, { days: 1 })], there).length, 1);
  });
  it("at AWS are locked by any of its resources, or by themselves", () => {
    const there = archive({ "spec.configuration.destinationPath": `s3://${live}/live` });
    const days = { days: 3650 };
    const inV2 = { rules: [{ defaultRetentions: [days] }] };
    const bucket = (type: string, objectLockConfiguration: object) =>
      resource(`aws:s3/${type[0]!.toLowerCase()}${type.slice(1)}:${type}`, "bucket", {
        bucket: live,
        objectLockConfiguration,
      });
    for (const clouds of [
      [
        aws(live),
        resource("aws:s3/bucketObjectLockConfigurationV2:BucketObjectLockConfigurationV2", "lock", {
          bucket: live,
          rule: { defaultRetention: days },
        }),
      ],
      [bucket("Bucket", { rule: { defaultRetention: days } })],
      [bucket("BucketV2", inV2)],
    ])
      assert.equal(find("bucket-locks", clouds, there).length, 1, clouds.map(({ type }) => type).join());
    for (const clouds of [[bucket("Bucket", { objectLockEnabled: "Enabled" })], [bucket("BucketV2", {})]])
      assert.deepEqual(find("bucket-locks", clouds, there), []);
  });
  it("of one name at two stores have each their own resources", () => {
    const b2 = { endpoint: "https://s3.eu-central-003.backblazeb2.com" };
    const acl = resource("aws:s3/bucketAcl:BucketAcl", "acl", { bucket: copies, acl: "public-read" }, b2);
    const block = resource("aws:s3/bucketPublicAccessBlock:BucketPublicAccessBlock", "block", {
      bucket: copies,
      blockPublicAcls: true,
      blockPublicPolicy: true,
      ignorePublicAcls: true,
      restrictPublicBuckets: true,
    });
    const says = (name: string) => [
      `Bucket ${name}: access to orders-copies: "the ACL public-read" is not allowed. Allowed: the platform's only. Fix: close it.`,
    ];
    assert.deepEqual(
      find("private-buckets", [aws(copies), block, aws(copies, { ...b2, name: "abroad" }), acl]),
      says("abroad"),
    );
    const foreign = resource("cloudflare:index/r2BucketAcl:BucketAcl", "acl", {
      bucket: copies,
      acl: "public",
    });
    assert.deepEqual(find("private-buckets", [aws(copies), block, foreign]), []);
  });
});

describe("secrets in plain sight", () => {
  const find = (data: unknown, more: object = {}) =>
    violationsOf("no-plain-credentials", {
      apiVersion: "v1",
      kind: "ConfigMap",
      metadata: { name: "settings", namespace: "shop" },
      data,
      ...more,
    }).length;
  const command = (...args: unknown[]) => find({ args });

  it("are told by their key, whatever stands before, behind and between its words", () => {
    for (const key of ["db_password_", "__password", "aws__secret--accessKey", "DB PASSWORD"])
      assert.equal(find({ [key]: "hunter" }), 1, key);
  });
  it("are more than what only begins or ends like a reference, a switch or a number", () => {
    for (const password of [
      "hunter/2",
      "hunter$",
      "hunter%2",
      "hunter<",
      "none-of-yours",
      "42hunter",
      "true love",
    ])
      assert.equal(find({ password }), 1, password);
    for (const password of ["none", "FALSE", "3600", "%(ENV)s", "<set me>", "{{ x }}", "$X"])
      assert.equal(find({ password }), 0, password);
  });
  it("are the lines of a user list, wherever they are, and no comment there", () => {
    for (const text of ['"app" "hunter"', '; users\n"app"   "hunter"'])
      assert.equal(find({ "pool-userlist.txt": text }), 1, text);
    for (const text of ['; "app" "hunter"', '"app"']) assert.equal(find({ "userlist.txt": text }), 0, text);
  });
  it("are the argument behind an option, and behind that one alone", () => {
    for (const option of ["--password", "-password", "--Token", "--passwd"])
      assert.equal(command("$(HOST)", option, "hunter"), 1, option);
    assert.equal(command("connect", "--password", "$(PASSWORD)"), 0);
    assert.equal(command("connect", "--password", "-v"), 0);
    assert.equal(command("connect", "--password"), 0);
    for (const option of ["--password-file", "--no-password", "password"])
      assert.equal(command(option, "hunter"), 0, option);
  });
  it("are found beside what isn't known yet", () => {
    const known = unknown("later", { env: [{ name: "PASSWORD", value: "hunter" }] });
    assert.equal(find(known), 1);
    assert.equal(find({ env: [unknown("name", { value: "x" })] }), 0);
  });
  it("are left out by their path, in the default namespace too", () => {
    const ignored = { ignored: ["ConfigMap default/settings: data.apiToken"] };
    const object = {
      apiVersion: "v1",
      kind: "ConfigMap",
      metadata: { name: "settings" },
      data: { apiToken: "public" },
    };
    assert.deepEqual(violationsOf("no-plain-credentials", object, ignored), []);
    assert.equal(violationsOf("no-plain-credentials", object).length, 1);
    // Where the namespace isn't known yet, whichever it is.
    const later = (name: string) => ({
      ...object,
      metadata: unknown("namespace", { name }) as typeof object.metadata,
    });
    const elsewhere = { ignored: ["ConfigMap shop/settings: data.apiToken"] };
    assert.deepEqual(violationsOf("no-plain-credentials", later("settings"), elsewhere), []);
    assert.equal(violationsOf("no-plain-credentials", later("others"), elsewhere).length, 1);
    assert.equal(violationsOf("no-plain-credentials", object, elsewhere).length, 1);
  });
});

describe("lines of pg_hba.conf", () => {
  const find = (...rules: string[]) =>
    violationsOf("encrypted-logins", mutated("cluster", { "spec.postgresql.pg_hba": rules })).length;
  const end = ["hostssl all all all scram-sha-256", "hostnossl all all all reject"];
  it("may be written with any blanks", () =>
    assert.equal(find("  hostssl\tall   all  10.0.0.0  255.0.0.0   scram-sha-256 ", ...end), 0));
  it("take logins without TLS by each type but hostssl, until those are rejected", () => {
    for (const type of ["host", "hostnossl", "hostgssenc", "hostnogssenc"]) {
      assert.equal(find(`${type} all all all scram-sha-256`, ...end), 1, type);
      assert.equal(find(...end, `${type} all all all scram-sha-256`), 0, type);
    }
    assert.equal(find("hostgssenc all all all reject", "host all all all scram-sha-256", ...end), 1);
    assert.equal(find("hostnossl all all 10.0.0.0/8 reject", "host all all all scram-sha-256", ...end), 1);
    assert.equal(find("host all postgres all reject", "host all all all scram-sha-256", ...end), 1);
    assert.equal(find("host orders all all reject", "host all all all scram-sha-256", ...end), 1);
  });
  it("reject each family of addresses by itself, too", () => {
    const tls = "hostssl all all all scram-sha-256";
    for (const [four, six] of [
      ["0.0.0.0/0", "::/0"],
      ["0.0.0.0 0.0.0.0", ":: ::"],
    ]) {
      const rejects = [`hostnossl all all ${four} reject`, `hostnossl all all ${six} reject`];
      assert.equal(find(tls, ...rejects), 0, four);
      for (const one of rejects) assert.equal(find(tls, one), 1, one);
      assert.equal(find(tls, rejects[0]!, "host all all 10.0.0.0/8 scram-sha-256", rejects[1]!), 0, four);
      assert.equal(find(tls, rejects[1]!, "host all all 10.0.0.0/8 scram-sha-256", rejects[0]!), 1, four);
      assert.equal(find(tls, rejects[0]!, "host all all fd00::/8 scram-sha-256", rejects[1]!), 1, four);
      assert.equal(find(tls, rejects[0]!, "host all all example.org scram-sha-256", rejects[1]!), 1, four);
    }
  });
  it("may be without TLS for the server's own addresses, which are in no network", () => {
    for (const address of [
      "127.0.0.1/32",
      "127.0.0.0/8",
      "127.0.0.1 255.255.255.255",
      "::1/128",
      "::1 ffff:ffff:ffff:ffff:ffff:ffff:ffff:ffff",
      "localhost",
      "samehost",
    ]) {
      assert.equal(find(`host all all ${address} scram-sha-256`, ...end), 0, address);
      assert.equal(find(`host all all ${address} trust`, ...end), 1, address);
    }
    for (const address of ["127.0.0.1/0", "127.0.0.1 0.0.0.0", "::1/0", "128.0.0.1/32", "samenet"])
      assert.equal(find(`host all all ${address} scram-sha-256`, ...end), 1, address);
  });
  it("have names with blanks in quotes, where a word means nothing else, and lists with blanks", () => {
    assert.equal(find('hostssl "my db" all all scram-sha-256', ...end), 0);
    assert.equal(find('hostssl "my db" all all md5', ...end), 1);
    assert.equal(find('hostssl orders, "my db" app, web all scram-sha-256', ...end), 0);
    assert.equal(find('host "all" all all reject', "host all all all scram-sha-256", ...end), 1);
  });
  it("of the socket have their method where others have an address", () => {
    assert.equal(find("local all all peer", ...end), 0);
    assert.equal(find("local all all trust", ...end), 1);
  });
});

class NotApplicable extends Error {}

describe("the policies as Pulumi calls them", () => {
  const resourceOf = (object: KubernetesObject) => ({
    urn: object.metadata.name,
    type: `kubernetes:${object.apiVersion}:${object.kind}`,
    name: object.metadata.name,
    props: object as Record<string, unknown>,
    opts: { protect: false },
    provider: undefined,
  });
  const call = (name: string, args: object, method: "validateStack" | "validateResource") => {
    const policies = policiesOf({ config: () => ({}), today: () => "2026-01-31" });
    const policy = policies.find((one) => one.name === name) as unknown as Record<
      typeof method,
      (args: object, report: (text: string) => void) => void
    >;
    const said: string[] = [];
    const notApplicable = (reason: string) => {
      throw new NotApplicable(reason);
    };
    try {
      policy[method]({ getConfig: () => ({}), notApplicable, ...args }, (text) => said.push(text));
    } catch (error) {
      if (!(error instanceof NotApplicable)) throw error;
    }
    // What follows is how to fix it, and where that is described.
    return said.map((text) => text.split("\n")[0]);
  };

  it("report the sentences about one object, and nothing of what is none", () => {
    const cluster = mutated("cluster", { "spec.instances": 1 });
    const said = call("enough-instances", resourceOf(cluster), "validateResource");
    assert.deepEqual(said, violationsOf("enough-instances", cluster));
    assert.equal(said.length, 1);
    const bucket = { type: "aws:s3/bucket:Bucket", name: "x", props: cluster };
    assert.deepEqual(call("enough-instances", bucket, "validateResource"), []);
  });
  it("report the sentences about a stack, its buckets and their providers", () => {
    const objects = goodStack({ "base-backups": undefined });
    const stack = (more: object[] = []) => ({ resources: [...objects.map(resourceOf), ...more] });
    const said = call("base-backups", stack(), "validateStack");
    assert.deepEqual(said, violationsInStack("base-backups", objects));
    assert.equal(said.length, 1);
    const bucket = (protect: boolean, provider?: object) => ({
      type: "aws:s3/bucket:Bucket",
      name: "copies",
      props: { bucket: "orders-copies" },
      opts: { protect },
      provider,
    });
    const protection = (protect: boolean) =>
      call("protected-buckets", stack([bucket(protect)]), "validateStack").length;
    assert.deepEqual([protection(true), protection(false)], [0, 1]);
    const b2 = { props: { endpoints: [{ s3: "https://s3.eu-central-003.backblazeb2.com" }] } };
    const closed = (provider?: object) =>
      call("private-buckets", stack([bucket(true, provider)]), "validateStack").length;
    assert.deepEqual([closed(), closed(b2)], [1, 0]);
  });
});
