import { asset } from "../../shell/asset";
import type { Settings } from "../../settings/schema";
import { exporterResources, hardened } from "../containers";
import type { Variable } from "../objects";
import { exporterArguments, exporterQueries } from "./exporterQueries";

/** postgres_exporter's container, for engines whose instances have no metrics of their own. */

const volume = "queries";
const folder = "/queries";

/** Its ConfigMap's content. A change restarts the program, and neither container nor pod. */
export const exporterFiles = (settings: Settings, port: number): Record<string, string> => ({
  arguments: exporterArguments(settings, port, `${folder}/queries.yaml`)
    .map((one) => `${one}\n`)
    .join(""),
  "queries.yaml": exporterQueries(settings),
  "exporter.sh": asset(__dirname, "exporter.sh"),
});

export const exporterVolume = (configMap: string) => ({
  name: volume,
  configMap: { name: configMap, defaultMode: 0o444 },
});

/** `env` says which server it asks, as which role. */
export const exporterContainer = (
  settings: Settings,
  port: number,
  env: readonly Variable[],
  mounts: readonly object[],
  user: { readonly runAsUser?: number; readonly runAsGroup?: number } = {},
) => ({
  name: "exporter",
  image: settings.images.postgresExporter,
  imagePullPolicy: "IfNotPresent",
  command: ["/bin/sh", `${folder}/exporter.sh`],
  env,
  ports: [{ name: "metrics", containerPort: port, protocol: "TCP" }],
  resources: exporterResources(settings, 64, "100m"),
  securityContext: { ...hardened, ...user },
  readinessProbe: { tcpSocket: { port: "metrics" }, periodSeconds: 10 },
  volumeMounts: [{ name: volume, mountPath: folder, readOnly: true }, ...mounts],
});
