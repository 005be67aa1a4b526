import { mkdtemp, readFile, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { protectedNotes } from "../../plan/changes/protected";
import { review, type Review } from "../../plan/changes/review";
import { compared, type Difference } from "../../plan/reliability/compare";
import type { Reliability } from "../../plan/reliability/model";
import type { Violation } from "../../policy/judge";
import { today } from "../../settings/day";
import type { Settings } from "../../settings/schema";
import { exists, stacksDir } from "../../shell/paths";
import { CommandError, run } from "../../shell/process";
import { UserError } from "../../shell/userError";
import { prepareManifests, restartPause, reviewerOf } from "../diff";
import { settingsAt } from "../trees";
import { hasStack, withBase } from "./base";
import { planned, type Planned, planOf } from "./plan";

/** What a change of the tree does to a stack: two plans from nothing, without a cluster and without credentials. */
export interface Comparison {
  readonly stack: string;
  /** The stack as it will be; undefined where its file goes, or is refused. */
  readonly head?: {
    readonly report: Reliability;
    readonly violations: readonly (Violation & { readonly isNew: boolean })[];
    readonly waived: readonly string[];
    /** How long a restart pauses writes, in words. */
    readonly restart: string;
  };
  /** Whether there was such a stack before. */
  readonly isNew: boolean;
  readonly review: Review;
  /** @default - there is nothing to compare with */
  readonly differences?: readonly Difference[];
  /** Why the stack file is refused, a sentence each. */
  readonly refused: readonly string[];
  /** What else must be known, a sentence each. */
  readonly notes: readonly string[];
}

const nothing: Review = { lines: [], notes: [] };

const engineNote = (before: Planned, after: Planned): string[] =>
  before.engine === after.engine
    ? []
    : [
        `The engine becomes ${after.engine} instead of ${before.engine}: \`make up\` refuses that, since ${after.engine} can't take over the data. ` +
          `Fix: make a new stack with ${after.engine} and move the data, or delete the data first with \`make destroy\`.`,
      ];

const tierNote = (before: Planned, after: Planned): string[] =>
  before.tier === after.tier
    ? []
    : [
        `The tier becomes ${after.tier} instead of ${before.tier}: policies are held to the levels of ${after.tier}.`,
      ];

/** Both plans of a stack, compared; without `before` everything is new. */
export function comparisonOf(
  stack: string,
  before: Planned | undefined,
  settings: Settings,
  notes: readonly string[] = [],
  day = today(),
): Comparison {
  const after = planOf(settings, day);
  const keyOf = ({ policy, mandatory, sentence }: Violation) => `${policy} ${mandatory} ${sentence}`;
  const former = new Set(before?.violations.map(keyOf));
  const found = review(reviewerOf(settings), before?.objects ?? [], after.objects);
  const side = (plan: Planned) => ({ ...plan, registered: plan.objects });
  const held = before === undefined ? [] : protectedNotes(side(before), side(after));
  return {
    stack,
    head: {
      report: after.report,
      violations: after.violations.map((one) => ({ ...one, isNew: !former.has(keyOf(one)) })),
      waived: after.waived,
      restart: restartPause(settings),
    },
    isNew: before === undefined,
    review: { ...found, notes: [...held, ...found.notes] },
    ...(before && { differences: compared(before.report, after.report) }),
    refused: [],
    notes: [
      ...(before === undefined ? [] : [...engineNote(before, after), ...tierNote(before, after)]),
      ...notes,
    ],
  };
}

/** What a checkout's own program plans; undefined where it can't, or plans in another form. */
async function ownPlan(stackName: string, place: string): Promise<Planned | undefined> {
  const folder = await mkdtemp(join(tmpdir(), "pgp-plan-"));
  const file = join(folder, "plan.json");
  try {
    const args = ["ci", "plan", "--stack", stackName, "--into", file];
    await run(join(place, "pgp"), args, { cwd: place, env: { PGP_STACKS: undefined } });
    return planned.safeParse(JSON.parse(await readFile(file, "utf8"))).data;
  } catch (error) {
    if (error instanceof CommandError) return undefined;
    throw error;
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
}

const OTHER_PROGRAM =
  "The program before the change can't make its plan for this comparison: both plans are made by the program as it is now, and only the settings are compared.";

/** The plan before the change, by that time's program where the place is a checkout. */
async function planBefore(stackName: string, place: string): Promise<{ plan?: Planned; notes: string[] }> {
  const isCheckout = await exists(join(place, "operations", "cli.ts"));
  const own = isCheckout ? await ownPlan(stackName, place) : undefined;
  if (own !== undefined) return { plan: own, notes: [] };
  try {
    const settings = await settingsAt(stackName, place);
    await prepareManifests(settings);
    return { plan: planOf(settings), notes: isCheckout ? [OTHER_PROGRAM] : [] };
  } catch (error) {
    if (!(error instanceof UserError)) throw error;
    return {
      notes: [
        `The settings before the change are refused, and nothing is compared: ${error.problems.join(" ")}`,
      ],
    };
  }
}

const gone = (stack: string): Comparison => ({
  stack,
  isNew: false,
  review: nothing,
  refused: [],
  notes: [
    "The stack's file is removed. That deletes nothing: what runs stays as it is. " +
      `To delete its data, run \`make destroy STACK=${stack}\` before the file is removed.`,
  ],
});

/** Compares a stack of this checkout with what it is at `against`: a folder, a stack file or a commit. */
export const compareStack = (stackName: string, against: string | undefined): Promise<Comparison> =>
  withBase(against, async (place) => {
    const wasThere = await hasStack(stackName, place);
    if (wasThere && !(await hasStack(stackName, stacksDir))) return gone(stackName);
    try {
      const settings = await settingsAt(stackName);
      await prepareManifests(settings);
      const { plan, notes } = wasThere ? await planBefore(stackName, place) : { plan: undefined, notes: [] };
      return comparisonOf(stackName, plan, settings, notes);
    } catch (error) {
      if (!(error instanceof UserError)) throw error;
      return { stack: stackName, isNew: false, review: nothing, refused: error.problems, notes: [] };
    }
  });

/** Whether a stack must not be updated so. */
export const isRefused = ({ refused, head }: Comparison): boolean =>
  refused.length > 0 || (head?.violations ?? []).some(({ mandatory }) => mandatory);

/** Whether the change has nothing to do with the stack. */
export const isUnchanged = ({
  isNew,
  head,
  review: { lines },
  differences = [],
  notes,
  refused,
}: Comparison): boolean =>
  head !== undefined &&
  !isNew &&
  lines.length + differences.length + notes.length + refused.length === 0 &&
  !head.violations.some((one) => one.isNew);
