import {
  type DataFrame,
  type DisplayValue,
  dateTime,
  FieldType,
  type GrafanaTheme2,
  getFieldDisplayName,
  type TimeRange,
} from "@grafana/data";
import {
  BarGauge,
  BigValue,
  type BigValueColorMode,
  type BigValueGraphMode,
  BigValueJustifyMode,
  BigValueTextMode,
  type UPlotConfigBuilder,
  TimeSeries,
  type VizLegendOptions,
} from "@grafana/ui";
import { BarGaugeNamePlacement, BarGaugeValueMode, type VizTextDisplayOptions } from "@grafana/schema";
import { type ReactElement, useLayoutEffect } from "react";
import type { Answer, Mark, PanelJson } from "./answers";
import { newest, seriesFrames } from "./frames";
import { States } from "./states";

export interface Size {
  readonly width: number;
  readonly height: number;
}

interface Drawn extends Size {
  readonly panel: PanelJson;
  readonly answers: readonly Answer[];
  readonly table: DataFrame | undefined;
  readonly marks: readonly Mark[];
  readonly from: number;
  readonly to: number;
  readonly theme: GrafanaTheme2;
}

export const rangeOf = (from: number, to: number): TimeRange => {
  const range = { from: dateTime(from), to: dateTime(to) };
  return { ...range, raw: range };
};

/** Vertical lines where something happened. */
function Marks({
  config,
  marks,
  theme,
}: {
  config: UPlotConfigBuilder;
  marks: readonly Mark[];
  theme: GrafanaTheme2;
}) {
  useLayoutEffect(() => {
    config.addHook("draw", (plot) => {
      const { ctx, bbox } = plot;
      ctx.save();
      ctx.setLineDash([4, 3]);
      for (const { time, colour } of marks) {
        const x = plot.valToPos(time, "x", true);
        ctx.strokeStyle = theme.visualization.getColorByName(colour);
        ctx.beginPath();
        ctx.moveTo(x, bbox.top);
        ctx.lineTo(x, bbox.top + bbox.height);
        ctx.stroke();
      }
      ctx.restore();
    });
  }, [config]);
  return null;
}

function Lines({
  panel,
  frames,
  marks,
  from,
  to,
  theme,
  width,
  height,
}: Drawn & { frames: DataFrame[] }): ReactElement {
  return (
    <TimeSeries
      frames={frames}
      timeRange={rangeOf(from, to)}
      timeZone="utc"
      width={width}
      height={height}
      legend={panel.options?.legend as VizLegendOptions}
      options={panel.options}
    >
      {(config) => <Marks config={config} marks={marks} theme={theme} />}
    </TimeSeries>
  );
}

function Stat({ panel, frames, theme, width, height }: Drawn & { frames: DataFrame[] }): ReactElement {
  const options = panel.options as {
    colorMode: BigValueColorMode;
    graphMode: BigValueGraphMode;
    textMode: BigValueTextMode;
  };
  return (
    <div style={{ display: "flex" }}>
      {frames.map((frame, index) => {
        const found = newest(frame);
        if (found?.field.display === undefined) return null;
        const value: DisplayValue = {
          ...found.field.display(found.value),
          title: getFieldDisplayName(found.field, frame, frames),
        };
        return (
          <BigValue
            key={index}
            value={value}
            width={width / frames.length}
            height={height}
            theme={theme}
            colorMode={options.colorMode}
            graphMode={options.graphMode}
            justifyMode={BigValueJustifyMode.Auto}
            textMode={options.textMode}
            count={frames.length}
          />
        );
      })}
    </div>
  );
}

function Bars({ panel, frames, theme, width, height }: Drawn & { frames: DataFrame[] }): ReactElement {
  const found = frames.flatMap((frame) => {
    const one = newest(frame);
    return one?.field.display === undefined || one.value === null
      ? []
      : [
          {
            field: one.field,
            value: { ...one.field.display(one.value), title: getFieldDisplayName(one.field, frame, frames) },
          },
        ];
  });
  const longest = Math.max(...found.map(({ value }) => value.numeric));
  const options = panel.options as {
    orientation: never;
    displayMode: never;
    showUnfilled: boolean;
    text?: VizTextDisplayOptions;
  };
  const widest = (part: "title" | "text" | "prefix" | "suffix"): string =>
    found.reduce(
      (most, { value }) => ((value[part] ?? "").length > most.length ? (value[part] ?? "") : most),
      "",
    );
  const alignmentFactors = {
    title: widest("title"),
    text: widest("text"),
    prefix: widest("prefix"),
    suffix: widest("suffix"),
  };
  return (
    <div>
      {found.map(({ field, value }, index) => (
        <BarGauge
          key={index}
          value={value}
          field={{ ...field.config, min: field.config.min ?? 0, max: field.config.max ?? longest }}
          display={field.display}
          width={width}
          height={Math.min(34, height / found.length)}
          theme={theme}
          orientation={options.orientation}
          displayMode={options.displayMode}
          showUnfilled={options.showUnfilled}
          namePlacement={BarGaugeNamePlacement.Left}
          valueDisplayMode={BarGaugeValueMode.Color}
          itemSpacing={6}
          lcdCellWidth={12}
          alignmentFactors={alignmentFactors}
          text={options.text}
        />
      ))}
    </div>
  );
}

/** A table without what a page has for hands: cells are texts and colours of Grafana's own processors. */
function Rows({
  frame,
  panel,
  theme,
  width,
}: {
  frame: DataFrame;
  panel: PanelJson;
  theme: GrafanaTheme2;
  width: number;
}) {
  const { sortBy } = (panel.options ?? {}) as { sortBy?: { displayName: string; desc?: boolean }[] };
  const order = Array.from({ length: frame.length }, (_, index) => index);
  const key = frame.fields.find((field) => getFieldDisplayName(field, frame) === sortBy?.[0]?.displayName);
  if (key !== undefined) order.sort((a, b) => (Number(key.values[b]) || 0) - (Number(key.values[a]) || 0));
  const fields = frame.fields.filter(({ type }) => type !== FieldType.time);
  return (
    <table style={{ width, borderCollapse: "collapse", fontSize: 13 }}>
      <thead>
        <tr>
          {fields.map((field) => (
            <th
              key={field.name}
              style={{ textAlign: field.type === FieldType.number ? "right" : "left", padding: "4px 8px" }}
            >
              {getFieldDisplayName(field, frame)}
            </th>
          ))}
        </tr>
      </thead>
      <tbody>
        {order.map((row) => (
          <tr key={row} style={{ borderTop: `1px solid ${theme.colors.border.weak}` }}>
            {fields.map((field) => {
              const value = field.values[row] as unknown;
              const { text, suffix = "", color } = field.display?.(value) ?? { text: String(value) };
              const coloured =
                (field.config.custom as { cellOptions?: { type?: string } }).cellOptions?.type ===
                "color-text";
              return (
                <td
                  key={field.name}
                  style={{
                    textAlign: field.type === FieldType.number ? "right" : "left",
                    padding: "3px 8px",
                    ...(coloured && color ? { color } : {}),
                  }}
                >
                  {value === null || value === undefined ? "" : text + suffix}
                </td>
              );
            })}
          </tr>
        ))}
      </tbody>
    </table>
  );
}

export function Panel(drawn: Drawn): ReactElement {
  const { panel, answers, table, theme, width } = drawn;
  const none = (
    <div style={{ color: theme.colors.text.secondary, textAlign: "center", paddingTop: 12 }}>
      {(panel.fieldConfig?.defaults.noValue as string | undefined) ?? "No data"}
    </div>
  );
  if (panel.type === "table")
    return table === undefined ? none : <Rows frame={table} panel={panel} theme={theme} width={width} />;
  const frames = seriesFrames(answers, panel, theme);
  if (frames.length === 0) return none;
  switch (panel.type) {
    case "timeseries":
      return <Lines {...drawn} frames={frames} />;
    case "stat":
      return <Stat {...drawn} frames={frames} />;
    case "bargauge":
      return <Bars {...drawn} frames={frames} />;
    case "state-timeline":
      return <States {...drawn} frames={frames} />;
    default:
      throw new Error(`no way to draw a ${panel.type}`);
  }
}
