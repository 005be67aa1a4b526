import { setTimeout as delay } from "node:timers/promises";
import { stallApi } from "../../local/cluster/stall";
import { type Settings } from "../../settings/schema";
import { ClientPod, Writer } from "../e2e/kit/clients";
import { type Cluster, type Leadership } from "../e2e/kit/cluster";
import { type Environment } from "../e2e/kit/environment";
import { startClients, type Clients } from "../e2e/kit/fixture";
import { longestGap, rateBeforeMark } from "../e2e/kit/oracle";
import { verify } from "../e2e/kit/observation";
import { median } from "../e2e/kit/statistics";
import { until } from "../e2e/kit/wait";
import { hasDefaults, startDefaults } from "./operatorDefaults";
import { startCopy } from "./product";
import { type Goal, type Table } from "./results";

/**
 * What the length of the primary's lease costs when the API server is silent for some seconds: the built-in cluster's API
 * server is stopped with SIGSTOP under load. Every failover profile lives through the same stalls at the same time.
 */
type Profile = Settings["cluster"]["failover"];

interface Arm {
  name: string;
  cluster: Cluster;
  database: string;
  direct: { pod: ClientPod; host: string };
}

export interface StallSample {
  /** Seconds without an acknowledgement. */
  gap: number;
  rate: number;
  before: Leadership;
  after: Leadership;
  /** Another primary or timeline, though nothing was wrong with the old one. */
  failedOver: boolean;
  /** The postmaster was stopped and started again. */
  restarted: boolean;
  lost: number;
}

export interface StallRun {
  seconds: number;
  arms: Record<string, StallSample>;
}

const copyNamespace = (profile: Profile): string => `pgp-bench-${profile}`;

/** The running stack's settings with another profile, without poolers, asking for little of the machine. */
export const profileSettings = (settings: Settings, failover: Profile): Settings => ({
  ...settings,
  cluster: {
    ...settings.cluster,
    namespace: copyNamespace(failover),
    failover,
    resources: {
      ...settings.cluster.resources,
      requests: { ...settings.cluster.resources.requests, cpu: "50m" },
    },
  },
  poolers: [],
});

export async function startStallArms(
  env: Environment,
  profiles: readonly Profile[],
): Promise<{ arms: Arm[]; clients: Clients }> {
  const own = env.settings.cluster.failover;
  const clients = await startClients(env);
  const arms: Arm[] = [
    {
      name: `ours, ${own} (the running stack)`,
      cluster: env.cluster,
      database: clients.login.database,
      direct: { pod: clients.direct, host: env.plan.endpoints.primary.host },
    },
  ];
  for (const profile of profiles.filter((each) => each !== own)) {
    const { cluster, plan, login } = await startCopy(env, profileSettings(env.settings, profile));
    arms.push({
      name: `ours, ${profile}`,
      cluster,
      database: login.database,
      direct: {
        pod: await ClientPod.start(env.kubectl, copyNamespace(profile), "client", {}),
        host: plan.endpoints.primary.host,
      },
    });
  }
  if (!hasDefaults(env)) return { arms, clients };
  const defaults = await startDefaults(env);
  arms.push({
    name: "operator's defaults",
    cluster: defaults.env.cluster,
    database: defaults.clients.login.database,
    direct: { pod: defaults.clients.direct, host: defaults.env.plan.endpoints.primary.host },
  });
  return { arms, clients };
}

/** The lease is lost, and found again, within this time after the API server is back. */
const SETTLE_SECONDS = 20;

export async function stallOnce(env: Environment, arms: readonly Arm[], seconds: number): Promise<StallRun> {
  const run = `stall_${Date.now().toString(36)}`;
  const table = `oracle.${run}`;
  const healthy = ({ cluster }: Arm) => cluster.waitHealthy(300);
  const writers: Writer[] = [];
  for (const arm of arms) {
    await healthy(arm);
    const { pod, host } = arm.direct;
    await pod.query(host, `create schema if not exists oracle; create table ${table} (id bigint not null)`);
    writers.push(await Writer.start({ pod, arm: "direct", run, host, table, firstId: 1, readWrite: true }));
  }
  await Promise.all(writers.map((writer) => writer.waitForMore(100, 60)));
  const before = await Promise.all(arms.map(({ cluster }) => cluster.leadership()));
  await Promise.all(writers.map((writer) => writer.mark()));
  await delay(500);
  await stallApi(seconds);
  await delay(seconds * 1000);
  await until("the API server answers", 60, async () =>
    (await env.kubectl.answers()) ? { done: undefined } : { why: "no answer" },
  );
  await delay(SETTLE_SECONDS * 1000);
  for (const arm of arms) await healthy(arm);
  await Promise.all(writers.map((writer) => writer.waitForMore(60, 60)));

  const samples: Record<string, StallSample> = {};
  for (const [index, arm] of arms.entries()) {
    const was = before[index];
    const end = await writers[index]?.stop();
    if (was === undefined || end === undefined) throw new Error(`${arm.name} has no writer`);
    const after = await arm.cluster.leadership();
    const verdicts = Object.values(await verify(arm.cluster, arm.database, table, [end.log]));
    samples[arm.name] = {
      gap: longestGap(end.log),
      rate: rateBeforeMark(end.log),
      before: was,
      after,
      failedOver: after.primary !== was.primary || after.timeline !== was.timeline,
      restarted: after.startedAt !== was.startedAt,
      lost: verdicts.reduce((sum, { lost }) => sum + lost.length, 0),
    };
    await arm.direct.pod.query(arm.direct.host, `drop table ${table}`);
  }
  return { seconds, arms: samples };
}

export function stallTable(runs: readonly StallRun[]): Table {
  const lengths = [...new Set(runs.map(({ seconds }) => seconds))];
  const names = [...new Set(runs.flatMap(({ arms }) => Object.keys(arms)))];
  return {
    caption: "Pauses of a direct client while the API server is silent, and what became of the primary",
    head: [
      "arm",
      "stall (s)",
      "n",
      "median gap (s)",
      "max gap (s)",
      "failovers",
      "restarts in place",
      "lost rows",
    ],
    rows: names.flatMap((name) =>
      lengths.map((seconds) => {
        const samples = runs.filter((run) => run.seconds === seconds).flatMap(({ arms }) => arms[name] ?? []);
        const gaps = samples.map(({ gap }) => gap);
        const count = (holds: (sample: StallSample) => boolean) => samples.filter(holds).length;
        return [
          name,
          seconds,
          samples.length,
          median(gaps),
          Math.max(...gaps),
          count(({ failedOver }) => failedOver),
          count(({ failedOver, restarted }) => restarted && !failedOver),
          samples.reduce((sum, { lost }) => sum + lost, 0),
        ];
      }),
    ),
  };
}

/** Correctness alone is a goal: what a stall may cost in seconds is each profile's bargain. */
export function stallGoals(runs: readonly StallRun[]): Goal[] {
  const ours = runs.flatMap(({ arms }) =>
    Object.entries(arms).flatMap(([name, sample]) => (name.startsWith("ours") ? [sample] : [])),
  );
  const lost = ours.reduce((sum, sample) => sum + sample.lost, 0);
  return [{ met: lost === 0, text: `no acknowledged row is lost in ${ours.length} stalls: ${lost}` }];
}

export const stallNotes = ({ cluster }: Environment): string[] => [
  ...cluster.kit.profileNotes,
  "the API server alone is stopped (SIGSTOP, then SIGCONT); all arms live through the same stalls",
];
