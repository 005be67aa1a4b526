import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { dashboardsOf } from "../plan/monitoring/dashboards/index";

const cell = (text: string): string => text.replaceAll("|", "\\|");

/** A table as Prettier writes it. */
function table(rows: readonly (readonly string[])[]): string[] {
  const [head = []] = rows;
  const widths = head.map((_, column) => Math.max(3, ...rows.map((row) => row[column]?.length ?? 0)));
  const line = (row: readonly string[]): string =>
    `| ${row.map((text, column) => text.padEnd(widths[column] ?? 0)).join(" | ")} |`;
  return [line(head), line(widths.map((width) => "-".repeat(width))), ...rows.slice(1).map(line)];
}

/** The list of dashboards and their panels, as a page. */
export function dashboardsPage(): string {
  const lines = [
    "# Dashboards",
    "",
    "Each panel of each dashboard. `npm run docs:dashboards` writes this page. How Grafana gets them is in",
    "[monitoring](monitoring.md#dashboards). A panel of the third column is empty until what stands there is there.",
  ];
  for (const { title, description, variables, rows } of dashboardsOf()) {
    const choices = variables.map((one) => one.title.toLowerCase()).join(", ");
    lines.push(
      "",
      `## ${title.replace("PostgreSQL: ", "").replace(/^./, (first) => first.toUpperCase())}`,
      "",
    );
    lines.push(description, `Choices: ${choices}.`, "");
    const panels = rows.flatMap((row) => row.panels);
    lines.push(
      ...table([
        ["Panel", "What it shows", "Needs"],
        ...panels.map((panel) => {
          const reasons = panel.queries.map(({ needsEvent }) => needsEvent ?? "");
          const needs = reasons.includes("") ? "" : [...new Set(reasons)].join("; ");
          return [panel.title, panel.description, needs].map(cell);
        }),
      ]),
    );
  }
  return `${lines.join("\n")}\n`;
}

/** `npm run docs:dashboards`: writes the page. */
if (require.main === module) writeFileSync(join(__dirname, "dashboards.md"), dashboardsPage());
