/** Numbers as a person reads them. */

const units = ["B", "KiB", "MiB", "GiB", "TiB"] as const;

export function size(bytes: number): string {
  let value = bytes;
  let unit = 0;
  while (value >= 1024 && unit < units.length - 1) {
    value /= 1024;
    unit++;
  }
  return `${unit === 0 || value >= 100 ? Math.round(value) : value.toFixed(1)} ${units[unit]}`;
}

/** Two units at most: `3 d 4 h`, `12 min`, `5 s`. */
export function age(seconds: number): string {
  const whole = Math.max(0, Math.round(seconds));
  if (whole < 120) return `${whole} s`;
  const minutes = Math.floor(whole / 60);
  if (minutes < 120) return `${minutes} min`;
  const hours = Math.floor(minutes / 60);
  if (hours < 48) return `${hours} h${minutes % 60 === 0 ? "" : ` ${minutes % 60} min`}`;
  const days = Math.floor(hours / 24);
  return `${days} d${hours % 24 === 0 || days > 9 ? "" : ` ${hours % 24} h`}`;
}

export const percent = (share: number): string => `${Math.round(share * 100)} %`;

/** How long ago a moment was. */
export const ago = (at: string, now: number): string => `${age((now - Date.parse(at)) / 1000)} ago`;

/** A moment in a line: seconds are enough. */
export const clock = (at: string): string => at.replace("T", " ").replace(/(?:\.\d+)?Z$/, " UTC");

/** `1 segment waits`, `2 segments wait`. */
export const counted = (count: number, one: string, more: string): string =>
  `${count} ${count === 1 ? one : more}`;
