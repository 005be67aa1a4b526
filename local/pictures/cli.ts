import { mkdir } from "node:fs/promises";
import { join } from "node:path";
import { Command } from "commander";
import { dashboardsOf, importable } from "../../plan/monitoring/dashboards/index";
import type { VariableName } from "../../plan/monitoring/dashboards/model";
import { UserError } from "../../shell/userError";
import { drawingOf } from "./ask";
import { renderer } from "./browser";

/** Pictures of the dashboards, drawn of what a Prometheus has. */

/** A moment: as ISO 8601, or so many minutes, hours or days before now. */
export function momentOf(text: string, now: Date): Date {
  const [, amount, unit] = /^(\d+)([mhd])$/.exec(text) ?? [];
  const seconds = { m: 60, h: 3600, d: 86_400 }[unit ?? ""];
  if (amount !== undefined && seconds !== undefined)
    return new Date(now.getTime() - Number(amount) * seconds * 1000);
  const date = text === "now" ? now : new Date(/^\d{4}-\d\d-\d\d/.test(text) ? text : NaN);
  if (Number.isNaN(date.getTime()))
    throw new UserError([
      `no moment: ${text}. Allowed: now, a time such as 2026-05-01T10:00:00Z, or how long ago, such as 90m, 6h or 2d.`,
    ]);
  return date;
}

interface Options {
  readonly prometheus: string;
  readonly from: string;
  readonly to: string;
  readonly folder: string;
  readonly only?: string;
  readonly width: string;
  readonly namespace?: string;
  readonly cluster?: string;
}

async function main(options: Options): Promise<void> {
  const now = new Date();
  const range = { from: momentOf(options.from, now), to: momentOf(options.to, now) };
  if (range.from >= range.to) throw new UserError([`from ${options.from} isn't before to ${options.to}.`]);
  const chosen: Partial<Record<VariableName, string>> = {
    ...(options.namespace !== undefined && { namespace: options.namespace }),
    ...(options.cluster !== undefined && { cluster: options.cluster }),
  };
  const all = dashboardsOf();
  const only = options.only?.split(",") ?? all.map(({ id }) => id);
  for (const id of only)
    if (!all.some((one) => one.id === id))
      throw new UserError([`no dashboard ${id}. Allowed: ${all.map((one) => one.id).join(", ")}.`]);
  const rendered = importable();
  await mkdir(options.folder, { recursive: true });
  const browser = await renderer(Number(options.width), (line) => console.log(line));
  try {
    for (const dashboard of all.filter(({ id }) => only.includes(id))) {
      const json = rendered.get(dashboard.id);
      if (json === undefined) throw new Error(`${dashboard.id} has no JSON`);
      const drawing = await drawingOf(dashboard, json, { prometheus: options.prometheus, ...range, chosen });
      const path = join(options.folder, `${dashboard.id}.png`);
      await browser.draw(drawing, path);
      const empty = drawing.panels.filter(
        ({ id, type }) =>
          type !== "row" && (drawing.answers[id] ?? []).every(({ series }) => series.length === 0),
      );
      const told = empty.length === 0 ? "" : `; without data: ${empty.map(({ title }) => title).join(", ")}`;
      console.log(`${path}: ${dashboard.title}, ${drawing.caption}${told}`);
    }
  } finally {
    await browser.close();
  }
}

if (require.main === module)
  new Command()
    .requiredOption("--prometheus <url>", "a Prometheus that has the metrics")
    .option("--from <moment>", "begin: a time, or how long ago", "1h")
    .option("--to <moment>", "end", "now")
    .option("--folder <path>", "where the pictures go", "docs/pictures")
    .option("--only <ids>", "dashboards, with commas between")
    .option("--width <pixels>", "width of a picture", "1400")
    .option("--namespace <name>", "the cluster's namespace")
    .option("--cluster <name>", "the cluster")
    .action(async (options: Options) => {
      await main(options).catch((error: unknown) => {
        console.error(error instanceof UserError ? error.message : error);
        process.exitCode = 1;
      });
    })
    .parse();
