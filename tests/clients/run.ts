import { spawnSync } from "node:child_process";
import { mkdir, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { cached } from "../../local/cache";
import { run } from "../../shell/process";
import { UserError } from "../../shell/userError";
import { builtImage } from "../support/builtImages";
import { languages } from "./languages";

/**
 * Real clients against the poolers that the plan renders: PgBouncer's processes as the image of the built-in cluster has them, and PostgreSQL's, in a network of
 * their own on this machine. It stands for no Kubernetes: rules of iptables stand for kube-proxy, and a file of hosts for the cluster's DNS.
 */

async function image(): Promise<string> {
  const built = await builtImage("pgbouncer");
  if (built === undefined)
    throw new UserError(["the image of PgBouncer wasn't built on this machine: run make up once"]);
  return cached("clients/pgbouncer", [built.layer], async (folder) => {
    await run("bash", [
      "-c",
      `set -o pipefail; tar -xOf '${built.tar}' '${built.layer}' | tar -xC '${folder}'`,
    ]);
    for (const mount of [
      "etc/pgbouncer",
      "etc/pgbouncer-tls",
      "etc/pgbouncer-ca",
      "etc/pgbouncer-users",
      "run/pgbouncer",
    ])
      await mkdir(join(folder, mount), { recursive: true });
    await writeFile(join(folder, "etc/hosts"), "");
  });
}

async function main(): Promise<void> {
  const env = {
    ...process.env,
    CLIENTS_POOLER_IMAGE: await image(),
    ...(await languages()),
  };
  const mocha = ["npx", "mocha", "--config", join(__dirname, "mocharc.json"), ...process.argv.slice(2)];
  // Whatever ends the tests ends their servers and pods, too.
  const own = ["--net", "--mount", "--pid", "--fork", "--kill-child", "--mount-proc"];
  const { status } = spawnSync("unshare", [...own, "--", ...mocha], { stdio: "inherit", env });
  process.exitCode = status ?? 1;
}

main().catch((error: unknown) => {
  console.error(error instanceof UserError ? `error: ${error.message}` : error);
  process.exitCode = 1;
});
