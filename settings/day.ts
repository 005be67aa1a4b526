/** Days as stack files have them: `2026-01-31`. */

/** Without quotes YAML makes a day a moment, which Pulumi hands on as text. */
export const dayOf = (text: string): string => text.replace(/^(\d{4}-\d{2}-\d{2})[ T]00:00:00\D.*$/, "$1");

/** Whether a text is a day of the calendar. */
export const isDay = (text: string): boolean =>
  /^\d{4}-\d{2}-\d{2}$/.test(text) &&
  !Number.isNaN(Date.parse(text)) &&
  new Date(text).toISOString().startsWith(text);

/** From one day to another, in days. */
export const daysBetween = (from: string, to: string): number =>
  Math.round((Date.parse(to) - Date.parse(from)) / 86_400_000);

/** The day that is so many days later. */
export const dayAfter = (day: string, days: number): string =>
  dayAt(new Date(Date.parse(day) + days * 86_400_000));

/** The day of a moment, in UTC. */
export const dayAt = (moment: Date): string => moment.toISOString().slice(0, 10);

/** The present day, in UTC. */
export const today = (): string => dayAt(new Date());
