import assert from "node:assert/strict";
import { planPlatform } from "../../plan/platform";
import type { SettingsInput } from "../../settings/schema";
import { UserError } from "../../shell/userError";
import { checked, smallest } from "../support/settings";
import { shortObjects } from "../support/manifest";

const withTransform = (transform: SettingsInput["transform"], more: Partial<SettingsInput> = {}) => {
  const pooled = { poolers: [{ name: "app", database: "app" }], ...more };
  return checked({ ...smallest(), ...pooled, ...(transform && { transform }) });
};

describe("the setting transform", () => {
  it("lays fields over objects by id and by kind, in every child", async () => {
    const released = await shortObjects("cnpg");
    const note = { metadata: { annotations: { "example.com/note": "x" } } };
    const targets = [
      { name: "near", kind: "local" as const },
      { name: "far", kind: "local" as const },
    ];
    const plan = planPlatform(
      withTransform(
        {
          operator: { Deployment: note },
          cluster: { cluster: { spec: { logLevel: "debug" } } },
          poolers: { deployment: { spec: { replicas: 5 } }, Service: note },
          backup: { CronJob: { spec: { suspend: true } } },
          network: { "deny-all": note },
        },
        { backup: { targets } },
      ),
      () => released,
    );
    const annotated = (objects: readonly { object: { metadata: { annotations?: object } } }[]) =>
      objects.filter(({ object }) => "example.com/note" in (object.metadata.annotations ?? {})).length;
    assert.equal(annotated(plan.operator?.objects ?? []), 2, "the operator and its plugin");
    assert.equal(annotated(plan.networkPolicies), 1);
    const [pooler] = plan.poolers;
    assert.equal(annotated(pooler?.objects ?? []), 2, "its Service and that of its pods");
    const deployment = pooler?.objects.find(({ id }) => id === "deployment")?.object.spec as {
      replicas: number;
    };
    assert.equal(deployment.replicas, 5);
    const cluster = plan.cluster.objects.find(({ id }) => id === "cluster")?.object.spec as object;
    assert.equal((cluster as { logLevel?: string }).logLevel, "debug");
    assert.ok(Object.keys(cluster).length > 5, "what is planned stays");
    const jobs = plan.backups.filter(({ object }) => object.kind === "CronJob");
    assert.ok(jobs.length > 1);
    for (const { object } of jobs) assert.equal((object.spec as { suspend?: boolean }).suspend, true);
  });

  it("refuses, all at once, what names no object, and what would rename one", () => {
    const settings = withTransform(
      {
        cluster: { clutser: { spec: {} } },
        poolers: { Deployment: { metadata: { name: "other" } } },
        backup: { CronJob: { spec: {} } },
      },
      { operator: { install: false } },
    );
    assert.throws(
      () => planPlatform(settings, () => []),
      (error: unknown) => {
        assert.ok(error instanceof UserError);
        assert.equal(error.problems.length, 3, error.message);
        assert.match(
          error.message,
          /transform\.cluster\.clutser names no object\. Allowed: .*\bcluster\b.*\. Fix: name one of them\./,
        );
        assert.match(error.message, /transform\.poolers\.Deployment\.metadata\.name must not be set/);
        assert.match(error.message, /transform\.backup\.CronJob names no object/);
        return true;
      },
    );
  });

  it("knows the objects of all poolers, of which some have more", () => {
    const plan = planPlatform(
      withTransform(
        { poolers: { HorizontalPodAutoscaler: { spec: { maxReplicas: 7 } } } },
        {
          operator: { install: false },
          poolers: [
            { name: "app", database: "app", autoscaling: { maxInstances: 4 } },
            { name: "reports", database: "app" },
          ],
        },
      ),
      () => [],
    );
    const of = (name: string) => plan.poolers.find((one) => one.name === name)?.objects ?? [];
    const scaler = of("app").find(({ object }) => object.kind === "HorizontalPodAutoscaler");
    assert.equal((scaler?.object.spec as { maxReplicas?: number }).maxReplicas, 7);
    assert.ok(!of("reports").some(({ object }) => object.kind === "HorizontalPodAutoscaler"));
  });

  it("refuses a part that these settings plan nothing of", () => {
    const settings = withTransform(
      { operator: { Deployment: { spec: {} } } },
      { operator: { install: false }, poolers: [] },
    );
    assert.throws(
      () => planPlatform(settings, () => []),
      /^UserError: pgplatform:transform\.operator has no object to change: these settings plan none\. Fix: remove it\.$/,
    );
  });
});
