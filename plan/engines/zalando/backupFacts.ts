import { daysOfCron } from "../../../settings/cron";
import { type KubernetesObject, namespaceOf, type Variable } from "../../objects";
import type { ArchiveFacts, BaseBackupFacts, StoreFacts } from "../reader";
import { archiveAnnotation } from "../../names";
import { askOperator, textOf } from "./operatorFacts";
import { isPostgresql, type Postgresql } from "./resources";

/** What a cluster object claims of its archive: the variables that Spilo reads, in it and in what the operator adds for all of its clusters. */

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

interface Inherited {
  readonly variables: readonly Variable[];
  /** Whether there are more, in a ConfigMap of another stack. */
  readonly more: boolean;
}

/** Variables that the operator gives to all of its clusters, in the order in which they count: of a ConfigMap that it names, then of its own fields. */
function fromOperator(cluster: Postgresql, objects: readonly KubernetesObject[] | undefined): Inherited {
  const operator = askOperator("pod_environment_configmap", objects);
  const own = Object.entries(fields).flatMap(([field, name]): Variable[] => {
    const value = textOf(operator, field);
    if (value === undefined) return [];
    const scope = {
      name: "WAL_BUCKET_SCOPE_SUFFIX",
      // In truth the object's UID, which tells clusters apart as well.
      get value() {
        return `/${namespaceOf(cluster)}/${cluster.metadata.name}`;
      },
    };
    return [{ name, value }, scope, { name: "WAL_BUCKET_SCOPE_PREFIX", value: "" }];
  });
  const [, name] = /^(?:[^/]+\/)?([^/]+)$/.exec(textOf(operator, "pod_environment_configmap") ?? "") ?? [];
  const map = objects?.find((one) => one.kind === "ConfigMap" && one.metadata.name === name);
  const named = Object.entries((map?.data as Record<string, string> | undefined) ?? {}).map(
    ([variable, value]) => ({ name: variable, value }),
  );
  const more = name !== undefined && map === undefined;
  // Of a ConfigMap of another stack nothing but its purpose is known.
  return { variables: [...named, ...own, ...(more ? [{ name: "WAL_S3_BUCKET" }] : [])], more };
}

/**
 * What a cluster's pods are told: its own variables, then each of the operator's that isn't among them. A value is read only when it is asked for, since
 * a preview may not know it; so is the operator.
 */
function variables(cluster: Postgresql, objects?: readonly KubernetesObject[]) {
  const own = cluster.spec?.env ?? [];
  let made: Inherited | undefined;
  const inherited = () => (made ??= fromOperator(cluster, objects));
  const has = (...names: readonly string[]) => {
    const isOne = ({ name }: Variable) => names.includes(name);
    return own.some(isOne) || inherited().variables.some(isOne);
  };
  const find = (name: string) => {
    const isOne = (one: Variable) => one.name === name;
    return own.find(isOne) ?? inherited().variables.find(isOne);
  };
  const value = (name: string) => find(name)?.value;
  return {
    value,
    secretOf: (name: string) => find(name)?.valueFrom?.secretKeyRef?.name,
    get toS3() {
      return has(...s3Places);
    },
    get archives() {
      return has(...s3Places, ...otherPlaces);
    },
    isTrue: (name: string) => value(name)?.toLowerCase() === "true",
    /** Whether nothing in the stack says what WAL is archived by. */
    get hidesArchiver() {
      return !has("USE_WALG_BACKUP", "USE_WALG") && inherited().more;
    },
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
    get archivers() {
      return env.archives ? 1 : 0;
    },
    get store() {
      return env.toS3 ? { kind: object.kind, name: object.metadata.name } : undefined;
    },
    get archiveId() {
      const place = object.metadata.annotations?.[archiveAnnotation];
      return place === undefined ? "" : pathOf(object, env).slice(place.length + 1);
    },
    get outdated() {
      return !env.archives || usesWalG(env) || env.hidesArchiver
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
  const endpoint = () => {
    const said = env.value("AWS_ENDPOINT") ?? env.value("WALE_S3_ENDPOINT")?.replace(/\+\w+:/, ":");
    return said === "" ? undefined : said;
  };
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
    get secrets() {
      return ["AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY"].flatMap((name) => env.secretOf(name) ?? []);
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
