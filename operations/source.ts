import { setTimeout as delay } from "node:timers/promises";
import { namespace } from "../settings/problem";
import { inUtc, microsecondsAt, millisecondsAt } from "../settings/moment";
import { type Settings } from "../settings/schema";
import { backupNames, backupRoles } from "../plan/backup/names";
import { scripts } from "../plan/backup/pods";
import { originArchive, originOf } from "../plan/backup/restore";
import { parseResults, type ResultOf, type Unknown } from "../plan/backup/results";
import { look } from "../plan/backup/source";
import { storesOf } from "../plan/backup/store";
import { UserError } from "../shell/userError";
import { type StepContext } from "../shell/progress";
import { type Subject } from "./health";
import { type KubeObject, type Kubectl } from "./kubectl";
import { givenUp, Patience, stuck } from "./stuck";
import { refusalIn } from "./targets";

/** What lies where a restore reads, before anything is made out of it. */

/** How often a log that isn't whole is read again. */
const WHOLE_LOG_TRIES = 20;

/** The ID that stands for one that nobody has named yet. */
export const UNNAMED = "0000000000";

type Line = ResultOf<"refused" | "wal" | "base" | "dump" | "replay" | "last"> | Unknown;
type Base = ResultOf<"base">;

/** A moment of a listing: UTC, whatever stands behind its seconds. */
const at = (moment: string): number => Date.parse(`${moment.slice(0, 19).replace(" ", "T")}Z`);

const mebibytes = (bytes: number): string => `${(bytes / 2 ** 20).toFixed(bytes < 2 ** 30 ? 1 : 0)} MiB`;

/** What is assumed of a restore that no verification has measured. */
const ASSUMED = { mebibytesPerSecond: 20, secondsPerSegment: 0.5, startSeconds: 60 };

/** How long a restore may take, and by what that is judged. */
export function expectation({ bytes }: Pick<Base, "bytes">, replay: ResultOf<"replay"> | undefined): string {
  const minutes = (seconds: number) => `about ${Math.max(1, Math.ceil(seconds / 60))} minutes`;
  const segments = replay?.segments ?? 0;
  if (replay?.rtoSeconds != null)
    return `${minutes(replay.rtoSeconds + ASSUMED.startSeconds)} until it takes writes: its verification took ${replay.rtoSeconds} s; WAL archived since then comes on top, and so do the standbys`;
  const seconds =
    (bytes ?? 0) / 2 ** 20 / ASSUMED.mebibytesPerSecond +
    segments * ASSUMED.secondsPerSegment +
    ASSUMED.startSeconds;
  return (
    `${minutes(seconds)} until it takes writes, an assumption that was never measured here: ${ASSUMED.mebibytesPerSecond} MiB a second for the base backup, ` +
    `${ASSUMED.secondsPerSegment} s for each of ${segments} WAL segments, ${ASSUMED.startSeconds} s to start; the standbys come after that`
  );
}

interface Archive {
  readonly id: string;
  /** The finished base backups, the oldest first. */
  readonly bases: readonly Base[];
  /** The newest segment. */
  readonly wal?: { readonly segment: string; readonly at: string };
}

function archivesIn(lines: readonly Line[]): Archive[] {
  const ids = new Set(
    lines.flatMap((line) => ("archiveId" in line && line.kind !== "refused" ? line.archiveId : [])),
  );
  return [...ids].map((id) => {
    const own = lines.filter((line) => "archiveId" in line && line.archiveId === id);
    const wal = own.find((line) => line.kind === "wal");
    return {
      id,
      bases: own
        .filter((line) => line.kind === "base")
        .filter(({ status }) => status === "DONE")
        .sort((one, other) => at(one.end) - at(other.end)),
      ...(wal?.kind === "wal" &&
        wal.segment !== undefined &&
        wal.at !== undefined && { wal: { segment: wal.segment, at: wal.at } }),
    };
  });
}

/** The first and about the last moment that an archive can restore. */
function reach({ bases, wal }: Archive): { from: number; to: number } | undefined {
  const [first] = bases;
  const last = bases.at(-1);
  if (first === undefined || last === undefined) return undefined;
  return { from: at(first.end), to: Math.max(at(last.end), wal ? at(wal.at) : 0) };
}

const reachOf = (archive: Archive): string => {
  const found = reach(archive);
  return found ? `${archive.id} (${inUtc(found.from)} to about ${inUtc(found.to)})` : archive.id;
};

const refuse = (path: string, value: unknown, allowed: string, fix: string): { refused: string } => ({
  refused: `${namespace}:restore.${path}: ${value === undefined ? "not set" : `${JSON.stringify(value)} is not allowed`}; nothing was made. Allowed: ${allowed}. Fix: ${fix}.`,
});

/** What a restore would bring back, in lines; or why it can't. */
export function judgeSource(
  settings: Settings,
  lines: readonly Line[],
): { refused: string } | { lines: string[] } {
  const { restore, cluster } = settings;
  if (restore === undefined) return { lines: [] };
  const { target, to } = restore;
  const archiveId = originArchive(restore);
  const refusing = refusalIn(lines, [archiveId]);
  if (refusing !== undefined)
    return {
      refused: `target ${target}, which is to be restored from, can't be read: ${refusing.why}; nothing was made: correct the target, and run it again.`,
    };
  const archives = archivesIn(lines);
  const usable = archives.filter(({ bases }) => bases.length > 0);
  const archive = usable.find(({ id }) => id === archiveId);
  const from = restore.path ?? restore.from ?? `${cluster.namespace}/${cluster.name}`;
  if (archive === undefined)
    return refuse(
      restore.serverName === undefined ? "archiveId" : "serverName",
      archiveId === UNNAMED ? undefined : archiveId,
      `an archive of ${from} in target ${target} with a finished base backup: ${usable.map(reachOf).join(", ") || "there is none"}`,
      usable.length > 0
        ? "name it by ARCHIVE_ID, and run it again"
        : "name another target by TARGET, or another cluster by restore.from",
    );
  const ends = reach(archive);
  const [oldest] = archive.bases;
  if (ends === undefined || oldest === undefined)
    throw new Error("an archive without a base backup was chosen");
  const last = lines.find((line) => line.kind === "last" && line.archiveId === archiveId);
  const lastAt = last?.kind === "last" ? last.at : undefined;
  const until =
    lastAt === undefined
      ? `about ${inUtc(ends.to)}`
      : `before ${lastAt.replace("T", " ").replace("Z", " UTC")}, the archive's last transaction`;
  const span = `from ${inUtc(ends.from)} to ${until}`;
  const time = to.time === undefined ? undefined : millisecondsAt(to.time);
  // Scripts and tools compare whole seconds, and take a base backup that ended before.
  const before =
    time === undefined
      ? archive.bases
      : archive.bases.filter(({ end }) => at(end) < Math.floor(time / 1000) * 1000);
  const chosen = to.name === undefined ? before.at(-1) : oldest;
  // PostgreSQL ends at a moment only where a later transaction follows.
  const beyond =
    to.time !== undefined &&
    (lastAt === undefined
      ? millisecondsAt(to.time) > ends.to
      : microsecondsAt(to.time) >= microsecondsAt(lastAt));
  if (to.time !== undefined && (chosen === undefined || beyond))
    return refuse(
      "to.time",
      to.time,
      `a moment ${span}: that is what archive ${archiveId} in target ${target} reaches`,
      chosen === undefined
        ? `name a later one (the earliest base backup ended at ${inUtc(ends.from)}), or an older archive by ARCHIVE_ID`
        : "name an earlier one, or leave it out for all that was archived",
    );
  if (chosen === undefined) throw new Error("no base backup was chosen");
  const replay = lines.find((line) => line.kind === "replay" && line.id === chosen.id);
  const more = replay?.kind === "replay" ? replay : undefined;
  if (more?.major != null && String(more.major) !== cluster.postgresVersion)
    return {
      refused: `${namespace}:cluster.postgresVersion: ${JSON.stringify(cluster.postgresVersion)} is not allowed; nothing was made. Allowed: "${more.major}", of which the base backup ${chosen.id} is. Fix: set it, restore, and upgrade after that.`,
    };
  return {
    lines: [
      `base backup: ${chosen.id}, which ended at ${inUtc(at(chosen.end))}, ${mebibytes(chosen.bytes ?? 0)} in the store${more?.major == null ? "" : `, PostgreSQL ${more.major}`}, ${chosen.verdict === undefined ? "never verified" : `verification ${chosen.verdict}`}`,
      `reachable: ${span}${lastAt !== undefined ? "" : archive.wal === undefined ? ", without any WAL" : `, when the newest WAL segment (${archive.wal.segment}) was stored`}`,
      `how long: ${expectation(chosen, more)}`,
    ],
  };
}

/** Whether everything is there that a look needs. */
export async function canLook({ kubectl, settings }: Subject): Promise<boolean> {
  const { name, namespace: own } = settings.cluster;
  const there = async (kind: string, one: string): Promise<KubeObject | undefined> =>
    kubectl.get(kind, own, one).catch(() => undefined);
  const config = (await there("configmap", backupNames.watch(name))) as
    { data?: Record<string, string> } | undefined;
  if (Object.entries(scripts).some(([file, text]) => config?.data?.[file] !== text)) return false;
  // It lets the pod look, and is there only where a restore was planned.
  if (!(await there("networkpolicies.networking.k8s.io", `${name}-${backupRoles.source}`))) return false;
  const needed = storesOf(settings).flatMap(({ login, ca }) => [
    ...("secretName" in login ? [login.secretName] : []),
    ...(ca ? [ca.secretName] : []),
  ]);
  const found = await Promise.all(needed.map((one) => there("secret", one)));
  return found.every((one) => one !== undefined);
}

/** What the pod has said, up to its last line: what wasn't heard must not count as what isn't there. */
async function wholeLog(kubectl: Kubectl, own: string, pod: string, target: string): Promise<Line[]> {
  for (let tries = 0; tries < WHOLE_LOG_TRIES; tries++) {
    const said = await Promise.all(
      ["look", "last"].map((container) => kubectl.run(["-n", own, "logs", pod, "-c", container])),
    );
    const lines = parseResults(
      said.map(({ stdout }) => stdout).join("\n"),
      ...(["refused", "wal", "base", "dump", "replay", "last", "looked"] as const),
    );
    const seen = lines.filter((line) => line.kind !== "looked");
    if (seen.length < lines.length) return seen;
    await delay(500);
  }
  throw new UserError([`what pod ${pod} says of target ${target} has no last line: run it again.`]);
}

/** Looks by a pod that has the stores' keys. Throws with a sentence where the pod doesn't run. */
export async function lookIntoSource(
  subject: Subject,
  context: StepContext,
  signal?: AbortSignal,
): Promise<Line[]> {
  const { kubectl, settings } = subject;
  const { namespace: own } = settings.cluster;
  const origin = originOf(settings);
  if (origin === undefined) return [];
  const pod = look(settings, storesOf(settings), origin, settings.restore && originArchive(settings.restore));
  const { name } = pod.metadata;
  const remove = () => kubectl.run(["-n", own, "delete", "pod", name, "--ignore-not-found", "--timeout=60s"]);
  await remove();
  await kubectl.apply(pod);
  try {
    const patience = new Patience();
    for (;;) {
      const live = await kubectl.get("pod", own, name);
      const phase = String((live?.status as { phase?: string } | undefined)?.phase ?? "gone");
      if (phase === "Succeeded") break;
      if (phase === "Failed" || phase === "gone") {
        const { stdout, stderr } = await kubectl.run(["-n", own, "logs", name, "-c", "look"], {
          allowFailure: true,
        });
        throw new Error(
          `looking into target ${origin.name} failed: ${(stdout.trim() || stderr.trim()).split("\n").at(-1) ?? phase}`,
        );
      }
      const waiting = live ? stuck(live) : undefined;
      const lost = waiting ? patience.exhausted([waiting], Date.now(), () => 0) : [];
      if (lost.length > 0) throw new UserError(givenUp(lost));
      context.detail(`looking into target ${origin.name}: pod ${phase}`);
      signal?.throwIfAborted();
      await delay(500);
    }
    return await wholeLog(kubectl, own, name, origin.name);
  } finally {
    await remove().catch(() => undefined);
  }
}
