import { setTimeout as delay } from "node:timers/promises";
import { originArchive, restoredAnnotation, restoreText } from "../plan/backup/restore";
import type { Settings } from "../settings/schema";
import { UserError } from "../shell/userError";
import { type StepContext } from "../shell/progress";
import { settingsOfTree } from "./context";
import { plannedCluster, type Subject } from "./health";
import { liveOf, selectorOf } from "./kubectl";
import { type Overlay } from "./pulumi";
import { listed, readStatus, type Row } from "./targets";

/** What a live cluster was made out of, and how far that is. */
export interface Restored {
  /** The setting `restore` as one text. */
  readonly text: string;
  /** Whether its database takes writes, or has. @default - it can't be told */
  readonly begun?: boolean;
}

/** What of a subject says how far a restore is. */
type Asked = Pick<Subject, "kubectl" | "settings" | "live">;

/** Whether the database of a cluster that is being restored has begun; undefined where that can't be told. */
async function hasBegun({ kubectl, settings, live }: Asked): Promise<boolean | undefined> {
  const { name, namespace } = settings.cluster;
  for (const { ask, begun } of live.restore.questions) {
    // A pod on a dead node doesn't answer, and that it doesn't is all that can be told.
    const answer = await kubectl
      .run(["-n", namespace, ...ask(name)], { allowFailure: true, timeoutMs: 30_000 })
      .catch(() => undefined);
    if (answer === undefined) continue;
    const told = begun(answer);
    if (told !== undefined) return told;
  }
  return undefined;
}

/** What the live cluster was made out of; undefined where there is none, or where it began empty. */
export async function readRestored(subject: Subject): Promise<Restored | undefined> {
  const object = await liveOf(subject.kubectl, plannedCluster(subject).object);
  const text = object?.metadata.annotations?.[restoredAnnotation];
  if (text === undefined) return undefined;
  const begun = await hasBegun(subject);
  return { text, ...(begun !== undefined && { begun }) };
}

/** A source as it is said. */
export function sourceOf(text: string): string {
  const { target, to, ...source } = JSON.parse(text) as NonNullable<Settings["restore"]>;
  const [end] = Object.entries(to);
  return `target ${target}, archive ${originArchive(source)}${end ? `, ${end[0]} ${end[1]}` : ""}`;
}

/**
 * What the cluster was made out of, for a stack file that no longer says it: what the instances have of their source stays as it is, and nothing
 * restarts. Nothing where the file says it, where the restore has not ended, and where the target is gone.
 */
export function remembered(settings: Settings, restored: Restored | undefined): Overlay {
  if (settings.restore !== undefined || restored === undefined || restored.begun === false) return {};
  const restore = JSON.parse(restored.text) as NonNullable<Settings["restore"]>;
  return settings.backup?.targets.some(({ name }) => name === restore.target) === true
    ? { "pgplatform:restore": { ...restore, stage: "ended" } }
    : {};
}

/** What is said where the stack file no longer has the restore that the cluster was made by. */
export const KEPT = "restore, which the cluster was made by: what the instances have of its source stays";

/** The overlay and the settings with what is remembered of the live cluster's restore; the same settings where nothing is. */
export async function withRestored(
  stackName: string,
  overlay: Overlay,
  settings: Settings,
  read: (settings: Settings) => Promise<Restored | undefined>,
): Promise<{ overlay: Overlay; settings: Settings }> {
  if (settings.restore !== undefined || settings.backup === undefined) return { overlay, settings };
  const kept = remembered(settings, await read(settings));
  if (Object.keys(kept).length === 0) return { overlay, settings };
  const whole = { ...overlay, ...kept };
  return { overlay: whole, settings: await settingsOfTree(stackName, whole) };
}

/** Archives of earlier clusters of this name that could be restored, where a cluster has begun empty. */
export async function otherArchives(subject: Subject): Promise<string[]> {
  const { restore, backup, cluster } = subject.settings;
  if (restore !== undefined || backup === undefined || backup.targets.length === 0) return [];
  const own = new Set(
    ((await readStatus(subject).catch(() => undefined)) ?? []).flatMap((seen) =>
      "archiveId" in seen ? seen.archiveId : [],
    ),
  );
  const rows = await listed(subject).catch((): Row[] => []);
  const newest = new Map<string, string>();
  for (const row of rows)
    if (row.kind === "base" && row.status === "DONE" && own.size > 0 && !own.has(row.archiveId)) {
      const key = `target ${row.target} has archive ${row.archiveId}`;
      if ((newest.get(key) ?? "") < row.end) newest.set(key, row.end);
    }
  return [...newest].map(
    ([what, end]) =>
      `${what} of an earlier cluster ${cluster.namespace}/${cluster.name}, newest base backup ${end.slice(0, 19)} UTC; this cluster began empty. To have the data back instead: \`make destroy\`, then \`make restore\` with that target and archive ID`,
  );
}

/** How often the recovering pods are asked how far they are. */
const RECOVERING_MS = 2000;

/** Waits until the database of a restore has begun, however long that takes; what can't end ends it (whileRestoring). */
export async function waitUntilBegun(
  subject: Subject,
  context: StepContext,
  signal: AbortSignal,
): Promise<void> {
  if (subject.settings.restore === undefined) return;
  while ((await hasBegun(subject)) === false) {
    context.detail(await recovering(subject).catch(() => "the restore is at work"));
    signal.throwIfAborted();
    await delay(RECOVERING_MS, undefined, { signal }).catch(() => undefined);
    signal.throwIfAborted();
  }
}

/** How far the recovery is, by the newest segment that PostgreSQL says it has. */
async function recovering({ kubectl, settings, live }: Subject): Promise<string> {
  const { name, namespace } = settings.cluster;
  const { labels, container } = live.restore.pods;
  const [pod] = await kubectl.list("pods", namespace, selectorOf(labels(name)));
  if (pod === undefined) return "the restore waits for its pod";
  const at = ["-n", namespace, "logs", pod.metadata.name, "-c", container, "--tail=200"];
  const { stdout } = await kubectl.run(at, { allowFailure: true });
  const segment = [...stdout.matchAll(/restored log file \\*"([0-9A-F]{24})/g)].at(-1)?.[1];
  return segment === undefined
    ? `${pod.metadata.name} fetches the base backup`
    : `${pod.metadata.name} replays WAL: ${segment}`;
}

/** Deletes what a restore that has not ended left, and waits until it is gone. */
export async function removeHalfMade(subject: Subject, context: StepContext): Promise<void> {
  const { kubectl, settings, live } = subject;
  const { name, namespace } = settings.cluster;
  // What it says may have changed since it was asked about.
  if ((await hasBegun(subject)) !== false)
    throw new UserError([
      `cluster ${namespace}/${name} has begun meanwhile: nothing was deleted. Run \`make status\`, and the command again.`,
    ]);
  for (const what of live.restore.halfMade(name)) {
    context.detail(`deleting ${what.join(" ")}`);
    await kubectl.run(["-n", namespace, "delete", ...what, "--ignore-not-found", "--timeout=300s"]);
  }
  context.say("the half-made cluster is deleted");
}

const ENDED_EARLY = /recovery ended before configured recovery target was reached/;
const LAST =
  /last completed transaction was at log time (\d{4}-\d\d-\d\d \d\d:\d\d:\d\d(?:\.\d+)?)([+-]\d\d(?::\d\d)?)?/g;
/** How many recoveries may fail before the restore is given up. */
const TRIES = 3;

/** Why a recovery doesn't get where it should, by what PostgreSQL logged; undefined where nothing says so. */
export function endedEarly(log: string, { restore }: Pick<Settings, "restore">): string | undefined {
  if (restore === undefined || !ENDED_EARLY.test(log)) return undefined;
  const last = [...log.matchAll(LAST)].at(-1);
  const at = last?.[1] === undefined ? undefined : `${last[1]}${last[2] ?? "+00"}`;
  const [kind, end] = Object.entries(restore.to)[0] ?? ["end", ""];
  const earlier = at === undefined ? "" : `name one before ${at}, or `;
  return (
    `pgplatform:restore.to.${kind}: ${JSON.stringify(end)} was not reached: the WAL that came from target ${restore.target} ends before it` +
    `${at === undefined ? "" : `, with the transaction of ${at}`}. Allowed: what the archive has without a gap. ` +
    `Fix: where newer WAL was archived, a segment is missing or was refused: see that the target has it and answers, and run the same command again; else ${earlier}` +
    "leave it out for all that was archived, and run the same command with that: the half-made cluster acknowledged nothing, and is deleted then."
  );
}

interface Pod {
  readonly metadata: { readonly name: string };
  readonly status?: { phase?: string };
}

/** What one look at the recovering pods says: why the restore can't end; undefined while it may. */
async function whyNot({ kubectl, settings, live }: Subject): Promise<string | undefined> {
  const { name, namespace } = settings.cluster;
  const { labels, container } = live.restore.pods;
  const pods: Pod[] = await kubectl.list("pods", namespace, selectorOf(labels(name)));
  let failed = 0;
  for (const { metadata, status } of pods) {
    const at = ["-n", namespace, "logs", metadata.name, "-c", container, "--tail=400"];
    const logs = await Promise.all(
      [at, [...at, "--previous"]].map(
        async (args) => (await kubectl.run(args, { allowFailure: true })).stdout,
      ),
    );
    const early = logs.map((log) => endedEarly(log, settings)).find((one) => one !== undefined);
    if (early !== undefined) return early;
    if (status?.phase === "Failed") failed++;
    if (failed >= TRIES)
      return (
        `the restore of cluster ${namespace}/${name} failed ${failed} times: ${lastError(logs.join("\n"))}. ` +
        "Fix that, and run the same command again, or `make destroy` to give the restore up: the backups stay."
      );
  }
  return undefined;
}

/** The last error in a log, of PostgreSQL or of what restores. */
export function lastError(log: string): string {
  const lines = log.split("\n").filter((line) => /FATAL|PANIC|"level":"error"|[Ee]rror/.test(line));
  const line = lines.findLast((one) => /FATAL|PANIC/.test(one)) ?? lines.at(-1) ?? "its log says no error";
  const field = (name: string) => new RegExp(`"${name}":"((?:[^"\\\\]|\\\\.)*)"`).exec(line)?.[1];
  const [message, msg, error] = ["message", "msg", "error"].map(field);
  const words = message ?? [msg, error].filter((one) => one !== undefined).join(": ");
  return (words === "" ? line : words).trim().slice(0, 300);
}

/** Does `work`, which a restore that can't end ends with one sentence. Neither Pulumi nor an operator would give up before many minutes. */
export async function whileRestoring(
  subject: Subject,
  signal: AbortSignal,
  work: (signal: AbortSignal) => Promise<void>,
  { everyMs = 5000 } = {},
): Promise<void> {
  if (subject.settings.restore === undefined) return work(signal);
  const end = new AbortController();
  const over = new AbortController();
  let why: string | undefined;
  const watching = (async () => {
    while (!over.signal.aborted && why === undefined) {
      // Once the database has begun, nothing of its restore is left to fail.
      if ((await hasBegun(subject).catch(() => undefined)) === true) return;
      why = await whyNot(subject).catch(() => undefined);
      if (why !== undefined) end.abort();
      else await delay(everyMs, undefined, { signal: over.signal }).catch(() => undefined);
    }
  })();
  try {
    await work(AbortSignal.any([signal, end.signal]));
  } catch (error) {
    throw why === undefined ? error : new UserError([why]);
  } finally {
    over.abort();
    await watching;
  }
}

/** Whether the plan's restore is the live cluster's. */
export const isSame = (settings: Settings, { text }: Restored): boolean => restoreText(settings) === text;
