import { cpus, loadavg, release, totalmem, type } from "node:os";
import { projectDir } from "../../shell/paths";
import { run } from "../../shell/process";
import { type Environment } from "../e2e/kit/environment";

/** What a figure was measured on. */
export interface Machine {
  cpus: number;
  model: string;
  memoryGiB: number;
  system: string;
  /** Runnable processes in the last minute, before the measurement began. */
  load: number;
  versions: Record<string, string>;
}

export async function describeMachine(env: Environment): Promise<Machine> {
  const git = (args: readonly string[]) =>
    run("git", args, { cwd: projectDir, allowFailure: true }).then(({ stdout }) => stdout.trim());
  const commit = await git(["rev-parse", "--short", "HEAD"]);
  const changed = (await git(["status", "--porcelain", "--untracked-files=no"])) !== "";
  const { stdout } = await env.kubectl.run(["version", "-o", "json"]);
  const { serverVersion } = JSON.parse(stdout) as { serverVersion?: { gitVersion?: string } };
  const primary = await env.cluster.primary();
  return {
    cpus: cpus().length,
    model: (cpus()[0]?.model ?? "unknown processor").replace(/\s+/g, " ").trim(),
    memoryGiB: totalmem() / 2 ** 30,
    system: `${type()} ${release()}`,
    load: loadavg()[0] ?? 0,
    versions: {
      project: `${commit}${changed ? " (changed)" : ""}`,
      Kubernetes: serverVersion?.gitVersion ?? "unknown",
      ...env.cluster.kit.versions,
      PostgreSQL: (await env.cluster.value(primary, "show server_version")).split(" ")[0] ?? "unknown",
      Node: process.version,
    },
  };
}
