import { readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { withAlerts } from "./alertsTable";

/** `npm run docs:alerts`: writes what follows from the alerts into their page. */
const page = join(__dirname, "monitoring.md");

withAlerts(readFileSync(page, "utf8")).then(
  (text) => writeFileSync(page, text),
  (error: unknown) => {
    throw error;
  },
);
