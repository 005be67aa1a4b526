/** Height of a line that can still be read. */
const LEAST = 12;
const GREATEST = 44;

export interface Rows {
  /** How many are drawn; the others are counted in one line behind them. */
  readonly shown: number;
  readonly hidden: number;
  readonly height: number;
  readonly fontSize: number;
}

/** Lines of so many names in a height, none of which overlaps another. */
export function rowsIn(count: number, height: number): Rows {
  const fit = Math.max(1, Math.floor(height / LEAST));
  const shown = count <= fit ? count : fit - 1;
  const drawn = Math.max(1, shown + (shown < count ? 1 : 0));
  const row = Math.min(GREATEST, height / drawn);
  return { shown, hidden: count - shown, height: row, fontSize: Math.min(12, row - 2) };
}
