import assert from "node:assert/strict";
import { planners } from "../../plan/engines/select";
import { stackImages } from "../../plan/images";
import type { MonitoringPlan } from "../../plan/monitoring/install/plan";
import type { KubernetesObject } from "../../plan/objects";
import { planPlatform, type PlatformPlan } from "../../plan/platform";
import type { SettingsInput } from "../../settings/schema";
import { releasedObjects } from "../support/manifest";
import { sentences } from "../support/rich";
import { checked, smallest } from "../support/settings";

type Engine = keyof typeof planners;
type Install = NonNullable<NonNullable<SettingsInput["monitoring"]>["install"]>;

const image = "registry.example.com/grafana/grafana:12.3.0";
const inputOf = (install: Install = { grafana: { image } }, engine: Engine = "cnpg", more: object = {}) => ({
  ...smallest(),
  platform: "k3d" as const,
  tier: "dev" as const,
  cluster: {
    ...smallest().cluster,
    engine,
    ...(engine === "standalone" && { instances: 1, durability: "async" as const }),
  },
  monitoring: { prometheus: "install" as const, install, ...more },
});

interface Mount {
  name: string;
  mountPath: string;
  readOnly?: boolean;
}
interface Volume {
  name: string;
  emptyDir?: { sizeLimit?: string };
  configMap?: { name: string; items: { key: string; path: string }[] };
  projected?: { sources: { configMap: { name: string } }[] };
  secret?: { secretName: string; items?: { key: string }[] };
}
interface Deployment {
  spec: {
    replicas: number;
    template: {
      metadata: { labels: Record<string, string>; annotations: Record<string, string> };
      spec: {
        automountServiceAccountToken: boolean;
        serviceAccountName?: string;
        securityContext: unknown;
        imagePullSecrets?: unknown;
        volumes: Volume[];
        containers: {
          image: string;
          securityContext: unknown;
          env: { name: string; value: string }[];
          resources: unknown;
          volumeMounts: Mount[];
          [probe: string]: unknown;
        }[];
      };
    };
  };
}
interface Policy {
  metadata: { name: string };
  spec: { podSelector: unknown; policyTypes: string[]; ingress?: unknown[]; egress?: Rule[] };
}
interface Rule {
  to: unknown[];
  ports: { port: number; protocol: string }[];
}

describe("what monitoring.install.grafana plans", () => {
  let released: KubernetesObject[];
  before(async () => {
    released = await releasedObjects("monitoring");
  });
  const platformOf = (...of: Parameters<typeof inputOf>): PlatformPlan =>
    planPlatform(
      checked({ ...inputOf(...of), operator: { install: false } }),
      () => [],
      planners[of[1] ?? "cnpg"],
      () => released,
    );
  const planOf = (...of: Parameters<typeof inputOf>): MonitoringPlan => platformOf(...of).monitoring!;
  const objectOf = <T>({ objects }: MonitoringPlan, id: string): T => {
    const found = objects.find((one) => one.id === id);
    assert.ok(found, id);
    return found.object as unknown as T;
  };
  const podOf = (plan: MonitoringPlan) => objectOf<Deployment>(plan, "grafana").spec.template;
  const provisioned = (plan: MonitoringPlan) => {
    const { data } = objectOf<{ data: Record<string, string> }>(plan, "grafana-provisioning");
    return Object.fromEntries(
      Object.entries(data).map(([file, text]) => [file, JSON.parse(text) as Record<string, unknown>]),
    );
  };

  it("is nothing, and changes nothing else, where the settings don't ask for it", () => {
    const without = planOf({});
    assert.equal(without.grafana, undefined);
    assert.doesNotMatch(
      JSON.stringify([without.objects, without.flows, without.networkPolicies]),
      /grafana/i,
    );
    const plan = planOf();
    const others = plan.objects.filter(
      ({ object }) => !/^(grafana|main-dashboard)/.test(object.metadata.name),
    );
    assert.deepEqual(others, without.objects);
  });

  it("is a restricted pod that has no right, no token, a read-only root and bounds for what it writes", () => {
    const { spec, metadata } = podOf(planOf());
    assert.equal(spec.automountServiceAccountToken, false);
    assert.equal(spec.serviceAccountName, undefined);
    assert.deepEqual(spec.securityContext, {
      runAsNonRoot: true,
      runAsUser: 472,
      runAsGroup: 472,
      fsGroup: 472,
      seccompProfile: { type: "RuntimeDefault" },
    });
    const [container, ...more] = spec.containers;
    assert.ok(container);
    assert.deepEqual(more, []);
    assert.equal(container.image, image);
    assert.deepEqual(container.securityContext, {
      allowPrivilegeEscalation: false,
      readOnlyRootFilesystem: true,
      capabilities: { drop: ["ALL"] },
    });
    assert.deepEqual(metadata.labels, { "app.kubernetes.io/name": "grafana" });
    for (const probe of ["startupProbe", "readinessProbe", "livenessProbe"])
      assert.deepEqual((container[probe] as { httpGet: unknown }).httpGet, {
        path: "/api/health",
        port: "http",
      });
    // What isn't read-only is an emptyDir with a limit, and each mount has its volume.
    const volumes = new Map(spec.volumes.map((volume) => [volume.name, volume]));
    assert.equal(volumes.size, container.volumeMounts.length);
    for (const { name, readOnly } of container.volumeMounts)
      if (readOnly !== true) assert.ok(volumes.get(name)?.emptyDir?.sizeLimit !== undefined, name);
    const writable = container.volumeMounts
      .filter((one) => one.readOnly !== true)
      .map((one) => one.mountPath);
    assert.deepEqual(writable.sort(), ["/tmp", "/var/lib/grafana"]);
  });

  it("takes memory and cores of the settings, and logins at registries", () => {
    const install = { grafana: { image, memory: "1Gi", cpu: "500m" } };
    const [container] = podOf(planOf(install)).spec.containers;
    assert.deepEqual(container?.resources, {
      requests: { cpu: "50m", memory: "1Gi" },
      limits: { cpu: "500m", memory: "1Gi" },
    });
    assert.ok(container?.env.some(({ name, value }) => name === "GOMEMLIMIT" && value === "921MiB"));
    const registries = [{ server: "registry.example.com", username: "puller", password: "hunter2" }];
    const settings = checked({ ...inputOf(), registries });
    const plan = planPlatform(
      settings,
      () => [],
      planners.cnpg,
      () => released,
    ).monitoring!;
    assert.deepEqual(podOf(plan).spec.imagePullSecrets, [{ name: "main-registries" }]);
  });

  it("lets nobody in unasked, and asks for nothing outside", () => {
    const { env } = podOf(planOf()).spec.containers[0]!;
    const values = Object.fromEntries(env.map(({ name, value }) => [name, value]));
    for (const [name, value] of Object.entries({
      AUTH_ANONYMOUS_ENABLED: "false",
      USERS_ALLOW_SIGN_UP: "false",
      ANALYTICS_REPORTING_ENABLED: "false",
      ANALYTICS_CHECK_FOR_UPDATES: "false",
      ANALYTICS_CHECK_FOR_PLUGIN_UPDATES: "false",
      NEWS_NEWS_FEED_ENABLED: "false",
      SECURITY_DISABLE_GRAVATAR: "true",
      SNAPSHOTS_EXTERNAL_ENABLED: "false",
      SNAPSHOTS_ENABLED: "false",
      PUBLIC_DASHBOARDS_ENABLED: "false",
      PLUGINS_PREINSTALL_DISABLED: "true",
    }))
      assert.equal(values[`GF_${name}`], value, name);
    assert.equal(new Set(env.map(({ name }) => name)).size, env.length);
  });

  it("has no secret in plain: both are drawn, and read out of files of the Secret that is mounted", () => {
    const plan = planOf();
    assert.deepEqual(plan.grafana, { secretName: "grafana-admin", keys: ["password", "secret-key"] });
    assert.ok(!plan.objects.some(({ object }) => object.metadata.name === "grafana-admin"));
    const { spec } = podOf(plan);
    const [{ env, volumeMounts }] = spec.containers as [
      Deployment["spec"]["template"]["spec"]["containers"][0],
    ];
    const volume = spec.volumes.find(({ secret }) => secret?.secretName === "grafana-admin");
    const at = volumeMounts.find(({ name }) => name === volume?.name)?.mountPath;
    assert.ok(at);
    const secret = env.filter(({ name }) => /PASSWORD|SECRET/.test(name));
    assert.deepEqual(
      secret.map(({ value }) => value),
      plan.grafana?.keys.map((key) => `$__file{${at}/${key}}`),
    );
  });

  for (const tls of [false, true])
    it(`asks the installed Prometheus, ${tls ? "by HTTPS with the CA of its certificate" : "by HTTP"}`, () => {
      const plan = planOf({ grafana: { image }, tls, scrapeSeconds: 60 });
      const { datasources } = provisioned(plan)["datasources.yaml"] as {
        datasources: [
          { url: string; isDefault: boolean; jsonData: object; secureJsonData?: object; type: string },
        ];
      };
      const [source, ...more] = datasources;
      assert.deepEqual(more, []);
      assert.equal(source.type, "prometheus");
      assert.equal(source.isDefault, true);
      const url = new URL(source.url);
      assert.equal(url.host, "prometheus-operated.monitoring.svc:9090");
      assert.equal(url.protocol, tls ? "https:" : "http:");
      assert.deepEqual(source.jsonData, {
        httpMethod: "POST",
        timeInterval: "60s",
        ...(tls && { tlsAuthWithCACert: true }),
      });
      const { spec } = podOf(plan);
      const ca = spec.volumes.find(
        ({ secret }) => secret?.secretName === plan.certificate?.secretName && tls,
      );
      if (!tls) {
        assert.equal(source.secureJsonData, undefined);
        assert.ok(!spec.volumes.some(({ name }) => name === "ca"));
        return;
      }
      assert.ok(plan.certificate?.names.includes(url.hostname));
      // The certificate's key isn't Grafana's.
      assert.deepEqual(
        ca?.secret?.items?.map(({ key }) => key),
        ["ca.crt"],
      );
      const mount = spec.containers[0]?.volumeMounts.find(({ name }) => name === ca?.name);
      assert.deepEqual(source.secureJsonData, { tlsCACert: `$__file{${mount!.mountPath}/ca.crt}` });
    });

  for (const engine of Object.keys(planners) as Engine[])
    it(`shows the dashboards of the stack, the same files as beside the cluster: ${engine}`, () => {
      const platform = platformOf(undefined, engine);
      const plan = platform.monitoring!;
      const filesOf = (objects: readonly KubernetesObject[]) =>
        objects
          .filter(({ kind, metadata }) => kind === "ConfigMap" && metadata.name.includes("-dashboard-"))
          .map((object) => object as KubernetesObject & { data: Record<string, string> });
      const beside = filesOf(platform.metrics.map(({ object }) => object));
      const own = filesOf(plan.objects.map(({ object }) => object));
      assert.equal(own.length, 9);
      assert.deepEqual(
        own.map(({ data }) => data),
        beside.map(({ data }) => data),
      );
      for (const { data, metadata } of own) {
        assert.equal(metadata.namespace, "monitoring");
        // A sidecar that reads all namespaces would find each dashboard twice.
        assert.equal(metadata.labels?.grafana_dashboard, undefined);
        // Kubernetes takes 1 MiB.
        assert.ok(Buffer.byteLength(JSON.stringify(data)) < 2 ** 19, metadata.name);
      }
      const { spec } = podOf(plan);
      const files = spec.volumes.find(({ projected }) => projected !== undefined);
      assert.deepEqual(
        files?.projected?.sources.map(({ configMap }) => configMap.name),
        own.map(({ metadata }) => metadata.name),
      );
      const names = own.flatMap(({ data }) => Object.keys(data));
      assert.equal(new Set(names).size, 9);
      const { providers } = provisioned(plan)["dashboards.yaml"] as {
        providers: [{ options: { path: string }; allowUiUpdates: boolean; folder: string }];
      };
      const mount = spec.containers[0]?.volumeMounts.find(({ name }) => name === files?.name);
      assert.equal(providers[0].options.path, mount?.mountPath);
      assert.equal(providers[0].allowUiUpdates, false);
      assert.equal(providers[0].folder, "PostgreSQL postgres main");
      // What is made elsewhere of the same kind and name would be one object with it.
      const all = [...platform.metrics, ...plan.objects, ...plan.networkPolicies].map(({ object }) =>
        [object.apiVersion, object.kind, object.metadata.namespace, object.metadata.name].join(" "),
      );
      assert.equal(new Set(all).size, all.length);
    });

  it("mounts each file that it provisions where Grafana looks for files of that kind", () => {
    const plan = planOf();
    const { spec } = podOf(plan);
    const { env, volumeMounts } = spec.containers[0]!;
    const folder = env.find(({ name }) => name === "GF_PATHS_PROVISIONING")?.value;
    const files = Object.keys(provisioned(plan));
    assert.deepEqual(files.sort(), ["dashboards.yaml", "datasources.yaml"]);
    for (const file of files) {
      const volume = spec.volumes.find(({ configMap }) => configMap?.items.some(({ key }) => key === file));
      assert.equal(volume?.configMap?.name, "grafana-provisioning");
      const mount = volumeMounts.find(({ name }) => name === volume?.name);
      assert.equal(mount?.mountPath, `${folder}/${file.replace(".yaml", "")}`);
    }
  });

  it("starts anew when its data source changes, which it reads at its start alone", () => {
    const annotation = (install: Install) =>
      podOf(planOf({ grafana: { image }, ...install })).metadata.annotations["pgplatform.io/provisioning"];
    assert.equal(annotation({}), annotation({ retentionDays: 3 }));
    assert.notEqual(annotation({}), annotation({ tls: true }));
    assert.notEqual(annotation({}), annotation({ scrapeSeconds: 60 }));
  });

  it("reaches Prometheus and nothing else but names, and no pod reaches it", () => {
    const plan = planOf();
    const flows = plan.flows.filter(({ from, to }) =>
      [from, to].some((peer) => peer.kind === "pods" && peer.name === "grafana"),
    );
    assert.deepEqual(
      flows.map(({ name, port, to }) => [name, port, to.kind === "pods" && to.name]),
      [["grafana-prometheus", 9090, "prometheus"]],
    );
    const policies = plan.networkPolicies.map(({ object }) => object as unknown as Policy);
    const of = (name: string) => policies.find(({ metadata }) => metadata.name === `main-${name}`)!;
    const grafana = of("grafana").spec;
    assert.deepEqual(grafana.podSelector, { matchLabels: { "app.kubernetes.io/name": "grafana" } });
    assert.deepEqual(grafana.ingress ?? [], []);
    assert.deepEqual(
      grafana.egress?.flatMap(({ ports }) => ports),
      [{ port: 9090, protocol: "TCP" }],
    );
    assert.match(JSON.stringify(of("prometheus").spec.ingress), /"app.kubernetes.io\/name":"grafana"/);
    assert.doesNotMatch(JSON.stringify(of("alertmanager").spec.ingress), /grafana/);
    const cilium = checked({ ...inputOf(), network: { cilium: true } });
    const more = planPlatform(
      cilium,
      () => [],
      planners.cnpg,
      () => released,
    ).monitoring!.networkPolicies;
    assert.ok(more.length > policies.length);
  });

  it("has a Service of the cluster's own, made with the Deployment that Pulumi waits for behind it", () => {
    const plan = planOf();
    const { spec } = objectOf<{ spec: Record<string, unknown> }>(plan, "grafana-service");
    assert.equal(spec.type, "ClusterIP");
    assert.deepEqual(spec.selector, podOf(plan).metadata.labels);
    const stageOf = (id: string) => plan.objects.find((one) => one.id === id)?.stage;
    assert.equal(stageOf("grafana-service"), stageOf("grafana"));
    assert.ok(stageOf("grafana-provisioning")! < stageOf("grafana")!);
  });

  it("is among the images that the stack runs, as it is named and from no mirror", () => {
    const settings = checked({ ...inputOf(), images: { registry: "mirror.example.com" } });
    assert.ok(stackImages(settings, planners.cnpg).includes(image));
    assert.ok(!stackImages(checked(inputOf({})), planners.cnpg).includes(image));
  });

  it("is refused where it would show nothing, or not start, in one sentence", () => {
    assert.deepEqual(sentences(inputOf()), []);
    assert.deepEqual(sentences(inputOf({ grafana: { image } }, "cnpg", { dashboards: false })), [
      `pgplatform:monitoring.install.grafana: must not be set ({"image":"${image}","memory":"512Mi","cpu"...): monitoring.dashboards is false, so it would have nothing to show. Fix: leave it out, or set monitoring.dashboards to true.`,
    ]);
    assert.deepEqual(sentences(inputOf({ grafana: { image, memory: "64Mi" } })), [
      'pgplatform:monitoring.install.grafana.memory: "64Mi" is not allowed. Allowed: at least 256Mi. Fix: give it more.',
    ]);
  });
});
