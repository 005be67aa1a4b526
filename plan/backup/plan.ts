import { asset, assetNames } from "../../shell/asset";
import { createHash } from "node:crypto";
import { join } from "node:path";
import { longestPause } from "../../settings/cron";
import { bytesOf } from "../../settings/quantity";
import type { Images, Settings } from "../../settings/schema";
import { environment, hardened, type Owner, nobody, restrictedPod, tmpMount, tmpVolume } from "../containers";
import type { Plan } from "../plan";
import type { KubernetesObject, PlannedObject } from "../objects";
import { type Flow, type Peer, tcp } from "../network";
import type { EnginePlanner } from "../engines/planner";
import { clusterLabel, roleLabel, roles, secretNames, targetRole, verificationRole } from "../names";
import { preloadLibraries } from "../postgres/extensions";
import { originOf, secondsAt } from "./restore";
import { podsRole, roleAccount, roleOf } from "./role";
import {
  archiveIdToken,
  keyVariables,
  locationOf,
  plainChecksums,
  type Store,
  storesOf,
  targetFacts,
} from "./store";
import { storeName } from "./storeNames";

/**
 * What happens to backups after they were made, the same for every engine: they are watched, copied to the
 * second target, and restored on a schedule to prove that they can be.
 */
export interface BackupPlan {
  readonly objects: readonly PlannedObject[];
  readonly flows: readonly Flow[];
}

/** The settings' images that they run beside those of the engine. */
export const backupPlanImages = ["backupTools", "backupRestore"] as const satisfies readonly (keyof Images)[];

/** Roles of their pods. */
export const backupRoles = {
  watch: "backups",
  copy: "backup-copy",
  verification: verificationRole,
  source: "restore-source",
} as const;
export const metricsPort = 9189;

/** Longest name of a CronJob; its pods get eleven characters more. */
export const longestCronJobName = 52;
/** Names of what runs; those of CronJobs are the longest. */
export const backupNames = {
  watch: (cluster: string): string => `${cluster}-backups`,
  copy: (cluster: string): string => `${cluster}-copy`,
  /** `index`: the target's, as it stands in the settings. */
  verification: (cluster: string, index: number): string => `${cluster}-verify-${index + 1}`,
  queries: (cluster: string): string => `${cluster}-queries`,
  source: (cluster: string): string => `${cluster}-restore-source`,
};

/** How long one verification may take in all. */
const VERIFY_HOURS = 12;
/** How long deleting what lies outside of the recovery window may take after it. */
const EXPIRY_SECONDS = 1800;
/** How much longer than the RPO the log of a row may take to the archive: a little more than PostgreSQL's checkpoint_timeout. */
const ARCHIVE_PATIENCE_SECONDS = 360;
/** How long the store of a restore's source may take to start. */
const SOURCE_SECONDS = 60;
/** What the scratch server's files may need beside the data: log that is replayed, temporary files. */
const SCRATCH_FACTOR = 1.2;
/** The same with a dump, which is compressed, and the first database once more, which it is restored to. */
const DUMP_SCRATCH_FACTOR = 2.5;

const folder = join(__dirname, "scripts");
const scripts: Readonly<Record<string, string>> = Object.fromEntries(
  assetNames(folder)
    .sort()
    .map((name) => [name, asset(folder, name)]),
);

const peerOf = ({ cluster }: Settings, role: string): Peer => ({
  kind: "pods",
  name: role,
  namespace: cluster.namespace,
  labels: { [clusterLabel]: cluster.name, [roleLabel]: role },
});

const fromSecret = (name: string, secret: string, key: string) => ({
  name,
  valueFrom: { secretKeyRef: { name: secret, key } },
});

/** Name of a store's remote, which rclone is told by variables. */
const remote = (index: number): string => `target${index + 1}`;

/** How the scripts find the stores. */
function places(stores: readonly Store[]): object[] {
  const of = (store: Store, index: number) => {
    const option = (name: string) => `RCLONE_CONFIG_${remote(index).toUpperCase()}_${name}`;
    return [
      ...environment({
        [`TARGET_${index + 1}`]: store.name,
        [`PLACE_${index + 1}`]: `${remote(index)}:${store.bucket}/${store.prefix}`,
        [option("TYPE")]: "s3",
        [option("PROVIDER")]: store.endpoint === undefined ? "AWS" : "Other",
        [option("REGION")]: store.region,
        ...(store.endpoint !== undefined && {
          [option("ENDPOINT")]: store.endpoint,
          [option("FORCE_PATH_STYLE")]: "true",
        }),
        // A key that may do what it must do can't make buckets.
        [option("NO_CHECK_BUCKET")]: "true",
        ...("roleArn" in store.login && { [option("ENV_AUTH")]: "true" }),
      }),
      ...keyVariables(store, {
        accessKeyId: option("ACCESS_KEY_ID"),
        secretAccessKey: option("SECRET_ACCESS_KEY"),
      }),
    ];
  };
  return [
    ...environment({
      ARCHIVE_ID: archiveIdToken,
      TARGETS: String(stores.length),
      RCLONE_CONFIG: "/dev/null",
      // Beside those that the image trusts.
      SSL_CERT_DIR: stores.map(({ name }) => `/tls/${name}`).join(":"),
      HOME: "/tmp",
    }),
    ...stores.flatMap(of),
  ];
}

const cas = (stores: readonly Store[]) => stores.filter(({ ca }) => ca !== undefined);
const caMounts = (stores: readonly Store[]) =>
  cas(stores).map(({ name }) => ({ name: `tls-${name}`, mountPath: `/tls/${name}`, readOnly: true }));
const caVolumes = (stores: readonly Store[]) =>
  cas(stores).map(({ name, ca }) => ({
    name: `tls-${name}`,
    secret: {
      secretName: ca?.secretName,
      items: [{ key: ca?.key, path: "ca.crt" }],
      defaultMode: 0o440,
    },
  }));

const scriptsMount = { name: "scripts", mountPath: "/scripts", readOnly: true };

/** A container of the scripts; `mounts` beside the scripts' own and a temporary folder. */
const container = (
  name: string,
  image: string,
  command: readonly string[],
  env: readonly object[],
  mounts: readonly object[],
  limits: { cpu: string; memory: string },
) => ({
  name,
  image,
  imagePullPolicy: "IfNotPresent",
  command,
  env,
  securityContext: hardened,
  resources: { requests: { cpu: "10m", memory: "64Mi" }, limits },
  volumeMounts: [scriptsMount, tmpMount, ...mounts],
});

/** Containers that speak to no store. */
const STORELESS = ["metrics", "heartbeat", "check"];

/** What every pod of the scripts has. */
const podOf = (settings: Settings, owner: Owner, volumes: readonly object[]) => ({
  ...podsRole(settings, STORELESS).account,
  ...restrictedPod(settings, owner, 5),
  volumes: [
    { name: "scripts", configMap: { name: backupNames.watch(settings.cluster.name) } },
    tmpVolume({ sizeLimit: "64Mi" }),
    ...volumes,
  ],
});

function podTemplate(settings: Settings, role: string, spec: object) {
  const { cluster, labels } = settings;
  return {
    metadata: {
      labels: { ...labels, [clusterLabel]: cluster.name, [roleLabel]: role },
      // The scripts are read when a pod starts.
      annotations: {
        "pgplatform.io/scripts": createHash("sha256").update(JSON.stringify(scripts)).digest("hex"),
        ...podsRole(settings, STORELESS).annotations,
      },
    },
    spec,
  };
}

/** A CronJob of which one run at a time goes on, and whose runs stay long enough to be looked at. */
function cronJob(
  settings: Settings,
  name: string,
  role: string,
  schedule: string,
  hours: number,
  spec: object,
): KubernetesObject {
  const { cluster, backup } = settings;
  return {
    apiVersion: "batch/v1",
    kind: "CronJob",
    metadata: {
      name,
      namespace: cluster.namespace,
      labels: { [clusterLabel]: cluster.name, [roleLabel]: role },
    },
    spec: {
      schedule,
      timeZone: backup?.timeZone,
      concurrencyPolicy: "Forbid",
      startingDeadlineSeconds: 3600,
      successfulJobsHistoryLimit: 1,
      failedJobsHistoryLimit: 2,
      jobTemplate: {
        spec: {
          backoffLimit: 0,
          // Also for one that somebody asked for, which the limits above don't count.
          ttlSecondsAfterFinished: 24 * 3600,
          activeDeadlineSeconds: hours * 3600,
          template: podTemplate(settings, role, { ...spec, restartPolicy: "Never" }),
        },
      },
    },
  };
}

const shell = (script: string) => ["sh", `/scripts/${script}`];
const small = { cpu: "500m", memory: "256Mi" };
/** rclone holds the parts that are on the way in memory. */
const transfers = { cpu: "1", memory: "512Mi" };

/** Looks into the stores all the time, and says what it sees. */
function watch(settings: Settings, stores: readonly Store[]): KubernetesObject {
  const { cluster, images } = settings;
  const name = backupNames.watch(cluster.name);
  const labels = { [clusterLabel]: cluster.name, [roleLabel]: backupRoles.watch };
  const state = { name: "state", mountPath: "/state" };
  return {
    apiVersion: "apps/v1",
    kind: "Deployment",
    metadata: { name, namespace: cluster.namespace, labels },
    spec: {
      replicas: 1,
      selector: { matchLabels: labels },
      template: podTemplate(settings, backupRoles.watch, {
        ...podOf(settings, nobody, [
          { name: "state", emptyDir: { sizeLimit: "16Mi" } },
          ...caVolumes(stores),
        ]),
        containers: [
          {
            ...container(
              "watch",
              images.backupTools,
              shell("watch.sh"),
              [...places(stores), ...environment({ STATE: "/state" })],
              [state, ...caMounts(stores)],
              small,
            ),
            readinessProbe: { exec: { command: ["test", "-e", "/state/metrics.txt"] }, periodSeconds: 2 },
          },
          {
            ...container(
              "metrics",
              images.backupTools,
              ["rclone", "serve", "http", "/state", "--addr", `:${metricsPort}`, "--include", "/metrics.txt"],
              environment({ RCLONE_CONFIG: "/dev/null", HOME: "/tmp" }),
              [{ ...state, readOnly: true }],
              small,
            ),
            ports: [{ name: "metrics", containerPort: metricsPort, protocol: "TCP" }],
          },
        ],
      }),
    },
  };
}

/** Looks whether the source of a restore is there: the cluster is made after it. */
function source(settings: Settings, stores: readonly Store[], origin: Store): KubernetesObject {
  const { cluster, restore } = settings;
  const index = stores.findIndex(({ name }) => name === origin.name);
  const { time } = restore?.to ?? {};
  const name = backupNames.source(cluster.name);
  const labels = { [clusterLabel]: cluster.name, [roleLabel]: backupRoles.source };
  return {
    apiVersion: "batch/v1",
    kind: "Job",
    metadata: { name, namespace: cluster.namespace, labels },
    spec: {
      backoffLimit: 0,
      template: podTemplate(settings, backupRoles.source, {
        ...podOf(settings, nobody, caVolumes(stores)),
        restartPolicy: "Never",
        containers: [
          container(
            "look",
            settings.images.backupTools,
            shell("source.sh"),
            [
              ...places(stores),
              ...environment({
                SOURCE: `${remote(index)}:${origin.bucket}/${origin.prefix}/${restore?.archiveId}`,
                WAIT_SECONDS: String(SOURCE_SECONDS),
                ...(time !== undefined && { TO_SECONDS: secondsAt(time) }),
              }),
            ],
            caMounts(stores),
            small,
          ),
        ],
      }),
    },
  };
}

/** Brings what the second target lacks. */
const copy = (settings: Settings, stores: readonly Store[], schedule: string): KubernetesObject =>
  cronJob(settings, backupNames.copy(settings.cluster.name), backupRoles.copy, schedule, VERIFY_HOURS, {
    ...podOf(settings, nobody, caVolumes(stores)),
    containers: [
      container(
        "copy",
        settings.images.backupTools,
        shell("copy.sh"),
        places(stores),
        caMounts(stores),
        transfers,
      ),
    ],
  });

/** Restores a target's newest backup beside everything else, and looks whether it is all there. */
function verification(
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
  const { ca } = plan.tls;
  const shared = environment({ WORK: "/work" });
  const work = { name: "work", mountPath: "/work" };
  const scratch = { name: "scratch", mountPath: "/scratch" };
  const value = { name: "VALUE", valueFrom: { fieldRef: { fieldPath: "metadata.name" } } };
  const look = [...shared, ...environment({ NUMBER: String(index + 1) }), ...places(stores)];
  const tool = engine.backups?.tool?.(settings);
  const caFile = `/tls/${store.name}/ca.crt`;
  const barman = [
    ...shared,
    ...environment({
      DATA: "/scratch/data",
      DESTINATION: locationOf(store),
      ARCHIVE_ID: archiveIdToken,
      WINDOW_DAYS: String(backup.recoveryWindowDays),
      AWS_DEFAULT_REGION: store.region,
      ...(store.endpoint !== undefined && { ENDPOINT: store.endpoint }),
      ...(store.plainChecksums && plainChecksums),
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
  const health = secretNames.health(cluster.name);
  const longest = backup.rpoMinutes * 60 + (index === 0 ? 0 : 2 * longestPause(backup.copy.schedule));
  // The copy's: what is dumped there was copied, and proven, and it is farther away.
  const dumps = verify.dump && index === stores.length - 1 ? environment({ DUMPS: "/scratch/dumps" }) : [];
  const bytes =
    (bytesOf(cluster.storage.size) ?? 0) * (dumps.length > 0 ? DUMP_SCRATCH_FACTOR : SCRATCH_FACTOR);
  const spec = {
    ...podOf(settings, engine.backups?.server ?? nobody, [
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
      {
        name: "ca",
        secret: {
          secretName: ca.secretName,
          items: [{ key: ca.key, path: "ca.crt" }],
          defaultMode: 0o440,
        },
      },
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
            LC_ALL: "C",
            HOME: "/tmp",
            PGHOST: plan.endpoints.primary.host,
            PGPORT: String(plan.endpoints.primary.port),
            PGUSER: roles.health,
            PGDATABASE: database?.name ?? "postgres",
            PGSSLMODE: "verify-full",
            PGSSLROOTCERT: "/ca/ca.crt",
            PGCONNECT_TIMEOUT: "5",
          }),
          fromSecret("PGPASSWORD", health, "password"),
        ],
        [work, { name: "ca", mountPath: "/ca", readOnly: true }],
        small,
      ),
      container(
        "choose",
        images.backupTools,
        shell("choose.sh"),
        [...look, ...environment({ WAIT_SECONDS: String(longest + 120) }), ...(ofTool ?? [])],
        [work, ...caMounts(stores)],
        small,
      ),
      container(
        "restore",
        restoreImage,
        shell("restore.sh"),
        restoring,
        [work, scratch, ...caMounts(stores)],
        transfers,
      ),
      {
        ...container(
          "serve",
          restoreImage,
          shell("serve.sh"),
          restoring,
          [work, ...caMounts(stores)],
          transfers,
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
              LIBRARIES: preloadLibraries(cluster).join(","),
              HOME_DATABASE: database?.name ?? "postgres",
              QUERIES: "/queries",
              PATIENCE_SECONDS: String((VERIFY_HOURS - 1) * 3600),
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
          { cpu: "2", memory: cluster.resources.limits.memory },
        ),
      },
      container(
        "report",
        images.backupTools,
        shell("report.sh"),
        [
          ...look,
          ...environment({
            EXPIRY_SECONDS: String(EXPIRY_SECONDS),
            ...(dumps.length > 0 && { WINDOW_DAYS: String(backup.recoveryWindowDays) }),
          }),
          ...dumps,
        ],
        [work, ...(dumps.length > 0 ? [{ ...scratch, readOnly: true }] : []), ...caMounts(stores)],
        dumps.length > 0 ? transfers : small,
      ),
    ],
  };
  const name = backupNames.verification(cluster.name, index);
  return cronJob(settings, name, backupRoles.verification, verify.schedule, VERIFY_HOURS, spec);
}

function configMap({ cluster }: Settings, name: string, data: Readonly<Record<string, string>>) {
  return {
    apiVersion: "v1",
    kind: "ConfigMap",
    metadata: { name, namespace: cluster.namespace, labels: { [clusterLabel]: cluster.name } },
    data,
  };
}

/** What stands for a target that has a role, where others have the Secret of their key: policies look for both. */
const roleTarget = (settings: Settings, store: Store): KubernetesObject => ({
  apiVersion: "v1",
  kind: "ConfigMap",
  metadata: {
    name: storeName(settings.cluster.name, store.name),
    namespace: settings.cluster.namespace,
    labels: { [clusterLabel]: settings.cluster.name, [roleLabel]: targetRole },
    annotations: targetFacts(settings, store),
  },
});

/** All of it for these settings; nothing without a backup. */
export function backupPlan(settings: Settings, engine: EnginePlanner, plan: Plan): BackupPlan {
  const { cluster, backup, monitoring } = settings;
  const stores = storesOf(settings);
  if (backup === undefined || stores.length === 0) return { objects: [], flows: [] };
  const object = (id: string, object: KubernetesObject, stage = 1): PlannedObject => ({ id, stage, object });
  const { verify } = backup;
  const origin = originOf(settings);
  const roleArn = roleOf(stores);
  const queries = Object.fromEntries(
    verify.queries.map(({ name, database, sql }) => [
      `${database ?? cluster.databases[0]?.name}.${name}`,
      `${sql}\n`,
    ]),
  );
  const objects = [
    object("scripts", configMap(settings, backupNames.watch(cluster.name), scripts), 0),
    ...(Object.keys(queries).length > 0
      ? [object("queries", configMap(settings, backupNames.queries(cluster.name), queries), 0)]
      : []),
    ...(roleArn === undefined ? [] : [object("account", roleAccount(settings, roleArn), 0)]),
    ...stores
      .filter(({ login }) => "roleArn" in login)
      .map((store) => object(`target-${store.name}`, roleTarget(settings, store), 0)),
    object("watch", watch(settings, stores)),
    ...(origin ? [object("restore-source", source(settings, stores, origin))] : []),
    ...(stores.length > 1 ? [object("copy", copy(settings, stores, backup.copy.schedule))] : []),
    ...(verify.enabled
      ? stores.map((_, index) =>
          object(`verify-${index + 1}`, verification(settings, engine, plan, stores, index, verify)),
        )
      : []),
  ];

  const why: Record<string, string> = {
    [backupRoles.watch]: "somebody looks all the time whether backups are where they should be",
    ...(origin && { [backupRoles.source]: "a restore begins only where there is something to restore" }),
    ...(stores.length > 1 && { [backupRoles.copy]: "the first target's archive is copied to the second" }),
    ...(verify.enabled && {
      [backupRoles.verification]: "a restore from each target is tried on a schedule",
    }),
  };
  const flows = [
    ...Object.entries(why).flatMap(([role, reason]) =>
      stores.map(({ name, peer, port }) =>
        tcp(`${role}-${name}`, peerOf(settings, role), peer, port, reason),
      ),
    ),
    ...(verify.enabled
      ? [
          tcp(
            "verification-instances",
            peerOf(settings, backupRoles.verification),
            plan.pods,
            plan.ports.postgres,
            "a row is written before a restore is tried, which must have it",
          ),
        ]
      : []),
    ...(monitoring.namespace === undefined
      ? []
      : [
          tcp(
            "metrics-backups",
            { kind: "namespace", namespace: monitoring.namespace },
            peerOf(settings, backupRoles.watch),
            metricsPort,
            "monitoring reads what is seen of the backups",
          ),
        ]),
  ];
  return { objects, flows };
}
