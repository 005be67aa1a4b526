import { chmod, mkdir, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { projectDir } from "../../../shell/paths";

/** Puts the FAKE providers of AWS and Cloudflare into a folder, as Pulumi finds plugins on its PATH; returns what it must be told. */
export async function installFakeCloud(
  folder: string,
): Promise<{ path: string; env: Record<string, string> }> {
  const path = join(folder, "fake-plugins");
  await mkdir(path, { recursive: true });
  for (const name of ["aws", "cloudflare"]) {
    const file = join(path, `pulumi-resource-${name}`);
    const words = [process.execPath, "--import", "tsx", join(__dirname, "provider.ts"), name];
    const quoted = words.map((word) => `'${word}'`).join(" ");
    await writeFile(file, `#!/bin/sh\ncd '${projectDir}' || exit 1\nexec ${quoted} "$@"\n`);
    await chmod(file, 0o755);
  }
  return { path, env: { FAKE_CLOUD: join(folder, "fake-cloud") } };
}
