import { setTimeout as delay } from "node:timers/promises";
import { backupNames, backupRoles } from "../plan/backup/names";
import { backupPlan } from "../plan/backup/plan";
import { parseResult, type ResultOf } from "../plan/backup/results";
import type { KubernetesObject } from "../plan/objects";
import type { BackupRequest } from "../plan/engines/planner";
import { clusterLabel, roleLabel } from "../plan/names";
import { UserError } from "../shell/userError";
import { type Subject } from "./health";
import { resourceOf, selectorOf } from "./kubectl";
import { type StepContext } from "../shell/progress";
import { readStatus, type Seen, sentenceOf } from "./targets";
import { askPrimary, primaryPod, waitingLog, waitingSentence } from "./primary";

/** How long the command waits for the end of a base backup, which continues by itself. */
const PATIENCE_MINUTES = 60;
/** How long the command waits for a store that refuses: it may be starting. */
const REFUSED_SECONDS = 45;

/** For how long no base backup may be under way before one is asked for: the watcher looks every ten seconds while there is none. */
const QUIET_SECONDS = 30;

type ObjectRequest = Extract<BackupRequest, { object: unknown }>;
type CommandRequest = Extract<BackupRequest, { command: unknown }>;

function requestOf({ settings, engine }: Subject, name: string): BackupRequest {
  if (engine.backups === undefined || settings.backup === undefined)
    throw new UserError(["pgplatform:backup: not set. Allowed: a backup. Fix: set it, and run `make up`."]);
  return engine.backups.request(settings, name);
}

/** Base backups that an operator or the schedule asked for, newest first, with their state. */
async function asked({ kubectl, settings, live }: Subject, request: ObjectRequest) {
  const { apiVersion, kind } = request.object;
  const found = await kubectl.list(resourceOf(apiVersion, kind), settings.cluster.namespace, "");
  const role = ({ metadata }: KubernetesObject) => metadata.labels?.[roleLabel];
  const made = ({ metadata }: KubernetesObject & { metadata: { creationTimestamp?: string } }) =>
    metadata.creationTimestamp ?? "";
  return found
    .filter((one) => role(one) === role(request.object))
    .sort((one, other) => (made(one) < made(other) ? 1 : -1))
    .flatMap((one) => {
      const state = live.baseBackup(one);
      return state ? [{ name: one.metadata.name, ...state }] : [];
    });
}

/** Whether base backups go to the engine's own volume and to no store, where only what made them says what came of it. */
const onVolumeAlone = ({ settings }: Subject): boolean => settings.backup?.targets.length === 0;

/** What is seen of the backups, a sentence each. */
export async function seenOf(subject: Subject): Promise<string[]> {
  if (subject.settings.backup === undefined) return [];
  const waiting = waitingSentence(await waitingLog(subject));
  if (!onVolumeAlone(subject)) return [...((await readStatus(subject)) ?? []).map(sentenceOf), ...waiting];
  const request = requestOf(subject, "any");
  const [newest] = "object" in request ? await asked(subject, request) : [];
  return [newest ? `base backup ${newest.name}: ${newest.why}` : "no base backup yet", ...waiting];
}

/** `<cluster>-<yyyymmddhhmmss>`, as the schedule names its own. */
const nameAt = (cluster: string, now: Date): string =>
  `${cluster}-${now.toISOString().replace(/\D/g, "").slice(0, 14)}`;

/** The object that asks for a base backup, with its owner. */
async function owned({ kubectl, settings }: Subject, { object, owner }: ObjectRequest): Promise<object> {
  if (owner === undefined) return object;
  const { apiVersion, kind, name } = owner;
  const live = await kubectl.get(resourceOf(apiVersion, kind), settings.cluster.namespace, name);
  const { uid } = (live?.metadata ?? {}) as { uid?: string };
  if (uid === undefined)
    throw new Error(`there is no ${kind} ${name}, which base backups belong to: \`make up\` makes it`);
  return { ...object, metadata: { ...object.metadata, ownerReferences: [{ ...owner, uid }] } };
}

const inPod = ([container, ...command]: CommandRequest["command"]): string[] => [
  "-c",
  container,
  "--",
  ...command,
];

/** The last line that tells of an error, or the last one. */
export function lastError(said: string): string {
  const lines = said.split("\n").filter((line) => line.trim() !== "");
  const line = lines.findLast((one) => /\bERROR\b/.test(one)) ?? lines.at(-1) ?? "nothing was said";
  return line.trim().slice(0, 300);
}

/** Whether the primary makes a base backup, or will by itself. */
async function underway({ kubectl, settings, ...rest }: Subject, request: CommandRequest): Promise<boolean> {
  const pod = await primaryPod({ kubectl, settings, ...rest });
  if (pod === undefined) return true;
  const at = ["-n", settings.cluster.namespace, "exec", pod.metadata.name, ...inPod(request.underway)];
  return (await kubectl.run(at, { allowFailure: true, timeoutMs: 20_000 })).exitCode === 0;
}

/** Makes a base backup and waits for its end; returns its name. */
export async function backUp(subject: Subject, context: StepContext, signal?: AbortSignal): Promise<string> {
  const { kubectl, settings, plan } = subject;
  const { namespace, name: cluster } = settings.cluster;
  const name = nameAt(cluster, new Date());
  const request = requestOf(subject, name);
  if ("command" in request) {
    const pod = await primaryPod(subject);
    if (pod === undefined)
      throw new Error(`${plan.endpoints.primary.service} has no pod: there is no primary`);
    context.detail(`${pod.metadata.name} makes it`);
    const timeoutMs = PATIENCE_MINUTES * 60_000;
    const { stdout, stderr } = await kubectl.run(
      ["-n", namespace, "exec", pod.metadata.name, ...inPod(request.command)],
      { timeoutMs },
    );
    const said = `${stdout}\n${stderr}`;
    const made = request.made.exec(said);
    if (made === null) throw new Error(`no base backup was made: ${lastError(said)}`);
    return made[1] ?? name;
  }
  await kubectl.apply(await owned(subject, request));
  const deadline = Date.now() + PATIENCE_MINUTES * 60_000;
  for (;;) {
    const { phase, why } = (await asked(subject, request)).find((one) => one.name === name) ?? {
      phase: "running",
      why: "",
    };
    if (phase === "done") return name;
    if (phase === "failed") throw new Error(`the base backup ${name} failed: ${why}`);
    if (Date.now() > deadline)
      throw new Error(
        `the base backup ${name} has no end after ${PATIENCE_MINUTES} minutes (${why}); it continues.`,
      );
    context.detail(`${name}: ${why}`);
    signal?.throwIfAborted();
    await delay(1000);
  }
}

/** The message about a target that refuses. */
const refusal = (index: number, seen: Seen): UserError =>
  new UserError([
    `pgplatform:backup.targets[${index}]: ${sentenceOf(seen)}. Allowed: a store that answers. Fix: correct the target, and run \`make up\` again.`,
  ]);

/**
 * Does `work` as long as the archive's store answers: an engine that can't archive WAL never becomes done.
 */
export async function whileAnswered(
  subject: Subject,
  signal: AbortSignal,
  work: (signal: AbortSignal) => Promise<void>,
  { everyMs = 2000, patienceMs = REFUSED_SECONDS * 1000 } = {},
): Promise<void> {
  if (subject.settings.backup?.firstBackup !== true || onVolumeAlone(subject)) return work(signal);
  const end = new AbortController();
  const over = new AbortController();
  let refused: UserError | undefined;
  const watching = (async () => {
    for (let since: number | undefined; !over.signal.aborted && refused === undefined;) {
      // A status that can't be read for a moment says nothing.
      const [archive] = (await readStatus(subject).catch(() => undefined)) ?? [];
      const refuses = archive?.kind === "refused";
      since = refuses ? (since ?? Date.now()) : undefined;
      if (refuses && Date.now() - (since ?? 0) > patienceMs) {
        refused = refusal(0, archive);
        end.abort();
      } else await delay(everyMs, undefined, { signal: over.signal }).catch(() => undefined);
    }
  })();
  try {
    await work(AbortSignal.any([signal, end.signal]));
  } catch (error) {
    throw refused ?? error;
  } finally {
    over.abort();
    await watching;
  }
}

/**
 * Why a restore has no source, by the last words of the pod that looked for it (plan/backup/scripts/source.sh), in a sentence; undefined when
 * that isn't why an update failed.
 */
export async function missingSource({ kubectl, settings }: Subject): Promise<string | undefined> {
  const { restore, cluster } = settings;
  if (restore === undefined) return undefined;
  const labels = { [clusterLabel]: cluster.name, [roleLabel]: backupRoles.source };
  const pods = await kubectl.list("pods", cluster.namespace, selectorOf(labels)).catch(() => []);
  const words = pods.flatMap(({ status }) =>
    ((status?.containerStatuses ?? []) as { state?: { terminated?: { message?: string } } }[]).flatMap(
      ({ state }) => state?.terminated?.message ?? [],
    ),
  );
  const [said = ""] = words;
  if (said.trim() === "") return undefined;
  const found = parseResult(said, "absent", "late", "unreadable");
  if (found.kind === "unknown")
    return `the search for the source of the restore ended with what isn't understood: ${said.trim()}; no cluster was made: fix that, and run it again.`;
  if (found.kind === "unreadable")
    return `target ${restore.target}, which is to be restored from, can't be read: ${found.why}; nothing was made: correct the target, and run it again.`;
  const { time } = restore.to;
  if (found.kind === "late")
    return (
      `pgplatform:restore.to.time: ${JSON.stringify(time)} is not allowed, and no cluster was made. Allowed: a moment after ${found.at} (UTC), when base backup ${found.base} came ` +
      `to target ${restore.target}, which the engine ${cluster.engine} takes for its time. Fix: restore from the target that it was made in, or to a later moment.`
    );
  const before = time === undefined ? "" : ` from before ${time}`;
  const others = found.archiveIds.filter((one) => one !== restore.archiveId);
  return (
    `pgplatform:restore.archiveId: ${JSON.stringify(restore.archiveId)} is not there, and no cluster was made. Allowed: one with a finished base backup${before} in target ${restore.target}, where ` +
    `there are ${others.join(", ") || "no others"}. Fix: name another, and run it again.`
  );
}

interface Watcher extends KubernetesObject {
  spec?: { template?: { spec?: { containers?: { env?: { name: string; value?: string }[] }[] } } };
}

/** Where the watcher looks for the archive: a path in a bucket, and who has that; undefined for one that looks nowhere. */
function archivePlace(watcher: KubernetesObject | undefined): string | undefined {
  const [container] = (watcher as Watcher | undefined)?.spec?.template?.spec?.containers ?? [];
  const valueOf = (name: string) => container?.env?.find((one) => one.name === name)?.value;
  const place = valueOf("PLACE_1");
  return place && `${place} ${valueOf("RCLONE_CONFIG_TARGET1_ENDPOINT")}`;
}

/** Whether the archive of a cluster that is there goes elsewhere with the next update. */
export async function archiveMoves({ kubectl, settings, engine, plan }: Subject): Promise<boolean> {
  const { namespace, name } = settings.cluster;
  const watcher = backupPlan(settings, engine, plan).objects.find(({ id }) => id === "watch");
  if (watcher === undefined) return false;
  const before = archivePlace(await kubectl.get("deployments.apps", namespace, backupNames.watch(name)));
  return before !== undefined && before !== archivePlace(watcher.object);
}

/** A moment as the watcher writes it, in milliseconds since 1970. */
const momentOf = (at: string): number => Date.parse(`${at.replace(" ", "T")}Z`);

/** How long base backups in an archive's new place may fail: the instances see its key and CA a minute or two later. */
const MOVING_MINUTES = 10;

/**
 * Waits until the archive has WAL and a base backup. A failed one, such as the schedule's first, is asked for once more.
 *
 * @param moved since when the archive goes elsewhere. What is older there, a copy's, doesn't count, and a base backup is asked for until one
 * is made. @default - it goes where it went
 */
export async function firstBackup(
  subject: Subject,
  context: StepContext,
  signal: AbortSignal,
  moved?: Date,
  { retryMs = 10_000, quietMs = QUIET_SECONDS * 1000 } = {},
): Promise<void> {
  const end = moved && (await backUpInNewPlace(subject, context, signal, retryMs));
  const complete = ({ base, wal }: ResultOf<"answers">): boolean =>
    base !== undefined &&
    wal !== undefined &&
    (moved === undefined ||
      end === undefined ||
      (momentOf(base.at) >= moved.getTime() && wal.segment >= end));
  const deadline = Date.now() + PATIENCE_MINUTES * 60_000;
  const request = requestOf(subject, "any");
  let refusedSince: number | undefined;
  let quietSince: number | undefined;
  for (let tries = 0; ;) {
    const seen = (await readStatus(subject)) ?? [];
    const refused = seen.findIndex(({ kind }) => kind === "refused");
    refusedSince = refused === -1 ? undefined : (refusedSince ?? Date.now());
    const sentences = seen.map(sentenceOf);
    if (refusedSince !== undefined && Date.now() - refusedSince > REFUSED_SECONDS * 1000)
      throw refusal(refused, seen[refused] ?? { kind: "unknown", line: "" });
    const [archive] = seen;
    if (archive?.kind === "answers" && complete(archive)) {
      context.say(`WAL is archived: ${sentences[0]}`);
      return;
    }
    context.detail(sentences[0] ?? "the watcher has not seen a base backup yet");
    if ("object" in request) {
      const all = await asked(subject, request);
      const onVolume = onVolumeAlone(subject) && all.find(({ phase }) => phase === "done");
      if (onVolume) {
        context.say(`there is a base backup on the archive volume: ${onVolume.name}`);
        return;
      }
      const [newest] = all;
      if (newest?.phase === "failed" && !all.some(({ phase }) => phase === "running")) {
        if (tries > 0) throw new Error(`no base backup can be made: ${newest.why}`);
        tries++;
        await backUp(subject, context, signal);
      }
    } else if (archive?.kind === "answers" && archive.base === undefined) {
      quietSince = (await underway(subject, request)) ? undefined : (quietSince ?? Date.now());
      if (quietSince !== undefined && Date.now() - quietSince >= quietMs) {
        if (tries > 0) throw new Error("no base backup can be made: the one that was asked for isn't there");
        tries++;
        context.say("the primary makes no base backup by itself: one is asked for");
        await backUp(subject, context, signal);
        quietSince = undefined;
      }
    }
    if (Date.now() > deadline) throw new Error(`there is no base backup after ${PATIENCE_MINUTES} minutes`);
    signal.throwIfAborted();
    await delay(1000);
  }
}

/**
 * Makes a base backup that needs no WAL from the former place, and ends the segment in which it ended; returns that segment's name. A
 * standby's begins at the last checkpoint, and an idle server would archive nothing more.
 */
async function backUpInNewPlace(
  subject: Subject,
  context: StepContext,
  signal: AbortSignal,
  retryMs: number,
): Promise<string> {
  context.say("the archive goes elsewhere: a base backup is made there");
  const deadline = Date.now() + MOVING_MINUTES * 60_000;
  const message = "select pg_logical_emit_message(true, 'pgplatform', 'the archive goes elsewhere')";
  for (;;) {
    try {
      if (
        (await askPrimary(subject, [message, "select pg_switch_wal()", "checkpoint"], 60_000)) === undefined
      )
        throw new Error("the primary doesn't answer");
      await backUp(subject, context, signal);
      const answer = await askPrimary(subject, [message, "select pg_walfile_name(pg_switch_wal())"]);
      const end = /^[0-9A-F]{24}$/m.exec(answer ?? "")?.[0];
      if (end !== undefined) return end;
      throw new Error("the primary doesn't answer");
    } catch (error) {
      signal.throwIfAborted();
      if (Date.now() > deadline) throw error;
      context.detail((error as Error).message);
      await delay(retryMs, undefined, { signal });
    }
  }
}
