import { runLine } from "./command/program";
import { commands } from "./command/table";

runLine(commands, process.argv.slice(2)).then(
  (exit) => {
    process.exitCode = exit;
    // What was asked and is late isn't waited for.
    setTimeout(() => process.exit(exit), 100).unref();
  },
  (error: unknown) => {
    console.error(error);
    process.exitCode = 1;
  },
);
