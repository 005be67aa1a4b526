import { mkdir, writeFile } from "node:fs/promises";
import { join, resolve } from "node:path";
import { importable } from "../plan/monitoring/dashboards/index";

/** Writes the dashboards as files that a Grafana imports by hand. */
export async function writeDashboards(folder: string): Promise<string[]> {
  await mkdir(folder, { recursive: true });
  const paths: string[] = [];
  for (const [id, dashboard] of importable()) {
    const path = join(folder, `${id}.json`);
    await writeFile(path, `${JSON.stringify(dashboard, null, 2)}\n`);
    paths.push(path);
  }
  return paths;
}

if (require.main === module)
  writeDashboards(resolve(process.argv[2] ?? "dashboards")).then(
    (paths) =>
      console.log(
        `${paths.join("\n")}\nIn Grafana: Dashboards, New, Import; then choose the data source at the top.`,
      ),
    (error: unknown) => {
      console.error(error instanceof Error ? error.message : error);
      process.exitCode = 1;
    },
  );
