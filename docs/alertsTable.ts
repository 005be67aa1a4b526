import { format } from "prettier";
import { stringify } from "yaml";
import { families, inhibitRules, pageOf, ruleOf } from "../plan/monitoring/alerts";
import { durationText } from "../settings/duration";
import { check } from "../checks";

/** The alerts as docs/monitoring.md lists them. */

/** Settings by which each alert has a text; the table holds nothing of them but defaults. */
const example = () => {
  const target = (name: string, host: string) => ({
    name,
    kind: "s3",
    bucket: "backups",
    endpoint: `https://${host}`,
    credentials: { accessKeyId: "a key", secretAccessKey: "a secret key" },
  });
  const result = check({
    platform: "local",
    cluster: {
      name: "main",
      namespace: "postgres",
      storage: { size: "20Gi", walSize: "4Gi" },
      databases: [{ name: "app", owner: "app" }],
    },
    poolers: [{ name: "app", database: "app" }],
    backup: { targets: [target("far", "one.example.com"), target("copy", "two.example.net")] },
    monitoring: { prometheus: "operator", namespace: "monitoring" },
  });
  if ("problems" in result) throw new Error("the example's settings are wrong");
  return result.settings;
};

/** Fields of a text in italics, by what they are. */
const plain = (text: string): string =>
  text
    .replace(/^postgres\/main: /, "")
    .replace(/\{\{ if lt \$value 0\.0 \}\}(.*?)\{\{ else \}\}(.*?)\{\{ end \}\}/g, "$1, or $2")
    .replace(/\{\{ if [^}]*\}\}(.*?)\{\{ else \}\}(.*?)\{\{ end \}\}/g, "$1")
    .replace(/\{\{ with [^}]*\}\}(.*?)\{\{ end \}\}/g, (_, inner: string) =>
      inner.replace("{{ . }}", "*target*"),
    )
    .replace(/\{\{ \$labels\.(\w+) \}\}/g, "*$1*")
    .replace(/\{\{ \$value[^}]*\}\}/g, "*value*");

const titles: Readonly<Record<string, string>> = {
  availability: "Availability",
  replication: "Replication",
  sessions: "Sessions",
  maintenance: "Maintenance and performance",
  volumes: "Volumes",
  archive: "Archive",
  backups: "Backups",
  poolers: "Poolers",
  operator: "Operator",
  metrics: "Metrics",
  security: "Certificates and passwords",
};

/** A table in Markdown; the formatter pads it. */
const table = (rows: readonly (readonly string[])[]): string =>
  [rows[0] ?? [], (rows[0] ?? []).map(() => "---"), ...rows.slice(1)]
    .map((row) => `| ${row.join(" | ")} |`)
    .join("\n");

export function alertsTable(): string {
  const settings = example();
  const rows = Object.entries(families).flatMap(([family, all]) =>
    all.map((alert, index) => {
      const rule = ruleOf(alert, settings);
      const seconds = parseInt(rule.for ?? "0s");
      return [
        index === 0 ? (titles[family] ?? family) : "",
        `[${alert.name}](runbooks/${pageOf(alert)})`,
        alert.severity,
        seconds === 0 ? "at once" : durationText(seconds),
        plain(rule.annotations.summary ?? ""),
      ];
    }),
  );
  return table([["About", "Alert", "Severity", "After", "What it says"], ...rows]);
}

/** The rules of inhibition as Alertmanager's configuration has them. */
export const inhibitionsText = (): string =>
  `\`\`\`yaml\n${stringify({ inhibit_rules: inhibitRules() }, { lineWidth: 0 }).trim()}\n\`\`\``;

const within = (page: string, what: string, text: string): string => {
  const [from, to] = [`<!-- ${what}: npm run docs:alerts -->`, `<!-- end of ${what} -->`];
  const [begin, end] = [page.indexOf(from), page.indexOf(to)];
  if (begin < 0 || end < begin) throw new Error(`docs/monitoring.md has no place for the ${what}`);
  return `${page.slice(0, begin + from.length)}\n\n${text}\n\n${page.slice(end)}`;
};

/** docs/monitoring.md with both in their places, as the formatter has it. */
export const withAlerts = (page: string): Promise<string> =>
  format(within(within(page, "alerts", alertsTable()), "inhibitions", inhibitionsText()), {
    parser: "markdown",
    printWidth: 110,
  });
