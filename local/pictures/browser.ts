import { cp, mkdir, readFile, symlink } from "node:fs/promises";
import { createRequire } from "node:module";
import { join } from "node:path";
import { pathToFileURL } from "node:url";
import { projectDir } from "../../shell/paths";
import { run } from "../../shell/process";
import { cached, filesBelow } from "../cache";
import type { Drawing } from "./page/answers";

/** A page of Grafana's own components, and a Chromium that draws it. Both come from npm, for these pictures alone, into the cache. */

const source = join(projectDir, "local", "pictures", "page");

/** The part of puppeteer-core and @sparticuz/chromium that is used here. */
interface Page {
  setViewport(size: { width: number; height: number; deviceScaleFactor: number }): Promise<void>;
  goto(url: string): Promise<unknown>;
  evaluate(expression: string): Promise<unknown>;
  screenshot(options: { path: string; fullPage: boolean }): Promise<unknown>;
  on(event: "pageerror", listener: (error: unknown) => void): void;
}
interface Browser {
  newPage(): Promise<Page>;
  close(): Promise<void>;
}
interface Puppeteer {
  launch(options: {
    args: string[];
    env: NodeJS.ProcessEnv;
    executablePath: string;
    headless: "shell";
  }): Promise<Browser>;
}
interface Chromium {
  args: string[];
  executablePath(): Promise<string>;
}

/** The packages that the page's lock file names. */
async function packages(say: (line: string) => void): Promise<string> {
  const files = ["package.json", "package-lock.json"];
  const contents = await Promise.all(files.map((file) => readFile(join(source, file))));
  return cached("pictures-packages", [...contents, process.version], async (folder) => {
    say("Fetching what draws: npm packages of about 600 MB, once");
    for (const file of files) await cp(join(source, file), join(folder, file));
    await cp(join(projectDir, ".npmrc"), join(folder, ".npmrc"));
    await run("npm", ["ci", "--silent"], { cwd: folder });
  });
}

/** The page, checked and built. */
async function built(say: (line: string) => void): Promise<string> {
  const installed = await packages(say);
  return cached("pictures-page", [...(await filesBelow(source)), process.version], async (folder) => {
    await cp(source, folder, { recursive: true });
    await symlink(join(installed, "node_modules"), join(folder, "node_modules"));
    await run("npm", ["run", "--silent", "check"], { cwd: folder });
    await run("npm", ["run", "--silent", "build"], { cwd: folder });
  });
}

export interface Renderer {
  /** Draws into a PNG file. */
  draw(drawing: Drawing, path: string): Promise<void>;
  close(): Promise<void>;
}

export async function renderer(width: number, say: (line: string) => void): Promise<Renderer> {
  const folder = await built(say);
  const load = createRequire(join(folder, "package.json"));
  const puppeteer = (load("puppeteer-core") as { default: Puppeteer }).default;
  // It is unpacked to the folder for temporary files.
  await mkdir(join(folder, "tmp"), { recursive: true });
  process.env.TMPDIR = join(folder, "tmp");
  const { default: chromium } = (await import(load.resolve("@sparticuz/chromium"))) as { default: Chromium };
  const browser = await puppeteer.launch({
    args: [...chromium.args, "--lang=en-GB"],
    env: { ...process.env, LC_ALL: "C.UTF-8", LANGUAGE: "en" },
    executablePath: await chromium.executablePath(),
    headless: "shell",
  });
  return {
    draw: async (drawing, path) => {
      const page = await browser.newPage();
      const errors: unknown[] = [];
      page.on("pageerror", (error) => errors.push(error));
      await page.setViewport({ width, height: 800, deviceScaleFactor: 1 });
      await page.goto(pathToFileURL(join(folder, "page.html")).href);
      if (errors.length > 0) throw new Error(`the page failed: ${String(errors[0])}`);
      await page.evaluate(`window.draw(${JSON.stringify(drawing)}, ${width})`);
      await page.evaluate("new Promise((done) => requestAnimationFrame(() => requestAnimationFrame(done)))");
      if (errors.length > 0) throw new Error(`the page failed: ${String(errors[0])}`);
      await page.screenshot({ path, fullPage: true });
    },
    close: () => browser.close(),
  };
}
