/** What a dashboard shows, as data: render.ts makes Grafana's JSON of it, queries.ts lists what it asks Prometheus. */

/** Units as Grafana names them. */
export type Unit =
  "none" | "short" | "percentunit" | "s" | "bytes" | "Bps" | "ops" | "reqps" | "cores" | "dateTimeFromNow";

export type Colour = "green" | "orange" | "red" | "blue" | "purple" | "text";

/** From which value on which colour; the first counts from the least value on. */
export type Steps = readonly (readonly [from: number | null, colour: Colour])[];

/** Text and colour in place of a value. */
export type Names = Readonly<Record<string, readonly [text: string, colour: Colour]>>;

export interface Query {
  readonly expr: string;
  /** Name of each series, with labels as `{{label}}`; a table's column. */
  readonly legend: string;
  /** What must be there or happen first, where a healthy idle system has no answer. */
  readonly needsEvent?: string;
  /** A column's unit, colours and texts in place of the panel's. */
  readonly unit?: Unit;
  readonly steps?: Steps;
  readonly names?: Names;
  /** Only its labels are shown in a table. */
  readonly hidden?: true;
}

export interface Panel {
  readonly title: string;
  readonly description: string;
  /** series: lines over time; stat: the newest value; bars: the newest values, longest first; table: newest values by labels; states: named values over time. */
  readonly kind: "series" | "stat" | "bars" | "table" | "states";
  readonly unit: Unit;
  readonly queries: readonly Query[];
  /** Of a line's 24 columns. */
  readonly width: number;
  /** In Grafana's lines. @default - by kind */
  readonly height?: number;
  readonly steps?: Steps;
  readonly names?: Names;
  readonly min?: number;
  readonly max?: number;
  /** Areas one upon the other, where their sum means something. */
  readonly stacked?: true;
  /** Show a stat's series by its name, not its value. */
  readonly byName?: true;
  /** In place of "No data". */
  readonly noValue?: string;
  /** A table's labels, with their columns' titles, in order. */
  readonly labels?: Readonly<Record<string, string>>;
  /** Column that a table is sorted by, greatest first. */
  readonly sortBy?: string;
}

export interface Row {
  readonly title: string;
  readonly panels: readonly Panel[];
}

export type VariableName = "namespace" | "cluster" | "instance" | "database" | "pooler" | "target";

/** A choice at the dashboard's top: the values of the label that has the variable's name. */
export interface Variable {
  readonly name: VariableName;
  readonly title: string;
  /** Series whose label is offered. */
  readonly series: string;
  /** Several at once, or all. */
  readonly multi?: true;
  readonly needsEvent?: string;
}

/** A mark across all panels where the expression has a value. */
export interface Mark {
  readonly title: string;
  readonly expr: string;
  readonly text: string;
  readonly colour: Colour;
  readonly needsEvent: string;
}

export interface Dashboard {
  /** Part of its file's name and its UID. */
  readonly id: string;
  readonly title: string;
  readonly description: string;
  readonly variables: readonly Variable[];
  readonly marks?: readonly Mark[];
  readonly rows: readonly Row[];
}

type Options = Partial<Omit<Panel, "title" | "description" | "kind" | "unit" | "queries">>;

export const query = (expr: string, legend: string, more: Omit<Query, "expr" | "legend"> = {}): Query => ({
  expr,
  legend,
  ...more,
});

const panelOf =
  (kind: Panel["kind"], width: number) =>
  (
    title: string,
    unit: Unit,
    description: string,
    queries: readonly Query[],
    options: Options = {},
  ): Panel => ({
    title,
    kind,
    unit,
    description,
    queries,
    width,
    ...options,
  });

export const series = panelOf("series", 12);
export const bars = panelOf("bars", 12);
export const table = panelOf("table", 24);
export const states = panelOf("states", 24);

/** Red is much. */
export const above = (warning: number, critical: number): Steps => [
  [null, "green"],
  [warning, "orange"],
  [critical, "red"],
];
/** Red is little. */
export const below = (warning: number, critical: number): Steps => [
  [null, "red"],
  [critical, "orange"],
  [warning, "green"],
];
/** Red is anything at all. */
export const noneWanted: Steps = [
  [null, "green"],
  [1, "red"],
];
/** No value is good or bad. */
export const plain: Steps = [[null, "text"]];

export const stat: typeof series = (title, unit, description, queries, options) =>
  panelOf("stat", 4)(title, unit, description, queries, { steps: plain, ...options });

export const yesNo: Names = { 0: ["no", "red"], 1: ["yes", "green"] };
