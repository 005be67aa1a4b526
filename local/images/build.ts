import { chmod, copyFile, mkdir, readFile, rm, symlink, writeFile } from "node:fs/promises";
import { basename, dirname, join } from "node:path";
import { run } from "../../shell/process";
import type { StepContext } from "../../shell/progress";
import { cached } from "../cache";
import { buildKubernetes } from "../kubernetes/build";
import { pins, type ImageName } from "../../releases/pins";
import { goBuild } from "../toolchain/go";
import { reproducibleTar, sha256OfFile, writeOciImage } from "./oci";
import {
  neededImages,
  recipes,
  type DebianRecipe,
  type ProgramName,
  type ProgramRecipe,
  type Recipe,
} from "./recipes";

/** An image as an OCI layout in a tar. */
export interface BuiltImage {
  name: string;
  tar: string;
}

/** Raise it when the way in which recipes are carried out changes. */
const builderRevision = "1";
const certificateAuthorities = "/etc/ssl/certs/ca-certificates.crt";

const prometheusOperator = "github.com/prometheus-operator/prometheus-operator";
const prometheusVersion = "github.com/prometheus/common/version.Version";
const cnpgVersions = "github.com/cloudnative-pg/cloudnative-pg/pkg/versions";

/** Programs of the images that stacks run: each by the folder here with the Go module that pins or is it. */
const programs: Readonly<
  Partial<Record<ProgramName, { folder: string; package: string; binary?: string; ldflags?: string }>>
> = {
  cnpgOperator: {
    folder: "cnpg-operator",
    package: "github.com/cloudnative-pg/cloudnative-pg/cmd/manager",
    ldflags: `-X ${cnpgVersions}.buildVersion=${pins.builtOperators.cnpg} -X ${cnpgVersions}.buildCommit=built-from-modules`,
  },
  zalandoOperator: {
    folder: "zalando-operator",
    package: "github.com/zalando/postgres-operator/cmd",
    ldflags: `-X main.version=v${pins.builtOperators.zalando}`,
  },
  barmanPlugin: {
    folder: "barman-plugin",
    package: "github.com/cloudnative-pg/plugin-barman-cloud/cmd/manager",
  },
  walTools: { folder: "wal-tools", package: "." },
  rclone: {
    folder: "rclone",
    package: ".",
    ldflags: `-X github.com/rclone/rclone/fs.Version=v${pins.rclone}`,
  },
  strictStore: { folder: "strict-store", package: "." },
  versitygw: { folder: "versitygw", package: "github.com/versity/versitygw/cmd/versitygw" },
  prometheusOperator: {
    folder: "prometheus-operator",
    package: `${prometheusOperator}/cmd/operator`,
    ldflags: `-X ${prometheusVersion}=${pins.monitoring.operator}`,
  },
  prometheusConfigReloader: {
    folder: "prometheus-operator",
    package: `${prometheusOperator}/cmd/prometheus-config-reloader`,
    binary: "prometheus-config-reloader",
    ldflags: `-X ${prometheusVersion}=${pins.monitoring.operator}`,
  },
  kubeStateMetrics: {
    folder: "kube-state-metrics",
    package: "k8s.io/kube-state-metrics/v2",
    ldflags: `-X ${prometheusVersion}=v${pins.monitoring.kubeStateMetrics}`,
  },
  certManager: {
    folder: "cert-manager",
    package: "github.com/cert-manager/cert-manager/cmd/controller",
  },
};

function buildProgram(name: ProgramName, context: StepContext, signal?: AbortSignal): Promise<string> {
  const program = programs[name];
  if (program === undefined) throw new Error(`nothing builds the program ${name}`);
  const { folder, binary = folder, ...build } = program;
  return goBuild({
    ...build,
    module: join(__dirname, folder),
    binary,
    onLine: (line) => context.detail(`${binary}: ${line}`),
    ...(signal && { signal }),
  });
}

/** What an image is made of besides its recipe; a change of any of it makes a new image. */
async function contentOf(recipe: Recipe, programs: readonly string[]): Promise<(string | Uint8Array)[]> {
  const copied = recipe.kind === "program" && recipe.certificateAuthorities === true;
  const cas = copied ? [await readFile(certificateAuthorities)] : [];
  return [...(await Promise.all(programs.map(sha256OfFile))), ...cas];
}

/** The programs of a recipe, by their paths in the image. */
const programsOf = (recipe: Recipe): Readonly<Record<string, ProgramName>> =>
  recipe.kind === "program" ? { [recipe.path]: recipe.program } : (recipe.programs ?? {});

async function writeTexts(root: string, texts: Record<string, string> = {}): Promise<void> {
  for (const [path, content] of Object.entries(texts)) {
    await mkdir(dirname(join(root, path)), { recursive: true });
    await writeFile(join(root, path), content, { mode: 0o644 });
  }
}

/** Built programs by their paths in the image. */
type Programs = Readonly<Record<string, string>>;

async function writePrograms(root: string, programs: Programs): Promise<void> {
  for (const [path, program] of Object.entries(programs)) {
    const target = join(root, path);
    await mkdir(dirname(target), { recursive: true });
    await copyFile(program, target);
    await chmod(target, 0o755);
  }
}

async function programLayer(
  recipe: ProgramRecipe,
  programs: Programs,
  layer: string,
  work: string,
): Promise<void> {
  const root = join(work, "root");
  await writePrograms(root, programs);
  for (const [path, to] of Object.entries(recipe.links ?? {})) await symlink(to, join(root, path));
  await writeTexts(root, recipe.texts);
  await mkdir(join(root, "tmp"));
  await chmod(join(root, "tmp"), 0o1777);
  if (recipe.certificateAuthorities === true) {
    await mkdir(join(root, "etc/ssl/certs"), { recursive: true });
    await copyFile(certificateAuthorities, join(root, "etc/ssl/certs/ca-certificates.crt"));
  }
  await run("tar", [...reproducibleTar, "-C", root, "-cf", layer, "."]);
}

/** By a pip that goes again, believing the CAs that the host believes. */
const installWheels = [
  `SSL_CERT_FILE=/tmp/${basename(certificateAuthorities)} PIP_CERT=/tmp/${basename(certificateAuthorities)} pip3 install --no-deps --require-hashes --break-system-packages --root-user-action=ignore --no-cache-dir --requirement=/tmp/wheels`,
  "apt-get purge --quiet --yes --autoremove python3-pip",
  `rm /tmp/wheels /tmp/${basename(certificateAuthorities)}`,
].join("; ");

/** Hooks get the root file system as `$1`; what they need lies in `work`, whose path goes into single quotes. */
async function debianLayer(
  recipe: DebianRecipe,
  programs: Programs,
  layer: string,
  work: string,
  options: { onLine: (line: string) => void; signal?: AbortSignal },
): Promise<void> {
  if (work.includes("'")) throw new Error(`The cache folder's path must not contain a quote: ${work}`);
  const texts = join(work, "texts");
  await mkdir(texts, { recursive: true });
  await writeTexts(texts, recipe.texts);
  await writePrograms(texts, programs);
  const lines = (entries: readonly string[] = []) => entries.map((entry) => `${entry}\n`).join("");
  const { wheels = [] } = recipe;
  await writeFile(join(work, "wheels"), lines(wheels));
  await writeFile(join(work, "passwd"), lines(recipe.users));
  await writeFile(join(work, "group"), lines(recipe.groups));
  await writeFile(join(work, "script"), `set -eu\n${recipe.script ?? ""}\n`);
  await run(
    "mmdebstrap",
    [
      "--variant=apt",
      ...(recipe.keepsRun === true ? ["--skip=cleanup/run"] : []),
      "--components=main",
      `--include=${[...recipe.packages, ...(wheels.length > 0 ? ["python3-pip"] : [])].join(",")}`,
      ...(recipe.older === undefined
        ? []
        : [
            `--setup-hook=sed 's/${pins.debian}/${recipe.older}/' "$1/etc/apt/sources.list" >"$1/etc/apt/sources.list.d/older.list"`,
          ]),
      `--essential-hook=cat '${work}/passwd' >> "$1/etc/passwd"; cat '${work}/group' >> "$1/etc/group"`,
      `--essential-hook=cp -r '${texts}/.' "$1"`,
      ...(wheels.length > 0
        ? [
            `--customize-hook=cp '${certificateAuthorities}' '${work}/wheels' "$1/tmp"; chroot "$1" sh -euc '${installWheels}'`,
          ]
        : []),
      `--customize-hook=chroot "$1" sh < '${work}/script'`,
      '--customize-hook=rm -rf "$1"/var/lib/apt/lists/* "$1"/var/cache/apt/*.bin "$1"/usr/share/doc/* "$1"/usr/share/man/*',
      pins.debian,
      layer,
    ],
    { env: { SOURCE_DATE_EPOCH: "0" }, ...options },
  );
}

/** Keeps of a root file system what is named; BusyBox's links lie beside it. */
async function reduceLayer(
  { files, applets }: NonNullable<DebianRecipe["reducedTo"]>,
  programs: readonly string[],
  layer: string,
  work: string,
): Promise<void> {
  const root = join(work, "reduced");
  await mkdir(root);
  await run("tar", ["-C", root, "-xf", layer, ...[...files, ...programs].map((file) => `./${file}`)]);
  for (const applet of applets) await symlink("busybox", join(root, "usr/bin", applet));
  await symlink("usr/bin", join(root, "bin"));
  await mkdir(join(root, "tmp"));
  await chmod(join(root, "tmp"), 0o1777);
  await run("tar", [...reproducibleTar, "-C", root, "-cf", layer, "."]);
}

async function buildImage(
  name: ImageName,
  programOf: (name: ProgramName) => string,
  context: StepContext,
  signal?: AbortSignal,
): Promise<BuiltImage> {
  const recipe = recipes[name];
  const reference = pins.images[name];
  const inputs = [builderRevision, reference, JSON.stringify(recipe), pins.debian];
  const programs: Record<string, string> = {};
  for (const [path, program] of Object.entries(programsOf(recipe))) programs[path] = programOf(program);
  const folder = await cached(
    `images/${name}`,
    [...inputs, ...(await contentOf(recipe, Object.values(programs)))],
    async (target) => {
      context.say(`building ${reference}`);
      const work = join(target, "work");
      const layer = join(target, "layer.tar");
      await mkdir(work);
      const onLine = (line: string) => context.detail(`${name}: ${line}`);
      if (recipe.kind === "program") await programLayer(recipe, programs, layer, work);
      else {
        await debianLayer(recipe, programs, layer, work, { onLine, ...(signal && { signal }) });
        if (recipe.reducedTo) await reduceLayer(recipe.reducedTo, Object.keys(programs), layer, work);
      }
      const labels = {
        "org.opencontainers.image.title": reference,
        "org.opencontainers.image.vendor": "Postgres Platform (built on the machine that uses it)",
        "org.opencontainers.image.description": describe(recipe),
      };
      const config = { ...recipe.config, Labels: labels };
      await writeOciImage({ reference, layer, config }, join(target, "image.tar"), join(target, "layout"));
      await rm(layer);
      await rm(work, { recursive: true });
    },
  );
  return { name: reference, tar: join(folder, "image.tar") };
}

function describe(recipe: Recipe): string {
  const made =
    recipe.kind === "program"
      ? "Compiled from Go modules"
      : `Made of Debian ${pins.debian} packages: ${[...recipe.packages, ...(recipe.wheels ?? []).map((wheel) => wheel.split(" ")[0])].join(", ")}`;
  return `${made}. Not the upstream project's image.`;
}

/** Each takes a processor, and some hundred megabytes below the temporary folder. */
const IMAGES_AT_A_TIME = 2;

/** Builds what isn't built yet of the cluster's own images and of those that its stack runs, each once for its recipe and content. */
export async function buildImages(
  stack: readonly string[],
  context: StepContext,
  signal?: AbortSignal,
): Promise<BuiltImage[]> {
  const built: Partial<Record<ProgramName, string>> = await buildKubernetes(context, signal);
  const names = neededImages(stack);
  // A compiler keeps every processor busy, a package manager one: programs one after another, images several at a time.
  for (const program of names.flatMap((name) => Object.values(programsOf(recipes[name]))))
    built[program] ??= await buildProgram(program, context, signal);
  const programOf = (name: ProgramName) => built[name] ?? "";
  const over = new AbortController();
  const either = AbortSignal.any([over.signal, ...(signal ? [signal] : [])]);
  const images = new Map<ImageName, BuiltImage>();
  const errors: unknown[] = [];
  const left = [...names];
  const work = async () => {
    for (let name = left.shift(); name !== undefined && !either.aborted; name = left.shift())
      images.set(name, await buildImage(name, programOf, context, either));
  };
  // A failed worker ends the others, and all are waited for: none keeps working after an error.
  const workers = Array.from({ length: IMAGES_AT_A_TIME }, () =>
    work().catch((error: unknown) => {
      errors.push(error);
      over.abort();
    }),
  );
  await Promise.all(workers);
  signal?.throwIfAborted();
  if (errors.length > 0) throw errors[0];
  return names.flatMap((name) => images.get(name) ?? []);
}
