import { createHash } from "node:crypto";
import type { Settings } from "../../../settings/schema";
import { copyMinutes, dataBytes } from "../../../settings/sums/sizes";
import type { Plan } from "../../plan";
import type { KubernetesObject, PlannedObject } from "../../objects";
import type { Endpoint, Pods } from "../../network";
import {
  clusterLabel,
  durabilityAnnotation,
  drainsAnnotation,
  poolerTlsNames,
  secretNames,
  serviceHost,
  tlsNames,
} from "../../names";
import { creationMinutes } from "../../backup/restore";
import { archiveIdToken, storesOf } from "../../backup/store";
import { credentialsOf, enginePasswords, poolerLookup } from "../../postgres/roles";
import { exporterFiles } from "../../monitoring/exporterContainer";
import { poolerLoginQuery } from "../../postgres/sql/lookup";
import { tlsOf } from "../../tls";
import { scriptFiles } from "../../postgres/sql/scripts";
import { accessRules, configurationFiles } from "./configuration";
import { backupCredentials, backupFlows, backupObjects, backupSql } from "./backup";
import { names, paths, podLabels, ports, serverAnnotation } from "./names";
import { parametersOf } from "./parameters";
import { podTemplate } from "./pod";
import type { Server } from "./resources";

const START_MINUTES = 20;

/** Volumes by their ids, with their sizes. */
const volumeSizes = ({ storage }: Settings["cluster"]): [id: "data" | "wal" | "archive", size: string][] => [
  ["data", storage.size],
  ...(storage.walSize === undefined ? [] : [["wal", storage.walSize] as ["wal", string]]),
  ["archive", storage.archiveSize ?? storage.size],
];

/** What the StatefulSet says of the server's configuration. */
function serverOf(
  settings: Settings,
  parameters: Server["parameters"],
  rules: Server["hostBasedAccess"],
): Server {
  const { storage, ...cluster } = settings.cluster;
  const volume = (size: string) => ({ size, ...(storage.class !== undefined && { class: storage.class }) });
  return {
    version: cluster.postgresVersion,
    parameters,
    hostBasedAccess: rules,
    data: volume(storage.size),
    ...(storage.walSize !== undefined && { log: volume(storage.walSize) }),
  };
}

export function plan(settings: Settings): Plan {
  const { cluster } = settings;
  const { name, namespace } = cluster;
  const parameters = parametersOf(settings);
  const files = {
    config: configurationFiles(settings, parameters),
    sql: scriptFiles(settings, backupSql(settings)),
  };
  // In both, since each is mounted by itself: what is loaded belongs together when they agree.
  const version = createHash("sha256").update(JSON.stringify(files)).digest("hex").slice(0, 16);
  const labels = { [clusterLabel]: name };
  const selector = podLabels(name);

  const object = (
    apiVersion: string,
    kind: string,
    objectName: string,
    rest: Record<string, unknown>,
    annotations?: Record<string, string>,
  ): KubernetesObject => ({
    apiVersion,
    kind,
    metadata: { name: objectName, namespace, labels, ...(annotations && { annotations }) },
    ...rest,
  });

  /** The only pod is what its clients want, ready or not: an exporter that fails must not cut them off. */
  const service = (
    objectName: string,
    port: keyof typeof ports,
    rest: object = {},
    annotations?: Record<string, string>,
  ) =>
    object(
      "v1",
      "Service",
      objectName,
      {
        spec: {
          type: "ClusterIP",
          selector,
          publishNotReadyAddresses: true,
          ports: [{ name: port, port: ports[port], targetPort: port, protocol: "TCP" }],
          ...rest,
        },
      },
      annotations,
    );

  const statefulSet = object(
    "apps/v1",
    "StatefulSet",
    name,
    {
      spec: {
        replicas: cluster.instances,
        // A change recreates a pod that isn't ready, and may fix it.
        podManagementPolicy: "Parallel",
        serviceName: names.headless(name),
        selector: { matchLabels: selector },
        template: podTemplate(settings, parameters),
      },
    },
    {
      [durabilityAnnotation]: cluster.durability,
      ...(cluster.drains === "wait" && { [drainsAnnotation]: cluster.drains }),
      [serverAnnotation]: JSON.stringify(serverOf(settings, parameters, accessRules(settings))),
    },
  );

  const claims = volumeSizes(cluster).map(([id, size]): PlannedObject => ({
    id,
    stage: 0,
    object: object(
      "v1",
      "PersistentVolumeClaim",
      names[id](name),
      {
        spec: {
          accessModes: ["ReadWriteOnce"],
          ...(cluster.storage.class !== undefined && { storageClassName: cluster.storage.class }),
          resources: { requests: { storage: size } },
        },
      },
      // Many classes make a volume only when a pod wants it.
      { "pulumi.com/skipAwait": "true" },
    ),
    leave: { fields: ["spec.storageClassName"], to: "the volume, which stays where it is" },
  }));

  const endpoint: Endpoint = { service: name, host: serviceHost(name, namespace), port: ports.postgres };
  const credentials = [...credentialsOf(settings, labels), ...backupCredentials(settings, labels)];
  const pods: Pods = { kind: "pods", name: "instances", namespace, labels: selector };
  return {
    objects: [
      ...claims,
      {
        id: "config",
        stage: 0,
        object: object("v1", "ConfigMap", names.config(name), {
          data: {
            ...files.config,
            version,
            ...(storesOf(settings).length > 0 && { archiveId: archiveIdToken }),
          },
        }),
      },
      {
        id: "sql",
        stage: 0,
        object: object("v1", "ConfigMap", names.sql(name), { data: { ...files.sql, version } }),
      },
      {
        id: "queries",
        stage: 0,
        object: object("v1", "ConfigMap", names.queries(name), {
          data: exporterFiles(settings, ports.metrics),
        }),
      },
      { id: "pods", stage: 0, object: service(names.headless(name), "postgres", { clusterIP: "None" }) },
      {
        id: "server",
        stage: 1,
        object: statefulSet,
        timeoutMinutes: copyMinutes(dataBytes(cluster), START_MINUTES),
        createMinutes: creationMinutes(settings, START_MINUTES),
      },
      ...(cluster.drains === "wait"
        ? [
            {
              id: "disruption-budget",
              stage: 0,
              object: object("policy/v1", "PodDisruptionBudget", name, {
                spec: {
                  minAvailable: 1,
                  selector: { matchLabels: selector },
                  unhealthyPodEvictionPolicy: "AlwaysAllow",
                },
              }),
            },
          ]
        : []),
      // A Service counts as ready when it has a pod, so that it waits with the StatefulSet.
      { id: "service", stage: 1, object: service(name, "postgres") },
      {
        id: "metrics",
        stage: 1,
        object: service(
          names.metrics(name),
          "metrics",
          {},
          {
            "prometheus.io/scrape": "true",
            "prometheus.io/port": String(ports.metrics),
            "prometheus.io/path": "/metrics",
          },
        ),
      },
      ...backupObjects(settings),
    ],
    credentials,
    passwords: {
      secretName: secretNames.passwords(name),
      labels,
      keys: enginePasswords(credentials),
      why: "the passwords that the server's own pod sets, by role",
    },
    loaded: {
      container: "config-reloader",
      file: `${paths.state}/version`,
      version,
      ...(storesOf(settings).length > 0 && { archiveId: `${paths.config}/archiveId` }),
    },
    endpoints: { primary: endpoint, standbys: endpoint, any: endpoint },
    tls: tlsOf(settings, [...tlsNames(name, namespace), ...poolerTlsNames(settings)]),
    pods,
    ports,
    poolerLogin: { role: poolerLookup(settings), database: "postgres", query: poolerLoginQuery },
    flows: backupFlows(settings, pods),
  };
}
