import { asset } from "../../../shell/asset";
import type { Settings } from "../../../settings/schema";
import { environment } from "../../containers";
import { serverContainer } from "../../names";
import { logsContainer } from "./logs";

/** The container that prints what PostgreSQL's collector writes into files. */

export const logFolder = "/run/postgresql-log";

const script = asset(__dirname, "follow.py");

/** Shared by the server, whose collector writes there, and the follower, which deletes; on the node, so that a log can't fill the data volume. */
export const logVolume = {
  name: "log",
  mountPath: logFolder,
  targetContainers: [serverContainer, logsContainer],
  volumeSource: { emptyDir: {} },
};

/** The operator mounts the server's volumes in it, too, and gives it the superuser's password: it reads neither. */
export const follower = ({ images }: Settings) => ({
  name: logsContainer,
  image: images.postgresql,
  command: ["python3", "-c", script],
  env: environment({ LOG: logFolder }),
  resources: { requests: { cpu: "10m", memory: "32Mi" }, limits: { cpu: "100m", memory: "32Mi" } },
});
