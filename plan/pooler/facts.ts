import type { Pool, PoolerFacts } from "../engines/reader";
import type { Labels } from "../network";
import { type KubernetesObject, namespaceOf } from "../objects";
import { type Spreading, spreadsOverHosts } from "./spread";

/** Reads what rendered PgBouncers claim out of their Deployments and the `pgbouncer.ini` that these mount. */

interface PodSpec extends Spreading {
  containers?: { name?: string; image?: string }[];
  volumes?: { configMap?: { name?: string } }[];
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

/** A pod of PgBouncer says so by its label; a foreign one by its container's name. */
function runsPgbouncer({ spec }: Deployment): boolean {
  const { metadata, spec: pod } = spec?.template ?? {};
  return (
    metadata?.labels?.["app.kubernetes.io/name"] === "pgbouncer" ||
    (pod?.containers ?? []).some(({ name }) => name === "pgbouncer")
  );
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
    const perRole = Number(parts.pool_size ?? pgbouncer.default_pool_size ?? 20);
    const most = Number(parts.max_db_connections ?? pgbouncer.max_db_connections ?? 0);
    return {
      database,
      service: (parts.host ?? "").split(".")[0] ?? "",
      perRole,
      ...(most > 0 && { inAll: most }),
    };
  });
}

function configurationOf(deployment: Deployment, objects: readonly KubernetesObject[]): string {
  const mounted = (deployment.spec?.template?.spec?.volumes ?? []).map(({ configMap }) => configMap?.name);
  for (const object of objects) {
    if (object.kind !== "ConfigMap" || namespaceOf(object) !== namespaceOf(deployment)) continue;
    if (!mounted.includes(object.metadata.name)) continue;
    const ini = (object.data as Record<string, string> | undefined)?.["pgbouncer.ini"];
    if (ini !== undefined) return ini;
  }
  return "";
}

/** Every Deployment of PgBouncer among the objects of a stack. */
export function pgbouncerFacts(objects: readonly KubernetesObject[]): PoolerFacts[] {
  return objects
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
              namespaceOf(autoscaler) === namespaceOf(deployment) &&
              autoscaler.spec?.scaleTargetRef?.kind === "Deployment" &&
              autoscaler.spec.scaleTargetRef.name === deployment.metadata.name,
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
        return spreadsOverHosts(deployment.spec?.template?.spec);
      },
      get pools() {
        return poolsOf(configurationOf(deployment, objects));
      },
    }));
}
