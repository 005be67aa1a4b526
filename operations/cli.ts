import { runLine } from "./command/program";
import { commands } from "./command/table";

runLine(commands, process.argv.slice(2)).then(
  (exit) => (process.exitCode = exit),
  (error: unknown) => {
    console.error(error);
    process.exitCode = 1;
  },
);
