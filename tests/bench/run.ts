import { mkdir, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { Command, InvalidArgumentError } from "commander";
import { environment, resultsDir, stackName } from "../e2e/kit/environment";
import { deleteNamespaces, startClients } from "../e2e/kit/fixture";
import { faults, keepReport, kill, report, type KillRun } from "../e2e/kit/kills";
import { median } from "../e2e/kit/statistics";
import { measurePreviews, PREVIEW_GOAL, previewReport } from "./preview";

/**
 * Figures of the running stack. Machines differ and are noisy: figures are ratios or differences of measurements taken in turn, and
 * the raw samples are kept. A goal that isn't met ends with exit code 1.
 */
const say = (text: string): void => void process.stdout.write(`${text}\n`);

function atLeast(least: number) {
  return (text: string): number => {
    const value = Number(text);
    if (!Number.isInteger(value) || value < least)
      throw new InvalidArgumentError(`"${text}" must be a whole number from ${least} up.`);
    return value;
  };
}

function goal(met: boolean, text: string): void {
  say(`${met ? "met" : "MISSED"}: ${text}`);
  if (!met) process.exitCode = 1;
}

async function preview(pairs: number): Promise<void> {
  say(`preview of stack ${stackName} and of the smallest comparable program, in turn`);
  const samples = await measurePreviews(await environment(), pairs, say);
  const { text, ratio } = previewReport(samples);
  const file = join(resultsDir, "bench-preview.json");
  await mkdir(resultsDir, { recursive: true });
  await writeFile(file, JSON.stringify(samples, undefined, 2));
  say(`${text}\nraw samples: ${file}`);
  goal(
    ratio <= PREVIEW_GOAL,
    `the project's preview takes at most ${PREVIEW_GOAL} times as long: ${ratio.toFixed(2)}`,
  );
}

/** Bounds of the client's pause in seconds. */
const GAP_BOUND = 10;
const PAIRED_MEDIAN_BOUND = 1;
const PAIRED_MAX_BOUND = 2;

async function failover(kills: number): Promise<void> {
  const env = await environment();
  const clients = await startClients(env);
  const runs: KillRun[] = [];
  try {
    for (const fault of Object.values(faults)) {
      for (let index = 1; index <= kills; index++) {
        say(`${fault.name}, ${index} of ${kills}`);
        runs.push(await kill(env, clients, fault, index));
      }
    }
  } finally {
    await env.cluster.freshPods();
    await clients.direct.query(env.plan.endpoints.primary.host, "drop schema if exists oracle cascade");
    await deleteNamespaces(env, clients.namespaces);
  }
  say(`${report(runs)}\nraw samples: ${await keepReport("bench-failover.json", runs)}`);
  const lost = runs.flatMap(({ verdicts }) => Object.values(verdicts).flatMap((verdict) => verdict.lost));
  goal(lost.length === 0, `no acknowledged row is lost: ${lost.length}`);
  for (const { name } of Object.values(faults)) {
    const gaps = runs.filter(({ fault }) => fault === name).map(({ gap }) => gap);
    const differences = gaps.map(({ direct, pooled }) => pooled - direct);
    const longest = Math.max(...gaps.map(({ direct }) => direct));
    goal(
      longest <= GAP_BOUND,
      `${name}: the direct client pauses at most ${GAP_BOUND} s: ${longest.toFixed(2)} s`,
    );
    const middle = median(differences);
    goal(
      middle <= PAIRED_MEDIAN_BOUND,
      `${name}: through the pooler at most ${PAIRED_MEDIAN_BOUND} s later (median of pairs): ${middle.toFixed(2)} s`,
    );
    const most = Math.max(...differences);
    goal(
      most <= PAIRED_MAX_BOUND,
      `${name}: never more than ${PAIRED_MAX_BOUND} s later: ${most.toFixed(2)} s`,
    );
  }
}

const program = new Command("bench").description(
  "Figures of the running stack, from interleaved runs. Without a command: all of them. STACK=… chooses the stack.",
);
program
  .command("preview")
  .description("`pulumi preview` of the stack against the smallest program with the same providers")
  .option("--pairs <n>", "measured pairs, after one that warms up", atLeast(1), 5)
  .action(({ pairs }: { pairs: number }) => preview(pairs));
program
  .command("failover")
  .description("pause of a direct and of a pooled client when the primary is killed; disturbs the database")
  .option("--kills <n>", "kills of each kind", atLeast(1), 5)
  .action(({ kills }: { kills: number }) => failover(kills));
program
  .command("all", { isDefault: true })
  .description("both, with their defaults")
  .action(async () => {
    await preview(5);
    await failover(5);
  });

program.parseAsync().catch((error: unknown) => {
  say(`error: ${(error as Error).message}`);
  process.exitCode = 1;
});
