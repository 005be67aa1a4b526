import { join } from "node:path";
import { cached, filesBelow } from "../cache";
import { run } from "../../operations/process";

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

/** The environment of every Go build here: static binaries, checksums verified, and no edits to go.mod. */
export const goEnvironment = { CGO_ENABLED: "0", GOFLAGS: "-buildvcs=false", GOWORK: "off" };

/** Folder in Go's module cache of a module that `moduleFolder/go.mod` requires; downloads it (checksums verified) when it isn't there. */
export async function goModuleFolder(moduleFolder: string, module: string): Promise<string> {
  const options = { cwd: moduleFolder, env: goEnvironment };
  await run("go", ["mod", "download", module], options);
  const { stdout } = await run("go", ["list", "-mod=mod", "-m", "-f", "{{.Dir}}", module], options);
  return stdout.trim();
}

/** Builds one Go program, or takes it from the cache; returns the binary's path. */
export async function goBuild(build: GoBuild): Promise<string> {
  const inputs = [build.package, build.binary, build.ldflags ?? "", ...(await filesBelow(build.module))];
  const folder = await cached(`go/${build.binary}`, inputs, async (target) => {
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
