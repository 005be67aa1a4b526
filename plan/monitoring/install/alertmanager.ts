import type { InstallSettings, Receiver } from "../../../settings/schema/monitoringInstall";
import { names } from "./names";

/** Alertmanager's configuration: no secret stands in it, it names their files. */

/** Receiver of alerts that are sent to none. No receiver of the settings has this name. */
export const silent = "silent";

/** One rule by which some alerts keep others silent, as Alertmanager writes it. */
export interface InhibitRule {
  readonly source_matchers: readonly string[];
  readonly target_matchers: readonly string[];
  readonly equal: readonly string[];
}

/** What is secret of a receiver, if anything is. */
export function secretOf(receiver: Receiver): string | undefined {
  switch (receiver.kind) {
    case "webhook":
      return receiver.bearerToken;
    case "email":
      return receiver.password;
    case "slack":
      return receiver.webhookUrl;
    case "pagerduty":
      return receiver.routingKey;
  }
}

/** Where the Prometheus Operator mounts the Secret of the receivers; its keys are their names. */
const fileOf = ({ name }: Receiver): string => `/etc/alertmanager/secrets/${names.receivers}/${name}`;

function integration(receiver: Receiver): object {
  const common = { send_resolved: receiver.resolved };
  const file = fileOf(receiver);
  switch (receiver.kind) {
    case "webhook":
      return {
        webhook_configs: [
          {
            ...common,
            url: receiver.url,
            ...(receiver.bearerToken !== undefined && {
              http_config: { authorization: { type: "Bearer", credentials_file: file } },
            }),
          },
        ],
      };
    case "email":
      return {
        email_configs: [
          {
            ...common,
            to: receiver.to,
            from: receiver.from,
            smarthost: receiver.smtp,
            // At this port TLS comes first, and no STARTTLS is offered after it, which this would wait for.
            require_tls: !receiver.smtp.endsWith(":465"),
            ...(receiver.username !== undefined && {
              auth_username: receiver.username,
              auth_password_file: file,
            }),
          },
        ],
      };
    case "slack":
      return {
        slack_configs: [
          {
            ...common,
            api_url_file: file,
            ...(receiver.channel !== undefined && { channel: receiver.channel }),
          },
        ],
      };
    case "pagerduty":
      return {
        pagerduty_configs: [
          {
            ...common,
            routing_key_file: file,
            severity: "{{ with .CommonLabels.severity }}{{ . }}{{ else }}error{{ end }}",
          },
        ],
      };
  }
}

/** What waits for it must miss it soon. */
const watchdogRoute = { matchers: ['severity="none"'], group_interval: "1m", repeat_interval: "5m" } as const;

export function alertmanagerConfiguration(
  install: InstallSettings,
  inhibitRules: readonly InhibitRule[],
): Record<string, unknown> {
  return {
    route: {
      receiver: silent,
      group_by: ["alertname", "namespace", "cluster"],
      group_wait: `${install.groupWaitSeconds}s`,
      group_interval: `${install.groupIntervalSeconds}s`,
      repeat_interval: `${install.repeatHours}h`,
      routes: install.receivers.map(({ name, severities }) => ({
        receiver: name,
        matchers: [`severity=~"${severities.join("|")}"`],
        continue: true,
        ...(severities.includes("none") && { routes: [watchdogRoute] }),
      })),
    },
    inhibit_rules: inhibitRules,
    receivers: [
      { name: silent },
      ...install.receivers.map((receiver) => ({ name: receiver.name, ...integration(receiver) })),
    ],
  };
}
