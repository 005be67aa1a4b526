import type { Dashboard, Variable, VariableName } from "./model";

/** What dashboards ask Prometheus, for everything that asks it beside Grafana. */

export interface PanelQuery {
  readonly dashboard: string;
  /** Title of the panel, the variable or the mark. */
  readonly panel: string;
  readonly of: "panel" | "variable" | "mark";
  /** PromQL with Grafana's variables in it. */
  readonly expr: string;
  /** What must be there or happen first, where a healthy idle system has no answer. */
  readonly needsEvent?: string;
}

/** The values that a variable offers, as PromQL. */
const choices = ({ name, series }: Variable): string => `group by (${name}) (${series})`;

const withReason = (needsEvent: string | undefined) => (needsEvent === undefined ? {} : { needsEvent });

export const queriesOf = (dashboards: readonly Dashboard[]): PanelQuery[] =>
  dashboards.flatMap(({ id, variables, marks = [], rows }) => [
    ...variables.map((variable): PanelQuery => ({
      dashboard: id,
      panel: variable.title,
      of: "variable",
      expr: choices(variable),
      ...withReason(variable.needsEvent),
    })),
    ...marks.map(({ title, expr, needsEvent }): PanelQuery => ({
      dashboard: id,
      panel: title,
      of: "mark",
      expr,
      needsEvent,
    })),
    ...rows.flatMap(({ panels }) =>
      panels.flatMap(({ title, queries }) =>
        queries.map(({ expr, needsEvent }): PanelQuery => ({
          dashboard: id,
          panel: title,
          of: "panel",
          expr,
          ...withReason(needsEvent),
        })),
      ),
    ),
  ]);

/** An expression as Prometheus takes it: variables that aren't given stand for everything. */
export const interpolate = (
  expr: string,
  values: Partial<Record<VariableName | "__rate_interval", string>> = {},
): string =>
  expr.replaceAll(
    /\$(__rate_interval|[a-z]+)/g,
    (_, name: VariableName | "__rate_interval") => values[name] ?? (name === "__rate_interval" ? "5m" : ".*"),
  );
