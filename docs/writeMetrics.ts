import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { metricsReference } from "../plan/monitoring/reference";

/** `npm run docs:metrics`: writes the reference of metrics. */
writeFileSync(join(__dirname, "metrics.md"), metricsReference());
