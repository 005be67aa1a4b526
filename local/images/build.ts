import { chmod, copyFile, mkdir, readFile, rm, symlink, writeFile } from "node:fs/promises";
import { dirname, join } from "node:path";
import { run } from "../../operations/process";
import type { StepContext } from "../../operations/progress";
import { cached } from "../cache";
import { buildKubernetes } from "../kubernetes/build";
import { pins, type ImageName } from "../pins";
import { goBuild } from "../toolchain/go";
import { reproducibleTar, sha256OfFile, writeOciImage } from "./oci";
import { neededImages, recipes, type DebianRecipe, type ProgramRecipe, type Recipe } from "./recipes";

/** An image as an OCI layout in a tar. */
export interface BuiltImage {
  name: string;
  tar: string;
}

type ProgramName = ProgramRecipe["program"];

/** Raise it when the way in which recipes are carried out changes. */
const builderRevision = "1";
const certificateAuthorities = "/etc/ssl/certs/ca-certificates.crt";

async function buildCnpgOperator(context: StepContext, signal?: AbortSignal): Promise<string> {
  const versions = "github.com/cloudnative-pg/cloudnative-pg/pkg/versions";
  return goBuild({
    module: join(__dirname, "cnpg-operator"),
    package: "github.com/cloudnative-pg/cloudnative-pg/cmd/manager",
    binary: "cnpg-manager",
    ldflags: `-X ${versions}.buildVersion=${pins.operators.cnpg} -X ${versions}.buildCommit=built-from-modules`,
    onLine: (line) => context.detail(`cnpg-manager: ${line}`),
    ...(signal && { signal }),
  });
}

async function buildZalandoOperator(context: StepContext, signal?: AbortSignal): Promise<string> {
  return goBuild({
    module: join(__dirname, "zalando-operator"),
    package: "github.com/zalando/postgres-operator/cmd",
    binary: "zalando-operator",
    ldflags: `-X main.version=v${pins.operators.zalando}`,
    onLine: (line) => context.detail(`zalando-operator: ${line}`),
    ...(signal && { signal }),
  });
}

/** What an image is made of besides its recipe; a change of any of it makes a new image. */
async function contentOf(recipe: ProgramRecipe, program: string): Promise<(string | Uint8Array)[]> {
  const authorities = recipe.certificateAuthorities === true ? [await readFile(certificateAuthorities)] : [];
  return [await sha256OfFile(program), ...authorities];
}

async function writeTexts(root: string, texts: Record<string, string> = {}): Promise<void> {
  for (const [path, content] of Object.entries(texts)) {
    await mkdir(dirname(join(root, path)), { recursive: true });
    await writeFile(join(root, path), content, { mode: 0o644 });
  }
}

async function programLayer(
  recipe: ProgramRecipe,
  program: string,
  layer: string,
  work: string,
): Promise<void> {
  const root = join(work, "root");
  const target = join(root, recipe.path);
  await mkdir(dirname(target), { recursive: true });
  await copyFile(program, target);
  await chmod(target, 0o755);
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

/** Hooks get the root file system as `$1`; what they need lies in `work`, whose path goes into single quotes. */
async function debianLayer(
  recipe: DebianRecipe,
  layer: string,
  work: string,
  options: { onLine: (line: string) => void; signal?: AbortSignal },
): Promise<void> {
  if (work.includes("'")) throw new Error(`The cache folder's path must not contain a quote: ${work}`);
  const texts = join(work, "texts");
  await mkdir(texts, { recursive: true });
  await writeTexts(texts, recipe.texts);
  const lines = (entries: readonly string[] = []) => entries.map((entry) => `${entry}\n`).join("");
  await writeFile(join(work, "passwd"), lines(recipe.users));
  await writeFile(join(work, "group"), lines(recipe.groups));
  await writeFile(join(work, "script"), `set -eu\n${recipe.script ?? ""}\n`);
  await run(
    "mmdebstrap",
    [
      "--variant=apt",
      ...(recipe.keepsRun === true ? ["--skip=cleanup/run"] : []),
      "--components=main",
      `--include=${recipe.packages.join(",")}`,
      `--essential-hook=cat '${work}/passwd' >> "$1/etc/passwd"; cat '${work}/group' >> "$1/etc/group"`,
      `--essential-hook=cp -r '${texts}/.' "$1"`,
      `--customize-hook=chroot "$1" sh < '${work}/script'`,
      '--customize-hook=rm -rf "$1"/var/lib/apt/lists/* "$1"/var/cache/apt/*.bin "$1"/usr/share/doc/* "$1"/usr/share/man/*',
      pins.debian,
      layer,
    ],
    { env: { SOURCE_DATE_EPOCH: "0" }, ...options },
  );
}

async function buildImage(
  name: ImageName,
  programOf: (name: ProgramName) => Promise<string>,
  context: StepContext,
  signal?: AbortSignal,
): Promise<BuiltImage> {
  const recipe = recipes[name];
  const reference = pins.images[name];
  const inputs = [builderRevision, reference, JSON.stringify(recipe), pins.debian];
  const program = recipe.kind === "program" ? await programOf(recipe.program) : "";
  const folder = await cached(
    `images/${name}`,
    [...inputs, ...(recipe.kind === "program" ? await contentOf(recipe, program) : [])],
    async (target) => {
      context.say(`building ${reference}`);
      const work = join(target, "work");
      const layer = join(target, "layer.tar");
      await mkdir(work);
      const onLine = (line: string) => context.detail(`${name}: ${line}`);
      if (recipe.kind === "program") await programLayer(recipe, program, layer, work);
      else await debianLayer(recipe, layer, work, { onLine, ...(signal && { signal }) });
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
      : `Made of Debian ${pins.debian} packages: ${recipe.packages.join(", ")}`;
  return `${made}. Not the upstream project's image.`;
}

/** Builds what isn't built yet of the cluster's own images and of those that its stack runs, each once for its recipe and content. */
export async function buildImages(
  stack: readonly string[],
  context: StepContext,
  signal?: AbortSignal,
): Promise<BuiltImage[]> {
  const programs = {
    ...(await buildKubernetes(context, signal)),
    cnpgOperator: () => buildCnpgOperator(context, signal),
    zalandoOperator: () => buildZalandoOperator(context, signal),
  };
  const programOf = async (name: ProgramName) => {
    const program = programs[name];
    return typeof program === "string" ? program : program();
  };
  const built: BuiltImage[] = [];
  for (const name of neededImages(stack)) {
    signal?.throwIfAborted();
    built.push(await buildImage(name, programOf, context, signal));
  }
  return built;
}
