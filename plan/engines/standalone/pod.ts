import { createHash } from "node:crypto";
import type { Settings } from "../../../settings/schema";
import { memoryOf } from "../../../settings/sums/memory";
import { stopSeconds } from "../../../settings/sums/sizes";
import { originOf } from "../../backup/restore";
import { exporterContainer, exporterVolume } from "../../monitoring/exporterContainer";
import { podsRole } from "../../backup/role";
import { environment, hardened, restrictedPod, tmpMount, tmpVolume } from "../../containers";
import { roles, secretNames, serviceHost, serverContainer as serverContainerName } from "../../names";
import { archiveStore, asServer, podParts } from "./store";
import { runScript, storeScript, SUPERUSER } from "./configuration";
import { serverSecret } from "../../tls";
import { names, paths, podLabels, ports } from "./names";
import { restartParameters } from "./parameters";
import { server } from "./image";

/** The server's pod. */

/** Number of `nobody` in the exporter's image. */
const EXPORTER_USER = 65534;
/** How long a checkpoint and a fast shutdown may take before the server is killed and has to recover. */
const STOP_SECONDS = 120;
/** How long a server may take to recover, or to wait for another pod's last process, before its container is recreated. */
const START_SECONDS = 3600;

const superuserLogin = { PGHOST: paths.socket, PGUSER: SUPERUSER };

/** Exit status 0: takes sessions; 1: is up and takes none yet or no more; others: no answer. */
const ask = `pg_isready --quiet --host=${paths.socket}`;
const shell = (command: string) => ({ exec: { command: ["/bin/bash", "-c", command] } });

function serverContainer(settings: Settings) {
  const { cluster, images } = settings;
  const { server } = podParts(settings);
  return {
    name: serverContainerName,
    image: images.postgresql,
    imagePullPolicy: "IfNotPresent",
    command: ["/bin/bash", `${paths.config}/run.sh`],
    env: [
      ...environment({
        PGDATA: paths.data,
        WAL_VOLUME: cluster.storage.walSize === undefined ? "" : paths.wal,
        ARCHIVE_VOLUME: paths.archive,
        CONFIG: paths.config,
        LOG: paths.log,
        SOCKET: paths.socket,
        LANG: "C.UTF-8",
      }),
      ...server.env,
    ],
    ports: [{ name: "postgres", containerPort: ports.postgres, protocol: "TCP" }],
    resources: cluster.resources,
    securityContext: hardened,
    // A server that recovers has started.
    startupProbe: {
      ...shell(`${ask}; [ $? -le 1 ]`),
      periodSeconds: 1,
      timeoutSeconds: 5,
      failureThreshold: START_SECONDS,
    },
    readinessProbe: { ...shell(ask), periodSeconds: 5, timeoutSeconds: 5, failureThreshold: 2 },
    // A server that recovers is alive.
    livenessProbe: {
      ...shell(`${ask}; [ $? -le 1 ]`),
      periodSeconds: 10,
      timeoutSeconds: 10,
      failureThreshold: 6,
    },
    lifecycle: {
      // What is on the disk already needn't be written while no session is served; SIGTERM then is a fast shutdown.
      preStop: shell(`psql -X -w -q --host=${paths.socket} --dbname=postgres --command=CHECKPOINT || true`),
    },
    volumeMounts: [
      { name: "data", mountPath: paths.volume },
      ...(cluster.storage.walSize === undefined ? [] : [{ name: "wal", mountPath: paths.wal }]),
      { name: "archive", mountPath: paths.archive },
      { name: "config", mountPath: paths.config, readOnly: true },
      { name: "tls", mountPath: paths.tls, readOnly: true },
      ...server.mounts,
      { name: "socket", mountPath: paths.socket },
      { name: "log", mountPath: paths.log },
      tmpMount,
      { name: "shm", mountPath: "/dev/shm" },
    ],
  };
}

/**
 * Applies what changes in the mounted files, and watches the archive; the pod is ready once it has, and, where the archive is its volume
 * alone, while WAL is archived. The watcher checks the store: the pod, and every update of it, doesn't wait for one that is away.
 */
function configReloaderContainer(settings: Settings) {
  const { cluster, images } = settings;
  const host = serviceHost(cluster.name, cluster.namespace);
  const marks = ["applied", ...(archiveStore(settings) === undefined ? ["archiving"] : [])];
  return {
    name: "config-reloader",
    image: images.postgresql,
    imagePullPolicy: "IfNotPresent",
    command: ["/bin/bash", `${paths.config}/keep.sh`],
    env: environment({
      ...superuserLogin,
      APPLY_LOGIN: `host=${host} hostaddr=127.0.0.1 port=${ports.postgres} sslmode=verify-full sslrootcert=${paths.tls}/ca.crt`,
      CONFIG: paths.config,
      TLS: paths.tls,
      SQL: paths.sql,
      PASSWORDS: paths.passwords,
      LOG: paths.log,
      STATE: paths.state,
      ARCHIVE_VOLUME: paths.archive,
      LANG: "C.UTF-8",
    }),
    resources: { requests: { cpu: "10m", memory: "64Mi" }, limits: { cpu: "500m", memory: "64Mi" } },
    securityContext: hardened,
    readinessProbe: {
      ...shell(marks.map((mark) => `test -e ${paths.state}/${mark}`).join(" && ")),
      periodSeconds: 5,
      timeoutSeconds: 5,
    },
    volumeMounts: [
      { name: "archive", mountPath: paths.archive },
      { name: "config", mountPath: paths.config, readOnly: true },
      { name: "tls", mountPath: paths.tls, readOnly: true },
      { name: "sql", mountPath: paths.sql, readOnly: true },
      { name: "passwords", mountPath: paths.passwords, readOnly: true },
      { name: "socket", mountPath: paths.socket },
      { name: "log", mountPath: paths.log },
      { name: "state", mountPath: paths.state },
      tmpMount,
    ],
  };
}

/** Comes over the socket as a user of the system that may be its role and nothing else: there is no password to keep. */
const exporter = (settings: Settings) =>
  exporterContainer(
    settings,
    ports.metrics,
    environment({
      DATA_SOURCE_NAME: `host=${paths.socket} user=${roles.metrics} dbname=postgres sslmode=disable`,
    }),
    [{ name: "socket", mountPath: paths.socket }],
    { runAsUser: EXPORTER_USER, runAsGroup: EXPORTER_USER },
  );

function volumes(settings: Settings) {
  const { cluster } = settings;
  const claim = (name: string, claimName: string) => ({ name, persistentVolumeClaim: { claimName } });
  // Readable by the pod's group alone.
  const secret = (name: string, secretName: string) => ({ name, secret: { secretName, defaultMode: 0o440 } });
  const configMap = (name: string, of: string) => ({ name, configMap: { name: of, defaultMode: 0o444 } });
  const memory = (name: string, size?: string) => ({
    name,
    emptyDir: { medium: "Memory", ...(size !== undefined && { sizeLimit: size }) },
  });
  return [
    claim("data", names.data(cluster.name)),
    ...(cluster.storage.walSize === undefined ? [] : [claim("wal", names.wal(cluster.name))]),
    claim("archive", names.archive(cluster.name)),
    configMap("config", names.config(cluster.name)),
    configMap("sql", names.sql(cluster.name)),
    exporterVolume(names.queries(cluster.name)),
    secret("tls", serverSecret(settings)),
    secret("passwords", secretNames.passwords(cluster.name)),
    { name: "socket", emptyDir: { sizeLimit: "1Mi" } },
    { name: "log", emptyDir: {} },
    { name: "state", emptyDir: { sizeLimit: "1Mi" } },
    tmpVolume(),
    ...podParts(settings).volumes,
    // Parallel queries meet there; it counts as the server's memory.
    memory("shm"),
  ];
}

/** Changes when only a new server process would take the change. */
const restartDigest = (settings: Settings, parameters: Readonly<Record<string, string>>): string =>
  createHash("sha256")
    .update(
      JSON.stringify([
        restartParameters(settings, parameters),
        runScript,
        ...(podParts(settings).initContainers.length > 0 ? [storeScript] : []),
      ]),
    )
    .digest("hex");

export function podTemplate(settings: Settings, parameters: Readonly<Record<string, string>>) {
  const { initContainers } = podParts(settings);
  // The server asks the archiver for what it needs of a store.
  const { annotations, account } = podsRole(
    settings,
    [serverContainerName, "config-reloader", "exporter"],
    [archiveStore(settings), originOf(settings)],
  );
  return {
    metadata: {
      labels: { ...settings.labels, ...podLabels(settings.cluster.name) },
      annotations: { "pgplatform.io/restarts-with": restartDigest(settings, parameters), ...annotations },
    },
    spec: {
      ...account,
      ...restrictedPod(
        settings,
        server,
        stopSeconds(memoryOf(settings.cluster).sharedBuffers, STOP_SECONDS),
        settings.cluster.scheduling,
      ),
      securityContext: asServer(settings),
      ...(initContainers.length > 0 && { initContainers }),
      containers: [serverContainer(settings), configReloaderContainer(settings), exporter(settings)],
      volumes: volumes(settings),
    },
  };
}
