import assert from "node:assert/strict";
import { check, sentence } from "../../checks";
import { durationText, secondsOfDuration, shareOf } from "../../settings/duration";
import { changed, smallest } from "../support/settings";

const target = { name: "near", kind: "local" };

/** What the check says of thresholds, beside other settings. */
function said(thresholds: object, others: Readonly<Record<string, unknown>> = {}): string[] {
  const input = Object.entries({
    "monitoring.prometheus": "operator",
    "monitoring.namespace": "monitoring",
    poolers: [{ name: "app", database: "app" }],
    backup: { targets: [target] },
    ...others,
    "monitoring.thresholds": thresholds,
  }).reduce<unknown>((settings, [path, value]) => changed(settings, path, value), smallest());
  const result = check(input);
  return "problems" in result ? result.problems.map(sentence) : [];
}

const allowed = (name: string, value: unknown, what: string): string =>
  `pgplatform:monitoring.thresholds.${name}: ${JSON.stringify(value)} is not allowed. Allowed: ${what}`;

describe("thresholds of alerts, as settings", () => {
  const durations = "such as 24h. Fix: write a whole number and its unit, s, m, h or d, such as 24h.";
  const percents = "such as 80%. Fix: write a number and a percent sign, such as 80%.";
  const wrongUnit: readonly (readonly [string, unknown, string])[] = [
    ["volumeFull", 24, `a duration from 1h to 30d, ${durations}`],
    ["volumeFull", "24", `a duration from 1h to 30d, ${durations}`],
    ["volumeFull", "85%", `a duration from 1h to 30d, ${durations}`],
    ["volumeFull", "24Gi", `a duration from 1h to 30d, ${durations}`],
    ["volumeFull", "1.5h", `a duration from 1h to 30d, ${durations}`],
    ["volumeFull", "1d12h", `a duration from 1h to 30d, ${durations}`],
    ["volumeFull", "24 h", `a duration from 1h to 30d, ${durations}`],
    ["volumeFull", "0h", `a duration from 1h to 30d, ${durations}`],
    ["volumeFull", "59m", `a duration from 1h to 30d, ${durations}`],
    ["volumeFull", "31d", `a duration from 1h to 30d, ${durations}`],
    ["eventWindow", "1m", `a duration from 2m to 7d, ${durations.replaceAll("24h", "15m")}`],
    ["eventWindow", 15, `a duration from 2m to 7d, ${durations.replaceAll("24h", "15m")}`],
    ["connectionsHigh", 80, `a percentage from 1% to 99%, ${percents}`],
    ["connectionsHigh", 0.8, `a percentage from 1% to 99%, ${percents}`],
    ["connectionsHigh", "0.8", `a percentage from 1% to 99%, ${percents}`],
    ["connectionsHigh", "100%", `a percentage from 1% to 99%, ${percents}`],
    ["connectionsHigh", "5m", `a percentage from 1% to 99%, ${percents}`],
    ["deadlocks", "5m", "a whole number from 0 to 100000. Fix: choose an allowed value."],
    ["deadlocks", -1, "a whole number from 0 to 100000. Fix: choose an allowed value."],
    [
      "slotWal",
      "4h",
      "a Kubernetes quantity of bytes such as 4Gi. Fix: write a number and a unit, such as 4Gi.",
    ],
  ];
  for (const [name, value, what] of wrongUnit)
    it(`are refused in another unit: ${name} = ${JSON.stringify(value)}`, () =>
      assert.deepEqual(said({ [name]: value }), [allowed(name, value, what)]));

  it("are taken in their own", () =>
    assert.deepEqual(
      said({
        volumeFull: "48h",
        volumeFullSoon: "90m",
        connectionsHigh: "72.5%",
        deadlocks: 0,
        slotWal: "4Gi",
        backupAge: "2d",
        verificationAge: "15d",
        poolerWait: "1s",
        replicationLag: "90s",
      }),
      [],
    ));

  it("are refused by a misspelt name, with the one that is meant", () =>
    assert.match(said({ volumesFull: "24h" })[0] ?? "", /no such setting .*did you mean volumeFull\?/));

  it("warn before they are critical", () => {
    const order = (name: string, value: string, warning: string, critical: string) =>
      allowed(
        name,
        value,
        `a value by which ${warning} warns before ${critical} is critical. Fix: change one of the two.`,
      );
    assert.deepEqual(said({ connectionsHigh: "95%" }), [
      order("connectionsHigh", "95%", "connectionsHigh", "connectionsFull"),
    ]);
    assert.deepEqual(said({ connectionsFull: "80%" }), [
      order("connectionsFull", "80%", "connectionsHigh", "connectionsFull"),
    ]);
    assert.deepEqual(said({ volumeFullSoon: "24h" }), [
      order("volumeFullSoon", "24h", "volumeFull", "volumeFullSoon"),
    ]);
    assert.deepEqual(said({ certificate: "1d" }), [
      order("certificate", "1d", "certificate", "certificateSoon"),
    ]);
    assert.deepEqual(said({ wraparoundRisk: "20%" }), [
      order("wraparoundRisk", "20%", "wraparoundHigh", "wraparoundRisk"),
    ]);
  });

  it("don't fire at the end of each healthy pause", () => {
    const pause = (name: string, value: string, text: string, of: string) =>
      allowed(
        name,
        value,
        `more than ${text}, the longest pause of ${of}, at the end of which it would fire each time. Fix: raise it, or run that more often.`,
      );
    assert.deepEqual(said({ backupAge: "24h" }), [pause("backupAge", "24h", "1d", "backup.schedule")]);
    assert.deepEqual(said({ backupAge: "24h" }, { "backup.schedule": "0 */6 * * *" }), []);
    assert.deepEqual(said({ verificationAge: "7d" }), [
      pause("verificationAge", "7d", "7d", "backup.verify.schedule"),
    ]);
  });

  it("don't look further back than an installed Prometheus keeps", () => {
    const kept = (verificationAge: string, retentionDays: number, more: object = {}) =>
      said(
        { verificationAge },
        {
          "monitoring.prometheus": "install",
          "monitoring.install": { retentionDays },
          ...more,
        },
      );
    assert.deepEqual(kept("15d", 16), []);
    assert.deepEqual(kept("15d", 15), [
      "pgplatform:monitoring.install.retentionDays: 15 is not allowed. Allowed: more than 15d, by which NeverVerified looks back: monitoring.thresholds.verificationAge, or what follows from backup.verify.schedule. Fix: raise it, or verify more often.",
    ]);
    assert.equal(kept("40d", 32, { "backup.verify.schedule": "0 5 1 * *" }).length, 1);
  });

  it("are refused where no alert has them", () => {
    const none = (name: string, value: unknown, why: string, fix: string) =>
      `pgplatform:monitoring.thresholds.${name}: must not be set (${JSON.stringify(value)}): ${why}. Fix: ${fix}.`;
    assert.deepEqual(said({ deadlocks: 1 }, { "monitoring.prometheus": "none" }), [
      'pgplatform:monitoring.thresholds: must not be set without alerts ({"deadlocks":1}): monitoring.prometheus is none, or monitoring.rules false. Fix: choose how Prometheus finds the metrics, or leave it out.',
    ]);
    assert.equal(said({ deadlocks: 1 }, { "monitoring.rules": false }).length, 1);
    assert.deepEqual(said({ backupAge: "2d" }, { backup: undefined }), [
      none("backupAge", "2d", "there is no backup", "add backup, or leave it out"),
    ]);
    assert.deepEqual(said({ copyAge: "2h" }), [
      none("copyAge", "2h", "there is no second target", "add one, or leave it out"),
    ]);
    assert.deepEqual(said({ poolerUsed: "80%" }, { poolers: [] }), [
      none("poolerUsed", "80%", "poolers is empty", "add a pooler, or leave it out"),
    ]);
    assert.deepEqual(said({ backendWrites: "80%" }, { "cluster.postgresVersion": "15" }), [
      none("backendWrites", "80%", "PostgreSQL 15 doesn't count them", "leave it out"),
    ]);
    assert.deepEqual(said({ reconcileErrors: 5 }, { "cluster.engine": "zalando" }), [
      none("reconcileErrors", 5, "the engine zalando has no operator that counts them", "leave it out"),
    ]);
  });

  it("have their pages at an address or a path", () => {
    const at = (runbooks: unknown) => {
      const input = changed<unknown>(smallest(), "monitoring.runbooks", runbooks);
      const result = check(input);
      return "problems" in result ? result.problems.map(sentence) : [];
    };
    for (const good of ["docs/runbooks", "https://wiki.example.com/pages/runbooks", "http://wiki.shop.svc/r"])
      assert.deepEqual(at(good), [], good);
    for (const bad of ["https://wiki.example.com/", "ftp://x/y", "", "a b", '{{ "x" }}', 7])
      assert.equal(at(bad).length, 1, String(bad));
  });
});

describe("durations and shares", () => {
  it("are read with their unit", () => {
    for (const [text, seconds] of [
      ["1s", 1],
      ["90s", 90],
      ["15m", 900],
      ["24h", 86_400],
      ["7d", 604_800],
    ] as const)
      assert.equal(secondsOfDuration(text), seconds);
    for (const text of ["", "1", "s", "0s", "01s", "1w", "1S", "-1s", "1e3s"])
      assert.equal(secondsOfDuration(text), undefined, text);
    assert.deepEqual(["85%", "99.9%", "12.35%", "0%", "100%"].map(shareOf), [0.85, 0.999, 0.1235, 0, 1]);
    for (const text of ["85", "0.85", "%", "1000%", "-1%", "5 %"])
      assert.equal(shareOf(text), undefined, text);
  });

  it("are written in the greatest unit that fits", () =>
    assert.deepEqual([1, 90, 120, 5400, 7200, 86_400, 90_000].map(durationText), [
      "1s",
      "90s",
      "2m",
      "90m",
      "2h",
      "1d",
      "25h",
    ]));
});
