import * as z from "zod";
import { documented, image, port, quoted, rolls, rollsPooler } from "./types";

/** Where images come from. */

const server = new RegExp(`^[a-z0-9]([-a-z0-9.]*[a-z0-9])?(:${port})?(/[a-z0-9][-a-z0-9._]*)*$`);

export const images = z
  .strictObject({
    registry: documented(z.string().regex(server), {
      means:
        "Mirror that has the platform's images: it replaces the registry's host in the name of every image that isn't set here. " +
        "Default: none.",
      change: rolls,
      allowed: "the host of a registry with or without a path, such as registry.example.com/mirror",
      fix: "write it without https:// and without a slash at the end",
    }).optional(),
    operator: image(
      "Image of the engine's operator. Default: by platform.",
      "A change rolls the operator, which then rolls the instances.",
    ),
    postgresql: image(
      "Image of PostgreSQL; its tag begins with the major version. Default: by platform and version.",
      rolls,
    ),
    postgresExporter: image(
      "Image of PostgreSQL's metrics exporter, where the engine has no metrics of its own. Default: by platform.",
      rolls,
    ),
    objectStore: image(
      "Image of versitygw, the store of backup targets of the kind local. Default: by platform.",
      "A change restarts the store.",
    ),
    backupPlugin: image(
      "Image of CloudNativePG's plugin for Barman's cloud tools. Default: by platform.",
      "A change rolls the plugin.",
    ),
    backupSidecar: image(
      "Image of the plugin's sidecar, which archives and restores beside each instance. Default: by platform.",
      rolls,
    ),
    backupTools: image(
      "Image of rclone, with a shell in it, which looks into backup targets, and copies between them. Default: by platform.",
      "A change is for what starts later.",
    ),
    backupRestore: image(
      "Image with a shell and Barman's cloud tools, by which a verification restores; with the engine zalando on the platform local alone, elsewhere the instances' image does. Default: by platform.",
      "A change is for what starts later.",
    ),
    pgbouncer: image("Image of PgBouncer, with bash in it. Default: by platform.", rollsPooler),
    pgbouncerExporter: image("Image of PgBouncer's metrics exporter. Default: by platform.", rollsPooler),
    prometheusOperator: image(
      "Image of the Prometheus Operator, where monitoring.prometheus is install, as with the four below. Default: by platform.",
      "A change rolls the Prometheus Operator.",
    ),
    prometheusConfigReloader: image(
      "Image of what reloads the configuration beside Prometheus and Alertmanager, of the Prometheus Operator's version. Default: by platform.",
      "A change restarts Prometheus and Alertmanager.",
    ),
    prometheus: image(
      "Image of Prometheus, of a version 2.53. Default: by platform.",
      "A change restarts Prometheus.",
    ),
    alertmanager: image(
      "Image of Alertmanager, of a version 0.28. Default: by platform.",
      "A change restarts Alertmanager.",
    ),
    kubeStateMetrics: image(
      "Image of kube-state-metrics. Default: by platform.",
      "A change rolls kube-state-metrics.",
    ),
  })
  .default({});

const later = "A change is for images that are pulled later.";

export const registry = z.strictObject({
  server: documented(z.string().regex(server), {
    means: "Host of the registry, as the images' names begin.",
    change: later,
    allowed: "the host of a registry, such as registry.example.com",
    fix: "write it without https:// and without a slash at the end",
  }),
  username: documented(z.string().min(1), {
    means: "Name to log in with.",
    change: later,
    allowed: "a text of at least one character",
    fix: "write it in quotes",
    numbers: quoted,
  }),
  password: documented(z.string().min(1), {
    means:
      "Password or token to log in with, encrypted in the stack file: pulumi config set --secret --path " +
      "'pgplatform:registries[0].password'.",
    change: later,
    allowed: "a text of at least one character that Pulumi has encrypted",
    fix: "set it with pulumi config set --secret --path",
    numbers: quoted,
    secret: true,
  }),
});
