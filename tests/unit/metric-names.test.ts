import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { alerts, alertsOf, ruleOf } from "../../plan/monitoring/alerts";
import { metrics } from "../../plan/monitoring/catalogue";
import { interpolate, panelQueries } from "../../plan/monitoring/dashboards";
import { exporterMetrics } from "../../plan/monitoring/exporter";
import { kubeletMetrics, operatorMetrics, stateMetrics } from "../../plan/monitoring/foreignMetrics";
import { poolerMetrics } from "../../plan/monitoring/poolerMetrics";
import { planners } from "../../plan/engines/select";
import { planPlatform } from "../../plan/platform";
import { projectDir } from "../../shell/paths";
import { releasedObjects } from "../support/manifest";
import { checked, everything, smallest } from "../support/settings";

/** Alerts and dashboards may ask for nothing that isn't collected: they would be silent, and empty, for ever. */

const namesIn = (script: string): string[] => {
  const text = readFileSync(join(projectDir, script), "utf8");
  return [...text.matchAll(/^ *gauge (\w+) "/gm)].map(([, name]) => name ?? "");
};

const collected = new Set([
  ...metrics.map(({ name }) => name),
  ...[...poolerMetrics, ...kubeletMetrics, ...operatorMetrics, ...stateMetrics].map(({ name }) => name),
  ...Object.values(exporterMetrics),
  ...namesIn("plan/backup/scripts/watch.sh").map((name) => `pgplatform_backup_${name}`),
  ...namesIn("plan/monitoring/scripts/certificates.sh").map((name) => `pgplatform_certificate_${name}`),
  ...[
    ...readFileSync(join(projectDir, "plan/monitoring/scripts/logins.sh"), "utf8").matchAll(
      /# TYPE (\w+) gauge/g,
    ),
  ].map(([, name]) => name ?? ""),
  "up",
  "ALERTS",
]);

/** Names of metrics in an expression: what stands before braces, or has an underscore as only names of metrics and of labels have. */
function metricsIn(expr: string): string[] {
  const bare = expr
    .replace(/"(?:[^"\\]|\\.)*"/g, '""')
    .replace(/\{[^}]*\}/g, "{}")
    .replace(/\b(by|without|on|ignoring|group_left|group_right)\s*\([^)]*\)/g, " ");
  const called = new Set([...bare.matchAll(/\b(\w+)\s*\(/g)].map(([, name]) => name));
  return [...bare.matchAll(/\b[a-zA-Z_]\w*(?=\{)|\b[a-z]\w*_\w+\b/g)]
    .map(([name]) => name)
    .filter((name) => !called.has(name));
}

const unknown = (expr: string): string[] => metricsIn(expr).filter((name) => !collected.has(name));

describe("what alerts and dashboards ask for", () => {
  it("is collected: alerts", () => {
    const seen = new Set<string>();
    for (const engine of ["cnpg", "zalando", "standalone"] as const) {
      const base = smallest();
      const settings = checked({
        ...base,
        cluster: {
          ...base.cluster,
          engine,
          ...(engine === "standalone" ? { instances: 1, durability: "async" } : { instances: 3 }),
        },
        poolers: [{ name: "app", database: "app" }],
        backup: { targets: [{ name: "near", kind: "local" }] },
        monitoring: { prometheus: "operator", namespace: "monitoring" },
      });
      for (const alert of alertsOf(settings)) {
        seen.add(alert.name);
        assert.deepEqual(unknown(ruleOf(alert, settings).expr), [], `${engine}: ${alert.name}`);
      }
    }
    for (const alert of alertsOf(checked(everything()))) seen.add(alert.name);
    assert.ok(seen.size >= 36 && seen.size <= alerts.length);
  });

  it("is collected: dashboards", () => {
    const queries = panelQueries();
    assert.ok(queries.length >= 50);
    for (const { dashboard, panel, expr } of queries)
      assert.deepEqual(unknown(interpolate(expr, {})), [], `${dashboard}: ${panel}`);
  });

  it("is collected where the stack installs Prometheus: of the kubelets, and of kube-state-metrics", async () => {
    const settings = checked({
      ...smallest(),
      operator: { install: false },
      monitoring: { prometheus: "install" },
    });
    const crds = await releasedObjects("monitoring");
    const plan = planPlatform(
      settings,
      () => [],
      planners.cnpg,
      () => crds,
    );
    const texts = JSON.stringify(plan.monitoring?.objects.map(({ object }) => object));
    const kept = [...texts.matchAll(/\\"regex\\": \\"([a-z_|()?]+)\\",\\n +\\"action\\": \\"keep/g)].map(
      ([, regex]) => new RegExp(`^(?:${regex})$`),
    );
    for (const { name } of kubeletMetrics)
      assert.ok(
        kept.some((regex) => regex.test(name)),
        name,
      );
    const resources = /--resources=([a-z,]+)/.exec(texts)?.[1]?.split(",") ?? [];
    for (const { name } of stateMetrics) {
      const [, resource] = /^kube_([a-z]+)_/.exec(name) ?? [];
      assert.ok(resources.includes(`${resource}s`), name);
    }
    assert.match(texts, /--namespaces=[a-z,-]*cnpg-system/, "the operator's Deployment is counted");
  });

  it("would be found if it weren't", () => {
    assert.deepEqual(unknown('sum by (a_b) (rate(nothing_total{x="up_b"}[5m])) / up'), ["nothing_total"]);
    assert.deepEqual(unknown("nothing{} > 1"), ["nothing"]);
  });
});
