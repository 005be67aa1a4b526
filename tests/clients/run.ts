import { spawnSync } from "node:child_process";
import { createHash } from "node:crypto";
import { existsSync, mkdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { cacheDir } from "../../shell/paths";
import { builtImage } from "../support/builtImages";

/**
 * Real clients against the poolers that the plan renders: PgBouncer's processes as the image of the built-in cluster has them, and PostgreSQL's, in a network of
 * their own on this machine. It stands for no Kubernetes: rules of iptables stand for kube-proxy, and a file of hosts for the cluster's DNS.
 */

const programs = join(__dirname, "programs");

function must(command: string, args: readonly string[]): void {
  const { status } = spawnSync(command, args, { stdio: "inherit" });
  if (status !== 0) throw new Error(`${command} ${args.join(" ")} failed`);
}

/** A folder of the cache, made once for what it is made from. */
function made(name: string, from: readonly string[], make: (folder: string) => void): string {
  const hash = createHash("sha256").update(from.join("\n")).digest("hex").slice(0, 16);
  const folder = join(cacheDir, "clients", `${name}-${hash}`);
  if (!existsSync(join(folder, ".made"))) {
    rmSync(folder, { recursive: true, force: true });
    mkdirSync(folder, { recursive: true });
    make(folder);
    writeFileSync(join(folder, ".made"), "");
  }
  return folder;
}

const python = () =>
  made("python", [readFileSync(join(programs, "requirements.txt"), "utf8")], (folder) => {
    must("python3", ["-m", "venv", folder]);
    must(join(folder, "bin", "pip"), [
      ...["install", "--quiet", "--disable-pip-version-check", "--no-deps"],
      ...["-r", join(programs, "requirements.txt")],
    ]);
  });

async function image(): Promise<string> {
  const built = await builtImage("pgbouncer");
  if (built === undefined)
    throw new Error("the image of PgBouncer wasn't built on this machine: run make up once");
  return made("pgbouncer", [built.layer], (folder) => {
    must("bash", ["-c", `set -o pipefail; tar -xOf '${built.tar}' '${built.layer}' | tar -xC '${folder}'`]);
    for (const mount of [
      "etc/pgbouncer",
      "etc/pgbouncer-tls",
      "etc/pgbouncer-ca",
      "etc/pgbouncer-users",
      "run/pgbouncer",
    ])
      mkdirSync(join(folder, mount), { recursive: true });
    writeFileSync(join(folder, "etc/hosts"), "");
  });
}

async function main(): Promise<void> {
  const env = {
    ...process.env,
    CLIENTS_POOLER_IMAGE: await image(),
    CLIENTS_PYTHON: join(python(), "bin", "python3"),
  };
  const mocha = ["npx", "mocha", "--config", join(__dirname, "mocharc.json"), ...process.argv.slice(2)];
  // Whatever ends the tests ends their servers and pods, too.
  const own = ["--net", "--mount", "--pid", "--fork", "--kill-child", "--mount-proc"];
  const { status } = spawnSync("unshare", [...own, "--", ...mocha], { stdio: "inherit", env });
  process.exitCode = status ?? 1;
}

void main();
