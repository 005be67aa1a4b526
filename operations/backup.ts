import { setTimeout as delay } from "node:timers/promises";
import { UserError } from "../stacks/userError";
import { judge, type Subject } from "./health";
import { resourceOf } from "./kubectl";
import { type StepContext } from "./progress";

/** How long a base backup may go without an end before nobody waits any more; it goes on by itself. */
const PATIENCE_MINUTES = 60;

/** Base backups that somebody or the schedule asked for, newest first, and what they have come to. */
async function asked({ kubectl, settings, engine }: Subject) {
  const { backups } = engine;
  if (backups === undefined) return [];
  const { namespace } = settings.cluster;
  const { apiVersion, kind } = backups.request(settings, "any");
  const found = await kubectl.list(resourceOf(apiVersion, kind), namespace, "");
  return found
    .map((object) => ({ name: object.metadata.name, ...backups.state(object) }))
    .sort((one, other) => (one.name < other.name ? 1 : -1));
}

/** `<cluster>-<yyyymmddhhmmss>`, as the schedule names its own. */
const nameAt = (cluster: string, now: Date): string =>
  `${cluster}-${now.toISOString().replace(/\D/g, "").slice(0, 14)}`;

/** Asks for a base backup; returns its name. */
async function ask({ kubectl, settings, engine }: Subject): Promise<string> {
  if (engine.backups === undefined || settings.backup === undefined)
    throw new UserError([
      "pgplatform:backup is not set, allowed is a backup with a target: set it, and run `make up`.",
    ]);
  const name = nameAt(settings.cluster.name, new Date());
  await kubectl.apply(engine.backups.request(settings, name));
  return name;
}

/** Makes a base backup and waits for its end; returns its name. */
export async function backUp(subject: Subject, context: StepContext, signal?: AbortSignal): Promise<string> {
  const name = await ask(subject);
  const deadline = Date.now() + PATIENCE_MINUTES * 60_000;
  for (;;) {
    const { phase, why } = (await asked(subject)).find((one) => one.name === name) ?? {
      phase: "running",
      why: "",
    };
    if (phase === "done") return name;
    if (phase === "failed") throw new Error(`the base backup ${name} failed: ${why}`);
    if (Date.now() > deadline)
      throw new Error(
        `the base backup ${name} has no end after ${PATIENCE_MINUTES} minutes (${why}); it goes on.`,
      );
    context.detail(`${name}: ${why}`);
    signal?.throwIfAborted();
    await delay(1000);
  }
}

/** Waits until the archive has a base backup. One that failed, the schedule's first say, is asked for once more. */
export async function firstBackup(
  subject: Subject,
  context: StepContext,
  signal: AbortSignal,
): Promise<void> {
  const { archive } = subject.plan;
  if (archive === undefined) return;
  for (let tries = 0; ;) {
    const { done, why } = await judge(subject, archive);
    if (done) {
      context.say(`the log is archived: ${why}`);
      return;
    }
    context.detail(`${archive.kind} ${archive.metadata.name}: ${why}`);
    const all = await asked(subject);
    const [newest] = all;
    if (newest !== undefined && !all.some(({ phase }) => phase === "running")) {
      if (tries > 0 && newest.phase === "failed")
        throw new Error(`no base backup can be made: ${newest.why}`);
      tries++;
      await backUp(subject, context, signal);
    }
    signal.throwIfAborted();
    await delay(1000);
  }
}
