import * as z from "zod";
import { logs } from "./logs";
import { install } from "./monitoringInstall";
import { thresholds } from "./thresholds";
import {
  atOnce,
  boolean,
  cores,
  documented,
  freeLabelKey,
  label,
  labelValue,
  oneOf,
  quantity,
  rollsPooler,
} from "./types";
import { queries } from "./queries";
import { statements } from "./statements";

/** How metrics are collected, and what becomes of them. */
export const monitoring = z
  .strictObject({
    prometheus: oneOf(
      ["none", "annotations", "operator", "install"],
      "How Prometheus finds the metrics. none: it isn't told; annotations: annotations on the pods' Services, and a scrape configuration as a ConfigMap to be " +
        "given to a Prometheus; operator: objects for a Prometheus Operator that runs already; install: Prometheus Operator, Prometheus, Alertmanager and " +
        "kube-state-metrics are installed by this stack. Default: none.",
      "A change makes or deletes these objects; PostgreSQL keeps running.",
    ).default("none"),
    namespace: label(
      "Namespace whose pods may read the metrics ports. Default: none, no pod may.",
      63,
      atOnce,
    ).optional(),
    labels: documented(z.record(freeLabelKey, labelValue), {
      means:
        "Labels of the monitors, the rules and the dashboards, by which a Prometheus or a Grafana selects them, such as release: prometheus. Default: none.",
      change: atOnce,
      allowed:
        "`key: value` as Kubernetes takes them, with keys that are not the platform's or Kubernetes' own",
      fix: "use the label that the Prometheus' ruleSelector and podMonitorSelector name",
    }).default({}),
    rules: boolean(
      "Whether there are alerts for a Prometheus, where monitoring.prometheus isn't none. Default: true.",
      atOnce,
    ).default(true),
    runbooks: documented(z.string().regex(/^(https?:\/\/[^\s"{}\\]+|[A-Za-z0-9][\w./-]*)[^/\s"{}\\]$/), {
      means:
        "Where the alerts' pages are: runbook_url is this, a slash, and the page's name, such as postgresql-down.md. A path is one of this repository. Default: docs/runbooks.",
      change: atOnce,
      allowed: "an address or a path without a slash at its end, such as https://wiki.example.com/runbooks",
      fix: "write where the folder docs/runbooks is published",
    }).default("docs/runbooks"),
    thresholds,
    dashboards: boolean(
      "Whether there are dashboards for a Grafana, as ConfigMaps, where monitoring.prometheus isn't none. Default: true.",
      atOnce,
    ).default(true),
    install: install.optional(),
    statements,
    queries,
    logs: logs.prefault({}),
    memory: quantity(
      "Memory limit of each metrics exporter: beside each PgBouncer, with the engine standalone beside the server, with zalando in a pod for each instance; with cnpg the instances have metrics of their own. " +
        "Default: 64Mi, 48Mi beside PgBouncer, and 4Mi more for each database from the ninth on.",
      `${rollsPooler} With standalone the server restarts, with zalando the exporters' pods alone.`,
      "128Mi",
    ).optional(),
    cpu: cores(
      "Most cores of the same. Default: 100m; 200m beside PgBouncer.",
      `${rollsPooler} With standalone the server restarts, with zalando the exporters' pods alone.`,
    ).optional(),
  })
  .prefault({});
