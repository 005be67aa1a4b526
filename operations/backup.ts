import { setTimeout as delay } from "node:timers/promises";
import { backupRoles } from "../plan/backup/names";
import { originArchive } from "../plan/backup/restore";
import { parseResult, type ResultOf } from "../plan/backup/results";
import type { KubernetesObject } from "../plan/objects";
import type { BackupRequest } from "../plan/engines/planner";
import { clusterLabel, roleLabel } from "../plan/names";
import { copyMinutes, dataBytes } from "../settings/sums/sizes";
import { UserError } from "../shell/userError";
import { type Subject } from "./health";
import { type KubeObject, resourceOf, selectorOf } from "./kubectl";
import { type StepContext } from "../shell/progress";
import { readStatus, type Seen, sentenceOf } from "./targets";
import { switchWal } from "./archive";
import { askPrimary, primaryPod } from "./primary";

/** How long the command waits for the end of a base backup, which continues by itself. */
const patienceMinutes = ({ settings }: Subject): number => copyMinutes(dataBytes(settings.cluster), 60);
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
  const made = ({ metadata }: KubeObject) => metadata.creationTimestamp ?? "";
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

/** The newest base backup of a server whose backups are on its own volume alone; undefined where they are in stores. */
export async function onVolume(
  subject: Subject,
): Promise<{ readonly name?: string; readonly phase?: string; readonly why: string } | undefined> {
  if (subject.settings.backup === undefined || !onVolumeAlone(subject)) return undefined;
  const request = requestOf(subject, "any");
  const [newest] = "object" in request ? await asked(subject, request) : [];
  return newest ?? { why: "no base backup yet" };
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
    const timeoutMs = patienceMinutes(subject) * 60_000;
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
  const deadline = Date.now() + patienceMinutes(subject) * 60_000;
  for (;;) {
    const { phase, why } = (await asked(subject, request)).find((one) => one.name === name) ?? {
      phase: "running",
      why: "",
    };
    if (phase === "done") return name;
    if (phase === "failed") throw new Error(`the base backup ${name} failed: ${why}`);
    if (Date.now() > deadline)
      throw new Error(
        `the base backup ${name} has no end after ${patienceMinutes(subject)} minutes (${why}); it continues.`,
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
  const wanted = originArchive(restore);
  const others = found.archiveIds.filter((one) => one !== wanted);
  return (
    `pgplatform:restore.${restore.archiveId === undefined ? "serverName" : "archiveId"}: ${JSON.stringify(wanted)} is not there, and no cluster was made. Allowed: one with a finished base backup${before} in target ${restore.target}, where ` +
    `there are ${others.join(", ") || "no others"}. Fix: name another, and run it again.`
  );
}

/** A moment as the watcher writes it, in milliseconds since 1970. */
const momentOf = (at: string): number => Date.parse(`${at.replace(" ", "T")}Z`);

/** How long a newest base backup that doesn't restore is waited with. */
const DOUBTED_SECONDS = 120;

/** How long base backups in an archive's new place may fail: the instances see its key and CA a minute or two later. */
const MOVING_MINUTES = 10;

/**
 * Waits until the archive has WAL and a base backup. A failed one, such as the schedule's first, is asked for once more.
 *
 * @param moved since when the archive is another one, or elsewhere. What is older there, a copy's, doesn't count, and a base backup is asked for
 * until one is made. @default - it is the one that it was
 */
export async function firstBackup(
  subject: Subject,
  context: StepContext,
  signal: AbortSignal,
  moved?: Date,
  { retryMs = 10_000, quietMs = QUIET_SECONDS * 1000 } = {},
): Promise<void> {
  const end = moved && (await backUpInNewPlace(subject, context, signal, retryMs));
  const complete = ({ base, wal, problem }: ResultOf<"answers">): boolean =>
    base !== undefined &&
    wal !== undefined &&
    problem === undefined &&
    (moved === undefined ||
      end === undefined ||
      (momentOf(base.at) >= moved.getTime() && wal.segment >= end));
  const deadline = Date.now() + patienceMinutes(subject) * 60_000;
  const request = requestOf(subject, "any");
  let refusedSince: number | undefined;
  let quietSince: number | undefined;
  let doubtedSince: number | undefined;
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
    // Timelines' histories may be on the way.
    const doubted = archive?.kind === "answers" && archive.problem !== undefined;
    doubtedSince = doubted ? (doubtedSince ?? Date.now()) : undefined;
    if (doubted && Date.now() - (doubtedSince ?? 0) > DOUBTED_SECONDS * 1000)
      throw new UserError([
        `pgplatform:backup.targets[0]: ${sentences[0]}. Allowed: an archive of one database cluster. Fix: run \`make backup\`; where it stays so, raise backup.archiveNumber, which begins a new archive.`,
      ]);
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
      // An earlier run that began an archive may have been ended before it asked for one.
      const lacking = !onVolumeAlone(subject) && archive?.kind === "answers" && archive.base === undefined;
      const quiet = lacking && tries === 0 && !all.some(({ phase }) => phase === "running");
      quietSince = quiet ? (quietSince ?? Date.now()) : undefined;
      if (quietSince !== undefined && Date.now() - quietSince >= 2 * quietMs) {
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
    if (Date.now() > deadline)
      throw new Error(`there is no base backup after ${patienceMinutes(subject)} minutes`);
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
  context.say("WAL goes to another archive: a base backup is made there");
  const deadline = Date.now() + MOVING_MINUTES * 60_000;
  for (;;) {
    try {
      await switchWal(subject);
      if ((await askPrimary(subject, ["checkpoint"], 60_000)) === undefined)
        throw new Error("the primary doesn't answer");
      await backUp(subject, context, signal);
      return await switchWal(subject);
    } catch (error) {
      signal.throwIfAborted();
      if (Date.now() > deadline) throw error;
      context.detail((error as Error).message);
      await delay(retryMs, undefined, { signal });
    }
  }
}
