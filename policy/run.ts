import { titleOf } from "./kubernetes";
import { NotKnown, Partly } from "./notKnown";
import { Deferred } from "../plan/engines/reader";
import type { Problem } from "../settings/problem";
import { isWaivedBy, type Waiver } from "./waivers";

/** What a run of the pack couldn't judge yet, and what it was told to let pass: said once at its end, not for each object. */

interface Unread {
  readonly kind: string;
  readonly title: string;
  readonly path: string;
  readonly policy: string;
}

/** How many names a line lists, and how many lines there are. */
const NAMES = 3;
const LINES = 8;

const listed = (names: readonly string[]): string =>
  names.length <= NAMES + 1
    ? names.join(", ")
    : `${names.slice(0, NAMES).join(", ")} and ${names.length - NAMES} more`;

/** Where in a list it is makes no difference to what is said. */
const anyIndex = (path: string): string => path.replace(/\[\d+\]/g, "[…]");

/** Whether a judgement, or a part of it, waits for other objects. */
export const isDeferred = (error: unknown): boolean =>
  error instanceof Deferred ||
  (error instanceof Partly && error.unread.some((one) => one instanceof Deferred));

/** A problem that can be told: a value of which a part isn't known can't be shown. */
function shownWhole(problem: Problem): Problem {
  if (typeof problem.value !== "object") return problem;
  try {
    JSON.stringify(problem.value);
    return problem;
  } catch {
    return { ...problem, value: "(not known yet)" };
  }
}

export class Run {
  private unread: Unread[] = [];
  private waived = new Map<Waiver, number>();
  private readonly deferring = new Set<string>();

  /** Whether a policy has left something to the rest of the stack. */
  hasDeferred(policy: string): boolean {
    return this.deferring.has(policy);
  }

  /**
   * The problems that a check found. Values that it needed and that aren't known are noted; any other failure is a problem, since an object that
   * can't be read mustn't pass, nor stop the judgement of others.
   */
  judged(policy: string, title: string, check: () => readonly Problem[]): readonly Problem[] {
    try {
      return check().map(shownWhole);
    } catch (error) {
      if (isDeferred(error)) this.deferring.add(policy);
      if (error instanceof Deferred) return [];
      if (error instanceof NotKnown) return this.noted(policy, title, [error], []);
      if (error instanceof Partly)
        return this.noted(
          policy,
          title,
          error.unread.filter((one) => one instanceof NotKnown),
          error.problems,
        );
      return [
        {
          path: title,
          value: undefined,
          wrong: `can't be read (${error instanceof Error ? error.message : String(error)})`,
          allowed: "fields of the forms that the API has",
          fix: "correct the object, or report a fault of this policy pack",
        },
      ];
    }
  }

  private noted(
    policy: string,
    title: string,
    unread: readonly NotKnown[],
    problems: readonly Problem[],
  ): readonly Problem[] {
    for (const { path, object } of unread) {
      const about = object ? titleOf(object) : title;
      this.unread.push({ kind: about.split(" ")[0] ?? "", title: about, path: anyIndex(path), policy });
    }
    return problems.map(shownWhole);
  }

  /** Those problems that no waiver is about. */
  standing(policy: string, problems: readonly Problem[], waivers: readonly Waiver[]): Problem[] {
    return problems.filter((problem) => {
      const waiver = waivers.find((one) => isWaivedBy(one, policy, problem));
      if (waiver !== undefined) this.waived.set(waiver, (this.waived.get(waiver) ?? 0) + 1);
      return waiver === undefined;
    });
  }

  /** How many violations each of the waivers let pass in this run. */
  waivedBy(waivers: readonly Waiver[]): { readonly waiver: Waiver; readonly count: number }[] {
    const { waived } = this;
    this.waived = new Map();
    return waivers.map((waiver) => ({ waiver, count: waived.get(waiver) ?? 0 }));
  }

  /** What couldn't be judged, as sentences: one for all objects of a kind that lack the same value. */
  later(): string[] {
    const groups = new Map<string, { titles: Set<string>; policies: Set<string>; path: string }>();
    for (const { kind, title, path, policy } of this.unread) {
      const key = `${kind} ${path}`;
      const group = groups.get(key) ?? { titles: new Set(), policies: new Set(), path };
      group.titles.add(title);
      group.policies.add(policy);
      groups.set(key, group);
    }
    this.unread = [];
    const lines = [...groups.values()].map(
      ({ titles, policies, path }) =>
        `${listed([...titles])}: ${path} is known only when the update makes it. Until then ${listed([...policies].sort())} can't judge ${titles.size === 1 ? "it" : "them"}.`,
    );
    return lines.length <= LINES
      ? lines
      : [...lines.slice(0, LINES), `${lines.length - LINES} further values aren't known yet either.`];
  }
}
