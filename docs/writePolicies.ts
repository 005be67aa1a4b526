import { readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { withPolicies } from "./policiesTable";

/** `npm run docs:policies`: writes what follows from the invariants into docs/policies.md. */
const page = join(__dirname, "policies.md");

withPolicies(readFileSync(page, "utf8")).then(
  (text) => writeFileSync(page, text),
  (error: unknown) => {
    throw error;
  },
);
