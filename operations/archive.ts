import { setTimeout as delay } from "node:timers/promises";
import { archiveIdNames, backupNames } from "../plan/backup/names";
import type { KubernetesObject } from "../plan/objects";
import type { StepContext } from "../shell/progress";
import type { Subject } from "./health";
import { askPrimary } from "./primary";
import type { StateResource } from "./pulumi";
import { readStatus, sentenceOf } from "./targets";

/** An archive's identity: it belongs to one database cluster and one major version of PostgreSQL. */

const isId = ({ type }: StateResource): boolean => type === "random:index/randomId:RandomId";

/** The ID of the archive that a stack's cluster writes; undefined when it archives nothing. */
export function archiveIdIn(resources: readonly StateResource[]): string | undefined {
  const said = resources.find(({ type }) => type === "pgplatform:components:Backup")?.outputs?.archiveId;
  // An update that was interrupted leaves a component without its outputs.
  const drawn = resources.find((one) => isId(one) && one.urn.endsWith("-archive-id"))?.outputs?.hex;
  return (said ?? drawn) as string | undefined;
}

/** What Pulumi must draw again, by its URNs, when the cluster that a state's archive belongs to is gone: the next one is another database cluster. */
export const idsOfFormer = (resources: readonly StateResource[]): string[] =>
  resources
    .filter((one) => isId(one) && archiveIdNames("").some((ending) => one.urn.endsWith(ending)))
    .map(({ urn }) => urn);

interface Watcher extends KubernetesObject {
  spec?: { template?: { spec?: { containers?: { env?: { name: string; value?: string }[] }[] } } };
}

/** A variable of the running watcher by its name; undefined where nothing is watched. */
async function watcherVariables({ kubectl, settings }: Subject) {
  const { namespace, name } = settings.cluster;
  const watcher = await kubectl.get("deployments.apps", namespace, backupNames.watch(name));
  const [container] = (watcher as Watcher | undefined)?.spec?.template?.spec?.containers ?? [];
  return (variable: string) => container?.env?.find((one) => one.name === variable)?.value;
}

/** The archive that the running watcher looks at: its ID, a path in a bucket, and who has that; undefined for one that looks nowhere. */
export async function archiveNow(subject: Subject): Promise<string | undefined> {
  const valueOf = await watcherVariables(subject);
  const place = valueOf("PLACE_1");
  return place && `${place}/${valueOf("ARCHIVE_ID")} ${valueOf("RCLONE_CONFIG_TARGET1_ENDPOINT")}`;
}

export const archiveIdNow = async (subject: Subject): Promise<string | undefined> =>
  (await watcherVariables(subject))("ARCHIVE_ID");

/** How long the last WAL of an archive may take into the first target, and everything into the second. */
const END_MINUTES = 10;
const COPY_MINUTES = 12 * 60;

/** Ends the primary's segment; returns its name. */
export async function switchWal(subject: Subject): Promise<string> {
  const message = "select pg_logical_emit_message(true, 'pgplatform', 'a segment ends here')";
  const answer = await askPrimary(subject, [message, "select pg_walfile_name(pg_switch_wal())"]);
  const end = /^[0-9A-F]{24}$/m.exec(answer ?? "")?.[0];
  if (end === undefined) throw new Error("the primary doesn't answer");
  return end;
}

/**
 * Has the archive hold all that was committed until now, in every target: after a change of the major version nothing is added to it, and what it lacks can't
 * be restored as the older version any more.
 */
export async function completeArchive(
  subject: Subject,
  context: StepContext,
  signal: AbortSignal,
  { pauseMs = 1000 } = {},
): Promise<void> {
  const end = await switchWal(subject);
  const deadline = Date.now() + END_MINUTES * 60_000;
  for (;;) {
    const [archive] = (await readStatus(subject)) ?? [];
    if (archive?.kind === "answers") {
      const { base, wal, problem } = archive;
      if (base === undefined || problem !== undefined)
        throw new Error(
          `${sentenceOf(archive)}: without a base backup that restores there is no way back; the upgrade was not begun: run \`make backup\` first`,
        );
      if (wal !== undefined && wal.segment >= end) break;
    }
    const said = archive === undefined ? "the watcher has not looked yet" : sentenceOf(archive);
    if (Date.now() > deadline)
      throw new Error(
        `the archive lacks ${end} after ${END_MINUTES} minutes (${said}); the upgrade was not begun`,
      );
    context.detail(`the archive gets its last WAL: ${said}`);
    signal.throwIfAborted();
    await delay(pauseMs);
  }
  if ((subject.settings.backup?.targets.length ?? 0) > 1) await copyNow(subject, context, signal, pauseMs);
  context.say(`the archive is complete until ${end}: it stays for restores of the older version`);
}

/** Runs the copy to the second target, and waits for its end. */
async function copyNow(
  { kubectl, settings }: Subject,
  context: StepContext,
  signal: AbortSignal,
  pauseMs: number,
): Promise<void> {
  const { namespace, name } = settings.cluster;
  const job = `${backupNames.copy(name)}-${Date.now().toString(36).slice(-6)}`;
  await kubectl.run(["-n", namespace, "create", "job", job, `--from=cronjob/${backupNames.copy(name)}`]);
  const deadline = Date.now() + COPY_MINUTES * 60_000;
  for (;;) {
    const live = await kubectl.get("job", namespace, job);
    const conditions = (live?.status?.conditions ?? []) as { type: string; status: string }[];
    const is = (type: string) => conditions.some((one) => one.type === type && one.status === "True");
    if (is("Complete")) break;
    if (is("Failed") || live === undefined || Date.now() > deadline)
      throw new Error(
        `the copy to the second target doesn't end well (Job ${namespace}/${job}, whose log says why); the upgrade was not begun`,
      );
    context.detail("the archive's last WAL is copied to the second target");
    signal.throwIfAborted();
    await delay(pauseMs);
  }
  await kubectl.run(["-n", namespace, "delete", "job", job, "--ignore-not-found", "--wait=false"]);
}
