/** What the page is given: a dashboard's JSON, and what a Prometheus answered to each of its queries. */

export interface Series {
  readonly labels: Readonly<Record<string, string>>;
  /** Milliseconds. */
  readonly times: readonly number[];
  /** null where there was no sample. */
  readonly values: readonly (number | null)[];
}

export interface Answer {
  readonly refId: string;
  readonly legend: string;
  readonly table: boolean;
  readonly series: readonly Series[];
}

export interface PanelJson {
  readonly id: number;
  readonly type: string;
  readonly title: string;
  readonly gridPos: { readonly x: number; readonly y: number; readonly w: number; readonly h: number };
  readonly options?: Record<string, unknown>;
  readonly fieldConfig?: {
    readonly defaults: Record<string, unknown>;
    readonly overrides?: readonly OverrideJson[];
  };
  readonly transformations?: readonly { readonly id: string; readonly options: Record<string, unknown> }[];
}

export interface OverrideJson {
  readonly matcher: { readonly id: string; readonly options: string };
  readonly properties: readonly { readonly id: string; readonly value?: unknown }[];
}

export interface Mark {
  readonly time: number;
  readonly colour: string;
  readonly text: string;
}

export interface Drawing {
  readonly title: string;
  /** Choices and times, as one line below the title. */
  readonly caption: string;
  readonly from: number;
  readonly to: number;
  readonly panels: readonly PanelJson[];
  /** By the panels' IDs. */
  readonly answers: Readonly<Record<number, readonly Answer[]>>;
  readonly marks: readonly Mark[];
}
