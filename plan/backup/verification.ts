import type { EnginePlanner } from "../engines/planner";
import type { KubernetesObject } from "../objects";
import type { Plan } from "../plan";
import type { Settings } from "../../settings/schema";
import {
  addressingStyle,
  archiveIdToken,
  botoVariables,
  keyVariables,
  locationOf,
  type Store,
} from "./store";
import {
  asHealth,
  verifyHours,
  caMounts,
  caVolumes,
  container,
  cronJob,
  places,
  podOf,
  serverCa,
  serverCaMount,
  shell,
  small,
  transfers,
} from "./pods";
import { backupNames, backupRoles } from "./names";
import { bytesOf } from "../../settings/quantity";
import { dataBytes, larger } from "../../settings/sums/sizes";
import { environment, unprivileged } from "../containers";
import { longestPause } from "../../settings/cron";
import { preloadLibraries } from "../postgres/extensions";

/** How long deleting what lies outside of the recovery window may take after it. */
const EXPIRY_SECONDS = 1800;
/** How much longer than the RPO the WAL of a row may take to the archive: a little more than PostgreSQL's checkpoint_timeout. */
const ARCHIVE_PATIENCE_SECONDS = 360;
/** What the scratch server's files may need beside the data: WAL that is replayed, temporary files. */
const SCRATCH_FACTOR = 1.2;
/** The same with a dump, which is compressed, and the first database once more, which it is restored to. */
const DUMP_SCRATCH_FACTOR = 2.5;

/** Restores a target's newest backup beside everything else, and looks whether it is all there. */
export function verification(
  settings: Settings,
  engine: EnginePlanner,
  plan: Plan,
  stores: readonly Store[],
  index: number,
  verify: NonNullable<Settings["backup"]>["verify"],
): KubernetesObject {
  const { cluster, images, backup } = settings;
  const store = stores[index];
  if (store === undefined || backup === undefined) throw new Error("a verification is of a target");
  const [database] = cluster.databases;
  const shared = environment({ WORK: "/work" });
  const work = { name: "work", mountPath: "/work" };
  const scratch = { name: "scratch", mountPath: "/scratch" };
  const value = { name: "VALUE", valueFrom: { fieldRef: { fieldPath: "metadata.name" } } };
  const reading = [...shared, ...environment({ NUMBER: String(index + 1) }), ...places(stores)];
  const tool = engine.backups?.tool?.(settings);
  const addressing = addressingStyle(store);
  const caFile = `/tls/${store.name}/ca.crt`;
  const barman = [
    ...shared,
    ...environment({
      DATA: "/scratch/data",
      DESTINATION: locationOf(store),
      ARCHIVE_ID: archiveIdToken,
      WINDOW_DAYS: String(backup.recoveryWindowDays),
      ...botoVariables(store),
      ...(store.endpoint !== undefined && { ENDPOINT: store.endpoint }),
      ...(addressing !== undefined && { ADDRESSING: addressing }),
      // Without it boto sends none: see sitecustomize.py.
      ...(store.md5 || store.plainChecksums ? { CONTENT_MD5: "yes" } : {}),
      ...(store.ca && { AWS_CA_BUNDLE: caFile }),
      HOME: "/tmp",
    }),
    ...keyVariables(store, { accessKeyId: "AWS_ACCESS_KEY_ID", secretAccessKey: "AWS_SECRET_ACCESS_KEY" }),
  ];
  const restoring = tool
    ? [
        ...shared,
        ...environment({ TOOL: tool.name, DATA: "/scratch/data", HOME: "/tmp" }),
        ...tool.variables(store, caFile),
      ]
    : barman;
  const restoreImage = tool?.image ?? images.backupRestore;
  const ofTool = tool && environment({ TOOL: tool.name, WINDOW_DAYS: String(backup.recoveryWindowDays) });
  const longest = backup.rpoMinutes * 60 + (index === 0 ? 0 : 2 * longestPause(backup.copy.schedule));
  // The copy's: what is dumped there was copied, and proven, and it is farther away.
  const dumps = verify.dump && index === stores.length - 1 ? environment({ DUMPS: "/scratch/dumps" }) : [];
  const bytes =
    (bytesOf(cluster.storage.size) ?? 0) * (dumps.length > 0 ? DUMP_SCRATCH_FACTOR : SCRATCH_FACTOR);
  const spec = {
    ...podOf(settings, engine.backups?.server ?? unprivileged, [
      { name: "work", emptyDir: {} },
      {
        name: "scratch",
        ephemeral: {
          volumeClaimTemplate: {
            spec: {
              accessModes: ["ReadWriteOnce"],
              resources: { requests: { storage: verify.size ?? String(Math.ceil(bytes)) } },
              ...(cluster.storage.class !== undefined && { storageClassName: cluster.storage.class }),
            },
          },
        },
      },
      serverCa(plan),
      ...(verify.queries.length > 0
        ? [{ name: "queries", configMap: { name: backupNames.queries(cluster.name) } }]
        : []),
      ...caVolumes(stores),
    ]),
    initContainers: [
      container(
        "heartbeat",
        images.postgresql,
        ["bash", "/scripts/heartbeat.sh"],
        [
          ...shared,
          value,
          ...environment({
            RPO_MINUTES: String(backup.rpoMinutes),
            PATIENCE_SECONDS: String(ARCHIVE_PATIENCE_SECONDS),
          }),
          ...asHealth(settings, plan),
        ],
        [work, serverCaMount],
        small(settings),
      ),
      container(
        "choose",
        images.backupTools,
        shell("choose.sh"),
        [...reading, ...environment({ WAIT_SECONDS: String(longest + 120) }), ...(ofTool ?? [])],
        [work, ...caMounts(stores)],
        small(settings),
      ),
      container(
        "restore",
        restoreImage,
        shell("restore.sh"),
        restoring,
        [work, scratch, ...caMounts(stores)],
        transfers(settings),
      ),
      {
        ...container(
          "serve",
          restoreImage,
          shell("serve.sh"),
          restoring,
          [work, ...caMounts(stores)],
          transfers(settings),
        ),
        // Beside the others, until they have ended.
        restartPolicy: "Always",
      },
    ],
    containers: [
      {
        ...container(
          "check",
          images.postgresql,
          ["bash", "/scripts/check.sh"],
          [
            ...shared,
            value,
            ...environment({
              DATA: "/scratch/data",
              ...(tool && { PROGRAMS: tool.programs }),
              LIBRARIES: [
                ...new Set([...(engine.backups?.preload ?? []), ...preloadLibraries(settings)]),
              ].join(","),
              HOME_DATABASE: database?.name ?? "postgres",
              QUERIES: "/queries",
              PATIENCE_SECONDS: String((verifyHours(settings) - 1) * 3600),
              HOME: "/tmp",
            }),
            ...dumps,
          ],
          [
            work,
            scratch,
            ...(verify.queries.length > 0
              ? [{ name: "queries", mountPath: "/queries", readOnly: true }]
              : []),
          ],
          {
            cpu: backup.cpu,
            memory: larger(cluster.resources.limits.memory, backup.memory),
          },
        ),
      },
      container(
        "report",
        images.backupTools,
        shell("report.sh"),
        [
          ...reading,
          ...environment({
            EXPIRY_SECONDS: String(EXPIRY_SECONDS + Math.floor(dataBytes(cluster) / 2 ** 30) * 10),
            WINDOW_DAYS: String(backup.recoveryWindowDays),
          }),
          ...dumps,
        ],
        [work, ...(dumps.length > 0 ? [{ ...scratch, readOnly: true }] : []), ...caMounts(stores)],
        dumps.length > 0 ? transfers(settings) : small(settings),
      ),
    ],
  };
  const name = backupNames.verification(cluster.name, index);
  return cronJob(settings, name, backupRoles.verification, verify.schedule, verifyHours(settings), spec);
}
