import { spawnSync } from "node:child_process";
import { areas, testFilesOf } from "./areas";

/** `npm run mutants -- <area> …`: small changes of the code of these areas, or of all; docs/testing.md says more. */
function main(names: readonly string[]): number {
  for (const name of names) {
    const area = areas[name];
    if (area === undefined) {
      console.error(`there is no area ${name}, only ${Object.keys(areas).join(", ")}`);
      return 1;
    }
    const { status } = spawnSync(
      "npx",
      [
        ...["stryker", "run", "tests/mutants/stryker.json", "--incremental"],
        ...["--incrementalFile", `coverage/mutants/${name}.json`],
        ...["--mutate", area.mutate.join(",")],
        ...["--testFiles", testFilesOf(area).join(",")],
      ],
      { stdio: "inherit" },
    );
    if (status !== 0) return status ?? 1;
  }
  return 0;
}

const asked = process.argv.slice(2);
process.exitCode = main(asked.length > 0 ? asked : Object.keys(areas));
