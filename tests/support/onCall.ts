import { subjectWith } from "../../operations/context";
import type { KubeObject } from "../../operations/kubectl";
import type { Found } from "../../operations/platform";
import type { Answer, Heard, Written } from "../../operations/status/ask";
import type { Seen } from "../../operations/status/gather";
import type { PoolerSeen } from "../../operations/status/poolers";
import { planners } from "../../plan/engines/select";
import type { Settings } from "../../settings/schema";
import { changed, checked, smallest } from "./settings";

/** A platform as `pgp status` reads it, all well, of each engine; tests spoil it. */

type EngineName = Settings["cluster"]["engine"];

/** The moment of every test, in seconds. */
export const NOW = Date.parse("2026-11-29T20:00:00Z") / 1000;

export function foundOf(engine: EngineName): Found {
  const instances = engine === "standalone" ? 1 : 3;
  const input = changed(
    changed({ ...smallest(), poolers: [{ name: "app", database: "app" }] }, "cluster.engine", engine),
    "cluster.instances",
    instances,
  );
  const settings = checked(instances === 1 ? changed(input, "cluster.durability", "async") : input);
  const subject = subjectWith(settings, { kubeconfig: undefined, context: "test" }, []);
  return { platform: subject, subject, context: "test" };
}

export const pod = (name: string, labels: Readonly<Record<string, string>>, more: object = {}): KubeObject =>
  ({
    apiVersion: "v1",
    kind: "Pod",
    metadata: { name, namespace: "postgres", uid: `uid of ${name}`, labels: { ...labels } },
    spec: { nodeName: `n${name.slice(-1)}` },
    status: {
      phase: "Running",
      conditions: [{ type: "Ready", status: "True" }],
      containerStatuses: [{ name: "postgres", ready: true, restartCount: 0 }],
    },
    ...more,
  }) as KubeObject;

export const unreadyPod = (
  name: string,
  labels: Readonly<Record<string, string>>,
  reason: string,
): KubeObject =>
  pod(name, labels, {
    status: {
      phase: "Running",
      conditions: [{ type: "Ready", status: "False" }],
      containerStatuses: [
        { name: "postgres", ready: false, restartCount: 3, state: { waiting: { reason } } },
      ],
    },
  });

export const node = (name: string, ready = true): KubeObject => ({
  apiVersion: "v1",
  kind: "Node",
  metadata: { name, labels: { "topology.kubernetes.io/zone": `z${name.slice(1)}` } },
  status: { conditions: [{ type: "Ready", status: ready ? "True" : "Unknown" }] },
});

const answerOf = (standby: boolean): Answer => ({
  standby,
  startedAt: NOW - 3600,
  timeline: 2,
  lsn: 20 * 2 ** 20,
  lastCommit: standby ? NOW - 5 : null,
  now: NOW,
  streams: standby,
  readOnly: false,
  synchronous: true,
  standbys: [],
  connections: 12,
  maxConnections: 100,
  blocked: 0,
  blockedSeconds: 0,
  longestTransaction: 0,
  pendingRestart: 0,
  archived: NOW - 30,
  archiveFailed: null,
  archiveMode: true,
  waitingSegments: 0,
  slotBytes: 0,
  histories: [
    { name: "00000002.history", at: NOW - 1800, text: "1\t0/5000000\tno recovery target specified\n" },
  ],
});

const GiB = 2 ** 30;

export type Scene = { -readonly [key in keyof Seen]: Seen[key] } & {
  heard: Map<string, Heard>;
  written: Map<string, Written>;
  pods: KubeObject[];
  poolers: PoolerSeen[];
};

/** Names of the instances, the primary first. */
export function instanceNames({ platform }: Found): string[] {
  const first = platform.engine.name === "cnpg" ? 1 : 0;
  return (platform.engine.name === "standalone" ? [0] : [0, 1, 2]).map((index) => `main-${first + index}`);
}

export const labelsOf = ({ platform: { engine } }: Found, primary: boolean): Record<string, string> => ({
  ...engine.instancePods.labels("main"),
  ...(engine.instancePods.role && {
    [engine.instancePods.role.label]: primary ? engine.instancePods.role.primary : "replica",
  }),
});

export function sceneOf(found: Found): Scene {
  const names = instanceNames(found);
  const [primary = "", ...standbys] = names;
  const { object } = found.subject!.plan.objects.find(
    (one) => found.platform.live.shape(one.object) !== undefined,
  )!;
  const answers = (name: string): Answer => ({
    ...answerOf(name !== primary),
    ...(name === primary && {
      synchronous: standbys.length > 0,
      standbys: standbys.map((standby) => ({
        name: standby,
        state: "streaming",
        sync: "quorum",
        lagSeconds: 0,
      })),
    }),
  });
  return {
    cluster: { ...object },
    pods: names.map((name) => pod(name, labelsOf(found, name === primary))),
    heard: new Map(
      names.map((name) => [
        name,
        {
          fills: [{ holds: "data", bytes: 10 * GiB, usedBytes: 3 * GiB }],
          answer: answers(name),
          hangs: false,
        },
      ]),
    ),
    written: new Map([[primary, { milliseconds: 12, waitsForStandby: false }]]),
    poolers: [
      {
        name: "app",
        wanted: 2,
        pods: ["main-pooler-app-1", "main-pooler-app-2"].map((name) => pod(name, {})),
        pools: [
          {
            pod: "main-pooler-app-1",
            database: "app",
            role: "app",
            clients: 7,
            waiting: 0,
            waitSeconds: 0,
            active: 2,
            idle: 3,
            others: 0,
          },
        ],
      },
    ],
    nodes: [0, 1, 2, 3].map((index) => node(`n${index}`)),
    backups: {
      targets: [
        {
          kind: "answers",
          target: "near",
          archiveId: "3f2a90b1c4",
          base: { id: "20261129T020000", at: "2026-11-29 02:01:00" },
          wal: { segment: "000000020000000000000007", at: "2026-11-29 19:59:00" },
        },
      ],
      writes: { unarchivedSeconds: 3, rpoSeconds: 300 },
      verified: new Map([["near", { at: NOW - 86_400, passed: true }]]),
    },
    certificates: [
      { what: "server", secret: "main-server", ends: new Date((NOW + 80 * 86_400) * 1000).toISOString() },
    ],
    alerts: [],
    changes: [],
    refusedLogins: [],
    ...(found.platform.engine.name !== "standalone" && { operatorReady: true }),
    unread: [],
  };
}

export const engines = Object.keys(planners) as EngineName[];
