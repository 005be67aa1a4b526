import { copyFile, mkdir, readdir, rm, writeFile } from "node:fs/promises";
import { basename, dirname, join } from "node:path";
import { manifestParts, packedManifests } from "../releases/manifest";
import { pins } from "../releases/pins";
import { projectDir } from "../shell/paths";
import { run } from "../shell/process";
import { manifestFiles } from "./manifests";

/** Makes `dist/`, which is what the npm package holds: compiled JavaScript, types, scripts, and the operators' released manifests. */

const dist = join(projectDir, "dist");

/** Folders that the components are made of. */
const folders = ["settings", "plan"] as const;

/** Files that a program reads beside its code, such as the scripts that run in pods. */
async function copyAssets(): Promise<void> {
  for (const folder of folders) {
    const entries = await readdir(join(projectDir, folder), { recursive: true, withFileTypes: true });
    for (const entry of entries) {
      if (!entry.isFile() || entry.name.endsWith(".ts")) continue;
      const from = join(entry.parentPath, entry.name);
      const to = join(dist, from.slice(projectDir.length + 1));
      await mkdir(dirname(to), { recursive: true });
      await copyFile(from, to);
    }
  }
}

const notice = `The manifests in this folder are those that the makers of the operators release, as JSON and without descriptions:
cnpg: CloudNativePG ${pins.operators.cnpg} and its plugin for Barman ${pins.backupPlugin}, under the Apache License 2.0
zalando: the Zalando postgres-operator ${pins.operators.zalando}, under the MIT License, Copyright (c) Zalando SE
monitoring: the Prometheus Operator ${pins.monitoring.operator}, under the Apache License 2.0
`;

async function copyManifests(): Promise<void> {
  const to = join(dist, packedManifests);
  await mkdir(to, { recursive: true });
  for (const path of await manifestFiles(Object.keys(manifestParts)))
    await copyFile(path, join(to, basename(path)));
  await writeFile(join(to, "NOTICE"), notice);
}

async function build(): Promise<void> {
  await rm(dist, { recursive: true, force: true });
  await run("npx", ["tsc", "--project", "tsconfig.build.json"], { cwd: projectDir });
  await copyAssets();
  await copyManifests();
}

build().then(
  () => console.log("dist/ is what `npm pack` packs."),
  (error: unknown) => {
    console.error(error instanceof Error ? error.message : error);
    process.exitCode = 1;
  },
);
