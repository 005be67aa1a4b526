import * as z from "zod";

/** What a drill came to: as data, as Markdown and as one HTML page with plots; pure. */

const way = z.object({
  way: z.string().describe("pooled, or direct"),
  pauseSeconds: z.number().describe("the longest time between two acknowledged rows"),
  acknowledged: z.number(),
  errors: z.number(),
  firstError: z.string().optional(),
  lost: z.number().describe("acknowledged rows that aren't there afterwards"),
  perSecond: z.array(z.number()).describe("acknowledged rows in each second"),
});

const one = z.object({
  fault: z.string(),
  does: z.string(),
  result: z.enum(["passed", "failed", "skipped"]),
  says: z.string().describe("why it failed, or was left out; empty where it passed"),
  ways: z.array(way),
});

export const drill = z
  .object({
    at: z.string(),
    namespace: z.string(),
    cluster: z.string(),
    engine: z.string(),
    context: z.string(),
    boundSeconds: z.number(),
    facts: z.array(z.object({ what: z.string(), value: z.string() })),
    drills: z.array(one),
    notTried: z.array(z.string()),
    failed: z.number(),
  })
  .meta({ title: "Drill" });

export type Drill = z.infer<typeof drill>;
export type DrillResult = Drill["drills"][number];
export type WayResult = DrillResult["ways"][number];

const seconds = (value: number): string => `${value.toFixed(1)} s`;

/** The table's rows, by drill and way. */
const rowsOf = ({ drills }: Drill): string[][] =>
  drills.flatMap(({ fault, result, says, ways }) =>
    ways.length === 0
      ? [[fault, result, "", "", "", "", says]]
      : ways.map((seen) => [
          fault,
          result,
          seen.way,
          seconds(seen.pauseSeconds),
          String(seen.lost),
          `${seen.errors} of ${seen.acknowledged + seen.errors}`,
          seen.firstError ?? says,
        ]),
  );
const head = ["Fault", "Result", "Client", "Longest pause", "Lost", "Errors", "Said"];

export const drillLines = (given: Drill): string[] =>
  rowsOf(given).map(
    ([fault = "", result = "", client = "", pause = "", lost = "", errors = "", said = ""]) =>
      client === ""
        ? `${result.padEnd(8)}${fault.padEnd(12)}${said}`
        : `${result.padEnd(8)}${fault.padEnd(12)}${client.padEnd(8)} pause ${pause.padStart(7)}, ${lost} lost, ${errors} failed`,
  );

const cell = (text: string): string => text.replaceAll("|", "\\|").slice(0, 200);

export function markdown(given: Drill): string {
  const table = [head, head.map(() => "---"), ...rowsOf(given)].map(
    (row) => `| ${row.map(cell).join(" | ")} |`,
  );
  return [
    `# Evidence of ${given.namespace}/${given.cluster}, ${given.at}`,
    "",
    ...given.facts.map(({ what, value }) => `- ${what}: ${value}`),
    `- allowed pause: ${given.boundSeconds} s`,
    "",
    ...table,
    "",
    "Each client writes a row in a transaction and over a connection of its own, again and again. A pause is the longest time between two acknowledged rows; lost is what was " +
      "acknowledged and isn't there afterwards.",
    "",
    "Not tried:",
    "",
    ...given.notTried.map((text) => `- ${text}`),
    "",
  ].join("\n");
}

const html = (text: string): string =>
  text.replaceAll("&", "&amp;").replaceAll("<", "&lt;").replaceAll(">", "&gt;").replaceAll('"', "&quot;");

const [WIDTH, HEIGHT] = [600, 80];

/** Acknowledged rows in each second, as bars; a pause is where none are. */
function plot({ way: client, perSecond }: WayResult): string {
  const most = Math.max(1, ...perSecond);
  const width = WIDTH / Math.max(1, perSecond.length);
  const bars = perSecond.map((count, index) => {
    const height = (count / most) * HEIGHT;
    return `<rect x="${(index * width).toFixed(1)}" y="${(HEIGHT - height).toFixed(1)}" width="${(width * 0.8).toFixed(1)}" height="${height.toFixed(1)}"/>`;
  });
  return (
    `<figure><figcaption>${html(client)}: acknowledged rows in each of ${perSecond.length} seconds, at most ${most}</figcaption>` +
    `<svg viewBox="0 0 ${WIDTH} ${HEIGHT}" width="${WIDTH}" height="${HEIGHT}" role="img">${bars.join("")}</svg></figure>`
  );
}

export function page(given: Drill): string {
  const row = (cells: readonly string[], tag: "td" | "th") =>
    `<tr>${cells.map((text) => `<${tag}>${html(text.slice(0, 200))}</${tag}>`).join("")}</tr>`;
  return [
    "<!doctype html>",
    '<html lang="en"><head><meta charset="utf-8">',
    `<title>Evidence of ${html(`${given.namespace}/${given.cluster}`)}</title>`,
    "<style>body{font:16px sans-serif;max-width:60em;margin:2em auto}table{border-collapse:collapse}td,th{border:1px solid #999;padding:.3em .6em;text-align:left}svg{background:#eee;fill:#27c}</style>",
    "</head><body>",
    `<h1>Evidence of ${html(`${given.namespace}/${given.cluster}`)}, ${html(given.at)}</h1>`,
    `<ul>${given.facts.map(({ what, value }) => `<li>${html(what)}: ${html(value)}</li>`).join("")}<li>allowed pause: ${given.boundSeconds} s</li></ul>`,
    `<table>${row(head, "th")}${rowsOf(given)
      .map((cells) => row(cells, "td"))
      .join("")}</table>`,
    "<p>Each client writes a row in a transaction and over a connection of its own, again and again. A pause is the longest time between two acknowledged rows; lost is what was acknowledged and isn't there afterwards.</p>",
    ...given.drills
      .filter(({ ways }) => ways.length > 0)
      .map(({ fault, does, ways }) => `<h2>${html(fault)}: ${html(does)}</h2>${ways.map(plot).join("")}`),
    `<h2>Not tried</h2><ul>${given.notTried.map((text) => `<li>${html(text)}</li>`).join("")}</ul>`,
    "</body></html>",
    "",
  ].join("\n");
}
