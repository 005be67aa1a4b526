import { spawn } from "node:child_process";
import { mkdir, open, stat, writeFile } from "node:fs/promises";
import { join, resolve } from "node:path";
import { stringify } from "yaml";
import { type StepContext } from "../shell/progress";
import { UserError } from "../shell/userError";
import { inServer } from "./inContainer";
import { withoutValues } from "../plan/masking";
import { type Found, type Platform, placeOf } from "./platform";
import { askPrimary } from "./primary";
import { instanceCalled } from "./psql";

/** What a move to another place needs: a dump of each database, roles without passwords, the settings. */

/** Runs a command in the primary's pod, its output to a file or its input from one. */
async function inPod(
  platform: Platform,
  pod: string,
  command: readonly string[],
  { to, from }: { readonly to?: string; readonly from?: string },
  signal: AbortSignal,
): Promise<string> {
  const at = [...inServer(platform, pod, "-i"), ...command];
  const file = to === undefined ? await open(from ?? "/dev/null", "r") : await open(to, "w", 0o600);
  try {
    const child = spawn("kubectl", [...platform.kubectl.flags, ...at], {
      stdio: to === undefined ? [file.fd, "pipe", "pipe"] : ["ignore", file.fd, "pipe"],
      env: { ...process.env, ...platform.kubectl.environment },
      signal,
    });
    const [out, err]: [string[], string[]] = [[], []];
    child.stdout?.on("data", (part: Buffer) => out.push(part.toString()));
    child.stderr?.on("data", (part: Buffer) => err.push(part.toString()));
    const code = await new Promise<number | null>((done, failed) => {
      child.once("error", failed);
      child.once("close", done);
    });
    if (code !== 0)
      throw new UserError([
        `\`${command[0]}\` in ${pod} failed: ${err.join("").trim().split("\n").at(-1) ?? `exit code ${code}`}`,
      ]);
    return out.join("");
  } finally {
    await file.close();
  }
}

/** Databases of users, by what the primary says. */
export async function databasesOf(platform: Platform): Promise<string[]> {
  const statement =
    "select coalesce(json_agg(datname order by datname), '[]') from pg_database where not datistemplate and datallowconn and datname <> 'postgres'";
  const answer = await askPrimary(platform, [statement], 10_000);
  if (answer === undefined) throw new UserError(["The primary does not answer: `pgp status` says why."]);
  return JSON.parse(answer) as string[];
}

/** A name as a file's. */
export const fileOf = (database: string): string => `${encodeURIComponent(database)}.dump`;

export interface Exported {
  readonly folder: string;
  readonly databases: readonly { readonly name: string; readonly file: string; readonly entries: number }[];
}

/** Writes everything into a folder, and reads the list of contents of each dump again. */
export async function exportTo(
  { platform, subject }: Found,
  wanted: string,
  context: StepContext,
  signal: AbortSignal,
): Promise<Exported> {
  const folder = resolve(wanted);
  await mkdir(folder, { recursive: true, mode: 0o700 });
  const pod = await instanceCalled(platform);
  const user = ["-U", "postgres"];
  context.detail("roles");
  await inPod(
    platform,
    pod,
    ["pg_dumpall", ...user, "--globals-only", "--no-role-passwords"],
    { to: join(folder, "roles.sql") },
    signal,
  );
  const databases: Exported["databases"][number][] = [];
  for (const name of await databasesOf(platform)) {
    context.detail(`database ${name}`);
    const file = join(folder, fileOf(name));
    await inPod(
      platform,
      pod,
      ["pg_dump", ...user, "--format=custom", "--dbname", name],
      { to: file },
      signal,
    );
    const list = await inPod(platform, pod, ["pg_restore", "--list"], { from: file }, signal);
    const entries = list.split("\n").filter((line) => /^\d+;/.test(line)).length;
    if (entries === 0) throw new UserError([`The dump of ${name} has no contents: ${file}.`]);
    context.say(`${name}: ${entries} entries, ${(await stat(file)).size} bytes`);
    databases.push({ name, file, entries });
  }
  if (subject)
    await writeFile(
      join(folder, "settings.yaml"),
      stringify(withoutValues(subject.settings), { lineWidth: 0 }),
    );
  await writeFile(
    join(folder, "README.txt"),
    [
      `pgp export of ${placeOf(platform)}, ${new Date().toISOString()}`,
      "roles.sql: roles without passwords. Each dump: pg_restore --create --dbname=postgres --exit-on-error <file>",
      "Each dump is of one moment; those of several databases are not of the same one. Large objects are included.",
      "",
    ].join("\n"),
  );
  return { folder, databases };
}
