import * as z from "zod";
import {
  atOnce,
  boolean,
  cores,
  documented,
  encrypted,
  image,
  integer,
  label,
  labels,
  oneOf,
  port,
  quantity,
  quoted,
} from "./types";

/** What the stack installs to collect metrics and to send alerts. */

const restarts = "A change restarts Prometheus; it collects nothing meanwhile.";
const sent = "A change is for alerts that are sent later.";

export const severities = ["critical", "warning", "info", "none"] as const;

const kinds = ["webhook", "email", "slack", "pagerduty"] as const;
export type ReceiverKind = (typeof kinds)[number];

const kind = <K extends ReceiverKind>(own: K) =>
  documented(z.literal(own), {
    means:
      "Whom alerts are sent to. webhook: an address that takes Alertmanager's JSON; email: a mailbox, by an SMTP server; slack: a channel, by the address of an incoming webhook; " +
      "pagerduty: a service, by an integration key of its Events API v2.",
    change: sent,
    allowed: kinds.join(", "),
  });

const common = {
  name: label("Name of the receiver.", 40, sent),
  severities: documented(z.array(oneOf(severities, "A severity of alerts.", sent)).min(1), {
    means:
      "Severities of the alerts that it gets. none is the alert Watchdog alone, which always fires: what gets it can tell when alerts don't come any more. Default: critical and warning.",
    change: sent,
    allowed: `a list of ${severities.join(", ")}, at least one`,
  }).default(["critical", "warning"]),
  resolved: boolean("Whether it is told when an alert is over. Default: true.", sent).default(true),
};

const hidden = (means: string, path: string) =>
  ({
    means: `${means} Encrypted in the stack file: pulumi config set --secret --path 'pgplatform:monitoring.install.receivers[0].${path}'.`,
    change: sent,
    fix: "set it with pulumi config set --secret --path",
    numbers: quoted,
    secret: true,
  }) as const;
const secret = (means: string, path: string, least: number) =>
  documented(z.string().min(least), {
    ...hidden(means, path),
    allowed: `a text of at least ${least} characters that Pulumi has encrypted`,
  });

const pods = z.strictObject({
  namespace: label("Namespace of the pods.", 63, atOnce),
  labels: labels("Labels of the pods, all of which they carry."),
  port: integer(
    "Port on which the pods themselves listen: the target port of the Service, not its own.",
    1,
    65535,
    atOnce,
  ),
});

const address = (means: string) =>
  documented(z.email(), { means, change: sent, allowed: "an address of mail", fix: "correct it" });

const url = documented(z.string().regex(new RegExp(`^https?://[a-z0-9.-]+(:${port})?(/[^\\s?#]*)?$`)), {
  means:
    "Where alerts are posted to; http:// for a Service of the Kubernetes cluster alone. Only with the kind webhook.",
  change: sent,
  allowed: "an address that begins with https:// or http://, without a query",
  fix: "write it without what is secret, which goes into bearerToken",
});
const bearerToken = secret(
  "Token that is sent with alerts; only with the kind webhook. Default: none.",
  "bearerToken",
  8,
);
const servicePods = documented(pods, {
  means:
    "The pods behind the url, where it is a Service of the Kubernetes cluster: network policies let Alertmanager through to them alone. Only with the kind webhook. Default: none.",
  change: atOnce,
  allowed: "{ namespace, labels, port }",
});
const to = address("Mailbox that gets the alerts; only with the kind email.");
const from = address("Sender of the mails; only with the kind email.");
const smtp = documented(z.string().regex(new RegExp(`^[a-z0-9.-]+:${port}$`)), {
  means:
    "SMTP server, which must offer STARTTLS, or TLS from the beginning at port 465; only with the kind email.",
  change: sent,
  allowed: "a host and its port, such as smtp.example.com:587",
  fix: "write host:port",
});
const username = documented(z.string().min(1), {
  means: "Name to log in with at the SMTP server, with a password; only with the kind email. Default: none.",
  change: sent,
  allowed: "a text of at least one character",
  fix: "write it in quotes",
  numbers: quoted,
});
const password = secret(
  "Password to log in with at the SMTP server; only with the kind email. Default: none.",
  "password",
  1,
);
const webhookUrl = documented(z.union([z.string().regex(/^https:\/\/\S+$/), z.literal(encrypted)]), {
  ...hidden("Address of the incoming webhook; only with the kind slack.", "webhookUrl"),
  allowed: "an address that begins with https://, which Pulumi has encrypted",
});
const channel = documented(z.string().regex(/^[#@]\S{1,79}$/), {
  means:
    "Channel in place of the incoming webhook's own; only with the kind slack. Default: the webhook's own.",
  change: sent,
  allowed: "a name that begins with # or @",
  fix: "write it in quotes",
});
const routingKey = secret("Integration key of the service; only with the kind pagerduty.", "routingKey", 8);

/** What a kind can't do without, and how it is called where it is missing. */
const needed = <T extends z.ZodType>(own: ReceiverKind, field: T, what: string): T =>
  field.meta({ ...field.meta(), missing: `${what} with the kind ${own}` });

const foreign = (own: ReceiverKind, other: ReceiverKind, hidden = false) =>
  z
    .never()
    .optional()
    .meta({
      allowed: `must not be set with the kind ${own}`,
      fix: `leave it out, or use the kind ${other}`,
      foreign: true,
      ...(hidden && { shown: "given" }),
    });

/** Of a kind, all settings that are other kinds'. */
const others = (own: ReceiverKind) => ({
  url: foreign(own, "webhook"),
  bearerToken: foreign(own, "webhook", true),
  pods: foreign(own, "webhook"),
  to: foreign(own, "email"),
  from: foreign(own, "email"),
  smtp: foreign(own, "email"),
  username: foreign(own, "email"),
  password: foreign(own, "email", true),
  webhookUrl: foreign(own, "slack", true),
  channel: foreign(own, "slack"),
  routingKey: foreign(own, "pagerduty", true),
});

export const receiver = z.discriminatedUnion("kind", [
  z.strictObject({
    ...common,
    kind: kind("webhook"),
    ...others("webhook"),
    url: needed("webhook", url, "an address"),
    bearerToken: bearerToken.optional(),
    pods: servicePods.optional(),
  }),
  z.strictObject({
    ...common,
    kind: kind("email"),
    ...others("email"),
    to: needed("email", to, "a mailbox"),
    from: needed("email", from, "a sender"),
    smtp: needed("email", smtp, "an SMTP server"),
    username: username.optional(),
    password: password.optional(),
  }),
  z.strictObject({
    ...common,
    kind: kind("slack"),
    ...others("slack"),
    webhookUrl: needed("slack", webhookUrl, "the address of an incoming webhook"),
    channel: channel.optional(),
  }),
  z.strictObject({
    ...common,
    kind: kind("pagerduty"),
    ...others("pagerduty"),
    routingKey: needed("pagerduty", routingKey, "an integration key"),
  }),
]);

export type Receiver = z.output<typeof receiver>;

const restartsGrafana = "A change restarts Grafana, which forgets what was made in it.";
const grafanaImage = image(
  "Image of Grafana, such as docker.io/grafana/grafana with the tag of a version. images.registry has no part in it.",
  restartsGrafana,
).unwrap();

const grafana = documented(
  z.strictObject({
    image: grafanaImage.meta({ ...grafanaImage.meta(), missing: "the name of an image with tag or digest" }),
    memory: quantity(
      "Memory of Grafana: its request and its limit. Default: 512Mi.",
      restartsGrafana,
      "1Gi",
    ).default("512Mi"),
    cpu: cores("Most cores of Grafana. Default: 1.", restartsGrafana).default("1"),
  }),
  {
    means:
      "A Grafana with the dashboards of this stack and its Prometheus as data source, which make monitoring opens. Not on local, where no image of it is built. Default: none.",
    change: "A change adds or removes it, and touches nothing else.",
    allowed: "{ image, memory, cpu }",
  },
).optional();

export const install = z.strictObject({
  storage: z
    .strictObject({
      size: quantity(
        "Size of Prometheus' volume, in bytes. The oldest data go when 85 % of it are used. Default: 10Gi.",
        "A larger size grows the volume where the class can; a smaller one is refused by Kubernetes.",
        "50Gi",
      ).default("10Gi"),
      class: documented(z.string().min(1), {
        means: "Storage class of the volume. Default: as cluster.storage.class.",
        change: "A change is for a new volume: delete the old one, and its data, first.",
        allowed: "the name of a storage class",
      }).optional(),
    })
    .prefault({}),
  retentionDays: integer("For how long metrics are kept. Default: 15.", 1, 3650, restarts, "days").default(
    15,
  ),
  scrapeSeconds: integer(
    "How often metrics are read, and rules evaluated. Default: 30.",
    5,
    300,
    atOnce,
    "seconds",
  ).default(30),
  memory: quantity(
    "Memory of Prometheus: its request and its limit. About 100Mi, and 8Mi for each 1,000 series. Default: 400Mi.",
    restarts,
    "1Gi",
  ).default("400Mi"),
  cpu: cores("Most cores of Prometheus. Default: 1.", restarts).default("1"),
  namespaces: documented(z.array(label("Name of a namespace.", 63, atOnce)), {
    means:
      "Further namespaces whose monitors and rules it takes, and whose pods it may read: those of other stacks' clusters, which set monitoring.prometheus to operator and " +
      "monitoring.namespace to this one's, and those of their operators where the engine is another one. They must be there. Default: none.",
    change: "A change rolls the Prometheus Operator and kube-state-metrics.",
    allowed: "a list of namespaces",
  }).default([]),
  kubelet: oneOf(
    ["verified", "unverified", "none"],
    "Whether CPU, memory, network and volumes of the pods are read at the nodes' kubelets, by HTTPS at port 10250. verified: the kubelet's certificate must be signed by the " +
      "Kubernetes cluster's CA; unverified: any certificate will do, since most kubelets sign their own; none: they aren't read. Default: verified on local, unverified elsewhere.",
    atOnce,
  ).optional(),
  tls: boolean(
    "Whether Prometheus and Alertmanager are asked by HTTPS alone, with a certificate that a CA of the stack's own signs: a browser warns of it. Default: false, by HTTP within a closed network.",
    "A change restarts Prometheus and Alertmanager.",
  ).default(false),
  grafana,
  receivers: documented(z.array(receiver), {
    means: "Whom Alertmanager sends alerts to. Default: none, its page alone shows them.",
    change: sent,
    allowed: "a list of receivers, each with a name and a kind",
  }).default([]),
  groupWaitSeconds: integer(
    "How long the first alert of a group waits for others. Default: 30.",
    0,
    3600,
    sent,
    "seconds",
  ).default(30),
  groupIntervalSeconds: integer(
    "How long after a message of a group the next one is sent, if something has changed. Default: 300.",
    1,
    86400,
    sent,
    "seconds",
  ).default(300),
  repeatHours: integer(
    "How long after a message it is sent again while the alert is still there. Default: 4.",
    1,
    720,
    sent,
    "hours",
  ).default(4),
});

type Parsed = z.output<typeof install>;

/** With the platform's defaults. */
export interface InstallSettings extends Omit<Parsed, "kubelet"> {
  readonly kubelet: NonNullable<Parsed["kubelet"]>;
}
