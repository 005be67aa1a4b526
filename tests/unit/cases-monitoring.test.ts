import assert from "node:assert/strict";
import type { SettingsInput } from "../../settings/schema";
import { plainSecrets } from "../../checks/secrets";
import { addressIn, pagesIn, pagesOf, passwordCommand } from "../../operations/monitoring";
import type { MonitoringFacts } from "../../operations/monitoringFacts";
import { prometheusOperator } from "../../operations/monitoringRule";
import type { LiveFacts } from "../../operations/liveFacts";
import type { Planned } from "../../operations/verdict";
import { sentence } from "../../checks/index";
import { sentences } from "../support/rich";
import { changed, checked, smallest } from "../support/settings";

type Monitoring = NonNullable<SettingsInput["monitoring"]>;

const inputOf = (monitoring: unknown): SettingsInput => ({
  ...smallest(),
  monitoring: monitoring as Monitoring,
});
const installOf = (install: unknown): SettingsInput => inputOf({ prometheus: "install", install });
const receiverOf = (receiver: object): SettingsInput => installOf({ receivers: [receiver] });

const at = "pgplatform:monitoring";
const first = `${at}.install.receivers[0]`;

/** What is wrong, its path, and a part of what is said. */
const refused: [title: string, input: SettingsInput, path: string, said: RegExp][] = [
  [
    "settings of what isn't installed",
    inputOf({ prometheus: "operator", namespace: "monitoring", install: { retentionDays: 3 } }),
    `${at}.install`,
    /must not be set .*monitoring\.prometheus is operator\. Fix: leave it out, or set monitoring\.prometheus to install/,
  ],
  [
    "another word for a way",
    inputOf({ prometheus: "true" }),
    `${at}.prometheus`,
    /Allowed: none, annotations, operator, install/,
  ],
  ...(["operator", "annotations"] as const).map((prometheus): (typeof refused)[number] => [
    `a Prometheus whose namespace isn't told: ${prometheus}`,
    inputOf({ prometheus }),
    `${at}.namespace`,
    new RegExp(
      `not set\\. Allowed: the namespace of the Prometheus, where monitoring\\.prometheus is ${prometheus}`,
    ),
  ]),
  [
    "labels that no object would have",
    inputOf({ labels: { release: "prometheus" } }),
    `${at}.labels`,
    /must not be set .*monitoring\.prometheus is none, so there is no object that has them/,
  ],
  [
    "labels that only dashboards would have, without dashboards",
    inputOf({
      prometheus: "annotations",
      namespace: "monitoring",
      labels: { grafana: "main" },
      dashboards: false,
    }),
    `${at}.labels`,
    /monitoring\.prometheus is annotations and monitoring\.dashboards is false/,
  ],
  [
    "a namespace of Kubernetes'",
    inputOf({ prometheus: "install", namespace: "kube-system" }),
    `${at}.namespace`,
    /Allowed: a namespace of monitoring's own/,
  ],
  [
    "an engine's operator's namespace",
    inputOf({ prometheus: "install", namespace: "cnpg-system" }),
    `${at}.namespace`,
    /Allowed: a namespace of monitoring's own/,
  ],
  [
    "the cluster's namespace",
    inputOf({ prometheus: "install", namespace: "postgres" }),
    `${at}.namespace`,
    /Allowed: another namespace than cluster\.namespace/,
  ],
  [
    "OpenShift, which has its own",
    {
      ...changed(inputOf({ prometheus: "install" }), "cluster.storage.class", "gp3"),
      platform: "openshift",
      tier: "dev",
    },
    `${at}.prometheus`,
    /on openshift, which brings a Prometheus Operator of its own\. Fix: set it to operator/,
  ],
  ["no days", installOf({ retentionDays: 0 }), `${at}.install.retentionDays`, /from 1 to 3650/],
  [
    "less memory than Prometheus takes",
    installOf({ memory: "64Mi" }),
    `${at}.install.memory`,
    /Allowed: at least 128Mi/,
  ],
  [
    "a volume that is full at once",
    installOf({ storage: { size: "100Mi" } }),
    `${at}.install.storage.size`,
    /Allowed: at least 512Mi/,
  ],
  [
    "a namespace that is watched anyway",
    installOf({ namespaces: ["postgres"] }),
    `${at}.install.namespaces[0]`,
    /watched anyway/,
  ],
  [
    "a receiver of no kind",
    receiverOf({ name: "a", kind: "pigeon" }),
    `${first}.kind`,
    /Allowed: webhook, email, slack, pagerduty/,
  ],
  [
    "a receiver without what its kind needs",
    receiverOf({ name: "a", kind: "webhook" }),
    `${first}.url`,
    /not set.*an address with the kind webhook/,
  ],
  [
    "a setting of another kind",
    receiverOf({ name: "a", kind: "slack", webhookUrl: "https://x.example.com", to: "a@example.com" }),
    `${first}.to`,
    /must not be set with the kind slack.*or use the kind email/,
  ],
  [
    "plain HTTP to the outside",
    receiverOf({ name: "a", kind: "webhook", url: "http://alerts.example.com/in" }),
    `${first}.url`,
    /https:\/\/ where the address isn't that of a Service/,
  ],
  [
    "a Service without its pods",
    receiverOf({ name: "a", kind: "webhook", url: "http://sink.tools.svc/in" }),
    `${first}.pods`,
    /the pods behind sink\.tools\.svc/,
  ],
  [
    "pods of an address outside",
    receiverOf({
      name: "a",
      kind: "webhook",
      url: "https://alerts.example.com",
      pods: { namespace: "tools", labels: { app: "sink" }, port: 80 },
    }),
    `${first}.pods`,
    /must not be set .*the url is no Service/,
  ],
  [
    "a name without a password",
    receiverOf({
      name: "a",
      kind: "email",
      to: "a@example.com",
      from: "b@example.com",
      smtp: "smtp.example.com:587",
      username: "a",
    }),
    `${first}.username`,
    /username and password together/,
  ],
  [
    "a mail server without a port",
    receiverOf({
      name: "a",
      kind: "email",
      to: "a@example.com",
      from: "b@example.com",
      smtp: "smtp.example.com",
    }),
    `${first}.smtp`,
    /a host and its port/,
  ],
  [
    "a severity that no alert has",
    receiverOf({ name: "a", kind: "pagerduty", routingKey: "a routing key", severities: ["page"] }),
    `${first}.severities[0]`,
    /critical, warning, info, none/,
  ],
  [
    "the name of what is sent to none",
    receiverOf({ name: "silent", kind: "pagerduty", routingKey: "a routing key" }),
    `${first}.name`,
    /another name/,
  ],
];

describe("settings of what is installed to watch", () => {
  for (const [title, input, path, said] of refused)
    it(`are refused in one sentence: ${title}`, () => {
      const [one = "", ...more] = sentences(input);
      assert.deepEqual(more, []);
      assert.ok(one.startsWith(`${path}: `), one);
      assert.match(one, said);
    });

  it("are refused where two receivers have one name, at both", () => {
    const receiver = { name: "a", kind: "pagerduty", routingKey: "a routing key" };
    assert.equal(sentences(installOf({ receivers: [receiver, receiver] })).length, 2);
  });

  it("show no secret in a message, a misplaced one either", () => {
    const secret = "b5f0c1d2e3a4";
    for (const receiver of [
      { name: "a", kind: "webhook", url: "https://a.example.com", routingKey: secret },
      { name: "a", kind: "pagerduty", bearerToken: secret, routingKey: 1 },
      { name: "A", kind: "slack", webhookUrl: secret, password: secret },
    ])
      assert.doesNotMatch(sentences(receiverOf(receiver)).join("\n"), new RegExp(secret));
  });

  it("count what is secret, by kind", () => {
    const settings = checked(
      installOf({
        receivers: [
          { name: "a", kind: "webhook", url: "https://a.example.com", bearerToken: "a secret token" },
          { name: "b", kind: "slack", webhookUrl: "https://hooks.example.com/x" },
          { name: "c", kind: "pagerduty", routingKey: "a routing key" },
        ],
      }),
    );
    assert.deepEqual(
      plainSecrets(settings, () => true).map((one) => one.split(":")[1]),
      ["bearerToken", "webhookUrl", "routingKey"].map(
        (name, index) => `monitoring.install.receivers[${index}].${name}`,
      ),
    );
  });
});

describe("the preflight of monitoring", () => {
  const said = (monitoring: unknown, live: MonitoringFacts | undefined): string[] =>
    (
      prometheusOperator(
        { settings: checked(inputOf(monitoring)) } as Planned,
        { ...(live && { monitoring: live }) } as LiveFacts,
      ).problems ?? []
    ).map(sentence);
  const operator = { prometheus: "operator", namespace: "monitoring" };
  const install = { prometheus: "install" };
  const kinds = (installedBy?: string) => ({ podmonitors: installedBy, prometheusrules: installedBy });

  it("takes objects for a Prometheus Operator only where its CRDs are", () => {
    assert.deepEqual(said(operator, { kinds: {}, operators: [] }), [
      'pgplatform:monitoring.prometheus: "operator" is not allowed. Allowed: install, annotations or none where the CRDs of the Prometheus Operator aren\'t: podmonitors.monitoring.coreos.com and prometheusrules.monitoring.coreos.com are missing. Fix: install the Prometheus Operator first, or set it to install.',
    ]);
    assert.match(
      said(operator, { kinds: { podmonitors: undefined }, operators: [] })[0] ?? "",
      /prometheusrules\.monitoring\.coreos\.com is missing/,
    );
    assert.deepEqual(said(operator, { kinds: kinds(), operators: [] }), []);
  });

  it("installs no second Prometheus Operator", () => {
    assert.deepEqual(said(install, { kinds: kinds(), operators: [{ namespace: "watch" }] }), [
      'pgplatform:monitoring.prometheus: "install" is not allowed. Allowed: operator, annotations or none, since something else than this platform installed a Prometheus Operator in namespace watch, and two would change the same objects. Fix: set it to operator to use that one, or have it removed.',
    ]);
    assert.match(
      said(install, {
        kinds: kinds("shop/db"),
        operators: [{ namespace: "monitoring", installedBy: "shop/db" }],
      })[0] ?? "",
      /the stack of cluster shop\/db installed .*add postgres to that stack's monitoring\.install\.namespaces/,
    );
    assert.match(
      said(install, { kinds: kinds(), operators: [] })[0] ?? "",
      /something else than this platform installed the CRD podmonitors/,
    );
  });

  it("installs again what it installed before, also where its CRDs alone are left", () => {
    const own = { namespace: "monitoring", installedBy: "postgres/main" };
    for (const live of [
      undefined,
      { kinds: {}, operators: [] },
      { kinds: kinds("postgres/main"), operators: [own], namespace: { cluster: "main" } },
      { kinds: kinds("gone/gone"), operators: [] },
    ])
      assert.deepEqual(said(install, live), []);
  });

  it("closes the network of no namespace that it hasn't made", () => {
    assert.deepEqual(said(install, { kinds: {}, operators: [], namespace: {} }), [
      'pgplatform:monitoring.namespace: "monitoring" is not allowed. Allowed: a namespace that isn\'t there: the stack makes it, and closes its network. Fix: name another one, or delete that namespace.',
    ]);
    assert.equal(said(install, { kinds: {}, operators: [], namespace: { cluster: "other" } }).length, 1);
  });
});

describe("make monitoring", () => {
  it("refuses where nothing is installed, in one sentence", () => {
    for (const prometheus of ["none", "annotations", "operator"])
      assert.throws(() => pagesOf(checked(inputOf({ prometheus, namespace: "watch" }))), {
        message: `pgplatform:monitoring.prometheus is ${prometheus}: this stack has installed no Prometheus whose page could be opened. Allowed: install. Fix: set it to install, and run \`make up\`.`,
      });
    assert.equal(pagesOf(checked(inputOf({ prometheus: "install" }))).namespace, "monitoring");
    assert.equal(pagesOf(checked(inputOf({ prometheus: "install", namespace: "watch" }))).namespace, "watch");
  });

  it("opens a Grafana where one is installed, and says the command for its password, and not the password", () => {
    const grafana = { image: "registry.example.com/grafana:12.3.0" };
    const pages = (install: object) =>
      pagesIn(
        pagesOf(checked({ ...inputOf({ prometheus: "install", install }), platform: "k3d", tier: "dev" })),
      ).map(({ title, service, port, scheme }) => `${title} ${scheme}://${service}:${port}`);
    const plain = [
      "Prometheus http://prometheus-operated:9090",
      "Alertmanager http://alertmanager-operated:9093",
    ];
    assert.deepEqual(pages({}), plain);
    assert.deepEqual(pages({ grafana }), [...plain, "Grafana http://grafana:3000"]);
    assert.deepEqual(pages({ grafana, tls: true }), [
      ...plain.map((page) => page.replace("http:", "https:")),
      "Grafana http://grafana:3000",
    ]);
    assert.equal(
      passwordCommand("watch"),
      "kubectl -n watch get secret grafana-admin -o jsonpath='{.data.password}' | base64 -d",
    );
  });

  it("reads where kubectl listens", () => {
    assert.equal(addressIn("Forwarding from 127.0.0.1:9090 -> 9090"), "127.0.0.1:9090");
    assert.equal(addressIn("Handling connection for 9090"), undefined);
  });
});
