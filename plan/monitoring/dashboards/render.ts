import * as common from "@grafana/grafana-foundation-sdk/common";
import * as sdk from "@grafana/grafana-foundation-sdk/dashboard";
import { PanelBuilder as BarsBuilder } from "@grafana/grafana-foundation-sdk/bargauge";
import * as prometheus from "@grafana/grafana-foundation-sdk/prometheus";
import { PanelBuilder as StatBuilder } from "@grafana/grafana-foundation-sdk/stat";
import { PanelBuilder as StatesBuilder } from "@grafana/grafana-foundation-sdk/statetimeline";
import { PanelBuilder as TableBuilder } from "@grafana/grafana-foundation-sdk/table";
import { PanelBuilder as SeriesBuilder } from "@grafana/grafana-foundation-sdk/timeseries";
import type { Dashboard, Mark, Names, Panel, Query, Steps, Variable } from "./model";

/** Grafana's JSON of dashboards. It takes Grafana's library, so that index.ts loads it only where there are dashboards. */

export type Rendered = sdk.Dashboard;
type AnyPanelBuilder = SeriesBuilder | StatBuilder | BarsBuilder | TableBuilder | StatesBuilder;

/** Whose dashboards they are: what tells them from those of another cluster in the same Grafana. */
export interface Whose {
  /** Before each dashboard's ID. */
  readonly uid: string;
  /** Tag by which they know each other. */
  readonly tag: string;
  /** The cluster that is chosen at first. @default - Grafana chooses */
  readonly cluster?: { readonly namespace: string; readonly name: string };
}

const source = { type: "prometheus", uid: "${datasource}" };
const heights: Readonly<Record<Panel["kind"], number>> = { stat: 4, series: 8, bars: 8, table: 8, states: 6 };

const uidOf = ({ uid }: Whose, { id }: Pick<Dashboard, "id">): string => `${uid}-${id}`;

const stepsOf = (steps: Steps): sdk.Threshold[] => steps.map(([value, color]) => ({ value, color }));

const thresholdsOf = (steps: Steps): sdk.ThresholdsConfigBuilder =>
  new sdk.ThresholdsConfigBuilder().mode(sdk.ThresholdsMode.Absolute).steps(stepsOf(steps));

const mappingOf = (names: Names): sdk.ValueMap => ({
  type: sdk.MappingType.ValueToText,
  options: Object.fromEntries(
    Object.entries(names).map(([value, [text, color]], index) => [value, { text, color, index }]),
  ),
});

const refOf = (index: number): string => String.fromCharCode("A".charCodeAt(0) + index);

function targetOf({ expr, legend }: Query, index: number, kind: Panel["kind"]): prometheus.DataqueryBuilder {
  const target = new prometheus.DataqueryBuilder().datasource(source).refId(refOf(index)).expr(expr);
  if (kind === "table") return target.instant().format(prometheus.PromQueryFormat.Table);
  const named = target.legendFormat(legend);
  return kind === "series" || kind === "states" ? named.range() : named.instant();
}

const color = (mode: sdk.FieldColorModeId): sdk.FieldColorBuilder => new sdk.FieldColorBuilder().mode(mode);

const newest = (): common.ReduceDataOptionsBuilder =>
  new common.ReduceDataOptionsBuilder().calcs(["lastNotNull"]).values(false).fields("");

/** Names with newest and greatest values beside a wide panel; names alone below a narrow one. */
const legend = (panel: Panel): common.VizLegendOptionsBuilder => {
  const wide = panel.width >= 12;
  return new common.VizLegendOptionsBuilder()
    .displayMode(wide ? common.LegendDisplayMode.Table : common.LegendDisplayMode.List)
    .placement(wide ? common.LegendPlacement.Right : common.LegendPlacement.Bottom)
    .showLegend(true)
    .calcs(wide ? ["lastNotNull", "max"] : []);
};

function seriesBuilder(panel: Panel): SeriesBuilder {
  const builder = new SeriesBuilder()
    .colorScheme(color(sdk.FieldColorModeId.PaletteClassic))
    .lineWidth(1)
    .fillOpacity(panel.stacked ? 30 : 0)
    .showPoints(common.VisibilityMode.Never)
    .tooltip(
      new common.VizTooltipOptionsBuilder()
        .mode(common.TooltipDisplayMode.Multi)
        .sort(common.SortOrder.Descending),
    )
    .legend(legend(panel));
  if (panel.stacked)
    builder.stacking(new common.StackingConfigBuilder().mode(common.StackingMode.Normal).group("A"));
  // Nothing but zeros would be drawn on an axis up to 100.
  if (panel.max === undefined && panel.unit === "none") builder.axisSoftMax(1);
  if (panel.max === undefined && panel.unit === "s") builder.axisSoftMax(0.001);
  if (panel.steps)
    builder.thresholdsStyle(
      new common.GraphThresholdsStyleConfigBuilder().mode(common.GraphThresholdsStyleMode.Dashed),
    );
  return builder;
}

function statBuilder(panel: Panel): StatBuilder {
  return new StatBuilder()
    .reduceOptions(newest())
    .graphMode(common.BigValueGraphMode.None)
    .colorMode(common.BigValueColorMode.Value)
    .textMode(panel.byName ? common.BigValueTextMode.Name : common.BigValueTextMode.Value)
    .colorScheme(color(sdk.FieldColorModeId.Thresholds));
}

function barsBuilder(panel: Panel): BarsBuilder {
  return new BarsBuilder()
    .reduceOptions(newest())
    .orientation(common.VizOrientation.Horizontal)
    .displayMode(common.BarGaugeDisplayMode.Basic)
    .showUnfilled(true)
    .text(new common.VizTextDisplayOptionsBuilder().titleSize(13).valueSize(15))
    .colorScheme(color(panel.steps ? sdk.FieldColorModeId.Thresholds : sdk.FieldColorModeId.PaletteClassic));
}

const statesBuilder = (): StatesBuilder =>
  new StatesBuilder()
    .mergeValues(true)
    .showValue(common.VisibilityMode.Auto)
    .rowHeight(0.8)
    .colorScheme(color(sdk.FieldColorModeId.Thresholds));

/** Columns in order: labels, then values by their queries' names. */
function tableBuilder({ queries, labels = {}, sortBy }: Panel): TableBuilder {
  const columns = queries.map((one, index) => ({
    ...one,
    field: queries.length === 1 ? "Value" : `Value #${refOf(index)}`,
  }));
  const shown = columns.filter(({ hidden }) => !hidden);
  const order = [...Object.keys(labels), ...shown.map(({ field }) => field)];
  const builder = new TableBuilder()
    .withTransformation({ id: "merge", options: {} })
    .withTransformation({
      id: "organize",
      options: {
        excludeByName: Object.fromEntries(
          ["Time", ...columns.filter(({ hidden }) => hidden).map(({ field }) => field)].map((name) => [
            name,
            true,
          ]),
        ),
        indexByName: Object.fromEntries(order.map((name, index) => [name, index])),
        renameByName: {
          ...labels,
          ...Object.fromEntries(shown.map(({ field, legend: name }) => [field, name])),
        },
      },
    })
    .filterable(true);
  if (sortBy !== undefined)
    builder.sortBy([new common.TableSortByFieldStateBuilder().displayName(sortBy).desc(true)]);
  for (const { legend: name, unit, steps, names } of shown)
    builder.overrideByName(name, [
      ...(unit === undefined ? [] : [{ id: "unit", value: unit }]),
      ...(names === undefined ? [] : [{ id: "mappings", value: [mappingOf(names)] }]),
      ...(steps === undefined
        ? []
        : [{ id: "thresholds", value: { mode: sdk.ThresholdsMode.Absolute, steps: stepsOf(steps) } }]),
      ...(steps === undefined && !Object.values(names ?? {}).some(([, colour]) => colour !== "text")
        ? []
        : [{ id: "custom.cellOptions", value: { type: common.TableCellDisplayMode.ColorText } }]),
    ]);
  return builder;
}

function builderOf(panel: Panel): AnyPanelBuilder {
  switch (panel.kind) {
    case "series":
      return seriesBuilder(panel);
    case "stat":
      return statBuilder(panel);
    case "bars":
      return barsBuilder(panel);
    case "table":
      return tableBuilder(panel);
    case "states":
      return statesBuilder();
  }
}

const unitOf = (unit: Panel["unit"]): string => (unit === "cores" ? "suffix: cores" : unit);

function panelBuilder(panel: Panel, id: number): AnyPanelBuilder {
  const builder = builderOf(panel)
    .id(id)
    .title(panel.title)
    .description(panel.description)
    .datasource(source)
    .unit(unitOf(panel.unit))
    .span(panel.width)
    .height(panel.height ?? heights[panel.kind])
    .targets(panel.queries.map((one, index) => targetOf(one, index, panel.kind)));
  if (panel.steps) builder.thresholds(thresholdsOf(panel.steps));
  if (panel.names) builder.mappings([mappingOf(panel.names)]);
  if (panel.min !== undefined) builder.min(panel.min);
  if (panel.max !== undefined) builder.max(panel.max);
  if (panel.noValue !== undefined) builder.noValue(panel.noValue);
  return builder;
}

function variableBuilder(
  { name, title, series, multi }: Variable,
  { cluster }: Whose,
): sdk.QueryVariableBuilder {
  const builder = new sdk.QueryVariableBuilder(name)
    .label(title)
    .datasource(source)
    .query({ query: `label_values(${series}, ${name})`, refId: name })
    .definition(`label_values(${series}, ${name})`)
    .refresh(sdk.VariableRefresh.OnTimeRangeChanged)
    .sort(sdk.VariableSort.AlphabeticalAsc)
    .multi(multi ?? false)
    .includeAll(multi ?? false);
  if (multi) return builder.allValue(".*").current({ text: "All", value: "$__all" });
  const chosen = name === "namespace" ? cluster?.namespace : name === "cluster" ? cluster?.name : undefined;
  return chosen === undefined ? builder : builder.current({ text: chosen, value: chosen });
}

const markBuilder = ({ title, expr, text, colour }: Mark): sdk.AnnotationQueryBuilder =>
  new sdk.AnnotationQueryBuilder()
    .name(title)
    .datasource(source)
    .enable(true)
    .iconColor(colour)
    .expr(expr)
    .step("60s")
    .titleFormat(title)
    .textFormat(text);

/** The dashboard as Grafana imports it. */
export function render(dashboard: Dashboard, whose: Whose): Rendered {
  const builder = new sdk.DashboardBuilder(dashboard.title)
    .uid(uidOf(whose, dashboard))
    .description(dashboard.description)
    .tags(["postgresql", whose.tag])
    .timezone("browser")
    .time({ from: "now-6h", to: "now" })
    .refresh("1m")
    .tooltip(sdk.DashboardCursorSync.Crosshair)
    .link(
      new sdk.DashboardLinkBuilder("PostgreSQL")
        .type(sdk.DashboardLinkType.Dashboards)
        .tags([whose.tag])
        .asDropdown(true)
        .includeVars(true)
        .keepTime(true),
    )
    .withVariable(new sdk.DatasourceVariableBuilder("datasource").label("Data source").type("prometheus"));
  for (const variable of dashboard.variables) builder.withVariable(variableBuilder(variable, whose));
  for (const mark of dashboard.marks ?? []) builder.annotation(markBuilder(mark));
  let id = 0;
  for (const { title, panels } of dashboard.rows) {
    builder.withRow(new sdk.RowBuilder(title).id(++id));
    for (const panel of panels) builder.withPanel(panelBuilder(panel, ++id));
  }
  return builder.build();
}
