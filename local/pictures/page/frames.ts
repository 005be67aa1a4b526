import {
  type DataFrame,
  type Field,
  FieldType,
  type GrafanaTheme2,
  getDisplayProcessor,
  getFieldDisplayName,
  standardTransformers,
  standardTransformersRegistry,
  transformDataFrame,
} from "@grafana/data";
import { firstValueFrom } from "rxjs";
import type { Answer, PanelJson, Series } from "./answers";

/** Answers of Prometheus as Grafana's frames, with the panel's units, thresholds and names. */

standardTransformersRegistry.setInit(() =>
  [standardTransformers.mergeTransformer, standardTransformers.organizeFieldsTransformer].map(
    (transformation) =>
      ({
        id: transformation.id,
        name: transformation.name,
        transformation: () => Promise.resolve(transformation),
        editor: () => null,
      }) as never,
  ),
);

/** What Grafana's panel has where the JSON says nothing. */
const custom = {
  drawStyle: "line",
  lineInterpolation: "linear",
  lineWidth: 1,
  fillOpacity: 0,
  gradientMode: "none",
  barAlignment: 0,
  stacking: { mode: "none", group: "A" },
  axisPlacement: "auto",
  axisLabel: "",
  axisColorMode: "text",
  axisGridShow: true,
  axisBorderShow: false,
  axisCenteredZero: false,
  scaleDistribution: { type: "linear" },
  showPoints: "never",
  spanNulls: false,
  hideFrom: { legend: false, tooltip: false, viz: false },
  thresholdsStyle: { mode: "off" },
};

const legendOf = (legend: string, { labels }: Series): string =>
  legend === "__auto"
    ? `${labels.__name__ ?? ""} ${Object.entries(labels)
        .filter(([name]) => !["__name__", "namespace", "cluster", "role", "instance"].includes(name))
        .map(([, value]) => value)
        .join(" ")}`
    : legend.replaceAll(/\{\{\s*(\w+)\s*\}\}/g, (_, name: string) => labels[name] ?? "");

function shown(frames: DataFrame[], panel: PanelJson, theme: GrafanaTheme2): DataFrame[] {
  let index = 0;
  for (const frame of frames)
    for (const field of frame.fields) {
      if (field.type === FieldType.time) continue;
      const name = getFieldDisplayName(field, frame, frames);
      const overridden = (panel.fieldConfig?.overrides ?? [])
        .filter(({ matcher }) => matcher.id === "byName" && matcher.options === name)
        .flatMap(({ properties }) => properties);
      const defaults = panel.fieldConfig?.defaults ?? {};
      const config: Record<string, unknown> =
        field.type === FieldType.number ? { ...defaults, ...field.config } : {};
      config.custom = { ...custom, ...(defaults.custom as object | undefined) };
      for (const { id, value } of overridden)
        if (id.startsWith("custom."))
          (config.custom as Record<string, unknown>)[id.slice("custom.".length)] = value;
        else config[id] = value;
      field.config = config;
      field.state = { ...field.state, seriesIndex: index++, displayName: name };
      field.display = getDisplayProcessor({ field, theme, timeZone: "utc" });
    }
  return frames;
}

const timeField = (values: readonly number[]): Field => ({
  name: "Time",
  type: FieldType.time,
  config: {},
  values: [...values],
});

/** A frame a series, for what is drawn over time and for single values. */
export const seriesFrames = (
  answers: readonly Answer[],
  panel: PanelJson,
  theme: GrafanaTheme2,
): DataFrame[] =>
  shown(
    answers.flatMap(({ refId, legend, series }) =>
      series.map((one) => ({
        refId,
        length: one.times.length,
        fields: [
          timeField(one.times),
          {
            name: "Value",
            type: FieldType.number,
            labels: { ...one.labels },
            config: { displayNameFromDS: legendOf(legend, one) },
            values: [...one.values],
          } as Field,
        ],
      })),
    ),
    panel,
    theme,
  );

/** One frame of rows, as the panel's transformations make it. */
export async function tableFrame(
  answers: readonly Answer[],
  panel: PanelJson,
  theme: GrafanaTheme2,
): Promise<DataFrame | undefined> {
  const frames = answers
    .filter(({ series }) => series.length > 0)
    .map(({ refId, series }): DataFrame => {
      const names = [...new Set(series.flatMap(({ labels }) => Object.keys(labels)))];
      return {
        refId,
        length: series.length,
        fields: [
          timeField(series.map(({ times }) => times.at(-1) ?? 0)),
          ...names.map((name) => ({
            name,
            type: FieldType.string,
            config: {},
            values: series.map(({ labels }) => labels[name] ?? ""),
          })),
          {
            name: answers.length === 1 ? "Value" : `Value #${refId}`,
            type: FieldType.number,
            config: {},
            values: series.map(({ values }) => values.at(-1) ?? null),
          },
        ],
      };
    });
  if (frames.length === 0) return undefined;
  const transformed = await firstValueFrom(transformDataFrame([...(panel.transformations ?? [])], frames));
  return shown(transformed, panel, theme)[0];
}

/** Newest value of a series. */
export const newest = (frame: DataFrame): { field: Field; value: number | null } | undefined => {
  const field = frame.fields.find(({ type }) => type === FieldType.number);
  if (field === undefined) return undefined;
  const values = (field.values as (number | null)[]).filter((value) => value !== null);
  return { field, value: values.at(-1) ?? null };
};
