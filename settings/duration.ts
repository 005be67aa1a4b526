/** Lengths of time and shares as settings write them, with their unit: `24h`, `85%`. */

const units: Readonly<Record<string, number>> = { s: 1, m: 60, h: 3600, d: 86_400 };

/** Seconds of a length of time such as `90s`, `15m`, `24h` or `7d`; undefined when it isn't one. */
export function secondsOfDuration(text: string): number | undefined {
  const match = /^([1-9]\d{0,5})([smhd])$/.exec(text);
  const unit = units[match?.[2] ?? ""];
  return unit === undefined ? undefined : Number(match?.[1]) * unit;
}

/** A share such as `85%` as a number from 0 to 1; undefined when it isn't one. */
export function shareOf(text: string): number | undefined {
  const match = /^(\d{1,3}(?:\.\d{1,2})?)%$/.exec(text);
  // Of 12.35 % the nearest number to 0.1235, and not what a division by 100 leaves.
  return match ? Number((Number(match[1]) / 100).toFixed(4)) : undefined;
}

/** Seconds in the greatest unit that they are whole in. */
export function durationText(seconds: number): string {
  const [unit = "s", size = 1] =
    Object.entries(units)
      .reverse()
      .find(([, size]) => seconds % size === 0) ?? [];
  return `${seconds / size}${unit}`;
}
