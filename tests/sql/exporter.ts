import assert from "node:assert/strict";
import { type ChildProcess, spawn, spawnSync } from "node:child_process";
import { writeFileSync } from "node:fs";
import { type AddressInfo, createServer } from "node:net";
import { join } from "node:path";
import { setTimeout as delay } from "node:timers/promises";
import { exporterArguments, exporterQueries } from "../../plan/monitoring/exporterQueries";
import type { Settings } from "../../settings/schema";
import { builtImage } from "../support/builtImages";
import { user } from "./fixture";
import type { Server } from "./servers";

/** postgres_exporter, the program of the image that is built here, over a server of this folder's. */

const PROGRAM = "usr/bin/prometheus-postgres-exporter";

/** Takes the program out of the image; false where the image was never built here. */
export async function unpackExporter(folder: string): Promise<boolean> {
  const image = await builtImage("postgresExporter");
  if (image === undefined) return false;
  spawnSync("sh", [
    "-c",
    'tar -xOf "$1" "$2" | tar -C "$3" -xf - "./$4" 2>/dev/null || tar -xOf "$1" "$2" | tar -C "$3" -xf - "$4"',
    "unpack",
    image.tar,
    image.layer,
    folder,
    PROGRAM,
  ]);
  return true;
}

const freePort = () =>
  new Promise<number>((resolve) => {
    const server = createServer().listen(0, "127.0.0.1", () => {
      const { port } = server.address() as AddressInfo;
      server.close(() => resolve(port));
    });
  });

export interface Exporter {
  readonly process: ChildProcess;
  /** What it has said on its standard error. */
  readonly said: () => string;
  readonly scrape: () => Promise<string>;
}

/** Starts it, and waits until it answers. */
export async function startExporter(folder: string, server: Server, settings: Settings): Promise<Exporter> {
  const port = await freePort();
  const queries = join(folder, `queries-${port}.yaml`);
  writeFileSync(queries, exporterQueries(settings));
  const args = exporterArguments(settings, port, queries).map((one) =>
    one.replace("address=:", "address=127.0.0.1:"),
  );
  const env = {
    PATH: process.env.PATH,
    DATA_SOURCE_NAME: `host=${server.folder} port=${server.port} user=${user} dbname=postgres sslmode=disable`,
  };
  const child = spawn(join(folder, PROGRAM), args, { env, stdio: ["ignore", "ignore", "pipe"] });
  let said = "";
  child.stderr?.on("data", (data: Buffer) => (said += data.toString()));
  const answer = () => fetch(`http://127.0.0.1:${port}/metrics`);
  for (;;) {
    const first = await answer().catch(() => undefined);
    if (first !== undefined) break;
    assert.equal(child.exitCode, null, said);
    await delay(100);
  }
  return {
    process: child,
    said: () => said,
    scrape: async () => {
      const response = await answer();
      const text = await response.text();
      assert.equal(response.status, 200, text);
      return text;
    },
  };
}
