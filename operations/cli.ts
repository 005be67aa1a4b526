import { Command } from "commander";
import { manifestParts } from "../releases/manifest";
import { backUp } from "./backup";
import { listed, rowLine } from "./targets";
import { destroy, down } from "./down";
import { forget } from "./forget";
import { writeAndRead } from "./health";
import { askStranger } from "./stranger";
import { engineAsked } from "./layers";
import { logOptions, showLogs } from "./logs";
import { openPages } from "./monitoring";
import { preview } from "./preview";
import { CommandError } from "../shell/process";
import { Progress } from "../shell/progress";
import { restore } from "./restore";
import { type Wanted } from "./restorePlan";
import { InterruptedError, interruptible, session } from "./session";
import { runningSubject, status } from "./status";
import { prepareTools, up } from "./up";
import { verify } from "./verify";
import { UserError } from "../shell/userError";

const progress = new Progress();
/** Where standard output is for what was asked for, and nothing else. */
const aside = new Progress((line) => process.stderr.write(`${line}\n`));

/** Prints a command's closing line, or why it failed: never a stack trace for a user's mistake. */
async function conclude(work: () => Promise<string>, to: Progress = progress): Promise<void> {
  try {
    // Before anything else: a name that is no engine's is refused at once.
    engineAsked();
    const last = await work();
    if (last !== "") to.line(last);
  } catch (error) {
    process.exitCode = 1;
    if (error instanceof InterruptedError) {
      process.exitCode = 130;
      to.line(error.message);
    } else if (error instanceof CommandError) {
      error.tail.forEach((line) => console.error(`  | ${line}`));
      to.line(`error: ${error.message}; its last lines are above.`);
    } else if (process.env.DEBUG !== undefined && !(error instanceof UserError)) {
      console.error(error);
    } else {
      (error as Error).message.split("\n").forEach((line) => to.line(`error: ${line}`));
    }
  }
}

interface StackOption {
  stack: string;
}

interface LogArguments {
  follow: boolean;
  since: string;
  level: string;
  json: boolean;
}

const program = new Command("pgp")
  .description("High availability PostgreSQL on Kubernetes, from nothing to a written row.")
  .addHelpText(
    "after",
    `
Environment:
  ENGINE=<engine>        what runs PostgreSQL, instead of the stack file's engine: cnpg, zalando or standalone
  CONTEXT=<context>      use the Kubernetes cluster of this kubeconfig context (default: k3d, else the built-in cluster)
  FORCE=1                answer every question with yes
  POLICY=0               preview without the policy pack
  PGP_STACKS=<folder>    look for Pulumi.<stack>.yaml there (default: the project's root)
  PGP_MIRROR=<url>       fetch tools and manifests from <url>/<publisher's host>/<path> (HTTPS_PROXY and NO_PROXY count, too)
  PGP_STATE, PGP_CACHE   folders for what must be kept and for what can be made again
  DEBUG=1                stack traces of unexpected errors`,
  );
const command = (name: string, description: string) =>
  program
    .command(name)
    .description(description)
    .option("-s, --stack <name>", "stack file to use: Pulumi.<name>.yaml", "local");

command("up", "tools, cluster, pulumi up, health check, how to connect").action(({ stack }: StackOption) =>
  conclude(() => session("up", progress, (signal) => up(stack, progress, signal))),
);

command("down", "delete what `up` made, with its data, after asking (FORCE=1 asks nothing)").action(
  ({ stack }: StackOption) =>
    conclude(() => session("down", progress, (signal) => down(stack, progress, signal))),
);

command("destroy", "delete the stack's objects and data, and leave the cluster").action(
  ({ stack }: StackOption) =>
    conclude(() => session("destroy", progress, (signal) => destroy(stack, progress, signal))),
);

command("backup", "make a base backup now, beside the scheduled ones").action(({ stack }: StackOption) =>
  conclude(async () => {
    const { subject } = await runningSubject(stack, progress);
    const name = await progress.step("base backup", (context) => backUp(subject, context));
    return `The base backup ${name} is made.`;
  }),
);

command("backups", "list the base backups in every target, of every archive").action(
  ({ stack }: StackOption) =>
    conclude(async () => {
      const { subject } = await runningSubject(stack, progress);
      const rows = await listed(subject);
      rows.forEach((row) => progress.line(`  ${rowLine(row)}`));
      return `${rows.length} lines; \`pgplatform:restore\` takes the target and the archive ID.`;
    }),
);

command("verify", "restore the newest backup beside everything else, and check that it is complete")
  .option("-t, --target <name>", "only this target (default: all)")
  .option(
    "--time <time>",
    "restore up to this moment, such as 2026-01-31T23:59:00Z (default: all that was archived)",
  )
  .action(({ stack, target, time }: StackOption & { target?: string; time?: string }) =>
    conclude(() =>
      interruptible(progress, async (signal) => {
        const { subject } = await runningSubject(stack, progress);
        const targets = subject.settings.backup?.targets.map(({ name }) => name) ?? [];
        const verdicts: string[] = [];
        for (const one of target === undefined ? targets : [target])
          await progress.step(`restore from ${one}`, async (context) => {
            verdicts.push(await verify(subject, one, time, context, signal));
          });
        if (verdicts.length === 0)
          throw new UserError(["pgplatform:backup is not set: nothing can be restored."]);
        return `${verdicts.join("; ")}.`;
      }),
    ),
  );

command("restore", "show what a restore brings back, and make the cluster out of it after asking")
  .option("-t, --target <name>", "backup target to restore from (default: the setting restore)")
  .option("-a, --archive-id <id>", "which archive of the target, as `backups` lists them")
  .option("--from <namespace/name>", "the cluster that was backed up, when its name was another")
  .option(
    "--time <time>",
    "go back to this moment, such as 2026-01-31T23:59:00Z (default: all that was archived)",
  )
  .option("--lsn <lsn>", "go back to this LSN")
  .option("--point <name>", "go back to this restore point")
  .action(({ stack, point, ...wanted }: StackOption & Wanted & { point?: string }) =>
    conclude(() =>
      session("restore", progress, (signal) =>
        restore(stack, { ...wanted, ...(point !== undefined && { name: point }) }, progress, signal),
      ),
    ),
  );

command("forget", "delete an archive that has ended from a target, after asking")
  .option("-t, --target <name>", "backup target to delete from")
  .option("-a, --archive-id <id>", "which archive of the target, as `backups` lists them")
  .action(({ stack, target, archiveId }: StackOption & { target?: string; archiveId?: string }) =>
    conclude(() =>
      interruptible(progress, async (signal) => {
        const { subject } = await runningSubject(stack, progress, signal);
        return forget(subject, target, archiveId, progress);
      }),
    ),
  );

command("status", "say what runs").action(({ stack }: StackOption) =>
  conclude(() => status(stack, progress)),
);

command("logs", "follow the logs of all instances and poolers, each line with its instance and role")
  .option("-f, --follow", "continue with what is logged from now on", true)
  .option("--no-follow", "only what is there")
  .option("--since <duration>", "how far back, such as 30s, 10m or 2h", "10m")
  .option(
    "--level <level>",
    "only lines as bad as this: debug, info, notice, warning, error, fatal, panic",
    "debug",
  )
  .option("--json", "one JSON object a line, with the fields that docs/logs.md lists", false)
  .action(({ stack, ...given }: StackOption & LogArguments) =>
    conclude(async () => {
      const colour = process.stdout.isTTY && (process.env.NO_COLOR ?? "") === "";
      const options = logOptions({ ...given, colour });
      return showLogs(stack, options, aside);
    }, aside),
  );

command("health", "write a row through the pooler and read it on a standby").action(
  ({ stack }: StackOption) =>
    conclude(async () => {
      const { subject } = await runningSubject(stack, progress);
      await progress.step("health: a client", (context) => writeAndRead(subject, context));
      const warning = await progress.step("network: a stranger", (context) => askStranger(subject, context));
      if (warning !== undefined) progress.line(warning);
      const { poolers, cluster } = subject.settings;
      const read = cluster.instances > 1 ? " and read on a standby" : "";
      return `A client wrote ${poolers.length > 0 ? "through the pooler" : "directly"}${read}.`;
    }),
);

command(
  "monitoring",
  "open the pages of the Prometheus and the Alertmanager that the stack has installed",
).action(({ stack }: StackOption) =>
  conclude(async () => {
    try {
      await interruptible(progress, async (signal) => {
        const { subject } = await runningSubject(stack, progress);
        await openPages(subject, progress, signal);
      });
    } catch (error) {
      // It is how this command ends.
      if (!(error instanceof InterruptedError)) throw error;
    }
    return "The pages are closed.";
  }),
);

command(
  "preview",
  "show what `up` would change, drift included; without the stack's cluster, the plan from nothing",
)
  .option("--no-policy", "don't hold the plan to the policy pack (POLICY=0 does the same)")
  .action(({ stack, policy }: StackOption & { policy: boolean }) => {
    const policies = policy && process.env.POLICY !== "0";
    return conclude(() =>
      session("preview", progress, (signal) => preview(stack, progress, { policies }, signal)),
    );
  });

program
  .command("tools")
  .description("make the tools and every operator's manifest available")
  .action(() =>
    conclude(async () => {
      const folders = await prepareTools(progress, Object.keys(manifestParts));
      return `Tools: ${folders.join(" ") || "all on PATH"}`;
    }),
  );

void program.parseAsync();
