import type { Pool, PoolerFacts } from "../engines/reader";
import type { Labels } from "../network";
import { serviceIn } from "../services";
import { type Configured, mountedFiles, variableOf, type Volume } from "../mounted";
import { type KubernetesObject, namespaceOf } from "../objects";
import { type Spreading, spreadsOverHosts } from "./spread";

/** Reads what rendered PgBouncers claim out of their Deployments and the `pgbouncer.ini` that these mount. */

interface Container extends Configured {
  name?: string;
  image?: string;
  command?: readonly string[];
}

interface PodSpec extends Spreading {
  containers?: Container[];
  volumes?: readonly Volume[];
}

interface Deployment extends KubernetesObject {
  spec?: { replicas?: number; template?: { metadata?: { labels?: Labels }; spec?: PodSpec } };
}

interface Autoscaler extends KubernetesObject {
  spec?: {
    scaleTargetRef?: { kind?: string; name?: string };
    minReplicas?: number;
    maxReplicas?: number;
  };
}

const isDeployment = (object: KubernetesObject): object is Deployment => object.kind === "Deployment";
const isAutoscaler = (object: KubernetesObject): object is Autoscaler =>
  object.kind === "HorizontalPodAutoscaler";

/** A container of PgBouncer, by its name or its image's; its image with another command is another program, such as psql. */
const isPgbouncer = (container: Container): boolean =>
  // The name comes first, since a preview may not know the image.
  container.name === "pgbouncer" || runsItsImage(container);

const runsItsImage = ({ image = "", command }: Container): boolean =>
  /(^|[/-])pgbouncer([:@]|$)/.test(image) &&
  (command === undefined || command.some((word) => word.includes("pgbouncer")));

/** A pod of PgBouncer says so by its label; a foreign one by its container. */
function runsPgbouncer({ spec }: Deployment): boolean {
  const { metadata, spec: pod } = spec?.template ?? {};
  return (
    metadata?.labels?.["app.kubernetes.io/name"] === "pgbouncer" || (pod?.containers ?? []).some(isPgbouncer)
  );
}

type Variables = (...names: readonly string[]) => string | undefined;

/** Images that many use write pgbouncer.ini from variables, with a prefix or without. */
const variablesOf = (deployment: Deployment, objects: readonly KubernetesObject[]): Variables => {
  const containers = (deployment.spec?.template?.spec?.containers ?? []).filter(isPgbouncer);
  return (...names) =>
    containers
      .flatMap((container) =>
        names
          .flatMap((name) => [name, `PGBOUNCER_${name}`])
          .map((name) => variableOf(deployment, container, name, objects)),
      )
      .find((value) => value !== undefined);
};

const hostIn = (url: string): string => /@([^:/?]+)/.exec(url)?.[1] ?? "";

const hostOf = (variable: Variables): string =>
  variable("DB_HOST", "POSTGRESQL_HOST") ?? hostIn(variable("DATABASE_URL") ?? "");

/** Connections of a pool: `most` for all of its roles, where 0 is no limit. */
export const sizesOf = (size: string | undefined, reserve: string | undefined, most: string | undefined) => ({
  perRole: Number(size ?? 20) + Number(reserve ?? 0),
  ...(Number(most ?? 0) > 0 && { inAll: Number(most) }),
});

/** The pool of an image that is configured by variables. */
function poolOf(variable: Variables): Pool[] {
  const host = hostOf(variable);
  if (host === "") return [];
  const sizes = ["DEFAULT_POOL_SIZE", "RESERVE_POOL_SIZE", "MAX_DB_CONNECTIONS"] as const;
  const [size, reserve, most] = sizes.map((name) => variable(name));
  return [{ database: "*", ...serviceIn(host), ...sizesOf(size, reserve, most) }];
}

/** How clients log in, as the configuration says it; PgBouncer's own defaults where it says nothing and nothing else can. */
function loginsOf(
  deployment: Deployment,
  objects: readonly KubernetesObject[],
): NonNullable<PoolerFacts["logins"]> {
  const ini = configurationOf(deployment, objects);
  const { pgbouncer = {} } = sectionsOf(ini);
  const variable = variablesOf(deployment, objects);
  const isWhole = ini !== "" && !/^\s*%include/m.test(ini);
  return {
    // Images that write the file have methods of their own by default, but none has a certificate.
    type: pgbouncer.auth_type ?? variable("AUTH_TYPE") ?? (isWhole ? "md5" : undefined),
    tls:
      pgbouncer.client_tls_sslmode ??
      variable("CLIENT_TLS_SSLMODE") ??
      (isWhole || (ini === "" && hostOf(variable) !== "") ? "disable" : undefined),
    hostBasedAccess: mountedFiles(deployment, objects)
      .filter(([name]) => name.endsWith("pg_hba.conf"))
      .flatMap(([, text]) => text.split("\n"))
      .map((rule) => rule.replace(/#.*/, "").trim())
      .filter((rule) => rule !== ""),
  };
}

/** `key = value` lines of an ini file, section by section. */
function sectionsOf(ini: string): Record<string, Record<string, string>> {
  const sections: Record<string, Record<string, string>> = {};
  let section: Record<string, string> = {};
  for (const line of ini.split("\n")) {
    const name = /^\s*\[(\w+)\]/.exec(line)?.[1];
    if (name !== undefined) section = sections[name] ??= {};
    const [, key, value] = /^\s*([^;#\s=][^=]*?)\s*=\s*(.*?)\s*$/.exec(line) ?? [];
    if (key !== undefined && value !== undefined) section[key] = value;
  }
  return sections;
}

/** The parts of a connection string such as `host=main-rw port=5432`. */
const partsOf = (connection: string): Record<string, string> =>
  Object.fromEntries(
    [...connection.matchAll(/(\w+)\s*=\s*('[^']*'|\S+)/g)].map(([, key = "", value = ""]) => [
      key,
      value.replace(/^'|'$/g, ""),
    ]),
  );

/** The pools of a `pgbouncer.ini`; PgBouncer's own defaults where it says nothing. */
export function poolsOf(ini: string): Pool[] {
  const { databases = {}, pgbouncer = {} } = sectionsOf(ini);
  return Object.entries(databases).map(([database, connection]) => {
    const parts = partsOf(connection);
    return {
      database,
      ...serviceIn(parts.host ?? ""),
      ...sizesOf(
        parts.pool_size ?? pgbouncer.default_pool_size,
        parts.reserve_pool_size ?? parts.reserve_pool ?? pgbouncer.reserve_pool_size,
        parts.max_db_connections ?? pgbouncer.max_db_connections,
      ),
    };
  });
}

const configurationOf = (deployment: Deployment, objects: readonly KubernetesObject[]): string =>
  mountedFiles(deployment, objects).find(([name]) => name === "pgbouncer.ini")?.[1] ?? "";

/** Every Deployment of PgBouncer among the objects of a stack, or among some of them. */
export function pgbouncerFacts(
  objects: readonly KubernetesObject[],
  some: readonly KubernetesObject[] = objects,
): PoolerFacts[] {
  return some
    .filter(isDeployment)
    .filter(runsPgbouncer)
    .map((deployment) => ({
      kind: "Deployment",
      get name() {
        return deployment.metadata.name;
      },
      get namespace() {
        return namespaceOf(deployment);
      },
      get pods() {
        const autoscaler = objects
          .filter(isAutoscaler)
          .find(
            (autoscaler) =>
              autoscaler.spec?.scaleTargetRef?.kind === "Deployment" &&
              autoscaler.spec.scaleTargetRef.name === deployment.metadata.name &&
              namespaceOf(autoscaler) === namespaceOf(deployment),
          );
        if (autoscaler)
          return { least: autoscaler.spec?.minReplicas ?? 1, most: autoscaler.spec?.maxReplicas ?? 1 };
        const pods = deployment.spec?.replicas ?? 1;
        return { least: pods, most: pods };
      },
      get podLabels() {
        return deployment.spec?.template?.metadata?.labels ?? {};
      },
      get hostSpread() {
        return spreadsOverHosts(deployment.spec?.template?.spec, this.podLabels);
      },
      get logins() {
        return loginsOf(deployment, objects);
      },
      get pools() {
        const pools = poolsOf(configurationOf(deployment, objects));
        return pools.length > 0 ? pools : poolOf(variablesOf(deployment, objects));
      },
    }));
}
