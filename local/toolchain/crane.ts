import { join } from "node:path";
import { coerce, satisfies } from "semver";
import { pins } from "../../releases/pins";
import { run } from "../../shell/process";
import { UserError } from "../../shell/userError";
import { goBuild } from "./go";

/** `crane`, which asks registries of images: the client of go-containerregistry, with Docker's logins. */

const { version, range } = pins.tools.crane;

/** The program's name where PATH has one that fits; else the path of one that is built from its Go module, which takes half a minute once. */
export async function crane(
  options: { readonly onLine?: (line: string) => void; readonly signal?: AbortSignal } = {},
): Promise<string> {
  const { signal } = options;
  const answer = await run("crane", ["version"], { timeoutMs: 20_000, ...(signal && { signal }) }).catch(
    () => undefined,
  );
  signal?.throwIfAborted();
  if (satisfies(coerce(answer?.stdout)?.version ?? "0.0.0", range)) return "crane";
  return goBuild({
    module: join(__dirname, "crane"),
    package: "github.com/google/go-containerregistry/cmd/crane",
    binary: "crane",
    ldflags: `-X github.com/google/go-containerregistry/cmd/crane/cmd.Version=${version}`,
    ...options,
  }).catch((error: unknown) => {
    if (!(error instanceof UserError)) throw error;
    throw new UserError([`${error.problems.join(" ")} Or have crane ${range} on PATH.`]);
  });
}
