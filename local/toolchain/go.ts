import { tmpdir } from "node:os";
import { join } from "node:path";
import { coerce, gte } from "semver";
import { UserError } from "../../shell/userError";
import { cached, filesBelow } from "../cache";
import { pins } from "../../releases/pins";
import { run } from "../../shell/process";

export interface GoBuild {
  /** Folder that holds `go.mod` and `go.sum` (and our own sources). */
  module: string;
  /** What to build, as `go build` names it: `./node`, or a package of a required module. */
  package: string;
  /** File name of the result. */
  binary: string;
  /** Linker flags beside `-s -w`. */
  ldflags?: string;
  /** Copies files that the build embeds into `folder`, a scratch copy of the module, before the build. */
  prepare?: (folder: string) => Promise<void>;
  onLine?: (line: string) => void;
  signal?: AbortSignal;
}

/**
 * The environment of every Go build here: static binaries, checksums verified, and no edits to go.mod. The compilers are short-lived and
 * collect no garbage below a size that few of them reach: a sixth less processor time.
 */
export const goEnvironment = {
  CGO_ENABLED: "0",
  GOFLAGS: "-buildvcs=false",
  GOWORK: "off",
  GOGC: "off",
  GOMEMLIMIT: "2GiB",
};

/** Version of the Go on PATH, or undefined when there is none. */
export async function installedGo(): Promise<string | undefined> {
  try {
    return /\bgo(\d+\.\d+(\.\d+)?)\b/.exec((await run("go", ["version"])).stdout)?.[1];
  } catch {
    return undefined;
  }
}

/** Whether a Go version may build what is pinned here. */
export const goFits = (version: string | undefined): boolean =>
  version !== undefined && gte(coerce(version) ?? "0.0.0", pins.prerequisites.go);

/** Throws one sentence when there is no Go that can build `what`. */
async function requireGo(what: string): Promise<void> {
  const version = await installedGo();
  if (goFits(version)) return;
  const found = version === undefined ? "Go is not installed" : `Go ${version} is too old`;
  throw new UserError([
    `${what} has to be built here, and ${found}; install Go ${pins.prerequisites.go} or newer, then run the command again.`,
  ]);
}

/** Folder in Go's module cache of a module that `moduleFolder/go.mod` requires; downloads it (checksums verified) when it isn't there. */
export async function goModuleFolder(moduleFolder: string, module: string): Promise<string> {
  const options = { cwd: moduleFolder, env: goEnvironment };
  await run("go", ["mod", "download", module], options);
  const { stdout } = await run("go", ["list", "-mod=mod", "-m", "-f", "{{.Dir}}", module], options);
  return stdout.trim();
}

/** Folder in Go's module cache of a released module; Go verifies its checksum. */
export async function releasedModule(module: string, version: string): Promise<string> {
  const args = ["mod", "download", "-json", `${module}@v${version}`];
  // Outside of any module: a go.mod would be read for what it replaces.
  const { stdout } = await run("go", args, { cwd: tmpdir(), env: goEnvironment });
  return (JSON.parse(stdout) as { Dir: string }).Dir;
}

/** Builds one Go program, or takes it from the cache; returns the binary's path. */
export async function goBuild(build: GoBuild): Promise<string> {
  const inputs = [build.package, build.binary, build.ldflags ?? "", ...(await filesBelow(build.module))];
  const folder = await cached(`go/${build.binary}`, inputs, async (target) => {
    await requireGo(build.binary);
    const source = join(target, "source");
    await run("cp", ["-r", build.module, source]);
    await build.prepare?.(source);
    const ldflags = `-s -w ${build.ldflags ?? ""}`.trim();
    await run(
      "go",
      [
        "build",
        "-mod=mod",
        "-trimpath",
        // The linker would drop it anyway: a quarter less to keep in Go's cache.
        "-gcflags=all=-dwarf=false",
        "-v",
        "-ldflags",
        ldflags,
        "-o",
        join(target, build.binary),
        build.package,
      ],
      {
        cwd: source,
        env: goEnvironment,
        ...(build.onLine && { onLine: build.onLine }),
        ...(build.signal && { signal: build.signal }),
      },
    );
    await run("rm", ["-rf", source]);
  });
  return join(folder, build.binary);
}
