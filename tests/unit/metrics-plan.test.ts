import assert from "node:assert/strict";
import { planners } from "../../plan/engines/select";
import { planPlatform, type PlatformPlan } from "../../plan/platform";
import { selectedLabels } from "../../plan/monitoring/install/names";
import { monitor } from "../../plan/monitoring/names";
import type { KubernetesObject } from "../../plan/objects";
import type { SettingsInput } from "../../settings/schema";
import { validatorOf } from "../support/crd";
import { releasedObjects } from "../support/manifest";
import { collectedInput, type Engine, engines } from "../support/collected";
import { changed, checked } from "../support/settings";

/** What a Prometheus is told of a cluster, as objects. */

interface Pod {
  automountServiceAccountToken: boolean;
  securityContext: { runAsNonRoot: boolean };
  containers: {
    resources: { limits: { memory: string } };
    securityContext: object;
    volumeMounts: { name: string }[];
  }[];
  volumes: { name: string; secret?: { secretName: string; items: { key: string; path: string }[] } }[];
}

describe("what a Prometheus is told of a cluster", () => {
  let prometheusCrds: KubernetesObject[];
  const released = new Map<Engine, KubernetesObject[]>();
  before(async () => {
    prometheusCrds = await releasedObjects("monitoring");
    for (const engine of engines) released.set(engine, await releasedObjects(engine));
  });

  const planned = (engine: Engine, monitoring: SettingsInput["monitoring"]): PlatformPlan =>
    planPlatform(
      checked(collectedInput(engine, monitoring)),
      () => released.get(engine) ?? [],
      planners[engine],
      () => prometheusCrds,
    );
  const objectsOf = (engine: Engine, monitoring: SettingsInput["monitoring"]): KubernetesObject[] =>
    planned(engine, monitoring).metrics.map(({ object }) => object);
  const names = (objects: readonly KubernetesObject[], kind: string): string[] =>
    objects.filter((one) => one.kind === kind).map(({ metadata }) => metadata.name);

  const operator = { prometheus: "operator", namespace: "monitoring" } as const;

  it("is nothing where no Prometheus is told, and no pod then says when certificates end", () => {
    for (const engine of engines) {
      assert.deepEqual(objectsOf(engine, {}), []);
      const { flows } = planned(engine, { namespace: "monitoring" });
      assert.ok(!flows.some(({ name }) => name === "metrics-monitor"));
    }
  });

  it("has a monitor for each kind of pod with a Prometheus Operator, none without, and then a file in its place", () => {
    for (const engine of engines) {
      const expected = [
        "backups",
        "instances",
        "monitor",
        "poolers",
        ...(engine === "cnpg" ? ["operator"] : []),
      ];
      const monitors = expected.map((one) => `main-${one}`).sort();
      for (const prometheus of ["operator", "install"] as const) {
        const objects = objectsOf(engine, { prometheus, namespace: "monitoring" });
        assert.deepEqual(names(objects, "PodMonitor").sort(), monitors);
        assert.ok(!names(objects, "ConfigMap").includes("main-prometheus"));
      }
      const objects = objectsOf(engine, { prometheus: "annotations", namespace: "monitoring" });
      assert.deepEqual(names(objects, "PodMonitor"), []);
      assert.ok(names(objects, "ConfigMap").includes("main-prometheus"));
    }
  });

  it("has the labels by which a Prometheus selects: the settings', and that of the one that is installed", () => {
    const labelsOf = (prometheus: "operator" | "install") =>
      objectsOf("cnpg", { prometheus, namespace: "monitoring", labels: { release: "x" } })
        .filter(({ kind }) => kind === "PodMonitor")
        .map(({ metadata }) => metadata.labels);
    // An installed Prometheus takes those of other stacks, too.
    for (const labels of [...labelsOf("operator"), ...labelsOf("install")])
      assert.deepEqual(labels, {
        release: "x",
        ...selectedLabels,
        "pgplatform.io/cluster": "main",
      });
  });

  it("holds to the released CRDs", async () => {
    const validator = await validatorOf("monitoring");
    let seen = 0;
    for (const engine of engines)
      for (const object of objectsOf(engine, operator).filter(({ apiVersion }) =>
        apiVersion.startsWith("monitoring.coreos.com"),
      )) {
        assert.deepEqual(validator.problems(object), [], object.metadata.name);
        seen++;
      }
    assert.ok(seen >= 13);
    const [good] = objectsOf("cnpg", operator).filter(({ kind }) => kind === "PodMonitor");
    assert.ok(good);
    assert.notDeepEqual(validator.problems(changed(good, "spec.selector", undefined)), []);
  });

  it("leaves dashboards out where they aren't wanted", () => {
    const all = names(objectsOf("cnpg", operator), "ConfigMap").filter((name) => name.includes("dashboard"));
    assert.ok(all.length >= 8);
    const without = objectsOf("cnpg", { ...operator, dashboards: false });
    assert.deepEqual(names(without, "ConfigMap"), ["main-monitor"]);
    assert.equal(objectsOf("cnpg", operator).length - without.length, all.length);
  });

  it("has fields of the user's own laid over it", () => {
    const plan = planPlatform(
      checked({
        ...collectedInput("standalone", operator),
        transform: {
          monitoring: {
            PodMonitor: { metadata: { annotations: { "example.com/note": "x" } } },
            "scrape-poolers": { spec: { sampleLimit: 2000 } },
          },
        },
      }),
      () => [],
    );
    const monitors = plan.metrics.filter(({ object }) => object.kind === "PodMonitor");
    for (const { object } of monitors) assert.equal(object.metadata.annotations?.["example.com/note"], "x");
    const limited = monitors.filter(
      ({ object }) => (object.spec as { sampleLimit?: number }).sampleLimit === 2000,
    );
    assert.deepEqual(
      limited.map(({ id }) => id),
      ["scrape-poolers"],
    );
  });

  for (const engine of engines)
    it(`reads certificates in a pod that has no private key, no token and no right: ${engine}`, () => {
      const { metrics, cluster } = planned(engine, operator);
      const deployment = metrics.find(({ id }) => id === "monitor")?.object;
      const { spec } = (deployment?.spec as { template: { spec: Pod } }).template;
      assert.equal(spec.automountServiceAccountToken, false);
      assert.equal(spec.securityContext.runAsNonRoot, true);
      for (const { securityContext } of spec.containers)
        assert.deepEqual(securityContext, {
          allowPrivilegeEscalation: false,
          readOnlyRootFilesystem: true,
          capabilities: { drop: ["ALL"] },
        });
      const { ca, server } = cluster.tls;
      const secrets = spec.volumes.flatMap(({ secret }) => (secret ? [secret] : []));
      assert.deepEqual(
        secrets.map(({ secretName, items }) => [secretName, items.map(({ key }) => key)]),
        [
          // Of a role that may do next to nothing.
          ["main-health", ["password"]],
          [server.secretName, [server.certificateKey]],
          [ca.secretName, [ca.key]],
        ],
      );
      assert.ok(!JSON.stringify(spec).includes(server.privateKeyKey));
      const [reader, logins, web] = spec.containers;
      assert.ok(!reader?.volumeMounts.some(({ name }) => name === "login"));
      assert.ok(logins?.volumeMounts.some(({ name }) => name === "login"));
      assert.ok(reader?.volumeMounts.some(({ name }) => name === "server"));
      // What is on the network sees what the script said, and nothing else.
      assert.deepEqual(
        web?.volumeMounts.map(({ name }) => name),
        ["state", "tmp"],
      );
    });

  it("lets monitoring's namespace read it all, and of one that is installed Prometheus alone", () => {
    for (const engine of engines) {
      const reading = (monitoring: SettingsInput["monitoring"]) =>
        planned(engine, monitoring).flows.filter(({ name }) => name.startsWith("metrics-"));
      const open = reading(operator);
      assert.deepEqual(open.map(({ name, port }) => `${name} ${port}`).sort(), [
        "metrics-backups 9189",
        "metrics-instances 9187",
        `metrics-monitor ${monitor.port}`,
        "metrics-pooler-app 9127",
      ]);
      for (const { from } of open) assert.deepEqual(from, { kind: "namespace", namespace: "monitoring" });
      const narrow = reading({ prometheus: "install" });
      assert.equal(narrow.length, open.length);
      for (const { from } of narrow)
        assert.ok(from.kind === "pods" && from.namespace === "monitoring" && from.name === "prometheus");
    }
  });
});
