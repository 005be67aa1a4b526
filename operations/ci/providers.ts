import { readFile } from "node:fs/promises";
import { join } from "node:path";
import { projectDir } from "../../shell/paths";
import type { Progress } from "../../shell/progress";
import { run } from "../../shell/process";
import { manifestsOf } from "../../releases/manifest";
import { settingsAt } from "../trees";
import { prepareTools } from "../up";

/** Providers of buckets, by the kind of a target; `make` builds none of them. */
const providers: Readonly<Record<string, string>> = { aws: "aws", r2: "cloudflare" };

/** Has Pulumi install the providers of a stack's buckets, at the versions of package.json. */
export async function installProviders(stackName: string, progress: Progress): Promise<string> {
  const settings = await settingsAt(stackName);
  const names = [...new Set((settings.backup?.targets ?? []).flatMap(({ kind }) => providers[kind] ?? []))];
  if (names.length === 0) return `Stack ${stackName} needs no provider of buckets.`;
  const { devDependencies = {} } = JSON.parse(await readFile(join(projectDir, "package.json"), "utf8")) as {
    devDependencies?: Record<string, string>;
  };
  const folders = await prepareTools(progress, manifestsOf(settings));
  const PATH = [...folders, process.env.PATH ?? ""].join(":");
  for (const name of names)
    await progress.step(`provider ${name}`, (context) =>
      run("pulumi", ["plugin", "install", "resource", name, devDependencies[`@pulumi/${name}`] ?? ""], {
        env: { PATH },
        onLine: (line) => context.detail(line),
      }),
    );
  return `Providers of stack ${stackName}: ${names.join(", ")}.`;
}
