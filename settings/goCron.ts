/**
 * Schedules as Go's robfig/cron reads them, in objects of others: version 1 as CloudNativePG calls it, with seconds in front, version 3 as
 * Kubernetes calls it for CronJobs. Neither knows a 7 among the days of the week or a range over Sunday; the first knows no time zone in front, and
 * Kubernetes refuses one.
 */
export type Version = 1 | 3;

/** How each wants a schedule, as a message writes it after "Allowed:". */
export const forms: Readonly<Record<Version, string>> = {
  1: "six fields, of which the first are the seconds, with 0 to 6 for the days of the week, and no time zone",
  3: "cron's five fields, with 0 to 6 for the days of the week",
};

interface Bounds {
  readonly least: number;
  readonly most: number;
  readonly names?: readonly string[];
}

const months = ["jan", "feb", "mar", "apr", "may", "jun", "jul", "aug", "sep", "oct", "nov", "dec"];
const minutes: Bounds = { least: 0, most: 59 };
const fields: readonly Bounds[] = [
  minutes,
  { least: 0, most: 23 },
  { least: 1, most: 31 },
  { least: 1, most: 12, names: months },
  { least: 0, most: 6, names: ["sun", "mon", "tue", "wed", "thu", "fri", "sat"] },
];

/** What a field has: its numbers, and whether it stands for all of them, which decides how days of month and week are joined. */
interface Numbers {
  readonly numbers: ReadonlySet<number>;
  readonly isStar: boolean;
}

function numberOf(text: string, { least, names = [] }: Bounds): number {
  const named = names.indexOf(text.toLowerCase());
  return named >= 0 ? named + least : /^\+?\d+$/.test(text) ? Number(text) : NaN;
}

/** One of a field's ranges: a star, a number or two, with a step or without. */
function rangeOf(text: string, bounds: Bounds, version: Version): Numbers | undefined {
  const [range = "", step, ...more] = text.split("/");
  const [low = "", high, ...beyond] = range.split("-");
  const isAll = low === "*" || low === "?";
  if (more.length > 0 || (!isAll && beyond.length > 0)) return undefined;
  const by = step === undefined ? 1 : numberOf(step, { ...bounds, names: [] });
  const first = isAll ? bounds.least : numberOf(low, bounds);
  const otherwise = step === undefined ? first : bounds.most;
  const last = isAll ? bounds.most : high === undefined ? otherwise : numberOf(high, bounds);
  if (!(first >= bounds.least && last <= bounds.most && first <= last && by > 0)) return undefined;
  const numbers = new Set<number>();
  for (let one = first; one <= last; one += by) numbers.add(one);
  return { numbers, isStar: isAll && (version === 1 || by === 1) };
}

function fieldOf(text: string, bounds: Bounds, version: Version): Numbers | undefined {
  const ranges = text
    .split(",")
    .filter((one) => one !== "")
    .map((one) => rangeOf(one, bounds, version));
  const known = ranges.filter((one) => one !== undefined);
  if (known.length === 0 || known.length < ranges.length) return undefined;
  return {
    numbers: new Set(known.flatMap(({ numbers }) => [...numbers])),
    isStar: known.some(({ isStar }) => isStar),
  };
}

const DAY = 24 * 3600;
/** Parts of a second make no difference. */
const units: Readonly<Record<string, number>> = { h: 3600, m: 60, s: 1 };
const part = /(\d+\.?\d*|\.\d+)(ns|[u\u00b5\u03bc]s|ms|s|m|h)/g;
const every = new RegExp(`^@every ([-+]?)((?:${part.source})+)$`);

/** Days from one run to the next; what is less than a day is one. */
function daysOfEvery(text: string): number | undefined {
  const [, sign, duration] = every.exec(text) ?? [];
  if (duration === undefined) return undefined;
  const seconds = [...duration.matchAll(part)].reduce(
    (sum, [, count, unit = ""]) => sum + Number(count) * (units[unit] ?? 0),
    0,
  );
  return sign === "-" ? 1 : Math.max(1, Math.ceil(seconds / DAY));
}

const words: Readonly<Record<string, number>> = {
  "@yearly": 366,
  "@annually": 366,
  "@monthly": 31,
  "@weekly": 7,
  "@daily": 1,
  "@midnight": 1,
  "@hourly": 1,
};

/** Most days from one day on which it fires to the next one, in a leap year and the year after it. */
function longest(dayOfMonth: Numbers, month: Numbers, dayOfWeek: Numbers): number {
  const fires = (date: Date): boolean => {
    const inMonth = dayOfMonth.numbers.has(date.getUTCDate());
    const inWeek = dayOfWeek.numbers.has(date.getUTCDay());
    const both = dayOfMonth.isStar || dayOfWeek.isStar;
    return month.numbers.has(date.getUTCMonth() + 1) && (both ? inMonth && inWeek : inMonth || inWeek);
  };
  const days = 366 + 365;
  let most = 0;
  let last = -1;
  for (let day = 0; day <= days; day++)
    if (day === days || fires(new Date(Date.UTC(2028, 0, 1 + day)))) {
      most = Math.max(most, day - last);
      last = day;
    }
  return most;
}

/** Most days from one run to the next; undefined for what the library doesn't take. */
export function daysOfGoCron(text: string, version: Version): number | undefined {
  if (text.startsWith("@")) return words[text] ?? daysOfEvery(text);
  const wanted = version === 1 ? [minutes, ...fields] : fields;
  const given = text.trim().split(/\s+/);
  if (given.length !== wanted.length) return undefined;
  const read = wanted.map((bounds, index) => fieldOf(given[index] ?? "", bounds, version));
  const [dayOfMonth, month, dayOfWeek] = read.slice(-3);
  return read.includes(undefined) || !dayOfMonth || !month || !dayOfWeek
    ? undefined
    : longest(dayOfMonth, month, dayOfWeek);
}
