import assert from "node:assert/strict";
import type { KubeObject } from "../../operations/kubectl";
import type { Check, Seen } from "../../operations/validate/check";
import { checks } from "../../operations/validate/command";
import { junit, markdown, resultLines, resultOf, type Validation } from "../../operations/validate/results";
import { assess } from "../../operations/status/assess";
import { readers } from "../../plan/engines/readers";
import { commands } from "../../operations/command/table";
import {
  engines,
  foundOf,
  instanceNames,
  NOW,
  pod,
  type Scene,
  sceneOf,
  unreadyPod,
} from "../support/onCall";

type EngineName = (typeof engines)[number];
type Writable = { -readonly [key in keyof Seen]: Seen[key] };

const object = (kind: string, name: string, more: object = {}): KubeObject => ({
  apiVersion: "v1",
  kind,
  metadata: { name, namespace: "postgres" },
  ...more,
});

const slice = (service: string, pods: readonly string[]): KubeObject => ({
  ...object("EndpointSlice", `${service}-1`),
  metadata: { name: `${service}-1`, labels: { "kubernetes.io/service-name": service } },
  endpoints: pods.map((name) => ({ conditions: { ready: true }, targetRef: { name } })),
});

/** What the engines' objects say when all is done. */
const whole: Readonly<Record<EngineName, (cluster: KubeObject) => object>> = {
  cnpg: ({ spec }) => ({
    phase: "Cluster in healthy state",
    readyInstances: spec?.instances,
    conditions: [{ type: "Ready", status: "True" }],
  }),
  zalando: () => ({ PostgresClusterStatus: "Running" }),
  standalone: () => ({ readyReplicas: 1, observedGeneration: 0 }),
};

function seenOf(
  engine: EngineName,
  {
    scene = () => undefined,
    more = () => undefined,
  }: {
    scene?: (scene: Scene, names: string[]) => void;
    more?: (seen: Writable, names: string[]) => void;
  } = {},
): Seen {
  const found = foundOf(engine);
  const read = sceneOf(found);
  const names = instanceNames(found);
  read.cluster = { ...read.cluster!, status: whole[engine](read.cluster!) as Record<string, unknown> };
  scene(read, names);
  const facts = read.cluster && readers[engine].facts(read.cluster);
  assert.ok(facts);
  const { primary, standbys } = facts.services;
  const [first = "", ...others] = names;
  const seen: Writable = {
    found,
    report: assess(found, read, NOW * 1000),
    cluster: read.cluster,
    facts,
    instances: read.pods,
    poolerPods: read.poolers.flatMap(({ pods }) => pods),
    services: [...new Set([primary, standbys])].map((name) => object("Service", name)),
    slices: [slice(primary, [first]), ...(standbys === primary ? [] : [slice(standbys, others)])],
    claims: names.map((name) => object("PersistentVolumeClaim", name, { status: { phase: "Bound" } })),
    budgets: [object("PodDisruptionBudget", "main", { status: { currentHealthy: 2, desiredHealthy: 1 } })],
    policies: [object("NetworkPolicy", "deny", { spec: { podSelector: {}, policyTypes: ["Ingress"] } })],
    metrics: new Map(names.map((name) => [name, undefined])),
    client: {},
    stranger: {},
    logLines: 12,
  };
  more(seen, names);
  return seen;
}

const results = (seen: Seen) => checks.map((check) => resultOf(check, check.look(seen)));
const failing = (seen: Seen): string[] =>
  results(seen).flatMap(({ id, result }) => (result === "failed" ? [id] : []));

describe("pgp validate", () => {
  it("has the seed's thirteen checks, the two that end the primary apart, and further ones", () => {
    const seeds = checks.flatMap(({ seed }) => seed ?? []);
    assert.deepEqual(
      [...seeds, 10, 12].sort((one, other) => one - other),
      [1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13],
    );
    assert.ok(checks.length >= 20);
    assert.equal(new Set(checks.map(({ id }) => id)).size, checks.length);
    const names = commands.map(({ name }) => name);
    for (const { next } of checks)
      assert.ok(next.startsWith("kubectl ") || names.some((name) => next.startsWith(`pgp ${name}`)), next);
  });

  for (const engine of engines)
    it(`passes a platform of ${engine} that is whole`, () => {
      const all = results(seenOf(engine));
      assert.deepEqual(
        all.filter(({ result }) => result === "failed"),
        [],
      );
      assert.ok(
        all.filter(({ result }) => result === "passed").length >= (engine === "standalone" ? 14 : 18),
      );
    });

  const faults: Record<string, [check: string, Parameters<typeof seenOf>[1], standbys?: true]> = {
    "an object that isn't there": ["cluster", { more: (seen) => (seen.cluster = undefined) }],
    "an object that isn't done": [
      "cluster",
      {
        scene: (scene) =>
          (scene.cluster = {
            ...scene.cluster!,
            status: { phase: "Upgrading", PostgresClusterStatus: "Updating" },
          }),
      },
    ],
    "an instance that is missing": ["pods", { scene: (scene) => void scene.pods.pop() }],
    "an instance that crashes": [
      "pods",
      {
        more: (seen) =>
          (seen.instances = [unreadyPod("main-1", {}, "CrashLoopBackOff"), ...seen.instances.slice(1)]),
      },
    ],
    "a pooler's pod that is missing": [
      "pods",
      {
        scene: (scene) => (scene.poolers = [{ ...scene.poolers[0]!, pods: [pod("main-pooler-app-1", {})] }]),
      },
    ],
    "two that take writes": [
      "primary",
      { scene: ({ heard }, [primary = "", other = ""]) => void heard.set(other, heard.get(primary)!) },
      true,
    ],
    "a label at the wrong instance": [
      "primary",
      {
        scene: ({ heard }, [primary = "", other = ""]) => {
          const [mine, theirs] = [heard.get(primary)!, heard.get(other)!];
          heard.set(primary, theirs).set(other, mine);
        },
      },
      true,
    ],
    "a row that can't be written": [
      "write",
      {
        scene: ({ written }, [primary = ""]) =>
          void written.set(primary, { why: "no room", waitsForStandby: false }),
      },
    ],
    "a client that can't write": [
      "client",
      { more: (seen) => (seen.client = { problem: "certificate verify failed" }) },
    ],
    "a standby that does not stream": [
      "replication",
      {
        scene: ({ heard }, [primary = ""]) => {
          const one = heard.get(primary)!;
          heard.set(primary, { ...one, answer: { ...one.answer!, standbys: [] } });
        },
      },
      true,
    ],
    "a Service that is missing": ["services", { more: (seen) => (seen.services = []) }],
    "a Service that leads nowhere": ["services", { more: (seen) => (seen.slices = []) }],
    "a Service that leads to a standby": [
      "services",
      { more: (seen, [, standby = ""]) => (seen.slices = [slice(seen.facts!.services.primary, [standby])]) },
      true,
    ],
    "poolers that don't answer": [
      "poolers",
      {
        scene: (scene) =>
          (scene.poolers = scene.poolers.map(({ name, wanted, pods }) => ({ name, wanted, pods }))),
      },
    ],
    "clients that wait at a pooler": [
      "poolers",
      {
        scene: (scene) => {
          const [one] = scene.poolers;
          scene.poolers = [{ ...one!, pools: [{ ...one!.pools![0]!, waiting: 3, waitSeconds: 9 }] }];
        },
      },
    ],
    "a claim that isn't bound": [
      "volumes",
      {
        more: (seen) =>
          (seen.claims = [object("PersistentVolumeClaim", "main-1", { status: { phase: "Pending" } })]),
      },
    ],
    "a volume that is nearly full": [
      "volumes",
      {
        scene: ({ heard }, [primary = ""]) =>
          void heard.set(primary, {
            ...heard.get(primary)!,
            fills: [{ holds: "data", bytes: 100, usedBytes: 90 }],
          }),
      },
    ],
    "metrics that can't be read": [
      "metrics",
      { more: (seen) => (seen.metrics = new Map([["main-1", "port 9187 does not answer"]])) },
    ],
    "a standby that is far behind": [
      "behind",
      {
        scene: ({ heard }, [, standby = ""]) => {
          const one = heard.get(standby)!;
          heard.set(standby, { ...one, answer: { ...one.answer!, lsn: 0, lastCommit: NOW - 300 } });
        },
      },
      true,
    ],
    "a standby on another timeline": [
      "behind",
      {
        scene: ({ heard }, [, standby = ""]) => {
          const one = heard.get(standby)!;
          heard.set(standby, { ...one, answer: { ...one.answer!, timeline: 1 } });
        },
      },
      true,
    ],
    "a log that says nothing": ["log", { more: (seen) => (seen.logLines = 0) }],
    "no standby that confirms commits": [
      "synchronous",
      {
        scene: ({ heard }, [primary = ""]) => {
          const one = heard.get(primary)!;
          const standbys = one.answer!.standbys.map((standby) => ({ ...standby, sync: "async" }));
          heard.set(primary, { ...one, answer: { ...one.answer!, standbys } });
        },
      },
      true,
    ],
    "a certificate that ends": [
      "certificates",
      {
        scene: (scene) =>
          (scene.certificates = [
            { what: "server", secret: "s", ends: new Date((NOW + 3600) * 1000).toISOString() },
          ]),
      },
    ],
    "certificates that can't be read": ["certificates", { scene: (scene) => (scene.certificates = []) }],
    "an archive that fails": [
      "archive",
      {
        scene: ({ heard }, [primary = ""]) => {
          const one = heard.get(primary)!;
          heard.set(primary, { ...one, answer: { ...one.answer!, archiveFailed: NOW } });
        },
      },
    ],
    "an RPO that is missed": [
      "archive",
      {
        scene: (scene) =>
          (scene.backups = { ...scene.backups!, writes: { unarchivedSeconds: 900, rpoSeconds: 300 } }),
      },
    ],
    "a store that is away": [
      "backups",
      {
        scene: (scene) =>
          (scene.backups = {
            targets: [{ kind: "refused", target: "near", why: "403" }],
            verified: new Map(),
          }),
      },
    ],
    "a target without a base backup": [
      "backups",
      {
        scene: (scene) =>
          (scene.backups = {
            targets: [{ kind: "answers", target: "near", archiveId: "a" }],
            verified: new Map(),
          }),
      },
    ],
    "a verification that failed": [
      "verification",
      {
        scene: (scene) =>
          (scene.backups = { ...scene.backups!, verified: new Map([["near", { at: NOW, passed: false }]]) }),
      },
    ],
    "no disruption budget": ["budgets", { more: (seen) => (seen.budgets = []) }],
    "a disruption budget that isn't fulfilled": [
      "budgets",
      {
        more: (seen) =>
          (seen.budgets = [
            object("PodDisruptionBudget", "main", { status: { currentHealthy: 0, desiredHealthy: 1 } }),
          ]),
      },
    ],
    "a namespace that is open": [
      "policies",
      {
        more: (seen) =>
          (seen.policies = [object("NetworkPolicy", "all", { spec: { podSelector: {}, ingress: [{}] } })]),
      },
    ],
    "a stranger that gets in": [
      "stranger",
      { more: (seen) => (seen.stranger = { problem: "a pod has reached main-rw" }) },
    ],
    "parameters that wait for a restart": [
      "restart",
      {
        scene: ({ heard }, [primary = ""]) => {
          const one = heard.get(primary)!;
          heard.set(primary, { ...one, answer: { ...one.answer!, pendingRestart: 1 } });
        },
      },
    ],
    "two instances on one node": [
      "nodes",
      {
        scene: (scene) =>
          (scene.pods = scene.pods.map((one) => ({ ...one, spec: { ...one.spec, nodeName: "n1" } }))),
      },
      true,
    ],
  };
  it("is tried with at least twenty planted faults", () => assert.ok(Object.keys(faults).length >= 20));
  for (const [what, [check, spoil, standbys]] of Object.entries(faults))
    for (const engine of engines.filter((name) => standbys !== true || name !== "standalone"))
      it(`names the check for ${what}, with ${engine}`, () => {
        const found = failing(seenOf(engine, spoil));
        assert.ok(found.includes(check), found.join(", "));
      });

  it("leaves out what can't be asked without the stack, and says so", () => {
    const seen = seenOf("cnpg", {
      more: (all) => {
        delete all.client;
        delete all.stranger;
        delete all.metrics;
      },
    });
    const skipped = results(seen).filter(({ result }) => result === "skipped");
    assert.deepEqual(
      skipped.map(({ id }) => id),
      ["client", "metrics", "stranger"],
    );
  });
});

describe("results of a validation", () => {
  const check = { id: "a", title: 'a <check> & "more"', seed: 3, next: "pgp status" } satisfies Omit<
    Check,
    "look"
  >;
  const all: Validation = {
    at: "2026-11-29T20:00:00.000Z",
    namespace: "postgres",
    cluster: "main",
    engine: "cnpg",
    checks: [
      resultOf(check, { passed: false, says: "it | isn't\u0007" }),
      resultOf({ ...check, id: "b" }, { passed: true, says: "3 of 3" }),
      resultOf({ ...check, id: "c" }, { passed: undefined, says: "left out" }),
    ],
    failed: 1,
  };
  it("say the next command of what failed", () =>
    assert.deepEqual(resultLines(all), [
      'FAIL a             (3) a <check> & "more": it | isn\'t\u0007',
      "     next: pgp status",
      'ok   b             (3) a <check> & "more": 3 of 3',
      '-    c             (3) a <check> & "more": left out',
    ]));
  it("are JUnit's for a CI", () => {
    const text = junit(all);
    assert.match(text, /<testsuites tests="3" failures="1" skipped="1">/);
    assert.match(
      text,
      /name="a: a &lt;check&gt; &amp; &quot;more&quot;">\n +<failure message="it \| isn't\?">next: pgp status<\/failure>/,
    );
    assert.match(text, /<skipped message="left out"\/>/);
  });
  it("are a table in Markdown", () => {
    const text = markdown(all);
    assert.match(text, /cnpg, 2026-11-29T20:00:00\.000Z: 1 failed\./);
    assert.match(text, /\| 3\. a: a <check> & "more" \| failed \| it \\\| isn't/);
  });
});
