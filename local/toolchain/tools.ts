import { chmod, copyFile, mkdir, readFile, rm, writeFile } from "node:fs/promises";
import { arch, homedir, platform } from "node:os";
import { dirname, join } from "node:path";
import { satisfies } from "semver";
import { cacheDir, exists } from "../../shell/paths";
import { type StepContext } from "../../shell/progress";
import { run } from "../../shell/process";
import { UserError } from "../../shell/userError";
import { cached, filesBelow, keyOf } from "../cache";
import { buildKubectl } from "../kubernetes/build";
import { pins } from "../../releases/pins";
import { type Algorithm, downloadRelease, type Release } from "./download";
import { goBuild, goModuleFolder } from "./go";

/** A way to have one tool's files in a folder of their own. */
interface Tool {
  /** Names of the programs that it brings. */
  programs: string[];
  /** Version of the copy that the machine already has, if any. */
  installed(): Promise<string | undefined>;
  /** Whether that version is good enough. */
  fits(version: string): boolean;
  release: Release;
  /** Turns the downloaded file into the programs, in `folder`. */
  unpack(file: string, folder: string): Promise<void>;
  /** Builds the programs from pinned Go modules; returns the files. */
  build(context: StepContext, signal?: AbortSignal): Promise<string[]>;
}

const here = __dirname;
const os = platform();
const cpu = arch() === "x64" ? "amd64" : arch();
async function printed(command: string, args: string[]): Promise<string | undefined> {
  try {
    return (await run(command, args, { timeoutMs: 20_000 })).stdout.trim();
  } catch {
    return undefined;
  }
}

/** As root tar gives files to whoever had them at the publisher's. */
const extract = ["--no-same-owner"];

const unpackTar = (file: string, folder: string) =>
  run("tar", [...extract, "-xzf", file, "-C", folder, "--strip-components=1"]).then(() => undefined);

/** A provider's binary as the Pulumi CLI installs it: `<PULUMI_HOME>/plugins/resource-<name>-v<version>`. */
function provider(name: string, version: string, build: Tool["build"], weakest?: Algorithm): Tool {
  const program = `pulumi-resource-${name}`;
  const file = `${program}-v${version}-${os}-${cpu}.tar.gz`;
  const home = process.env.PULUMI_HOME ?? join(homedir(), ".pulumi");
  return {
    programs: [program],
    installed: async () =>
      (await exists(join(home, "plugins", `resource-${name}-v${version}`, program))) ? version : undefined,
    fits: (found) => found === version,
    release: {
      url: `https://github.com/pulumi/pulumi-${name}/releases/download/v${version}/${file}`,
      checksumsUrl: `https://github.com/pulumi/pulumi-${name}/releases/download/v${version}/pulumi-${name}_${version}_checksums.txt`,
      ...(weakest && { weakest }),
    },
    unpack: (archive, folder) =>
      run("tar", [...extract, "-xzf", archive, "-C", folder]).then(() => undefined),
    build,
  };
}

const onLine = (context: StepContext) => (line: string) => context.detail(line);

async function buildPulumi(context: StepContext, signal?: AbortSignal): Promise<string[]> {
  const module = join(here, "pulumi");
  const version = pins.tools.pulumi.version;
  const common = { module, onLine: onLine(context), ...(signal && { signal }) };
  const cli = await goBuild({
    ...common,
    package: "github.com/pulumi/pulumi/pkg/v3/cmd/pulumi",
    binary: "pulumi",
    ldflags: `-X github.com/pulumi/pulumi/sdk/v3/go/common/version.Version=v${version}`,
  });
  const languageHost = await goBuild({
    ...common,
    package: "./language-nodejs",
    binary: "pulumi-language-nodejs",
    ldflags: `-X main.version=${version}`,
  });
  const launcher = "pulumi-resource-pulumi-nodejs";
  const folder = await cached("pulumi-launcher", [version], async (target) => {
    const sdk = await goModuleFolder(module, "github.com/pulumi/pulumi/sdk/v3");
    await copyFile(join(sdk, "nodejs/dist", launcher), join(target, launcher));
    await chmod(join(target, launcher), 0o755);
  });
  return [cli, languageHost, join(folder, launcher)];
}

async function buildKubernetesProvider(context: StepContext, signal?: AbortSignal): Promise<string[]> {
  const module = join(here, "kubernetes-provider");
  const binary = await goBuild({
    module,
    package: ".",
    binary: "pulumi-resource-kubernetes",
    ldflags: `-X main.version=${pins.tools.pulumiKubernetes.version}`,
    prepare: async (folder) => {
      const upstream = await goModuleFolder(folder, "github.com/pulumi/pulumi-kubernetes/provider/v4");
      for (const file of ["schema.json", "terraform-mapping.json"]) {
        await copyFile(join(upstream, "cmd/pulumi-resource-kubernetes", file), join(folder, file));
      }
    },
    onLine: onLine(context),
    ...(signal && { signal }),
  });
  return [binary];
}

async function buildRandomProvider(context: StepContext, signal?: AbortSignal): Promise<string[]> {
  const version = pins.tools.pulumiRandom.version;
  const module = join(here, "random-provider");
  const ldflags = `-X postgres-platform.local/toolchain/random-provider/mapping.Version=${version}`;
  const common = { module, ldflags, onLine: onLine(context), ...(signal && { signal }) };
  const generator = await goBuild({
    ...common,
    package: "./schema-generator",
    binary: "random-schema-generator",
  });
  const binary = await goBuild({
    ...common,
    package: "./provider",
    binary: "pulumi-resource-random",
    prepare: async (folder) => {
      await run(generator, ["schema", "--out", "provider", "--skip-docs", "--skip-examples"], {
        cwd: folder,
      });
    },
  });
  return [binary];
}

const pulumi = pins.tools.pulumi.version;
const kubectl = pins.tools.kubectl.version;

/** The tools of `make up`, in the order in which they are looked for. */
export const tools: Record<string, Tool> = {
  pulumi: {
    programs: ["pulumi", "pulumi-language-nodejs"],
    // The language host comes with the CLI: a CLI without it can't run the program.
    installed: async () =>
      (await printed("pulumi-language-nodejs", ["--help"])) === undefined
        ? undefined
        : await printed("pulumi", ["version"]),
    fits: (version) => satisfies(version, pins.tools.pulumi.range),
    release: {
      url: `https://get.pulumi.com/releases/sdk/pulumi-v${pulumi}-${os}-${arch()}.tar.gz`,
      checksumsUrl: `https://github.com/pulumi/pulumi/releases/download/v${pulumi}/pulumi-${pulumi}-checksums.txt`,
    },
    unpack: unpackTar,
    build: buildPulumi,
  },
  "pulumi-resource-kubernetes": provider(
    "kubernetes",
    pins.tools.pulumiKubernetes.version,
    buildKubernetesProvider,
  ),
  // Its publisher lists SHA-1 sums alone (`shasum` without an option); decision 27 says why they do.
  "pulumi-resource-random": provider("random", pins.tools.pulumiRandom.version, buildRandomProvider, "sha1"),
  kubectl: {
    programs: ["kubectl"],
    installed: async () => {
      const answer = await printed("kubectl", ["version", "--client", "-o", "json"]);
      if (answer === undefined) return undefined;
      const { clientVersion } = JSON.parse(answer) as { clientVersion?: { gitVersion?: string } };
      return clientVersion?.gitVersion?.replace(/^v/, "");
    },
    fits: (version) => satisfies(version, pins.tools.kubectl.range),
    release: {
      url: `https://dl.k8s.io/release/v${kubectl}/bin/${os}/${cpu}/kubectl`,
      checksumsUrl: `https://dl.k8s.io/release/v${kubectl}/bin/${os}/${cpu}/kubectl.sha256`,
    },
    unpack: async (file, folder) => {
      await copyFile(file, join(folder, "kubectl"));
      await chmod(join(folder, "kubectl"), 0o755);
    },
    build: async (context, signal) => [await buildKubectl(context, signal)],
  },
};

async function released(
  name: string,
  tool: Tool,
  context: StepContext,
  signal?: AbortSignal,
): Promise<string> {
  return cached(`releases/${name}`, [tool.release.url], async (folder) => {
    const file = join(folder, ".download");
    const algorithm = await downloadRelease(tool.release, file, signal && { signal });
    if (algorithm === "sha1")
      context.say(`${name}: its publisher lists no sums but SHA-1; this one is right`);
    await tool.unpack(file, folder);
    await rm(file);
    for (const program of tool.programs) {
      if (!(await exists(join(folder, program)))) throw new Error(`${tool.release.url} holds no ${program}`);
    }
  });
}

/** How each tool was had, for the line that says so. */
export type Source = "already installed" | "downloaded" | "built from Go modules";

interface Found {
  source: Source;
  version?: string;
  /** Folders to put on PATH: none when it is there already. */
  folders: string[];
}

/** Where a build's files are written down, so that the next command needs no network to find them: one name for each state of the sources. */
async function noteOf(name: string, tool: Tool): Promise<string> {
  const sources = await Promise.all([here, join(here, "../kubernetes/core")].map(filesBelow));
  return join(cacheDir, "built", `${name}-${keyOf([tool.release.url, ...sources.flat()])}.json`);
}

const foldersOf = (files: readonly string[]): string[] => [...new Set(files.map((file) => dirname(file)))];

async function builtBefore(name: string, tool: Tool): Promise<Found | undefined> {
  const note = await readFile(await noteOf(name, tool), "utf8").catch(() => undefined);
  if (note === undefined) return undefined;
  const files = JSON.parse(note) as string[];
  const there = await Promise.all(files.map(exists));
  return there.every(Boolean) ? { source: "built from Go modules", folders: foldersOf(files) } : undefined;
}

/** The copy on PATH when its version fits, else one that was built before, else the pinned release; or why that can't be had. */
async function find(
  name: string,
  tool: Tool,
  context: StepContext,
  signal?: AbortSignal,
): Promise<Found | Error> {
  const version = await tool.installed();
  if (version !== undefined && tool.fits(version))
    return { source: "already installed", version, folders: [] };
  const before = await builtBefore(name, tool);
  if (before !== undefined) return before;
  try {
    return { source: "downloaded", folders: [await released(name, tool, context, signal)] };
  } catch (error) {
    signal?.throwIfAborted();
    if (error instanceof UserError) throw error;
    return error as Error;
  }
}

async function build(name: string, tool: Tool, context: StepContext, signal?: AbortSignal): Promise<Found> {
  context.detail(`building ${name}`);
  const files = await tool.build(context, signal);
  const note = await noteOf(name, tool);
  await mkdir(dirname(note), { recursive: true });
  await writeFile(note, JSON.stringify(files));
  return { source: "built from Go modules", folders: foldersOf(files) };
}

/**
 * Makes all tools available and returns the folders to put before PATH: the copy on PATH when its version fits, else the pinned
 * release, else a build from pinned Go modules. Says for each where it came from, and why a release couldn't be had. Releases
 * are downloaded side by side, so that hosts that don't answer cost the time of one.
 */
export async function provideTools(context: StepContext, signal?: AbortSignal): Promise<string[]> {
  await mkdir(cacheDir, { recursive: true });
  const names = Object.entries(tools);
  const looked = await Promise.all(names.map(([name, tool]) => find(name, tool, context, signal)));
  const folders: string[] = [];
  const problems: string[] = [];
  for (const [index, [name, tool]] of names.entries()) {
    const first = looked[index] as Found | Error;
    if (first instanceof Error) context.say(`${name} can't be downloaded: ${first.message}`);
    const found =
      first instanceof Error
        ? await build(name, tool, context, signal).catch((error: unknown) => {
            if (error instanceof UserError) return error;
            throw error;
          })
        : first;
    if (found instanceof UserError) {
      problems.push(
        `${name} can't be downloaded: ${(first as Error).message}. Fix: let this machine reach that address (HTTPS_PROXY and NO_PROXY count, PGP_MIRROR names a mirror). Otherwise ${found.problems.join(" ")}`,
      );
      continue;
    }
    context.say(`${name} ${found.version === undefined ? "" : `${found.version} `}(${found.source})`);
    folders.push(...found.folders);
  }
  if (problems.length > 0) throw new UserError(problems);
  return folders;
}
