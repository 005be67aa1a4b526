import { plannerOf } from "../plan/engines/select";
import { compared, type Difference } from "../plan/reliability/compare";
import { type Reliability, reliability } from "../plan/reliability/model";
import { reportLines, reportMarkdown } from "../plan/reliability/render";
import { reliabilityOf } from "../plan/reliability/report";
import type { Settings } from "../settings/schema";
import { exists } from "../shell/paths";
import { UserError } from "../shell/userError";
import { quietTools } from "./platform";
import { Stack, type StateResource } from "./pulumi";
import { settingsAt, settingsHere } from "./trees";

/** What settings promise, and what changes against what runs. */

export interface ReportOptions {
  /** Report on the settings, and not on what the last update made. */
  readonly plan: boolean;
  /** A folder of stack files, or a stack file, to compare with. @default - what the last update made */
  readonly against?: string | undefined;
  readonly markdown: boolean;
}

export interface Reported {
  readonly report: Reliability;
  /** @default - there is nothing to compare with */
  readonly differences?: readonly Difference[];
}

export const reportOf = (settings: Settings): Reliability =>
  reliabilityOf({ settings, engine: plannerOf(settings) });

/** The report of the last update, out of the stack's outputs; undefined where there is none, or one of another form. */
export function reportIn(resources: readonly StateResource[]): Reliability | undefined {
  const outputs = resources.find(({ type }) => type === "pulumi:pulumi:Stack")?.outputs;
  return reliability.safeParse(outputs?.reliability).data;
}

async function reportOfRunning(stackName: string): Promise<Reliability | undefined> {
  const copy = new Stack(stackName, []);
  if (!(await exists(copy.file))) return undefined;
  return reportIn(await new Stack(stackName, await quietTools("pulumi")).resources());
}

export async function readReports(
  stackName: string,
  { plan, against }: Omit<ReportOptions, "markdown">,
): Promise<Reported> {
  if (against !== undefined) {
    if (!plan)
      throw new UserError([
        "--against: it compares settings. Allowed: with --plan. Fix: add --plan, or leave it out.",
      ]);
    const [base, head] = await Promise.all([settingsAt(stackName, against), settingsAt(stackName)]);
    const report = reportOf(head);
    return { report, differences: compared(reportOf(base), report) };
  }
  const running = await reportOfRunning(stackName);
  if (!plan) {
    if (running !== undefined) return { report: running };
    throw new UserError([
      `Stack ${stackName} has no report: it has not been made, or by a version without one. \`pgp report --plan\` reports on its settings.`,
    ]);
  }
  if (running === undefined) return { report: reportOf(await settingsAt(stackName)) };
  const report = reportOf(await settingsHere(stackName));
  return { report, differences: compared(running, report) };
}

export async function showReport(
  stackName: string,
  options: ReportOptions,
): Promise<{ readonly line: string; readonly data: object }> {
  const { report, differences } = await readReports(stackName, options);
  const lines = (options.markdown ? reportMarkdown : reportLines)(report, differences);
  return {
    line: lines.join("\n"),
    data: { ...report, ...(differences && { differences }) },
  };
}
