import {
  type DataFrame,
  dateTimeFormat,
  FieldType,
  type GrafanaTheme2,
  getFieldDisplayName,
} from "@grafana/data";
import type { ReactElement } from "react";
import { rowsIn } from "./rows";

/** Named values over time. Grafana's own drawing of them is no published component: texts and colours are its processors', the bars ours. */

/** Distances of the times on the axis. */
const minutes = [1, 2, 5, 10, 15, 30, 60, 120, 180, 360, 720];

interface Stretch {
  readonly value: number;
  readonly from: number;
  readonly to: number;
}

/** Equal values in a row as one; a missing sample ends it. */
function stretches(times: readonly number[], values: readonly (number | null)[], step: number): Stretch[] {
  const found: Stretch[] = [];
  values.forEach((value, index) => {
    const time = times[index];
    if (value === null || time === undefined) return;
    const last = found.at(-1);
    if (last?.value === value && last.to >= time) found[found.length - 1] = { ...last, to: time + step };
    else found.push({ value, from: time, to: time + step });
  });
  return found;
}

export function States({
  frames,
  from,
  to,
  theme,
  width,
  height,
}: {
  frames: DataFrame[];
  from: number;
  to: number;
  theme: GrafanaTheme2;
  width: number;
  height: number;
}): ReactElement {
  const names = frames.map((frame) =>
    getFieldDisplayName(frame.fields[1] ?? frame.fields[0]!, frame, frames),
  );
  const left = Math.min(220, 16 + 7 * Math.max(...names.map((name) => name.length)));
  const bottom = 22;
  const key = 18;
  const { shown, hidden, height: row, fontSize } = rowsIn(frames.length, height - bottom - key);
  const end = (shown + (hidden > 0 ? 1 : 0)) * row;
  const margin = Math.min(3, row / 8);
  const x = (time: number): number => left + ((time - from) / (to - from)) * (width - left - 8);
  const every = (minutes.find((one) => (to - from) / (one * 60_000) <= 8) ?? 1440) * 60_000;
  const first = Math.ceil(from / every) * every;
  const ticks = Array.from(
    { length: Math.floor((to - first) / every) + 1 },
    (_, index) => first + index * every,
  );
  const legend = new Map<string, string>();
  return (
    <svg width={width} height={height} style={{ fontSize: 12, fill: theme.colors.text.primary }}>
      {hidden > 0 && (
        <text
          x={4}
          y={shown * row + row / 2 + fontSize / 3}
          fontSize={fontSize}
          fill={theme.colors.text.secondary}
        >
          {`and ${hidden} more`}
        </text>
      )}
      {frames.slice(0, shown).map((frame, index) => {
        const time = frame.fields.find(({ type }) => type === FieldType.time);
        const field = frame.fields.find(({ type }) => type === FieldType.number);
        if (time === undefined || field?.display === undefined) return null;
        const times = time.values as number[];
        const step = (times[1] ?? to) - (times[0] ?? from);
        const display = field.display;
        return (
          <g key={index} transform={`translate(0 ${index * row})`} fontSize={fontSize}>
            <text x={4} y={row / 2 + fontSize / 3}>
              {names[index]}
            </text>
            {stretches(times, field.values as (number | null)[], step).map(
              ({ value, from: begin, to: until }) => {
                const { text, color = theme.colors.text.primary } = display(value);
                legend.set(text, color);
                const space = x(Math.min(until, to)) - x(begin);
                return (
                  <g key={begin}>
                    <rect
                      x={x(begin)}
                      y={margin}
                      width={space}
                      height={row - 2 * margin}
                      fill={color}
                      fillOpacity={0.75}
                    />
                    {space > 8 * text.length && (
                      <text x={x(begin) + 6} y={row / 2 + fontSize / 3} fill="#fff">
                        {text}
                      </text>
                    )}
                  </g>
                );
              },
            )}
          </g>
        );
      })}
      {ticks.map((time) => (
        <text key={time} x={x(time)} y={end + 16} textAnchor="middle" fill={theme.colors.text.secondary}>
          {dateTimeFormat(time, { format: "HH:mm", timeZone: "utc" })}
        </text>
      ))}
      {[...legend].map(([text, color], index) => (
        <g key={text} transform={`translate(${4 + index * 100} ${end + 26})`}>
          <rect width={14} height={4} y={4} fill={color} />
          <text x={20} y={10}>
            {text}
          </text>
        </g>
      ))}
    </svg>
  );
}
