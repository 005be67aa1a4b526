import { readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { withCommands } from "./pgpTable";

/** `npm run docs:pgp`: writes what follows from the table of commands into docs/pgp.md. */
const page = join(__dirname, "pgp.md");

withCommands(readFileSync(page, "utf8")).then(
  (text) => writeFileSync(page, text),
  (error: unknown) => {
    throw error;
  },
);
