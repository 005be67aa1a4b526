import { mkdir, readdir, readFile, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { stateDir } from "../../shell/paths";
import { median, summarise } from "../e2e/kit/statistics";
import { type Machine } from "./machine";

/** What `make bench` leaves behind: the raw samples of each part, and one page made of all of them. */

export type Cell = string | number;

export interface Table {
  caption: string;
  head: readonly string[];
  rows: readonly (readonly Cell[])[];
}

export interface Goal {
  met: boolean;
  text: string;
}

/** One measurement, ready to be read by a person, with what it was made from. */
export interface Part {
  /** Names its file; a later run of the same part replaces it. */
  name: string;
  title: string;
  /** What a person types to measure it again. */
  command: string;
  /** When it ended, ISO 8601. */
  at: string;
  machine: Machine;
  /** What was compared, how, and what it doesn't say. */
  notes: readonly string[];
  tables: readonly Table[];
  goals: readonly Goal[];
  /** Everything that was measured, in order, warm-ups included. */
  samples: unknown;
}

export const samplesDir = join(stateDir, "bench");
export const pageFile = join(stateDir, "bench-results.md");

/** A number as the page shows it: whole numbers as they are, three digits that count otherwise. */
export function shown(value: Cell | undefined): string {
  if (value === undefined) return "–";
  if (typeof value === "string") return value;
  if (!Number.isFinite(value)) return value > 0 ? "never" : "–";
  if (Number.isInteger(value)) return String(value);
  return Math.abs(value) >= 100 ? value.toFixed(0) : value.toFixed(2);
}

/** n, median, p95 and the longest of some seconds, as cells; dashes when there are none. */
export function summaryCells(values: readonly number[]): Cell[] {
  if (values.length === 0) return [0, "–", "–", "–"];
  const { n, p95, max } = summarise(values);
  return [n, median(values), p95, max];
}

export const summaryHead = ["n", "median", "p95", "max"] as const;

const row = (cells: readonly Cell[]): string =>
  `| ${cells.map((cell) => shown(cell).replaceAll("|", "\\|")).join(" | ")} |`;

const markdownTable = ({ caption, head, rows }: Table): string[] => [
  `**${caption}**`,
  "",
  row(head),
  `| ${head.map((_, column) => (column === 0 ? "---" : "---:")).join(" | ")} |`,
  ...rows.map(row),
  "",
];

export const goalLine = ({ met, text }: Goal): string => `${met ? "met" : "MISSED"}: ${text}`;

const machineLine = ({ cpus, model, memoryGiB, system, load }: Machine): string =>
  `${cpus} × ${model}, ${memoryGiB.toFixed(0)} GiB, ${system}; load when it began: ${load.toFixed(1)}`;

const versionsLine = ({ versions }: Machine): string =>
  Object.entries(versions)
    .map(([what, version]) => `${what} ${version}`)
    .join(", ");

/** One page of Markdown. */
export function page(parts: readonly Part[]): string {
  const missed = parts.flatMap(({ goals }) => goals).filter(({ met }) => !met).length;
  const all = parts.flatMap(({ goals }) => goals).length;
  const lines = [
    "# Bench results",
    "",
    `${all - missed} of ${all} goals met. Figures are from one machine: ratios and differences travel better than seconds.`,
    "",
  ];
  for (const part of parts) {
    lines.push(`## ${part.title}`, "");
    lines.push(`- \`${part.command}\`, ${part.at.slice(0, 16).replace("T", " ")} UTC`);
    lines.push(`- ${machineLine(part.machine)}`);
    lines.push(`- ${versionsLine(part.machine)}`);
    lines.push(...part.notes.map((note) => `- ${note}`), "");
    lines.push(...part.tables.flatMap(markdownTable));
    if (part.goals.length > 0) lines.push(...part.goals.map((goal) => `- ${goalLine(goal)}`), "");
  }
  return `${lines.join("\n").trimEnd()}\n`;
}

const order = [
  "failover-delete",
  "failover-graceful",
  "failover-postmaster",
  "failover-archiving",
  "restart",
  "backup",
  "stall",
  "throughput",
  "exporter",
  "preview",
  "policy",
];

/** Keeps a part, and makes the page again from all parts that are kept; returns the file of the raw samples. */
export async function keepPart(part: Part): Promise<string> {
  await mkdir(samplesDir, { recursive: true });
  const file = join(samplesDir, `${part.name}.json`);
  await writeFile(file, JSON.stringify(part, undefined, 1));
  await writePage();
  return file;
}

export async function writePage(): Promise<void> {
  const names = (await readdir(samplesDir)).filter((name) => name.endsWith(".json"));
  const parts = await Promise.all(
    names.map(async (name) => JSON.parse(await readFile(join(samplesDir, name), "utf8")) as Part),
  );
  parts.sort((one, other) => order.indexOf(one.name) - order.indexOf(other.name));
  await writeFile(pageFile, page(parts));
}
