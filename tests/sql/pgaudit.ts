import { mkdir, readdir, rename, rm } from "node:fs/promises";
import { join } from "node:path";
import { cached } from "../../local/cache";
import { run } from "../../shell/process";
import { builtImage } from "../support/builtImages";

/** Majors of which an image with pgAudit is built here, and the image. */
export const audited = { 15: "postgresqlBeforeUpgrade", 17: "postgresqlStandalone" } as const;

/** pgAudit's files as they lie among a server's; undefined where the image wasn't built on this machine. */
export async function pgaudit(major: keyof typeof audited): Promise<string | undefined> {
  const built = await builtImage(audited[major]);
  if (built === undefined) return undefined;
  return cached("sql/pgaudit", [String(major), built.layer], async (folder) => {
    const [library, extension] = [
      `usr/lib/postgresql/${major}/lib`,
      `usr/share/postgresql/${major}/extension`,
    ];
    const layer = `tar -xOf '${built.tar}' '${built.layer}' | tar -xC '${folder}' --wildcards`;
    await run("bash", ["-c", `set -o pipefail; ${layer} '*${library}/pgaudit.so' '*${extension}/pgaudit*'`]);
    for (const [from, to] of [
      [library, "lib/postgresql"],
      [extension, "share/postgresql/extension"],
    ] as const) {
      await mkdir(join(folder, to), { recursive: true });
      for (const name of await readdir(join(folder, from)))
        await rename(join(folder, from, name), join(folder, to, name));
    }
    await rm(join(folder, "usr"), { recursive: true });
  });
}
