/** Numbers that stand for a set of runs. Small sets are reported as they are: nothing is smoothed or left out. */
export interface Summary {
  n: number;
  median: number;
  p95: number;
  max: number;
}

/** The value below which a share of the sorted values lies (nearest rank): always one of the values. */
function rank(sorted: readonly number[], share: number): number {
  const value = sorted[Math.max(0, Math.ceil(share * sorted.length) - 1)];
  if (value === undefined) throw new Error("no values to summarise");
  return value;
}

export function median(values: readonly number[]): number {
  const sorted = [...values].sort((a, b) => a - b);
  const upper = rank(sorted, 0.5 + Number.EPSILON);
  return sorted.length % 2 === 1 ? rank(sorted, 0.5) : (rank(sorted, 0.5) + upper) / 2;
}

export function summarise(values: readonly number[]): Summary {
  const sorted = [...values].sort((a, b) => a - b);
  return { n: sorted.length, median: median(sorted), p95: rank(sorted, 0.95), max: rank(sorted, 1) };
}

const cell = (value: number) => (Number.isInteger(value) ? String(value) : value.toFixed(2));

/** Rows of a table as text, columns aligned. */
export function table(head: readonly string[], rows: readonly (readonly (string | number)[])[]): string {
  const cells = [
    head,
    ...rows.map((row) => row.map((value) => (typeof value === "number" ? cell(value) : value))),
  ];
  const widths = head.map((_, column) => Math.max(...cells.map((row) => row[column]?.length ?? 0)));
  return cells
    .map((row) =>
      row
        .map((text, column) =>
          column === 0 ? text.padEnd(widths[0] ?? 0) : text.padStart(widths[column] ?? 0),
        )
        .join("  "),
    )
    .join("\n");
}
