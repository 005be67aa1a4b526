import { backupRoles } from "../../plan/backup/names";
import { backupPlan } from "../../plan/backup/plan";
import { archiveIdToken } from "../../plan/backup/store";
import { backUp } from "../../operations/backup";
import { waitingLog } from "../../operations/primary";
import { readStatus } from "../../operations/targets";
import { isReady } from "../../operations/kubectl";
import { type Settings } from "../../settings/schema";
import { type Environment } from "../e2e/kit/environment";
import { median } from "../e2e/kit/statistics";
import { until } from "../e2e/kit/wait";
import { interleave, roundName, type Rounds } from "./interleave";
import { summaryCells, summaryHead, type Goal, type Table } from "./results";

/**
 * How fast a base backup is made and restored, against a plain copy of the same bytes through the same store. The running stack makes the
 * backup; the rest happens in a pod that has what the verification of the first target has: its images, keys, CAs and limits.
 */

export const armNames = {
  backup: "base backup",
  up: "plain copy to the store",
  restore: "restore of the base backup",
  down: "plain copy from the store",
} as const;
type Arm = keyof typeof armNames;
/** Seconds of each. */
export type SpeedRound = Record<Arm, number>;

export interface Speeds {
  /** Of the data that was backed up, restored, and copied. */
  readonly bytes: number;
  readonly rounds: Rounds<SpeedRound>;
}

/** Slower than this share of the plain copy is too slow. */
const GOAL = 0.3;
const POD = "pgp-bench-backup";
const HOUR = 3_600_000;
/** Written by one statement. */
const CHUNK_MEBIBYTES = 32;

/** A stack that archives and may be verified: all of it is measured there. */
export function requireBackup({ backup }: Settings): void {
  if (backup === undefined || backup.targets.length === 0 || !backup.verify.enabled)
    throw new Error("the running stack has no backup target with a verification: give it pgplatform:backup");
}

interface Container {
  name: string;
  volumeMounts: { name: string }[];
  resources: object;
}

/** The verification's pod with its tools, which does nothing by itself. */
export function benchPod(
  settings: Settings,
  engine: Environment["engine"],
  plan: Environment["plan"],
  archiveId: string,
): object {
  const verify = backupPlan(settings, engine, plan).objects.find(({ id }) => id === "verify-1");
  const text = JSON.stringify(verify?.object.spec).replaceAll(archiveIdToken, archiveId);
  const { jobTemplate } = JSON.parse(text) as {
    jobTemplate: {
      spec: {
        template: {
          metadata: { labels: Record<string, string> };
          spec: { initContainers: Container[]; containers: Container[] };
        };
      };
    };
  };
  const { metadata, spec } = jobTemplate.spec.template;
  const restore = spec.initContainers.find(({ name }) => name === "restore");
  const rclone = spec.initContainers.find(({ name }) => name === "choose");
  if (restore === undefined || rclone === undefined) throw new Error("the verification has no tools");
  const idle = (container: Container, name: string) => ({
    ...container,
    name,
    command: ["sleep", "infinity"],
    resources: restore.resources,
    volumeMounts: [
      ...container.volumeMounts.filter((mount) => mount.name !== "scratch"),
      { name: "scratch", mountPath: "/scratch" },
    ],
  });
  return {
    apiVersion: "v1",
    kind: "Pod",
    metadata: { name: POD, namespace: settings.cluster.namespace, labels: metadata.labels },
    spec: { ...spec, initContainers: [], containers: [idle(restore, "restore"), idle(rclone, "rclone")] },
  };
}

/** Text of which half compresses away, as that of ordinary tables. */
async function fill(env: Environment, mebibytes: number): Promise<void> {
  const primary = await env.cluster.primary();
  const database = env.settings.cluster.databases[0]?.name;
  const table = "oracle.backup_load";
  const ask = (statement: string) => env.cluster.sql(primary, statement, database);
  await ask(
    `create schema if not exists oracle; drop table if exists ${table}; create table ${table} (id bigint, data text);` +
      `alter table ${table} alter column data set storage external`,
  );
  const rows = CHUNK_MEBIBYTES * 128;
  for (let done = 0; done < mebibytes; done += CHUNK_MEBIBYTES)
    await ask(
      `insert into ${table} select i, (select string_agg(md5(i || '.' || k || '.${done}'), '') from generate_series(1, 250) k) from generate_series(1, ${rows}) i`,
    );
  await ask("checkpoint");
  await ask("select pg_switch_wal()");
}

const quiet = { detail: () => undefined, say: () => undefined };

export async function measureSpeeds(
  env: Environment,
  options: { mebibytes: number; rounds: number },
  say: (text: string) => void,
): Promise<Speeds> {
  requireBackup(env.settings);
  const { kubectl, settings } = env;
  const { namespace } = settings.cluster;
  const [seen] = (await readStatus(env)) ?? [];
  if (seen?.kind !== "answers") throw new Error("the first target's store doesn't answer");
  await fill(env, options.mebibytes);
  await removePod(env);
  await kubectl.apply(benchPod(settings, env.engine, env.plan, seen.archiveId));
  await until(`pod ${namespace}/${POD}`, 300, async () => {
    const pod = await kubectl.get("pod", namespace, POD);
    return pod !== undefined && isReady(pod) ? { done: undefined } : { why: "it isn't ready" };
  });
  await until("WAL is archived", 600, async () => {
    const waiting = await waitingLog(env);
    return waiting?.segments === 0 ? { done: undefined } : { why: `${waiting?.segments} segments wait` };
  });

  const inside = async (container: "restore" | "rclone", script: string) => {
    const at = ["-n", namespace, "exec", POD, "-c", container, "--", "sh", "-euc", script];
    return (await kubectl.run(at, { timeoutMs: HOUR })).stdout.trim();
  };
  /** Seconds of a command, by the pod's clock; `before` and `after` don't count. */
  const timed = async (container: "restore" | "rclone", before: string, command: string, after = "") => {
    const script = `${before}; begin=$(date +%s%N); ${command} >/tmp/bench.log 2>&1 || { tail -n 3 /tmp/bench.log; exit 1; }; echo $(($(date +%s%N) - begin)); ${after}`;
    return Number((await inside(container, script)).split("\n")[0]) / 1e9;
  };
  const newest = '. /scripts/places.sh; finished "$PLACE_1/$ARCHIVE_ID" /tmp/info';
  const object = '"$PLACE_1/$ARCHIVE_ID/bench/data.tar"';

  const rounds = await interleave<SpeedRound>(
    {
      backup: async () => {
        const begun = performance.now();
        await backUp(env, quiet);
        return (performance.now() - begun) / 1000;
      },
      restore: async () => {
        const id = await inside("rclone", newest);
        const from = `\${ENDPOINT:+--endpoint-url "$ENDPOINT"} "$DESTINATION" "$ARCHIVE_ID" ${id}`;
        const pack = "[ -e /scratch/data.tar ] || tar -C /scratch -cf /scratch/data.tar data";
        return timed("restore", "rm -rf /scratch/data", `barman-cloud-restore ${from} /scratch/data`, pack);
      },
      up: () => timed("rclone", ":", `rclone copyto --ignore-times /scratch/data.tar ${object}`),
      down: () => timed("rclone", "rm -f /scratch/back.tar", `rclone copyto ${object} /scratch/back.tar`),
    },
    options.rounds,
    (round, sample) =>
      say(
        `${roundName(round, options.rounds)}: ${(Object.keys(armNames) as Arm[]).map((arm) => `${armNames[arm]} ${sample[arm].toFixed(1)} s`).join(", ")}`,
      ),
  );
  const bytes = Number(await inside("rclone", "stat -c %s /scratch/data.tar"));
  return { bytes, rounds };
}

const removePod = ({ kubectl, settings }: Environment) =>
  kubectl.run([
    "-n",
    settings.cluster.namespace,
    "delete",
    "pod",
    POD,
    "--ignore-not-found",
    "--grace-period=1",
    "--timeout=120s",
  ]);

/** Takes the pod and the copy in the store away; the base backups go when they are older than the window. */
export async function tidyBackup(env: Environment): Promise<void> {
  const { kubectl, settings } = env;
  const purge = 'rclone purge "$PLACE_1/$ARCHIVE_ID/bench"';
  const at = ["-n", settings.cluster.namespace, "exec", POD, "-c", "rclone", "--", "sh", "-c", purge];
  await kubectl.run(at, { allowFailure: true });
  await removePod(env);
}

const pairs = [
  ["backup", "up"],
  ["restore", "down"],
] as const;

/** How fast one arm is, as a share of the other's speed with the same bytes, round by round. */
const shares = ({ rounds: { counted } }: Speeds, [ours, plain]: (typeof pairs)[number]): number[] =>
  counted.map((round) => round[plain] / round[ours]);

export function speedTables(speeds: Speeds): Table[] {
  const { bytes, rounds } = speeds;
  const mebibytes = bytes / 2 ** 20;
  return [
    {
      caption: `MiB a second, ${mebibytes.toFixed(0)} MiB`,
      head: ["arm", ...summaryHead],
      rows: (Object.keys(armNames) as Arm[]).map((arm) => [
        armNames[arm],
        ...summaryCells(rounds.counted.map((round) => mebibytes / round[arm])),
      ]),
    },
    {
      caption: "As a share of the plain copy's speed, round by round",
      head: ["ratio", ...summaryHead],
      rows: pairs.map((pair) => [armNames[pair[0]], ...summaryCells(shares(speeds, pair))]),
    },
  ];
}

export const speedGoals = (speeds: Speeds): Goal[] =>
  pairs.map((pair) => {
    const share = median(shares(speeds, pair));
    return {
      met: share >= GOAL,
      text: `${armNames[pair[0]]}: at least ${GOAL} of the plain copy's speed (median of the rounds): ${share.toFixed(2)}`,
    };
  });

export const speedNotes = [
  "the bytes are those of the data's files, whatever is sent: a base backup is compressed on its way, the plain copy (rclone, one object) isn't",
  "a base backup's time is what `make backup` waits, the engine's own work and its turns of looking included; a restore's is the copy out of the store, without replay",
  `restores and plain copies run in one pod with the verification's limits, under the role ${backupRoles.verification}`,
];
