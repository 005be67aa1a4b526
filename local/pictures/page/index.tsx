import { createTheme, type DataFrame, ThemeContext } from "@grafana/data";
import { GlobalStyles } from "@grafana/ui";
import { createRoot } from "react-dom/client";
import type { Drawing, PanelJson } from "./answers";
import { tableFrame } from "./frames";
import { Panel } from "./panels";

/** Draws a dashboard by its JSON and the answers that it is given: `draw` is what the browser is asked to call. */

const theme = createTheme({ colors: { mode: "light" } });
/** Grafana's grid: 24 columns, lines of 30 pixels, gaps of 8. */
const [columns, line, gap, head, margin] = [24, 30, 8, 30, 16] as const;

const above = (y: number): number => y * (line + gap);

function Dashboard({
  drawing,
  tables,
  width,
}: {
  drawing: Drawing;
  tables: Map<number, DataFrame | undefined>;
  width: number;
}) {
  const column = (width - 2 * margin + gap) / columns;
  const box = ({ gridPos: { x, y, w, h } }: PanelJson) => ({
    position: "absolute" as const,
    left: margin + x * column,
    top: above(y),
    width: w * column - gap,
    height: h * line + (h - 1) * gap,
  });
  const lines = Math.max(...drawing.panels.map(({ gridPos: { y, h } }) => y + h));
  return (
    <div
      style={{
        background: theme.colors.background.canvas,
        fontFamily: theme.typography.fontFamily,
        padding: "16px 0",
      }}
    >
      <div style={{ padding: `0 ${margin}px 12px` }}>
        <div style={{ fontSize: 22, fontWeight: 500 }}>{drawing.title}</div>
        <div style={{ color: theme.colors.text.secondary }}>{drawing.caption}</div>
      </div>
      <div style={{ position: "relative", height: above(lines) }}>
        {drawing.panels.map((panel) =>
          panel.type === "row" ? (
            <div key={panel.id} style={{ ...box(panel), fontSize: 16, fontWeight: 500, paddingTop: 4 }}>
              {panel.title}
            </div>
          ) : (
            <div
              key={panel.id}
              style={{
                ...box(panel),
                background: theme.colors.background.primary,
                border: `1px solid ${theme.colors.border.weak}`,
                borderRadius: 2,
                overflow: "hidden",
              }}
            >
              <div
                style={{
                  height: head,
                  padding: "6px 8px",
                  fontWeight: 500,
                  fontSize: 14,
                  whiteSpace: "nowrap",
                }}
              >
                {panel.title}
              </div>
              <div style={{ padding: "0 8px" }}>
                <Panel
                  panel={panel}
                  answers={drawing.answers[panel.id] ?? []}
                  table={tables.get(panel.id)}
                  marks={drawing.marks}
                  from={drawing.from}
                  to={drawing.to}
                  theme={theme}
                  width={box(panel).width - 18}
                  height={box(panel).height - head - 10}
                />
              </div>
            </div>
          ),
        )}
      </div>
    </div>
  );
}

declare global {
  interface Window {
    draw: (drawing: Drawing, width: number) => Promise<void>;
  }
}

window.draw = async (drawing, width) => {
  const tables = new Map<number, DataFrame | undefined>();
  for (const panel of drawing.panels)
    if (panel.type === "table")
      tables.set(panel.id, await tableFrame(drawing.answers[panel.id] ?? [], panel, theme));
  const root = document.createElement("div");
  document.body.replaceChildren(root);
  createRoot(root).render(
    <ThemeContext.Provider value={theme}>
      <GlobalStyles />
      <Dashboard drawing={drawing} tables={tables} width={width} />
    </ThemeContext.Provider>,
  );
};
