import { type Difference, lossText, minutesText, pauseText } from "./compare";
import type { Budget, Cost, Failure, Reliability } from "./model";

/** A report as lines for a terminal, or as Markdown; what both say is made in one place. */

const GiB = 2 ** 30;
const MiB = 2 ** 20;

const amountText = (amount: number, unit: Budget["unit"]): string =>
  unit === "connections"
    ? String(amount)
    : amount >= GiB
      ? `${(amount / GiB).toFixed(1)}Gi`
      : `${Math.round(amount / MiB)}Mi`;

const settingText = ({ path, value }: Failure["settings"][number]): string => `${path}: ${value}`;

/** A budget as one sum. */
const sumText = ({ unit, parts, needed, limit }: Budget): string =>
  `${amountText(needed, unit)} of ${amountText(limit, unit)} = ${parts
    .map(({ text, amount }) =>
      unit === "connections" ? `${amount} for ${text}` : `${text} (${amountText(amount, unit)})`,
    )
    .join(" + ")}`;

const money = (monthly: number | null): string =>
  monthly === null ? "unknown" : `${monthly.toFixed(2)} USD`;

const costText = ({ what, monthly, note }: Cost): string =>
  monthly === null ? `${what}: ${note}` : `${what}: ${money(monthly)} (${note})`;

/** What volumes and stores cost in a month. */
export const monthText = ({ costs }: Pick<Reliability, "costs">): string =>
  costs.total === null ? "unknown" : `at most ${money(costs.total)}`;

interface Line {
  readonly label: string;
  readonly text: string;
}

/** Budgets and costs, a line each. */
const further = ({ connections, memory, wal, recovery, costs }: Reliability): Line[] => [
  { label: "Connections", text: sumText(connections) },
  { label: "Memory of an instance", text: sumText(memory) },
  { label: "WAL against an outage of the store", text: wal.text },
  {
    label: "Recovery",
    text:
      recovery.rpoMinutes === null
        ? "no backups"
        : `every moment of the last ${recovery.windowDays} days, up to the last ${minutesText(recovery.rpoMinutes)}; from ${
            ["a volume of the Kubernetes cluster", "one store", "two stores"][recovery.targets]
          }`,
  },
  ...[...costs.volumes, ...costs.backups].map((cost) => ({ label: "A month", text: costText(cost) })),
  { label: "A month in all", text: monthText({ costs }) },
];

const sign: Readonly<Record<Difference["verdict"], string>> = {
  better: "better",
  worse: "WORSE",
  same: "same",
};

const NO_DIFFERENCE = "Reliability: nothing gets better or worse.";

/** What differs, a line each. */
export const differenceLines = (differences: readonly Difference[]): string[] =>
  differences.length === 0
    ? [NO_DIFFERENCE]
    : differences.map(
        ({ title, verdict, before, after }) => `${sign[verdict].padEnd(6)}  ${title}: ${before} -> ${after}`,
      );

/** For a terminal. `differences`: against what the report was compared with. */
export function reportLines(report: Reliability, differences?: readonly Difference[]): string[] {
  return [
    `Reliability of ${report.cluster} (${report.engine}), by its settings`,
    "",
    ...report.failures.flatMap(({ title, happens, pause, loss, settings }) => [
      title,
      `  ${happens}`,
      `  pause: ${pauseText(pause)}: ${pause.note}`,
      `  lost:  ${lossText(loss)}: ${loss.note}`,
      ...(settings.length > 0 ? [`  by:    ${settings.map(settingText).join(", ")}`] : []),
    ]),
    "",
    ...further(report).map(({ label, text }) => `${label}: ${text}`),
    `  ${report.costs.note}`,
    ...(differences === undefined
      ? []
      : ["", "What changes", ...differenceLines(differences).map((line) => `  ${line}`)]),
  ];
}

/** A text within a cell of a table. */
export const cell = (text: string): string =>
  text.replace(/[\\`*_<>[\]|]/g, (sign) => `\\${sign}`).replace(/\s*\n\s*/g, " ");

const row = (cells: readonly string[]): string => `| ${cells.map(cell).join(" | ")} |`;

const table = (head: readonly string[], rows: readonly (readonly string[])[]): string[] => [
  row(head),
  `| ${head.map(() => "---").join(" | ")} |`,
  ...rows.map(row),
];

/** The differences as a table in Markdown. */
export const differenceTable = (differences: readonly Difference[]): string[] =>
  differences.length === 0
    ? [NO_DIFFERENCE]
    : table(
        ["", "What", "Before", "After"],
        differences.map(({ verdict, title, before, after }) => [sign[verdict], title, before, after]),
      );

export function reportMarkdown(report: Reliability, differences?: readonly Difference[]): string[] {
  return [
    `## Reliability of ${cell(report.cluster)} (${report.engine})`,
    "",
    ...(differences === undefined
      ? []
      : ["### What changes", "", ...differenceTable(differences), "", "### What it promises", ""]),
    ...table(
      ["When", "What happens", "Writes pause", "Lost", "By"],
      report.failures.map(({ title, happens, pause, loss, settings }) => [
        title,
        happens,
        `${pauseText(pause)}: ${pause.note}`,
        `${lossText(loss)}: ${loss.note}`,
        settings.map(settingText).join(", "),
      ]),
    ),
    "",
    ...further(report).map(({ label, text }) => `- **${label}**: ${cell(text)}`),
    "",
    report.costs.note,
  ];
}
