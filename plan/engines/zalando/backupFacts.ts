import { daysOfCron } from "../../../settings/cron";
import { type KubernetesObject, namespaceOf, type Variable } from "../../objects";
import type { ArchiveFacts, BaseBackupFacts, StoreFacts } from "../reader";
import { archiveAnnotation } from "../../names";
import { askOperator, textOf } from "./operatorFacts";
import { isPostgresql, type Postgresql } from "./resources";

/**
 * What a cluster object claims of its archive: the variables that Spilo reads, in it and, where it has none of them, in the configuration of the
 * operator, and what that one adds for all of its clusters.
 */

/** Any of these makes Spilo archive; the first three do it to a store that speaks S3. */
const s3Places = ["WALG_S3_PREFIX", "WALE_S3_PREFIX", "WAL_S3_BUCKET"];
const otherPlaces = [
  "WALG_AZ_PREFIX",
  "WALG_SSH_PREFIX",
  "WAL_GS_BUCKET",
  "WAL_GCS_BUCKET",
  "WALE_GS_PREFIX",
  "WALG_GS_PREFIX",
  "WAL_SWIFT_BUCKET",
  "WALE_SWIFT_PREFIX",
];

/** Spilo's own, the least that it keeps, and what means that it deletes nothing. */
const SCHEDULE = "0 1 * * *";
const KEPT = { default: 5, least: 2, all: 10_000 };

/** Fields of the operator's configuration, and the variables that they become. */
const fields: Readonly<Record<string, string>> = {
  wal_s3_bucket: "WAL_S3_BUCKET",
  wal_gs_bucket: "WAL_GS_BUCKET",
  wal_az_storage_account: "WALG_AZ_PREFIX",
};

/** Variables that the operator gives to all of its clusters: from its own fields, and from a ConfigMap or a Secret that it names. */
function fromOperator(objects: readonly KubernetesObject[] | undefined): readonly Variable[] {
  const operator = askOperator("pod_environment_configmap", objects);
  const own = Object.entries(fields).flatMap(([field, name]) => {
    const value = textOf(operator, field);
    return value === undefined ? [] : [{ name, value }];
  });
  const [, name] = /^(?:[^/]+\/)?([^/]+)$/.exec(textOf(operator, "pod_environment_configmap") ?? "") ?? [];
  const map = objects?.find((one) => one.kind === "ConfigMap" && one.metadata.name === name);
  const named = Object.entries((map?.data as Record<string, string> | undefined) ?? {}).map(
    ([variable, value]) => ({ name: variable, value }),
  );
  // Of a ConfigMap of another stack nothing but its purpose is known.
  const elsewhere = name !== undefined && map === undefined ? [{ name: "WAL_S3_BUCKET" }] : [];
  return [...own, ...elsewhere, ...named];
}

/** A value is read only when it is asked for: a preview may not know it. */
function variables({ spec }: Postgresql, objects?: readonly KubernetesObject[]) {
  const own = spec?.env ?? [];
  const says = own.some(({ name }) => [...s3Places, ...otherPlaces].includes(name));
  const env = says ? own : [...own, ...fromOperator(objects)];
  const has = (name: string) => env.some((one) => one.name === name);
  const value = (name: string) => env.find((one) => one.name === name)?.value;
  return {
    value,
    toS3: s3Places.some(has),
    archives: [...s3Places, ...otherPlaces].some(has),
    isTrue: (name: string) => value(name)?.toLowerCase() === "true",
  };
}

const usesWalG = ({ value, isTrue }: ReturnType<typeof variables>): boolean =>
  value("USE_WALG_BACKUP") === undefined ? isTrue("USE_WALG") : isTrue("USE_WALG_BACKUP");

const withoutSlash = (path: string): string => path.replace(/\/+$/, "");

/** The whole path, down to what is this cluster's alone. */
function pathOf({ metadata }: Postgresql, { value }: ReturnType<typeof variables>): string {
  const prefix = value("WALG_S3_PREFIX") ?? value("WALE_S3_PREFIX");
  if (prefix !== undefined) return withoutSlash(prefix);
  const scope = `${value("WAL_BUCKET_SCOPE_PREFIX") ?? ""}${metadata.name}${value("WAL_BUCKET_SCOPE_SUFFIX") ?? ""}`;
  return `s3://${value("WAL_S3_BUCKET") ?? ""}/spilo/${scope}/wal`;
}

export function archiveFacts(
  object: Postgresql,
  objects: readonly KubernetesObject[] | undefined,
): ArchiveFacts {
  const env = variables(object, objects);
  return {
    archivers: env.archives ? 1 : 0,
    store: env.toS3 ? { kind: object.kind, name: object.metadata.name } : undefined,
    get archiveId() {
      const place = object.metadata.annotations?.[archiveAnnotation];
      return place === undefined ? "" : pathOf(object, env).slice(place.length + 1);
    },
    get outdated() {
      return !env.archives || usesWalG(env)
        ? undefined
        : { way: "WAL-E", instead: "WAL-G (USE_WALG_BACKUP is true): WAL-E is no longer maintained" };
    },
  };
}

export function storeFacts(
  object: KubernetesObject,
  objects?: readonly KubernetesObject[],
): StoreFacts | undefined {
  if (!isPostgresql(object)) return undefined;
  const env = variables(object, objects);
  if (!env.toS3) return undefined;
  const endpoint = () => env.value("AWS_ENDPOINT") ?? env.value("WALE_S3_ENDPOINT")?.replace(/\+\w+:/, ":");
  return {
    kind: object.kind,
    get name() {
      return object.metadata.name;
    },
    get namespace() {
      return namespaceOf(object);
    },
    get destination() {
      // The rest of the path may be drawn by the program itself.
      return object.metadata.annotations?.[archiveAnnotation] ?? pathOf(object, env);
    },
    get endpoint() {
      return endpoint();
    },
    // WAL-G's library is older than those checksums, and so is WAL-E's.
    plainChecksums: true,
    get encryption() {
      const off = env.value("WALG_DISABLE_S3_SSE") ?? env.value("WALE_DISABLE_S3_SSE");
      const disabled = off === undefined ? endpoint() !== undefined : off === "true";
      return env.value("WALG_S3_SSE") ?? (usesWalG(env) && !disabled ? "AES256" : undefined);
    },
    get retentionDays() {
      const days = Number(env.value("BACKUP_NUM_TO_RETAIN") ?? KEPT.default);
      return days > KEPT.all ? undefined : Math.max(KEPT.least, days);
    },
  };
}

export function baseBackupFacts(
  object: KubernetesObject,
  objects?: readonly KubernetesObject[],
): BaseBackupFacts | undefined {
  if (!isPostgresql(object)) return undefined;
  const env = variables(object, objects);
  if (!env.archives) return undefined;
  const schedule = () => env.value("BACKUP_SCHEDULE") ?? SCHEDULE;
  return {
    kind: object.kind,
    get name() {
      return object.metadata.name;
    },
    get namespace() {
      return namespaceOf(object);
    },
    get cluster() {
      return object.metadata.name;
    },
    suspended: false,
    get schedule() {
      return schedule();
    },
    get days() {
      return daysOfCron(schedule());
    },
    form: "cron's five fields",
    explicitMethod: true,
    store: undefined,
  };
}
