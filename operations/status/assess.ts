import type { Shape } from "../../plan/engines/live";
import { isReady, type KubeObject } from "../kubectl";
import { type Found, isCalledPrimary, placeOf } from "../platform";
import { type Answer, hangingIn } from "./ask";
import { type Seen } from "./gather";
import { limitsOf } from "./limits";
import { acrossPods } from "./logins";
import { lastEnd, nodeNameOf, restartsOf, unreadiness } from "./pods";
import { problemsOf } from "./problems";
import { formerPrimary } from "./rule";
import type { ChangeSeen, Instance, Pooler, Report, Target } from "./report";

/** What was read, as the report of it; pure. */

const iso = (seconds: number): string => new Date(seconds * 1000).toISOString();
const moment = (stamp: string): string => new Date(stamp).toISOString();

/** `2026-01-31 23:59:00` of a store's listing is UTC. */
const ofListing = (at: string): string | undefined => {
  const time = Date.parse(`${at.replace(" ", "T")}Z`);
  return Number.isNaN(time) ? undefined : new Date(time).toISOString();
};

const zoneOf = (nodes: readonly KubeObject[] | undefined, name: string | undefined): string | undefined =>
  nodes?.find(({ metadata }) => metadata.name === name)?.metadata.labels?.["topology.kubernetes.io/zone"];

/** Less than that may just be on its way. */
const ON_ITS_WAY = 64 * 1024;

/** How old the newest is that a standby has: by the primary's own measure, else by its last commit. */
function secondsBehind(
  bytes: number,
  { now, lastCommit }: Answer,
  measured: number | null | undefined,
): number | undefined {
  if (bytes === 0) return 0;
  if (measured != null && measured > 0) return measured;
  if (bytes < ON_ITS_WAY) return 0;
  return lastCommit === null ? undefined : now - lastCommit;
}

function instanceOf({ platform }: Found, seen: Seen, pod: KubeObject, primary: Answer | undefined): Instance {
  const { name } = pod.metadata;
  const heard = seen.heard.get(name);
  const answer = heard?.answer;
  const node = nodeNameOf(pod);
  const zone = zoneOf(seen.nodes, node);
  const labelled = isCalledPrimary(platform.engine, pod) ? "primary" : "standby";
  const role = answer === undefined ? labelled : answer.standby ? "standby" : "primary";
  const why =
    unreadiness(pod) ?? heard?.silence ?? (heard === undefined ? "it was not asked in time" : undefined);
  const mine = primary?.standbys.find((one) => one.name === name);
  const lagBytes =
    answer?.standby === true && primary && answer.lsn !== null && primary.lsn !== null
      ? Math.max(0, primary.lsn - answer.lsn)
      : undefined;
  const lagSeconds =
    lagBytes === undefined || answer === undefined
      ? undefined
      : secondsBehind(lagBytes, answer, mine?.lagSeconds);
  return {
    name,
    role,
    answers: answer !== undefined,
    ready: isReady(pod),
    ...(why !== undefined && { why }),
    ...(node !== undefined && { node }),
    ...(zone !== undefined && { zone }),
    ...(answer?.timeline != null && { timeline: answer.timeline }),
    ...(lagBytes !== undefined && { lagBytes }),
    ...(lagSeconds !== undefined && { lagSeconds: Math.max(0, Math.round(lagSeconds)) }),
    ...(answer?.standby === true && primary && { sync: mine?.sync ?? "not streaming" }),
    ...(answer && { startedAt: iso(answer.startedAt) }),
    restarts: restartsOf(pod),
  };
}

function poolersOf({ poolers = [] }: Seen): Pooler[] {
  return poolers.map(({ name, wanted, pods, pools }) => {
    const sum = (count: (pool: NonNullable<typeof pools>[number]) => number) =>
      (pools ?? []).reduce((all, pool) => all + count(pool), 0);
    return {
      name,
      wanted,
      ready: pods.filter((pod) => unreadiness(pod) === undefined).length,
      ...(pools && {
        clients: sum(({ clients }) => clients),
        waiting: sum(({ waiting }) => waiting),
        waitSeconds: Math.max(0, ...pools.map(({ waitSeconds }) => waitSeconds)),
        servers: sum(({ active, idle, others }) => active + idle + others),
      }),
    };
  });
}

const targetsOf = ({ backups }: Seen): Target[] =>
  (backups?.targets ?? []).map((seen) => {
    if (seen.kind === "unknown") return { name: "", answers: false, why: seen.line };
    const { at, passed } = backups?.verified.get(seen.target) ?? {};
    const verified = {
      ...(at !== undefined && { verifiedAt: iso(at) }),
      ...(passed !== undefined && { verified: passed }),
    };
    if (seen.kind === "refused") return { name: seen.target, answers: false, why: seen.why, ...verified };
    const baseAt = seen.base && ofListing(seen.base.at);
    const walAt = seen.wal && ofListing(seen.wal.at);
    return {
      name: seen.target,
      answers: true,
      archiveId: seen.archiveId,
      ...(seen.problem !== undefined && { why: seen.problem }),
      ...(baseAt !== undefined && { baseAt }),
      ...(walAt !== undefined && { walAt }),
      ...verified,
    };
  });

/** How far apart two accounts of one change may be. */
const SAME_CHANGE_MS = 90_000;

const distance = (one: ChangeSeen, other: ChangeSeen): number =>
  Math.abs(Date.parse(one.at) - Date.parse(other.at));

/** Timelines that began: each instance has their files, and a standby's is as old as its copy; the oldest is of the promotion. */
function timelinesOf(answers: readonly Answer[]): ChangeSeen[] {
  const files = new Map<string, Answer["histories"][number]>();
  for (const file of answers.flatMap(({ histories }) => histories)) {
    const known = files.get(file.name);
    if (known === undefined || file.at < known.at) files.set(file.name, file);
  }
  return [...files.values()].map(({ name, at, text }) => {
    const last = text.trim().split("\n").at(-1) ?? "";
    const [, lsn = "", words = ""] = /^\d+\t(\S+)\t(.*)$/.exec(last) ?? [];
    return {
      at: iso(at),
      timeline: parseInt(name.slice(0, 8), 16),
      why: `promoted at ${lsn}${words === "" || words.startsWith("no recovery target") ? "" : ` (${words})`}`,
    };
  });
}

/** PostgreSQL's timelines, with what the engine and the pods' containers wrote down of the same moments. */
export function changesOf(seen: Seen): ChangeSeen[] {
  const timelines = timelinesOf([...seen.heard.values()].flatMap(({ answer }) => answer ?? []));
  const ends = (seen.pods ?? []).flatMap((pod): ChangeSeen[] => {
    const end = lastEnd(pod);
    return end ? [{ at: moment(end.at), why: `${pod.metadata.name}: ${end.why}` }] : [];
  });
  const accounts = new Map<ChangeSeen, ChangeSeen[]>(timelines.map((change) => [change, []]));
  const others: ChangeSeen[] = [];
  for (const one of [...seen.changes.map((change): ChangeSeen => ({ ...change })), ...ends]) {
    const [nearest] = [...timelines].sort((a, b) => distance(one, a) - distance(one, b));
    const same =
      timelines.find(({ timeline }) => timeline === one.timeline) ??
      (one.timeline === undefined && nearest && distance(one, nearest) < SAME_CHANGE_MS
        ? nearest
        : undefined);
    (same === undefined ? others : (accounts.get(same) ?? others)).push(one);
  }
  const merged = timelines.map((change): ChangeSeen => {
    const same = accounts.get(change) ?? [];
    const primary = same.findLast((one) => one.primary !== undefined)?.primary;
    return {
      ...change,
      ...(primary !== undefined && { primary }),
      why: [change.why, ...same.map(({ why }) => why)].join("; "),
    };
  });
  return [...merged, ...others].sort((one, other) => other.at.localeCompare(one.at));
}

/** Since when the primary takes writes: its promotion, or its start where that was later. */
function writableSince(answer: Answer): string {
  const promoted =
    answer.histories.find(({ name }) => parseInt(name.slice(0, 8), 16) === answer.timeline)?.at ?? 0;
  return iso(Math.max(promoted, answer.startedAt));
}

/** Whether writes work, which is what the first line says. */
export function writesOf(found: Found, seen: Seen, poolers: readonly Pooler[]): Report["writes"] {
  const answers = [...seen.heard.values()].flatMap(({ answer }) => answer ?? []);
  const commits = answers.flatMap(({ lastCommit }) => lastCommit ?? []);
  const since = commits.length === 0 ? {} : { since: iso(Math.max(...commits)) };
  const no = (why: string): Report["writes"] => ({ work: false, why, ...since });
  if (seen.pods === undefined)
    return seen.cluster === undefined && seen.unread.length === 0
      ? no(`there is no cluster ${placeOf(found.platform)}`)
      : { work: null, why: "the API server does not say which instances there are" };
  if (seen.pods.length === 0)
    return no(
      seen.cluster === undefined ? `there is no cluster ${placeOf(found.platform)}` : "no instance runs",
    );
  const primaries = seen.pods.filter((pod) => isCalledPrimary(found.platform.engine, pod));
  if (primaries.length === 0) {
    const hung = hangingIn(seen);
    const former = formerPrimary(found, seen);
    return no(
      `no instance is called the primary${hung.length > 0 ? `, and ${hung.join(" and ")} takes connections and does not answer: it hangs` : former === undefined ? "" : `; ${former}, which was it, is not ready, and its end is waited for`}`,
    );
  }
  const [good] = primaries.flatMap((pod) => {
    const { milliseconds } = seen.written.get(pod.metadata.name) ?? {};
    return milliseconds === undefined ? [] : [{ pod, milliseconds }];
  });
  if (good === undefined) {
    const { name } = (primaries[0] as KubeObject).metadata;
    const { why, waitsForStandby, unreached = why === undefined } = seen.written.get(name) ?? {};
    const heard = seen.heard.get(name);
    // Where no instance at all could be asked, it may be the way there.
    if (unreached && heard?.hangs !== true && answers.length === 0)
      return { work: null, why: `${name}, the primary, and no other instance could be asked in time` };
    const reason =
      heard?.hangs === true && waitsForStandby !== true
        ? "PostgreSQL takes connections and does not answer: it hangs"
        : (why ??
          heard?.silence ??
          (heard?.answer ? "a row could not be written in time" : "it did not answer in time"));
    return no(`${name}, the primary: ${reason}`);
  }
  const { pod, milliseconds } = good;
  const served = poolers.length === 0 || poolers.some(({ ready }) => ready > 0);
  if (!served)
    return {
      ...no(
        `no pod of a pooler is ready; ${pod.metadata.name}, the primary, takes writes from those who reach it directly`,
      ),
      milliseconds,
    };
  const answer = seen.heard.get(pod.metadata.name)?.answer;
  return {
    work: true,
    why: `a row was written at ${pod.metadata.name} in ${milliseconds} ms`,
    milliseconds,
    ...(answer && !answer.standby && { since: writableSince(answer) }),
  };
}

/** The instance that PostgreSQL itself calls no standby. */
const primaryAnswer = (seen: Seen): Answer | undefined =>
  [...seen.heard.values()].flatMap(({ answer }) => answer ?? []).find(({ standby }) => !standby);

export function assess(found: Found, seen: Seen, now = Date.now()): Report {
  const { platform, subject, context } = found;
  const { name, namespace } = platform.settings.cluster;
  const primary = primaryAnswer(seen);
  const poolers = poolersOf(seen);
  const pods = [...(seen.pods ?? [])].sort((one, other) =>
    one.metadata.name.localeCompare(other.metadata.name),
  );
  const shape: Shape | undefined = seen.cluster && platform.live.shape(seen.cluster);
  const writes = seen.backups?.writes;
  const facts: Omit<Report, "problems"> = {
    at: new Date(now).toISOString(),
    context,
    namespace,
    cluster: name,
    engine: platform.engine.name,
    writes: writesOf(found, seen, poolers),
    instances: pods.map((pod) => instanceOf(found, seen, pod, primary)),
    poolers,
    volumes: pods.flatMap((pod) =>
      (seen.heard.get(pod.metadata.name)?.fills ?? []).map((fill) => ({
        instance: pod.metadata.name,
        ...fill,
      })),
    ),
    ...(primary && {
      sessions: {
        connections: primary.connections,
        maxConnections: primary.maxConnections,
        blocked: primary.blocked,
        blockedSeconds: Math.round(primary.blockedSeconds),
        longestTransactionSeconds: Math.round(primary.longestTransaction),
      },
    }),
    refusedLogins: acrossPods(seen.refusedLogins),
    ...(primary?.archiveMode === true && {
      archive: {
        ...(primary.archived !== null && { lastAt: iso(primary.archived) }),
        failing: (primary.archiveFailed ?? 0) > (primary.archived ?? 0),
        waitingSegments: primary.waitingSegments,
        ...(writes && { unarchivedSeconds: writes.unarchivedSeconds, rpoSeconds: writes.rpoSeconds }),
      },
    }),
    targets: targetsOf(seen),
    ...(seen.volumeBackup && {
      volumeBackup: [seen.volumeBackup.name, seen.volumeBackup.why]
        .filter((one) => one !== undefined)
        .join(": "),
    }),
    certificates: [...seen.certificates],
    alerts: { known: seen.alerts !== undefined, firing: [...(seen.alerts ?? [])] },
    changes: changesOf(seen),
    unread: [...seen.unread],
  };
  const problems = problemsOf({
    found,
    seen,
    facts,
    shape,
    primary,
    limits: limitsOf(platform, subject),
    now,
  });
  return { ...facts, problems };
}
