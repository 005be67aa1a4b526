import { milliCoresOf } from "../../../settings/quantity";
import type { Settings } from "../../../settings/schema";
import { originArchive, originOf, normalizedTime } from "../../backup/restore";
import { archiveIdToken, keyVariables, locationOf, type Store, storesOf } from "../../backup/store";
import { environment } from "../../containers";
import type { Backups, EngineTraits } from "../planner";
import { server } from "./image";
import { serverContainer } from "../../names";
import type { Variable } from "../../objects";

/**
 * Archive, base backups and restores by WAL-G, which Spilo runs as the environment of the instances tells it. The image that is built for
 * the built-in cluster reads the same environment and has Barman's cloud tools in the place of WAL-G.
 */

/** WAL-G compresses base backups by all of them. */
export const byWalG: EngineTraits["compression"] = {
  methods: ["brotli", "lz4", "zstd", "none"],
  by: "WAL-G",
  unequalParts: [],
};

/** The image that is built for the built-in cluster has Barman's tools, and Spilo WAL-G. */
const hasWalG = ({ platform }: Settings): boolean => platform !== "local";

/** Base backups that hold only what has changed, between two whole ones. */
const DELTA_STEPS = 6;

/**
 * How long one file of WAL may take, in seconds, before PostgreSQL takes it for missing. Without a limit WAL-G tries an unreachable store for
 * a quarter of an hour. A promotion asks for five files, and a standby for five more until it follows the new primary, which commits of
 * synchronous replication wait for. It counts for a restore too, which would take a late file for the end of the WAL.
 */
const RESTORE_SECONDS = { asynchronous: 5, synchronous: 2, restoring: 600 };
const restoreSeconds = ({ restore, cluster }: Settings): number =>
  RESTORE_SECONDS[
    restore && restore.stage !== "ended"
      ? "restoring"
      : cluster.durability === "async"
        ? "asynchronous"
        : "synchronous"
  ];

/** Spilo has as many uploads as its node has processors, up to ten; what WAL-G 3.0.5 takes with them was measured: 279 MiB with 2, 417 with 10. */
const UPLOADS = { least: 2, most: 10 };
const MiB = 2 ** 20;
const uploads = ({ cluster }: Settings): number =>
  Math.min(
    UPLOADS.most,
    Math.max(UPLOADS.least, Math.ceil((milliCoresOf(cluster.resources.limits.cpu) ?? 0) / 1000)),
  );

/** What WAL-G takes of an instance's memory while a base backup is made; that of the tools in the image built here isn't counted. */
export const walGMemory = (settings: Settings): number =>
  settings.backup === undefined || !hasWalG(settings) ? 0 : (245 + 17.25 * uploads(settings)) * MiB;

/** Files that a verification fetches at a time: each takes memory. */
const DOWNLOADS = 4;
/** More base backups than there ever are: the verification deletes them. */
const ALL_BACKUPS = 36_500;

const caFolder = ({ name }: Store): string => `/stores/${name}`;
const caFile = (store: Store): string => `${caFolder(store)}/${store.ca?.key}`;

/** How an archive is spoken to. Spilo reads that of a cluster to restore under names that begin with `CLONE_`. */
function storeVariables(
  store: Store,
  archiveId: string,
  prefix: "" | "CLONE_",
  file = caFile(store),
): Variable[] {
  const { region, endpoint, pathStyle, ca } = store;
  const plain = {
    WALG_S3_PREFIX: `${locationOf(store)}/${archiveId}`,
    AWS_REGION: region,
    ...(endpoint !== undefined && { AWS_ENDPOINT: endpoint }),
    ...(pathStyle && { AWS_S3_FORCE_PATH_STYLE: "true" }),
    ...(ca && { WALG_S3_CA_CERT_FILE: file }),
  };
  const key = {
    accessKeyId: `${prefix}AWS_ACCESS_KEY_ID`,
    secretAccessKey: `${prefix}AWS_SECRET_ACCESS_KEY`,
  };
  return [
    ...environment(plain).map((variable) => ({ ...variable, name: `${prefix}${variable.name}` })),
    ...keyVariables(store, key),
  ];
}

/** Without a moment the operator's own `clone` copies a running cluster; so it is Spilo that is told, not the operator. */
function cloneVariables(settings: Settings): Variable[] {
  const { restore } = settings;
  const origin = originOf(settings);
  if (restore === undefined || origin === undefined) return [];
  const { time } = restore.to;
  return [
    ...environment({
      CLONE_METHOD: "CLONE_WITH_WALE",
      CLONE_USE_WALG_RESTORE: "true",
      ...(time !== undefined && { CLONE_TARGET_TIME: normalizedTime(time) }),
    }),
    ...storeVariables(origin, originArchive(restore), "CLONE_"),
  ];
}

/** The instances' further environment; empty where nothing is archived. */
export function backupVariables(settings: Settings): Variable[] {
  const { backup } = settings;
  const [store] = storesOf(settings);
  if (backup === undefined || store === undefined) return [];
  return [
    ...environment({
      USE_WALG_BACKUP: "true",
      USE_WALG_RESTORE: "true",
      WALG_COMPRESSION_METHOD: backup.compression,
      WALG_DELTA_MAX_STEPS: String(DELTA_STEPS),
      WALG_UPLOAD_CONCURRENCY: String(uploads(settings)),
      WALG_DOWNLOAD_CONCURRENCY: String(uploads(settings)),
      WAL_RESTORE_TIMEOUT: String(restoreSeconds(settings)),
      BACKUP_SCHEDULE: backup.schedule,
      // Spilo keeps as many base backups, and those of as many days, with the WAL since the oldest of them.
      BACKUP_NUM_TO_RETAIN: String(
        backup.verify.enabled && hasWalG(settings) ? ALL_BACKUPS : backup.recoveryWindowDays,
      ),
    }),
    ...storeVariables(store, archiveIdToken, ""),
    ...cloneVariables(settings),
  ];
}

export const backups: Backups = {
  request: () => ({
    // PGDATA is the image's own.
    command: [
      serverContainer,
      "envdir",
      "/run/etc/wal-e.d/env",
      "sh",
      "-c",
      '/scripts/postgres_backup.sh "$PGDATA"',
    ],
    // The script ends well whatever WAL-G says.
    made: /Wrote backup with name (\w+)/,
    // Where Spilo starts it waits for an hour at most until it is the primary, and makes one then; after a longer restore it makes none.
    underway: [serverContainer, "pgrep", "-f", "patroni_wait[.]sh|postgres_backup[.]sh"],
  }),
  server,
  baseTime: "uploaded",
  // Spilo makes both extensions in every database, template1 included.
  preload: ["pg_stat_statements", "pg_stat_kcache", "set_user"],
  tool: (settings) =>
    hasWalG(settings)
      ? {
          name: "walg",
          image: settings.images.postgresql,
          variables: (store, ca) => [
            ...storeVariables(store, archiveIdToken, "", ca),
            ...environment({ WALG_DOWNLOAD_CONCURRENCY: String(DOWNLOADS) }),
          ],
          programs: `/usr/lib/postgresql/${settings.cluster.postgresVersion}/bin`,
        }
      : undefined,
};

/** The CAs of stores that no public one signed for. */
export const backupVolumes = (settings: Settings): object[] =>
  storesOf(settings).flatMap(({ ca, ...store }) =>
    ca === undefined
      ? []
      : [
          {
            name: `store-${store.name}`,
            mountPath: caFolder(store),
            targetContainers: [serverContainer],
            volumeSource: {
              secret: {
                secretName: ca.secretName,
                items: [{ key: ca.key, path: ca.key }],
                defaultMode: 0o444,
              },
            },
          },
        ],
  );
