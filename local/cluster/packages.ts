import { constants } from "node:fs";
import { access, readFile } from "node:fs/promises";
import { delimiter, join } from "node:path";
import { run } from "../../shell/process";
import type { StepContext } from "../../shell/progress";

/** Something the built-in cluster needs from the machine, and the Debian package that brings it. */
interface Requirement {
  /** A command on PATH, or an absolute path of a file. */
  needs: string;
  package: string;
}

export const requirements: readonly Requirement[] = [
  { needs: "containerd", package: "containerd" },
  { needs: "ctr", package: "containerd" },
  { needs: "runc", package: "runc" },
  { needs: "/usr/lib/cni/bridge", package: "containernetworking-plugins" },
  { needs: "/usr/lib/cni/host-local", package: "containernetworking-plugins" },
  { needs: "nft", package: "nftables" },
  { needs: "ip", package: "iproute2" },
  { needs: "nsenter", package: "util-linux" },
  { needs: "openssl", package: "openssl" },
  { needs: "mmdebstrap", package: "mmdebstrap" },
  { needs: "/usr/share/keyrings/debian-archive-keyring.gpg", package: "debian-archive-keyring" },
];

/** System commands live here even where PATH doesn't say so. */
const systemFolders = ["/usr/local/sbin", "/usr/sbin", "/sbin", "/usr/local/bin", "/usr/bin", "/bin"];

async function isThere(needs: string): Promise<boolean> {
  const folders = [...(process.env.PATH ?? "").split(delimiter), ...systemFolders];
  const candidates = needs.startsWith("/") ? [needs] : folders.map((folder) => join(folder, needs));
  for (const path of candidates) {
    const found = await access(path, constants.R_OK).then(
      () => true,
      () => false,
    );
    if (found) return true;
  }
  return false;
}

/**
 * Debian packages that bring what this machine lacks, each once.
 *
 * `containerd` is never among them when a containerd is there: Debian's package would remove one from another source.
 */
export async function missingPackages(
  present: (needs: string) => Promise<boolean> = isThere,
): Promise<string[]> {
  const keepContainerd = await present("containerd");
  const missing = new Set<string>();
  for (const requirement of requirements) {
    if (await present(requirement.needs)) continue;
    if (requirement.package === "containerd" && keepContainerd) continue;
    missing.add(requirement.package);
  }
  return [...missing];
}

/** Installs Debian packages with apt; says which before it starts. */
export async function installPackages(context: StepContext, names: readonly string[]): Promise<void> {
  if (names.length === 0) return;
  const list = names.join(" ");
  const release = await readFile("/etc/os-release", "utf8").catch(() => "");
  if (!/^ID(_LIKE)?=.*\b(debian|ubuntu)\b/m.test(release)) {
    throw new Error(`This machine runs neither Debian nor Ubuntu: install what brings ${list} yourself.`);
  }
  if (process.getuid?.() !== 0) {
    throw new Error(
      `Packages are missing and only root can install them: run "apt-get install ${list}" as root.`,
    );
  }
  context.say(`installing Debian packages: ${list}`);
  const options = {
    env: { DEBIAN_FRONTEND: "noninteractive" },
    onLine: (line: string) => context.detail(line),
  };
  await run("apt-get", ["update", "-q"], options);
  await run("apt-get", ["install", "-q", "-y", "--no-install-recommends", ...names], options);
}
