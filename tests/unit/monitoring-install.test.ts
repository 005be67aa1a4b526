import assert from "node:assert/strict";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { coerce } from "semver";
import { amtool, promtool } from "../../local/toolchain/prometheusTools";
import { planners } from "../../plan/engines/select";
import { stackImages } from "../../plan/images";
import { selectedLabels } from "../../plan/monitoring/install/names";
import type { MonitoringPlan } from "../../plan/monitoring/install/plan";
import { versions } from "../../plan/monitoring/install/workloads";
import type { KubernetesObject } from "../../plan/objects";
import { planPlatform, type PlatformPlan } from "../../plan/platform";
import { pins } from "../../releases/pins";
import { bytesOf } from "../../settings/quantity";
import type { SettingsInput } from "../../settings/schema";
import { run } from "../../shell/process";
import { type CrdValidator, validatorOf } from "../support/crd";
import { releasedObjects } from "../support/manifest";
import { checked, smallest } from "../support/settings";

type Engine = keyof typeof planners;
type Install = NonNullable<NonNullable<SettingsInput["monitoring"]>["install"]>;

const receivers: NonNullable<Install["receivers"]> = [
  { name: "hook", kind: "webhook", url: "https://alerts.example.com:8443/in", bearerToken: "a secret token" },
  {
    name: "inside",
    kind: "webhook",
    url: "http://sink.tools.svc/alerts",
    pods: { namespace: "tools", labels: { app: "sink" }, port: 8080 },
    severities: ["none"],
  },
  {
    name: "mail",
    kind: "email",
    to: "dba@example.com",
    from: "alerts@example.com",
    smtp: "smtp.example.com:587",
    username: "alerts",
    password: "a secret password",
  },
  { name: "chat", kind: "slack", webhookUrl: "https://hooks.example.com/secret", channel: "#db" },
  {
    name: "pager",
    kind: "pagerduty",
    routingKey: "a secret routing key",
    severities: ["critical"],
    resolved: false,
  },
];

const inputOf = (install: Install = {}, engine: Engine = "cnpg", more: Partial<SettingsInput> = {}) => ({
  ...smallest(),
  cluster: {
    ...smallest().cluster,
    engine,
    ...(engine === "standalone" && { instances: 1, durability: "async" }),
  },
  poolers: [{ name: "app", database: "app" }],
  monitoring: { prometheus: "install" as const, install },
  ...more,
});

const every = Object.keys(planners) as Engine[];

describe("what monitoring.prometheus: install plans", () => {
  let released: KubernetesObject[];
  let validator: CrdValidator;
  before(async () => {
    released = await releasedObjects("monitoring");
    validator = await validatorOf("monitoring");
  });

  const platformOf = (...of: Parameters<typeof inputOf>): PlatformPlan =>
    planPlatform(
      checked(inputOf(...of)),
      () => [],
      planners[of[1] ?? "cnpg"],
      () => released,
    );
  const planOf = (...of: Parameters<typeof inputOf>): MonitoringPlan => {
    const { monitoring } = platformOf(...of);
    assert.ok(monitoring);
    return monitoring;
  };
  const objectOf = ({ objects }: MonitoringPlan, id: string): Record<string, unknown> => {
    const found = objects.find((one) => one.id === id);
    assert.ok(found, id);
    return found.object;
  };
  const withoutOperator = { operator: { install: false } };

  it("is nothing where the settings don't ask for it", () => {
    for (const prometheus of ["none", "annotations", "operator"] as const) {
      const settings = checked({ ...smallest(), monitoring: { prometheus, namespace: "monitoring" } });
      assert.equal(
        planPlatform(
          settings,
          () => [],
          planners.cnpg,
          () => released,
        ).monitoring,
        undefined,
      );
    }
  });

  for (const engine of every)
    it(`is the same for every engine but for rights and labels, and fits the released CRDs: ${engine}`, () => {
      const { objects, namespace } = planOf({ receivers }, engine, withoutOperator);
      assert.equal(namespace.name, "monitoring");
      assert.equal(namespace.labels["pod-security.kubernetes.io/enforce"], "restricted");
      const own = objects.filter(({ object }) => object.apiVersion.startsWith("monitoring.coreos.com/"));
      assert.deepEqual([...new Set(own.map(({ object }) => object.kind))].sort(), [
        "Alertmanager",
        "PodMonitor",
        "Prometheus",
        "PrometheusRule",
      ]);
      for (const { id, object } of own) assert.deepEqual(validator.problems(object), [], id);
      const operatorNamespace = planners[engine].operatorNamespace;
      assert.deepEqual(
        [...new Set(objects.map(({ object }) => object.metadata.namespace ?? ""))].sort(),
        [
          "",
          "monitoring",
          "postgres",
          ...(operatorNamespace === undefined ? [] : [operatorNamespace]),
        ].sort(),
      );
      const ids = objects.map(({ id }) => id);
      assert.equal(new Set(ids).size, ids.length);
    });

  it("makes CRDs before what uses them, and keeps them when the stack goes", () => {
    const { objects } = planOf();
    const crds = objects.filter(({ object }) => object.kind === "CustomResourceDefinition");
    assert.equal(crds.length, 7);
    assert.ok(crds.every(({ stage, retain }) => stage === 0 && retain !== undefined));
    const custom = objects.filter(({ object }) => object.apiVersion.startsWith("monitoring.coreos.com/"));
    const workloads = objects.filter(({ object }) => object.kind === "Deployment");
    assert.ok(custom.length > 0 && custom.every(({ stage }) => stage === 2));
    assert.ok(workloads.length === 2 && workloads.every(({ stage }) => stage === 1));
  });

  it("runs nothing as root, with a right, or without limits, and all of it in 700 MiB", () => {
    const plan = planOf();
    let memory = 0;
    for (const id of ["operator", "kube-state-metrics"]) {
      const { template } = (objectOf(plan, id) as { spec: { template: { spec: PodSpec } } }).spec;
      assert.equal(template.spec.securityContext.runAsNonRoot, true);
      for (const one of template.spec.containers) {
        assert.deepEqual(one.securityContext, {
          allowPrivilegeEscalation: false,
          readOnlyRootFilesystem: true,
          capabilities: { drop: ["ALL"] },
        });
        memory += bytesOf(one.resources.limits.memory)!;
      }
    }
    for (const id of ["prometheus", "alertmanager"]) {
      const { spec } = objectOf(plan, id) as { spec: Omit<PodSpec, "containers"> & Container };
      assert.equal(spec.securityContext.runAsNonRoot, true);
      assert.equal(spec.securityContext.seccompProfile.type, "RuntimeDefault");
      memory += bytesOf(spec.resources.limits.memory)!;
    }
    const reloader = /--config-reloader-memory-limit=(\S+?)"/.exec(
      JSON.stringify(objectOf(plan, "operator")),
    )!;
    memory += 2 * bytesOf(reloader[1]!)!;
    assert.ok(memory <= 700 * 2 ** 20, String(memory / 2 ** 20));
  });

  it("gives no program a right on all Secrets, pods or namespaces of the Kubernetes cluster", () => {
    const { objects } = planOf();
    const rules = objects
      .filter(({ object }) => object.kind === "ClusterRole")
      .flatMap(({ object }) => object.rules as { resources: string[]; verbs: string[] }[]);
    assert.deepEqual([...new Set(rules.flatMap(({ resources }) => resources))].sort(), [
      "namespaces",
      "nodes",
      "nodes/metrics",
    ]);
    assert.ok(rules.every(({ verbs }) => verbs.every((verb) => ["get", "list", "watch"].includes(verb))));
    const ofCluster = objects.filter(
      ({ object }) => object.kind === "Role" && object.metadata.namespace === "postgres",
    );
    assert.doesNotMatch(JSON.stringify(ofCluster), /secrets|configmaps|create|delete|update|\*/);
    const ofOperator = objects.filter(
      ({ object }) => object.kind === "Role" && object.metadata.namespace === "cnpg-system",
    );
    assert.deepEqual(
      ofOperator.map(({ object }) => object.metadata.name),
      ["pgplatform-prometheus", "pgplatform-kube-state-metrics"],
    );
  });

  it("takes monitors and rules by label, out of the watched namespaces alone", () => {
    const plan = planOf({ namespaces: ["shop"] });
    const { spec } = objectOf(plan, "prometheus") as { spec: Record<string, unknown> };
    for (const what of ["podMonitor", "serviceMonitor", "rule"]) {
      assert.deepEqual(spec[`${what}Selector`], { matchLabels: selectedLabels });
      assert.deepEqual(spec[`${what}NamespaceSelector`], {});
    }
    assert.match(JSON.stringify(objectOf(plan, "operator")), /"--namespaces=monitoring,postgres,shop"/);
    assert.match(
      JSON.stringify(objectOf(plan, "kube-state-metrics")),
      /"--namespaces=monitoring,postgres,shop,cnpg-system"/,
    );
    for (const { object } of plan.objects.filter((one) =>
      /^PodMonitor|^PrometheusRule/.test(one.object.kind),
    ))
      assert.deepEqual(object.metadata.labels, selectedLabels);
  });

  it("closes its namespace, and lets in and out what the flows name", () => {
    const platform = platformOf({ receivers, namespaces: ["shop"] });
    const policies = platform.monitoring!.networkPolicies.map(({ object }) => object);
    const of = (name: string) =>
      policies.find(({ metadata }) => metadata.name === `main-${name}`) as unknown as Policy;
    assert.deepEqual(of("deny-all").spec, { podSelector: {}, policyTypes: ["Ingress", "Egress"] });
    const ports = (rules: readonly Rule[] = []) =>
      [...new Set(rules.flatMap((rule) => rule.ports.map(({ port }) => port)))].sort((a, b) => a - b);
    assert.deepEqual(
      ports(of("prometheus").spec.egress),
      [6443, 8080, 9090, 9093, 9127, 9187, 9189, 9190, 10250],
    );
    // Of each namespace of another stack, all that a Prometheus reads there.
    const others = platform.monitoring!.flows.filter(
      ({ to }) => to.kind === "namespace" && to.namespace === "shop",
    );
    assert.deepEqual(
      others.map(({ port }) => port),
      [9187, 9127, 9189, 9190, 8080],
    );
    assert.deepEqual(ports(of("prometheus").spec.ingress), [9090]);
    assert.deepEqual(ports(of("alertmanager").spec.egress), [443, 587, 8080, 8443]);
    assert.deepEqual(ports(of("alertmanager").spec.ingress), [9093]);
    assert.deepEqual(ports(of("kube-state-metrics").spec.egress), [6443]);
    assert.deepEqual(ports(of("prometheus-operator").spec.egress), [6443]);
    // In the cluster's namespace Prometheus alone may read, and not every pod beside it.
    const read = platform.networkPolicies.map(({ object }) => JSON.stringify(object)).join();
    assert.match(read, /"app.kubernetes.io\/name":"prometheus"/);
    assert.ok(
      platform.flows.every(({ from }) => from.kind !== "namespace" || from.namespace !== "monitoring"),
    );
  });

  it("keeps what is secret of receivers out of the configuration", () => {
    const plan = planOf({ receivers });
    const secrets = [
      "a secret token",
      "a secret password",
      "https://hooks.example.com/secret",
      "a secret routing key",
    ];
    const text = JSON.stringify(plan.objects);
    assert.deepEqual(
      secrets.filter((one) => text.includes(one)),
      [],
    );
    assert.deepEqual(plan.receivers?.values, {
      hook: "a secret token",
      mail: "a secret password",
      chat: "https://hooks.example.com/secret",
      pager: "a secret routing key",
    });
    assert.equal(planOf({ receivers: receivers.slice(1, 2) }).receivers, undefined);
  });

  it("routes each severity to whom the settings say, as Alertmanager itself reads it", async function () {
    this.timeout(300_000);
    const program = await amtool();
    const { stringData } = objectOf(planOf({ receivers }), "configuration") as {
      stringData: Record<string, string>;
    };
    const folder = mkdtempSync(join(tmpdir(), "pgp-alertmanager-"));
    try {
      const file = join(folder, "alertmanager.yaml");
      writeFileSync(file, stringData["alertmanager.yaml"]!);
      await run(program, ["check-config", file]);
      for (const [severity, to] of [
        ["critical", "hook,mail,chat,pager"],
        ["warning", "hook,mail,chat"],
        ["info", "silent"],
        ["none", "inside"],
      ] as const) {
        const { stdout } = await run(program, [
          ...["config", "routes", "test", `--config.file=${file}`, `severity=${severity}`, "alertname=Any"],
        ]);
        assert.equal(stdout.trim(), to, severity);
      }
    } finally {
      rmSync(folder, { recursive: true });
    }
  });

  it("reads the kubelets as Prometheus itself takes it, or not at all", async function () {
    this.timeout(300_000);
    const program = await promtool();
    const folder = mkdtempSync(join(tmpdir(), "pgp-scrapes-"));
    try {
      for (const [kubelet, skips] of [
        ["unverified", true],
        ["verified", false],
      ] as const) {
        const { stringData } = objectOf(planOf({ kubelet }), "scrapes") as {
          stringData: Record<string, string>;
        };
        const text = stringData["scrapes.yaml"]!;
        const file = join(folder, "prometheus.yaml");
        writeFileSync(file, JSON.stringify({ scrape_configs: JSON.parse(text) as unknown }));
        await run(program, ["check", "config", "--syntax-only", file]);
        assert.equal(text.includes("insecure_skip_verify"), skips);
        assert.match(text, /"regex": "monitoring\|postgres"/);
      }
      const without = planOf({ kubelet: "none" });
      assert.ok(!without.objects.some(({ id }) => id === "scrapes" || id === "cluster-role-prometheus"));
      assert.ok(!without.flows.some(({ port }) => port === 10250));
      const { groups } = (objectOf(without, "watchdog") as { spec: { groups: unknown } }).spec;
      writeFileSync(join(folder, "rules.yaml"), JSON.stringify({ groups }));
      await run(program, ["check", "rules", join(folder, "rules.yaml")]);
    } finally {
      rmSync(folder, { recursive: true });
    }
  });

  it("asks Prometheus and Alertmanager by HTTPS where the settings say so, by names of their certificate", () => {
    const plain = planOf();
    for (const id of ["prometheus", "alertmanager", "monitor-prometheus", "monitor-alertmanager"])
      assert.doesNotMatch(JSON.stringify(objectOf(plain, id)), /https/);
    assert.equal(plain.certificate, undefined);
    const plan = planOf({ tls: true });
    for (const { object } of plan.objects.filter((one) => one.object.apiVersion.startsWith("monitoring")))
      assert.deepEqual(validator.problems(object), []);
    for (const id of ["prometheus", "alertmanager"])
      assert.match(
        JSON.stringify(objectOf(plan, id)),
        /"keySecret":\{"name":"monitoring-tls","key":"tls\.key"\}/,
      );
    for (const [id, name] of [
      ["prometheus", "alertmanager-operated.monitoring.svc"],
      ["monitor-prometheus", "prometheus-operated.monitoring.svc"],
      ["monitor-alertmanager", "alertmanager-operated.monitoring.svc"],
    ] as const) {
      assert.ok(JSON.stringify(objectOf(plan, id)).includes(`"serverName":"${name}"`), id);
      assert.ok(plan.certificate?.names.includes(name));
    }
    for (const id of ["monitor-operator", "monitor-state"])
      assert.doesNotMatch(JSON.stringify(objectOf(plan, id)), /https/);
  });

  it("gives the volume, and how much of it Prometheus fills, by the settings", () => {
    const { spec } = objectOf(
      planOf({
        storage: { size: "2Gi", class: "fast" },
        retentionDays: 3,
        scrapeSeconds: 15,
        memory: "1Gi",
        cpu: "2",
      }),
      "prometheus",
    ) as { spec: Record<string, unknown> };
    assert.equal(spec.retention, "3d");
    assert.equal(spec.retentionSize, "1740MB");
    assert.equal(spec.scrapeInterval, "15s");
    assert.equal(spec.scrapeTimeout, "15s");
    assert.deepEqual(spec.resources, {
      requests: { cpu: "50m", memory: "1Gi" },
      limits: { cpu: "2", memory: "1Gi" },
    });
    assert.match(JSON.stringify(spec.storage), /"storageClassName":"fast".*"storage":"2Gi"/);
  });

  it("runs its images, which are built for the built-in cluster, and no other stack does", () => {
    const settings = checked(inputOf());
    const images = stackImages(settings, planners.cnpg);
    const own = [
      "prometheusOperator",
      "prometheusConfigReloader",
      "prometheus",
      "alertmanager",
      "kubeStateMetrics",
    ] as const;
    for (const name of own) assert.ok(images.includes(pins.images[name]), name);
    const without = stackImages(checked(smallest()), planners.cnpg);
    assert.ok(own.every((name) => !without.includes(pins.images[name])));
    // The version that the Prometheus Operator writes for is that of every image.
    for (const name of ["prometheus", "alertmanager"] as const)
      for (const other of [pins.monitoring[name], pins.images[name].split(":")[1]!])
        assert.equal(coerce(other)!.minor, coerce(versions[name])!.minor, name);
  });
});

interface Container {
  securityContext: Record<string, unknown> & { runAsNonRoot: boolean; seccompProfile: { type: string } };
  resources: { limits: { memory: string } };
}
interface PodSpec {
  securityContext: { runAsNonRoot: boolean; seccompProfile: { type: string } };
  containers: Container[];
}
interface Rule {
  ports: { port: number }[];
}
interface Policy {
  spec: { egress?: Rule[]; ingress?: Rule[] };
}
