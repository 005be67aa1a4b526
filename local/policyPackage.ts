import { copyFile, mkdir, readFile, rm, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { build } from "esbuild";
import { packFolder } from "../policy/arguments";
import { projectDir } from "../shell/paths";

/**
 * `npm run policy:package`: makes `dist-policy/`, the pack as an npm package of its own. All of its code is in one file, so that the folder loads wherever
 * it is copied to, as `pulumi policy publish` does.
 */

export const policyPackage = join(projectDir, "dist-policy");

/** What its code takes from packages, in the versions that this project has. */
const dependencies = ["@pulumi/policy", "@pulumi/pulumi"] as const;

export async function makePolicyPackage(folder: string): Promise<void> {
  await rm(folder, { recursive: true, force: true });
  await mkdir(folder, { recursive: true });
  await build({
    entryPoints: [join(packFolder, "index.ts")],
    outfile: join(folder, "index.js"),
    bundle: true,
    platform: "node",
    target: "node20",
    external: ["@pulumi/*"],
    legalComments: "linked",
    logLevel: "silent",
  });
  const given = JSON.parse(await readFile(join(packFolder, "package.json"), "utf8")) as Record<
    string,
    unknown
  > & {
    dependencies: Record<string, string>;
  };
  const own = {
    ...given,
    private: undefined,
    main: "index.js",
    files: ["index.js", "PulumiPolicy.yaml", "README.md", "dev.json", "prod.json", "policies.md", "LICENSE"],
    dependencies: Object.fromEntries(dependencies.map((name) => [name, given.dependencies[name]])),
  };
  await writeFile(join(folder, "package.json"), `${JSON.stringify(own, null, 2)}\n`);
  for (const file of ["PulumiPolicy.yaml", "README.md", "dev.json", "prod.json"])
    await copyFile(join(packFolder, file), join(folder, file));
  await copyFile(join(projectDir, "docs", "policies.md"), join(folder, "policies.md"));
  await copyFile(join(projectDir, "LICENSE"), join(folder, "LICENSE"));
}

if (require.main === module)
  makePolicyPackage(policyPackage).then(
    () => console.log("dist-policy/ is the policy pack as a package: `pulumi policy publish` takes it."),
    (error: unknown) => {
      console.error(error instanceof Error ? error.message : error);
      process.exitCode = 1;
    },
  );
