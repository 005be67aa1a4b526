import { Command, InvalidArgumentError } from "commander";
import { findSwitch } from "../../local/cluster/network";
import { type Settings } from "../../settings/schema";
import { cluster as clusterSettings } from "../../settings/schema/cluster";
import { environment, stackName, type Environment } from "../e2e/kit/environment";
import { deleteNamespaces, startClients } from "../e2e/kit/fixture";
import { table } from "../e2e/kit/statistics";
import { runFault, type FaultRun } from "../faults/execute";
import { coldStart } from "../faults/nodes";
import { oneLine } from "../faults/report";
import { archivingGoals, type ArchivingRound, archivingTables, withoutArchive } from "./archiving";
import { measureSpeeds, requireBackup, speedGoals, speedNotes, speedTables, tidyBackup } from "./backup";
import {
  failOver,
  faults,
  failoverGoals,
  failoverNotes,
  failoverTables,
  orFailed,
  type FailedRun,
  type FaultName,
  type Round,
  worked,
} from "./failover";
import { exporterGoals, exporterTables, measureExporter } from "./exporter";
import { exporterNotes, startBed } from "./exporterOnCluster";
import { startFloor } from "./floor";
import { interleave, roundName } from "./interleave";
import { describeMachine } from "./machine";
import { cleaningUp, deleteBenchNamespaces } from "./namespaces";
import { defaultsNotes, startBeside, startDefaults } from "./operatorDefaults";
import { measurePolicies } from "./policy";
import { growthTable, measureGrowth } from "./growth";
import { measurePreviews, previewGoal, ratioTable } from "./preview";
import { restartGoals, restartTable } from "./restart";
import { goalLine, keepPart, pageFile, shown, writePage, type Part } from "./results";
import { stallGoals, stallNotes, stallOnce, stallTable, startStallArms, type StallRun } from "./stall";
import { loadNotes, loadTable, measureLoad } from "./throughput";

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

/** `2,5,10` */
function lengths(text: string): number[] {
  const values = text.split(",").map(Number);
  if (values.some((value) => !(value > 0)))
    throw new InvalidArgumentError(`"${text}" must be seconds above 0, separated by commas.`);
  return values;
}

type Profile = Settings["cluster"]["failover"];

const FAULTS = "delete (the primary's pod, grace 0), graceful (the same in order) or postmaster (kill -9)";

/** Every failover profile that a stack file may ask for. */
const profiles: readonly Profile[] = clusterSettings.shape.failover.unwrap().options;

function profileNames(text: string): readonly Profile[] {
  const names = text.split(",").filter((name) => name !== "");
  return names.map((name) => {
    const found = profiles.find((profile) => profile === name);
    if (found === undefined)
      throw new InvalidArgumentError(`"${name}" is no failover profile: ${profiles.join(", ")}.`);
    return found;
  });
}

/** Prints a part, keeps it, and says which goals it missed. */
async function finish(begun: Part["machine"], part: Omit<Part, "at" | "machine">): Promise<void> {
  const { title, tables, goals } = part;
  say(`\n${title}`);
  for (const { caption, head, rows } of tables) {
    say(
      `\n${caption}\n${table(
        head,
        rows.map((row) => row.map(shown)),
      )}`,
    );
  }
  say("");
  goals.forEach((goal) => say(goalLine(goal)));
  const file = await keepPart({ ...part, at: new Date().toISOString(), machine: begun });
  say(`raw samples: ${file}\nresults: ${pageFile}`);
  if (goals.some(({ met }) => !met)) process.exitCode = 1;
}

const commandLine = (rest: string): string => `make bench ARGS="${rest}"`;

async function preview(rounds: number): Promise<void> {
  const env = await environment();
  const machine = await describeMachine(env);
  say(`preview of stack ${stackName} and of the smallest comparable program, in turn`);
  const samples = await measurePreviews(env, rounds, say);
  const names = { project: "the stack", smallest: "the smallest program" };
  const { table: result, ratio } = ratioTable(samples, names, ["project", "smallest"]);
  await finish(machine, {
    name: "preview",
    title: "Preview: the stack against the smallest program",
    command: commandLine(`preview --pairs ${rounds}`),
    notes: [
      "the smallest program: the same two providers, one Namespace, the same runtime; both deployed, nothing to change",
    ],
    tables: [result],
    goals: [previewGoal(ratio)],
    samples,
  });
}

async function policy(rounds: number): Promise<void> {
  const env = await environment();
  const machine = await describeMachine(env);
  say(`preview of stack ${stackName} with and without the policy pack, in turn`);
  const samples = await measurePolicies(env, rounds, say);
  const names = { with: "with the policy pack", without: "without" };
  const { table: result } = ratioTable(samples, names, ["with", "without"]);
  await finish(machine, {
    name: "policy",
    title: "Preview: with and without the policy pack",
    command: commandLine(`policy --pairs ${rounds}`),
    notes: ["the running stack, nothing to change"],
    tables: [result],
    goals: [],
    samples,
  });
}

async function growth(rounds: number): Promise<void> {
  const machine = await describeMachine(await environment());
  say("preview of 1, 5 and 20 platforms in one program, in turn");
  const samples = await measureGrowth(rounds, say);
  const { table: result, goal } = growthTable(samples);
  await finish(machine, {
    name: "growth",
    title: "Preview: several platforms in one program",
    command: commandLine(`growth --rounds ${rounds}`),
    notes: [
      "each with a pooler, a client and a backup; one operator for all; from nothing, without a cluster",
    ],
    tables: [result],
    goals: [goal],
    samples,
  });
}

/** What a measurement on the cluster leaves when it ends, however it ends: nothing. */
async function tidy(env: Environment, clientNamespaces: readonly string[]): Promise<void> {
  await deleteBenchNamespaces(env);
  if (clientNamespaces.length > 0) await deleteNamespaces(env, clientNamespaces);
  const database = env.settings.cluster.databases[0]?.name;
  await env.cluster.sql(await env.cluster.primary(), "drop schema if exists oracle cascade", database);
}

const clientNamespaces = (env: Environment): string[] => [
  ...new Set(env.settings.clients.map(({ namespace }) => namespace)),
];

/** Both clients' pauses in one run. */
const pauses = (run: { gap: { direct: number; pooled: number } } | FailedRun): string =>
  "failed" in run
    ? `failed (${run.failed})`
    : `${run.gap.pooled.toFixed(2)} s pooled, ${run.gap.direct.toFixed(2)} s direct`;

async function failover(rounds: number, fault: FaultName): Promise<void> {
  const env = await environment();
  const machine = await describeMachine(env);
  const kept: Round[] = [];
  const result = await cleaningUp(
    async () => {
      await deleteBenchNamespaces(env);
      const clients = await startClients(env);
      say("making the operator's defaults and the floor …");
      const defaults = await startDefaults(env);
      const floor = await startFloor(env);
      return interleave<Round>(
        {
          defaults: () => orFailed(() => failOver(defaults.env, defaults.clients, fault)),
          ours: () => orFailed(() => failOver(env, clients, fault)),
          floor: () => orFailed(floor),
        },
        rounds,
        (round, sample) => {
          const { defaults: theirs, ours, floor: bare } = sample;
          kept.push(sample);
          say(
            `${roundName(round, rounds)}: defaults ${pauses(theirs)}; ours ${pauses(ours)}; floor ${"failed" in bare ? `failed (${bare.failed})` : `${bare.gap.toFixed(2)} s`}`,
          );
        },
      );
    },
    () => tidy(env, clientNamespaces(env)),
  );
  const { counted } = result;
  await finish(machine, {
    name: `failover-${fault}`,
    title: `Failover: ${faults[fault].name}`,
    command: commandLine(`failover --fault ${fault} --rounds ${rounds}`),
    notes: [
      ...defaultsNotes(env),
      `ours: the running stack ${stackName}, failover profile ${env.settings.cluster.failover}, durability ${env.settings.cluster.durability}`,
      "bare kill + promote: two servers in one pod with synchronous replication, no operator, no TLS; the standby is told at once",
      ...failoverNotes(counted),
    ],
    tables: failoverTables(counted),
    goals: failoverGoals(counted, fault),
    samples: kept,
  });
}

async function restart(rounds: number): Promise<void> {
  const env = await environment();
  if ((await findSwitch()) === undefined)
    throw new Error("a restart of all nodes is measured on the built-in cluster alone");
  const machine = await describeMachine(env);
  const kept: (FaultRun | FailedRun)[] = [];
  await cleaningUp(
    async () => {
      const setting = { env, clients: await startClients(env) };
      for (let round = 1; round <= rounds; round++) {
        const run = await orFailed(() => runFault(setting, coldStart));
        kept.push(run);
        say(`restart ${round} of ${rounds}: ${worked(run) ? oneLine(run) : run.failed}`);
      }
    },
    () => tidy(env, clientNamespaces(env)),
  );
  await finish(machine, {
    name: "restart",
    title: "Restart of all nodes and the control plane",
    command: commandLine(`restart --rounds ${rounds}`),
    notes: [
      `engine ${env.engine.name}, stack ${stackName}; one client writes directly, one through the pooler`,
    ],
    tables: [restartTable(kept.filter(worked))],
    goals: restartGoals(kept),
    samples: kept,
  });
}

async function backup(rounds: number, mebibytes: number): Promise<void> {
  const env = await environment();
  requireBackup(env.settings);
  const machine = await describeMachine(env);
  say(`base backups, restores and plain copies of ${mebibytes} MiB, in turn`);
  const speeds = await cleaningUp(
    () => measureSpeeds(env, { rounds, mebibytes }, say),
    async () => {
      await tidyBackup(env);
      await tidy(env, []);
    },
  );
  await finish(machine, {
    name: "backup",
    title: "Backup and restore: against a plain copy through the same store",
    command: commandLine(`backup --rounds ${rounds} --mebibytes ${mebibytes}`),
    notes: speedNotes,
    tables: speedTables(speeds),
    goals: speedGoals(speeds),
    samples: speeds,
  });
}

async function archiving(rounds: number, fault: FaultName): Promise<void> {
  const env = await environment();
  requireBackup(env.settings);
  const machine = await describeMachine(env);
  const kept: ArchivingRound[] = [];
  const { counted } = await cleaningUp(
    async () => {
      await deleteBenchNamespaces(env);
      const clients = await startClients(env);
      say("making a copy of the stack that doesn't archive …");
      const off = await startBeside(env, withoutArchive(env.settings));
      return interleave<ArchivingRound>(
        {
          on: () => orFailed(() => failOver(env, clients, fault)),
          off: () => orFailed(() => failOver(off.env, off.clients, fault)),
        },
        rounds,
        (round, sample) => {
          kept.push(sample);
          say(`${roundName(round, rounds)}: archiving ${pauses(sample.on)}; not ${pauses(sample.off)}`);
        },
      );
    },
    () => tidy(env, clientNamespaces(env)),
  );
  await finish(machine, {
    name: "failover-archiving",
    title: "Failover: with archiving and without",
    command: commandLine(`archiving --fault ${fault} --rounds ${rounds}`),
    notes: [
      `on: the running stack ${stackName}; off: a copy of it without pgplatform:backup, made without Pulumi and network policies`,
    ],
    tables: archivingTables(counted),
    goals: archivingGoals(counted),
    samples: kept,
  });
}

async function stall(seconds: readonly number[], runs: number, beside: readonly Profile[]): Promise<void> {
  const env = await environment();
  const machine = await describeMachine(env);
  const samples = await cleaningUp(
    async () => {
      await deleteBenchNamespaces(env);
      say("making a cluster for each failover profile …");
      const { arms } = await startStallArms(env, beside);
      const all: StallRun[] = [];
      for (let run = 1; run <= runs; run++) {
        for (const length of seconds) {
          const result = await stallOnce(env, arms, length);
          all.push(result);
          const told = Object.entries(result.arms).map(
            ([name, { gap, failedOver, restarted }]) =>
              `${name} ${gap.toFixed(2)} s${failedOver ? ", failed over" : restarted ? ", restarted" : ""}`,
          );
          say(`stall of ${length} s, ${run} of ${runs}: ${told.join("; ")}`);
        }
      }
      return all;
    },
    () => tidy(env, clientNamespaces(env)),
  );
  await finish(machine, {
    name: "stall",
    title: "The API server silent under load",
    command: commandLine(`stall --seconds ${seconds.join(",")} --runs ${runs}`),
    notes: stallNotes(env),
    tables: [stallTable(samples)],
    goals: stallGoals(samples),
    samples,
  });
}

async function throughput(seconds: number, rounds: number): Promise<void> {
  const env = await environment();
  const machine = await describeMachine(env);
  const samples = await cleaningUp(
    async () => {
      await deleteBenchNamespaces(env);
      say("making a copy of the stack for the load …");
      return measureLoad(env, { seconds, rounds }, say);
    },
    () => deleteBenchNamespaces(env),
  );
  await finish(machine, {
    name: "throughput",
    title: "Throughput: the pooler against direct connections",
    command: commandLine(`throughput --seconds ${seconds} --rounds ${rounds}`),
    notes: loadNotes,
    tables: [loadTable(samples)],
    goals: [],
    samples,
  });
}

async function exporter(seconds: number, rounds: number): Promise<void> {
  const env = await environment();
  const machine = await describeMachine(env);
  const cost = await cleaningUp(
    async () => {
      await deleteBenchNamespaces(env);
      say("making a copy of the stack whose metrics nobody reads …");
      return measureExporter(
        await startBed(env),
        { seconds, rounds, top: env.settings.monitoring.statements.top },
        say,
      );
    },
    () => deleteBenchNamespaces(env),
  );
  await finish(machine, {
    name: "exporter",
    title: "Metrics: what reading them costs",
    command: commandLine(`exporter --seconds ${seconds} --rounds ${rounds}`),
    notes: exporterNotes,
    tables: exporterTables(cost),
    goals: exporterGoals(cost),
    samples: cost,
  });
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
  .command("policy")
  .description("`pulumi preview` with and without the policy pack")
  .option("--pairs <n>", "measured pairs, after one that warms up", atLeast(1), 5)
  .action(({ pairs }: { pairs: number }) => policy(pairs));
program
  .command("growth")
  .description("`pulumi preview` of 1, 5 and 20 platforms in one program")
  .option("--rounds <n>", "measured rounds, after one that warms up", atLeast(1), 3)
  .action(({ rounds }: { rounds: number }) => growth(rounds));
program
  .command("failover")
  .description(
    "pauses when the primary goes: operator's defaults, the stack, bare kill + promote; disturbs the database",
  )
  .option("--rounds <n>", "measured rounds, after one that warms up", atLeast(1), 5)
  .option("--fault <fault>", FAULTS, faultName, "delete")
  .action(({ rounds, fault }: { rounds: number; fault: FaultName }) => failover(rounds, fault));
program
  .command("restart")
  .description(
    "the built-in cluster's nodes and control plane off and on: from ready nodes to writes; disturbs all",
  )
  .option("--rounds <n>", "restarts", atLeast(1), 3)
  .action(({ rounds }: { rounds: number }) => restart(rounds));
program
  .command("backup")
  .description(
    "base backups and restores against a plain copy through the same store; needs a stack with backup",
  )
  .option("--rounds <n>", "measured rounds, after one that warms up", atLeast(1), 5)
  .option("--mebibytes <n>", "size of the table that is backed up", atLeast(64), 512)
  .action((o: { rounds: number; mebibytes: number }) => backup(o.rounds, o.mebibytes));
program
  .command("archiving")
  .description(
    "pauses when the primary goes, with archiving and without; needs a stack with backup; disturbs the database",
  )
  .option("--rounds <n>", "measured rounds, after one that warms up", atLeast(1), 5)
  .option("--fault <fault>", FAULTS, faultName, "delete")
  .action(({ rounds, fault }: { rounds: number; fault: FaultName }) => archiving(rounds, fault));
program
  .command("stall")
  .description(
    "the built-in cluster's API server silent under load, for each failover profile; disturbs the database",
  )
  .option("--seconds <list>", "lengths of the stalls", lengths, [2, 5, 10])
  .option("--runs <n>", "stalls of each length", atLeast(1), 3)
  .option("--profiles <list>", "profiles beside the stack's own", profileNames, profiles)
  .action((o: { seconds: number[]; runs: number; profiles: readonly Profile[] }) =>
    stall(o.seconds, o.runs, o.profiles),
  );
program
  .command("throughput")
  .description("pgbench through the pooler and directly, on a copy of the stack with more connections")
  .option("--seconds <n>", "length of each run", atLeast(1), 10)
  .option("--rounds <n>", "measured rounds, after one that warms up", atLeast(1), 3)
  .action(({ seconds, rounds }: { seconds: number; rounds: number }) => throughput(seconds, rounds));
program
  .command("exporter")
  .description("pgbench with the metrics read every 5 s and not; scrapes with 500 tables and 200 connections")
  .option("--seconds <n>", "length of each run", atLeast(5), 10)
  .option("--rounds <n>", "measured rounds, after one that warms up", atLeast(1), 10)
  .action(({ seconds, rounds }: { seconds: number; rounds: number }) => exporter(seconds, rounds));
program.command("page").description("make the page again from the samples that are kept").action(writePage);
program
  .command("all", { isDefault: true })
  .description("all of them, with their defaults: about an hour, more where the stack has backups")
  .action(async () => {
    const { settings } = await environment();
    const backedUp = [() => backup(5, 512), () => archiving(5, "delete")];
    const parts = [
      () => preview(5),
      () => policy(5),
      () => growth(3),
      () => throughput(10, 3),
      () => exporter(10, 10),
      () => failover(5, "delete"),
      () => failover(5, "postmaster"),
      () => stall([2, 5, 10], 3, profiles),
      () => restart(3),
      ...(settings.backup === undefined ? [] : backedUp),
    ];
    // One part that can't be measured leaves the others to be.
    for (const part of parts) await part().catch(failed);
  });

function faultName(text: string): FaultName {
  if (!(text in faults))
    throw new InvalidArgumentError(`"${text}" must be one of ${Object.keys(faults).join(", ")}.`);
  return text as FaultName;
}

function failed(error: unknown): void {
  say(`error: ${(error as Error).message}`);
  process.exitCode = 1;
}

program.parseAsync().catch(failed);
