import { Deferred, type BaseBackupFacts, type EngineReader, type Facts } from "../plan/engines/reader";
import { reader as standalone } from "../plan/engines/standalone/reader";
import { clusterLabel, durabilityAnnotation, topologyKeys } from "../plan/names";
import type { Labels } from "../plan/network";
import { serviceIn } from "../plan/services";
import { type Configured, mountedFiles, variableOf, type Volume } from "../plan/mounted";
import { type KubernetesObject, namespaceOf } from "../plan/objects";
import { apart, type Spreading, spreadsBy } from "../plan/pooler/spread";
import { secondsOf } from "../settings/catalogue/values";
import { daysOfGoCron, forms } from "../settings/goCron";
import { referenceOf } from "./invariants/images";
import { budgeted, type Container, selects, type Selector } from "./kubernetes";

/**
 * PostgreSQL in a StatefulSet without an operator, by anybody: told by its image. What is judged is what arguments, variables and mounted
 * ConfigMaps say; what an image does by itself isn't seen.
 */

interface PodSpec extends Spreading {
  readonly containers?: readonly (Omit<Container, "path"> &
    Configured & {
      readonly args?: readonly string[];
      readonly command?: readonly string[];
      readonly securityContext?: { readonly runAsNonRoot?: boolean };
    })[];
  readonly volumes?: readonly Volume[];
  readonly securityContext?: { readonly runAsNonRoot?: boolean };
}

interface StatefulSet extends KubernetesObject {
  spec?: {
    readonly replicas?: number;
    readonly serviceName?: string;
    readonly template?: { readonly metadata?: { readonly labels?: Labels }; readonly spec?: PodSpec };
    readonly volumeClaimTemplates?: readonly { readonly spec?: { readonly storageClassName?: string } }[];
  };
}

const servers =
  /^(postgres|postgresql|postgresql-repmgr|(rhel\d+-)?postgresql-\d+(-\w+)?|postgis|pgvector|citus|timescaledb|timescaledb-ha|spilo-\d+|patroni|crunchy-postgres(-gis|-ha|-gis-ha)?|percona-distribution-postgresql(-\w+)?)$/;

const isServerImage = (image: string): boolean =>
  servers.test(referenceOf(image).repository.split("/").at(-1) ?? "");

const containerOf = ({ spec }: StatefulSet) =>
  spec?.template?.spec?.containers?.find(({ image = "" }) => isServerImage(image));

const isStatefulSet = (object: KubernetesObject): object is StatefulSet =>
  object.kind === "StatefulSet" && object.apiVersion === "apps/v1";

/** A StatefulSet of PostgreSQL that the platform's own engine didn't make. */
const isPostgres = (object: KubernetesObject): object is StatefulSet =>
  isStatefulSet(object) && standalone.facts(object) === undefined && containerOf(object) !== undefined;

/** `-c name=value`, `--name=value`, and the same in a shell's command. */
const option = /(?:^|\s)(?:-c\s*|--)['"]?([a-z_][a-z0-9_.-]*)\s*=\s*(?:'([^']*)'|"([^"]*)"|([^\s'"]+))/gi;
/** The same as a word of its own, with blanks and all; `-c` may be the word before. */
const whole = /^(-c\s*|--)?([a-z_][a-z0-9_.-]*)=(.*)$/is;
/** Which turns fsync off. */
const noSync = /\bpostgres\s(?:[^;&|\n]*\s)?-F(?:\s|$)/;
/** A line of postgresql.conf. */
const line = /^[ \t]*([a-z_][a-z0-9_.]*)[ \t]*(?:=[ \t]*|[ \t]+)(?:'([^'\n]*)'|([^\s#'\n]+))/gim;

type Pair = readonly [name: string, value: string];

const nameOf = (text: string): string => text.toLowerCase().replaceAll("-", "_");
const pairs = (text: string, form: RegExp): Pair[] =>
  [...text.matchAll(form)].map(([, name = "", ...values]) => [
    nameOf(name),
    values.find((value) => value !== undefined) ?? "",
  ]);

/** Parameters in the words by which a server is started, the last of which counts. */
const started = (words: readonly string[]): Pair[] =>
  words.flatMap((word, index): Pair[] => {
    const [, dash, name = "", value = ""] = whole.exec(word) ?? [];
    if (dash !== undefined) return [[nameOf(name), value]];
    return [
      ...(name !== "" && words[index - 1] === "-c" ? [[nameOf(name), value] as const] : []),
      ...pairs(word, option),
      ...(word === "-F" || noSync.test(word) ? [["fsync", "off"] as const] : []),
    ];
  });

/** A command that only says that it has archived. */
const nothing = /^\s*(:|exit 0|(\/\S*\/)?true)?\s*(#.*)?$/;

/** Where an image of initdb's kind is told that everybody may in. */
const invitations: Readonly<Record<string, (value: string) => string | undefined>> = {
  POSTGRES_HOST_AUTH_METHOD: (value) => (["trust", "md5", "password"].includes(value) ? value : undefined),
  ALLOW_EMPTY_PASSWORD: (value) => (/^(yes|true|1)$/i.test(value) ? "trust" : undefined),
};

function facts(object: KubernetesObject, objects?: readonly KubernetesObject[]): Facts | undefined {
  if (!isPostgres(object)) return undefined;
  const { metadata, spec = {} } = object;
  const pod = spec.template?.spec ?? {};
  const labels = spec.template?.metadata?.labels ?? {};
  const container = () => containerOf(object)!;
  const parameter = (name: string): string | undefined => {
    const { command = [], args = [] } = container();
    const found = started([...command, ...args]).findLast(([key]) => key === name);
    if (found) return found[1];
    return mountedFiles(object, objects)
      .filter(([file]) => file.endsWith(".conf") && !file.includes("hba"))
      .flatMap(([, text]) => pairs(text, line))
      .findLast(([key]) => key === name)?.[1];
  };
  const required = pod.affinity?.podAntiAffinity?.requiredDuringSchedulingIgnoredDuringExecution ?? [];
  return {
    name: metadata.name,
    get namespace() {
      return namespaceOf(object);
    },
    get instances() {
      return spec.replicas ?? 1;
    },
    get synchronous() {
      const names = parameter("synchronous_standby_names") ?? "";
      const [, count = "1"] = /^\s*(?:ANY|FIRST)?\s*(\d+)\s*\(/i.exec(names) ?? [];
      const on = names.trim() !== "" && parameter("synchronous_commit") !== "off";
      return { number: on ? Number(count) : 0, blocks: on, quorum: false };
    },
    get durability() {
      return metadata.annotations?.[durabilityAnnotation];
    },
    get disruptionBudget() {
      if (objects === undefined) throw new Deferred("its disruption budget");
      return budgeted(objects, { namespace: namespaceOf(object), labels, count: this.instances });
    },
    get requiredHostSpread() {
      return spreadsBy(apart, required, labels);
    },
    get zoneSpread() {
      return spreadsBy([topologyKeys.zone], [...required, ...(pod.topologySpreadConstraints ?? [])], labels);
    },
    dataChecksums: true,
    get podSecurity() {
      const asUser = pod.securityContext?.runAsNonRoot ?? container().securityContext?.runAsNonRoot;
      return asUser === true ? "restricted" : "baseline";
    },
    get storageClasses() {
      return (spec.volumeClaimTemplates ?? []).flatMap((claim) => claim.spec?.storageClassName ?? []);
    },
    superuserAccess: false,
    superusers: [],
    get hostBasedAccess() {
      const invited = Object.entries(invitations).flatMap(
        ([name, method]) => method(variableOf(object, container(), name, objects) ?? "") ?? [],
      );
      if (invited.length > 0) return invited.map((method) => `host all all all ${method}`);
      const file = mountedFiles(object, objects).find(([name]) => name.endsWith("pg_hba.conf"))?.[1];
      return file
        ?.split("\n")
        .map((rule) => rule.replace(/#.*/, "").trim())
        .filter((rule) => rule !== "");
    },
    get passwordEncryption() {
      return parameter("password_encryption") ?? "scram-sha-256";
    },
    get lowestTls() {
      return parameter("ssl_min_protocol_version") ?? "TLSv1.2";
    },
    get image() {
      return container().image ?? "";
    },
    imageFromCatalog: false,
    get resources() {
      const { requests = {}, limits = {} } = container().resources ?? {};
      return { requests, limits };
    },
    get sharedBuffers() {
      return parameter("shared_buffers") ?? "128MB";
    },
    get maxConnections() {
      return Number(parameter("max_connections") ?? "100");
    },
    parameter,
    get archiveTimeoutSeconds() {
      return secondsOf(parameter("archive_timeout") ?? "0") ?? 0;
    },
    get archive() {
      const on = ["on", "always"].includes(parameter("archive_mode") ?? "off");
      const isSent =
        !nothing.test(parameter("archive_command") ?? "") || (parameter("archive_library") ?? "") !== "";
      return { archivers: on && isSent ? 1 : 0, store: undefined, archiveId: "", outdated: undefined };
    },
    loadBalancers: [],
    get services() {
      const all = (objects ?? [])
        .filter(
          (one) =>
            one.kind === "Service" &&
            namespaceOf(one) === namespaceOf(object) &&
            selectsPods((one.spec as { selector?: Labels } | undefined)?.selector, labels),
        )
        .map((one) => one.metadata.name);
      const [primary = spec.serviceName ?? metadata.name, standbys = primary, any = standbys] = all;
      return { primary, standbys, any };
    },
    network: { pods: labels, ports: { postgres: 5432, metrics: 9187 } },
  };
}

/** A Service's selector, which is no more than labels; one without them selects nothing. */
export const selectsPods = (selector: Labels | undefined, labels: Labels): boolean =>
  selector !== undefined &&
  Object.keys(selector).length > 0 &&
  selects({ matchLabels: selector } satisfies Selector, labels);

interface CronJob extends KubernetesObject {
  spec?: {
    readonly schedule?: string;
    readonly suspend?: boolean;
    readonly jobTemplate?: { readonly spec?: { readonly template?: { readonly spec?: PodSpec } } };
  };
}

const isCronJob = (object: KubernetesObject): object is CronJob =>
  object.kind === "CronJob" && object.apiVersion === "batch/v1";

const containersIn = ({ spec }: CronJob) => spec?.jobTemplate?.spec?.template?.spec?.containers ?? [];
const textOf = ({ image = "", command = [], args = [] }: ReturnType<typeof containersIn>[number]): string =>
  [image, ...command, ...args].join(" ");

const tool = /\b(pg_basebackup|pgbackrest|wal-g|barman)\b/;
/** What of these tools makes a base backup: they clean up, too. */
const makesBackup =
  /\bpg_basebackup\b|\bbackup-push\b|\bbarman-cloud-backup(?![-\w])|\b(?:pgbackrest|barman)\b(?:[^;&|\n]|\\\n)*\sbackup(?!\S)/;
/** Hosts in a tool's arguments, in a connection's words or its address. */
const hosts = /(?:(?:^|\s)-h\s*|--host(?:=|\s+)|\bhost=|@)([a-z0-9][a-z0-9.-]*)/gi;

/** The server that a job speaks to, or the only one that it can speak to. */
function backedUp(object: CronJob, objects: readonly KubernetesObject[]): Facts | undefined {
  const home = namespaceOf(object);
  const named = containersIn(object).flatMap((container) => [
    ...[...textOf(container).matchAll(hosts)].map(([, name = ""]) => name),
    ...(variableOf(object, container, "PGHOST", objects)?.split(",") ?? []),
  ]);
  const isNamed = ({ name, services }: Facts): boolean =>
    named
      .map(serviceIn)
      .some(
        ({ service, namespace = home }) =>
          namespace === home && [name, ...Object.values(services)].includes(service),
      );
  const beside = objects
    .flatMap((one) => facts(one, objects) ?? [])
    .filter(({ namespace }) => namespace === home);
  return beside.find(isNamed) ?? (beside.length === 1 ? beside[0] : undefined);
}

/** A CronJob that runs a known tool beside such a StatefulSet is its schedule. */
function baseBackupFacts(
  object: KubernetesObject,
  objects?: readonly KubernetesObject[],
): BaseBackupFacts | undefined {
  if (!isCronJob(object) || standalone.baseBackupFacts(object)) return undefined;
  const backsUp = containersIn(object).some((container) => {
    const { image = "", command = [], args = [] } = container;
    // What an image does without a word isn't seen.
    return makesBackup.test(textOf(container)) || (command.length + args.length === 0 && tool.test(image));
  });
  if (!backsUp) return undefined;
  if (objects === undefined) throw new Deferred("what it backs up");
  if (!objects.some((one) => isPostgres(one) && namespaceOf(one) === namespaceOf(object))) return undefined;
  const { spec, metadata } = object;
  const schedule = spec?.schedule ?? "";
  return {
    kind: object.kind,
    name: metadata.name,
    get namespace() {
      return namespaceOf(object);
    },
    get cluster() {
      return metadata.labels?.[clusterLabel] ?? backedUp(object, objects)?.name ?? "";
    },
    suspended: spec?.suspend ?? false,
    schedule,
    days: daysOfGoCron(schedule, 3),
    form: forms[3],
    explicitMethod: true,
    store: undefined,
  };
}

export const reader: EngineReader = {
  facts,
  storeFacts: () => undefined,
  baseBackupFacts,
  poolerFacts: () => [],
};
