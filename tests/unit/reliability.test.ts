import assert from "node:assert/strict";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import fc from "fast-check";
import { stringify } from "yaml";
import { reportIn, readReports } from "../../operations/report";
import { check } from "../../checks/index";
import { planners, plannerOf } from "../../plan/engines/select";
import { compared, reported } from "../../plan/reliability/compare";
import { mostBaseBackups } from "../../plan/reliability/costs";
import { reliability } from "../../plan/reliability/model";
import { storePrices, volumePrices } from "../../plan/reliability/prices";
import { cell, differenceLines, reportLines, reportMarkdown } from "../../plan/reliability/render";
import { reliabilityOf } from "../../plan/reliability/report";
import type { Settings, SettingsInput } from "../../settings/schema";
import { connectionBudget } from "../../settings/sums/connections";
import { memoryOf, memoryParts } from "../../settings/sums/memory";
import { outageHours, walVolumeBytes } from "../../settings/sums/wal";
import { read } from "../support/pages";
import { bucket, changed, checked, everything, smallest, stackConfig } from "../support/settings";
import { found as wordsFound } from "../support/words";
import { rawSettings } from "../../checks/configuration";

const reportOf = (settings: Settings, zones?: number) =>
  reliabilityOf({ settings, engine: plannerOf(settings), ...(zones !== undefined && { zones }) });

const stack = (name: string): Settings => checked(rawSettings(stackConfig(name), "postgres-platform"));
const stacks = ["local", "dev", "prod", "cnpg", "standalone"];

/** Settings of an engine with so many instances. */
const of = (engine: "cnpg" | "zalando" | "standalone", more: object = {}): Settings =>
  checked({
    ...smallest(),
    cluster: {
      ...smallest().cluster,
      engine,
      ...(engine === "standalone" && { instances: 1, durability: "async" }),
      ...more,
    },
  });

const failureOf = (settings: Settings, id: string, zones?: number) => {
  const found = reportOf(settings, zones).failures.find((one) => one.id === id);
  assert.ok(found, id);
  return found;
};

describe("the reliability report", () => {
  const ids =
    "pod node zone pooler operator primary-store both-stores cluster credentials certificate major-upgrade drain";

  it("says of every failure what happens, for how long, what is lost and by which setting, on every engine", () => {
    for (const settings of [
      ...stacks.map(stack),
      checked(everything()),
      of("zalando", { instances: 1, durability: "async" }),
    ]) {
      const { failures } = reportOf(settings);
      assert.equal(failures.map(({ id }) => id).join(" "), ids);
      for (const { id, title, happens, pause, loss } of failures) {
        for (const text of [title, happens, pause.note, loss.note])
          assert.ok(text.length > 5, `${id}: ${text}`);
        assert.equal(pause.seconds === null, ["unknown", "hand"].includes(pause.basis), id);
        assert.equal(loss.minutes === null, loss.kind !== "last minutes", id);
      }
    }
  });

  it("names settings that there are, with their values", () => {
    for (const name of stacks)
      for (const { settings } of reportOf(stack(name)).failures)
        for (const { path, value } of settings) {
          assert.match(path, /^(cluster|backup|poolers\[\d+\]|secrets|tls|rotation|operator|monitoring)\./);
          assert.notEqual(value, "undefined");
        }
  });

  it("speaks in the field's words", () => {
    for (const name of stacks) {
      const report = reportOf(stack(name));
      assert.deepEqual(
        wordsFound([...reportLines(report, []), ...reportMarkdown(report, [])].join("\n")),
        [],
        name,
      );
    }
  });

  it("is plain data that comes back out of a stack's outputs, without what is null too", () => {
    const report = reportOf(stack("prod"));
    const withoutNull = JSON.parse(
      JSON.stringify(report),
      (_, value: unknown) => value ?? undefined,
    ) as object;
    assert.deepEqual(reliability.parse(withoutNull), report);
    const outputs = { reliability: withoutNull };
    const resources = [
      { urn: "a", type: "kubernetes:core/v1:Secret" },
      { urn: "b", type: "pulumi:pulumi:Stack", outputs },
    ];
    assert.deepEqual(reportIn(resources), report);
    assert.equal(reportIn([{ urn: "b", type: "pulumi:pulumi:Stack", outputs: {} }]), undefined);
    assert.equal(reportIn([]), undefined);
    const older = { reliability: { ...report, version: 0 } };
    assert.equal(reportIn([{ urn: "b", type: "pulumi:pulumi:Stack", outputs: older }]), undefined);
  });
});

describe("the bounds of pauses", () => {
  /** Longest pauses that docs/failover.md has of a fault, in the part of an engine. */
  const page = read("docs/failover.md");
  const parts = {
    cnpg: page.slice(page.indexOf("## Faults"), page.indexOf("## The Zalando engine")),
    zalando: page.slice(page.indexOf("## The Zalando engine"), page.indexOf("## A standalone server")),
    standalone: page.slice(page.indexOf("## A standalone server")),
  };
  const longest = (engine: keyof typeof parts, fault: string): number => {
    const row = parts[engine].split("\n").find((line) => line.startsWith(`| ${fault} `));
    assert.ok(row !== undefined, `${engine}: ${fault}`);
    const cells = row.split("|").map((text) => text.trim());
    // name, n, direct: median, max, pooled: median, max
    return Math.max(Number(cells[4]), Number(cells[6]));
  };
  const held = {
    cnpg: {
      pod: ["1", "2", "3", "4"],
      node: ["35", "11n"],
      drain: ["34"],
      restart: ["32", "33"],
      poolers: ["18"],
    },
    zalando: {
      pod: ["1", "2", "3", "4"],
      node: ["35", "11n"],
      drain: ["34"],
      restart: ["32", "33"],
      poolers: ["18"],
    },
    standalone: { pod: ["1", "2", "3", "4"], poolers: ["18"] },
  } as const;

  it("hold what was measured, and not much more", () => {
    for (const engine of ["cnpg", "zalando", "standalone"] as const) {
      const pauses = planners[engine].pauses(of(engine));
      for (const [key, faults] of Object.entries(held[engine])) {
        const { seconds, basis } = pauses[key as "pod"];
        const most = Math.max(...faults.map((fault) => longest(engine, fault)));
        assert.equal(basis, "measured", `${engine} ${key}`);
        assert.ok(
          seconds !== undefined && seconds >= most && seconds <= most + 2,
          `${engine} ${key}: ${seconds}, ${most}`,
        );
      }
    }
  });

  it("are never shorter with a more patient profile, and say where they are derived", () => {
    for (const engine of ["cnpg", "zalando"] as const) {
      const [fast, standard, patient] = (["fast", "standard", "patient"] as const).map((failover) =>
        planners[engine].pauses(of(engine, { failover })),
      );
      for (const key of ["pod", "node"] as const) {
        const seconds = [fast, standard, patient].map((one) => one?.[key].seconds ?? NaN);
        assert.deepEqual(
          seconds,
          [...seconds].sort((a, b) => a - b),
          `${engine} ${key}`,
        );
      }
      assert.equal(patient?.node.basis, "derived");
    }
  });

  it("count how long Kubernetes waits for a silent node, beside the built-in cluster", () => {
    const here = of("cnpg");
    const elsewhere = { ...here, platform: "cloud" as const };
    assert.equal(planners.cnpg.pauses(elsewhere).node.seconds, 91);
    assert.equal(planners.cnpg.pauses(elsewhere).node.basis, "derived");
    assert.equal(planners.zalando.pauses(of("zalando")).node.seconds, 29);
  });

  it("aren't given for a single instance, which waits for its node", () => {
    for (const engine of ["cnpg", "zalando"] as const) {
      const { pod, node } = planners[engine].pauses(of(engine, { instances: 1, durability: "async" }));
      assert.deepEqual([pod.basis, node.basis], ["unknown", "hand"]);
    }
    assert.equal(planners.standalone.pauses(of("standalone")).drain.basis, "hand");
    assert.equal(planners.standalone.pauses(of("standalone", { drains: "wait" })).drain.basis, "none");
  });
});

describe("what can be lost", () => {
  const lost = (settings: Settings, id: string, zones?: number) => failureOf(settings, id, zones).loss.kind;

  it("is nothing with zero-loss, and the last commits without", () => {
    assert.equal(lost(of("cnpg"), "pod"), "nothing");
    assert.equal(lost(of("cnpg", { durability: "balanced" }), "pod"), "nothing");
    assert.equal(lost(of("cnpg", { durability: "async" }), "pod"), "last commits");
    assert.equal(lost(of("cnpg", { instances: 1, durability: "async" }), "pod"), "nothing");
  });

  it("is what a restore lacks where no instance is left", () => {
    const alone = { instances: 1, durability: "async" };
    assert.equal(lost(of("cnpg", alone), "node"), "everything");
    const backedUp = checked({
      ...smallest(),
      cluster: { ...smallest().cluster, ...alone },
      backup: { rpoMinutes: 5, targets: [bucket()] },
    });
    const { loss } = failureOf(backedUp, "cluster");
    assert.deepEqual([loss.kind, loss.minutes], ["last minutes", 5]);
    assert.equal(lost(backedUp, "node"), "last minutes");
  });

  it("is everything where the backups are in the same Kubernetes cluster", () => {
    const near = checked({
      ...smallest(),
      backup: { targets: [{ name: "near", kind: "local" }] },
    });
    assert.equal(lost(near, "cluster"), "everything");
    assert.equal(lost(stack("standalone"), "cluster"), "everything");
  });

  it("counts the copy's schedule where the first store is in the Kubernetes cluster", () => {
    const settings = checked({
      ...smallest(),
      backup: {
        rpoMinutes: 2,
        copy: { schedule: "0 * * * *" },
        targets: [{ name: "near", kind: "local" }, bucket()],
      },
    });
    assert.equal(failureOf(settings, "cluster").loss.minutes, 62);
  });

  it("of a zone goes by how many instances one may hold", () => {
    const settings = of("cnpg");
    assert.deepEqual(
      [3, 2, 1].map((zones) => failureOf(settings, "zone", zones).pause.basis),
      ["measured", "hand", "hand"],
    );
    assert.match(failureOf(of("zalando"), "zone").happens, /it may have all instances/);
    const shared = of("cnpg", { spread: "preferred" });
    assert.equal(failureOf(shared, "node").pause.basis, "unknown");
  });

  it("of a store is the history, unless there is a copy", () => {
    assert.equal(lost(stack("prod"), "primary-store"), "nothing");
    assert.equal(lost(stack("dev"), "primary-store"), "backups");
    assert.equal(lost(stack("prod"), "both-stores"), "backups");
    assert.match(failureOf(stack("local"), "primary-store").happens, /there are no backups/);
  });
});

describe("the sums of a report", () => {
  it("are the checks' own", () => {
    for (const name of stacks) {
      const settings = stack(name);
      const { connections, memory } = reportOf(settings);
      assert.equal(connections.needed, connectionBudget(settings).needed);
      for (const { parts, needed, limit } of [connections, memory]) {
        assert.ok(Math.abs(parts.reduce((sum, { amount }) => sum + amount, 0) - needed) <= parts.length);
        assert.ok(needed <= limit, name);
      }
    }
  });

  it("of memory leave shared_buffers out where huge pages have them", () => {
    const { cluster } = checked(everything());
    const parts = memoryParts(memoryOf(cluster), true);
    assert.ok(parts.every(({ text }) => !text.includes("shared_buffers")));
    assert.ok(memoryParts(memoryOf(cluster), false).some(({ text }) => text.includes("shared_buffers")));
  });

  it("of an outage are those of the WAL volume, the other way round", () => {
    fc.assert(
      fc.property(
        fc.integer({ min: 1, max: 2000 }).map((rate) => rate / 100),
        fc.integer({ min: 1, max: 200 }),
        (writeMiBPerSecond, toleratedOutageHours) => {
          const storage = { size: "100Gi", writeMiBPerSecond, toleratedOutageHours };
          const cluster = { postgresVersion: "17" as const, parameters: {}, storage };
          const volume = walVolumeBytes(cluster) ?? 0;
          const hours =
            outageHours({ ...cluster, storage: { ...storage, walSize: `${volume / 2 ** 30}Gi` } }) ?? 0;
          // Whole GiB are more than was asked for.
          const gibibyteHours = 2 ** 30 / (writeMiBPerSecond * 2 ** 20 * 3600);
          assert.ok(hours >= toleratedOutageHours - 1e-6, String(hours));
          assert.ok(hours <= toleratedOutageHours + 2 * gibibyteHours + 1e-6, String(hours));
        },
      ),
    );
  });

  it("of an outage aren't known without a rate, or where the data have the same volume", () => {
    const storage = (more: object) => reportOf(of("cnpg", { storage: { size: "20Gi", ...more } })).wal;
    assert.equal(storage({}).lastsHours, null);
    assert.equal(storage({ walSize: "5Gi" }).lastsHours, null);
    assert.match(storage({ walSize: "5Gi" }).text, /the rate isn't known/);
    assert.ok((storage({ writeMiBPerSecond: 0.1, toleratedOutageHours: 12 }).lastsHours ?? 0) >= 12);
  });
});

describe("what a month costs", () => {
  it("is unknown where a class or a store has no price, and never zero for that", () => {
    const { costs } = reportOf(stack("prod"));
    assert.deepEqual(
      costs.volumes.map(({ monthly }) => monthly),
      [null],
    );
    assert.match(costs.volumes[0]?.note ?? "", /^unknown: no price of the storage class longhorn$/);
    assert.equal(costs.total, null);
    assert.deepEqual(
      costs.backups.map(({ monthly }) => monthly),
      [14.5, 5.8],
    );
  });

  it("is the price of the class times the volumes, with its date", () => {
    const settings = of("cnpg", { storage: { class: "gp3", size: "100Gi", walSize: "20Gi" } });
    const { costs } = reportOf(settings);
    assert.deepEqual(
      costs.volumes.map(({ monthly }) => monthly),
      [24, 4.8],
    );
    assert.equal(costs.total, 28.8);
    assert.match(costs.volumes[0]?.note ?? "", /AWS: 0\.08 USD a GiB and month \(us-east-1, 20\d\d-\d\d\)/);
  });

  it("has a date and a place of every price", () => {
    for (const { asOf, where, usd } of [...Object.values(volumePrices), ...Object.values(storePrices)]) {
      assert.match(asOf, /^20\d\d-(0[1-9]|1[0-2])$/);
      assert.ok(where !== "" && usd > 0);
    }
  });

  it("counts the base backups of the window, the one before it and the one that is made", () => {
    assert.equal(mostBaseBackups({ schedule: "0 2 * * *", recoveryWindowDays: 7 }), 9);
    assert.equal(mostBaseBackups({ schedule: "0 2,14 * * *", recoveryWindowDays: 7 }), 16);
    assert.equal(mostBaseBackups({ schedule: "0 2 * * 0", recoveryWindowDays: 7 }), 3);
  });

  it("says that WAL isn't counted where its rate isn't known", () => {
    assert.match(reportOf(stack("prod")).costs.backups[0]?.what ?? "", /without WAL, whose rate isn't known/);
  });
});

describe("two reports", () => {
  const base = checked(everything());
  const verdicts = (before: Settings, after: Settings) =>
    Object.fromEntries(compared(reportOf(before), reportOf(after)).map(({ id, verdict }) => [id, verdict]));

  it("of the same settings differ in nothing", () => {
    for (const name of stacks) assert.deepEqual(compared(reportOf(stack(name)), reportOf(stack(name))), []);
    assert.deepEqual(differenceLines([]), ["Reliability: nothing gets better or worse."]);
  });

  const cases: readonly [
    what: string,
    before: Settings,
    after: Settings,
    expected: Record<string, string>,
  ][] = [
    [
      "less durability",
      of("cnpg"),
      of("cnpg", { durability: "async" }),
      { "pod.loss": "worse", "node.loss": "worse" },
    ],
    [
      "a patient failover",
      of("cnpg"),
      of("cnpg", { failover: "patient" }),
      { "pod.pause": "worse", "node.pause": "worse" },
    ],
    [
      "one instance",
      of("cnpg", { durability: "async" }),
      of("cnpg", { instances: 1, durability: "async" }),
      { "node.pause": "worse", "node.loss": "worse" },
    ],
    [
      "a WAL volume",
      of("cnpg"),
      of("cnpg", { storage: { size: "2Gi", walSize: "5Gi" } }),
      { outage: "better" },
    ],
    ["fewer connections left", of("cnpg"), of("cnpg", { maxConnections: 50 }), { connections: "worse" }],
    [
      "a shorter window",
      base,
      { ...base, backup: { ...base.backup!, recoveryWindowDays: 3 } },
      { window: "worse" },
    ],
    [
      "no backup",
      base,
      checked(changed(everything(), "backup", undefined)),
      { "cluster.loss": "worse", targets: "worse" },
    ],
    [
      "a single pooler pod",
      base,
      { ...base, poolers: base.poolers.map((one) => ({ ...one, instances: 1 })) },
      { "pooler.pause": "worse" },
    ],
    [
      "larger volumes",
      of("cnpg", { storage: { class: "gp3", size: "2Gi" } }),
      of("cnpg", { storage: { class: "gp3", size: "4Gi" } }),
      { cost: "worse", outage: "better" },
    ],
    [
      "a drain that waits",
      of("standalone"),
      of("standalone", { drains: "wait" }),
      { "drain.pause": "better" },
    ],
  ];
  for (const [what, before, after, expected] of cases)
    it(`tell what ${what} changes, and the contrary the other way round`, () => {
      const [there, back] = [verdicts(before, after), verdicts(after, before)];
      for (const [id, verdict] of Object.entries(expected)) {
        assert.equal(there[id], verdict, `${id}: ${JSON.stringify(there)}`);
        assert.equal(back[id], verdict === "worse" ? "better" : "worse", `${id}: ${JSON.stringify(back)}`);
      }
    });

  it("have the worse first", () => {
    const found = compared(
      reportOf(base),
      reportOf({ ...base, cluster: { ...base.cluster, durability: "async" } }),
    );
    const order = found.map(({ verdict }) => ["worse", "better", "same"].indexOf(verdict));
    assert.deepEqual(order, [...order].sort());
    assert.equal(found[0]?.verdict, "worse");
  });

  it("don't call what has no price dearer or cheaper", () => {
    const [one, other] = [
      of("cnpg", { storage: { class: "gp3", size: "2Gi" } }),
      of("cnpg", { storage: { class: "mine", size: "2Gi" } }),
    ];
    assert.equal(verdicts(one, other).cost, "same");
    assert.equal(verdicts(other, one).cost, "same");
  });

  it("are tables in Markdown whose cells no text can break", () => {
    assert.equal(cell("a | b\n<c> `d` [e](f) *"), "a \\| b \\<c\\> \\`d\\` \\[e\\](f) \\*");
    for (const line of reportMarkdown(reportOf(stack("prod"))).filter((text) => text.startsWith("|")))
      assert.equal(line.replaceAll("\\|", "").split("|").length, 7, line);
  });
});

describe("`pgp report`", () => {
  let folder: string;
  beforeEach(() => (folder = mkdtempSync(join(tmpdir(), "pgp-report-"))));
  afterEach(() => rmSync(folder, { recursive: true }));

  const write = (name: string, input: SettingsInput): string => {
    const file = join(folder, name);
    const config = Object.fromEntries(
      Object.entries(input).map(([key, value]) => [`pgplatform:${key}`, value as unknown]),
    );
    writeFileSync(file, stringify({ config }));
    return file;
  };

  it("compares with the settings of another folder, or of a file", async () => {
    const file = write("Pulumi.local.yaml", changed(smallest(), "cluster.durability", "async"));
    for (const against of [folder, file]) {
      const { differences } = await readReports("local", { plan: true, against });
      assert.equal(differences?.find(({ id }) => id === "pod.loss")?.verdict, "better", against);
      reported.parse({ ...(await readReports("local", { plan: true, against })).report, differences });
    }
  });

  it("refuses what it can't compare with, in a sentence", async () => {
    await assert.rejects(readReports("local", { plan: true, against: join(folder, "none") }), {
      message: /^--against: ".*none" is not there\. Allowed: .*\. Fix: /,
    });
    await assert.rejects(readReports("local", { plan: false, against: folder }), /Fix: add --plan/);
    await assert.rejects(readReports("local", { plan: true, against: folder }), /has no stack file/);
    const wrong = write("wrong.yaml", changed(smallest(), "cluster.instances", 0));
    await assert.rejects(readReports("local", { plan: true, against: wrong }), /cluster\.instances/);
  });

  it("needs no key to a bucket for a plan", async () => {
    const { report } = await readReports("prod", { plan: true, against: join(__dirname, "..", "..") });
    assert.ok("settings" in check(rawSettings(stackConfig("prod"), "postgres-platform")));
    assert.equal(report.engine, "zalando");
  });
});
