import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { promtool } from "../../local/toolchain/prometheusTools";
import { alertsOf, ruleGroups, ruleOf, type Alert, type Rule } from "../../plan/monitoring/alerts";
import type { Settings, SettingsInput } from "../../settings/schema";
import { run } from "../../shell/process";
import { changed, checked, smallest } from "../support/settings";
import type { Case, Engine, Fires, Pair, Series } from "./case";

const target = (name: string, endpoint: string) => ({
  name,
  kind: "s3" as const,
  bucket: `shop-${name}`,
  endpoint,
  credentials: { accessKeyId: `key of ${name}`, secretAccessKey: "a secret key" },
});

/** Settings by which every alert of an engine applies. */
export function settingsOf(engine: Engine, change: Readonly<Record<string, unknown>> = {}): Settings {
  const several = engine !== "standalone";
  const all: Readonly<Record<string, unknown>> = {
    "cluster.engine": engine,
    "cluster.instances": several ? 3 : 1,
    "cluster.durability": several ? "zero-loss" : "async",
    "cluster.storage.size": "20Gi",
    ...(engine !== "zalando" && { "cluster.storage.walSize": "4Gi" }),
    poolers: [{ name: "app", database: "app", serverConnections: 40 }],
    backup: {
      targets: [target("far", "https://one.example.com"), target("copy", "https://two.example.net")],
      verify: { dump: true },
    },
    "rotation.credentialVersion": 2,
    "monitoring.prometheus": "operator",
    "monitoring.namespace": "monitoring",
    ...change,
  };
  const input = Object.entries(all).reduce<SettingsInput>(
    (settings, [path, value]) => changed(settings, path, value),
    smallest(),
  );
  return checked(input);
}

/** A file of promtool's unit tests, and the file of the rules that it is about. */
interface Files {
  readonly name: string;
  readonly groups: object;
  readonly tests: object;
  /** How often Prometheus looks. @default 1m */
  readonly every?: string;
}

const minutes = (count: number): string => `${count}m`;

interface Expectation {
  readonly eval_time: string;
  readonly alertname: string;
  readonly exp_alerts: readonly object[];
}

const input = (series: Series): object[] =>
  Object.entries(series).map(([name, values]) => ({ series: name, values }));

/** What the case expects: an alert when it has been so for long enough, and none a minute earlier. */
function expected(
  { alert: alertname, for: during = "0s", labels, annotations }: Rule,
  one: Case | Fires,
  prefix: string,
): Expectation[] {
  const at = (one.from ?? 0) + parseInt(during) / 60;
  if (!("summary" in one)) return [{ eval_time: minutes(at), alertname, exp_alerts: [] }];
  const fired = {
    exp_labels: { ...labels, ...one.labels },
    exp_annotations: {
      ...annotations,
      summary: `${prefix}: ${one.summary}`,
    },
  };
  return [
    ...(at > 0 && one.always !== true ? [{ eval_time: minutes(at - 1), alertname, exp_alerts: [] }] : []),
    { eval_time: minutes(at), alertname, exp_alerts: [fired] },
  ];
}

/** One file for each case: thresholds may be its own. */
export function filesOf(
  alert: Alert,
  pair: Pair,
  engine: Engine,
  change: Readonly<Record<string, unknown>> = {},
): Files[] {
  const cases: Readonly<Record<string, Case | Fires>> = {
    fires: pair.fires(engine),
    quiet: pair.quiet(engine),
    ...Object.fromEntries(
      (pair.more ?? []).map((more) => {
        const one = more(engine);
        return [one.title.replaceAll(" ", "-"), one];
      }),
    ),
  };
  const settings = settingsOf(engine, change);
  const common = ruleOf(alert, settings);
  return Object.entries(cases).map(([name, one]) => {
    const rule = one.change ? ruleOf(alert, settingsOf(engine, { ...change, ...one.change })) : common;
    return {
      name: `${alert.name}-${engine}-${name}`,
      groups: [{ name: alert.name, rules: [rule] }],
      tests: [
        {
          interval: "1m",
          input_series: input(one.series),
          alert_rule_test: expected(rule, one, "postgres/main"),
        },
      ],
    };
  });
}

/** That with these series no alert of a platform fires at these minutes, whatever the `expected` ones do. */
export const silence = (
  name: string,
  settings: Settings,
  series: Series,
  at: readonly number[],
  expected: readonly string[] = [],
  every = "5m",
): Files => ({
  name,
  every,
  groups: ruleGroups(settings),
  tests: [
    {
      interval: "1m",
      input_series: input(series),
      alert_rule_test: at.flatMap((minute) =>
        alertsOf(settings)
          .filter((alert) => !expected.includes(alert.name))
          .map((alert) => ({ eval_time: minutes(minute), alertname: alert.name, exp_alerts: [] })),
      ),
    },
  ],
});

/** What promtool says against these rules, or these tests; empty when it says nothing. */
export async function judge(
  what: "check" | "test",
  files: readonly (Omit<Files, "tests"> & Partial<Files>)[],
): Promise<string> {
  const folder = mkdtempSync(join(tmpdir(), "pgp-alerts-"));
  try {
    const names = files.map(({ name, groups, tests, every = "1m" }) => {
      const rules = join(folder, `${name}.rules.json`);
      writeFileSync(rules, JSON.stringify({ groups }));
      if (what === "check") return rules;
      const file = join(folder, `${name}.json`);
      writeFileSync(file, JSON.stringify({ rule_files: [rules], evaluation_interval: every, tests }));
      return file;
    });
    const { exitCode, stdout, stderr } = await run(
      await promtool(),
      [what, "rules", ...(what === "check" ? ["--lint-fatal"] : []), ...names],
      { allowFailure: true, timeoutMs: 120_000 },
    );
    if (exitCode === 0) return "";
    return (
      `${stdout}\n${stderr}`
        .replaceAll(folder, "")
        .replace(/Unit Testing:.*\n\s+SUCCESS\n*/g, "")
        .trim() || `it ended with ${exitCode}`
    );
  } finally {
    rmSync(folder, { recursive: true });
  }
}
