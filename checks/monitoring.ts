import { hostOf, isInCluster } from "../plan/backup/hosts";
import { silent } from "../plan/monitoring/install/alertmanager";
import { bytesOf } from "../settings/quantity";
import type { Settings } from "../settings/schema";
import type { Receiver } from "../settings/schema/monitoringInstall";
import { twice, type Report, type Rule } from "./rule";

const MiB = 2 ** 20;

/** What Prometheus takes without any metrics of a cluster. */
const leastMemory = 128;
/** A smaller volume is full of what Prometheus is writing before anything is compacted. */
const leastVolume = 512;

function receivers(all: readonly Receiver[], report: Report): void {
  const repeated = twice(all.map(({ name }) => name));
  all.forEach((receiver, index) => {
    const path = `monitoring.install.receivers[${index}]`;
    const { name, kind } = receiver;
    if (repeated.has(name))
      report(`${path}.name`, name, "a name that no other receiver has", "rename one of them");
    if (name === silent)
      report(`${path}.name`, name, "another name: this one is of what is sent to none", "rename it");
    if (kind === "email" && (receiver.username === undefined) !== (receiver.password === undefined))
      report(
        `${path}.username`,
        receiver.username,
        "username and password together, or neither",
        "give both, or leave both out",
      );
    if (kind !== "webhook") return;
    const inside = isInCluster(receiver.url);
    if (!inside && receiver.url.startsWith("http:"))
      report(
        `${path}.url`,
        receiver.url,
        "https:// where the address isn't that of a Service of the Kubernetes cluster",
        "use https://, or name the Service as <name>.<namespace>.svc",
      );
    if (inside && receiver.pods === undefined)
      report(
        `${path}.pods`,
        undefined,
        `the pods behind ${hostOf(receiver.url)}, which network policies let Alertmanager through to`,
        "give their namespace, labels and port",
      );
    if (!inside && receiver.pods !== undefined)
      report(
        `${path}.pods`,
        receiver.pods,
        "must not be set: the url is no Service of the Kubernetes cluster",
        "leave it out, or name the Service as <name>.<namespace>.svc",
      );
  });
}

function sizes({ memory, storage }: NonNullable<Settings["monitoring"]["install"]>, report: Report): void {
  const least = (path: string, value: string, mebibytes: number) => {
    if ((bytesOf(value) ?? 0) < mebibytes * MiB)
      report(`monitoring.install.${path}`, value, `at least ${mebibytes}Mi`, "give it more");
  };
  least("memory", memory, leastMemory);
  least("storage.size", storage.size, leastVolume);
}

/** Half of the default: an assumption, since Grafana was never run here. */
const leastGrafana = 256;

function grafana({ platform, monitoring }: Settings, report: Report): void {
  const found = monitoring.install?.grafana;
  if (found === undefined) return;
  const at = "monitoring.install.grafana";
  if (platform === "local")
    report(
      at,
      found,
      "must not be set: platform is local, whose nodes pull no image, and none of Grafana is built here",
      "leave it out, and use make dashboards and a Grafana of your own",
    );
  if (!monitoring.dashboards)
    report(
      at,
      found,
      "must not be set: monitoring.dashboards is false, so it would have nothing to show",
      "leave it out, or set monitoring.dashboards to true",
    );
  if ((bytesOf(found.memory) ?? 0) < leastGrafana * MiB)
    report(`${at}.memory`, found.memory, `at least ${leastGrafana}Mi`, "give it more");
}

/** What a Prometheus that runs already must be told, and what nothing would read. */
function told({ prometheus, namespace, labels, dashboards }: Settings["monitoring"], report: Report): void {
  if ((prometheus === "operator" || prometheus === "annotations") && namespace === undefined)
    report(
      "monitoring.namespace",
      namespace,
      `the namespace of the Prometheus, where monitoring.prometheus is ${prometheus}: network policies let no other pod read metrics`,
      "name it",
    );
  const selects = prometheus === "annotations" ? dashboards : prometheus !== "none";
  if (Object.keys(labels).length > 0 && !selects)
    report(
      "monitoring.labels",
      labels,
      `must not be set: monitoring.prometheus is ${prometheus}${prometheus === "none" ? "" : " and monitoring.dashboards is false"}, so there is no object that has them`,
      "leave it out, or set monitoring.prometheus to operator",
    );
}

/** What is installed to collect metrics, and who gets the alerts. */
export const monitoring: Rule = (settings, report) => {
  const { monitoring, platform, cluster } = settings;
  const { prometheus, install } = monitoring;
  told(monitoring, report);
  if (prometheus !== "install") {
    if (install !== undefined)
      report(
        "monitoring.install",
        install,
        `must not be set: monitoring.prometheus is ${prometheus}`,
        "leave it out, or set monitoring.prometheus to install",
      );
    return;
  }
  if (platform === "openshift")
    report(
      "monitoring.prometheus",
      prometheus,
      "operator, annotations or none on openshift, which brings a Prometheus Operator of its own",
      "set it to operator",
    );
  if (install === undefined) return;
  if (install.repeatHours * 3600 < install.groupIntervalSeconds)
    report(
      "monitoring.install.repeatHours",
      install.repeatHours,
      `at least groupIntervalSeconds, ${install.groupIntervalSeconds} s: what fires still is sent with the group alone`,
      "raise it, or lower groupIntervalSeconds",
    );
  sizes(install, report);
  grafana(settings, report);
  receivers(install.receivers, report);
  install.namespaces.forEach((name, index) => {
    if (name === cluster.namespace || name === monitoring.namespace)
      report(
        `monitoring.install.namespaces[${index}]`,
        name,
        "other namespaces: this one is watched anyway",
        "leave it out",
      );
  });
};
