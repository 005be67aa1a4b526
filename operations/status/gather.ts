import { X509Certificate } from "node:crypto";
import { setTimeout as delay } from "node:timers/promises";
import { backupNames } from "../../plan/backup/names";
import { parseResults } from "../../plan/backup/results";
import type { Change } from "../../plan/engines/onCall";

import { onVolume } from "../backup";
import { fullClaims, fullLines } from "../fullVolumes";
import type { Labels } from "../../plan/network";
import { inContainer } from "../inContainer";
import { isReady, type KubeObject, selectorOf } from "../kubectl";
import { clusterObject, type Found, instancePods, isCalledPrimary, type Platform } from "../platform";
import { firingAlerts, type FiringAlert } from "./alerts";
import { askInstance, type Heard, QUESTION_MS, type Written, writeRow } from "./ask";
import { type Idle, idleHelpers } from "./helpers";
import { type RefusedLogins, refusedByPooler, refusedByServer } from "./logins";
import { askPoolers, type PoolerSeen } from "./poolers";

/** Everything that is read for `pgp status`, at once, and for no longer than DEADLINE_MS. What is late is left out, and named. */

export const DEADLINE_MS = 4_300;

export interface Seen {
  readonly cluster?: KubeObject;
  readonly pods?: readonly KubeObject[];
  readonly heard: ReadonlyMap<string, Heard>;
  /** The pods to which a row was written, or should have been. */
  readonly written: ReadonlyMap<string, Written>;
  readonly poolers?: readonly PoolerSeen[];
  /** At the primary and at poolers, of the last minutes. */
  readonly refusedLogins: readonly RefusedLogins[];
  /** Not all may read nodes. */
  readonly nodes?: readonly KubeObject[];
  readonly backups?: BackupsSeen;
  readonly certificates: readonly { what: string; secret: string; ends: string }[];
  readonly alerts?: readonly FiringAlert[];
  readonly changes: readonly Change[];
  /** Whether a pod of the operator is ready. @default - the engine has none, or it isn't known */
  readonly operatorReady?: boolean;
  /** The platform's own Deployments of which no pod is ready. @default - it isn't known */
  readonly idle?: readonly Idle[];
  /** The newest base backup where they are on the server's volume alone. @default - they are in stores, or it isn't known */
  readonly volumeBackup?: { readonly name?: string; readonly phase?: string; readonly why: string };
  /** What to do about a full volume that the engine has stopped PostgreSQL for. */
  readonly full?: readonly string[];
  readonly unread: readonly string[];
}

/** What the watcher of the backups knows. */
export interface BackupsSeen {
  readonly targets: ReturnType<typeof parseResults<"refused" | "answers">>;
  readonly writes?: { readonly unarchivedSeconds: number; readonly rpoSeconds: number };
  /** By the target: its last verification. */
  readonly verified: ReadonlyMap<string, { readonly at?: number; readonly passed?: boolean }>;
}

const READ_BACKUPS =
  "touch /state/look; cat /state/status.txt 2>/dev/null; echo ---; cat /state/writes.txt 2>/dev/null; echo ---; " +
  "grep '^pgplatform_backup_verification' /state/metrics.txt 2>/dev/null; true";

export function backupsIn(text: string): BackupsSeen {
  const [status = "", writes = "", metrics = ""] = text.split("---\n");
  const verified = new Map<string, { at?: number; passed?: boolean }>();
  for (const line of metrics.split("\n")) {
    const [, name, target = "", value] =
      /^pgplatform_backup_verification_(timestamp_seconds|passed)\{.*?target="([^"]*)".*\} (\S+)$/.exec(
        line,
      ) ?? [];
    if (name === undefined) continue;
    const known = verified.get(target) ?? {};
    verified.set(
      target,
      name === "passed" ? { ...known, passed: Number(value) === 1 } : { ...known, at: Number(value) },
    );
  }
  const [one] = parseResults(writes, "writes");
  return {
    targets: parseResults(status, "refused", "answers"),
    ...(one?.kind === "writes" && { writes: one }),
    verified,
  };
}

async function readBackups({ kubectl, settings }: Platform): Promise<BackupsSeen | undefined> {
  const { name, namespace } = settings.cluster;
  const deployment = await kubectl.get("deployments.apps", namespace, backupNames.watch(name));
  if (deployment === undefined) return undefined;
  const { matchLabels } = (deployment.spec as { selector: { matchLabels: Labels } }).selector;
  const pods = await kubectl.list("pods", namespace, selectorOf(matchLabels));
  const pod = pods.find(isReady);
  if (pod === undefined) throw new Error("the watcher of the backups has no pod that is ready");
  const at = inContainer(namespace, pod.metadata.name, "watch");
  const { stdout, exitCode } = await kubectl.run([...at, "sh", "-c", READ_BACKUPS], {
    timeoutMs: QUESTION_MS,
    allowFailure: true,
  });
  if (exitCode !== 0) throw new Error("the watcher of the backups can't be asked");
  return backupsIn(stdout);
}

/** Ends of the certificates. */
async function readCertificates(
  { kubectl, settings, live }: Platform,
  cluster: KubeObject | undefined,
): Promise<Seen["certificates"]> {
  if (cluster === undefined) return [];
  const all = await Promise.all(
    live.onCall.certificates(cluster).map(async ({ what, secret, key }) => {
      const found = await kubectl.get("secrets", settings.cluster.namespace, secret);
      const pem = (found as { data?: Record<string, string> } | undefined)?.data?.[key];
      if (pem === undefined) return [];
      const { validTo } = new X509Certificate(Buffer.from(pem, "base64"));
      return [{ what, secret, ends: new Date(validTo).toISOString() }];
    }),
  );
  return all.flat();
}

async function readChanges({ kubectl, settings, live }: Platform): Promise<Change[]> {
  const { changes } = live.onCall;
  if (changes === undefined) return [];
  const { namespace, name: cluster } = settings.cluster;
  const { kind, name, fieldSelector } = changes.of(cluster);
  if (name === undefined)
    return changes.read(
      await kubectl.query(kind, namespace, { ...(fieldSelector !== undefined && { fieldSelector }) }),
    );
  const object = await kubectl.get(kind, namespace, name);
  return object ? changes.read([object]) : [];
}

async function readOperator({ kubectl, engine }: Platform): Promise<boolean | undefined> {
  const { operatorNamespace, inMetrics } = engine;
  if (operatorNamespace === undefined || inMetrics.operator === undefined) return undefined;
  const deployment = await kubectl.get("deployments.apps", operatorNamespace, inMetrics.operator);
  if (deployment === undefined) return false;
  return Number((deployment.status as { readyReplicas?: number } | undefined)?.readyReplicas ?? 0) > 0;
}

export const readNodes = ({ kubectl }: Platform): Promise<KubeObject[]> =>
  kubectl.query("nodes", "default", {});

/** Reads everything; `subject` of what was found says more where the stack is at hand. */
export async function gather({ platform, subject }: Found, deadlineMs = DEADLINE_MS): Promise<Seen> {
  const heard = new Map<string, Heard>();
  const written = new Map<string, Written>();
  const done: { -readonly [key in keyof Seen]?: Seen[key] } = {};
  const waits = new Map<string, Promise<void>>();
  const failed: string[] = [];
  const refused: RefusedLogins[] = [];
  const read = (what: string, work: () => Promise<void>) => {
    const wait = work().catch((error: unknown) => {
      failed.push(`${what} (${(error as Error).message.split("\n")[0]})`);
    });
    waits.set(
      what,
      wait.finally(() => waits.delete(what)),
    );
  };

  read("the cluster's object", async () => {
    const cluster = await clusterObject(platform);
    if (cluster) done.cluster = cluster;
    if (subject && cluster && platform.live.fullVolumes?.stopped(cluster) === true)
      read("full volumes", async () => {
        const claims = await fullClaims(subject);
        if (claims) done.full = fullLines(subject, claims);
      });
    read("certificates", async () => {
      done.certificates = await readCertificates(platform, cluster);
    });
  });
  read("the instances' pods", async () => {
    const pods = await instancePods(platform);
    done.pods = pods;
    // The platform's table is in the first database; without the settings it is looked for.
    const database = subject?.settings.cluster.databases[0]?.name ?? (subject ? "postgres" : "");
    for (const pod of pods) {
      const { name } = pod.metadata;
      read(`PostgreSQL in ${name}`, async () => {
        heard.set(name, await askInstance(platform, name));
      });
      if (!isCalledPrimary(platform.engine, pod)) continue;
      read(`the row at ${name}`, async () => {
        written.set(name, await writeRow(platform, name, database));
      });
      read(`refused logins at ${name}`, async () => {
        refused.push(...(await refusedByServer(platform, pod)));
      });
    }
  });
  read("poolers", async () => {
    const poolers = await askPoolers(platform);
    done.poolers = poolers;
    for (const pod of poolers.flatMap(({ pods }) => pods))
      read(`refused logins at ${pod.metadata.name}`, async () => {
        refused.push(...(await refusedByPooler(platform, pod)));
      });
  });
  read("nodes", async () => {
    done.nodes = await readNodes(platform);
  });
  read("backups", async () => {
    const backups = await readBackups(platform);
    if (backups) done.backups = backups;
  });
  read("changes of the primary", async () => {
    done.changes = await readChanges(platform);
  });
  read("the platform's own pods", async () => {
    done.idle = await idleHelpers(platform);
  });
  read("the operator", async () => {
    const ready = await readOperator(platform);
    if (ready !== undefined) done.operatorReady = ready;
  });
  if (subject)
    read("base backups", async () => {
      const newest = await onVolume(subject);
      if (newest) done.volumeBackup = newest;
    });
  if (subject)
    read("alerts", async () => {
      const alerts = await firingAlerts(subject);
      if (alerts) done.alerts = alerts;
    });

  const late = new AbortController();
  const end = delay(deadlineMs, "late", { signal: late.signal }).catch(() => "late");
  while (waits.size > 0) if ((await Promise.race([...waits.values(), end])) === "late") break;
  late.abort();
  return {
    certificates: [],
    changes: [],
    refusedLogins: [...refused],
    ...done,
    heard: new Map(heard),
    written: new Map(written),
    unread: [...failed, ...waits.keys()].sort(),
  };
}
