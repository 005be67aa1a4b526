import { createHash } from "node:crypto";
import { cp, mkdir, readdir, readFile, symlink, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { parse } from "yaml";
import { cached, filesBelow } from "../../local/cache";
import { goBuild } from "../../local/toolchain/go";
import { projectDir } from "../../shell/paths";
import { run } from "../../shell/process";
import { UserError } from "../../shell/userError";
import { recipe } from "../support/recipes";

/** Lays the clients of each language out in the cache, once for what they are made from, with the recipes of the page that tells how to use them. */

const page = "docs/drivers.md";
const source = (language: string) => join(__dirname, language);
const say = (line: string) => console.log(line);

/** Fails with a sentence where a program of the machine is missing. */
async function mustHave(what: string, program: string, fix: string): Promise<void> {
  await run(program, ["-version"]).catch(() => {
    throw new UserError([
      `${what} need ${program}, which doesn't run here: ${fix}, then run the command again.`,
    ]);
  });
}

async function python(): Promise<Record<string, string>> {
  const requirements = join(source("programs"), "requirements.txt");
  const { stdout: version } = await run("python3", ["--version"]);
  const installed = await cached(
    "clients/python",
    [await readFile(requirements), version],
    async (folder) => {
      await run("python3", ["-m", "venv", folder]);
      const flags = ["--quiet", "--disable-pip-version-check", "--no-deps", "--require-hashes"];
      await run(join(folder, "bin", "python3"), ["-m", "pip", "install", ...flags, "-r", requirements], {
        onLine: say,
      });
    },
  );
  const names = ["psycopg", "asyncpg", "django"];
  const recipes = await cached(
    "clients/recipes",
    names.map((name) => recipe(page, name)),
    async (folder) => {
      for (const name of names) await writeFile(join(folder, `recipe_${name}.py`), recipe(page, name));
    },
  );
  return { CLIENTS_PYTHON: join(installed, "bin", "python3"), CLIENTS_RECIPES: recipes };
}

async function node(): Promise<Record<string, string>> {
  const lock = ["package.json", "package-lock.json"];
  const contents = await Promise.all(lock.map((file) => readFile(join(source("node"), file))));
  const installed = await cached("clients/node-packages", [...contents, process.version], async (folder) => {
    for (const file of lock) await cp(join(source("node"), file), join(folder, file));
    await cp(join(projectDir, ".npmrc"), join(folder, ".npmrc"));
    // Prisma's script would fetch a program that only its migrations need.
    await run("npm", ["ci", "--silent", "--ignore-scripts"], { cwd: folder });
  });
  const names = ["node-pg", "drizzle", "prisma"];
  const built = await cached(
    "clients/node",
    [...(await filesBelow(source("node"))), ...names.map((name) => recipe(page, name)), process.version],
    async (folder) => {
      await cp(source("node"), folder, { recursive: true });
      await mkdir(join(folder, "recipes"));
      for (const name of names) await writeFile(join(folder, "recipes", `${name}.js`), recipe(page, name));
      await symlink(join(installed, "node_modules"), join(folder, "node_modules"));
      await run("npx", ["prisma", "generate", "--schema", "schema.prisma"], {
        cwd: folder,
        // What it would fetch is not used here.
        env: { PRISMA_SCHEMA_ENGINE_BINARY: "/bin/true", CHECKPOINT_DISABLE: "1" },
      });
      await run("npm", ["run", "--silent", "check"], { cwd: folder, onLine: say });
    },
  );
  return { CLIENTS_NODE: built };
}

async function go(): Promise<Record<string, string>> {
  const module = await cached(
    "clients/go-source",
    [...(await filesBelow(source("go"))), recipe(page, "pgx")],
    async (folder) => {
      await cp(source("go"), folder, { recursive: true });
      await writeFile(join(folder, "recipe.go"), recipe(page, "pgx"));
    },
  );
  return { CLIENTS_GO: await goBuild({ module, package: ".", binary: "pgx-client" }) };
}

interface Spring {
  readonly spring: {
    readonly datasource: {
      readonly url: string;
      readonly username: string;
      readonly password: string;
      readonly hikari: Readonly<Record<string, string | number>>;
    };
  };
}

/** The data source of Spring's file as HikariCP's own properties; Spring itself doesn't run. */
export function hikariProperties(yaml: string): string {
  const { url, username, password, hikari } = (parse(yaml) as Spring).spring.datasource;
  const own = Object.entries(hikari).map(([name, value]): [string, string | number] => [
    name.replace(/-(\w)/g, (_, letter: string) => letter.toUpperCase()),
    value,
  ]);
  return [["jdbcUrl", url], ["username", username], ["password", password], ...own]
    .map(([name, value]) => `${name}=${value}\n`)
    .join("");
}

/** Libraries of exactly the listed sums. */
async function jars(): Promise<string> {
  const files = ["pom.xml", "jars.sha256"];
  const contents = await Promise.all(files.map((file) => readFile(join(source("java"), file), "utf8")));
  return cached("clients/jars", contents, async (folder) => {
    await mustHave("clients of Java", "mvn", "install Maven (Debian: maven)");
    await cp(join(source("java"), "pom.xml"), join(folder, "pom.xml"));
    const copy = "org.apache.maven.plugins:maven-dependency-plugin:3.8.1:copy-dependencies";
    await run("mvn", ["-q", "-B", "-C", "-f", folder, copy, `-DoutputDirectory=${join(folder, "jars")}`], {
      onLine: say,
    });
    const expected = new Map(
      (contents[1] ?? "")
        .trim()
        .split("\n")
        .map((line) => line.split("  ").reverse() as [string, string]),
    );
    for (const jar of await readdir(join(folder, "jars"))) {
      const sum = createHash("sha256")
        .update(await readFile(join(folder, "jars", jar)))
        .digest("hex");
      if (expected.get(jar) !== sum)
        throw new UserError([
          `${jar} has the sum ${sum}, and not the one of tests/clients/java/jars.sha256.`,
        ]);
    }
  });
}

async function java(): Promise<Record<string, string>> {
  await mustHave("clients of Java", "javac", "install a JDK, 17 or newer (Debian: openjdk-17-jdk-headless)");
  const libraries = join(await jars(), "jars", "*");
  const program = join(source("java"), "Client.java");
  const properties = hikariProperties(recipe(page, "spring"));
  const { stderr, stdout } = await run("javac", ["-version"]);
  const built = await cached(
    "clients/java",
    [await readFile(program), properties, libraries, stdout, stderr],
    async (folder) => {
      await writeFile(join(folder, "hikari.properties"), properties);
      await run("javac", ["-d", folder, "-cp", libraries, program], { onLine: say });
    },
  );
  return { CLIENTS_JAVA: `${built}:${libraries}`, CLIENTS_HIKARI: join(built, "hikari.properties") };
}

/** Environment by which the tests find them. */
export async function languages(): Promise<Record<string, string>> {
  const found: Record<string, string> = {};
  // One after the other: each keeps the processors busy.
  for (const lay of [python, node, go, java]) Object.assign(found, await lay());
  return found;
}
