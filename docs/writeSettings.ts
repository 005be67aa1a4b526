import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { settingsReference } from "../settings/schema/reference";

/** `npm run docs:settings`: writes the settings reference. */
writeFileSync(join(__dirname, "settings.md"), settingsReference());
