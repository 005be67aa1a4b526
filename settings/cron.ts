import { Cron } from "croner";

/**
 * Schedules in cron's five fields: minute, hour, day of the month, month, day of the week. What is taken here is what every reader of the
 * platform takes: numbers with `*`, lists, ranges and steps; 0 to 6 for the days of the week, since Kubernetes knows no 7.
 */
export type Schedule = string;

const item = String.raw`(\*|\d{1,2}(-\d{1,2})?)(\/\d{1,2})?`;
const field = `${item}(,${item})*`;
const form = new RegExp(`^${field}( ${field}){4}$`);

// An offset, not the zone of that name: it takes a tenth of the time.
const parsed = (schedule: Schedule): Cron => new Cron(schedule, { utcOffset: 0 });

/** Whether it is a schedule, of which each field has numbers that such a field may have. */
export function hasForm(text: string): boolean {
  if (!form.test(text) || /\b[7-9]\b|\b\d\d/.test(text.split(" ")[4] ?? "")) return false;
  try {
    return parsed(text) instanceof Cron;
  } catch {
    return false;
  }
}

/** Whether a schedule fires at some time: 30 February never comes. */
export function fires(schedule: Schedule): boolean {
  try {
    return parsed(schedule).nextRun(new Date("2028-01-01T00:00:00Z")) !== null;
  } catch {
    // The search through months that have no such day ends with the stack.
    return false;
  }
}

const DAY = 24 * 3_600_000;

/** The same of a text as the cron of Spilo's image takes it, names, a 7 and `@daily` too; undefined where it is none to that. */
export function daysOfCron(text: string): number | undefined {
  const fields = text.trim();
  if (!fields.startsWith("@") && fields.split(/\s+/).length !== 5) return undefined;
  try {
    return daysBetween(fields);
  } catch {
    return undefined;
  }
}

const counted = new Map<string, number>();

/**
 * Most days from one day on which it fires to the next one; 1 is daily. All days of a leap year and
 * of the year after it are counted, which takes a while: each schedule is counted once.
 */
export function daysBetween(schedule: Schedule): number {
  const known = counted.get(schedule) ?? count(schedule);
  counted.set(schedule, known);
  return known;
}

function count(schedule: Schedule): number {
  const cron = parsed(schedule);
  const begin = Date.UTC(2028, 0, 1);
  const end = Date.UTC(2030, 0, 1);
  let longest = 0;
  let last: number | undefined;
  for (let at = begin; at < end;) {
    // The search begins behind the given moment.
    const next = cron.nextRun(new Date(at - 1))?.getTime() ?? end;
    const day = Math.floor((next - begin) / DAY);
    if (last !== undefined) longest = Math.max(longest, day - last);
    last = day;
    at = begin + (day + 1) * DAY;
  }
  return longest;
}

const pauses = new Map<Schedule, number>();

/** Longest time between two moments at which it fires, in seconds; two years are looked at, or 1,000 moments if that is less. */
export function longestPause(schedule: Schedule): number {
  const known = pauses.get(schedule) ?? pauseOf(schedule);
  pauses.set(schedule, known);
  return known;
}

function pauseOf(schedule: Schedule): number {
  const cron = parsed(schedule);
  let at = new Date(Date.UTC(2028, 0, 1));
  const end = Date.UTC(2030, 0, 1);
  let longest = 0;
  let last: number | undefined;
  for (let count = 0; count < 1000 && at.getTime() < end; count++) {
    const next = cron.nextRun(at);
    if (next === null) break;
    if (last !== undefined) longest = Math.max(longest, next.getTime() - last);
    last = next.getTime();
    at = next;
  }
  return longest / 1000;
}

/** Shortest time between two moments at which it fires, in seconds; 200 moments are looked at. */
export function shortestPause(schedule: Schedule): number {
  const times = parsed(schedule)
    .nextRuns(200, new Date(Date.UTC(2028, 0, 1)))
    .map((moment) => moment.getTime());
  return Math.min(...times.slice(1).map((time, index) => time - (times[index] ?? 0))) / 1000;
}

/** Longest time from a moment at which one fires to the next one of the other, in seconds; two years are looked at, or 200 moments if that is less. */
export function longestWait(from: Schedule, to: Schedule): number {
  const [one, other] = [parsed(from), parsed(to)];
  let longest = 0;
  let at: Date | null = new Date(Date.UTC(2028, 0, 1));
  for (let count = 0; count < 200; count++) {
    at = one.nextRun(at);
    if (at === null || at.getTime() >= Date.UTC(2030, 0, 1)) break;
    longest = Math.max(longest, (other.nextRun(at)?.getTime() ?? Infinity) - at.getTime());
  }
  return longest / 1000;
}

/** The same moments with a field for the seconds in front. */
export const inSixFields = (schedule: Schedule): string => `0 ${schedule}`;

/** Whether the machine's list of time zones has it, written so: Kubernetes tells upper from lower case there. */
export function isTimeZone(name: string): boolean {
  try {
    const { timeZone } = new Intl.DateTimeFormat("en", { timeZone: name }).resolvedOptions();
    if (timeZone.toLowerCase() === name.toLowerCase()) return timeZone === name;
    // Another name of it, such as US/Eastern.
    return name.split("/").every((part) => /^[A-Z]/.test(part) && !/^[A-Z]{5,}$/.test(part));
  } catch {
    return false;
  }
}
