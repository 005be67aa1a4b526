import { chmod, rm } from "node:fs/promises";
import { arch, platform } from "node:os";
import { join } from "node:path";
import { coerce, satisfies } from "semver";
import { pins } from "../../releases/pins";
import { run } from "../../shell/process";
import { UserError } from "../../shell/userError";
import { cached } from "../cache";
import { downloadRelease } from "./download";

/** `promtool` and `amtool`, which read rules and routes as Prometheus and Alertmanager do: what tests and checks of both ask. */

type Tool = "promtool" | "amtool";

interface Origin {
  /** Name of the released files, and of the repository below prometheus/. */
  readonly project: "prometheus" | "alertmanager";
  readonly version: string;
  /** What a copy on PATH must satisfy: another minor version may read an expression in another way. */
  readonly range: string;
  /** Debian's package of it. */
  readonly debian: string;
}

const origins: Readonly<Record<Tool, Origin>> = {
  promtool: {
    project: "prometheus",
    version: pins.monitoring.prometheus,
    range: "~2.53",
    debian: "promtool",
  },
  amtool: {
    project: "alertmanager",
    version: pins.monitoring.alertmanager,
    range: "~0.28",
    debian: "prometheus-alertmanager",
  },
};

async function versionOf(program: string): Promise<string | undefined> {
  const answer = await run(program, ["--version"], { timeoutMs: 20_000 }).catch(() => undefined);
  return coerce(/version (\S+)/.exec(`${answer?.stdout}${answer?.stderr}`)?.[1])?.version;
}

async function fromRelease(tool: Tool, folder: string): Promise<void> {
  const { project, version } = origins[tool];
  const name = `${project}-${version}.${platform()}-${arch() === "x64" ? "amd64" : arch()}`;
  const base = `https://github.com/prometheus/${project}/releases/download/v${version}`;
  const file = join(folder, ".download");
  await downloadRelease({ url: `${base}/${name}.tar.gz`, checksumsUrl: `${base}/sha256sums.txt` }, file);
  await run("tar", [
    "--no-same-owner",
    "-xzf",
    file,
    "-C",
    folder,
    "--strip-components=1",
    `${name}/${tool}`,
  ]);
  await rm(file);
}

/** Out of Debian's package, whose signature apt verifies; nothing of it is installed on the machine. */
async function fromDebian(tool: Tool, folder: string): Promise<void> {
  const layer = join(folder, ".layer.tar");
  await run("mmdebstrap", [
    "--quiet",
    "--variant=extract",
    "--components=main",
    `--include=${origins[tool].debian}`,
    pins.debian,
    layer,
  ]);
  const path = `./usr/bin/${tool}`;
  await run("tar", ["--no-same-owner", "-xf", layer, "-C", folder, "--strip-components=3", path]);
  await rm(layer);
}

async function obtain(tool: Tool, folder: string): Promise<void> {
  const { range, version } = origins[tool];
  const reasons: string[] = [];
  for (const way of [fromRelease, fromDebian]) {
    try {
      await way(tool, folder);
      await chmod(join(folder, tool), 0o755);
      const found = await versionOf(join(folder, tool));
      if (found !== undefined && satisfies(found, range)) return;
      reasons.push(`${way === fromRelease ? "the release" : "Debian's"} is ${found ?? "of no version"}`);
    } catch (error) {
      reasons.push((error as Error).message);
    }
  }
  throw new UserError([
    `${tool} ${version} can't be had: ${reasons.join("; and ")}. Fix: let this machine reach one of them (HTTPS_PROXY and NO_PROXY count, PGP_MIRROR names a mirror), or have ${tool} ${range} on PATH.`,
  ]);
}

/** The program's name where PATH has one that fits; else the path of one in the cache. */
async function tool(name: Tool): Promise<string> {
  const { version, range, debian } = origins[name];
  const found = await versionOf(name);
  if (found !== undefined && satisfies(found, range)) return name;
  const inputs = [version, range, debian, pins.debian, platform(), arch()];
  return join(await cached(`tools/${name}`, inputs, (folder) => obtain(name, folder)), name);
}

export const promtool = (): Promise<string> => tool("promtool");
export const amtool = (): Promise<string> => tool("amtool");
