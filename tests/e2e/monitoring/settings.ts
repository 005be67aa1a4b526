import { alerts, ruleGroups, ruleOf, thresholdsOf } from "../../../plan/monitoring/alerts";
import type { Settings, SettingsInput } from "../../../settings/schema";
import { receiver } from "../kit/prometheus";
import { settingsWith } from "../kit/settings";
import { alertCases, BACKUP_AGE, eventWindow } from "./cases";

/** How long what an alert is about must be so, in the place of minutes. */
const HOLD_SECONDS = 10;
/** The same for what another alert inhibits: it is told later than that one, as with the real times. */
const INHIBITED_HOLD_SECONDS = 75;
/**
 * How long a Prometheus that is started again takes what it had read for the present: its default, 5 minutes, would be longer than what is inhibited holds here.
 */
const LOOKBACK_SECONDS = 40;
const inhibited = new Set(alertCases.flatMap((one) => one.inhibited ?? []));
for (const { alerts: told } of alertCases) for (const name of told) inhibited.delete(name);

/** Changes the settings, and says what they then are on this engine. */
export function monitored(settings: SettingsInput, engine: Settings["cluster"]["engine"]): Settings {
  settings.backup = {
    rpoMinutes: 1,
    targets: [{ name: "near", kind: "local", size: "5Gi" }],
    verify: { queries: [{ name: "e2e", sql: "select count(*) > 0 from e2e_verified" }] },
  };
  // The former logins are closed before anything is looked at.
  settings.rotation = { credentialVersion: 2, overlapMinutes: 1 };
  settings.cluster.parameters = { ...settings.cluster.parameters, max_prepared_transactions: 5 };
  settings.monitoring = {
    prometheus: "install",
    thresholds: {
      slowQuery: "10s",
      longTransaction: "10s",
      idleInTransaction: "10s",
      blocked: "5s",
      preparedTransaction: "5s",
      connectionsHigh: "25%",
      connectionsFull: "45%",
      ...(engine !== "standalone" && { replicationLag: "5s" }),
      slotWal: "16Mi",
      deadRows: "20%",
      deadlocks: 0,
      archiveBacklog: 3,
      volumeUsed: "55%",
      eventWindow,
    },
    queries: [
      {
        name: "e2e",
        sql: "select count(wanted) as rows from e2e_counted",
        tables: ["e2e_counted"],
        values: [{ name: "rows", help: "Rows that are counted." }],
      },
    ],
    install: {
      scrapeSeconds: 5,
      groupWaitSeconds: 1,
      groupIntervalSeconds: 5,
      receivers: [
        {
          name: "tests",
          kind: "webhook",
          url: `http://${receiver.name}.${receiver.namespace}.svc/alerts`,
          severities: ["critical", "warning", "info"],
          pods: { namespace: receiver.namespace, labels: receiver.labels, port: receiver.port },
        },
      ],
    },
  };
  const checked = settingsWith(settings, engine);
  // No setting lets a base backup be old before the next one is due.
  const young = { ...thresholdsOf(checked), backupAge: BACKUP_AGE };
  const old = alerts.filter(({ name }) => name === "BackupOld").map((alert) => ruleOf(alert, checked, young));
  const groups = ruleGroups(checked).map(({ name, rules }) => ({
    name,
    rules: rules
      .map((rule) => old.find(({ alert }) => alert === rule.alert) ?? rule)
      .map((rule) => ({
        ...rule,
        ...(rule.for !== undefined && {
          for: `${inhibited.has(rule.alert) ? INHIBITED_HOLD_SECONDS : HOLD_SECONDS}s`,
        }),
      })),
  }));
  settings.transform = {
    monitoring: {
      alerts: { spec: { groups } },
      Prometheus: { spec: { query: { lookbackDelta: `${LOOKBACK_SECONDS}s` } } },
    },
  };
  return checked;
}
