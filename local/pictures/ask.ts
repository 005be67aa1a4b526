import { interpolate } from "../../plan/monitoring/dashboards/index";
import type { Dashboard, VariableName } from "../../plan/monitoring/dashboards/model";
import type { Rendered } from "../../plan/monitoring/dashboards/render";
import { UserError } from "../../shell/userError";
import type { Answer, Drawing, Mark, PanelJson, Series } from "./page/answers";

/** Asks a Prometheus what a dashboard's panels ask, as Grafana would. */

export interface Range {
  readonly from: Date;
  readonly to: Date;
}

export interface Asked extends Range {
  readonly prometheus: string;
  /** Values of the variables; those that aren't given are the first that Prometheus offers, or all where several may be chosen. */
  readonly chosen: Partial<Record<VariableName, string>>;
}

interface Result {
  readonly metric: Record<string, string>;
  readonly value?: readonly [number, string];
  readonly values?: readonly (readonly [number, string])[];
}

async function get(base: string, path: string, parameters: Record<string, string>): Promise<Result[]> {
  const url = new URL(`${base.replace(/\/$/, "")}/api/v1/${path}`);
  const response = await fetch(url, { method: "POST", body: new URLSearchParams(parameters) }).catch(
    (error: unknown) => {
      throw new UserError([
        `Prometheus at ${base} doesn't answer: ${String((error as Error).cause ?? error)}.`,
      ]);
    },
  );
  const text = await response.text();
  const answer = (text.startsWith("{") ? JSON.parse(text) : {}) as {
    status?: string;
    error?: string;
    data?: { result: Result[] };
  };
  if (answer.status !== "success" || answer.data === undefined)
    throw new UserError([
      `Prometheus at ${base} refuses ${parameters.query}: ${answer.error ?? `HTTP ${response.status}`}.`,
    ]);
  return answer.data.result;
}

/** Seconds between two samples: a full picture has a few hundred. */
export const stepOf = ({ from, to }: Range): number =>
  Math.max(15, Math.ceil((to.getTime() - from.getTime()) / 1000 / 240));

/** As Grafana has it for a scrape interval of 30 s. */
export const rateInterval = (step: number): string => `${Math.max(120, step + 30)}s`;

const number = (text: string): number | null => (Number.isFinite(Number(text)) ? Number(text) : null);

/** A sample for every step of the range: null where there is none, so that a gap is drawn as one. */
export function seriesOf({ metric, values = [] }: Result, range: Range, step: number): Series {
  const byTime = new Map(values.map(([time, value]) => [Math.round(time * 1000), number(value)]));
  const times: number[] = [];
  for (let time = range.from.getTime(); time <= range.to.getTime(); time += step * 1000) times.push(time);
  return { labels: metric, times, values: times.map((time) => byTime.get(time) ?? null) };
}

/** The variables' values in order, each chosen by those before. */
async function choose(dashboard: Dashboard, { prometheus, to, chosen }: Asked): Promise<Asked["chosen"]> {
  const values: Partial<Record<VariableName, string>> = {};
  for (const { name, series, multi } of dashboard.variables) {
    const given = chosen[name];
    if (given !== undefined || multi) {
      values[name] = given ?? ".*";
      continue;
    }
    const query = interpolate(`group by (${name}) (${series})`, values);
    const found = await get(prometheus, "query", { query, time: String(to.getTime() / 1000) });
    const first = found.map(({ metric }) => metric[name] ?? "").sort()[0];
    if (first === undefined)
      throw new UserError([`Prometheus at ${prometheus} has no ${name} then: nothing answers ${query}.`]);
    values[name] = first;
  }
  return values;
}

type Target = {
  readonly refId: string;
  readonly expr: string;
  readonly legendFormat?: string;
  readonly instant?: boolean;
  readonly format?: string;
};

const minute = (date: Date): string => date.toISOString().slice(0, 16).replace("T", " ");

/** All that is needed to draw a dashboard of that time. */
export async function drawingOf(dashboard: Dashboard, rendered: Rendered, asked: Asked): Promise<Drawing> {
  const { prometheus, from, to } = asked;
  const step = stepOf(asked);
  const values = await choose(dashboard, asked);
  const filled = (expr: string): string =>
    interpolate(expr, { ...values, __rate_interval: rateInterval(step) });
  const range = {
    start: String(from.getTime() / 1000),
    end: String(to.getTime() / 1000),
    step: String(step),
  };

  const answer = async ({ refId, expr, legendFormat = "", instant, format }: Target): Promise<Answer> => {
    const query = filled(expr);
    const found = instant
      ? await get(prometheus, "query", { query, time: range.end })
      : await get(prometheus, "query_range", { query, ...range });
    const series = found.map((result): Series =>
      instant
        ? { labels: result.metric, times: [to.getTime()], values: [number(result.value?.[1] ?? "")] }
        : seriesOf(result, asked, step),
    );
    return { refId, legend: legendFormat, table: format === "table", series };
  };

  const answers: Record<number, Answer[]> = {};
  const panels = (rendered.panels ?? []) as unknown as (PanelJson & { targets?: Target[] })[];
  for (const { id, targets = [] } of panels) {
    answers[id] = [];
    for (const target of targets) answers[id].push(await answer(target));
  }
  const marks: Mark[] = [];
  for (const { expr, colour, text } of dashboard.marks ?? [])
    for (const { values: samples = [] } of await get(prometheus, "query_range", {
      query: filled(expr),
      ...range,
      step: "60",
    }))
      for (const [time] of samples) marks.push({ time: time * 1000, colour, text });

  const choices = dashboard.variables
    .filter(({ name }) => values[name] !== ".*")
    .map(({ name }) => `${name} ${values[name]}`);
  return {
    title: dashboard.title,
    caption: [...choices, `${minute(from)} to ${minute(to)} UTC`].join(" · "),
    from: from.getTime(),
    to: to.getTime(),
    panels,
    answers,
    marks,
  };
}
