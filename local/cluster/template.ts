import { mkdir, rename, rm, stat, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { run, succeeds } from "../../shell/process";
import type { StepContext } from "../../shell/progress";
import { cached, keepNewest } from "../cache";
import { waitFor } from "./wait";

/** Databases of containerd's that change in place; everything else in its root is only ever added or removed. */
const databases = [
  "io.containerd.metadata.v1.bolt/meta.db",
  "io.containerd.snapshotter.v1.overlayfs/metadata.db",
];

/**
 * A containerd root with all images unpacked, made once for a set of image tars.
 *
 * The containerd that fills it dies with this process, and its mounts with its mount namespace.
 */
export async function containerdTemplate(context: StepContext, tars: readonly string[]): Promise<string> {
  const { stdout: version } = await run("containerd", ["--version"]);
  const folder = await cached("containerd", [version, ...[...tars].sort()], async (target) => {
    context.say("unpacking the images once for all nodes");
    const socket = join(target, "socket");
    const config = join(target, "config.toml");
    await mkdir(join(target, "root"));
    await writeFile(
      config,
      `version = 2
root = ${JSON.stringify(join(target, "root"))}
state = ${JSON.stringify(join(target, "state"))}
disabled_plugins = ["io.containerd.grpc.v1.cri"]
[grpc]
  address = ${JSON.stringify(socket)}
[plugins."io.containerd.internal.v1.opt"]
  path = ${JSON.stringify(join(target, "opt"))}
`,
    );
    const stop = new AbortController();
    const daemon = succeeds(
      "setpriv",
      ["--pdeathsig", "KILL", "unshare", "--mount", "--", "containerd", "--config", config],
      { signal: stop.signal },
    );
    try {
      const ctr = ["--address", socket, "--namespace", "k8s.io"];
      await waitFor(() => succeeds("ctr", [...ctr, "version"]), {
        what: "An answer of containerd",
        timeoutMs: 20_000,
      });
      for (const tar of tars) {
        context.detail(`unpacking ${tar}`);
        await run("ctr", [...ctr, "images", "import", tar]);
      }
    } finally {
      stop.abort();
      await daemon;
    }
    for (const name of ["state", "opt", "socket", "socket.ttrpc"]) {
      await rm(join(target, name), { recursive: true, force: true });
    }
  });
  // Gigabytes each, and nodes have links of their own: one for each engine's images is enough.
  await keepNewest("containerd", 3);
  return join(folder, "root");
}

/** Gives a new node its containerd root: files linked where the file system allows it, databases copied. */
export async function copyTemplate(template: string, target: string): Promise<boolean> {
  const there = await stat(target).then(
    () => true,
    () => false,
  );
  if (there) return false;
  const unfinished = `${target}.unfinished`;
  await rm(unfinished, { recursive: true, force: true });
  const linked = await succeeds("cp", ["--archive", "--link", template, unfinished]);
  if (!linked) {
    await rm(unfinished, { recursive: true, force: true });
    await run("cp", ["--archive", template, unfinished]);
  }
  for (const database of databases) {
    await run("cp", ["--remove-destination", join(template, database), join(unfinished, database)]);
  }
  await rename(unfinished, target);
  return true;
}
