import { stat } from "node:fs/promises";
import { homedir } from "node:os";
import { join } from "node:path";

/** Where things that aren't in the tree live. Nothing outside these two folders is written, system packages apart. */

/** Built tools, images and manifests, keyed by what they were made from; safe to delete. Override: `PGP_CACHE`. */
export const cacheDir =
  process.env.PGP_CACHE ?? join(process.env.XDG_CACHE_HOME ?? join(homedir(), ".cache"), "postgres-platform");

/** Pulumi state, passphrase, copies of stack files and the built-in cluster's data; not safe to delete. Override: `PGP_STATE`. */
export const stateDir =
  process.env.PGP_STATE ??
  join(process.env.XDG_STATE_HOME ?? join(homedir(), ".local", "state"), "postgres-platform");

/** The root of this checkout. */
export const projectDir = join(__dirname, "..");

/** Where the stack files (`Pulumi.<stack>.yaml`) are looked for. Override: `PGP_STACKS`. */
export const stacksDir = process.env.PGP_STACKS ?? projectDir;

/** Whether there is a file or folder at a path. */
export const exists = (path: string): Promise<boolean> =>
  stat(path).then(
    () => true,
    () => false,
  );
