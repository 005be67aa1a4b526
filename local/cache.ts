import { createHash } from "node:crypto";
import { mkdir, readdir, readFile, rename, rm, stat, utimes, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { cacheDir, exists } from "../shell/paths";
import { startTimeOf } from "../shell/processMark";

/** Hex SHA-256 over the inputs in order; a change of any of them is a change of the key. */
export function keyOf(inputs: readonly (string | Uint8Array)[]): string {
  const hash = createHash("sha256");
  for (const input of inputs) {
    const bytes = typeof input === "string" ? Buffer.from(input) : input;
    hash.update(`${bytes.length}:`).update(bytes);
  }
  return hash.digest("hex").slice(0, 16);
}

/** The files below a folder as `[path, content]` pairs, sorted, for `keyOf`. */
export async function filesBelow(folder: string): Promise<(string | Uint8Array)[]> {
  const entries = await readdir(folder, { recursive: true, withFileTypes: true });
  const paths = entries
    .filter((entry) => entry.isFile())
    .map((entry) => join(entry.parentPath, entry.name))
    .sort();
  const contents = await Promise.all(paths.map((path) => readFile(path)));
  return paths.flatMap((path, index) => [path.slice(folder.length), contents[index] ?? ""]);
}

/** Removes what ended processes left half made. */
async function removeAbandoned(parent: string, start: string): Promise<void> {
  const found = (await readdir(parent)).filter((entry) => entry.startsWith(start));
  const abandoned = found.filter(
    (entry) => startTimeOf(Number(entry.slice(start.length).split("-")[0])) === undefined,
  );
  await Promise.all(abandoned.map((entry) => rm(join(parent, entry), { recursive: true, force: true })));
}

/**
 * Moves a broken folder aside in one step: deleting it in place could delete what another process has just put there. A complete one
 * that came in the meantime goes back.
 */
async function putAside(folder: string, aside: string): Promise<void> {
  await rename(folder, aside).catch(() => undefined);
  if (await exists(join(aside, ".made"))) await rename(aside, folder).catch(() => undefined);
  await rm(aside, { recursive: true, force: true });
}

let begun = 0;

/**
 * A folder made once for each key: `<cache>/<name>/<key>`. `make` fills an empty folder; it appears under its final
 * name only when `make` has ended well, so that an interrupted build leaves nothing that looks finished. Processes that make the
 * same at the same time work in folders of their own, and the first complete one stays.
 */
export async function cached(
  name: string,
  inputs: readonly (string | Uint8Array)[],
  make: (folder: string) => Promise<void>,
  cache = cacheDir,
): Promise<string> {
  const parent = join(cache, name);
  const key = keyOf(inputs);
  const folder = join(parent, key);
  const mark = join(folder, ".made");
  if (await exists(mark)) {
    const now = new Date();
    await utimes(mark, now, now);
    return folder;
  }
  await mkdir(parent, { recursive: true });
  const start = `${key}.unfinished-`;
  await removeAbandoned(parent, start);
  const unfinished = join(parent, `${start}${process.pid}-${begun++}`);
  await mkdir(unfinished);
  await make(unfinished);
  await writeFile(join(unfinished, ".made"), "");
  while (!(await exists(mark))) {
    const placed = await rename(unfinished, folder).then(
      () => true,
      async (error: NodeJS.ErrnoException) => {
        if (error.code !== "ENOTEMPTY" && error.code !== "EEXIST") throw error;
        // Another process was first, or the folder is broken.
        if (!(await exists(mark))) await putAside(folder, join(parent, `${start}${process.pid}-${begun++}`));
        return false;
      },
    );
    if (placed) break;
  }
  await rm(unfinished, { recursive: true, force: true });
  return folder;
}

/** Removes a name's folders that were used longest ago, but for so many. */
export async function keepNewest(name: string, kept: number, cache = cacheDir): Promise<void> {
  const parent = join(cache, name);
  const made = await Promise.all(
    (await readdir(parent)).map(async (key) => {
      const mark = await stat(join(parent, key, ".made")).catch(() => undefined);
      return mark === undefined ? [] : [{ key, usedAt: mark.mtimeMs }];
    }),
  );
  const old = made
    .flat()
    .sort((one, other) => other.usedAt - one.usedAt)
    .slice(kept);
  await Promise.all(old.map(({ key }) => rm(join(parent, key), { recursive: true, force: true })));
}
