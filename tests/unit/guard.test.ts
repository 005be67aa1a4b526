import assert from "node:assert/strict";
import {
  judge,
  judgedPlan,
  judgeDestroy,
  lossesIn,
  plannedUpdate,
  refusals,
  toldAllowances,
  verifiedIn,
} from "../../operations/guard";
import type { Subject } from "../../operations/health";
import { type PlannedStep, ProtectedPlan, type Stack, type StateResource } from "../../operations/pulumi";
import { keptByGuardOnly, standing, thingOf, unknownNames } from "../../plan/guarded";
import { planners } from "../../plan/engines/select";
import { dayAt } from "../../settings/day";
import { sentence } from "../../settings/problem";
import type { Settings, SettingsInput } from "../../settings/schema";
import type { Graph, Registered } from "../support/graph";
import { platformGraph } from "../support/platform";
import { bucket, changed, checked, inCloud } from "../support/settings";

const engines = ["cnpg", "zalando", "standalone"] as const;
const HOUR = 3_600_000;
const now = Date.parse("2026-01-31T12:00:00Z");
const today = "2026-01-31";

/** A protected stack of an engine, with an archive and a bucket of its own. */
const input = (engine: (typeof engines)[number]): SettingsInput => ({
  ...inCloud(engine),
  protection: { enabled: true },
  backup: {
    memory: "2Gi",
    targets: [
      { ...bucket(), name: "far" },
      { name: "r2", kind: "r2", bucket: "orders-copies", account: "0123456789abcdef0123456789abcdef" },
    ],
  },
});

/** A graph's resources as a state has them. */
function stateOf({ resources }: Graph): StateResource[] {
  const named = new Map(resources.map((one) => [one.name, one]));
  const types = ({ type, parent }: Registered): string[] => [
    ...(parent === undefined || !named.has(parent) ? [] : types(named.get(parent)!)),
    type,
  ];
  return resources.map((one) => ({
    urn: `urn:pulumi:prod::postgres-platform::${types(one).join("$")}::${one.name}`,
    type: one.type,
    inputs: one.inputs as unknown as NonNullable<StateResource["inputs"]>,
    ...(one.protect !== undefined && { protect: one.protect }),
    ...(one.retainOnDelete !== undefined && { retainOnDelete: one.retainOnDelete }),
  }));
}

const graphs = new Map<string, Promise<StateResource[]>>();
const stateIn = (engine: (typeof engines)[number]): Promise<StateResource[]> => {
  const made =
    graphs.get(engine) ?? platformGraph(checked(input(engine)), [], { released: () => [] }).then(stateOf);
  graphs.set(engine, made);
  return made;
};

const things = (resources: readonly StateResource[]): string[] =>
  resources.flatMap((one) => thingOf(one) ?? []).sort();
const named = (resources: readonly StateResource[], thing: string): StateResource => {
  const found = resources.find((one) => thingOf(one) === thing);
  assert.ok(found, thing);
  return found;
};

const expected: Readonly<Record<(typeof engines)[number], readonly string[]>> = {
  cnpg: [
    "archive main-backup-archive-id",
    "bucket orders-copies",
    "cluster postgres/main",
    "namespace postgres",
  ],
  zalando: [
    "archive main-backup-archive-id",
    "bucket orders-copies",
    "ca main-certificates-issued",
    "cluster postgres/main",
    "namespace postgres",
  ],
  standalone: [
    "archive main-backup-archive-id",
    "bucket orders-copies",
    "ca main-certificates-issued",
    "cluster postgres/main",
    "namespace postgres",
    "volume postgres/main-archive",
    "volume postgres/main-data",
  ],
};

describe("what is protected", () => {
  for (const engine of engines) {
    it(`is registered so with the engine ${engine}, and kept where its deletion would lose data`, async () => {
      const resources = await stateIn(engine);
      assert.deepEqual(things(resources), expected[engine]);
      for (const one of resources) {
        const thing = thingOf(one);
        assert.equal(one.protect === true, thing !== undefined, one.urn);
        if (thing !== undefined && /^(cluster|volume|namespace) /.test(thing)) {
          assert.equal(one.retainOnDelete, true, thing);
          assert.ok(keptByGuardOnly(one), thing);
        }
      }
      assert.equal(named(resources, "bucket orders-copies").retainOnDelete, true);
      assert.ok(!keptByGuardOnly(named(resources, "bucket orders-copies")), "it stays in any case");
    });

    it(`is nothing in dev with the engine ${engine}`, async () => {
      const off = checked({ ...input(engine), protection: {} });
      const resources = stateOf(await platformGraph(off, [], { released: () => [] }));
      assert.deepEqual(
        resources.filter(({ protect }) => protect === true).map(({ urn }) => urn),
        [],
      );
    });
  }

  it("is on in prod and off in dev, unless the settings say", () => {
    const { protection: none, ...rest } = input("zalando");
    assert.deepEqual(none, { enabled: true });
    assert.equal(checked(rest).protection.enabled, false);
    assert.equal(
      checked({ ...rest, tier: "prod", cluster: { ...rest.cluster, instances: 3 } }).protection.enabled,
      true,
    );
  });

  it("are the clusters of every engine, CRDs by their group, and a store of backups, which is its archive", () => {
    const of = (component: string, type: string, inputs: object): string | undefined =>
      thingOf({ urn: `urn:pulumi:a::b::pgplatform:components:${component}$${type}::x`, inputs });
    const metadata = { name: "orders", namespace: "shop" };
    for (const { clusterKind } of Object.values(planners))
      assert.equal(
        of("Cluster", `kubernetes:${clusterKind.apiVersion}:${clusterKind.kind}`, { metadata }),
        "cluster shop/orders",
      );
    assert.equal(
      of("Operator", "kubernetes:apiextensions.k8s.io/v1:CustomResourceDefinition", {
        metadata: { name: "clusters.postgresql.cnpg.io" },
        spec: { group: "postgresql.cnpg.io" },
      }),
      "crd postgresql.cnpg.io",
    );
    assert.equal(of("Backup", "kubernetes:apps/v1:StatefulSet", { metadata }), "archive shop/orders");
    assert.equal(of("Operator", "pulumi-nodejs:dynamic:Resource", {}), undefined);
    assert.equal(of("Bindings", "kubernetes:core/v1:Namespace", { metadata: { name: "web" } }), undefined);
    assert.equal(
      thingOf({
        urn: "urn:pulumi:a::b::kubernetes:core/v1:Namespace::mine",
        inputs: { metadata: { name: "mine" } },
      }),
      undefined,
      "another part of the program",
    );
  });
});

describe("losses in a plan", () => {
  for (const engine of engines)
    it(`with the engine ${engine} are deletions and replacements of all that is protected, by name`, async () => {
      const resources = await stateIn(engine);
      for (const thing of expected[engine]) {
        const { urn } = named(resources, thing);
        for (const [op, what] of [
          ["delete", "deletes"],
          ["replace", "replaces"],
          ["delete-replaced", "replaces"],
        ] as const)
          // Protected in the state, it is so until an update without it.
          for (const enabled of [true, false])
            assert.deepEqual(lossesIn([{ op, urn }], resources, enabled), [{ thing, op: what, urn }]);
        assert.deepEqual(lossesIn([{ op: "update", urn }], resources, true), []);
      }
      assert.deepEqual(
        lossesIn(
          resources.filter((one) => thingOf(one) === undefined).map(({ urn }) => ({ op: "delete", urn })),
          resources,
          true,
        ),
        [],
      );
    });

  it("are none where nothing is protected, and count in a state from before protection", async () => {
    const resources = (await stateIn("cnpg")).map((one) => ({ ...one, protect: false }));
    const step = { op: "delete", urn: named(resources, "cluster postgres/main").urn };
    assert.deepEqual(lossesIn([step], resources, false), []);
    assert.equal(lossesIn([step], resources, true).length, 1);
  });
});

describe("entries of allow", () => {
  const entry = { what: "cluster shop/orders", until: today };
  const problems = (until: string) => standing([{ ...entry, until }], today).problems.map(sentence);

  it("stand until their last day, also as YAML reads a day without quotes", () => {
    assert.deepEqual(standing([entry], today), { allowed: [entry], problems: [] });
    assert.deepEqual(standing([{ ...entry, until: "2026-01-31 00:00:00 +0000 UTC" }], today).allowed, [
      entry,
    ]);
  });

  for (const [until, allowed] of [
    ["2026-01-30", "today (2026-01-31) or later, since this entry has expired"],
    ["2026-02-30", "a day of the calendar, such as 2026-01-31"],
    ["2026-03-31", "a day within 31 days, since an entry is for one change"],
  ] as const)
    it(`are refused with ${until}`, () => {
      const [only, ...more] = problems(until);
      assert.deepEqual(more, []);
      assert.ok(
        only?.startsWith(`pgplatform:allow[0].until: "${until}" is not allowed. Allowed: ${allowed}. Fix: `),
        only,
      );
    });

  it("are refused where they name nothing, with what there is", () => {
    assert.deepEqual(unknownNames([entry], new Set([entry.what])), []);
    assert.deepEqual(unknownNames([entry], new Set(["namespace shop", "cluster shop/order"])).map(sentence), [
      'pgplatform:allow[0].what: "cluster shop/orders" is not allowed. Allowed: cluster shop/order, namespace shop. Fix: remove the entry where its change is done, or name one of these.',
    ]);
  });

  it("are refused by the settings check where they have another form", () => {
    assert.throws(
      () => checked({ ...input("cnpg"), allow: [{ what: "everything", until: today }] }),
      /pgplatform:allow\[0\]\.what: "everything" is not allowed\. Allowed: one of cluster, volume, bucket, namespace, crd, ca and archive, and a name, such as cluster shop\/orders\. Fix: copy it from the message that refused the change\./,
    );
    assert.throws(
      () => checked({ ...input("cnpg"), protection: { verifiedWithinHours: 0 } }),
      /pgplatform:protection\.verifiedWithinHours: 0 is not allowed\. Allowed: .*1 .*744/,
    );
  });

  it("are told on every run; expired ones end it", () => {
    const until = dayAt(new Date(Date.now() + 86_400_000));
    const lines: string[] = [];
    toldAllowances({ allow: [{ ...entry, until }] }, (line) => lines.push(line));
    assert.deepEqual(lines, [
      `pgplatform:allow: cluster shop/orders may be deleted or replaced until ${until}; remove the entry when that is done`,
    ]);
    assert.throws(
      () => toldAllowances({ allow: [{ ...entry, until: "2020-01-01" }] }, () => assert.fail("told")),
      /expired/,
    );
  });
});

describe("a loss", () => {
  const thing = "cluster shop/orders";
  const losses = [{ thing, op: "replaces" as const, urn: "u" }];
  const of = (more: Partial<Parameters<typeof refusals>[0]> = {}, enabled = true): string[] =>
    refusals({
      settings: { allow: [], protection: { enabled, verifiedWithinHours: 24 } },
      losses,
      allowed: [{ what: thing, until: today }],
      verified: { at: now - 23 * HOUR },
      now,
      ...more,
    }).map(sentence);

  it("is allowed by its name with a backup that is young enough", () => assert.deepEqual(of(), []));

  it("is refused without its name, however young the backup is", () =>
    assert.deepEqual(of({ allowed: [{ what: "cluster shop/order", until: today }] }), [
      `pgplatform:allow: the plan replaces ${thing}, which is protected. Allowed: what an entry names, with a verified backup that is young enough. Fix: undo the change, or add { what: ${thing}, until: ${today} }.`,
    ]));

  it("is refused in the update that turns protection off, which says so", () =>
    assert.match(
      of({ allowed: [] }, false).join("\n"),
      /protected until an update with protection\.enabled: false has ended/,
    ));

  for (const [what, verified, words] of [
    ["too old", { at: now - 24 * HOUR }, "is 24 hours"],
    ["not known", { why: "the stack has no backups" }, "can't be read, since the stack has no backups"],
    ["of a clock that is ahead", { at: now + HOUR }, "can't be told, since its clock is ahead"],
  ] as const)
    it(`is refused where the newest verified backup is ${what}`, () => {
      const [only, ...more] = of({ verified });
      assert.deepEqual(more, []);
      assert.ok(
        only?.startsWith(
          `pgplatform:protection.verifiedWithinHours: the age of the newest verified backup ${words}`,
        ),
        only,
      );
      assert.match(
        only ?? "",
        /and the plan replaces cluster shop\/orders; the limit \(24\)\. Allowed: .* less than 24 hours ago\. Fix: run `make backup` and `make verify`/,
      );
    });

  it("has the age of the newest of all targets, and none where nothing was found good", () => {
    const line = (target: string, at: string) =>
      `pgplatform_backup_verified_timestamp_seconds{target="${target}",archive_id="0123456789"} ${at}`;
    assert.deepEqual(
      verifiedIn([line("near", "1769860000"), "# HELP x", line("far", "1769860001")].join("\n")),
      {
        at: 1_769_860_001_000,
      },
    );
    assert.deepEqual(verifiedIn(line("near", "1.769860001e+09")), { at: 1_769_860_001_000 });
    assert.ok("why" in verifiedIn(""));
    assert.ok("why" in verifiedIn('pgplatform_backup_verification_timestamp_seconds{target="a"} 1769860000'));
  });
});

describe("a command", () => {
  /** The subject of an engine, with a watcher that answers so. */
  const subject = (settings: Settings, seconds?: number): Subject =>
    ({
      settings,
      kubectl: {
        run: () =>
          Promise.resolve({
            exitCode: seconds === undefined ? 1 : 0,
            stdout: `pgplatform_backup_verified_timestamp_seconds{target="far"} ${seconds}\n`,
          }),
      },
    }) as unknown as Subject;
  const young = Math.floor(Date.now() / 1000) - 3600;
  const until = dayAt(new Date());
  const settingsOf = (engine: (typeof engines)[number], ...what: string[]): Settings =>
    checked({ ...input(engine), allow: what.map((one) => ({ what: one, until })) });
  const context = { say: () => undefined, detail: () => undefined };
  const words = async (work: Promise<unknown>): Promise<string> => {
    try {
      await work;
    } catch (error) {
      return String((error as Error).message);
    }
    return "";
  };

  /** A stack whose plan does these steps; Pulumi refuses it as long as something of it is protected. */
  function stackOf(resources: StateResource[], steps: PlannedStep[]) {
    const lifted: string[] = [];
    const stack = {
      resources: () => Promise.resolve(resources),
      preview: () =>
        steps.some(
          ({ urn }) =>
            !lifted.includes(urn) && resources.some((one) => one.urn === urn && one.protect === true),
        )
          ? Promise.reject(new ProtectedPlan("error: it is protected", steps))
          : Promise.resolve(steps),
      lift: (urns: readonly string[]) => Promise.resolve(void lifted.push(...urns)),
    };
    return { stack: stack as unknown as Stack, lifted };
  }

  let kept: string | undefined;
  before(() => {
    kept = process.env.FORCE;
    process.env.FORCE = "1";
  });
  after(() => {
    if (kept === undefined) delete process.env.FORCE;
    else process.env.FORCE = kept;
  });

  for (const engine of engines) {
    it(`up refuses with the engine ${engine} whatever is protected, with FORCE=1 too, and changes nothing`, async () => {
      const resources = await stateIn(engine);
      for (const thing of expected[engine])
        for (const op of ["delete", "replace"]) {
          const { urn } = named(resources, thing);
          const { stack, lifted } = stackOf(resources, [{ op, urn }]);
          const said = await words(plannedUpdate(stack, subject(settingsOf(engine), young), context));
          assert.match(
            said,
            new RegExp(
              `^pgplatform:allow: the plan ${op === "delete" ? "deletes" : "replaces"} ${thing}, which`,
            ),
          );
          assert.deepEqual(lifted, []);
        }
    });

    it(`up lifts with the engine ${engine} what is named, and nothing else, once a backup is verified`, async () => {
      const resources = await stateIn(engine);
      const things = ["cluster postgres/main", "namespace postgres"] as const;
      const steps = things.map((thing) => ({ op: "replace", urn: named(resources, thing).urn }));
      const old = stackOf(resources, steps);
      assert.match(
        await words(
          plannedUpdate(old.stack, subject(settingsOf(engine, ...things), young - 30 * 3600), context),
        ),
        /^pgplatform:protection\.verifiedWithinHours: the age of the newest verified backup is 31 hours/,
      );
      assert.match(
        await words(plannedUpdate(old.stack, subject(settingsOf(engine, ...things)), context)),
        /can't be read, since the watcher of the backups doesn't answer/,
      );
      assert.match(
        await words(plannedUpdate(old.stack, subject(settingsOf(engine, things[0]), young), context)),
        /^pgplatform:allow: the plan replaces namespace postgres/,
      );
      assert.deepEqual(old.lifted, []);
      const { stack, lifted } = stackOf(resources, steps);
      assert.deepEqual(
        await plannedUpdate(stack, subject(settingsOf(engine, ...things), young), context),
        steps,
      );
      assert.deepEqual(
        lifted,
        steps.map(({ urn }) => urn),
      );
    });

    it(`destroy refuses with the engine ${engine} until the cluster is named and a backup verified`, async () => {
      const resources = await stateIn(engine);
      const destroy = (settings: Settings, seconds?: number) =>
        judgeDestroy(resources, () => Promise.resolve(subject(settings, seconds)));
      assert.match(
        await words(destroy(settingsOf(engine), young)),
        /^pgplatform:allow: the plan deletes cluster postgres\/main, which is protected\./,
      );
      assert.match(await words(destroy(settingsOf(engine, "cluster postgres/main"))), /can't be read/);
      assert.deepEqual(
        (await destroy(settingsOf(engine, "cluster postgres/main"), young)).length,
        expected[engine].length,
      );
      const unprotected = resources.map((one) => ({ ...one, protect: false }));
      assert.deepEqual(await judgeDestroy(unprotected, () => assert.fail("dev needs no settings")), []);
    });
  }

  it("refuses an entry that names nothing, but not before the stack has anything", async () => {
    const one = subject(settingsOf("cnpg", "cluster postgres/mian"), young);
    assert.match(
      await words(judge(one, [], new Set(["cluster postgres/main"]))),
      /^pgplatform:allow\[0\]\.what: "cluster postgres\/mian"/,
    );
    assert.equal(await words(judge(one, [], new Set())), "");
  });

  it("shows the engine's words where it protects what the guard doesn't hold", async () => {
    const refusal = new ProtectedPlan("error: another thing is protected", []);
    const stack = { resources: () => Promise.resolve([]), preview: () => Promise.reject(refusal) };
    assert.match(
      await words(judgedPlan(stack, subject(settingsOf("cnpg")), () => Promise.reject(refusal))),
      /another thing/,
    );
  });

  it("asks no watcher where there are no backups", async () => {
    const settings = checked(
      changed({ ...input("cnpg"), allow: [{ what: "cluster postgres/main", until }] }, "backup", undefined),
    );
    const losses = [{ thing: "cluster postgres/main", op: "deletes" as const, urn: "u" }];
    assert.match(
      await words(judge(subject(settings, young), losses, new Set(["cluster postgres/main"]))),
      /can't be read, since the stack has no backups/,
    );
  });
});
