import { Deferred, type BaseBackupFacts, type EngineReader, type Facts } from "../plan/engines/reader";
import { reader as standalone } from "../plan/engines/standalone/reader";
import { clusterLabel, durabilityAnnotation } from "../plan/names";
import type { Labels } from "../plan/network";
import { mountedFiles, mountedNames } from "../plan/mounted";
import { type KubernetesObject, namespaceOf, type Variable } from "../plan/objects";
import type { Spreading } from "../plan/pooler/spread";
import { secondsOf } from "../settings/catalogue/values";
import { daysOfCron } from "../settings/cron";
import { referenceOf } from "./invariants/images";
import { budgeted, type Container, selects, type Selector } from "./kubernetes";

/**
 * PostgreSQL in a StatefulSet without an operator, by anybody: told by its image. What is judged is what arguments, variables and mounted
 * ConfigMaps say; what an image does by itself isn't seen.
 */

interface PodSpec extends Spreading {
  readonly containers?: readonly (Omit<Container, "path"> & {
    readonly env?: readonly Variable[];
    readonly args?: readonly string[];
    readonly command?: readonly string[];
    readonly securityContext?: { readonly runAsNonRoot?: boolean };
  })[];
  readonly volumes?: readonly {
    readonly configMap?: { readonly name?: string };
  }[];
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
  /^(postgres|postgresql|postgresql-repmgr|postgis|pgvector|timescaledb|timescaledb-ha|spilo-\d+|patroni)$/;

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
const option = /(?:^|\s)(?:-c\s*|--)([a-z_][a-z0-9_.-]*)\s*=\s*(?:'([^']*)'|"([^"]*)"|([^\s'"]+))/gi;
/** A line of postgresql.conf. */
const line = /^[ \t]*([a-z_][a-z0-9_.]*)[ \t]*(?:=[ \t]*|[ \t]+)(?:'([^'\n]*)'|([^\s#'\n]+))/gim;

const pairs = (text: string, form: RegExp): [string, string][] =>
  [...text.matchAll(form)].map(([, name = "", ...values]) => [
    name.toLowerCase().replaceAll("-", "_"),
    values.find((value) => value !== undefined) ?? "",
  ]);

/** Files of the ConfigMaps that its pods mount; where it mounts any, they are in other objects. */
function filesOf(object: StatefulSet, objects: readonly KubernetesObject[] | undefined): [string, string][] {
  if (mountedNames(object).length === 0) return [];
  if (objects === undefined) throw new Deferred("its configuration");
  return mountedFiles(object, objects);
}

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
  const value = (name: string) => container().env?.find((one) => one.name === name)?.value;
  const parameter = (name: string): string | undefined => {
    const { command = [], args = [] } = container();
    const given = pairs([...command, ...args].join(" "), option);
    const found = given.findLast(([key]) => key === name);
    if (found) return found[1];
    return filesOf(object, objects)
      .filter(([file]) => file.endsWith(".conf") && !file.includes("hba"))
      .flatMap(([, text]) => pairs(text, line))
      .findLast(([key]) => key === name)?.[1];
  };
  const spreadBy = (key: string): boolean =>
    (pod.affinity?.podAntiAffinity?.requiredDuringSchedulingIgnoredDuringExecution ?? []).some(
      ({ topologyKey }) => topologyKey === key,
    );
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
      return budgeted(objects, { namespace: namespaceOf(object), labels });
    },
    get requiredHostSpread() {
      return spreadBy("kubernetes.io/hostname");
    },
    get zoneSpread() {
      const zone = "topology.kubernetes.io/zone";
      return (
        spreadBy(zone) ||
        (pod.topologySpreadConstraints ?? []).some(({ topologyKey }) => topologyKey === zone)
      );
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
        ([name, method]) => method(value(name) ?? "") ?? [],
      );
      if (invited.length > 0) return invited.map((method) => `host all all all ${method}`);
      const file = filesOf(object, objects).find(([name]) => name.endsWith("pg_hba.conf"))?.[1];
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
      return { archivers: on ? 1 : 0, store: undefined, archiveId: "", outdated: undefined };
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

const tool = /\b(pg_basebackup|pgbackrest|wal-g|barman)\b/;

/** A CronJob that runs a known tool beside such a StatefulSet is its schedule. */
function baseBackupFacts(
  object: KubernetesObject,
  objects?: readonly KubernetesObject[],
): BaseBackupFacts | undefined {
  if (object.kind !== "CronJob" || object.apiVersion !== "batch/v1") return undefined;
  const { spec, metadata } = object as CronJob;
  const containers = spec?.jobTemplate?.spec?.template?.spec?.containers ?? [];
  const text = containers.map(({ image = "", command = [], args = [] }) =>
    [image, ...command, ...args].join(" "),
  );
  if (!text.some((one) => tool.test(one)) || standalone.baseBackupFacts(object)) return undefined;
  if (objects === undefined) throw new Deferred("what it backs up");
  const beside = objects.find((one) => isPostgres(one) && namespaceOf(one) === namespaceOf(object));
  if (beside === undefined) return undefined;
  const schedule = spec?.schedule ?? "";
  return {
    kind: object.kind,
    name: metadata.name,
    get namespace() {
      return namespaceOf(object);
    },
    cluster: metadata.labels?.[clusterLabel] ?? beside.metadata.name,
    suspended: spec?.suspend ?? false,
    schedule,
    days: daysOfCron(schedule),
    form: "cron's five fields",
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
