import type { Resources } from "../reader";
import { isRecord } from "../../../settings/record";
import type { KubernetesObject } from "../../objects";
import { roleLabel, serverContainer as serverContainerName } from "../../names";
import { baseBackupRole, serverAnnotation } from "./names";

interface Volume {
  /** As a Kubernetes quantity. */
  readonly size: string;
  /** @default - the Kubernetes cluster's default class */
  readonly class?: string;
}

/** What a StatefulSet of this engine says of its server: its configuration is in other objects. */
export interface Server {
  /** Major version of PostgreSQL. */
  readonly version: string;
  readonly parameters: Readonly<Record<string, string>>;
  readonly hostBasedAccess: readonly string[];
  readonly data: Volume;
  /** The WAL volume. */
  readonly log?: Volume;
}

interface Container {
  name?: string;
  image?: string;
  env?: readonly { readonly name: string; readonly value?: string }[];
  resources?: Partial<Resources>;
}

/** The fields of a StatefulSet that are read here. */
export interface StatefulSet extends KubernetesObject {
  metadata: KubernetesObject["metadata"] & { generation?: number };
  spec?: {
    replicas?: number;
    updateStrategy?: { rollingUpdate?: { partition?: number } };
    template?: {
      metadata?: { labels?: Record<string, string> };
      spec?: {
        containers?: Container[];
        initContainers?: Container[];
        volumes?: { name: string; secret?: { secretName?: string } }[];
      };
    };
  };
  status?: {
    observedGeneration?: number;
    readyReplicas?: number;
    currentRevision?: string;
    updateRevision?: string;
  };
}

/** StatefulSets of other makers aren't this engine's: only the annotation tells. */
export const isServer = (object: KubernetesObject): object is StatefulSet =>
  object.apiVersion === "apps/v1" &&
  object.kind === "StatefulSet" &&
  object.metadata.annotations?.[serverAnnotation] !== undefined;

/** What it says may have any form where others made it. */
function said(text: string): Partial<Record<keyof Server, unknown>> {
  try {
    const value: unknown = JSON.parse(text);
    return isRecord(value) ? value : {};
  } catch {
    return {};
  }
}

export function serverOf({ metadata }: KubernetesObject): Server {
  const { parameters, hostBasedAccess, ...rest } = said(metadata.annotations?.[serverAnnotation] ?? "{}");
  return {
    version: "",
    data: { size: "" },
    ...(rest as Partial<Server>),
    parameters: Object.fromEntries(
      Object.entries(isRecord(parameters) ? parameters : {}).map(([name, value]) => [name, String(value)]),
    ),
    hostBasedAccess: Array.isArray(hostBasedAccess) ? hostBasedAccess.map(String) : [],
  };
}

export const serverContainer = ({ spec }: StatefulSet) =>
  spec?.template?.spec?.containers?.find(({ name }) => name === serverContainerName);

interface CronJob extends KubernetesObject {
  spec?: { schedule?: string; suspend?: boolean };
}

interface Job extends KubernetesObject {
  status?: {
    failed?: number;
    conditions?: readonly { type: string; status: string; reason?: string; message?: string }[];
  };
}

const makesBaseBackups = (object: KubernetesObject, kind: string): boolean =>
  object.apiVersion === "batch/v1" &&
  object.kind === kind &&
  object.metadata.labels?.[roleLabel] === baseBackupRole;

/** The schedule of base backups. */
export const isBaseBackups = (object: KubernetesObject): object is CronJob =>
  makesBaseBackups(object, "CronJob");

/** What makes one. */
export const isBaseBackup = (object: KubernetesObject): object is Job => makesBaseBackups(object, "Job");
