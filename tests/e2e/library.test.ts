import assert from "node:assert/strict";
import { copyFile, mkdir, mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { stringify } from "yaml";
import { provideCluster } from "../../operations/target";
import { chooseCluster, inspectMachine } from "../../operations/choice";
import { planners } from "../../plan/engines/select";
import { stackImages } from "../../plan/images";
import { projectDir } from "../../shell/paths";
import { run } from "../../shell/process";
import { readmeProgram } from "../support/readme";
import { checked, smallest } from "../support/settings";
import { clientImage } from "./kit/clients";
import { environment, type Environment } from "./kit/environment";
import { say, until } from "./kit/wait";

/**
 * Another project, in a folder outside, that has the packed package and public ones, and nothing of this tree: tests/e2e/library/index.ts.
 * It runs beside the stack, whose operator it uses for CloudNativePG.
 */
describe("library (the packed package in another program; images built here)", function () {
  this.timeout(30 * 60_000);
  let env: Environment;
  let folder: string;

  before(async function () {
    env = await environment();
    const choice = chooseCluster(await inspectMachine());
    // The other engine's images are built for the built-in cluster alone.
    if (choice.kind !== "built-in" || env.engine.name !== "cnpg") this.skip();
    const { cluster, ...rest } = smallest();
    const settings = checked({
      ...rest,
      cluster: { ...cluster, engine: "zalando" },
      poolers: [{ name: "app", database: "app" }],
    });
    const quiet = { detail: () => undefined, say: (line: string) => say(line) };
    await provideCluster(
      { choice, images: stackImages(settings, planners.zalando), toolFolders: env.toolFolders },
      quiet,
    );

    folder = await mkdtemp(join(tmpdir(), "pgp-library-"));
    const { stdout } = await run("npm", ["pack", "--json", "--pack-destination", folder], {
      cwd: projectDir,
    });
    const [packed] = JSON.parse(stdout.slice(stdout.indexOf("["))) as { filename: string }[];
    const { devDependencies } = JSON.parse(
      (await run("node", ["-p", "JSON.stringify(require('./package.json'))"], { cwd: projectDir })).stdout,
    ) as { devDependencies: Record<string, string> };
    const wanted = [
      "@pulumi/kubernetes",
      "@pulumi/pulumi",
      "@pulumi/random",
      "@types/node",
      "tsx",
      "typescript",
    ];
    await writeFile(
      join(folder, "package.json"),
      JSON.stringify({
        name: "library-user",
        private: true,
        dependencies: {
          "postgres-platform": `file:${packed?.filename}`,
          ...Object.fromEntries(wanted.map((name) => [name, devDependencies[name]])),
        },
      }),
    );
    await copyFile(join(projectDir, "tests/e2e/library/index.ts"), join(folder, "index.ts"));
    await writeFile(join(folder, "readme.ts"), await readmeProgram());
    await writeFile(
      join(folder, "tsconfig.json"),
      JSON.stringify({
        compilerOptions: { strict: true, noEmit: true, module: "node16", target: "ES2022", types: ["node"] },
        files: ["index.ts", "readme.ts"],
      }),
    );
    await writeFile(
      join(folder, "Pulumi.yaml"),
      stringify({
        name: "library-user",
        main: "index.ts",
        runtime: { name: "nodejs", options: { typescript: false, nodeargs: "--import=tsx" } },
      }),
    );
    const { kubeconfig = "", context = "" } = env.settings.kubernetes;
    const config = { kubeconfig, context, image: clientImage };
    await writeFile(
      join(folder, "Pulumi.test.yaml"),
      stringify({
        config: Object.fromEntries(
          Object.entries(config).map(([key, value]) => [`library-user:${key}`, value]),
        ),
      }),
    );
    await mkdir(join(folder, "state"));
    await run("npm", ["install", "--no-audit", "--no-fund", "--ignore-scripts"], { cwd: folder });
    await pulumi("stack", "init", "test");
  });

  after(async () => {
    if (folder === undefined) return;
    await pulumi("destroy", "--yes", "--skip-preview").catch(() => undefined);
    await rm(folder, { recursive: true, force: true });
  });

  async function pulumi(...args: string[]): Promise<string> {
    const { stdout } = await run("pulumi", [...args, "--non-interactive", "--color", "never"], {
      cwd: folder,
      env: {
        ...(await env.stack.environment()),
        PULUMI_BACKEND_URL: `file://${join(folder, "state")}`,
        PULUMI_CONFIG_PASSPHRASE: "test",
        PULUMI_CONFIG_PASSPHRASE_FILE: undefined,
      },
      ownGroup: true,
    });
    return stdout;
  }

  it("has types that the program's own compiler takes, as does README's example", () =>
    run("npx", ["tsc"], { cwd: folder }));

  it("makes three platforms by two engines, two of them in one namespace, each with a row written through its pooler", async () => {
    const started = Date.now();
    await pulumi("up", "--yes", "--skip-preview", "--stack", "test");
    say(`pulumi up: ${((Date.now() - started) / 1000).toFixed(0)} s`);
    const { jobs, hosts } = JSON.parse(await pulumi("stack", "output", "--json")) as {
      jobs: Record<string, [string, string]>;
      hosts: Record<string, string>;
    };
    const names = Object.keys(jobs).sort();
    assert.deepEqual(names, ["carts", "orders", "titles"]);
    assert.equal(jobs.orders?.[0], jobs.carts?.[0], "one namespace");
    assert.equal(hosts.orders, `orders-pooler-app.${jobs.orders?.[0]}.svc`);
    for (const [name, [namespace, job]] of Object.entries(jobs)) {
      const { stdout } = await env.kubectl.run(["-n", namespace, "logs", `job/${job}`]);
      assert.match(stdout, /INSERT 0 1/, name);
    }
  });

  it("shows nothing to change in `pulumi preview`", () =>
    pulumi("preview", "--expect-no-changes", "--stack", "test"));

  it("is gone after `pulumi destroy`, and the stack beside it isn't", async () => {
    const { jobs } = JSON.parse(await pulumi("stack", "output", "--json")) as {
      jobs: Record<string, [string, string]>;
    };
    const namespaces = [...new Set(Object.values(jobs).map(([namespace]) => namespace))];
    await pulumi("destroy", "--yes", "--skip-preview", "--stack", "test");
    await until("the namespaces are gone", 180, async () => {
      const { stdout } = await env.kubectl.run(["get", "namespaces", "-o", "name"]);
      const left = namespaces.filter((name) => stdout.includes(`namespace/${name}\n`));
      return left.length === 0 ? { done: undefined } : { why: left.join(", ") };
    });
    await env.cluster.waitHealthy();
  });
});
