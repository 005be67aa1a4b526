import { spawn, type ChildProcess } from "node:child_process";
import { once } from "node:events";
import { findSwitch } from "../../../local/cluster/network";
import { nodes, settings } from "../../../local/cluster/settings";
import { run, succeeds } from "../../../shell/process";
import { type End } from "./matrix";
import { until } from "./wait";

/**
 * A stand-in for the Internet: an address on the built-in cluster's switch, which is that of no pod, Service or node, and of no API server. A process listens
 * there; at its other ports the kernel refuses.
 */

const ADDRESS = "198.18.250.200";
const PORT = 443;
const LINK = "bridge";

const listener = `import socket
server = socket.create_server(("${ADDRESS}", ${PORT}))
while True:
    server.accept()[0].close()`;

/** Where to, and how it ends. */
export interface Outside {
  readonly end: End;
  remove(): Promise<void>;
}

/** Gives the switch its address, with the ways back to the pods, which nothing else there needs. */
export async function makeOutside(): Promise<Outside> {
  const pid = await findSwitch();
  if (pid === undefined) throw new Error("the built-in cluster's switch doesn't run");
  const enter = `--net=/proc/${pid}/ns/net`;
  const own = [`address ${ADDRESS}/${settings.nodeNetworkBits} dev ${LINK}`];
  const routes = nodes.map(({ podRange, address }) => `route ${podRange} via ${address}`);
  const batch = (verb: "replace" | "delete", lines: readonly string[]) =>
    run("nsenter", [enter, "ip", "-force", "-batch", "-"], {
      input: lines.map((line) => line.replace(" ", ` ${verb} `)).join("\n") + "\n",
      allowFailure: verb === "delete",
    });
  let child: ChildProcess | undefined;
  const remove = async () => {
    if (child !== undefined && child.exitCode === null && child.signalCode === null) {
      child.kill("SIGKILL");
      await once(child, "exit");
    }
    await batch("delete", [...routes, ...own]);
  };
  try {
    await batch("replace", [...own, ...routes]);
    // nsenter becomes Python: the child is the listener itself.
    child = spawn("nsenter", [enter, "python3", "-c", listener], { stdio: "ignore" });
    await until("the stand-in for the Internet listens", 20, async () =>
      (await succeeds("nsenter", [enter, "bash", "-c", `</dev/tcp/${ADDRESS}/${PORT}`]))
        ? { done: undefined }
        : { why: "no connection" },
    );
  } catch (error) {
    await remove();
    throw error;
  }
  return {
    end: { name: "the Internet", kind: "outside", address: ADDRESS, listens: { TCP: [PORT], UDP: [] } },
    remove,
  };
}
