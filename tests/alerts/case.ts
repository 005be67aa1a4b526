import type { Settings } from "../../settings/schema";

export type Engine = Settings["cluster"]["engine"];

/** What Prometheus has read: values a minute apart, as promtool writes them, by series without the labels of the cluster. */
export type Series = Readonly<Record<string, string>>;

export interface Case {
  readonly series: Series;
  /** Minute from which it is so. @default 0 */
  readonly from?: number;
  /** Other settings, by which the test is short. */
  readonly change?: Readonly<Record<string, unknown>>;
}

export interface Fires extends Case {
  /** Whether it is so from the beginning and fires at once, so that there is nothing before. */
  readonly always?: true;
  /** Labels beside severity and those of the cluster. */
  readonly labels?: Readonly<Record<string, string>>;
  /** Behind the cluster's name. */
  readonly summary: string;
}

/** Of each alert: the least that it fires by, and the most that it doesn't. */
export interface Pair {
  readonly fires: (engine: Engine) => Fires;
  readonly quiet: (engine: Engine) => Case;
  /** Further cases, each for its reason. */
  readonly more?: readonly ((engine: Engine) => (Case | Fires) & { readonly title: string })[];
}

export type Pairs = Readonly<Record<string, Pair>>;

export const cluster = 'namespace="postgres",cluster="main"';

/** A sample of the cluster: `of("pgplatform_server_up", 'instance="main-1"')`. */
export const of = (metric: string, labels = ""): string =>
  `${metric}{${cluster}${labels === "" ? "" : `,${labels}`}}`;

export const primary = 'instance="main-1",role="primary"';
export const standby = 'instance="main-2",role="standby"';
export const both = { instance: "main-1", role: "primary" } as const;

/** A value for four hours. */
export const always = (value: number): string => `${value}x240`;
