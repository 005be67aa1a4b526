import assert from "node:assert/strict";
import fc from "fast-check";
import type { KubernetesObject } from "../../../plan/objects";
import { invariants } from "../../../policy/invariants";
import { passing } from "../foreign/passing";
import { good, judged, judgedStack, mutated } from "./kit";
import {
  configuration,
  operatorConfiguration,
  pgbouncer,
  postgresql,
  service,
  statefulSet,
} from "./objectsOfOthers";

/** Objects of forms that no API would take, and values that a preview doesn't know: no policy fails, and none hides what another object does. */

const shapes: readonly (() => KubernetesObject)[] = [
  ...Object.keys(passing).map((name) => () => good(name)),
  configuration,
  operatorConfiguration,
  () => pgbouncer(),
  postgresql,
  statefulSet,
  () => service("open", { type: "LoadBalancer" }),
  // What others configure by ConfigMaps.
  () => {
    const configMap = { name: "db-conf", items: [{ key: "pg_hba.conf", path: "pg_hba.conf" }] };
    const object = statefulSet();
    const { spec } = (object.spec as { template: { spec: Record<string, object[]> } }).template;
    Object.assign(spec.containers![0]!, {
      env: [{ name: "POSTGRES_HOST_AUTH_METHOD", valueFrom: { configMapKeyRef: { name: "x", key: "y" } } }],
      envFrom: [{ prefix: "X_", configMapRef: { name: "x" } }],
      volumeMounts: [{ name: "conf", mountPath: "/x/pg_hba.conf", subPath: "pg_hba.conf" }],
    });
    spec.volumes = [{ name: "conf", configMap }, { projected: { sources: [{ configMap }] } }];
    return object;
  },
  () => ({
    apiVersion: "apps/v1",
    kind: "StatefulSet",
    metadata: { name: "main", namespace: "shop", annotations: { "pgplatform.io/server": "not JSON" } },
    spec: {},
  }),
];

/** Every place in a value, as a path of keys. */
function placesIn(value: unknown, path: readonly string[] = []): (readonly string[])[] {
  if (typeof value !== "object" || value === null) return [path];
  return [path, ...Object.entries(value).flatMap(([key, inner]) => placesIn(inner, [...path, key]))];
}

const later = Symbol("not known yet");
const cyclic: Record<string, unknown> = { name: "cyclic", list: [] };
cyclic.self = cyclic;
(cyclic.list as unknown[]).push(cyclic.list, cyclic);
const odd = fc.oneof(
  { weight: 4, arbitrary: fc.constant(later) },
  fc.constantFrom<unknown>(null, 0, -1, NaN, 1e300, true, false, "", "x", "3", [], {}, [null], [[]], [{}], {
    a: null,
  }),
  fc.constantFrom<unknown>(cyclic, [cyclic], new Array(300).fill("x"), new Array(300).fill({ name: "x" })),
  fc.constant(
    JSON.parse('{"__proto__": {"spec": 1}, "constructor": null, "toString": 1, "length": -1}') as unknown,
  ),
  fc.string({ maxLength: 8 }),
  fc.jsonValue({ maxDepth: 3 }),
);

/** An object of which one place has another value; what is replaced may be the whole spec or metadata. */
function withOdd(object: KubernetesObject, path: readonly string[], value: unknown): KubernetesObject {
  let at = object as Record<string, unknown>;
  for (const key of path.slice(0, -1)) at = at[key] as Record<string, unknown>;
  const [last = "extra"] = path.slice(-1);
  Object.defineProperty(at, last, {
    enumerable: true,
    configurable: true,
    ...(value === later
      ? {
          get() {
            throw new Error("the value isn't known");
          },
        }
      : { value, writable: true }),
  });
  return object;
}

const oddObject = fc
  .nat({ max: shapes.length - 1 })
  .map((index) => structuredClone(shapes[index]!()))
  .chain((object) => {
    const places = placesIn(object).filter(
      // What is no object at all is none to the pack.
      ([first, second]) =>
        first !== undefined && (second !== undefined || !["apiVersion", "kind"].includes(first)),
    );
    return fc
      .array(fc.tuple(fc.nat({ max: places.length - 1 }), odd), { minLength: 1, maxLength: 3 })
      .map((changes) =>
        changes.reduce((changed, [place, value]) => {
          try {
            return withOdd(changed, places[place]!, value === later ? later : structuredClone(value));
          } catch {
            // An earlier change took the place away.
            return changed;
          }
        }, object),
      );
  });

/** The same objects each time; with ODD_RUNS so many others. */
const { ODD_RUNS } = process.env;
const runs = ODD_RUNS === undefined ? { numRuns: 25, seed: 25 } : { numRuns: Number(ODD_RUNS) };
function told({ failed, errorInstance, seed, counterexamplePath }: fc.RunDetails<[KubernetesObject]>): void {
  if (failed)
    throw new Error(
      `seed ${seed}, path ${counterexamplePath}: ${(errorInstance as Error | undefined)?.stack}`,
    );
}
const unreadable = /can't be read/;

describe("objects of odd forms", function () {
  this.timeout(120_000);

  for (const { name, on } of invariants)
    it(`don't make ${name} fail`, () => {
      fc.assert(
        fc.property(oddObject, (object) => {
          const { said } = on === "stack" ? judgedStack(name, [object]) : judged(name, object);
          assert.ok(!said.some((text) => unreadable.test(text)), said.join("\n"));
        }),
        // Printing an object reads what isn't known.
        { ...runs, reporter: told },
      );
    });

  it("hide nothing of what policies about single objects say of another object", () => {
    const bad = mutated("cluster", {
      "metadata.name": "bad",
      "spec.instances": 1,
      "spec.enablePDB": false,
      "spec.enableSuperuserAccess": true,
      "spec.postgresql.pg_hba": ["host all all all trust"],
      "spec.postgresql.parameters.fsync": "off",
    });
    const names = ["enough-instances", "no-superuser-access", "encrypted-logins", "durable-writes"];
    const alone = names.map((name) => judgedStack(name, [bad]).said.length);
    assert.ok(alone.every((count) => count > 0));
    fc.assert(
      fc.property(oddObject, (object) =>
        names.every(
          (name, index) =>
            judgedStack(name, [object, bad, object]).said.filter((text) => text.includes(" shop/bad:"))
              .length === alone[index],
        ),
      ),
      runs,
    );
  });

  describe("hide nothing of what policies about stacks say of shop, where one value of web's isn't known", () => {
    /** Objects in shop that break every policy about stacks. */
    const bad = (): KubernetesObject[] => [
      mutated("cluster", {
        "spec.postgresql.parameters.max_connections": "5",
        "spec.storage.storageClass": "local-path",
        "spec.bootstrap": { initdb: { owner: "app", secret: { name: "a" } } },
        "spec.managed": { roles: [{ name: "app", passwordSecret: { name: "b" } }] },
      }),
      mutated("cluster", { "metadata.name": "second" }),
      good("archive"),
      mutated("base-backups", {
        "spec.suspend": true,
        "spec.pluginConfiguration.parameters": { barmanObjectName: "x" },
      }),
      mutated("pooler", { "spec.instances": 1, "spec.pgbouncer.parameters.auth_type": "trust" }),
      mutated("namespace", { "metadata.labels": {} }),
      {
        apiVersion: "apps/v1",
        kind: "Deployment",
        metadata: { name: "operator", namespace: "shop" },
        spec: {
          template: {
            spec: { containers: [{ name: "manager", image: "ghcr.io/cloudnative-pg/cloudnative-pg:1" }] },
          },
        },
      },
    ];
    const ofWeb = (name: string): KubernetesObject => {
      const text = JSON.stringify(good(name))
        .replaceAll("orders", "site")
        .replace('"namespace":"shop"', '"namespace":"web"');
      return JSON.parse(text) as KubernetesObject;
    };
    const others = [
      ...["application", "cluster", "archive", "base-backups", "second-target", "verification", "pooler"],
      ...["pooler-budget", "instances-network", "secret"],
    ];
    // Where nothing of it is known, it may be what shop lacks.
    const places = (object: KubernetesObject) =>
      placesIn(object).filter(
        ([first, second]) =>
          first !== undefined &&
          !["apiVersion", "kind"].includes(first) &&
          (first !== "metadata" || second !== undefined),
      );
    for (const { name } of invariants.filter(({ on }) => on === "stack"))
      it(name, () => {
        const alone = judgedStack(name, bad()).said;
        // Buckets are no objects.
        if (!/bucket/.test(name)) assert.ok(alone.length > 0);
        for (const other of others)
          for (const place of places(ofWeb(other))) {
            const { said } = judgedStack(name, [withOdd(ofWeb(other), place, later), ...bad()]);
            for (const text of alone) assert.ok(said.includes(text), `${other} ${place.join(".")}: ${text}`);
          }
      });

    it("an object that may be what shop lacks is told, and refuses nothing", () => {
      const namespaces = ["archive", "verification", "second-target", "deny-all"] as const;
      const policies = ["two-targets", "weekly-verification", "two-targets", "closed-network"] as const;
      namespaces.forEach((name, index) => {
        const rest = name === "deny-all" ? ["everyone-dns"] : [];
        const objects = [
          ...["cluster", "archive", ...rest].filter((one) => one !== name).map(good),
          withOdd(good(name), ["metadata", "namespace"], later),
        ];
        const { said, later: notYet } = judgedStack(policies[index]!, objects);
        assert.deepEqual(said, [], name);
        assert.match(notYet.join(), /metadata.namespace is known only/);
      });
    });
  });

  it("hide nothing of what policies about stacks say of a cluster, where they are of another namespace or kind", () => {
    const bad = mutated("cluster", { "metadata.name": "bad", "metadata.namespace": "away" });
    const names = ["base-backups", "closed-network", "weekly-verification", "alerts"];
    const alone = names.map((name) => judgedStack(name, [bad]).said.length);
    assert.ok(alone.every((count) => count > 0));
    const unknowns: KubernetesObject[] = ["Deployment", "Service", "ConfigMap", "Ingress"].map((kind) =>
      withOdd({ apiVersion: "v1", kind, metadata: { name: "x" } }, ["metadata"], later),
    );
    for (const object of unknowns)
      assert.deepEqual(
        names.map((name) => judgedStack(name, [object, bad]).said.length),
        alone,
        object.kind,
      );
  });
});

describe("values that aren't known yet", () => {
  const unknownAt = (object: KubernetesObject, ...path: string[]) => withOdd(object, path, later);
  const rules = (...lines: string[]) => mutated("cluster", { "spec.postgresql.pg_hba": lines });

  it("in a list hide no rule that is wrong whatever they are", () => {
    for (const index of ["0", "1"]) {
      const object = unknownAt(
        rules(
          "hostssl all all all scram-sha-256",
          "hostssl all all all scram-sha-256",
          "host all all all trust",
        ),
        ...["spec", "postgresql", "pg_hba", index],
      );
      const { said, later: notYet } = judged("encrypted-logins", object);
      assert.deepEqual(
        said.map((text) => /trust/.test(text)),
        [true],
      );
      assert.match(notYet.join(), /pg_hba\[…\] is known only/);
    }
  });

  it("in a list may be the rule that closes: what is right behind that one is no fault", () => {
    const object = unknownAt(
      rules(
        "hostssl all all all scram-sha-256",
        "hostnossl all all all reject",
        "host all all all scram-sha-256",
      ),
      ...["spec", "postgresql", "pg_hba", "1"],
    );
    assert.deepEqual(judged("encrypted-logins", object).said, []);
  });

  it("in a list hide no plain credential, nor an image, nor a container without resources", () => {
    const tool = (): KubernetesObject => ({
      apiVersion: "v1",
      kind: "Pod",
      metadata: { name: "tool", namespace: "shop" },
      spec: {
        containers: [
          { name: "a", image: "ghcr.io/example/a:1" },
          {
            name: "b",
            image: "docker.io/bitnami/b:latest",
            env: [{ name: "DB_PASSWORD", value: "hunter2" }],
          },
        ],
      },
    });
    const object = unknownAt(tool(), "spec", "containers", "0");
    for (const name of ["no-plain-credentials", "supported-images", "image-digests", "container-resources"])
      assert.ok(judged(name, object).said.length > 0, name);
  });

  it("under a secret's name are secrets by the name alone", () => {
    const pod = (env: object): KubernetesObject => ({
      apiVersion: "v1",
      kind: "Pod",
      metadata: { name: "tool", namespace: "shop" },
      spec: { containers: [{ name: "a", env: [env] }] },
    });
    const value = (name: string) =>
      judged(
        "no-plain-credentials",
        unknownAt(pod({ name }), "spec", "containers", "0", "env", "0", "value"),
      );
    assert.equal(value("DB_PASSWORD").said.length, 1);
    assert.deepEqual(value("GREETING").said, []);
    assert.equal(value("GREETING").later.length, 1);
  });

  it("in a configuration of Zalando's operator, or in another ConfigMap, hide nothing else that it says", () => {
    const deletes = () => {
      const object = operatorConfiguration();
      Object.assign(object, {
        configuration: {
          kubernetes: { enable_pod_disruption_budget: false },
          aws_or_gcp: { wal_s3_bucket: "" },
        },
      });
      return unknownAt(object, "configuration", "aws_or_gcp", "wal_s3_bucket");
    };
    assert.equal(judged("kept-data", deletes()).said.length, 2);
    const map: KubernetesObject = { apiVersion: "v1", kind: "ConfigMap", metadata: { name: "x" }, data: {} };
    const { said } = judgedStack("disruption-budget", [unknownAt(map, "data"), postgresql(), deletes()]);
    assert.equal(said.length, 1);
    const alone = judgedStack("disruption-budget", [unknownAt(map, "data"), postgresql()]);
    assert.deepEqual([alone.said.length, alone.later.length], [0, 1]);
  });

  it("of another Deployment leave a load balancer to the pods of the stack, and name that Deployment", () => {
    const ports = [{ port: 15432, targetPort: "tcp-db" }];
    const open = service("open", { type: "LoadBalancer", ports });
    const app = () =>
      unknownAt(good("application"), ...["spec", "template", "spec", "containers", "0", "image"]);
    assert.equal(
      judgedStack("load-balancer-ranges", [app(), statefulSet(), configuration(), open]).said.length,
      1,
    );
    const { said, later: notYet } = judgedStack("load-balancer-ranges", [app(), open]);
    assert.deepEqual(said, []);
    assert.match(notYet.join(), /^Deployment web\/application: .*image is known only/);
  });

  it("of twenty objects are one line for all of them", () => {
    const clusters = Array.from({ length: 20 }, (_, index) =>
      unknownAt(mutated("cluster", { "metadata.name": `c${index}` }), "spec", "instances"),
    );
    const { later: lines } = judgedStack("enough-instances", clusters);
    assert.deepEqual(lines, [
      "Cluster shop/c0, Cluster shop/c1, Cluster shop/c2 and 17 more: spec.instances is known only when the update makes it. Until then enough-instances can't judge them.",
    ]);
  });
});

describe("long values", () => {
  it("are searched in a time that grows with their length, not with its square", () => {
    const find = (text: string) =>
      judged("no-plain-credentials", {
        apiVersion: "v1",
        kind: "ConfigMap",
        metadata: { name: "x" },
        data: { text },
      });
    // Each would take minutes otherwise.
    for (const part of [
      "a-",
      "a.",
      "postgres://a",
      "password",
      "x:1:",
      "curl ",
      '"auths": {',
      "a=",
      "[{(",
      "<token>a ",
      "a://:b",
      "password=$",
    ])
      assert.ok(find(part.repeat(400_000 / part.length)), part);
  });
});
