const on = new Set<unknown>([true, "1", "t", "T", "TRUE", "true", "True"]);
const off = new Set<unknown>([false, "0", "f", "F", "FALSE", "false", "False"]);

/** What operators, which are written in Go, take for true and for false; undefined for other words. */
export const goBooleanOf = (value: unknown): boolean | undefined =>
  on.has(value) ? true : off.has(value) ? false : undefined;
