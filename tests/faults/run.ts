import { mkdir, readFile, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { Command, InvalidArgumentError } from "commander";
import { type EnginePlanner } from "../../plan/engines/planner";
import { healNetwork } from "../../local/cluster/partition";
import { findSwitch } from "../../local/cluster/network";
import { environment, stackName } from "../e2e/kit/environment";
import { deleteNamespaces, startClients } from "../e2e/kit/fixture";
import { stateDir } from "../../shell/paths";
import { runFault, type FaultRun, type Setting } from "./execute";
import { type Fault } from "./fault";
import { faults, faultsOf, possibleFaults } from "./list";
import { allMissed, markdown, missed, oneLine, report } from "./report";

/**
 * Breaks the running stack in many ways while two clients write, and judges what the clients were promised. Not for a stack in
 * use.
 */
const say = (text: string): void => void process.stdout.write(`${text}\n`);

const folder = join(stateDir, "faults");

/** Results of an engine are its own: another's would be judged by other bounds. */
const filesOf = ({ name }: Pick<EnginePlanner, "name">) => ({
  results: join(folder, `${name}.json`),
  table: join(folder, `${name}.md`),
});

interface Options {
  only: string[];
  runs: number;
  append: boolean;
  list: boolean;
}

function wholeNumber(text: string): number {
  const value = Number(text);
  if (!Number.isInteger(value) || value < 1)
    throw new InvalidArgumentError(`"${text}" must be a whole number from 1 up.`);
  return value;
}

async function former(engine: EnginePlanner): Promise<FaultRun[]> {
  const text = await readFile(filesOf(engine).results, "utf8").catch(() => "[]");
  return JSON.parse(text) as FaultRun[];
}

async function save(
  engine: EnginePlanner,
  known: readonly Fault[],
  runs: readonly FaultRun[],
): Promise<void> {
  const { results, table } = filesOf(engine);
  await mkdir(folder, { recursive: true });
  await writeFile(results, JSON.stringify(runs, undefined, 2));
  await writeFile(table, markdown(known, runs));
}

/** Leaves the stack as it was found, and no crash behind any pod. */
async function tidyUp({ env, clients }: Setting): Promise<void> {
  await healNetwork();
  await env.cluster.freshPods();
  await clients.direct.query(env.plan.endpoints.primary.host, "drop schema if exists oracle cascade");
  await deleteNamespaces(env, clients.namespaces);
}

async function runAll(chosen: readonly Fault[], { runs: count, append }: Options): Promise<void> {
  const env = await environment();
  const builtIn = (await findSwitch()) !== undefined;
  const { engine, settings } = env;
  const known = possibleFaults(faults, engine, settings.cluster.failover).possible;
  const { possible: able, excluded } = possibleFaults(chosen, engine, settings.cluster.failover);
  for (const { fault, because } of excluded)
    say(`left out: ${fault.id} ${fault.name}: the engine ${engine.name} can't: ${because}`);
  const possible = able.filter((fault) => {
    if (fault.builtIn !== true || builtIn) return true;
    say(`left out: ${fault.id} ${fault.name}: it needs the built-in cluster`);
    return false;
  });
  const setting: Setting = { env, clients: await startClients(env) };
  const results = append ? await former(engine) : [];
  const failures: string[] = [];
  let interrupted = false;
  process.once("SIGINT", () => {
    interrupted = true;
    say("interrupted: the fault at hand is taken back, and the results are kept");
  });
  try {
    for (let round = 1; round <= count; round++) {
      for (const fault of possible) {
        if (interrupted) break;
        say(`\n${fault.id} ${fault.name} (${round} of ${count})`);
        try {
          const run = await runFault(setting, fault);
          results.push(run);
          say(`  ${oneLine(run)}`);
          for (const problem of missed(fault, run)) say(`  MISSED: ${problem}`);
          await save(engine, known, results);
        } catch (error) {
          failures.push(`${fault.id}: ${(error as Error).message}`);
          say(`  FAILED: ${(error as Error).message}`);
        }
      }
    }
  } finally {
    await tidyUp(setting).catch((error: unknown) => failures.push((error as Error).message));
  }
  say(`\n${report(known, results)}`);
  const problems = [...allMissed(known, results), ...failures];
  for (const problem of problems) say(`MISSED: ${problem}`);
  say(`results: ${Object.values(filesOf(engine)).join(", ")}`);
  if (problems.length > 0 || interrupted) process.exitCode = 1;
}

new Command("faults")
  .description(
    `Breaks the stack "${stackName}" (STACK=… and ENGINE=… choose) while two clients write: nothing acknowledged may be lost, and pauses have bounds.`,
  )
  .option(
    "--only <numbers>",
    "faults to run, in this order, separated by commas",
    (text) => text.split(","),
    [],
  )
  .option("--runs <n>", "how often each; the faults take turns", wholeNumber, 1)
  .option("--append", "add to the results of before instead of starting again", false)
  .option("--list", "name the faults and do nothing", false)
  .action(async (options: Options) => {
    const chosen = faultsOf(options.only);
    if (options.list) for (const { id, name } of chosen) say(`${id.padStart(4)}  ${name}`);
    else await runAll(chosen, options);
  })
  .parseAsync()
  .catch((error: unknown) => {
    say(`error: ${(error as Error).message}`);
    process.exitCode = 1;
  });
