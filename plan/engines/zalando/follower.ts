import { asset } from "../../../shell/asset";
import type { Settings } from "../../../settings/schema";
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

/**
 * The operator mounts the server's volumes in it, too, and puts the superuser's password into its environment, where a variable of the same name is
 * ignored: so the program begins with an environment of its own, and gives up its right to open anything but the logs.
 */
export const follower = ({ images }: Settings) => ({
  name: logsContainer,
  image: images.postgresql,
  command: ["env", "-i", "PATH=/usr/local/bin:/usr/bin:/bin", `LOG=${logFolder}`, "python3", "-c", script],
  resources: { requests: { cpu: "10m", memory: "32Mi" }, limits: { cpu: "100m", memory: "32Mi" } },
});
