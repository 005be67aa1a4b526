import { dayOf, daysBetween, isDay } from "../settings/day";
import type { Problem } from "../settings/problem";
import { isRecord } from "../settings/record";
import { unplaced } from "./kubernetes";

/** What a stack file lets pass for a time: `pgplatform:waivers`. */
export interface Waiver {
  readonly policy: string;
  /** As messages name it: `Cluster shop/orders`. */
  readonly resource: string;
  readonly reason: string;
  /** The last day, `YYYY-MM-DD`. */
  readonly until: string;
  readonly who: string;
}

export const waiversKey = "pgplatform:waivers";
const fields = ["policy", "resource", "reason", "until", "who"] as const;
/** A waiver is for a while. */
const LONGEST_DAYS = 366;

interface Read {
  /** Those that hold. */
  readonly waivers: readonly Waiver[];
  readonly problems: readonly Problem[];
}

/** What each field must be, where it is more than some text. */
function problemOf(
  field: (typeof fields)[number],
  value: unknown,
  { names, today }: { names: readonly string[]; today: string },
): Pick<Problem, "allowed" | "fix"> | undefined {
  if (typeof value !== "string" || value.trim() === "")
    return {
      policy: { allowed: "the name of a policy of this pack", fix: "name it" },
      resource: {
        allowed: "the object as the message names it, such as Cluster shop/orders",
        fix: "name one object",
      },
      reason: { allowed: "why it may be so for a while", fix: "write it" },
      until: { allowed: "its last day, such as 2026-01-31", fix: "write it" },
      who: { allowed: "who answers for it", fix: "write a name" },
    }[field];
  if (field === "policy" && !names.includes(value))
    return { allowed: "the name of a policy of this pack", fix: "copy it from the message" };
  if (field === "resource" && !/^[A-Za-z]\w* \S+$/.test(value))
    return {
      allowed: "the object as the message names it, such as Cluster shop/orders",
      fix: "name one object",
    };
  if (field === "until") {
    if (!isDay(value)) return { allowed: "a day, such as 2026-01-31", fix: "write it so" };
    if (value < today)
      return {
        allowed: `today (${today}) or later, since this waiver has expired`,
        fix: "correct what it is about, or renew it with a reason",
      };
    if (daysBetween(today, value) > LONGEST_DAYS)
      return { allowed: `a day within ${LONGEST_DAYS} days`, fix: "choose a nearer one, and renew it then" };
  }
  return undefined;
}

/** The waivers in a stack's configuration; a wrong or expired one holds for nothing. */
export function waiversIn(
  config: Readonly<Record<string, string>>,
  names: readonly string[],
  today: string,
): Read {
  const text = config[waiversKey];
  if (text === undefined || text.trim() === "") return { waivers: [], problems: [] };
  const form = {
    path: waiversKey,
    allowed: `a list of { ${fields.join(", ")} }`,
    fix: "write it so, or remove it",
  };
  let list: unknown;
  try {
    list = JSON.parse(text);
  } catch {
    return { waivers: [], problems: [{ ...form, value: text }] };
  }
  if (!Array.isArray(list)) return { waivers: [], problems: [{ ...form, value: list }] };
  const waivers: Waiver[] = [];
  const problems: Problem[] = [];
  list.forEach((given: unknown, index) => {
    const path = `${waiversKey}[${index}]`;
    if (!isRecord(given)) {
      problems.push({ ...form, path, value: given, allowed: `{ ${fields.join(", ")} }` });
      return;
    }
    const one: Record<string, unknown> = {
      ...given,
      ...("until" in given && { until: typeof given.until === "string" ? dayOf(given.until) : given.until }),
    };
    const wrong: Problem[] = [
      ...Object.keys(one)
        .filter((key) => !(fields as readonly string[]).includes(key))
        .map((key) => ({
          path: `${path}.${key}`,
          value: one[key],
          wrong: "no such field",
          allowed: fields.join(", "),
          fix: "correct it, or remove it",
        })),
      ...fields.flatMap((field) => {
        const problem = problemOf(field, one[field], { names, today });
        return problem ? [{ path: `${path}.${field}`, value: one[field], ...problem }] : [];
      }),
    ];
    problems.push(...wrong);
    if (wrong.length === 0) waivers.push(one as unknown as Waiver);
  });
  return { waivers, problems };
}

/** Whether a waiver is about a problem: of its policy, and of its object. One whose namespace isn't known yet goes by kind and name. */
export function isWaivedBy({ policy, resource }: Waiver, name: string, { path }: Problem): boolean {
  const isAbout = (title: string) => path === title || path.startsWith(`${title}: `);
  return policy === name && (isAbout(resource) || isAbout(`${resource.replace(/ .*\//, " ")} ${unplaced}`));
}

/** What is said of a waiver on every run. */
export const told = ({ policy, resource, reason, until, who }: Waiver, count: number): string =>
  `Waiver of ${policy} for ${resource} until ${until}, by ${who}: ${reason} ` +
  (count === 0
    ? "(it lets nothing pass: remove it)"
    : `(it lets ${count} ${count === 1 ? "violation" : "violations"} pass)`);
